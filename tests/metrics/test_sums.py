"""Sums of large maps, and the AUC of points, against plain NumPy and the general way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics import _sums
from metrics._field import LARGE
from tests.metrics.cases import scene, score

SIZES = [1, 7, 255, 1024, 1025, 5000]


@pytest.mark.parametrize("dtype", ["f4", "f8", "u1"])
@pytest.mark.parametrize("size", SIZES)
def test_kernels_are_plain_sums(rng: np.random.Generator, dtype: str, size: int) -> None:
    a, b = (rng.random((2, size)) * 200 + 1).astype(dtype)
    x, y = a.astype(np.float64), b.astype(np.float64)
    total, squares = _sums.powers(a)
    assert (total, squares) == pytest.approx((x.sum(), (x * x).sum()), rel=1e-14)
    found = _sums.codeviation(a, b, 90.0, 100.0)
    assert found == pytest.approx(((x - 90) * (y - 100)).sum(), rel=1e-12, abs=1e-8)
    found = _sums.shared_mass(a, b, 1.0, 0.25, 2.0, 0.5)
    assert found == pytest.approx(np.minimum((x - 1) / 4, (y - 2) / 2).sum(), rel=1e-13)
    p, q = (x + 1e-3) * 0.5, (y + 1e-2) * 0.25
    found = _sums.floored_divergence(a, b, 1e-3, 0.5, 1e-2, 0.25)
    assert found == pytest.approx((q * np.log(q / p)).sum(), rel=1e-12, abs=1e-10)


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("name", ["cc", "sim", "kl", "nss", "info_gain", "auc"])
def test_a_large_map_is_four_small_ones(name: str, dtype: str, convention: str) -> None:
    """Repeated maps have the sums of one, which is small and summed by NumPy."""
    entry = metrics.CATALOGUE[name]
    small = scene((96, 128))
    for key in ("prediction", "density", "baseline"):
        small[key] = small[key].astype(dtype)
    large = {key: np.tile(value, (4, 2)) for key, value in small.items()}
    assert large["prediction"].size >= LARGE > small["prediction"].size
    if (name, convention) == ("info_gain", "mit"):  # eps does not shrink with the shares
        tolerance = 1e-9
    else:
        tolerance = 1e-9 if name in ("kl", "nss") else 1e-12
    expected = score(entry, small, convention=convention)
    if name == "info_gain":
        assert score(entry, large, convention=convention) == pytest.approx(expected, rel=1e-6)
        return
    if (name, convention) == ("nss", "mit"):
        tolerance = 1e-4  # the divisor is P - 1
    assert score(entry, large, convention=convention) == pytest.approx(expected, rel=tolerance)


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_what_is_refused_of_a_large_map(dtype: str) -> None:
    maps = scene((256, 300))
    for wrong in (np.nan, np.inf):
        prediction = maps["prediction"].astype(dtype)
        prediction[40, 7] = wrong
        for name in ("cc", "sim", "kl", "nss", "auc"):
            with pytest.raises(ValueError, match=r"1 NaN or infinite value.*\(40, 7\)"):
                score(metrics.CATALOGUE[name], {**maps, "prediction": prediction})


def test_a_large_map_on_a_large_offset() -> None:
    maps = scene((256, 300))
    expected = {name: score(metrics.CATALOGUE[name], maps) for name in ("cc", "nss")}
    maps["prediction"] = maps["prediction"] + 1e8
    for name, value in expected.items():
        assert score(metrics.CATALOGUE[name], maps) == pytest.approx(value, rel=1e-6, abs=1e-8)


@st.composite
def pointed(draw: Any) -> tuple[Any, Any, Any]:
    """A map with ties or without, and points of which some lie outside."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    shape = tuple(draw(st.tuples(st.integers(3, 30), st.integers(3, 30))))
    levels = draw(st.sampled_from([1, 3, 10**6]))
    values = rng.integers(0, levels, shape).astype(draw(st.sampled_from(["f4", "f8"])))
    counts = draw(st.tuples(st.integers(1, 30), st.integers(1, 60)))
    points = [rng.random((n, 2)) * shape[::-1] * 1.2 - 0.9 for n in counts]
    return values, *points


def outcome(prediction: Any, points: Any, others: Any) -> Any:
    try:
        return np.ravel(metrics.auc_shuffled(prediction, points, others, convention="tuebingen"))[0]
    except ValueError as error:
        return str(error).rpartition("batch: ")[2]


@settings(max_examples=150, deadline=None)
@given(pointed())
def test_points_have_the_area_of_their_maps(maps: tuple[Any, Any, Any]) -> None:
    prediction, points, others = maps
    found = outcome(prediction, points, others)
    expected = outcome(prediction[None], [points], [others])
    if isinstance(expected, str):
        assert found == expected
    else:
        assert found == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("place", [(2, 3), (5, 1)])
def test_points_on_no_number_are_refused(place: tuple[int, int]) -> None:
    prediction = np.arange(60.0).reshape(6, 10)
    prediction[place] = np.nan
    points = np.array([[3.0, 2.0], [4.0, 4.0]])
    others = np.array([[1.0, 5.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="1 NaN or infinite"):
        metrics.auc_shuffled(prediction, points, others, convention="tuebingen")
    with pytest.raises(ValueError, match=r"1 NaN or infinite value\(s\), the first at row 1"):
        metrics.auc_shuffled(
            np.arange(60.0).reshape(6, 10),
            np.array([[1, 1], [np.nan, 1]]),
            others,
            convention="tuebingen",
        )
