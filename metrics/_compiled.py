"""The inner loops of counting, compiled by numba on first use and kept on disk.

Imported only where it is needed: loading numba costs about a second a process. All results are
whole numbers, so they are the same whatever counts them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # NumPy arrays of fixed type


@njit(cache=True, nogil=True)
def histogram(values: Array) -> Array:
    """(4, 256) how often each value of a uint8 array occurs, in four tables to be added.

    Neighbours are often equal; tables in turn save waiting for the counter just written.
    """
    tables = np.zeros((4, 256), np.uint32)
    for i in range(values.size):
        tables[i & 3, values[i]] += np.uint32(1)
    return tables


@njit(cache=True, nogil=True)
def joint_histogram(first: Array, second: Array) -> Array:
    """(2, 65536) how often each pair of values of two uint8 arrays occurs, at 256*first + second.

    In two tables to be added, as in `histogram`.
    """
    tables = np.zeros((2, 65536), np.uint32)
    for i in range(first.size):
        tables[i & 1, (np.int64(first[i]) << 8) | np.int64(second[i])] += np.uint32(1)
    return tables


@njit(cache=True, nogil=True, error_model="numpy")
def count_reached(
    values: Array,
    low: float,
    span: float,
    thresholds: Array,
    table: Array,
    reached: Array,
    equal: Array,
) -> None:
    """Count the values by how many thresholds they reach.

    Args:
        values: (n,) float64.
        low, span: a value v is compared as (v - low) / span, which lies in [0, 1].
        thresholds: (t,) float64, ascending, without repetition, within [0, 1].
        table: (K + 1, 2) uint32, for each K-th part of [0, 1] how many thresholds all its values
            reach for certain, and how many its highest may reach.
        reached: (t + 1, 4) uint32, added to: values that reach so many thresholds (in four
            columns in turn, since neighbours are alike and a counter just written is slow).
        equal: (t,) int64, added to: values that equal the threshold.
    """
    one = np.uint32(1)
    factor = (table.shape[0] - 1) / span
    for i in range(values.size):
        above = values[i] - low
        bucket = np.uint64(np.int64(above * factor))
        first = table[bucket, 0]
        last = table[bucket, 1]
        if first != last:
            unit = above / span
            while first < last:
                middle = (first + last) >> one
                if thresholds[middle] <= unit:
                    first = middle + one
                else:
                    last = middle
            if first > 0 and thresholds[first - one] == unit:
                equal[first - one] += 1
        reached[np.uint64(first), np.uint64(i) & np.uint64(3)] += one
