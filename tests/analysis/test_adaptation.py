"""Maps become densities: likelihoods beside naive loops, optimality, and what the truth allows."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from emomap.analysis.adaptation import SMALL, Adaptation, _Problem, adapt, at_side, scaled

SHAPE = (60, 80)


def scene(rng: np.random.Generator, n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A density of a few blobs, and fixations drawn from it."""
    density = np.full(SHAPE, 0.02)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    for _ in range(4):
        row, column = rng.uniform(0, SHAPE[0]), rng.uniform(0, SHAPE[1])
        density += rng.uniform(0.3, 1) * np.exp(-((y - row) ** 2 + (x - column) ** 2) / 60)
    density /= density.sum()
    at = rng.choice(density.size, n, p=density.ravel())
    return density, np.c_[at % SHAPE[1], at // SHAPE[1]].astype(float)


@pytest.fixture(scope="module")
def scenes() -> list[tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(5)
    return [scene(rng) for _ in range(6)]


def bits(density: np.ndarray, points: np.ndarray, shape: tuple[int, int] = SHAPE) -> float:
    """Mean log2 of a density over the uniform one, one fixation after the other."""
    total = 0.0
    height, width = density.shape
    for x, y in points:
        row = int((y + 0.5) / shape[0] * height)
        column = int((x + 0.5) / shape[1] * width)
        total += np.log2(density[row, column] * density.size)
    return total / len(points)


def test_a_distorted_density_is_found_again(scenes: list[tuple[np.ndarray, np.ndarray]]) -> None:
    # a power, a scale and 8 bits of the true density: increasing, so nothing is lost but rounding
    maps = [np.rint(255 * (d / d.max()) ** 0.4).astype(np.uint8) for d, _ in scenes]
    points = [p for _, p in scenes]
    found = adapt(maps, points, [SHAPE] * len(maps))
    truth = np.mean([bits(d, p) for d, p in scenes])
    assert found.fitted > truth - 0.08
    assert truth - 0.25 < found.crossed <= found.fitted
    assert found.center < truth - 0.5
    rng = np.random.default_rng(77)
    fresh = [scene(rng) for _ in range(6)]
    for density, gaze in fresh:
        made = found.adaptation.density(np.rint(255 * (density / density.max()) ** 0.4))
        assert bits(made, gaze) > bits(density, gaze) - 0.3
    curve = np.array(found.adaptation.curve)
    assert (np.diff(curve) >= 0).all()
    assert curve[0] == 0


def test_an_increasing_function_of_the_map_changes_little(
    scenes: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    points, shapes = [p for _, p in scenes], [SHAPE] * len(scenes)
    plain = adapt([d for d, _ in scenes], points, shapes)
    cubed = adapt([7 * (d / d.max()) ** 3 - 2 for d, _ in scenes], points, shapes)
    assert cubed.fitted == pytest.approx(plain.fitted, abs=0.06)


def test_a_blur_is_found_for_maps_that_are_too_sharp() -> None:
    rng = np.random.default_rng(2)
    maps, points = [], []
    for _ in range(10):
        peaks = np.zeros(SHAPE)
        peaks.flat[rng.choice(peaks.size, 6)] = 1
        density = gaussian_filter(peaks, 4) + 1e-5
        density /= density.sum()
        at = rng.choice(density.size, 150, p=density.ravel())
        maps.append(peaks)
        points.append(np.c_[at % SHAPE[1], at // SHAPE[1]].astype(float))
    found = adapt(maps, points, [SHAPE] * 10)
    assert 0.022 <= found.adaptation.sigma <= 0.075  # 4 of 80 pixels are 0.05


def test_the_fit_is_the_maximum_of_the_naive_likelihood(
    scenes: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    rng = np.random.default_rng(1)
    logs = [rng.normal(size=(12, 16)), rng.normal(size=(9, 9))]
    values = [rng.random(192), rng.random(81)]
    gaze = [rng.multinomial(40, np.exp(2 * v) / np.exp(2 * v).sum()) / 40 for v in values]
    problem = _Problem(logs, gaze)
    fit = problem.fit(values, 0.0)

    def naive(curve: np.ndarray, center: float, floor: float) -> np.ndarray:
        found = []
        for log, value, share in zip(logs, values, gaze, strict=True):
            density = np.exp(np.interp(value, fit.levels, curve) + center * log.ravel())
            density = (1 - floor) * density / density.sum() + floor / density.size
            found.append(share @ np.log(density * density.size))
        return np.array(found)

    best = naive(fit.curve, fit.center, fit.floor)
    assert best.mean() == pytest.approx(fit.likelihood, abs=1e-12)
    np.testing.assert_allclose(problem.bits(values, fit) * np.log(2), best, atol=1e-12)
    steps = np.diff(fit.curve)
    for index, move in [(i, m) for i in range(len(steps) + 2) for m in (-0.05, 0.05)]:
        numbers = np.append(steps, [fit.center, fit.floor])
        numbers[index] = max(numbers[index] + move * (0.2 if index > len(steps) else 1), 0)
        curve = np.concatenate([[0], np.cumsum(numbers[: len(steps)])])
        assert naive(curve, numbers[-2], numbers[-1]).mean() < best.mean() + 2e-5, index


def test_densities() -> None:
    bias = tuple(tuple(float(1 + (r + c) % 3) for c in range(32)) for r in range(24))
    found = Adaptation(0.02, (0.0, 0.5, 1.0), (0.0, 1.0, 3.0), 0.5, 0.1, bias)
    rng = np.random.default_rng(0)
    for shape in ((10, 12), (90, 120), (300, 400)):
        values = rng.random(shape)
        made = found.density(values)
        assert made.sum() == pytest.approx(1)
        assert made.min() >= 0.1 / made.size
        assert made.shape == (shape if max(shape) >= SMALL else at_side(values).shape)
        np.testing.assert_allclose(found.density(3 * values + 5), made, rtol=1e-6)
    flat = found.density(np.full((120, 160), 7, np.uint8))
    blank = found.density(np.zeros((120, 160)))
    np.testing.assert_array_equal(flat, blank)
    assert flat.std() > 0  # the centre bias is left
    assert scaled(np.ones((4, 5)), 0.1).max() == 0


def test_too_few_pictures() -> None:
    with pytest.raises(ValueError, match="at least 5"):
        adapt([np.ones(SHAPE)] * 4, [np.ones((3, 2))] * 4, [SHAPE] * 4)
