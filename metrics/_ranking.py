"""How many pixels lie at or above a value: all that an AUC needs to know of a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from metrics import _arrays as arrays
from metrics._arrays import Array

Vector = Any  # (n,) NumPy


@dataclass(frozen=True)
class Ranking:
    """One map as the AUCs see it. Values are min-max normalised, and vectors are the host's.

    Attributes:
        size: number of pixels P.
        constant: the map says nothing.
        ordered: (P,) all values, ascending, on the map's device.
        fixated, counts: (N,) the value at each fixated pixel, and the fixations there.
        others, other_counts: (M,) the same for the fixations of other images.
    """

    size: int
    constant: bool
    ordered: Array
    fixated: Vector
    counts: Vector
    others: Vector = field(default_factory=lambda: np.empty(0))
    other_counts: Vector = field(default_factory=lambda: np.empty(0))

    def at_least(self, thresholds: Vector) -> Vector:
        """Number of pixels >= each threshold."""
        return self.size - self._below(thresholds, "left")

    def above(self, thresholds: Vector) -> Vector:
        """Number of pixels > each threshold."""
        return self.size - self._below(thresholds, "right")

    def _below(self, thresholds: Vector, side: str) -> Vector:
        if not arrays.is_foreign(self.ordered):
            return np.searchsorted(self.ordered, thresholds, side=side)
        xp = arrays.namespace(self.ordered)
        queries = xp.asarray(
            thresholds, dtype=self.ordered.dtype, device=arrays.device(self.ordered)
        )
        return arrays.to_numpy(xp.searchsorted(self.ordered, queries, side=side))
