"""Synthetic scenes for benchmarks: fixations, their density, and a good or a poor prediction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

import metrics

Array = np.ndarray[Any, Any]


class Scene(NamedTuple):
    """Maps of one picture; the prediction is good (CC about .8) or poor (about .3)."""

    prediction: Array
    fixations: Array
    density: Array
    other: Array
    baseline: Array


def scene(
    shape: tuple[int, int] = (480, 640), fixations: int = 200, good: bool = True, seed: int = 0
) -> Scene:
    """A scene of this size, in double precision."""
    rng = np.random.default_rng(seed)
    height, width = shape
    sigma = max(24.0 * width / 640, 1.0)

    def looked(count: int, spread: float) -> Array:
        places = rng.normal([width / 2, height / 2], [width * spread, height * spread], (count, 2))
        return metrics.fixation_map(np.clip(places, 0, [width - 1, height - 1]), shape)

    found = looked(fixations, 0.19)
    density = metrics.density(found, sigma)
    middle = np.zeros(shape, dtype=int)
    middle[height // 2, width // 2] = 1
    centre = metrics.density(middle, 0.22 * width)
    coarse = rng.random((max(height // 40, 2), max(width // 40, 2)))
    clutter = metrics.resize(coarse, shape)
    clutter /= clutter.sum()
    parts = (0.5, 0.3, 0.2) if good else (0.05, 0.2, 0.75)
    prediction = parts[0] * density + parts[1] * centre + parts[2] * clutter
    return Scene(prediction, found, density, looked(10 * fixations, 0.23), centre)


def grey(map: Array) -> Array:
    """A map as an 8-bit picture."""
    span = map.max() - map.min()
    return np.round(255 * (map - map.min()) / span).astype(np.uint8)


def to_bytes(one: Scene) -> Scene:
    """All maps as 8-bit pictures, fixation maps too."""
    return Scene(
        prediction=grey(one.prediction),
        fixations=one.fixations.astype(np.uint8),
        density=grey(one.density),
        other=one.other.astype(np.uint8),
        baseline=grey(one.baseline),
    )
