"""Markov chains on a lattice of map cells: the activation and the normalisation of GBVS.

Activation (Harel, Koch & Perona 2006, section 3.1): the chain moves from cell j to cell i with a
probability proportional to W_ij = exp(-d_ij^2 / 2 s^2) |a_i - a_j|. W is symmetric, so the chain is
reversible and its equilibrium has a closed form: pi_i is proportional to sum_j W_ij.
Normalisation (section 3.2): W_ij = exp(-d_ij^2 / 2 s^2) a_i. The equilibrium, proportional to
a_i sum_j exp(-d_ij^2 / 2 s^2) a_j, has a closed form too.

`solver="power"` iterates, and stops, as the original program does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.vision.arrays import Maps
from emomap.vision.filters import rescale
from emomap.vision.jit import jit
from emomap.vision.pyramid import halve

#: A chain that has not settled by then never will: the tolerance is below the rounding error.
_MOST_ITERATIONS = 100_000


class Equilibria(NamedTuple):
    """Equilibrium distributions (n, h, w), each of sum 1, and the number of iterations of each."""

    maps: Maps
    iterations: NDArray[np.int64]


def activate(maps: Maps, sigma: float, *, solver: str, tol: float) -> Equilibria:
    """Equilibria of the activation chains of (n, h, w) feature maps; ``sigma`` is in cells.

    A constant map has no chain; its result is the uniform distribution (0 iterations).
    """
    _, height, width = maps.shape
    kernel = _lattice_kernel(height, width, sigma)
    cells = np.ascontiguousarray(maps.transpose(1, 2, 0))
    strength = np.empty_like(cells)
    _total_difference(cells, kernel, strength)
    sums = np.ascontiguousarray(strength.transpose(2, 0, 1))
    if solver == "exact":
        return Equilibria(_distribution(sums), np.zeros(len(maps), np.int64))

    def step(flow: Maps, which: NDArray[np.int64]) -> Maps:
        chosen = np.ascontiguousarray(cells[:, :, which])
        weights = np.ascontiguousarray(flow.transpose(1, 2, 0))
        out = np.empty_like(chosen)
        _weighted_difference(chosen, kernel, weights, out)
        return np.asarray(out.transpose(2, 0, 1))

    return _power(sums, step, tol)


def activate_multilevel(
    maps: Maps, sigma: float, levels: tuple[int, ...], *, solver: str, tol: float
) -> Equilibria:
    """`activate` on one graph that joins the lattice and coarser lattices.

    Each coarser lattice is a level of a pyramid over the lattice. The mass of a coarse node is
    spread evenly over the fine cells that it stands for.
    """
    graph = _multilevel_graph(maps.shape[1:], levels, sigma)
    values = np.concatenate(
        [_node_values(maps, level).reshape(len(maps), -1) for level in (0, *levels)], axis=1
    )
    sums = np.stack([_dense_sums(graph.weights, row, np.ones_like(row)) for row in values])
    if solver == "exact":
        nodes, iterations = _distribution(sums[:, None]), np.zeros(len(maps), np.int64)
    else:

        def step(flow: Maps, which: NDArray[np.int64]) -> Maps:
            rows = [_dense_sums(graph.weights, values[k], flow[n, 0]) for n, k in enumerate(which)]
            return np.stack(rows)[:, None]

        nodes, iterations = _power(sums[:, None], step, tol)
    fine = (nodes[:, 0] @ graph.spread).reshape(maps.shape)
    return Equilibria(fine, iterations)


def normalize_by_graph(maps: Maps, sigma: float, *, solver: str, tol: float) -> Equilibria:
    """Equilibria of the normalisation chains of (n, h, w) activation maps, ``sigma`` in cells."""
    rows, columns = _gaussian(maps.shape[1], sigma), _gaussian(maps.shape[2], sigma)
    sums = rows @ maps @ columns
    if solver == "exact":
        return Equilibria(_distribution(maps * sums), np.zeros(len(maps), np.int64))

    def step(flow: Maps, which: NDArray[np.int64]) -> Maps:
        return np.asarray(maps[which] * (rows @ flow @ columns))

    return _power(sums, step, tol)


def _distribution(strengths: Maps) -> Maps:
    total = strengths.sum(axis=(1, 2), keepdims=True)
    uniform = 1.0 / (strengths.shape[1] * strengths.shape[2])
    shares = np.full_like(strengths, uniform)
    np.divide(strengths, total, out=shares, where=total > 0)
    return shares


def _power(sums: Maps, step: Callable[[Maps, NDArray[np.int64]], Maps], tol: float) -> Equilibria:
    """Iterate v <- W (v / column sums) from the uniform v until a step is no longer than ``tol``.

    Args:
        sums: (n, h, w) column sums of W.
        step: takes (m, h, w) vectors and the numbers of m chains; returns W times the vectors.
    """
    count, height, width = sums.shape
    state = np.full(sums.shape, 1.0 / (height * width))
    iterations = np.zeros(count, np.int64)
    active = np.flatnonzero(sums.sum(axis=(1, 2)) > 0)
    while len(active):
        if iterations[active[0]] >= _MOST_ITERATIONS:
            raise EmomapError(
                f"gbvs: the chain has not settled after {_MOST_ITERATIONS} iterations: tol={tol:g} "
                "is below the rounding error; use solver='exact'"
            )
        before = state[active]
        after = step(
            np.divide(before, sums[active], out=np.zeros_like(before), where=sums[active] > 0),
            active,
        )
        state[active] = after
        iterations[active] += 1
        moved = np.sqrt(((after - before) ** 2).sum(axis=(1, 2)))
        active = active[moved > tol]
    return Equilibria(_distribution(state), iterations)


@lru_cache(maxsize=32)
def _lattice_kernel(height: int, width: int, sigma: float) -> Maps:
    """exp(-d^2 / 2 s^2), (h, 2 w - 1): by rows apart, and by columns apart plus w - 1."""
    rows, columns = np.arange(height), np.arange(-width + 1, width)
    return np.asarray(np.exp(-(rows[:, None] ** 2 + columns**2) / (2 * sigma**2)))


@lru_cache(maxsize=32)
def _gaussian(length: int, sigma: float) -> Maps:
    cells = np.arange(length)
    return np.asarray(np.exp(-((cells[:, None] - cells) ** 2) / (2 * sigma**2)))


@jit
def _total_difference(cells: Any, kernel: Any, out: Any) -> None:
    """out_i = sum_j G_ij |a_i - a_j| for (h, w, n) maps; each pair is visited once."""
    height, width, _ = cells.shape
    out[:] = 0.0
    for yi in range(height):
        for yj in range(yi):
            _add_rows(cells, kernel[yi - yj], yi, yj, out)
        for xi in range(width):
            for xj in range(xi):
                _add_pair(cells, kernel[0, width - 1 + xj - xi], yi, xi, yi, xj, out)


@jit
def _add_rows(cells: Any, near: Any, yi: Any, yj: Any, out: Any) -> None:
    """Add the pairs of a cell of row ``yi`` and a cell of row ``yj``.

    Two cells of row ``yi`` are paired with each cell of row ``yj`` at once. Loading and storing
    take most of the time, and this saves a third of it.
    """
    _, width, count = cells.shape
    for xi in range(0, width - 1, 2):
        for xj in range(width):
            first, second = near[width - 1 + xj - xi], near[width - 2 + xj - xi]
            for n in range(count):
                other = cells[yj, xj, n]
                weight = first * abs(cells[yi, xi, n] - other)
                next_weight = second * abs(cells[yi, xi + 1, n] - other)
                out[yi, xi, n] += weight
                out[yi, xi + 1, n] += next_weight
                out[yj, xj, n] += weight + next_weight
    if width % 2:
        for xj in range(width):
            _add_pair(cells, near[xj], yi, width - 1, yj, xj, out)


@jit
def _add_pair(cells: Any, near: Any, yi: Any, xi: Any, yj: Any, xj: Any, out: Any) -> None:
    for n in range(cells.shape[2]):
        weight = near * abs(cells[yi, xi, n] - cells[yj, xj, n])
        out[yi, xi, n] += weight
        out[yj, xj, n] += weight


@jit
def _weighted_difference(cells: Any, kernel: Any, vector: Any, out: Any) -> None:
    """out_i = sum_j G_ij |a_i - a_j| v_j for (h, w, n) maps; each pair is visited once."""
    height, width, _ = cells.shape
    out[:] = 0.0
    for yi in range(height):
        for yj in range(yi + 1):
            for xi in range(width):
                stop = width if yj < yi else xi
                _add_weighted(cells, kernel[yi - yj], vector, yi, xi, yj, stop, out)


@jit
def _add_weighted(
    cells: Any, near: Any, vector: Any, yi: Any, xi: Any, yj: Any, stop: Any, out: Any
) -> None:
    """Add the pairs of the cell (yi, xi) and each of the first ``stop`` cells of row ``yj``."""
    _, width, count = cells.shape
    for xj in range(stop):
        kernel = near[width - 1 + xj - xi]
        for n in range(count):
            weight = kernel * abs(cells[yi, xi, n] - cells[yj, xj, n])
            out[yi, xi, n] += weight * vector[yj, xj, n]
            out[yj, xj, n] += weight * vector[yi, xi, n]


@jit
def _dense_sums(weights: Any, values: Any, vector: Any) -> Any:
    """out_i = sum_j G_ij |a_i - a_j| v_j for any graph of N nodes."""
    count = len(values)
    out = np.empty(count)
    for i in range(count):
        total = 0.0
        for j in range(count):
            total += weights[i, j] * abs(values[i] - values[j]) * vector[j]
        out[i] = total
    return out


class _Graph(NamedTuple):
    """Weights by distance between the nodes of all lattices (N, N); spread of mass (N, cells)."""

    weights: Maps
    spread: Maps


def _node_values(maps: Maps, level: int) -> Maps:
    """The maps on the lattice of one level, stretched to 0..1; 1e-12 everywhere for a zero map."""
    planes = maps
    if level:
        small = maps.astype(np.float32)
        for _ in range(level):
            small = halve(small)
        planes = small.astype(np.float64)
    planes = rescale(planes)
    empty = ~planes.any(axis=(1, 2), keepdims=True)
    return np.where(empty, 1e-12, planes)


@lru_cache(maxsize=8)
def _multilevel_graph(shape: tuple[int, int], levels: tuple[int, ...], sigma: float) -> _Graph:
    height, width = shape
    y, x = (axis.ravel().astype(np.float64) for axis in np.mgrid[:height, :width])
    fine = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    shapes = [_lattice_shape(shape, level) for level in (0, *levels)]
    members = [_membership(shape, other) for other in shapes]
    blocks = [[_distances(fine, a, b) for b in members] for a in members]
    for k, (rows, columns) in enumerate(shapes):
        y, x = (axis.ravel().astype(np.float64) for axis in np.mgrid[:rows, :columns])
        cells = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
        blocks[k][k] = cells * (height * width) / (rows * columns)
    squared = np.block(blocks)
    return _Graph(np.exp(-squared / (2 * sigma**2)), np.concatenate(members))


def _lattice_shape(shape: tuple[int, int], level: int) -> tuple[int, int]:
    small = np.zeros((1, *shape), np.float32)
    for _ in range(level):
        small = halve(small)
    return small.shape[1], small.shape[2]


def _membership(fine: tuple[int, int], coarse: tuple[int, int]) -> Maps:
    """(coarse cells, fine cells) weights of the fine cells that each coarse one stands for."""
    rows, columns = (_bins(n, m) for n, m in zip(fine, coarse, strict=True))
    member = (rows[:, None] * coarse[1] + columns).ravel()
    weights = np.zeros((coarse[0] * coarse[1], fine[0] * fine[1]))
    weights[member, np.arange(len(member))] = 1.0
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _bins(length: int, count: int) -> NDArray[np.int64]:
    """Cut ``length`` cells into ``count`` equal runs; the first and last share the remainder."""
    sizes = np.full(count, length // count)
    rest = length - count * (length // count)
    sizes[0] += rest // 2
    sizes[-1] += rest - rest // 2
    return np.repeat(np.arange(count), sizes)


def _distances(fine: Maps, a: Maps, b: Maps) -> Maps:
    """Mean squared distances between the fine cells of coarse cells a and b."""
    return np.asarray(a @ fine @ b.T)
