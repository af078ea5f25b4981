"""How many pixels lie at or above a value: all that an AUC needs to know of a map."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._field import COMPILED, Field, blocks
from ._types import Array, Vector

#: The thresholds 0:0.1:1 of AUC-Borji and shuffled AUC as Octave computes them, and NumPy too.
STEPS = np.arange(11) * 0.1
#: The same by program. MATLAB counts from both ends, so that .6 and .7 are a bit smaller.
THRESHOLDS = {
    "octave": STEPS,
    "matlab": np.concatenate([STEPS[:6], 1.0 - STEPS[4::-1]]),
}
_EITHER = np.unique(np.concatenate([*THRESHOLDS.values()]))
#: Values that are brought to double precision at a time.
COUNTED = 65536


@dataclass(frozen=True)
class Ranking:
    """One map as the AUCs see it. Values are min-max normalised, and vectors are the host's.

    Attributes:
        size: number of pixels P.
        constant: the map says nothing.
        source: what counts the pixels.
        fixated, counts, once: (N,) the value at each fixated pixel, the fixations there, and what
            it counts where multiplicity does not (1, or its weight).
        others, other_counts, other_once: (M,) the same for the fixations of other images.
    """

    size: int
    constant: bool
    source: Source
    fixated: Vector
    counts: Vector
    once: Vector
    others: Vector = field(default_factory=lambda: np.empty(0))
    other_counts: Vector = field(default_factory=lambda: np.empty(0))
    other_once: Vector = field(default_factory=lambda: np.empty(0))

    @cached_property
    def weighted(self) -> bool:
        """Whether fixated pixels that count once count differently."""
        return bool((self.once != self.once[0]).any())

    def at_least(self, thresholds: Vector) -> Vector:
        """Number of pixels >= each threshold, which is a fixated value or one of `THRESHOLDS`."""
        places, at_least, _ = self._counted
        return at_least[np.searchsorted(places, thresholds)]

    def above(self, thresholds: Vector) -> Vector:
        """Number of pixels > each threshold, which is a fixated value or one of `THRESHOLDS`."""
        places, at_least, equal = self._counted
        found = np.searchsorted(places, thresholds)
        return at_least[found] - equal[found]

    @cached_property
    def _counted(self) -> tuple[Vector, Vector, Vector]:
        thresholds = np.sort(np.concatenate([_EITHER, self.fixated]))
        new = np.empty(thresholds.size, bool)
        new[0] = True
        np.greater(thresholds[1:], thresholds[:-1], out=new[1:])
        thresholds = thresholds[new]
        at_least, equal = self.source.count(thresholds)
        return thresholds, at_least, equal


class Source:
    """A map that can be counted."""

    def count(self, thresholds: Vector) -> tuple[Vector, Vector]:
        """Pixels >= each threshold, and pixels equal to it.

        Args:
            thresholds: ascending, without repetition, within [0, 1].
        """
        raise NotImplementedError


class Dense(Source):
    """A NumPy map with a value for each pixel."""

    def __init__(self, found: Field) -> None:
        self.field = found

    def count(self, thresholds: Vector) -> tuple[Vector, Vector]:
        from ._compiled import count_reached

        reached = np.zeros(thresholds.size + 1, np.int64)
        equal = np.zeros(thresholds.size, np.int64)
        low, span = self.field.low, self.field.high - self.field.low
        if self.field.values.dtype.str in COMPILED:
            count_reached(self.field.values, low, span, thresholds, reached, equal)
        else:
            for (values,) in blocks(COUNTED, self.field):
                count_reached(values, low, span, thresholds, reached, equal)
        return self.field.size - np.cumsum(reached)[:-1], equal


class Levels(Source):
    """A NumPy map of few values, ascending, each with the number of its pixels."""

    def __init__(self, found: Field, weights: Vector) -> None:
        self.units = found.unit(found.values)
        self.below = np.concatenate([[0.0], np.cumsum(weights)])

    def count(self, thresholds: Vector) -> tuple[Vector, Vector]:
        left = self.below[np.searchsorted(self.units, thresholds, side="left")]
        right = self.below[np.searchsorted(self.units, thresholds, side="right")]
        return self.below[-1] - left, right - left


class Ordered(Source):
    """A sorted map on another device."""

    def __init__(self, xp: Any, units: Array) -> None:
        self.xp = xp
        self.units = units

    def count(self, thresholds: Vector) -> tuple[Vector, Vector]:
        xp, units = self.xp, self.units
        queries = arrays.beside(units, thresholds, units.dtype)
        left, right = (
            arrays.to_numpy(xp.searchsorted(units, queries, side=side))
            for side in ("left", "right")
        )
        return units.shape[-1] - left, right - left
