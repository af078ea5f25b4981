"""Exact optimal transport from coarse to fine: the cells of all levels, and a finer plan.

See `metrics._simplex` for the arrays of a tree. Source: Merigot (2011) and Schmitzer (2016) for
solving from coarse to fine.
"""

from __future__ import annotations

import numpy as np

from ._simplex import BACK, LAST, NEXT, PARENT, SIZE, compiled, helper
from ._types import Array


@compiled
def pyramid(mass: Array, offsets: Array, cells: Array, held: Array, first: Array) -> None:
    """List the cells that hold mass, on all levels; each level merges 2x2 cells of the one below.

    The order is that of a Z curve, so that the cells merged are neighbours in the list.

    Args:
        mass: (h, w) int64, non-negative.
        offsets: (K + 1,) written: where the levels begin in the lists; level 0 is the finest,
            level K - 1 is one cell.
        cells: (n, 6) written: x and y of the centroid, smallest and largest x, and y.
        held: (n,) int64, written: the mass.
        first: (n,) written: the first of the cells merged, as its place on the level below.
    """
    bits = offsets.size - 2
    codes = np.empty(held.size, np.int64)
    n = _finest(mass, bits, codes, cells, held)
    offsets[0] = 0
    offsets[1] = n
    for level in range(bits):
        begin = offsets[level]
        end = offsets[level + 1]
        for below in range(begin, end):
            code = codes[below] >> 2
            if n == end or codes[n - 1] != code:
                codes[n] = code
                held[n] = 0
                first[n] = below - begin
                for column in range(6):
                    cells[n, column] = cells[below, column]
                n += 1
            k = n - 1
            held[k] += held[below]
            share = held[below] / held[k]
            cells[k, 0] += (cells[below, 0] - cells[k, 0]) * share
            cells[k, 1] += (cells[below, 1] - cells[k, 1]) * share
            cells[k, 2] = min(cells[k, 2], cells[below, 2])
            cells[k, 3] = max(cells[k, 3], cells[below, 3])
            cells[k, 4] = min(cells[k, 4], cells[below, 4])
            cells[k, 5] = max(cells[k, 5], cells[below, 5])
        offsets[level + 2] = n


@helper
def _finest(mass: Array, bits: int, codes: Array, cells: Array, held: Array) -> int:
    """List the pixels that hold mass, in the order of a Z curve; return how many there are."""
    height, width = mass.shape
    n = 0
    for code in range(1 << (2 * bits)):
        i = 0
        j = 0
        for bit in range(bits):
            j |= ((code >> (2 * bit)) & 1) << bit
            i |= ((code >> (2 * bit + 1)) & 1) << bit
        if i < height and j < width and mass[i, j] > 0:
            codes[n] = code
            held[n] = mass[i, j]
            cells[n, 0] = j
            cells[n, 1] = i
            cells[n, 2] = j
            cells[n, 3] = j
            cells[n, 4] = i
            cells[n, 5] = i
            n += 1
    return n


@compiled
def refine(
    coarse_tree: Array,
    coarse_flow: Array,
    coarse_sources: int,
    children: Array,
    mass: Array,
    sources: int,
    tree: Array,
    flow: Array,
    tails: Array,
    heads: Array,
) -> int:
    """Make the plan of a level from that of the coarser one, and list the arcs to try first.

    Each flow between two cells is handed to their children in order, the next child when one is
    used up. The arcs so made cannot close a circle, because those of the coarse tree do not.

    Args:
        coarse_tree, coarse_flow, coarse_sources: the coarser level.
        children: (coarse nodes + 1,) where the children of each coarse node begin.
        mass: (n,) of the nodes; sources: how many of them are.
        tree, flow: written.
        tails, heads: written: the arcs between children of nodes that are linked above.

    Returns:
        The number of arcs listed.
    """
    n = mass.size
    above = coarse_flow.size - 1
    start = np.empty(n + above, np.int32)
    stop = np.empty(n + above, np.int32)
    amount = np.empty(n + above, np.int64)
    rest = mass.copy()
    at = children[:above].copy()
    arcs = 0
    listed = 0
    for node in range(above):
        other = coarse_tree[node, PARENT]
        if other == above:
            continue
        a, b = (node, other) if node < coarse_sources else (other, node)
        listed = _link(a, b, children, tails, heads, listed)
        arcs = _hand_down(a, b, coarse_flow[node], at, rest, start, stop, amount, arcs)
    place, incident = _incidence(start[:arcs], stop[:arcs], n)
    order = _grow(start, stop, amount, place, incident, sources, tree, flow)
    _thread(order, tree)
    return listed


