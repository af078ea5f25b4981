"""The plain AUC of two sets of points, compiled: what it costs depends on the points alone."""

from __future__ import annotations

import numpy as np
from numba import njit

from ._field import ROUNDING
from ._types import Array
from .compilation import compiled


@njit(inline="always")
def _gathered(map: Array, points: Array, values: Array) -> int:
    """Write the values at points; how many lie in the picture, or -1 if one is not finite."""
    height, width = map.shape
    n = 0
    for i in range(points.shape[0]):
        x, y = points[i, 0] + 0.5, points[i, 1] + 0.5
        if 0 <= x < width and 0 <= y < height:
            value = np.float64(map[int(y), int(x)])
            if not np.isfinite(value):
                return -1
            values[n] = value
            n += 1
        elif not (np.isfinite(x) and np.isfinite(y)):
            return -1
    return n


@njit(inline="always")
def _extremes(values: Array, n: int) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    for i in range(n):
        low, high = min(low, values[i]), max(high, values[i])
    return low, high


@compiled(error_model="numpy")
def beaten(map: Array, points: Array, others: Array) -> float:
    """Share of the others that a fixation beats, ties half, or -1 where points do not suffice.

    Each other value is looked up among the sorted values at the fixations.

    Args:
        map: (H, W) of floats.
        points, others: (N, 2) and (M, 2) float64, x and y in pixels; those outside are left out.

    Returns:
        -1 where no point or no other lies in the picture, where a number is not finite, and where
        all values are equal but for rounding, so that the map could be constant.
    """
    values, against = np.empty(points.shape[0]), np.empty(others.shape[0])
    n = _gathered(map, points, values)
    m = _gathered(map, others, against)
    if n < 1 or m < 1:
        return -1.0
    low, high = _extremes(values, n)
    least, most = _extremes(against, m)
    low, high = min(low, least), max(high, most)
    if not high - low > ROUNDING * max(-low, high):
        return -1.0
    ordered = np.sort(values[:n])
    halves = 0  # two for each fixation above another, one for a tie
    for i in range(m):
        value = against[i]
        left, length = 0, n
        while length > 1:  # without a branch, since no processor could guess it
            half = length // 2
            left += half if ordered[left + half - 1] < value else 0
            length -= half
        left += 1 if ordered[left] < value else 0
        right = left
        while right < n and ordered[right] == value:
            right += 1
        halves += 2 * (n - right) + (right - left)
    return np.float64(halves) / (2.0 * n * m)
