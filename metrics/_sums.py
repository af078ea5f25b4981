"""Sums over two aligned maps in one pass, compiled by numba (see `metrics._compiled`).

The terms of a strip of pixels are written to a buffer, four to a place, and added there in pairs,
so that both steps are done several pixels at a time, the sum is as exact as NumPy's, and it is the
same on every processor. A map is of bytes or of floats; nothing as large as a map is written.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ._compiled import _logarithm
from ._types import Array
from .compilation import compiled

#: Pixels in a strip, and places in its buffer, which stays in the first cache.
STRIP = 1024
QUARTER = STRIP // 4


@njit(inline="always")
def _added(terms: Array) -> float:
    """The sum of a buffer. Changes the buffer."""
    half = QUARTER // 2
    while half >= 8:
        for i in range(half):
            terms[i] += terms[i + half]
        half //= 2
    total = 0.0
    for i in range(8):
        total += terms[i]
    return total


@compiled(error_model="numpy", fastmath={"contract"})
def powers(values: Array) -> tuple[float, float]:
    """The sum of the values, and that of their squares."""
    terms, twice = np.empty(QUARTER), np.empty(QUARTER)
    total, squares = 0.0, 0.0
    whole = values.size // STRIP * STRIP
    for start in range(0, whole, STRIP):
        a = values[start : start + QUARTER]
        b = values[start + QUARTER : start + 2 * QUARTER]
        c = values[start + 2 * QUARTER : start + 3 * QUARTER]
        d = values[start + 3 * QUARTER : start + STRIP]
        for i in range(QUARTER):
            p, q, r, s = np.float64(a[i]), np.float64(b[i]), np.float64(c[i]), np.float64(d[i])
            terms[i] = (p + r) + (q + s)
            twice[i] = (p * p + r * r) + (q * q + s * s)
        total += _added(terms)
        squares += _added(twice)
    rest, more = 0.0, 0.0
    for i in range(whole, values.size):
        value = np.float64(values[i])
        rest += value
        more += value * value
    return total + rest, squares + more


@njit(inline="always")
def _product(a: float, b: float, first_mean: float, second_mean: float) -> float:
    return (np.float64(a) - first_mean) * (np.float64(b) - second_mean)


@compiled(error_model="numpy", fastmath={"contract"})
def codeviation(first: Array, second: Array, first_mean: float, second_mean: float) -> float:
    """Sum of the products of the deviations from the means."""
    terms, total = np.empty(QUARTER), 0.0
    m, n = first_mean, second_mean
    whole = first.size // STRIP * STRIP
    for start in range(0, whole, STRIP):
        a, b = first[start : start + STRIP], second[start : start + STRIP]
        for i in range(QUARTER):
            j, k, o = i + QUARTER, i + 2 * QUARTER, i + 3 * QUARTER
            terms[i] = (_product(a[i], b[i], m, n) + _product(a[k], b[k], m, n)) + (
                _product(a[j], b[j], m, n) + _product(a[o], b[o], m, n)
            )
        total += _added(terms)
    rest = 0.0
    for i in range(whole, first.size):
        rest += _product(first[i], second[i], m, n)
    return total + rest


@njit(inline="always")
def _lesser(
    a: float,
    b: float,
    first_low: float,
    first_factor: float,
    second_low: float,
    second_factor: float,
) -> float:
    p = (np.float64(a) - first_low) * first_factor
    q = (np.float64(b) - second_low) * second_factor
    return p if p < q else q


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
    terms, total = np.empty(QUARTER), 0.0
    u, v, w, x = first_low, first_factor, second_low, second_factor
    whole = first.size // STRIP * STRIP
    for start in range(0, whole, STRIP):
        a, b = first[start : start + STRIP], second[start : start + STRIP]
        for i in range(QUARTER):
            j, k, o = i + QUARTER, i + 2 * QUARTER, i + 3 * QUARTER
            terms[i] = (_lesser(a[i], b[i], u, v, w, x) + _lesser(a[k], b[k], u, v, w, x)) + (
                _lesser(a[j], b[j], u, v, w, x) + _lesser(a[o], b[o], u, v, w, x)
            )
        total += _added(terms)
    rest = 0.0
    for i in range(whole, first.size):
        rest += _lesser(first[i], second[i], u, v, w, x)
    return total + rest


@compiled(error_model="numpy", fastmath={"contract"})
def divergence(
    first: Array, second: Array, first_factor: float, second_factor: float, eps: float
) -> float:
    """Sum of ``q log(eps + q / (p + eps))``, p and q the values times their map's factor."""
    terms, total = np.empty(QUARTER), 0.0
    for start in range(0, first.size, QUARTER):
        count = min(QUARTER, first.size - start)
        a, b = first[start : start + count], second[start : start + count]
        for i in range(count):
            q = np.float64(b[i]) * second_factor
            terms[i] = q * _logarithm(eps + q / (np.float64(a[i]) * first_factor + eps))
        for i in range(count, QUARTER):
            terms[i] = 0.0
        total += _added(terms)
    return total


@compiled(error_model="numpy", fastmath={"contract"})
def floored_divergence(
    first: Array,
    second: Array,
    first_floor: float,
    first_factor: float,
    second_floor: float,
    second_factor: float,
) -> float:
    """Sum of ``q log(q / p)``, p and q the values plus their map's floor, times its factor."""
    terms, total = np.empty(QUARTER), 0.0
    for start in range(0, first.size, QUARTER):
        count = min(QUARTER, first.size - start)
        a, b = first[start : start + count], second[start : start + count]
        for i in range(count):
            q = (np.float64(b[i]) + second_floor) * second_factor
            p = (np.float64(a[i]) + first_floor) * first_factor
            terms[i] = q * _logarithm(q / p)
        for i in range(count, QUARTER):
            terms[i] = 0.0
        total += _added(terms)
    return total