@helper
def _link(a: int, b: int, children: Array, tails: Array, heads: Array, listed: int) -> int:
    """List all arcs between the children of two nodes; return how many are listed now."""
    for s in range(children[a], children[a + 1]):
        for t in range(children[b], children[b + 1]):
            tails[listed] = s
            heads[listed] = t
            listed += 1
    return listed


@helper
def _hand_down(
    a: int,
    b: int,
    left: int,
    at: Array,
    rest: Array,
    start: Array,
    stop: Array,
    amount: Array,
    arcs: int,
) -> int:
    """Hand the flow between two coarse nodes to their children in order.

    Args:
        a, b, left: source, sink, and the flow between them.
        at, rest: changed: the child of each coarse node that is next, and what nodes have left.
        start, stop, amount: written: the arcs with flow, from number ``arcs`` on.

    Returns:
        The number of arcs with flow.
    """
    while left > 0:
        s = at[a]
        t = at[b]
        most = min(left, min(rest[s], rest[t]))
        start[arcs] = s
        stop[arcs] = t
        amount[arcs] = most
        arcs += 1
        left -= most
        rest[s] -= most
        rest[t] -= most
        if rest[s] == 0:
            at[a] += 1
        if rest[t] == 0:
            at[b] += 1
    return arcs


@helper
def _incidence(start: Array, stop: Array, n: int) -> tuple[Array, Array]:
    """The arcs of each node: those of node i are incident[place[i] : place[i + 1]]."""
    place = np.zeros(n + 2, np.int64)
    for arc in range(start.size):
        place[start[arc] + 2] += 1
        place[stop[arc] + 2] += 1
    for i in range(n):
        place[i + 2] += place[i + 1]
    incident = np.empty(2 * start.size, np.int32)
    for arc in range(start.size):
        incident[place[start[arc] + 1]] = arc
        place[start[arc] + 1] += 1
        incident[place[stop[arc] + 1]] = arc
        place[stop[arc] + 1] += 1
    return place, incident


@helper
def _grow(
    start: Array,
    stop: Array,
    amount: Array,
    place: Array,
    incident: Array,
    sources: int,
    tree: Array,
    flow: Array,
) -> Array:
    """Walk the arcs depth first, each part of the forest hung on the root by one of its sources.

    Sets the parents and flows of the tree.

    Returns:
        (nodes + 1,) the nodes in preorder, the root first.
    """
    root = flow.size - 1
    for i in range(root + 1):
        tree[i, PARENT] = -1
    flow[root] = 0
    order = np.empty(root + 1, np.int32)
    order[0] = root
    stack = np.empty(root, np.int32)
    seen = 1
    for first in range(sources):
        if tree[first, PARENT] >= 0:
            continue
        tree[first, PARENT] = root
        flow[first] = 0
        stack[0] = first
        waiting = 1
        while waiting > 0:
            waiting -= 1
            node = stack[waiting]
            order[seen] = node
            seen += 1
            for k in range(place[node], place[node + 1]):
                arc = incident[k]
                other = stop[arc] if start[arc] == node else start[arc]
                if tree[other, PARENT] < 0:
                    tree[other, PARENT] = node
                    flow[other] = amount[arc]
                    stack[waiting] = other
                    waiting += 1
    return order


@helper
def _thread(order: Array, tree: Array) -> None:
    """Set sizes, last nodes and neighbours of a tree whose parents and preorder are known."""
    root = order[0]
    for i in range(order.size):
        tree[i, SIZE] = 1
    for k in range(order.size - 1, -1, -1):
        node = order[k]
        following = order[k + 1] if k + 1 < order.size else root
        tree[node, NEXT] = following
        tree[following, BACK] = node
        tree[node, LAST] = order[k + tree[node, SIZE] - 1]
        if node != root:
            tree[tree[node, PARENT], SIZE] += tree[node, SIZE]
