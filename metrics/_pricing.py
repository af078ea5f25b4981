"""Exact optimal transport between grid cells: the prices of a tree, and the arcs that they miss.

See `metrics._simplex` for the arrays of a tree.
"""

from __future__ import annotations

import numpy as np

from ._simplex import NEXT, PARENT, SLACK, compiled, helper
from ._types import Array


@compiled
def survey(
    cells: Array,
    mass: Array,
    sources: int,
    tree: Array,
    flow: Array,
    price: Array,
    starts: Array,
    boxes: Array,
    source_blocks: int,
    tails: Array,
    heads: Array,
    costs: Array,
    count: int,
    result: Array,
) -> int:
    """Compute the prices and the cost of a tree afresh, and list the worst arc of each node.

    Blocks of nodes are skipped where no arc between them can be negative: where the highest price
    of the sinks less the lowest of the sources is below the distance of their boxes.

    Args:
        cells: (n, 6) of `metrics._levels.pyramid`; mass: (n,).
        sources, tree, flow: the plan; price: (n + 1,) written.
        starts: (blocks + 1,) where blocks of nodes begin, those of sources first.
        boxes: (blocks, 6) cells that hold the blocks, as of `metrics._levels.pyramid`.
        source_blocks: how many blocks are of sources.
        tails, heads, costs: the list, with room for n arcs more than the ``count`` it has.
        result: (2,) written: the cost of the plan, and how far above the optimum it is at most.

    Returns:
        The number of arcs on the list.
    """
    result[0] = _price(cells, sources, tree, flow, price)
    blocks = starts.size - 1
    edge = _edges(price, starts, source_blocks)
    worst = np.zeros(mass.size)
    partner = np.empty(mass.size, np.int32)
    for a in range(source_blocks):
        for b in range(source_blocks, blocks):
            gain = edge[b] - edge[a] - SLACK
            left, right, top, bottom = boxes[a, 2], boxes[a, 3], boxes[a, 4], boxes[a, 5]
            if gain <= 0 or _apart(boxes, b, left, right, top, bottom) >= gain * gain:
                continue
            for s in range(starts[a], starts[a + 1]):
                gain = edge[b] - price[s] - SLACK
                x, y = cells[s, 0], cells[s, 1]
                if gain > 0 and _apart(boxes, b, x, x, y, y) < gain * gain:
                    _compare(s, starts[b], starts[b + 1], cells, price, worst, partner)
    count, result[1] = _list(worst, partner, mass, sources, price, tails, heads, costs, count)
    return count


@helper
def _price(cells: Array, sources: int, tree: Array, flow: Array, price: Array) -> float:
    """Set the prices under which the arcs of the tree cost nothing; return the plan's cost."""
    root = flow.size - 1
    price[root] = 0.0
    cost = 0.0
    node = tree[root, NEXT]
    while node != root:
        parent = tree[node, PARENT]
        length = 0.0
        if parent < root:
            dx = cells[node, 0] - cells[parent, 0]
            dy = cells[node, 1] - cells[parent, 1]
            length = np.sqrt(dx * dx + dy * dy)
        price[node] = price[parent] - length if node < sources else price[parent] + length
        cost += flow[node] * length
        node = tree[node, NEXT]
    return cost


@helper
def _edges(price: Array, starts: Array, source_blocks: int) -> Array:
    """The lowest price of each block of sources, and the highest of each block of sinks."""
    edge = np.empty(starts.size - 1)
    for block in range(edge.size):
        low = price[starts[block]]
        high = low
        for node in range(starts[block], starts[block + 1]):
            low = min(low, price[node])
            high = max(high, price[node])
        edge[block] = low if block < source_blocks else high
    return edge


@helper
def _apart(boxes: Array, b: int, left: float, right: float, top: float, bottom: float) -> float:
    """The squared distance between a block and a box."""
    dx = max(0.0, max(boxes[b, 2] - right, left - boxes[b, 3]))
    dy = max(0.0, max(boxes[b, 4] - bottom, top - boxes[b, 5]))
    square: float = dx * dx + dy * dy
    return square


@helper
def _compare(
    s: int, first: int, end: int, cells: Array, price: Array, worst: Array, partner: Array
) -> None:
    """Note the arcs from a source to a block of sinks that are the worst of either node so far."""
    x = cells[s, 0]
    y = cells[s, 1]
    for t in range(first, end):
        gain = price[t] - price[s]
        dx = cells[t, 0] - x
        dy = cells[t, 1] - y
        square = dx * dx + dy * dy
        if gain > SLACK and gain * gain > square:
            reduced = np.sqrt(square) - gain
            if reduced < -SLACK:
                if reduced < worst[s]:
                    worst[s] = reduced
                    partner[s] = t
                if reduced < worst[t]:
                    worst[t] = reduced
                    partner[t] = s


@helper
def _list(
    worst: Array,
    partner: Array,
    mass: Array,
    sources: int,
    price: Array,
    tails: Array,
    heads: Array,
    costs: Array,
    count: int,
) -> tuple[int, float]:
    """List the worst arc of each node once; return the length of the list and a bound.

    The cost of the plan is above the optimum by at most the worst reduced costs times the masses,
    of the sources or of the sinks.
    """
    by_source = 0.0
    by_sink = 0.0
    for node in range(mass.size):
        if worst[node] == 0.0:
            continue
        other = partner[node]
        if node < sources:
            by_source -= worst[node] * mass[node]
            tails[count] = node
            heads[count] = other
        else:
            by_sink -= worst[node] * mass[node]
            if worst[other] < 0.0 and partner[other] == node:
                continue  # listed by its source
            tails[count] = other
            heads[count] = node
        costs[count] = worst[node] + price[heads[count]] - price[tails[count]]
        count += 1
    return count, min(by_source, by_sink)
