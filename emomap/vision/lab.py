"""CIE L*a*b* of an image, and its quantisation into a colour histogram.

White point D65, BT.709 primaries. Objectness applies the formula directly to the stored values
(`linear=False`); the other methods undo the gamma of sRGB first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.image import unit

_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_WHITE = np.array([0.950456, 1.0, 1.088754])
_KNEE = 0.008856

#: Rounding moves a and b of an 8-bit grey from 0 to -1e-14 or 1e-14, to either side of the edge
#: between two bins of the histogram. The original fuses products (multiply-add) and rounds powers
#: correctly; these greys then fall below 0, and all others do not.
_GREYS_BELOW_A = (162,)
_GREYS_BELOW_B = (73, 85, 89, 97, 139, 146, 147, 155, 171, 178, 195, 211)

#: Pixels converted at once, so that a large image needs little memory.
_CHUNK = 1 << 16


def lab(image: NDArray[Any], *, linear: bool) -> NDArray[np.float64]:
    """L* in 0..100, a* and b* of a checked image; (H, W, 3) float64. A grey image has a = b = 0.

    Args:
        image: (H, W, 3) or (H, W), uint8 or float in 0..1, as `check_image` returns it.
        linear: True to undo the gamma of sRGB first.
    """
    values = unit(image)
    if values.ndim == 2:
        values = np.repeat(values[:, :, None], 3, axis=2)
    if linear:
        values = np.where(values > 0.04045, ((values + 0.055) / 1.055) ** 2.4, values / 12.92)
    xyz = values @ (_XYZ / _WHITE[:, None]).T
    roots = np.where(xyz > _KNEE, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    luminance = xyz[..., 1]
    lightness = np.where(luminance > _KNEE, 116 * roots[..., 1] - 16, 903.3 * luminance)
    red_green = 500 * (roots[..., 0] - roots[..., 1])
    blue_yellow = 200 * (roots[..., 1] - roots[..., 2])
    return np.stack([lightness, red_green, blue_yellow], axis=-1)


def lab_bins(image: NDArray[Any]) -> NDArray[np.uint8]:
    """Colour histogram bin of each pixel, (H, W) in 0..255: 4 bins of L, 8 of a, 8 of b.

    L spans 0..100, a and b span -120..120; stored values are taken as linear.
    """
    bins = np.empty(image.shape[:2], np.uint8)
    step = max(1, _CHUNK // image.shape[1])
    for top in range(0, image.shape[0], step):
        bins[top : top + step] = _bins(image[top : top + step])
    return bins


def _bins(image: NDArray[Any]) -> NDArray[np.uint8]:
    coordinates = lab(image, linear=False)
    lightness = np.clip(coordinates[..., 0] / 25, 0, 3).astype(np.uint8)
    red_green = _chroma_bin(coordinates[..., 1])
    blue_yellow = _chroma_bin(coordinates[..., 2])
    grey, levels = _greys(image)
    red_green[grey] = np.where(np.isin(levels, _GREYS_BELOW_A), 3, 4)
    blue_yellow[grey] = np.where(np.isin(levels, _GREYS_BELOW_B), 3, 4)
    return np.asarray((lightness * 8 + red_green) * 8 + blue_yellow)


def _chroma_bin(chroma: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.asarray(np.clip((chroma + 120) / 30, 0, 7), dtype=np.uint8)


def _greys(image: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which pixels are grey, and their levels in steps of 1/255."""
    if image.ndim == 2:
        grey = np.ones(image.shape, dtype=bool)
        levels = image[grey]
    else:
        grey = (image[..., 0] == image[..., 1]) & (image[..., 1] == image[..., 2])
        levels = image[grey, 0]
    if image.dtype == np.uint8:
        return grey, levels.astype(np.float64)
    steps = 255 * levels
    nearest = np.round(steps)
    return grey, np.where(np.abs(steps - nearest) < 1e-9, nearest, -1.0)
