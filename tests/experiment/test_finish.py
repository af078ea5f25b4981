"""Finishing: known numbers are found again, and shrinking moves nothing."""

from __future__ import annotations

import numpy as np
import pytest

from emomap.analysis.smoothing import shrink
from emomap.experiment import finish
from emomap.experiment.finish import Finish


def blob(y: float, x: float, sigma: float, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((rows - y) ** 2 + (columns - x) ** 2) / (2 * sigma**2))


def test_choice_recovers_a_known_finish() -> None:
    rng = np.random.default_rng(0)
    center = blob(29.5, 39.5, 18)
    maps = [blob(*rng.uniform(10, 50, 2), 1.5) for _ in range(6)]
    truth = Finish(sigma=0.06, weight=0.5)
    smooth, centered = finish.choose(
        maps, [center] * 6, [truth.apply(values, center) for values in maps]
    )
    assert centered == truth
    assert smooth.weight == 0
    assert smooth.sigma > 0


def test_constant_map_leaves_the_prior_alone() -> None:
    center = blob(29.5, 39.5, 18)
    np.testing.assert_array_equal(Finish(0.05, 1.0).apply(np.ones((60, 80)), center), center)


def test_shrinking_keeps_mean_and_place() -> None:
    large = blob(300, 500, 60, (600, 800))
    small = shrink(large)
    assert small.shape == (120, 160)
    assert small.mean() == pytest.approx(large.mean())
    assert np.unravel_index(small.argmax(), small.shape) == (60, 100)
    np.testing.assert_array_equal(shrink(small), small)
