"""The values of a map, with the sums and normalised forms that metrics share."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from metrics._arrays import Array

#: Below this share of its magnitude, the span of a map is rounding and the map is constant.
ROUNDING = 64 * float(np.finfo(np.float64).eps)
#: What the Tuebingen benchmark adds to a map so that its logarithm exists.
FLOOR = 1e-20


class Field:
    """A map, or a batch of maps, with everything reduced along the last axis and that axis kept.

    Args:
        xp: the array namespace.
        values: (..., n) double precision.
        weights: (n,) how many pixels each value stands for, or None for one each.
    """

    def __init__(self, xp: Any, values: Array, weights: Array | None = None) -> None:
        self.xp = xp
        self.values = values
        self.weights = weights
        self.size: int = values.shape[-1] if weights is None else int(weights.sum())

    def sum(self, array: Array) -> Array:
        """Sum over the pixels."""
        if self.weights is not None:
            array = array * self.weights
        return self.xp.sum(array, axis=-1, keepdims=True)

    @cached_property
    def total(self) -> Array:
        return self.sum(self.values)

    @cached_property
    def low(self) -> Array:
        return self.xp.min(self.values, axis=-1, keepdims=True)

    @cached_property
    def high(self) -> Array:
        return self.xp.max(self.values, axis=-1, keepdims=True)

    @cached_property
    def constant(self) -> Array:
        """True where the map says nothing: its span is zero, or rounding."""
        xp = self.xp
        magnitude = xp.where(-self.low > self.high, -self.low, self.high)
        return (self.high - self.low) <= ROUNDING * magnitude

    @cached_property
    def centred(self) -> Array:
        """The values less their mean; 0 for a constant map."""
        xp = self.xp
        return xp.where(self.constant, 0.0, self.values - self.total / self.size)

    @cached_property
    def squares(self) -> Array:
        """Sum of the squared deviations from the mean; 1 for a constant map."""
        return self._safe(self.sum(self.centred * self.centred), self.constant)

    @cached_property
    def unit(self) -> Array:
        """The values brought to [0, 1]; 0 for a constant map."""
        xp = self.xp
        unit = (self.values - self.low) / self._safe(self.high - self.low, self.constant)
        return xp.where(self.constant, 0.0, unit)

    @cached_property
    def shares(self) -> Array:
        """The values divided by their sum; uniform where that is zero."""
        return self._shares(self.values, self.total, self.total == 0)

    @cached_property
    def spanned_shares(self) -> Array:
        """Min-max first, then divided by the sum; uniform for a constant map."""
        return self._shares(self.unit, self.sum(self.unit), self.constant)

    @cached_property
    def floored_shares(self) -> Array:
        """A tiny constant added first, so that the logarithm exists everywhere."""
        raised = self.values + FLOOR
        return raised / self.sum(raised)

    def _shares(self, values: Array, total: Array, empty: Array) -> Array:
        return self.xp.where(empty, 1.0 / self.size, values / self._safe(total, empty))

    def _safe(self, divisor: Array, wrong: Array) -> Array:
        """The divisor, with 1 where it means nothing, so that no NaN reaches a gradient."""
        return self.xp.where(wrong, 1.0, divisor)
