"""Resizing against MATLAB's imresize, and what every method keeps to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import metrics
from tests.metrics.cases import REFERENCE

DATA = np.load(REFERENCE / "imresize_reference.npz")


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_values_of_imresize(number: int) -> None:
    expected = DATA[f"ml_{number}"]
    found = metrics.resize(DATA["input"], expected.shape, clip=False)
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_bytes_of_imresize(number: int) -> None:
    """MATLAB rounds to whole numbers after each axis, the one that shrinks more coming first."""
    expected, found = DATA[f"ml_u8_{number}"], DATA["input_u8"]
    order = np.argsort(np.divide(expected.shape, found.shape), kind="stable")
    for axis in order:
        shape = list(found.shape)
        shape[axis] = expected.shape[axis]
        found = np.clip(np.round(metrics.resize(found, tuple(shape), clip=False)), 0, 255)
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found != expected) < 0.01


def test_a_scale_that_does_not_divide_the_size() -> None:
    expected = DATA["ml_scale16th"]
    rows = metrics.resize_weights(37, 3, "matlab-bicubic", 1 / 16)
    columns = metrics.resize_weights(53, 4, "matlab-bicubic", 1 / 16)
    assert rows @ DATA["input"] @ columns.T == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("method", metrics.RESIZE_METHODS)
@pytest.mark.parametrize(("size", "wanted"), [(12, 5), (5, 12), (31, 31), (1, 4), (4, 1), (200, 7)])
def test_bands_are_the_weights_without_their_zeros(method: str, size: int, wanted: int) -> None:
    first, entries = metrics.resize_bands(size, wanted, method)
    found = np.zeros((wanted, size))
    for i in range(wanted):
        found[i, first[i] : first[i] + entries.shape[1]] = entries[i]
    assert (found == metrics.resize_weights(size, wanted, method)).all()
    assert (entries != 0).all(axis=1).any()  # no wider than needed
    with pytest.raises(ValueError, match="read-only"):
        entries[0, 0] = 1.0


@pytest.mark.parametrize("method", metrics.RESIZE_METHODS)
@pytest.mark.parametrize("shape", [(5, 7), (40, 33), (12, 80), (1, 1)])
def test_what_every_method_keeps_to(method: Any, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    map = rng.random((2, 12, 31))
    found = metrics.resize(map, shape, method)
    assert found.shape == (2, *shape)
    assert found.dtype == np.float64
    assert (found >= 0).all()
    assert (found[0] == metrics.resize(map[0], shape, method)).all()
    assert metrics.resize(np.full((12, 31), 3.0), shape, method) == pytest.approx(3.0, abs=1e-12)
    mirrored = metrics.resize(map[:, ::-1, ::-1], shape, method)
    if method != "nearest":  # of two equally near pixels one must be taken
        assert mirrored[:, ::-1, ::-1] == pytest.approx(found, abs=1e-12)


@pytest.mark.parametrize("method", metrics.RESIZE_METHODS)
def test_the_same_size_changes_nothing(method: Any) -> None:
    map = np.random.default_rng(1).random((6, 9))
    found = metrics.resize(map, (6, 9), method)
    assert (found == map).all()
    assert found is not map


def test_area_keeps_the_mean() -> None:
    map = np.random.default_rng(2).random((35, 46))
    found = metrics.resize(map, (7, 10), "area")
    assert found.mean() == pytest.approx(map.mean(), rel=1e-12)
    assert found[0, 0] == pytest.approx((map[:5, :4].sum() + 0.6 * map[:5, 4].sum()) / 23)


def test_nearest_and_bilinear_by_hand() -> None:
    map = np.array([[0.0, 1.0, 2.0, 3.0]])
    assert metrics.resize(map, (1, 2), "nearest").tolist() == [[1.0, 3.0]]
    assert metrics.resize(map, (1, 2), "bilinear").tolist() == [[0.5, 2.5]]
    assert metrics.resize(map, (1, 8), "bilinear")[0, :3].tolist() == [0.0, 0.25, 0.75]


def test_overshoot_is_clipped_unless_asked_for_or_already_there() -> None:
    step = np.zeros((8, 8))
    step[:, 4:] = 1.0
    assert metrics.resize(step, (32, 32)).min() == 0.0
    assert metrics.resize(step, (32, 32), clip=False).min() < 0.0
    assert metrics.resize(step - 1, (32, 32)).min() < -1.0


@pytest.mark.parametrize("shape", [(0, 4), (4,), (3.5, 4), (-1, 4), "ab", 7])
def test_wrong_shapes(shape: Any) -> None:
    with pytest.raises(ValueError, match="two positive integers"):
        metrics.resize(np.ones((3, 3)), shape)


def test_wrong_values() -> None:
    with pytest.raises(ValueError, match="method is 'lanczos'"):
        metrics.resize(np.ones((3, 3)), (4, 4), "lanczos")  # type: ignore[arg-type]
    map = np.ones((3, 3))
    map[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"map has 1 NaN.*\(1, 2\)"):
        metrics.resize(map, (4, 4))
