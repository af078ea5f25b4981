"""The centre prior, fixed and fitted."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest

from emomap.errors import EmomapError, UsageError
from emomap.methods.center import Center, center, fit_prior
from emomap.sample import Dataset, Gaze, Sample
from tests.methods.pictures import picture


def test_fixed_prior_is_a_round_gaussian_of_the_shorter_side() -> None:
    found = center(np.zeros((101, 201), np.uint8), sigma=0.2)
    assert found[50, 100] == 1
    deviation = 0.2 * 101
    for offset in (7, 31):
        expected = np.exp(-(offset**2) / (2 * deviation**2))
        assert found[50 + offset, 100] == pytest.approx(expected)
        assert found[50, 100 - offset] == pytest.approx(expected)
    np.testing.assert_allclose(found, found[::-1, ::-1])


def gazes(count: int = 200) -> list[Gaze]:
    rng = np.random.default_rng(0)
    made = []
    for k in range(count):
        height, width = (300, 400) if k % 2 else (200, 120)
        points = rng.normal((0.55, 0.4), (0.1, 0.15), (40, 2)) * (width, height)
        made.append(Gaze((height, width), points=points))
    return made


def test_fit_finds_the_gaussian_whatever_the_sizes() -> None:
    prior = fit_prior(gazes())
    np.testing.assert_allclose(prior.mean, (0.55, 0.4), atol=0.01)
    np.testing.assert_allclose(prior.covariance, [[0.01, 0], [0, 0.0225]], atol=0.001)
    found = center(np.zeros((100, 200), np.uint8), prior=prior)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert abs(row - 40) <= 2
    assert abs(column - 110) <= 2


def test_fit_on_densities_and_on_points_agree() -> None:
    points = gazes(1)[0]
    assert points.points is not None
    counts = np.zeros(points.shape)
    cells = np.floor(points.points[points.inside] + 0.5).astype(int)
    np.add.at(counts, (cells[:, 1], cells[:, 0]), 1)
    by_points, by_density = fit_prior([points]), fit_prior([Gaze(points.shape, density=counts)])
    np.testing.assert_allclose(by_density.mean, by_points.mean, atol=0.005)
    np.testing.assert_allclose(by_density.covariance, by_points.covariance, atol=0.002)


@pytest.mark.parametrize(
    ("gaze", "said"),
    [
        ([], "no gaze"),
        ([Gaze((10, 10), points=np.array([[50.0, 50.0]]))], "no gaze"),
        ([Gaze((10, 10), points=np.array([[5.0, 5.0], [5.0, 5.0]]))], "one point or line"),
    ],
)
def test_nothing_to_fit(gaze: list[Gaze], said: str) -> None:
    with pytest.raises(EmomapError, match=said):
        fit_prior(gaze)


def test_method() -> None:
    images = [picture(40, 50), picture(60, 30)]
    fixed = Center().predict(images)
    np.testing.assert_array_equal(fixed[0].map, center(images[0]))
    fitted = Center(fit=True)
    with pytest.raises(UsageError, match="fit"):
        fitted.predict(images)
    samples = tuple(
        Sample(str(k), Path("none.png"), gaze_source=partial(_same, gaze))
        for k, gaze in enumerate(gazes(20))
    )
    fitted.fit(Dataset("made", samples), Dataset("made", ()))
    assert fitted.prior is not None
    assert fitted.prior.mean == pytest.approx((0.55, 0.4), abs=0.03)
    found = fitted.predict(images)[1].map
    assert found is not None
    assert found.shape == (60, 30)


def _same(gaze: Gaze) -> Gaze:
    return gaze
