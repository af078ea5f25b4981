"""Maps made smaller, smoother, and 0 to 1, before they are finished or adapted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics

#: Longer side to which maps are shrunk first. A network's map has no finer detail, and wide blurs
#: of large maps are slow.
SIDE = 160


def shrink(values: NDArray[Any]) -> NDArray[np.float64]:
    """A map as float64, shrunk by means of areas until its longer side is at most `SIDE`."""
    wide = np.asarray(values, dtype=np.float64)
    factor = SIDE / max(wide.shape)
    if factor >= 1:
        return wide
    shape = (max(1, round(wide.shape[0] * factor)), max(1, round(wide.shape[1] * factor)))
    small: NDArray[np.float64] = metrics.resize(wide, shape, method="area")
    return small


def smooth(values: NDArray[np.floating], sigma: float) -> NDArray[np.float64]:
    """Gaussian blur with a standard deviation of ``sigma`` times the longer side."""
    from scipy.ndimage import gaussian_filter

    wide = np.asarray(values, dtype=np.float64)
    if sigma == 0:
        return wide
    blurred: NDArray[np.float64] = gaussian_filter(
        wide, sigma * max(wide.shape), mode="nearest", truncate=3
    )
    return blurred


def unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """A map scaled to 0..1. A constant map becomes zero, so that only the prior counts."""
    low, high = values.min(), values.max()
    if high - low <= 1e-9 * abs(high):  # constant up to the rounding of a blur
        return np.zeros_like(values)
    scaled: NDArray[np.float64] = (values - low) / (high - low)
    return scaled
