"""Procedural pictures that the tests of the classical methods share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def picture(height: int = 150, width: int = 200, seed: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3) coloured 1/f noise with a bright disc, a box and a striped patch on it."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    fall = 1 / np.maximum(np.hypot(fy, fx), 1 / max(height, width))
    noise = np.stack(
        [
            np.fft.irfft2(fall * np.exp(2j * np.pi * rng.random(fall.shape)), s=(height, width))
            for _ in range(3)
        ],
        axis=-1,
    )
    canvas = 0.45 + 0.08 * noise / noise.std()
    y, x = np.mgrid[:height, :width]
    disc = np.hypot(y - 0.4 * height, x - 0.65 * width) < 0.12 * height
    canvas[disc] = (0.9, 0.25, 0.2)
    box = (abs(y - 0.75 * height) < 0.1 * height) & (abs(x - 0.25 * width) < 0.1 * width)
    canvas[box] = (0.15, 0.3, 0.8)
    patch = (abs(y - 0.2 * height) < 0.12 * height) & (abs(x - 0.2 * width) < 0.1 * width)
    canvas[patch] += 0.25 * np.sin(1.3 * (x + y))[patch][:, None]
    return (255 * np.clip(canvas, 0, 1)).astype(np.uint8)


def correlation(one: NDArray[np.generic], other: NDArray[np.generic]) -> float:
    """Pearson's correlation of two maps."""
    a, b = np.asarray(one, dtype=np.float64).ravel(), np.asarray(other, dtype=np.float64).ravel()
    return float(np.corrcoef(a, b)[0, 1])
