"""Exact optimal transport between the cells of a grid, from coarse to fine.

The plan of a coarse grid is refined, level by level, to a plan of the next: at once feasible, and
nearly optimal. On each level the network simplex pivots among a short list of arcs; all others are
priced, and the worst of each node go on the list. What pricing finds also bounds the distance to
the optimum, so that an early stop is certified. No matrix of costs is ever made.

`metrics._levels`, `metrics._simplex` and `metrics._pricing` hold the compiled loops, with their
sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ._levels import pyramid, refine
from ._pricing import survey
from ._simplex import improve

#: Masses are counted in this many parts of what is to be moved.
PARTS = 2.0**60
#: Less than this in all cannot be counted in `PARTS`; and what may be missing on one side, as a
#: share of what is moved, before the whole is taken for rounding.
TINY, ROUNDING = 1e-280, 0.1
#: Pricing treats together the cells under one cell so many levels up.
BLOCK_LEVELS = 2
#: The first level to be solved has no more arcs than this.
FIRST = 1000
#: Arcs to pivot among, per node, before the least useful are forgotten.
ARCS = 40


def transport(difference: NDArray[np.float64], tolerance: float = 0.0) -> tuple[float, float]:
    """Least cost of moving the positive part of a map onto the negative part.

    Args:
        difference: (h, w), summing to zero but for rounding.
        tolerance: stop once the cost is certified to lie within this share of the optimum.

    Returns:
        The cost (mass times distance in cells) and a lower bound of the least cost; the two are
        equal, but for rounding, without tolerance.
    """
    moved = float(np.maximum(difference, 0.0).sum())
    missing = abs(float(difference.sum()))
    # Where rounding is a good part of what is moved, all of it is rounding: the maps are equal.
    if moved <= TINY or missing > ROUNDING * moved:
        return 0.0, 0.0
    whole = np.rint(difference * (PARTS / moved)).astype(np.int64)
    whole.flat[np.argmax(np.abs(whole))] -= whole.sum()
    if not whole.any():
        return 0.0, 0.0
    cost, gap = _solve(np.maximum(whole, 0), np.maximum(-whole, 0), tolerance)
    return cost * (moved / PARTS), max(cost - gap, 0.0) * (moved / PARTS)


@dataclass(frozen=True)
class _Pyramid:
    """The cells that hold mass, on all levels (see `metrics._levels.pyramid`)."""

    offsets: list[int]
    cells: NDArray[np.float64]
    held: NDArray[np.int64]
    first: NDArray[np.int64]

    def level(self, k: int) -> slice:
        return slice(self.offsets[k], self.offsets[k + 1])

    def count(self, k: int) -> int:
        return self.offsets[k + 1] - self.offsets[k]

    def descendants(self, high: int, low: int) -> NDArray[np.int64]:
        """(count(high) + 1,) where the cells of a level begin that lie under those of a higher."""
        starts = np.arange(self.count(high) + 1)
        for level in range(high, low, -1):
            children = np.append(self.first[self.level(level)], self.count(level - 1))
            starts = children[starts]
        return starts


def _pyramid(mass: NDArray[np.int64]) -> _Pyramid:
    bits = (max(mass.shape) - 1).bit_length()
    count = int(np.count_nonzero(mass))
    room = sum(min(count, 4 ** (bits - level)) for level in range(bits + 1))
    offsets = np.zeros(bits + 2, np.int64)
    cells, held = np.empty((room, 6)), np.empty(room, np.int64)
    first = np.zeros(room, np.int64)
    pyramid(mass, offsets, cells, held, first)
    return _Pyramid(offsets.tolist(), cells, held, first)


@dataclass
class _Plan:
    """A plan on one level, as a tree (see `metrics._simplex`)."""

    sources: int
    tree: NDArray[np.int32]
    flow: NDArray[np.int64]


@dataclass
class _Arcs:
    """The arcs to pivot among: the first ``count`` of each column."""

    tails: NDArray[np.int32]
    heads: NDArray[np.int32]
    costs: NDArray[np.float64]
    count: int


def _solve(
    supply: NDArray[np.int64], demand: NDArray[np.int64], tolerance: float
) -> tuple[float, float]:
    """The cost of a plan, and by how much it exceeds the optimum at most."""
    a, b = _pyramid(supply), _pyramid(demand)
    top = len(a.offsets) - 2
    # At the top are one source, one sink and the root.
    tree = np.array([[2, 1, 2, 2, 1], [0, 2, 0, 1, 1], [-1, 0, 1, 3, 1]], np.int32)
    plan = _Plan(1, tree, np.array([0, supply.sum(), 0]))
    above = top
    found = 0.0, 0.0
    begin = next(k for k in range(top + 1) if a.count(k) * b.count(k) <= FIRST)
    for k in range(begin, -1, -1):
        cells = np.concatenate([a.cells[a.level(k)], b.cells[b.level(k)]])
        mass = np.concatenate([a.held[a.level(k)], b.held[b.level(k)]])
        children = np.append(a.descendants(above, k)[:-1], b.descendants(above, k) + a.count(k))
        plan, arcs = _refined(plan, children, cells, mass, a.count(k))
        high = min(k + BLOCK_LEVELS, top)
        starts = np.append(a.descendants(high, k)[:-1], b.descendants(high, k) + a.count(k))
        boxes = np.concatenate([a.cells[a.level(high)], b.cells[b.level(high)]])
        blocks = starts, boxes, a.count(high)
        found = _optimise(plan, arcs, cells, mass, blocks, tolerance if k == 0 else 0.0)
        above = k
    return found


def _refined(
    coarse: _Plan,
    children: NDArray[np.int64],
    cells: NDArray[np.float64],
    mass: NDArray[np.int64],
    sources: int,
) -> tuple[_Plan, _Arcs]:
    """The plan of the next finer level, and its first list of arcs."""
    n = len(mass)
    room = ARCS * n + FIRST
    tails, heads, costs = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room)
    tree, flow = np.empty((n + 1, 5), np.int32), np.empty(n + 1, np.int64)
    count = refine(
        coarse.tree, coarse.flow, coarse.sources, children, mass, sources, tree, flow, tails, heads
    )
    steps = cells[tails[:count], :2] - cells[heads[:count], :2]
    costs[:count] = np.sqrt((steps * steps).sum(axis=1))
    return _Plan(sources, tree, flow), _Arcs(tails, heads, costs, count)


def _optimise(
    plan: _Plan,
    arcs: _Arcs,
    cells: NDArray[np.float64],
    mass: NDArray[np.int64],
    blocks: tuple[NDArray[np.int64], NDArray[np.float64], int],
    tolerance: float,
) -> tuple[float, float]:
    """Pivot until the plan is within the tolerance; its cost, and the most it is above the optimum.

    ``blocks`` are the last arguments but the list of `metrics._pricing.survey`.
    """
    n = len(mass)
    price, result = np.empty(n + 1), np.zeros(2)
    tails, heads, costs = arcs.tails, arcs.heads, arcs.costs
    tree = plan.sources, plan.tree, plan.flow, price
    limit = max(n // 4, 64)  # then price afresh: prices from a short list are soon extreme
    while True:
        arcs.count = survey(cells, mass, *tree, *blocks, tails, heads, costs, arcs.count, result)
        cost, gap = result.tolist()
        if gap <= 0.0 or gap <= tolerance * cost:
            return cost, gap
        if not improve(tails, heads, costs, arcs.count, limit, *tree):
            return cost, gap
        if arcs.count + n > len(tails):
            arcs.count = _forget(tails, heads, costs, arcs.count, price)


def _forget(
    tails: NDArray[np.int32],
    heads: NDArray[np.int32],
    costs: NDArray[np.float64],
    count: int,
    price: NDArray[np.float64],
) -> int:
    """Take the less useful half of the arcs off the list."""
    reduced = costs[:count] + price[tails[:count]] - price[heads[:count]]
    kept = np.flatnonzero(reduced < np.median(reduced))
    for column in (tails, heads, costs):
        column[: len(kept)] = column[kept]
    return len(kept)
