"""Count maps: where the fixations are, and whether a map can be one of fixations at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from metrics import _arrays as arrays
from metrics._types import Array, Vector

#: No pixel of a real count map differs in this many ways from the others; a density does.
LEVELS = 32


def locate(xp: Any, counts: Array, name: str, sparse: bool = True) -> tuple[Array, Vector]:
    """Where the fixations of one map are.

    Args:
        counts: (H, W).
        name: of the argument, for messages.
        sparse: refuse counts nearly everywhere, which betray a density. The fixations of a whole
            data set may well cover every pixel.

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
    wrong = _not_counts(found, where, counts.shape, name, sparse)
    if wrong:
        raise ValueError(
            f"{name} {wrong}; it must hold counts of fixations (whole numbers, zero nearly "
            "everywhere). A density belongs to cc, sim, kl or emd, and a list of points goes "
            "through metrics.fixation_map"
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


def _not_counts(
    found: Vector, where: Array, shape: tuple[int, ...], name: str, sparse: bool
) -> str | None:
    """What speaks against counts, given the values that are not zero."""
    if found.dtype.kind == "b":
        found = found.view(np.uint8)
    if found.dtype.kind == "f":
        bad = np.flatnonzero(~np.isfinite(found))
        if bad.size:
            row, column = divmod(int(where[int(bad[0])]), shape[-1])
            return f"has {bad.size} NaN or infinite value(s), the first at {(row, column)}"
        broken = found[found != np.floor(found)]
        if broken.size:
            return f"has fractional values such as {broken[0]:g}"
    if found.min() < 0:
        return f"has negative values such as {found.min():g}"
    if sparse:
        size = shape[-2] * shape[-1]
        if 2 * found.size > size:
            return f"is non-zero at {found.size} of {size} pixels"
        if found.max() > LEVELS and np.unique(found).size > LEVELS:
            return f"has {np.unique(found).size} different values"
    return None
