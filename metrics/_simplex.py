"""Exact optimal transport between grid cells: the pivots of a network simplex.

Compiled by numba on first use and kept on disk, as are `metrics._levels` and `metrics._pricing`;
`metrics._exact` drives all three. A function in these files calls only helpers of its own file,
which are compiled into it.

A tree is held as arrays over its nodes: sources, then sinks, then the root, an extra node that no
mass goes through. The columns of ``tree`` are PARENT, NEXT and BACK (neighbours in preorder), SIZE
of the subtree and LAST, its last node in preorder. ``flow`` is what a node exchanges with its
parent (a source sends, a sink receives). ``price`` is the potential: the reduced cost of an arc is
distance + price[source] - price[sink].

Sources: Ahuja, Magnanti & Orlin, Network Flows (1993), chapter 11, for the network simplex with
strongly feasible trees; Kelly & O'Neill (1991) for the preorder thread. Masses are whole numbers,
so that a plan stays feasible exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from . import compilation
from ._types import Array

PARENT, NEXT, BACK, SIZE, LAST = range(5)
#: A reduced cost above minus this is zero but for rounding (cells).
SLACK = 1e-11

compiled = compilation.compiled(error_model="numpy")
#: Of helpers: their caller is kept on disk with them inside.
helper = njit(nogil=True, error_model="numpy", inline="always")


@compiled
def improve(
    tails: Array,
    heads: Array,
    costs: Array,
    count: int,
    limit: int,
    sources: int,
    tree: Array,
    flow: Array,
    price: Array,
) -> int:
    """Pivot among the first ``count`` listed arcs until none improves, or ``limit`` times.

    The list is searched in blocks, and the best arc of a block enters the tree.

    Returns:
        The number of pivots.
    """
    block = max(16, int(np.sqrt(count)))
    at = 0
    clean = 0
    pivots = 0
    while clean < count and pivots < limit:
        which, reduced, at = _entering(
            tails, heads, costs, count, price, at, min(block, count - clean)
        )
        if which < 0:
            clean += block
            continue
        clean = 0
        pivots += 1
        s = tails[which]
        t = heads[which]
        apex, amount, out, at_sink = _leaving(s, t, sources, tree, flow)
        _send(s, t, apex, amount, sources, tree, flow)
        moved = tree[out, SIZE]
        _cut(out, apex, tree)
        top, hook = (t, s) if at_sink else (s, t)
        tail = _turn(top, hook, out, amount, tree, flow)
        _hang(top, hook, tail, apex, moved, tree)
        _reprice(top, tail, moved, reduced if at_sink else -reduced, tree, price)
    return pivots


@helper
def _entering(
    tails: Array, heads: Array, costs: Array, count: int, price: Array, at: int, length: int
) -> tuple[int, float, int]:
    """The best arc among ``length`` from ``at`` on, or -1; its reduced cost; where to resume."""
    reduced = -SLACK
    which = -1
    for _ in range(length):
        candidate = costs[at] + price[tails[at]] - price[heads[at]]
        if candidate < reduced:
            reduced = candidate
            which = at
        at += 1
        if at == count:
            at = 0
    return which, reduced, at


@helper
def _leaving(s: int, t: int, sources: int, tree: Array, flow: Array) -> tuple[int, Any, int, bool]:
    """The circle that the arc from s to t closes, and the arc of it that is emptied.

    That is the last one in the direction of the flow, seen from the apex, which keeps the tree
    strongly feasible.

    Returns:
        The apex of the circle, the flow that fits through it, the lower node of the arc that is
        emptied, and whether that lies on the side of t.
    """
    on_s = np.int64(1) << 62
    on_t = on_s
    out_s = -1
    out_t = -1
    a = s
    b = t
    while a != b:
        if tree[a, SIZE] < tree[b, SIZE]:
            if a < sources and flow[a] < on_s:
                on_s = flow[a]
                out_s = a
            a = tree[a, PARENT]
        else:
            if b >= sources and flow[b] <= on_t:
                on_t = flow[b]
                out_t = b
            b = tree[b, PARENT]
    if on_t <= on_s:
        return a, on_t, out_t, True
    return a, on_s, out_s, False


@helper
def _send(s: int, t: int, apex: int, amount: int, sources: int, tree: Array, flow: Array) -> None:
    """Send an amount round the circle of the arc from s to t."""
    if amount == 0:
        return
    while s != apex:
        flow[s] += -amount if s < sources else amount
        s = tree[s, PARENT]
    while t != apex:
        flow[t] += amount if t < sources else -amount
        t = tree[t, PARENT]


@helper
def _cut(out: int, apex: int, tree: Array) -> None:
    """Take the subtree below a node out of the preorder."""
    moved = tree[out, SIZE]
    end = tree[out, LAST]
    front = tree[out, BACK]
    node = tree[out, PARENT]
    while node != apex:
        tree[node, SIZE] -= moved
        node = tree[node, PARENT]
    node = tree[out, PARENT]
    while node >= 0 and tree[node, LAST] == end:
        tree[node, LAST] = front
        node = tree[node, PARENT]
    following = tree[end, NEXT]
    tree[front, NEXT] = following
    tree[following, BACK] = front


@helper
def _turn(top: int, hook: int, out: int, amount: int, tree: Array, flow: Array) -> int:
    """Turn the subtree that was cut below ``out`` round, so that ``top`` is its root.

    Each node on the way up hangs, with what is left of its subtree, below the one before it; the
    first hangs below ``hook``, from which it receives ``amount``.

    Returns:
        The last node of the subtree in its new preorder.
    """
    moved = tree[out, SIZE]
    node = top
    node_size = tree[top, SIZE]
    node_last = tree[top, LAST]
    node_back = tree[top, BACK]
    above = tree[top, PARENT]
    following = tree[node_last, NEXT]
    tail: int = node_last
    new_parent = hook
    new_flow = amount
    while True:
        old_flow = flow[node]
        tree[node, PARENT] = new_parent
        flow[node] = new_flow
        if node == out:
            break
        above_size = tree[above, SIZE]
        above_last = tree[above, LAST]
        above_back = tree[above, BACK]
        next_above = tree[above, PARENT]
        new_tail = node_back
        if above_last != node_last:
            new_tail = above_last
            tree[node_back, NEXT] = following
            tree[following, BACK] = node_back
            following = tree[above_last, NEXT]
        tree[tail, NEXT] = above
        tree[above, BACK] = tail
        tree[above, SIZE] = moved - node_size
        tail = new_tail
        new_parent = node
        new_flow = old_flow
        node = above
        node_size = above_size
        node_last = above_last
        node_back = above_back
        above = next_above
    tree[top, SIZE] = moved
    while node != hook:
        tree[node, LAST] = tail
        node = tree[node, PARENT]
    return tail


@helper
def _hang(top: int, hook: int, tail: int, apex: int, moved: int, tree: Array) -> None:
    """Put a subtree of ``moved`` nodes, from ``top`` to ``tail``, below ``hook``."""
    following = tree[hook, NEXT]
    tree[hook, NEXT] = top
    tree[top, BACK] = hook
    tree[tail, NEXT] = following
    tree[following, BACK] = tail
    node = hook
    while node >= 0 and tree[node, LAST] == hook:
        tree[node, LAST] = tail
        node = tree[node, PARENT]
    node = hook
    while node != apex:
        tree[node, SIZE] += moved
        node = tree[node, PARENT]


@helper
def _reprice(top: int, tail: int, moved: int, shift: float, tree: Array, price: Array) -> None:
    """Shift the prices of a subtree against the rest.

    Prices matter up to a constant, so those of the smaller side of the tree are changed.
    """
    n = price.size
    node = top
    if 2 * moved > n:
        node = tree[tail, NEXT]
        moved = n - moved
        shift = -shift
    for _ in range(moved):
        price[node] += shift
        node = tree[node, NEXT]
