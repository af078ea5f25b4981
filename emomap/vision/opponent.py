"""Colour features: two opponent contrasts, and the DKL space of the original GBVS."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.arrays import Maps

#: Responses of the cones (L, M, S) to the three guns of the monitor, and to its grey background.
_CONES = np.array(
    [
        [18.32535, 44.60077, 7.46216],
        [4.09544, 28.20135, 6.66066],
        [0.02114, 0.10325, 1.05258],
    ]
)
_GREY = np.array([34.9185389578, 19.3147966765, 0.5856108185])

#: From cone contrasts (L, M, S) to luminance, red-green and blue-yellow, at the original's scale.
_LUMINANCE_SCALE, _RED_GREEN_SCALE, _BLUE_YELLOW_SCALE = 0.01844043, 2.02526764, 0.00834542067
_OPPONENT = np.array(
    [
        [_LUMINANCE_SCALE, _LUMINANCE_SCALE, 0.0],
        [_RED_GREEN_SCALE / _GREY[0], -_RED_GREEN_SCALE / _GREY[1], 0.0],
        [
            -_BLUE_YELLOW_SCALE,
            -_BLUE_YELLOW_SCALE,
            _BLUE_YELLOW_SCALE * (_GREY[0] + _GREY[1]) / _GREY[2],
        ],
    ]
)


def opponent_colors(
    rgb: NDArray[np.floating[Any]], intensity: NDArray[np.floating[Any]], offset: float = 0.0
) -> Maps:
    """|b - min(r, g)| / (I + offset) and |r - g| / (I + offset); 0 where the divisor is 0.

    Args:
        rgb: (3, h, w) in 0..1.
        intensity: (h, w) in 0..1.

    Returns:
        (2, h, w) float64.
    """
    red, green, blue = rgb.astype(np.float64)
    divisor = intensity.astype(np.float64) + offset
    differences = np.stack([np.abs(blue - np.minimum(red, green)), np.abs(red - green)])
    quotients = np.zeros_like(differences)
    np.divide(differences, divisor, out=quotients, where=divisor != 0)
    return quotients


def dkl_colors(rgb: NDArray[np.floating[Any]]) -> Maps:
    """Derrington-Krauskopf-Lennie coordinates of a calibrated monitor, 256 steps a colour.

    Args:
        rgb: (3, h, w) in 0..1. Values from the pyramid must be float32: k/255 lies on the edge
            of a step, and its rounding decides the side.

    Returns:
        (3, h, w) float64: luminance, red-green, blue-yellow.
    """
    table, offset = _dkl_table()
    steps = np.ceil(255 * rgb.astype(np.float64)).astype(np.int64)
    np.clip(steps, 1, 256, out=steps)
    coordinates = table[0].take(steps[0] - 1, axis=1)
    coordinates += table[1].take(steps[1] - 1, axis=1)
    coordinates += table[2].take(steps[2] - 1, axis=1)
    return np.asarray(coordinates - offset)


@cache
def _dkl_table() -> tuple[Maps, Maps]:
    """What each step of each gun adds to the coordinates, (3 guns, 3, 256); those of grey."""
    with np.load(Path(__file__).with_name("gbvs_constants.npz")) as constants:
        guns = constants["dkl_lut"]
    weights = _OPPONENT @ _CONES
    table = weights.T[:, :, None] * guns.T[:, None, :]
    return table, (_OPPONENT @ _GREY)[:, None, None]
