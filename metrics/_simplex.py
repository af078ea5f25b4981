"""Exact optimal transport between two sets of grid cells: a multiscale network simplex.

Compiled by numba on first use and kept on disk. The plan of a coarse grid is refined, level by
level, to a plan of the next: at once feasible, a tree, and nearly optimal. On each level the
simplex method pivots among a short list of arcs; all others are priced with the potentials, in
blocks that can be skipped as a whole, and the worst are put on the list. What pricing finds also
bounds the distance to the optimum, so an early stop is certified.

Sources: Dantzig 1951 and Orlin's chapter 11 in Ahuja, Magnanti & Orlin, Network Flows (1993), for
the network simplex with strongly feasible trees; Kelly & O'Neill (1991) for the preorder thread;
Merigot (2011) and Schmitzer (2016) for refinement. Masses are whole numbers, so that the plan stays
feasible exactly and ties are ties.

A tree is held as arrays over its nodes (sources, then sinks, then the root, an extra node that
takes no part): ``parent``, ``flow`` to or from the parent (a source sends, a sink receives),
``thread`` and ``back`` (next and previous node in preorder), ``size`` of the subtree, ``last`` node
of it in preorder, and ``price``, the potential: reduced cost = distance + price[s] - price[t].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # NumPy arrays of fixed type

#: Nodes a block of pricing holds at most: those under one cell three levels up.
BLOCK_LEVELS = 3
#: Reduced costs above minus this are zero but for rounding (in units of a cell).
SLACK = 1e-11


@njit(cache=True, nogil=True, inline="always")
def _distance(x: Array, y: Array, i: int, j: int) -> float:
    return np.sqrt((x[i] - x[j]) ** 2 + (y[i] - y[j]) ** 2)


@njit(cache=True, nogil=True)
def pyramid(mass: Array) -> Any:
    """Cells that hold mass, on all levels; each next level merges 2x2 cells at their centroid.

    Args:
        mass: (h, w) int64, non-negative.

    Returns:
        offsets (K + 1,) of the levels in what follows (level 0 is the finest, level K - 1 one
        cell), x, y, mass of all cells, and for each the index of the cell above within its level.
        The order is that of a Z curve, so that cells merged are neighbours.
    """
    height, width = mass.shape
    bits = 0
    while (1 << bits) < max(height, width):
        bits += 1
    count = 0
    for i in range(height):
        for j in range(width):
            if mass[i, j] > 0:
                count += 1
    room = count * 2 + bits + 2
    offsets = np.zeros(bits + 2, np.int64)
    code = np.empty(room, np.int64)
    x = np.empty(room)
    y = np.empty(room)
    held = np.empty(room, np.int64)
    above = np.zeros(room, np.int32)
    n = 0
    for z in range(np.int64(1) << (2 * bits)):
        i = 0
        j = 0
        for b in range(bits):
            j |= ((z >> (2 * b)) & 1) << b
            i |= ((z >> (2 * b + 1)) & 1) << b
        if i < height and j < width and mass[i, j] > 0:
            code[n] = z
            x[n] = j
            y[n] = i
            held[n] = mass[i, j]
            n += 1
    offsets[1] = n
    for level in range(bits):
        start = offsets[level]
        stop = offsets[level + 1]
        if n + (stop - start) > code.size:  # no merging at all on this level: more room
            code = np.append(code, np.empty(stop, np.int64))
            x = np.append(x, np.empty(stop))
            y = np.append(y, np.empty(stop))
            held = np.append(held, np.empty(stop, np.int64))
            above = np.append(above, np.zeros(stop, np.int32))
        for i in range(start, stop):
            parent_code = code[i] >> 2
            if n == stop or code[n - 1] != parent_code:
                code[n] = parent_code
                x[n] = 0.0
                y[n] = 0.0
                held[n] = 0
                n += 1
            k = n - 1
            above[i] = k - stop
            held[k] += held[i]
            share = held[i] / held[k]
            x[k] += (x[i] - x[k]) * share
            y[k] += (y[i] - y[k]) * share
        offsets[level + 2] = n
    return offsets, x[:n], y[:n], held[:n], above[:n]


@njit(cache=True, nogil=True)
def refine(
    parent: Array, flow: Array, sources: int, start: Array, mass: Array, fine_sources: int
) -> Any:
    """The plan of a level as a tree of the next finer one.

    Each flow between two cells is handed to their children in order, the next child when one is
    used up. The arcs so made cannot close a circle, because the coarse arcs do not.

    Args:
        parent, flow: the coarse tree; sources: how many of its nodes are sources.
        start: (coarse nodes + 1,) where the children of each coarse node begin.
        mass: (n,) of the fine nodes; fine_sources: how many of them are sources.

    Returns:
        parent and flow of the fine tree (n + 1,).
    """
    n = mass.size
    coarse = parent.size - 1
    rest = mass.copy()
    at = start[:-1].copy()
    tails = np.empty(n + coarse, np.int32)
    heads = np.empty(n + coarse, np.int32)
    amounts = np.empty(n + coarse, np.int64)
    degree = np.zeros(n + 2, np.int64)
    arcs = 0
    for node in range(coarse):
        above = parent[node]
        if above == coarse:
            continue
        a = node if node < sources else above
        b = above if node < sources else node
        left = flow[node]
        while left > 0:
            s = at[a]
            t = at[b]
            amount = min(left, rest[s], rest[t])
            tails[arcs] = s
            heads[arcs] = t
            amounts[arcs] = amount
            degree[s + 2] += 1
            degree[t + 2] += 1
            arcs += 1
            left -= amount
            rest[s] -= amount
            rest[t] -= amount
            if rest[s] == 0:
                at[a] += 1
            if rest[t] == 0:
                at[b] += 1
    for i in range(n):
        degree[i + 2] += degree[i + 1]
    incident = np.empty(2 * arcs, np.int32)
    for arc in range(arcs):
        for node in (tails[arc], heads[arc]):
            incident[degree[node + 1]] = arc
            degree[node + 1] += 1
    # degree[i] is now where the arcs of node i begin. Hang each part of the forest on the root.
    up = np.full(n + 1, -1, np.int32)
    carried = np.zeros(n + 1, np.int64)
    stack = np.empty(n, np.int32)
    for first in range(fine_sources):
        if up[first] >= 0:
            continue
        up[first] = n
        stack[0] = first
        top = 1
        while top > 0:
            top -= 1
            node = stack[top]
            for k in range(degree[node], degree[node + 1]):
                arc = incident[k]
                other = heads[arc] if tails[arc] == node else tails[arc]
                if up[other] < 0:
                    up[other] = node
                    carried[other] = amounts[arc]
                    stack[top] = other
                    top += 1
    return up, carried


@njit(cache=True, nogil=True)
def thread_tree(
    parent: Array, thread: Array, back: Array, size: Array, last: Array, price: Array,
    x: Array, y: Array, sources: int,
) -> None:
    """Everything else about a tree from its parents."""
    n = parent.size
    root = n - 1
    child = np.full(n, -1, np.int32)
    sibling = np.full(n, -1, np.int32)
    for node in range(root):
        sibling[node] = child[parent[node]]
        child[parent[node]] = node
    order = np.empty(n, np.int32)
    stack = np.empty(n, np.int32)
    stack[0] = root
    top = 1
    price[root] = 0.0
    for place in range(n):
        top -= 1
        node = stack[top]
        order[place] = node
        size[node] = 1
        if node != root:
            above = parent[node]
            cost = 0.0 if above == root else _distance(x, y, node, above)
            price[node] = price[above] - cost if node < sources else price[above] + cost
        below = child[node]
        while below >= 0:
            stack[top] = below
            top += 1
            below = sibling[below]
    for place in range(n):
        after = order[(place + 1) % n]
        thread[order[place]] = after
        back[after] = order[place]
    for place in range(n - 1, -1, -1):
        node = order[place]
        last[node] = order[place + size[node] - 1]
        if node != root:
            size[parent[node]] += size[node]


@njit(cache=True, nogil=True)
def pivot(
    s: int, t: int, reduced: float, parent: Array, flow: Array, thread: Array, back: Array,
    size: Array, last: Array, price: Array, sources: int,
) -> None:
    """Let the arc from source s to sink t enter the tree."""
    # The circle that the arc closes, and the arc that its flow blocks: the last one in the
    # direction of the flow, seen from the apex, which keeps the tree strongly feasible.
    most = np.int64(1) << 62
    on_s = most
    on_t = most
    out_s = -1
    out_t = -1
    a = s
    b = t
    while a != b:
        if size[a] < size[b]:
            if a < sources and flow[a] < on_s:
                on_s = flow[a]
                out_s = a
            a = parent[a]
        else:
            if b >= sources and flow[b] <= on_t:
                on_t = flow[b]
                out_t = b
            b = parent[b]
    apex = a
    amount = min(on_s, on_t)
    if on_t <= on_s:
        out, top, hook, shift = out_t, t, s, reduced
    else:
        out, top, hook, shift = out_s, s, t, -reduced
    if amount > 0:
        a = s
        while a != apex:
            flow[a] += -amount if a < sources else amount
            a = parent[a]
        b = t
        while b != apex:
            flow[b] += amount if b < sources else -amount
            b = parent[b]

    # Take the subtree of the leaving arc out of the thread.
    moved = size[out]
    end = last[out]
    front = back[out]
    node = parent[out]
    while node != apex:
        size[node] -= moved
        node = parent[node]
    node = parent[out]
    while node >= 0 and last[node] == end:
        last[node] = front
        node = parent[node]
    following = thread[end]
    thread[front] = following
    back[following] = front

    # Turn it round, so that the end of the entering arc is on top: each node on the way up hangs,
    # with what is left of its subtree, below the one before it.
    node = top
    above = parent[top]
    node_size = size[top]
    node_last = last[top]
    node_back = back[top]
    following = thread[node_last]
    tail = node_last
    new_parent = hook
    new_flow = amount
    while True:
        old_flow = flow[node]
        parent[node] = new_parent
        flow[node] = new_flow
        if node == out:
            break
        above_last = last[above]
        above_size = size[above]
        above_back = back[above]
        next_above = parent[above]
        if above_last == node_last:
            new_tail = node_back
            thread[tail] = above
        else:
            after = thread[above_last]
            thread[tail] = above
            thread[node_back] = following
            back[following] = node_back
            following = after
            new_tail = above_last
        back[above] = tail
        tail = new_tail
        size[above] = moved - node_size
        new_parent = node
        new_flow = old_flow
        node = above
        above = next_above
        node_size = above_size
        node_last = above_last
        node_back = above_back
    size[top] = moved
    node = out
    while node != hook:
        last[node] = tail
        node = parent[node]

    # Hang it below the other end of the entering arc.
    following = thread[hook]
    thread[hook] = top
    back[top] = hook
    thread[tail] = following
    back[following] = tail
    node = hook
    while node >= 0 and last[node] == hook:
        last[node] = tail
        node = parent[node]
    node = hook
    while node != apex:
        size[node] += moved
        node = parent[node]

    # Prices matter up to a constant, so the smaller side of the tree is changed.
    n = parent.size
    if 2 * moved <= n:
        node = top
        for _ in range(moved):
            price[node] += shift
            node = thread[node]
    else:
        node = thread[tail]
        for _ in range(n - moved):
            price[node] -= shift
            node = thread[node]


@njit(cache=True, nogil=True)
def improve(
    tails: Array, heads: Array, costs: Array, count: int, most: int, parent: Array, flow: Array,
    thread: Array, back: Array, size: Array, last: Array, price: Array, sources: int,
) -> None:
    """Pivot among the listed arcs until none improves, or ``most`` times.

    The list is searched in blocks, and the best arc of a block enters.
    """
    block = max(16, int(np.sqrt(count)))
    at = 0
    clean = 0
    pivots = 0
    while clean < count and pivots < most:
        best = -SLACK
        which = -1
        for _ in range(min(block, count - clean)):
            reduced = costs[at] + price[tails[at]] - price[heads[at]]
            if reduced < best:
                best = reduced
                which = at
            at += 1
            if at == count:
                at = 0
        if which < 0:
            clean += block
            continue
        pivot(
            tails[which], heads[which], best, parent, flow, thread, back, size, last, price,
            sources,
        )
        pivots += 1
        clean = 0


@njit(cache=True, nogil=True)
def boxes(x: Array, y: Array, starts: Array) -> Array:
    """(blocks, 4) smallest and largest x and y of each block of nodes."""
    found = np.empty((starts.size - 1, 4))
    for block in range(starts.size - 1):
        first = starts[block]
        stop = starts[block + 1]
        found[block, 0] = x[first:stop].min()
        found[block, 1] = x[first:stop].max()
        found[block, 2] = y[first:stop].min()
        found[block, 3] = y[first:stop].max()
    return found


@njit(cache=True, nogil=True)
def price_out(
    x: Array, y: Array, price: Array, sources: int, source_starts: Array, sink_starts: Array,
    source_boxes: Array, sink_boxes: Array, worst: Array, partner: Array,
) -> None:
    """Find for each node the arc of least reduced cost, where that is negative.

    Blocks of nodes are skipped where no arc between them can be negative: where the highest price
    of the sinks less the lowest of the sources is below the distance of their boxes.

    Args:
        worst: (n,) written: the least reduced cost, or 0.
        partner: (n,) written: the node at the other end of that arc, or -1.
    """
    n = price.size - 1
    worst[:] = 0.0
    partner[:] = -1
    sink_blocks = sink_starts.size - 1
    dearest = np.empty(sink_blocks)
    for block in range(sink_blocks):
        dearest[block] = price[sink_starts[block] : sink_starts[block + 1]].max()
    for source_block in range(source_starts.size - 1):
        first = source_starts[source_block]
        stop = source_starts[source_block + 1]
        cheapest = price[first:stop].min()
        x0, x1, y0, y1 = source_boxes[source_block]
        for block in range(sink_blocks):
            gain = dearest[block] - cheapest - SLACK
            if gain <= 0:
                continue
            u0, u1, v0, v1 = sink_boxes[block]
            dx = max(0.0, u0 - x1, x0 - u1)
            dy = max(0.0, v0 - y1, y0 - v1)
            if dx * dx + dy * dy >= gain * gain:
                continue
            for s in range(first, stop):
                own = price[s]
                gain = dearest[block] - own - SLACK
                if gain <= 0:
                    continue
                xs = x[s]
                ys = y[s]
                dx = max(0.0, u0 - xs, xs - u1)
                dy = max(0.0, v0 - ys, ys - v1)
                if dx * dx + dy * dy >= gain * gain:
                    continue
                for t in range(sink_starts[block], sink_starts[block + 1]):
                    gain = price[t] - own
                    square = (x[t] - xs) ** 2 + (y[t] - ys) ** 2
                    if gain > SLACK and gain * gain > square:
                        reduced = np.sqrt(square) - gain
                        if reduced < -SLACK:
                            if reduced < worst[s]:
                                worst[s] = reduced
                                partner[s] = t
                            if reduced < worst[t]:
                                worst[t] = reduced
                                partner[t] = s


@njit(cache=True, nogil=True)
def block_starts(offsets: Array, above: Array, level: int, steps: int) -> Array:
    """Where the blocks begin of nodes that share a cell so many levels up, and the number of nodes.
    """
    first = offsets[level]
    n = offsets[level + 1] - first
    starts = np.empty(n + 1, np.int64)
    count = 0
    before = -1
    for i in range(n):
        cell = i
        for step in range(steps):
            if level + step < offsets.size - 2:
                cell = above[offsets[level + step] + cell]
        if cell != before:
            starts[count] = i
            count += 1
            before = cell
    starts[count] = n
    return starts[: count + 1]


@njit(cache=True, nogil=True)
def solve(supply: Array, demand: Array, tolerance: float) -> Any:
    """Least cost of moving supply to demand, with Euclidean distance in cells.

    Args:
        supply, demand: (h, w) int64, non-negative, of equal and positive sum.
        tolerance: stop when the cost is certified to lie within this share of the optimum.

    Returns:
        The cost of the plan found, and a lower bound of the optimum, in units of mass times cells.
    """
    a_offsets, a_x, a_y, a_mass, a_above = pyramid(supply)
    b_offsets, b_x, b_y, b_mass, b_above = pyramid(demand)
    top = a_offsets.size - 2
    # The coarsest level is one source, one sink and the root.
    parent = np.array([2, 0, -1], np.int32)
    flow = np.array([0, a_mass[-1], 0], np.int64)
    sources = 1
    cost = 0.0
    gap = 0.0
    for level in range(top, -1, -1):
        a0, a1 = a_offsets[level], a_offsets[level + 1]
        b0, b1 = b_offsets[level], b_offsets[level + 1]
        ns = a1 - a0
        n = ns + b1 - b0
        x = np.append(a_x[a0:a1], b_x[b0:b1])
        y = np.append(a_y[a0:a1], b_y[b0:b1])
        mass = np.append(a_mass[a0:a1], b_mass[b0:b1])
        room = 40 * n + 64
        tails = np.empty(room, np.int32)
        heads = np.empty(room, np.int32)
        costs = np.empty(room)
        count = 0
        if level < top:
            coarse = parent.size - 1
            start = np.zeros(coarse + 1, np.int64)
            for i in range(ns):
                start[a_above[a0 + i] + 1] += 1
            for i in range(n - ns):
                start[sources + b_above[b0 + i] + 1] += 1
            for i in range(coarse):
                start[i + 1] += start[i]
            for node in range(coarse):
                above = parent[node]
                if above == coarse:
                    continue
                i = node if node < sources else above
                j = above if node < sources else node
                for s in range(start[i], start[i + 1]):
                    for t in range(start[j], start[j + 1]):
                        tails[count] = s
                        heads[count] = t
                        costs[count] = _distance(x, y, s, t)
                        count += 1
            parent, flow = refine(parent, flow, sources, start, mass, ns)
        sources = ns
        thread = np.empty(n + 1, np.int32)
        back = np.empty(n + 1, np.int32)
        size = np.empty(n + 1, np.int32)
        last = np.empty(n + 1, np.int32)
        price = np.empty(n + 1)
        worst = np.empty(n)
        partner = np.empty(n, np.int32)
        source_starts = block_starts(a_offsets, a_above, level, BLOCK_LEVELS)
        sink_starts = block_starts(b_offsets, b_above, level, BLOCK_LEVELS) + ns
        source_boxes = boxes(x, y, source_starts)
        sink_boxes = boxes(x, y, sink_starts)
        thread_tree(parent, thread, back, size, last, price, x, y, sources)
        while True:
            improve(
                tails, heads, costs, count, max(n // 4, 64), parent, flow, thread, back, size,
                last, price, sources,
            )
            thread_tree(parent, thread, back, size, last, price, x, y, sources)
            price_out(
                x, y, price, sources, source_starts, sink_starts, source_boxes, sink_boxes, worst,
                partner,
            )
            by_source = 0.0
            by_sink = 0.0
            for node in range(n):
                if node < sources:
                    by_source -= worst[node] * mass[node]
                else:
                    by_sink -= worst[node] * mass[node]
            gap = min(by_source, by_sink)
            cost = 0.0
            for node in range(n):
                if parent[node] < n:
                    cost += flow[node] * _distance(x, y, node, parent[node])
            if gap <= 0.0 or (level == 0 and gap <= tolerance * cost):
                break
            if count + n > room:  # forget the arcs that are of least use
                mean = 0.0
                for arc in range(count):
                    mean += costs[arc] + price[tails[arc]] - price[heads[arc]]
                mean /= count
                kept = 0
                for arc in range(count):
                    if costs[arc] + price[tails[arc]] - price[heads[arc]] < mean:
                        tails[kept] = tails[arc]
                        heads[kept] = heads[arc]
                        costs[kept] = costs[arc]
                        kept += 1
                count = kept
            for node in range(n):
                other = partner[node]
                if other < 0 or (node >= sources and partner[other] == node):
                    continue
                tails[count] = node if node < sources else other
                heads[count] = other if node < sources else node
                costs[count] = _distance(x, y, node, other)
                count += 1
    return cost, max(cost - gap, 0.0)
