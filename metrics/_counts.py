"""Count maps: where the fixations are, and whether a map can be one of fixations at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from metrics import _arrays as arrays
from metrics._arrays import Array

#: No pixel of a real count map differs in this many ways from the others; a density does.
LEVELS = 32


def locate(
    xp: Any, flat: Array, name: str, sparse: bool = True
) -> tuple[Array, np.ndarray[Any, Any]]:
    """Positions (N,) of the non-zero pixels of one flat count map, and the counts there (host).

    Args:
        sparse: refuse counts nearly everywhere, which betray a density. The fixations of a whole
            data set may well cover every pixel.

    Raises:
        ValueError: not counts, or none at all.
    """
    if xp is np:
        where = np.flatnonzero(flat != 0)  # of booleans it is quick
        found = flat[where]
    else:
        (where,) = xp.nonzero(flat)
        found = arrays.to_numpy(xp.take(flat, where))
    _check(found, flat.shape[0], name, sparse)
    return where, found.astype(np.float64)


def _check(found: np.ndarray[Any, Any], size: int, name: str, sparse: bool) -> None:
    """Check that the non-zero values of a map can be counts of fixations."""
    if found.size == 0:
        raise ValueError(f"{name} has no fixation: nothing to score against")
    wrong = (
        f"{name} must be counts of fixations a pixel (whole numbers, zero nearly everywhere); "
        "a density belongs to cc, sim, kl or emd, and points go through metrics.fixation_map"
    )
    if found.dtype.kind == "f":
        if not np.isfinite(found).all():
            bad = int((~np.isfinite(found)).sum())
            raise ValueError(f"{name} has {bad} NaN or infinite value(s); {wrong}")
        broken = found[found != np.floor(found)]
        if broken.size:
            raise ValueError(f"{name} has fractional values such as {broken[0]:g}; {wrong}")
    if found.dtype.kind != "b" and found.min() < 0:
        raise ValueError(f"{name} has negative values such as {found.min():g}; {wrong}")
    if not sparse:
        return
    if 2 * found.size > size:
        raise ValueError(f"{name} is non-zero at {found.size} of {size} pixels; {wrong}")
    if found.dtype.kind != "b" and found.max() > LEVELS and np.unique(found).size > LEVELS:
        raise ValueError(f"{name} has {np.unique(found).size} different values; {wrong}")
