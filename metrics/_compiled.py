"""The inner loops of counting, and a logarithm, compiled by numba on first use and kept on disk.

Imported only where it is needed, since loading numba takes about a second a process. Written
without NumPy's functions on whole arrays, which take most of the time to compile.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from ._types import Array
from .compilation import compiled

#: Parts of [0, 1] that spare most comparisons of `count_reached`.
PARTS = 8192
#: More than the rounding of a value in [0, 1], and much less than such a part.
MARGIN = 1e-9
#: Values that `count_reached` treats at a time.
STRIP = 2048

# Constants of `_logarithm`: the bits of 1, of the root of 1/2 and of 2**52, and the logarithm
# of 2 in a part of 26 bits, whose multiples are exact, and the rest of it.
_ONE = np.uint64(1023 << 52)
_HALF_ROOT = np.float64(math.sqrt(0.5)).view(np.uint64)
_TWO_52 = np.uint64(0x4330000000000000)
_LN2_HIGH = math.ldexp(math.floor(math.ldexp(math.log(2.0), 26)), -26)
_LN2_LOW = 1.2996506893889889e-08


@compiled()
def histogram(values: Array) -> Array:
    """(4, 256) how often each value of a uint8 array occurs, in four tables to be added.

    Neighbours are often equal; tables in turn save waiting for the counter just written.
    """
    tables = np.zeros((4, 256), np.uint32)
    for i in range(values.size):
        tables[i & 3, values[i]] += np.uint32(1)
    return tables


@compiled()
def joint_histogram(first: Array, second: Array) -> Array:
    """(65536,) how often each pair of values of two uint8 arrays occurs, at 256*first + second."""
    table = np.zeros(65536, np.uint32)
    for i in range(first.size):
        table[(np.uint64(first[i]) << np.uint64(8)) | np.uint64(second[i])] += np.uint32(1)
    return table


@compiled(error_model="numpy")
def count_reached(
    values: Array, low: float, span: float, thresholds: Array, reached: Array, equal: Array
) -> None:
    """Count the values by how many thresholds they reach.

    The values are counted in equal parts of [0, 1]; only those in a part that may hold a threshold
    are compared with it. Parts are rounded otherwise than thresholds: the margin keeps every doubt.

    Args:
        values: (n,) of floats.
        low, span: a value v is compared as (v - low) / span, which lies in [0, 1].
        thresholds: (t,) float64, ascending, without repetition, within [0, 1].
        reached: (t + 1,) int64, added to: values that reach so many thresholds.
        equal: (t,) int64, added to: values that equal the threshold.
    """
    t = thresholds.size
    first = np.zeros(PARTS + 1, np.uint32)  # 1 + the first threshold that a part may hold, or 0
    for k in range(t - 1, -1, -1):
        first[max(0, int((thresholds[k] - MARGIN) * PARTS))] = k + 1
        first[min(PARTS, int((thresholds[k] + MARGIN) * PARTS))] = k + 1
    held = np.zeros(PARTS + 1, np.uint32)
    one = np.uint32(1)
    factor = PARTS / span
    places = np.empty(STRIP, np.int32)
    doubtful = np.empty(STRIP, np.int32)
    for start in range(0, values.size, STRIP):
        strip = values[start : start + STRIP]
        for i in range(strip.size):  # a loop of its own, since it is done several at a time
            places[i] = np.int32((np.float64(strip[i]) - low) * factor)
        doubts = 0
        for i in range(strip.size):
            place = np.uint64(places[i])
            held[place] += one
            doubtful[doubts] = i
            doubts += first[place] != 0
        for k in range(doubts):
            unit = (np.float64(strip[doubtful[k]]) - low) / span
            above = np.int64(first[places[doubtful[k]]]) - 1
            while above < t and thresholds[above] <= unit:
                above += 1
            reached[above] += 1
            if above > 0 and thresholds[above - 1] == unit:
                equal[above - 1] += 1
    below = 0
    for part in range(PARTS + 1):
        if first[part] == 0:
            while below < t and thresholds[below] * PARTS < part:
                below += 1
            reached[below] += held[part]


@njit(inline="always")
def _logarithm(value: float) -> float:
    """Natural logarithm of a positive normal number, to 2 units in the last place.

    Without a branch, so that a loop of it is done several at a time: x = 2^e m with m between the
    root of 1/2 and that of 2, and log m = 2 artanh z with z = (m - 1) / (m + 1), a series in
    z^2 < 0.03.
    """
    shift = np.uint64(52)
    bits = np.float64(value).view(np.uint64)
    exponent = (bits - _HALF_ROOT + _ONE) >> shift
    m = np.uint64(bits - (exponent << shift) + _ONE).view(np.float64)
    e = np.uint64(exponent | _TWO_52).view(np.float64) - (4503599627370496.0 + 1023.0)
    z = (m - 1.0) / (m + 1.0)
    s = z * z
    p = s * (2.0 / 21.0) + 2.0 / 19.0
    p = p * s + 2.0 / 17.0
    p = p * s + 2.0 / 15.0
    p = p * s + 2.0 / 13.0
    p = p * s + 2.0 / 11.0
    p = p * s + 2.0 / 9.0
    p = p * s + 2.0 / 7.0
    p = p * s + 2.0 / 5.0
    p = p * s + 2.0 / 3.0
    return e * _LN2_HIGH + (2.0 * z + (z * s * p + e * _LN2_LOW))


@compiled(error_model="numpy", fastmath={"contract"})
def logarithm(values: Array, out: Array) -> None:
    """Natural logarithm of positive normal numbers, (n,) float64, into ``out``."""
    for i in range(values.size):
        out[i] = _logarithm(values[i])


@compiled(error_model="numpy", fastmath={"contract"})
def log_quotient(upper: Array, lower: Array, eps: float, out: Array) -> None:
    """``log(eps + upper / (lower + eps))`` of (n,) float64 arrays, the quotient positive."""
    for i in range(upper.size):
        out[i] = _logarithm(eps + upper[i] / (lower[i] + eps))


@compiled(fastmath={"contract"})
def banded(first: Array, weights: Array, values: Array, out: Array) -> None:
    """Product of a matrix with a band of entries and a dense one, row by row.

    Args:
        first: (n,) where the band begins in each row.
        weights: (n, k) its entries.
        values: (m, w) of any real type; ``first + k`` is nowhere above m.
        out: (n, w) float64, written: ``out[i] = sum(weights[i, j] * values[first[i] + j])``.
    """
    taps = weights.shape[1]
    for i in range(out.shape[0]):
        row = out[i]
        for j in range(row.size):
            row[j] = 0.0
        at = first[i]
        k = 0
        while k + 4 <= taps:  # four at a time, since most of the time goes into storing
            p, q, r, s = weights[i, k], weights[i, k + 1], weights[i, k + 2], weights[i, k + 3]
            a, b = values[at + k], values[at + k + 1]
            c, d = values[at + k + 2], values[at + k + 3]
            for j in range(row.size):
                row[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j])
            k += 4
        while k < taps:
            p = weights[i, k]
            a = values[at + k]
            for j in range(row.size):
                row[j] += p * a[j]
            k += 1


@compiled(fastmath={"contract"})
def spread(
    y: Array, x: Array, counts: Array, profile: Array, step: int, margin: int, nodes: Array
) -> None:
    """Add to a coarse grid, for each place, its count times a separable profile around it.

    Args:
        y, x: (n,) int64 places in pixels, in the order of rows.
        counts: (n,) float64.
        profile: (step, t) what the nodes around get from a place so many pixels behind the middle
            one of them, for each way that a place may lie between nodes.
        step: pixels between nodes; node ``i`` lies at pixel ``(i - margin) * step``.
        nodes: (h, w) float64, changed in place.
    """
    taps = profile.shape[1]
    reach = (taps - 1) // 2
    height, width = nodes.shape
    row = np.empty(width)
    k = 0
    while k < y.size:
        here = y[k]
        low, high = width, 0
        for i in range(width):
            row[i] = 0.0
        while k < y.size and y[k] == here:
            start = x[k] // step - reach + margin
            begin, end = max(0, start), min(width, start + taps)
            along = profile[x[k] % step]
            for i in range(begin, end):
                row[i] += counts[k] * along[i - start]
            low, high = min(low, begin), max(high, end)
            k += 1
        start = here // step - reach + margin
        for i in range(max(0, start), min(height, start + taps)):
            weight = profile[here % step, i - start]
            for j in range(low, high):
                nodes[i, j] += weight * row[j]
