"""The values of a map, with the sums and normalised forms that metrics share.

On NumPy everything is summed block by block: a block stays in the cache, is brought to double
precision only while it is there, and no temporary is as large as the map.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._conventions import FLOOR
from ._lazy import lazy
from ._types import Array
from .compilation import available

#: Below this share of its magnitude, the span of a map is rounding and the map is constant.
ROUNDING = 64 * float(np.finfo(np.float64).eps)
#: Values in a block, so that a few blocks fit the second cache.
BLOCK = 16384
#: Values in a dot product: above 10,000 BLAS shares it out among threads, and the sum changes.
DOT = 8192
#: Where a difference of sums would lose more than three digits, it is summed again from the start.
CANCELLED = 1e-3
#: From so many values on, compiled sums are worth the second that loading the compiler takes.
LARGE = 1 << 16
#: Types of values that compiled sums take as they are.
COMPILED = frozenset(np.dtype(name).str for name in ("u1", "f4", "f8"))


class Field:
    """A map, or a batch of maps, reduced along the last axis (kept, but for a NumPy map).

    Args:
        xp: the array namespace.
        values: (n,) of any real type on NumPy, (..., n) floating elsewhere.
        weights: (n,) how many pixels each value stands for, or None for one each.
        clipped: negative values of the map were set to zero.
        scale: what the values of the map were multiplied by.
        levels: the same map of bytes counted by value, whose sums take no time.
    """

    def __init__(
        self,
        xp: Any,
        values: Array,
        weights: Array | None = None,
        *,
        clipped: bool = False,
        scale: Array = 1.0,
        levels: Field | None = None,
    ) -> None:
        self.xp = xp
        self.values = values
        self.weights = weights
        self.clipped = clipped
        self.scale = scale
        self.levels = levels
        self.floor = FLOOR * scale
        #: Whether the map varies so little around its mean that the mean alone has too few digits.
        self.shifted = xp is not np
        self.size: int = values.shape[-1] if weights is None else int(weights.sum())

    @lazy
    def total(self) -> Array:
        if self.levels:
            return self.levels.total
        if self._large:
            return self._powers[0]
        if self.xp is np and self.weights is None:
            with np.errstate(over="ignore"):  # `Scene` scales the map then
                return float(np.add.reduce(self.values, dtype=np.float64))
        return add(lambda v: v, self)

    @property
    def _large(self) -> bool:
        """Whether compiled code sums this: a large NumPy map of floats."""
        if self.xp is not np or self.weights is not None or self.values.size < LARGE:
            return False
        known = self.values.dtype.kind == "f" and self.values.dtype.str in COMPILED
        return known and available()

    @lazy
    def _powers(self) -> tuple[float, float]:
        """The sum of a large map, and that of its squares."""
        from ._sums import powers

        total, squares = powers(self.values)
        return float(total), float(squares)

    @lazy
    def mean(self) -> Array:
        return self.total / self.size

    @lazy
    def _centre(self) -> tuple[Array, Array]:
        """The mean in two parts, the lowest value and what is left."""
        low = arrays.detach(self.low)
        return low, add(lambda v: v - low, self) / self.size

    def deviations(self, values: Array) -> Array:
        """Values of this map less its mean; ask for `squares` first."""
        if not self.shifted:
            return values - self.mean
        near, rest = self._centre
        return (values - near) - rest

    @lazy
    def low(self) -> Array:
        if self.levels:
            return self.levels.low
        if self.xp is np:
            return float(self.values.min())
        low = self.xp.min(arrays.detach(self.values), axis=-1, keepdims=True)
        return self._following(low, alone=True)

    @lazy
    def high(self) -> Array:
        if self.levels:
            return self.levels.high
        if self.xp is np:
            return float(self.values.max())
        high = self.xp.max(arrays.detach(self.values), axis=-1, keepdims=True)
        return self._following(high, alone=False)

    def _following(self, extreme: Array, alone: bool) -> Array:
        """An extreme of a tensor, whose gradient is what happens when a value rises.

        A highest value takes the maximum along, among equals too. A lowest one takes the minimum
        along only where it is alone.
        """
        if not arrays.needs_gradient(self.values):
            return extreme
        xp, fixed = self.xp, arrays.detach(self.values)
        moves = self._alone(fixed, extreme) if alone else fixed == extreme
        moved = xp.where(moves, self.values - fixed, xp.zeros_like(fixed))
        return extreme + xp.sum(moved, axis=-1, keepdims=True)

    def _alone(self, values: Array, extreme: Array) -> Array:
        """Where the only value of a tensor lies that equals an extreme."""
        xp, extreme = self.xp, arrays.detach(extreme)
        equals = arrays.float64(xp, arrays.detach(self.values) == extreme)
        return (values == extreme) & (xp.sum(equals, axis=-1, keepdims=True) == 1)

    @lazy
    def constant(self) -> Array:
        """True where the map says nothing: its span is zero, or rounding."""
        if self.xp is np:
            magnitude = max(-self.low, self.high)
        else:
            magnitude = self.xp.where(-self.low > self.high, -self.low, self.high)
        return (self.high - self.low) <= ROUNDING * magnitude

    @lazy
    def squares(self) -> Array:
        """Sum of the squared deviations from the mean; 1 for a constant map."""
        if self.levels:
            return self.levels.squares
        if self.xp is np:
            raw = self._raw_squares()
            squares = raw - self.total * self.mean
            if squares > CANCELLED * raw:
                self.constant = False
                return squares
            self.shifted = True

        def twice(v: Array) -> tuple[Array, Array]:
            away = self.deviations(v)
            return away, away

        squares = inner(twice, self)
        return self._safe(squares, self.constant)

    def _raw_squares(self) -> float:
        if self._large:
            return self._powers[1]
        if self.weights is None and self.values.dtype == np.float64:
            return _dot(self.values, self.values)
        return float(inner(lambda v: (v, v), self))

    def own(self, values: Array) -> Array:
        """Values of the map as given, as they are here."""
        return arrays.clipped(self.xp, values) if self.clipped else values

    def unit(self, values: Array) -> Array:
        """Values of this map brought to [0, 1] by its extremes; 0 for a constant map."""
        if self.xp is np:
            if self.constant:
                return np.zeros_like(values)
            raised = values - self.low
            raised /= self.span
            return raised
        units = (values - self.low) / self.span
        if arrays.needs_gradient(self.values):  # the lowest stays 0 when it moves
            units = self.xp.where(self._alone(values, self.low), 0.0, units)
        return self.xp.where(self.constant, 0.0, units)

    def shares(self, values: Array) -> Array:
        """Values of this map divided by its sum; uniform where that is zero."""
        empty = self.total == 0
        return self._uniform_where(empty, values * (1.0 / self._safe(self.total, empty)))

    def spanned_shares(self, values: Array) -> Array:
        """Min-max first, then divided by the sum; uniform for a constant map."""
        raised = values - self.low
        if self.xp is np:
            raised *= self.spanned_factor
        else:
            raised = raised * self.spanned_factor
            if arrays.needs_gradient(self.values):
                raised = self.xp.where(self._alone(values, self.low), 0.0, raised)
        return self._uniform_where(self.constant, raised)

    def floored_shares(self, values: Array) -> Array:
        """A tiny constant added first, so that the logarithm exists everywhere."""
        return (values + self.floor) / self.floored_total

    def frozen(self) -> Field:
        """The same, with all that is reduced from the map held fixed where gradients are taken."""
        found = Field(self.xp, self.values, clipped=self.clipped, scale=self.scale)
        for name in ("total", "low", "high", "constant", "span", "spanned_factor"):
            setattr(found, name, arrays.detach(getattr(self, name)))
        return found

    @lazy
    def span(self) -> Array:
        return self._safe(self.high - self.low, self.constant)

    @property
    def factor(self) -> Array:
        """What `shares` multiplies by; the sum of the map is not zero."""
        return 1.0 / self.total

    @lazy
    def spanned_factor(self) -> Array:
        rest = None
        if self.xp is np:
            rest = self.total - self.size * self.low
            if not rest > CANCELLED * abs(self.total):
                rest = None
        if rest is None:
            rest = add(lambda v: v - self.low, self)
        return 1.0 / self._safe(rest, self.constant)

    @lazy
    def floored_total(self) -> Array:
        return self.total + self.size * self.floor

    def _uniform_where(self, empty: Array, shares: Array) -> Array:
        if self.xp is np:
            return np.full_like(shares, 1.0 / self.size) if empty else shares
        return self.xp.where(empty, 1.0 / self.size, shares)

    def _safe(self, divisor: Array, wrong: Array) -> Array:
        """The divisor, with 1 where it means nothing, so that no NaN reaches a gradient."""
        return arrays.where(self.xp, wrong, 1.0, divisor)


def add(function: Callable[..., Array], *fields: Field) -> Array:
    """Sum over the pixels of a function of the values of aligned fields."""
    xp, weights = fields[0].xp, fields[0].weights
    if xp is not np:
        return xp.sum(function(*(field.values for field in fields)), axis=-1, keepdims=True)
    if weights is None:
        return float(sum(np.add.reduce(function(*block)) for block in blocks(BLOCK, *fields)))
    weighted = blocks(BLOCK, *fields, Field(np, weights))
    return float(sum(_dot(function(*block), counts) for *block, counts in weighted))


def kinked(
    rising: Callable[[Array, Array], Array],
    falling: Callable[[Array, Array], Array],
    normalised: Callable[[Field, Array], Array],
    p: Field,
    d: Field,
    itself: Callable[[Field, Array], Array] | None = None,
) -> Array:
    """Sum over the pixels of a function of two normalised maps with a kink where they are equal.

    The gradient of a kink depends on the direction. A value that rises raises its own pixel; by way
    of the sum and the extremes of the map it lowers all others. The sum here has the gradient of
    both, which is the one-sided difference. Without gradient it is ``add`` of ``rising``.

    Args:
        rising, falling: the function, with its gradient for a rise and a fall of the first map at
            equality.
        normalised: the values of a field in the form that is compared.
        itself: what the gradient of an equal pixel lacks because it also lowers itself, given the
            normalised values.
    """
    xp = p.xp

    def plain(a: Array, b: Array) -> Array:
        return rising(normalised(p, a), normalised(d, b))

    if xp is np or not arrays.needs_gradient(p.values):
        return add(plain, p, d)
    own, truth = normalised(p.frozen(), p.values), normalised(d, d.values)
    others = normalised(p, p.values) - own + arrays.detach(own)
    moved = falling(others, truth)
    terms = rising(own, truth) + moved - arrays.detach(moved)
    if itself:
        fixed = arrays.detach(own)
        lacking = xp.where(fixed == truth, itself(p.frozen(), fixed), xp.zeros_like(fixed))
        terms = terms + lacking * (p.values - arrays.detach(p.values))
    return xp.sum(terms, axis=-1, keepdims=True)


def inner(function: Callable[..., tuple[Array, Array]], *fields: Field) -> Array:
    """Sum over the pixels of the product of the two arrays that the function returns."""
    if fields[0].xp is np and fields[0].weights is None:
        return float(sum(_dot(*function(*block)) for block in blocks(BLOCK, *fields)))

    def product(*values: Array) -> Array:
        first, second = function(*values)
        return first * second

    return add(product, *fields)


def by_pixel(*fields: Field, numbers: bool = False) -> bool:
    """Whether `metrics._sums` takes aligned fields: one value a pixel, of some types.

    Args:
        numbers: take small fields without bytes, too. A sum that NumPy does well is left to it
            there, so that nobody waits for a compiler.
    """
    small = fields[0].size < LARGE and not any(field.levels for field in fields)
    if small and not numbers:
        return False
    return all(
        field.xp is np and field.weights is None and field.values.dtype.str in COMPILED
        for field in fields
    )


def _dot(first: Array, second: Array) -> float:
    cuts = range(0, first.size, DOT)
    return float(sum([np.dot(first[cut : cut + DOT], second[cut : cut + DOT]) for cut in cuts]))


def blocks(length: int, *fields: Field) -> Iterator[list[Array]]:
    """Aligned pieces of NumPy fields, in double precision."""
    for start in range(0, fields[0].values.shape[-1], length):
        pieces = [field.values[start : start + length] for field in fields]
        yield [p if p.dtype == np.float64 else p.astype(np.float64) for p in pieces]
