"""Where the fixations are, as counts or points, and whether a map can be one of counts at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _arrays as arrays
from ._types import Array, Vector

#: A map of so few different counts is not called smooth: chance makes equal neighbours of them.
LEVELS = 12
#: Neighbours of a density blurred by two pixels or more differ by less than this share of their
#: squares, those of counts by much more.
SMOOTH = 0.1


def pixels(points: Vector, shape: tuple[int, int]) -> tuple[Vector, Vector]:
    """The pixels of points.

    Args:
        points: (N, 2) x and y, finite; pixel centres lie on integers.
        shape: height and width of the picture.

    Returns:
        (N,) whether a point lies in the picture, and the flat position of each that does.
    """
    x, y = np.floor(points + 0.5).T
    inside = (x >= 0) & (x < shape[1]) & (y >= 0) & (y < shape[0])
    return inside, (y[inside] * shape[1] + x[inside]).astype(np.int64)


def locate(xp: Any, counts: Array, name: str, sparse: bool = True) -> tuple[Array, Vector]:
    """Where the fixations of one map are.

    Args:
        counts: (H, W).
        name: of the argument, for messages.
        sparse: refuse counts that are smooth or equal everywhere, which betray a density. The
            fixations of a whole data set may well be so.

    Returns:
        Flat positions (N,) of the pixels with a fixation, on the map's device, and the number of
        fixations there (N,) on the host.

    Raises:
        ValueError: none at all, or the map cannot be one of fixations.
    """
    flat = xp.reshape(counts, (-1,))
    where = _places(flat) if xp is np else xp.nonzero(flat)[0]
    found = arrays.to_numpy(flat[where] if xp is np else xp.take(flat, where))
    if found.size == 0:
        raise ValueError(f"{name} has no fixation: nothing to score against")
    wrong = _not_counts(found, where, counts, sparse)
    if wrong:
        raise ValueError(
            f"{name} {wrong}; it must hold counts of fixations (whole numbers). A density belongs "
            "to cc, sim, kl or emd, and a list of points goes through metrics.fixation_map"
            + ("; if they are counts all the same, say kind='counts'" if "smooth" in wrong else "")
        )
    return where, found.astype(np.float64)


def _places(flat: Vector) -> Vector:
    """Where values are not zero; looked for eight bytes at a time, since they are few."""
    flags = np.ascontiguousarray(flat) if flat.itemsize == 1 else flat != 0
    whole = flags.size // 8 * 8
    words = np.flatnonzero(flags[:whole].view(np.uint64) != 0)  # of booleans it is quick
    near = np.concatenate(
        [(8 * words[:, None] + np.arange(8)).ravel(), np.arange(whole, flags.size)]
    )
    return near[flags[near] != 0]


def _not_counts(found: Vector, where: Array, counts: Array, sparse: bool) -> str | None:
    """What speaks against counts, given the values that are not zero."""
    if found.dtype.kind == "b":
        found = found.view(np.uint8)
    if found.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(found))
        if bad.size:
            row, column = divmod(int(where[int(bad[0])]), counts.shape[-1])
            return f"has {bad.size} NaN or infinite value(s), the first at {(row, column)}"
        broken = found[found != np.floor(found)]
        if broken.size:
            return f"has fractional values such as {broken[0]:g}"
    if found.min() < 0:
        return f"has negative values such as {found.min():g}"
    if sparse:
        size = counts.shape[-2] * counts.shape[-1]
        if found.size == size and found.min() == found.max():
            return f"is non-zero at {found.size} of {size} pixels"
        levels = np.unique(found).size if found.max() > LEVELS else 0
        if levels > LEVELS and _roughness(arrays.to_numpy(counts)) < SMOOTH:
            return f"has {levels} different values and is smooth"
    return None


def _roughness(counts: Vector) -> float:
    """How much neighbours differ: the squares of their differences as a share of their squares.

    1 of counts that nothing binds, 1 / (4 sigma^2) of a density blurred with sigma pixels.
    """
    values = counts.astype(np.float64)
    apart, together = 0.0, 0.0
    for axis in (0, 1):
        first, second = (values[:, 1:], values[:, :-1]) if axis else (values[1:], values[:-1])
        apart += float(((first - second) ** 2).sum())
        together += float((first**2 + second**2).sum())
    return apart / together if together else 1.0
