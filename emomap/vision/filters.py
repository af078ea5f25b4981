"""Small filters on maps that several classical methods use.

Definitions follow the MATLAB functions that the original programs call, so that values agree.
Maps may have leading axes; filters work on the last two.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from emomap.vision.arrays import Maps


def round_half_up(value: float) -> int:
    """floor(value + 1/2), as MATLAB rounds positive numbers (Python rounds half to even)."""
    return math.floor(value + 0.5)


def lattice_shape(shape: tuple[int, int], longest: int) -> tuple[int, int]:
    """Size of a map with this longer side and the shape of an image; each side at least 1."""
    height, width = (max(1, round_half_up(side * longest / max(shape))) for side in shape)
    return height, width


def rescale(maps: Maps) -> Maps:
    """Stretch each map to 0..1 (mat2gray); a constant map is only clipped to 0..1."""
    low = maps.min(axis=(-2, -1), keepdims=True)
    span = maps.max(axis=(-2, -1), keepdims=True) - low
    flat = span == 0
    if not flat.any():
        stretched = maps - low
        stretched /= span
        return np.asarray(stretched)
    clipped = np.clip(maps, 0.0, 1.0)
    return np.asarray(np.where(flat, clipped, (maps - low) / np.where(flat, 1.0, span)))


def flatten_noise(maps: Maps) -> Maps:
    """Make maps constant whose range is rounding noise, so that later steps do not amplify it."""
    low = maps.min(axis=(-2, -1), keepdims=True)
    high = maps.max(axis=(-2, -1), keepdims=True)
    noise = high - low <= 1e-12 * np.maximum(np.abs(low), np.abs(high))
    return np.where(noise, low, maps)


def squared_difference(one: Maps, other: Maps) -> Maps:
    """(one - other)^2, zero where the two differ by no more than rounding."""
    difference = one - other
    floor = 1e-12 * np.abs(one).max(axis=(-2, -1), keepdims=True)
    difference[np.abs(difference) <= floor] = 0.0
    return difference * difference


def attenuate_border(maps: Maps, width: int) -> Maps:
    """Ramp the outer rows and columns: the i-th from the edge (1-based) times i / (width + 1).

    ``width`` is at most half of each side.
    """
    height, length = maps.shape[-2:]
    if 2 * width > height:
        width = height // 2
    if 2 * width > length:
        width = length // 2
    return maps * _ramp(height, width)[:, None] * _ramp(length, width)


def gaussian_blur(maps: Maps, sigma: float, truncate: float) -> Maps:
    """Separable Gaussian with replicated borders; its radius is round(sigma * truncate) pixels."""
    taps = _taps(sigma, truncate)
    return _blur_axis(_blur_axis(maps, taps, -2), taps, -1)


def _ramp(length: int, width: int) -> Maps:
    ramp = np.ones(length)
    rise = np.arange(1, width + 1) / (width + 1)
    ramp[:width] = rise
    ramp[length - width :] = rise[::-1]
    return ramp


@lru_cache(maxsize=64)
def _taps(sigma: float, truncate: float) -> Maps:
    radius = round_half_up(sigma * truncate)
    if radius == 0:
        return np.ones(1)
    offsets = np.arange(-radius, radius + 1)
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    return np.asarray(taps / taps.sum())


def _blur_axis(maps: Maps, taps: Maps, axis: int) -> Maps:
    radius = len(taps) // 2
    pads = [(0, 0)] * maps.ndim
    pads[axis] = (radius, radius)
    padded = np.pad(maps, pads, mode="edge")
    length = maps.shape[axis]
    index: list[slice] = [slice(None)] * maps.ndim
    total = np.zeros_like(maps)
    for offset, tap in enumerate(taps):
        index[axis] = slice(offset, offset + length)
        total += tap * padded[tuple(index)]
    return total
