"""Exact optimal transport between grid cells: the inner loops of a multiscale network simplex.

Compiled by numba on first use and kept on disk; `metrics._exact` drives them. Few and plain
functions, none of which calls another, since each call is compiled once more where it is made.

A tree is held as arrays over its nodes: sources, then sinks, then the root, an extra node that no
mass goes through. The columns of ``tree`` are PARENT, NEXT and BACK (neighbours in preorder), SIZE
of the subtree and LAST, its last node in preorder. ``flow`` is what a node exchanges with its
parent (a source sends, a sink receives). ``price`` is the potential: the reduced cost of an arc is
distance + price[source] - price[sink].

Sources: Ahuja, Magnanti & Orlin, Network Flows (1993), chapter 11, for the network simplex with
strongly feasible trees; Kelly & O'Neill (1991) for the thread; Merigot (2011) and Schmitzer (2016)
for solving from coarse to fine. Masses are whole numbers, so that a plan stays feasible exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any  # NumPy arrays of fixed type

PARENT, NEXT, BACK, SIZE, LAST = range(5)
#: A reduced cost above minus this is zero but for rounding (cells).
SLACK = 1e-11

_compiled = njit(cache=True, nogil=True, error_model="numpy")


@_compiled
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
    height, width = mass.shape
    bits = offsets.size - 2
    codes = np.empty(held.size, np.int64)
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


@_compiled
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
    rest = np.empty(n, np.int64)
    for i in range(n):
        rest[i] = mass[i]
    at = np.empty(above, np.int64)
    for i in range(above):
        at[i] = children[i]
    start = np.empty(n + above, np.int32)
    stop = np.empty(n + above, np.int32)
    amount = np.empty(n + above, np.int64)
    place = np.zeros(n + 2, np.int64)
    arcs = 0
    listed = 0
    for node in range(above):
        other = coarse_tree[node, PARENT]
        if other == above:
            continue
        a = node if node < coarse_sources else other
        b = other if node < coarse_sources else node
        for s in range(children[a], children[a + 1]):
            for t in range(children[b], children[b + 1]):
                tails[listed] = s
                heads[listed] = t
                listed += 1
        left = coarse_flow[node]
        while left > 0:
            s = at[a]
            t = at[b]
            most = min(left, min(rest[s], rest[t]))
            start[arcs] = s
            stop[arcs] = t
            amount[arcs] = most
            place[s + 2] += 1
            place[t + 2] += 1
            arcs += 1
            left -= most
            rest[s] -= most
            rest[t] -= most
            if rest[s] == 0:
                at[a] += 1
            if rest[t] == 0:
                at[b] += 1
    for i in range(n):
        place[i + 2] += place[i + 1]
    incident = np.empty(2 * arcs, np.int32)
    for arc in range(arcs):
        incident[place[start[arc] + 1]] = arc
        place[start[arc] + 1] += 1
        incident[place[stop[arc] + 1]] = arc
        place[stop[arc] + 1] += 1
    # The arcs of node i are now incident[place[i] : place[i + 1]]. Walk through them depth first,
    # each part of the forest hung on the root by one of its sources.
    root = n
    for i in range(n):
        tree[i, PARENT] = -1
        tree[i, SIZE] = 1
    tree[root, PARENT] = -1
    tree[root, SIZE] = 1
    flow[root] = 0
    order = np.empty(n + 1, np.int32)
    order[0] = root
    stack = np.empty(n, np.int32)
    seen = 1
    for top_source in range(sources):
        if tree[top_source, PARENT] >= 0:
            continue
        tree[top_source, PARENT] = root
        flow[top_source] = 0
        stack[0] = top_source
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
    for k in range(n, -1, -1):
        node = order[k]
        following = order[k + 1] if k < n else root
        tree[node, NEXT] = following
        tree[following, BACK] = node
        tree[node, LAST] = order[k + tree[node, SIZE] - 1]
        if node != root:
            tree[tree[node, PARENT], SIZE] += tree[node, SIZE]
    return listed


@_compiled
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
    n = flow.size
    block = max(16, int(np.sqrt(count)))
    at = 0
    clean = 0
    pivots = 0
    while clean < count and pivots < limit:
        reduced = -SLACK
        which = -1
        for _ in range(min(block, count - clean)):
            candidate = costs[at] + price[tails[at]] - price[heads[at]]
            if candidate < reduced:
                reduced = candidate
                which = at
            at += 1
            if at == count:
                at = 0
        if which < 0:
            clean += block
            continue
        clean = 0
        pivots += 1
        s = tails[which]
        t = heads[which]

        # The circle that the arc closes, and the arc of it that is emptied: the last one in the
        # direction of the flow, seen from the apex, which keeps the tree strongly feasible.
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
        apex = a
        if on_t <= on_s:
            amount = on_t
            out = out_t
            top = t
            hook = s
            shift = reduced
        else:
            amount = on_s
            out = out_s
            top = s
            hook = t
            shift = -reduced
        if amount > 0:
            a = s
            while a != apex:
                flow[a] += -amount if a < sources else amount
                a = tree[a, PARENT]
            b = t
            while b != apex:
                flow[b] += amount if b < sources else -amount
                b = tree[b, PARENT]

        # Take the subtree of the leaving arc out of the preorder.
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

        # Turn it round, so that the end of the entering arc is on top: each node on the way up
        # hangs, with what is left of its subtree, below the one before it.
        node = top
        node_size = tree[top, SIZE]
        node_last = tree[top, LAST]
        node_back = tree[top, BACK]
        above = tree[top, PARENT]
        following = tree[node_last, NEXT]
        tail = node_last
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

        # Hang it below the other end of the entering arc.
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

        # Prices matter up to a constant, so those of the smaller side of the tree are changed.
        if 2 * moved <= n:
            node = top
        else:
            node = tree[tail, NEXT]
            moved = n - moved
            shift = -shift
        for _ in range(moved):
            price[node] += shift
            node = tree[node, NEXT]
    return pivots


@_compiled
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
    """Compute the prices and the cost of a tree anew, and list the worst arc of each node.

    Blocks of nodes are skipped where no arc between them can be negative: where the highest price
    of the sinks less the lowest of the sources is below the distance of their boxes.

    Args:
        cells: (n, 6) of `pyramid`; mass: (n,).
        starts: (blocks + 1,) where blocks of nodes begin, those of sources first.
        boxes: (blocks, 6) cells that hold the blocks, as of `pyramid`.
        source_blocks: how many blocks are of sources.
        tails, heads, costs: the list, with room for n arcs more than the ``count`` it has.
        result: (2,) written: the cost of the plan, and how far above the optimum it is at most.

    Returns:
        The number of arcs on the list.
    """
    n = mass.size
    price[n] = 0.0
    cost = 0.0
    node = tree[n, NEXT]
    while node != n:
        parent = tree[node, PARENT]
        length = 0.0
        if parent < n:
            dx = cells[node, 0] - cells[parent, 0]
            dy = cells[node, 1] - cells[parent, 1]
            length = np.sqrt(dx * dx + dy * dy)
        price[node] = price[parent] - length if node < sources else price[parent] + length
        cost += flow[node] * length
        node = tree[node, NEXT]
    blocks = starts.size - 1
    edge = np.empty(blocks)  # the lowest price of a block of sources, the highest of one of sinks
    for block in range(blocks):
        low = price[starts[block]]
        high = low
        for node in range(starts[block], starts[block + 1]):
            low = min(low, price[node])
            high = max(high, price[node])
        edge[block] = low if block < source_blocks else high
    worst = np.zeros(n)
    partner = np.empty(n, np.int32)
    for a in range(source_blocks):
        for b in range(source_blocks, blocks):
            gain = edge[b] - edge[a] - SLACK
            if gain <= 0:
                continue
            dx = max(0.0, max(boxes[b, 2] - boxes[a, 3], boxes[a, 2] - boxes[b, 3]))
            dy = max(0.0, max(boxes[b, 4] - boxes[a, 5], boxes[a, 4] - boxes[b, 5]))
            if dx * dx + dy * dy >= gain * gain:
                continue
            for s in range(starts[a], starts[a + 1]):
                gain = edge[b] - price[s] - SLACK
                if gain <= 0:
                    continue
                x = cells[s, 0]
                y = cells[s, 1]
                dx = max(0.0, max(boxes[b, 2] - x, x - boxes[b, 3]))
                dy = max(0.0, max(boxes[b, 4] - y, y - boxes[b, 5]))
                if dx * dx + dy * dy >= gain * gain:
                    continue
                for t in range(starts[b], starts[b + 1]):
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
    by_source = 0.0
    by_sink = 0.0
    for node in range(n):
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
    result[0] = cost
    result[1] = min(by_source, by_sink)
    return count
