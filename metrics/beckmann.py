"""The earth mover's distance as a minimal flux: batched, differentiable, on any device.

Beckmann's form of the problem (1952) asks for the field of arrows m of least total length whose
divergence is the difference of the two maps. It is solved here by Douglas-Rachford splitting:
shrink the arrows, project them on the fields of the wanted divergence with a Poisson equation, and
repeat (the G-prox method of Jacobs, Leger, Li & Osher 2019 in other words). The Poisson equation is
diagonal in the cosine basis.

It is a training loss, not a score: arrows on the edges of a grid are not straight lines between
cells. The value of two smooth maps is within 0.6% of the exact one, of noise up to 5% too small, of
single cells up to 6% too large (docs/conventions.md; `benchmarks/beckmann.py`). For scores take the
exact method.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays as arrays
from ._types import Array


def beckmann(difference: Array, iterations: int = 50) -> tuple[Array, Array]:
    """Least flux whose divergence is a difference of maps, in mass times cells.

    Parameters
    ----------
    difference : (..., h, w) array
        Each map summing to zero but for rounding; NumPy or torch.
    iterations : int
        Of the splitting.

    Returns
    -------
    (...) array
        The length of the flux; its gradient with respect to the difference is the potential.
    (..., h, w) array
        The potential, nowhere steeper than 1 but for what the iterations left.
    """
    xp = arrays.namespace(difference)
    f = arrays.detach(difference)
    f = f - xp.mean(f, axis=(-2, -1), keepdims=True)
    poisson = _Poisson(xp, f)
    x, y = poisson.project(xp.zeros_like(f), xp.zeros_like(f), f)
    step = xp.mean(_length(xp, x, y), axis=(-2, -1), keepdims=True)
    step = xp.where(step > 0, step, 1.0)
    for _ in range(iterations):
        short_x, short_y = _shrink(xp, x, y, step)
        flux_x, flux_y = poisson.project(2 * short_x - x, 2 * short_y - y, f)
        x = x + flux_x - short_x
        y = y + flux_y - short_y
    short_x, short_y = _shrink(xp, x, y, step)
    flux = poisson.project(short_x, short_y, f)
    value = xp.sum(_length(xp, *flux), axis=(-2, -1))
    potential = poisson.potential((x - short_x) / step, (y - short_y) / step)
    if arrays.needs_gradient(difference):
        # the value does not change, the gradient becomes the potential (envelope theorem)
        value = value + xp.sum(potential * (difference - arrays.detach(difference)), axis=(-2, -1))
    return value, potential


def certified(difference: Array, potential: Array) -> Array:
    """A lower bound of the earth mover's distance from any potential.

    The potential is made one that changes nowhere by more than the distance: each cell takes the
    least of the potential elsewhere plus the distance from there. This looks at all pairs of cells,
    a row of them at a time.

    Parameters
    ----------
    difference, potential : (..., h, w) array

    Returns
    -------
    (...) array
        The bound, in mass times cells.
    """
    xp = arrays.namespace(difference)
    f, potential = arrays.detach(difference), arrays.detach(potential)
    height, width = f.shape[-2:]
    like = {"dtype": f.dtype, "device": arrays.device(f)}
    rows = xp.arange(height, **like)[:, None, None]
    columns = xp.arange(width, **like)
    across = (columns[:, None] - columns[None, :]) ** 2
    lowered = xp.asarray(potential, copy=True)
    for row in range(height):
        distance = xp.sqrt((rows - row) ** 2 + across)
        for index in np.ndindex(f.shape[:-2]):
            reached = xp.min(distance + potential[index][row], axis=-1)
            lowered[index] = xp.minimum(lowered[index], reached)
    bound = xp.sum(lowered * f, axis=(-2, -1))
    return xp.maximum(bound, xp.zeros_like(bound))


class _Poisson:
    """Divergence of arrows on the edges between cells, none across the border, and its inverse.

    x holds the arrows to the right neighbour, y those to the neighbour below; the last column of x
    and the last row of y are zero.
    """

    def __init__(self, xp: Any, like: Array) -> None:
        self.xp = xp
        height, width = like.shape[-2:]
        self.like = like
        self.rows = self._same(_cosines(height))
        self.columns = self._same(_cosines(width))
        eigenvalues = _eigenvalues(height)[:, None] + _eigenvalues(width)[None, :]
        eigenvalues[0, 0] = np.inf  # the constant, which the divergence does not see
        self.inverse = self._same(1.0 / eigenvalues)

    def _same(self, array: NDArray[np.float64]) -> Array:
        if self.xp is np:
            return array
        return arrays.beside(self.like, array, self.like.dtype)

    def divergence(self, x: Array, y: Array) -> Array:
        """What leaves each cell, less what comes in."""
        xp = self.xp
        from_left = xp.concat([xp.zeros_like(x[..., :, :1]), x[..., :, :-1]], axis=-1)
        from_above = xp.concat([xp.zeros_like(y[..., :1, :]), y[..., :-1, :]], axis=-2)
        return x - from_left + y - from_above

    def gradient(self, potential: Array) -> tuple[Array, Array]:
        """Slope of a potential along the edges, downwards positive: minus the adjoint."""
        xp = self.xp
        x = potential[..., :, :-1] - potential[..., :, 1:]
        y = potential[..., :-1, :] - potential[..., 1:, :]
        return (
            xp.concat([x, xp.zeros_like(potential[..., :, :1])], axis=-1),
            xp.concat([y, xp.zeros_like(potential[..., :1, :])], axis=-2),
        )

    def solve(self, f: Array) -> Array:
        """The potential whose slope has the divergence f."""
        spectrum = self.rows @ f @ self.columns.T
        return self.rows.T @ (spectrum * self.inverse) @ self.columns

    def project(self, x: Array, y: Array, f: Array) -> tuple[Array, Array]:
        """The nearest arrows of divergence f."""
        dx, dy = self.gradient(self.solve(f - self.divergence(x, y)))
        return x + dx, y + dy

    def potential(self, x: Array, y: Array) -> Array:
        """The potential whose slope is nearest to arrows."""
        return self.solve(self.divergence(x, y))


@lru_cache(maxsize=32)
def _cosines(size: int) -> NDArray[np.float64]:
    """(size, size) the orthonormal cosine basis, one vector a row (DCT-II)."""
    k, i = np.mgrid[:size, :size]
    basis = np.cos(np.pi * k * (i + 0.5) / size) * np.sqrt(2.0 / size)
    basis[0] /= np.sqrt(2.0)
    basis.flags.writeable = False
    return np.asarray(basis)


def _eigenvalues(size: int) -> NDArray[np.float64]:
    return np.asarray(2.0 - 2.0 * np.cos(np.pi * np.arange(size) / size))


def _length(xp: Any, x: Array, y: Array) -> Array:
    return xp.sqrt(x * x + y * y)


def _shrink(xp: Any, x: Array, y: Array, step: Array) -> tuple[Array, Array]:
    """Arrows shorter by a step, or gone."""
    length = _length(xp, x, y)
    factor = xp.where(length > step, 1.0 - step / xp.where(length > step, length, 1.0), 0.0)
    return x * factor, y * factor
