"""Fixations to count maps and densities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import metrics
from tests.metrics.cases import REFERENCE


def test_counts_pixels_and_those_outside() -> None:
    points = [(0, 0), (-0.5, 0), (-0.51, 0), (2.49, 1.5), (2.5, 0), (3.49, 1), (3.5, 1), (3, 1)]
    found, outside = metrics.fixation_map(points, (3, 4), return_outside=True)
    assert found.tolist() == [[2, 0, 0, 1], [0, 0, 0, 2], [0, 0, 1, 0]]
    assert outside == 2
    assert (metrics.fixation_map(points, (3, 4)) == found).all()


def test_no_points_are_an_empty_map() -> None:
    assert metrics.fixation_map([], (2, 3)).sum() == 0
    assert metrics.fixation_map(np.empty((0, 2)), (2, 3), return_outside=True)[1] == 0


@pytest.mark.parametrize("points", [[(1, 2, 3)], [1, 2], [[[1, 2]]]])
def test_points_of_another_form(points: Any) -> None:
    with pytest.raises(ValueError, match=r"shape \(N, 2\)"):
        metrics.fixation_map(points, (3, 4))


def test_points_that_are_no_numbers() -> None:
    with pytest.raises(ValueError, match=r"2 NaN or infinite row\(s\), the first at 1"):
        metrics.fixation_map([(1, 1), (np.nan, 1), (1, np.inf)], (3, 4))


def test_antonio_gaussian() -> None:
    data = np.load(REFERENCE / "antonioGaussian_reference.npz")
    counts = data["fixation_map"]
    expected = data["fc8"] / data["fc8"].sum()
    found = metrics.density(counts, metrics.sigma_from_fc(8, counts.shape))
    assert found == pytest.approx(expected, abs=1e-15)
    # runAntonioGaussian takes its sigma in pixels of the picture but applies it to the padded one
    expected = data["run_sigma10"] / data["run_sigma10"].sum()
    assert metrics.density(counts, 10 * 256 / 160) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("shape", [(480, 640), (1024, 768), (300, 1000)])
def test_sigma_of_fc_at_the_sizes_in_use(shape: tuple[int, int]) -> None:
    assert metrics.sigma_from_fc(8, shape) == pytest.approx(23.986, abs=1e-3)


@pytest.mark.parametrize("count", [1, 5, 2000])
@pytest.mark.parametrize("sigma", [0.4, 3.0, 5.9, 6.0, 8.9, 24.0, 35.5, 400.0, 1e9])
@pytest.mark.parametrize("shape", [(40, 50), (1, 7), (201, 33)])
def test_density_is_a_gaussian_blur(count: int, sigma: float, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    counts = metrics.fixation_map(rng.integers(0, shape[::-1], (count, 2)), shape)
    rows, columns = (
        np.exp(-0.5 * ((np.arange(n)[:, None] - np.arange(n)) / sigma) ** 2) for n in shape
    )
    expected = rows @ counts @ columns
    found = metrics.density(counts, sigma)
    assert found == pytest.approx(expected / expected.sum(), rel=1e-13, abs=1e-18)
    assert found.sum() == pytest.approx(1.0, rel=1e-12)
    assert (found >= 0).all()
    batch = metrics.density(np.stack([counts, counts[::-1]]), sigma)
    assert (batch[0] == found).all()


def test_a_pool_may_cover_every_pixel() -> None:
    assert metrics.density(np.full((6, 6), 3), 2.0).sum() == pytest.approx(1.0)


@pytest.mark.parametrize("sigma", [0, -1, np.nan, np.inf])
def test_sigma_must_be_positive(sigma: float) -> None:
    with pytest.raises(ValueError, match="sigma is"):
        metrics.density(np.eye(5, dtype=int), sigma)


def test_density_of_nothing_or_of_a_density() -> None:
    with pytest.raises(ValueError, match="no fixation"):
        metrics.density(np.zeros((4, 4)), 1.0)
    with pytest.raises(ValueError, match="fractional"):
        metrics.density(np.full((4, 4), 0.5), 1.0)


def test_degrees() -> None:
    assert metrics.sigma_from_degrees(1.0, 24.0) == 24.0
    with pytest.raises(ValueError, match="pixels_per_degree is 0"):
        metrics.sigma_from_degrees(1.0, 0)
    with pytest.raises(ValueError, match="fc is -1"):
        metrics.sigma_from_fc(-1, (10, 10))


@pytest.mark.parametrize("shape", [(0, 4), (-3, -4), (3.5, 4), (3, 4, 3), 5])
def test_a_shape_that_is_none(shape: Any) -> None:
    with pytest.raises(ValueError, match="two positive integers"):
        metrics.fixation_map([(1, 2)], shape)
    with pytest.raises(ValueError, match="two positive integers"):
        metrics.sigma_from_fc(8, shape)
