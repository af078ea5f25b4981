"""Exact optimal transport between the cells of a grid, from coarse to fine.

The plan of a coarse grid is refined, level by level, to a plan of the next: at once feasible, and
nearly optimal. On each level the network simplex pivots among a short list of arcs; all others are
priced, and the worst of each node go on the list. What pricing finds also bounds the distance to
the optimum, so that an early stop is certified. No matrix of costs is ever made.

`metrics._simplex` holds the compiled loops, with their sources.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Masses are counted in this many parts of what is to be moved.
PARTS = 2.0**60
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
    if moved == 0.0:
        return 0.0, 0.0
    whole = np.rint(difference * (PARTS / moved)).astype(np.int64)
    whole.flat[np.argmax(np.abs(whole))] -= whole.sum()
    if not whole.any():
        return 0.0, 0.0
    cost, gap = _solve(np.maximum(whole, 0), np.maximum(-whole, 0), tolerance)
    return cost * (moved / PARTS), max(cost - gap, 0.0) * (moved / PARTS)


@dataclass(frozen=True)
class _Pyramid:
    """The cells that hold mass, on all levels (see `metrics._simplex.pyramid`)."""

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
    from metrics import _simplex

    bits = (max(mass.shape) - 1).bit_length()
    count = int(np.count_nonzero(mass))
    room = sum(min(count, 4 ** (bits - level)) for level in range(bits + 1))
    offsets = np.zeros(bits + 2, np.int64)
    cells, held = np.empty((room, 6)), np.empty(room, np.int64)
    first = np.zeros(room, np.int64)
    _simplex.pyramid(mass, offsets, cells, held, first)
    return _Pyramid(offsets.tolist(), cells, held, first)


def _solve(
    supply: NDArray[np.int64], demand: NDArray[np.int64], tolerance: float
) -> tuple[float, float]:
    """The cost of a plan, and by how much it exceeds the optimum at most."""
    from metrics import _simplex

    a, b = _pyramid(supply), _pyramid(demand)
    top = len(a.offsets) - 2
    # At the top are one source, one sink and the root.
    tree = np.array([[2, 1, 2, 2, 1], [0, 2, 0, 1, 1], [-1, 0, 1, 3, 1]], np.int32)
    flow = np.array([0, supply.sum(), 0])
    sources = 1
    result = np.zeros(2)
    above = top
    begin = next(k for k in range(top + 1) if a.count(k) * b.count(k) <= FIRST)
    for k in range(begin, -1, -1):
        above_tree, above_flow, above_sources = tree, flow, sources
        sources = a.count(k)
        cells = np.concatenate([a.cells[a.level(k)], b.cells[b.level(k)]])
        mass = np.concatenate([a.held[a.level(k)], b.held[b.level(k)]])
        n = len(mass)
        room = ARCS * n + FIRST
        tails, heads = np.empty(room, np.int32), np.empty(room, np.int32)
        costs = np.empty(room)
        tree, flow = np.empty((n + 1, 5), np.int32), np.empty(n + 1, np.int64)
        price = np.empty(n + 1)
        children = np.append(a.descendants(above, k)[:-1], b.descendants(above, k) + sources)
        count = _simplex.refine(
            above_tree, above_flow, above_sources, children, mass, sources, tree, flow, tails, heads
        )
        steps = cells[tails[:count], :2] - cells[heads[:count], :2]
        costs[:count] = np.sqrt((steps * steps).sum(axis=1))
        high = min(k + BLOCK_LEVELS, top)
        starts = np.append(a.descendants(high, k)[:-1], b.descendants(high, k) + sources)
        boxes = np.concatenate([a.cells[a.level(high)], b.cells[b.level(high)]])
        above = k
        while True:
            count = _simplex.survey(
                cells, mass, sources, tree, flow, price, starts, boxes, a.count(high), tails,
                heads, costs, count, result,
            )  # fmt: skip
            cost, gap = result
            if gap <= 0.0 or (k == 0 and gap <= tolerance * cost):
                break
            limit = max(n // 4, 64)  # then price anew: prices from a short list are soon extreme
            if not _simplex.improve(tails, heads, costs, count, limit, sources, tree, flow, price):
                break
            if count + n > room:
                count = _forget(tails, heads, costs, count, price)
    return float(result[0]), float(result[1])


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
