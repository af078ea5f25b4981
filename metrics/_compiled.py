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
    """(256,) how often each value of a uint8 array occurs."""
    # Neighbours are often equal; four tables in turn save waiting for the counter just written.
    tables = np.zeros((4, 256), np.int64)
    for i in range(values.size):
        tables[i & 3, values[i]] += 1
    return tables.sum(axis=0)


@njit(cache=True, nogil=True)
def joint_histogram(first: Array, second: Array) -> Array:
    """(65536,) how often each pair of values of two uint8 arrays occurs, at 256*first + second."""
    tables = np.zeros((2, 65536), np.int32)
    for i in range(first.size):
        tables[i & 1, (np.int64(first[i]) << 8) | np.int64(second[i])] += 1
    return tables[0] + tables[1]


@njit(cache=True, nogil=True, error_model="numpy")
def count_reached(
    values: Array,
    low: float,
    span: float,
    thresholds: Array,
    starts: Array,
    reached: Array,
    equal: Array,
) -> None:
    """Count the values by how many thresholds they reach.

    Args:
        values: (n,) float64.
        low, span: a value v is compared as (v - low) / span.
        thresholds: (t,) float64, ascending, without repetition, within [0, 1].
        starts: (K + 2,) how many thresholds lie in the K + 1 buckets before each; the bucket of u
            is floor(u * K), so that only thresholds in a value's own bucket need comparing.
        reached: (4, t + 1) int64, added to: values that reach so many thresholds.
        equal: (t,) int64, added to: values that equal the threshold.
    """
    scale = starts.size - 2
    for i in range(values.size):
        unit = (values[i] - low) / span
        bucket = int(unit * scale)
        first = starts[bucket]
        last = starts[bucket + 1]
        if first != last:
            while first < last:
                middle = (first + last) >> 1
                if thresholds[middle] <= unit:
                    first = middle + 1
                else:
                    last = middle
            if first > 0 and thresholds[first - 1] == unit:
                equal[first - 1] += 1
        reached[i & 3, first] += 1
