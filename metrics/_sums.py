"""Sums over two aligned maps in one pass, compiled by numba (see `metrics._compiled`).

The terms of a strip of pixels are written to a buffer and added there in pairs, so that both steps
are done several pixels at a time, the sum is as exact as NumPy's, and it is the same on every
processor. A map is of bytes or of floats; nothing as large as a map is written.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ._compiled import _logarithm
from ._types import Array
from .compilation import compiled

#: Pixels in a strip: the buffer stays in the first cache.
STRIP = 1024


@njit(inline="always")
def _added(terms: Array, count: int) -> float:
    """The sum of the first ``count`` terms of a strip. Changes the strip."""
    for i in range(count, STRIP):
        terms[i] = 0.0
    half = STRIP // 2
    while half >= 8:
        for i in range(half):
            terms[i] += terms[i + half]
        half //= 2
    total = 0.0
    for i in range(8):
        total += terms[i]
    return total


@compiled(error_model="numpy", fastmath={"contract"})
def codeviation(first: Array, second: Array, first_mean: float, second_mean: float) -> float:
    """Sum of the products of the deviations from the means."""
    terms, total = np.empty(STRIP), 0.0
    for start in range(0, first.size, STRIP):
        count = min(STRIP, first.size - start)
        a, b = first[start : start + count], second[start : start + count]
        for i in range(count):
            terms[i] = (np.float64(a[i]) - first_mean) * (np.float64(b[i]) - second_mean)
        total += _added(terms, count)
    return total


@compiled(error_model="numpy", fastmath={"contract"})
def shared_mass(
    first: Array,
    second: Array,
    first_low: float,
    first_factor: float,
    second_low: float,
    second_factor: float,
) -> float:
    """Sum of the smaller of the two values, each less its map's lowest, times its map's factor."""
    terms, total = np.empty(STRIP), 0.0
    for start in range(0, first.size, STRIP):
        count = min(STRIP, first.size - start)
        a, b = first[start : start + count], second[start : start + count]
        for i in range(count):
            p = (np.float64(a[i]) - first_low) * first_factor
            q = (np.float64(b[i]) - second_low) * second_factor
            terms[i] = p if p < q else q
        total += _added(terms, count)
    return total


@compiled(error_model="numpy", fastmath={"contract"})
def divergence(
    first: Array, second: Array, first_factor: float, second_factor: float, eps: float
) -> float:
    """Sum of ``q log(eps + q / (p + eps))``, p and q the values times their map's factor."""
    terms, total = np.empty(STRIP), 0.0
    for start in range(0, first.size, STRIP):
        count = min(STRIP, first.size - start)
        a, b = first[start : start + count], second[start : start + count]
        for i in range(count):
            q = np.float64(b[i]) * second_factor
            terms[i] = q * _logarithm(eps + q / (np.float64(a[i]) * first_factor + eps))
        total += _added(terms, count)
    return total
