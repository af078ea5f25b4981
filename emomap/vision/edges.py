"""Edge pixels by Canny's detector: gradient of a Gaussian, thinning, hysteresis."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.filters import gaussian_blur
from emomap.vision.image import unit

#: Standard deviation of the Gaussian in pixels.
_SIGMA = 2**0.5
#: Share of pixels with a gradient below the high threshold; ratio of low to high threshold.
_QUIET, _RATIO = 0.8, 0.4
_LUMA = np.array([0.298936, 0.587043, 0.114021])


def edges(image: NDArray[Any]) -> NDArray[np.bool_]:
    """True on the edges of a checked image, (H, W).

    A fifth of all pixels is above the high threshold; the low one is 0.4 times the high one.
    """
    from scipy import ndimage

    values = unit(image)
    grey = values @ _LUMA if values.ndim == 3 else values
    smooth = gaussian_blur(grey, _SIGMA, 4)
    dx = ndimage.sobel(smooth, axis=1, mode="nearest")
    dy = ndimage.sobel(smooth, axis=0, mode="nearest")
    strength = np.hypot(dx, dy)
    ridge = _thin(strength, dx, dy)
    high = np.quantile(strength, _QUIET)
    strong = ridge & (strength > high)
    weak = ridge & (strength > _RATIO * high)
    labels, _ = ndimage.label(weak, np.ones((3, 3)))
    kept = np.unique(labels[strong])
    return np.asarray(weak & np.isin(labels, kept))


def _thin(
    strength: NDArray[np.float64], dx: NDArray[np.float64], dy: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Pixels at least as strong as both neighbours along the gradient (to 45 degrees)."""
    height, width = strength.shape
    padded = np.pad(strength, 1)
    sector = np.round(np.arctan2(dy, dx) / (np.pi / 4)).astype(int) % 4
    ridge = np.zeros(strength.shape, dtype=bool)
    for k, (y, x) in enumerate(((0, 1), (1, 1), (1, 0), (1, -1))):
        ahead = padded[1 + y : 1 + y + height, 1 + x : 1 + x + width]
        behind = padded[1 - y : 1 - y + height, 1 - x : 1 - x + width]
        # strict on one side, so that one of two equal pixels remains
        ridge |= (sector == k) & (strength >= ahead) & (strength > behind)
    return ridge & (strength > 0)
