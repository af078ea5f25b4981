"""The map that is nearest, by the earth mover's distance, to many maps at once, with a certificate.

For maps D_1 .. D_K on one grid, minimise F(S) = mean_k W(S, D_k) over the maps S that sum to one.
The problem is convex, since W is. By the duality of Kantorovich and Rubinstein,

    W(S, D) = max over 1-Lipschitz u of <u, D - S>,

and the exchange of min and max gives, for *any* 1-Lipschitz u_1 .. u_K,

    min F  >=  mean_k <u_k, D_k> - max_i mean_k u_k(i),

so that each family of potentials certifies a lower bound. Any family f_k of functions becomes
feasible by the transform u_k(y) = min_x (d(x, y) + f_k(x)), which is 1-Lipschitz and at most f_k.

Two stages find S and u. Iterated Bregman projections (Benamou et al. 2015) minimise the entropic
problem, and come near to S in some dozens of steps. The primal-dual method of Chambolle & Pock
(2011), on flows between near cells and with the step sizes of Pock & Chambolle (2011), then closes
the gap. Flows along few directions make distances a little too long; this costs only tightness of
the bound, never its truth.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._exact import transport
from ._types import Array, Matrix, Vector
from .compilation import compiled

#: Strengths of entropy in cells, one after the other, and the steps of each.
ENTROPIES = ((0.4, 20), (0.2, 30), (0.1, 30), (0.05, 30))
#: Cells that a flow may step over at once.
REACH = 4
#: Balance of the steps of flows and potentials.
BALANCE = 1e-3
#: Steps between looks at the gap, and looks at most.
STEPS, LOOKS = 250, 16
#: Potentials are tried as they are and somewhat flatter, against the error of the directions.
FLATTER = (1.0, 0.995, 0.99)
#: A gap of so few cells is none.
SAME = 1e-9
#: What keeps logarithms finite.
LEAST = 1e-250


class Nearest(NamedTuple):
    """The nearest map.

    Attributes:
        map: (h, w), summing to one.
        cost: its mean distance from the maps, in cells.
        bound: what no map can be below.
    """

    map: Matrix
    cost: float
    bound: float


def nearest(maps: Matrix, tolerance: float) -> Nearest:
    """The map of the least mean earth mover's distance from some maps.

    Args:
        maps: (K, h, w), non-negative, each summing to one.
        tolerance: stop when the cost is certified to lie within this share of the least.
    """
    count, height, width = maps.shape
    aims = np.ascontiguousarray(maps.reshape(count, -1))
    y, x = np.divmod(np.arange(height * width), width)
    distances = np.hypot(np.subtract.outer(y, y), np.subtract.outer(x, x))
    best, potentials = _entropic(aims, distances)
    cost, bound = _cost(best, aims, (height, width)), _bound(potentials, aims, distances)
    tails, heads, lengths = _edges(height, width)
    degrees = np.bincount(np.concatenate([tails, heads]), minlength=y.size).astype(float)
    flows, current = np.zeros((count, tails.size)), best.copy()
    for _ in range(LOOKS):
        if cost - bound <= max(tolerance * cost, SAME):
            break
        _primal_dual(potentials, flows, current, aims, tails, heads, lengths, degrees, STEPS)
        bound = max(bound, _bound(potentials, aims, distances))
        found = _cost(current / current.sum(), aims, (height, width))
        if found < cost:
            best, cost = current / current.sum(), found
    return Nearest(best.reshape(height, width), cost, max(min(bound, cost), 0.0))


def _cost(map_: Vector, aims: Matrix, shape: tuple[int, int]) -> float:
    return float(np.mean([transport((map_ - aim).reshape(shape))[0] for aim in aims]))


def _bound(potentials: Matrix, aims: Matrix, distances: Matrix) -> float:
    """What the potentials certify, by the formula of the module."""
    best = 0.0
    for flatter in FLATTER:
        feasible = np.empty_like(potentials)
        given = flatter * potentials
        for cell in range(distances.shape[0]):
            feasible[:, cell] = (given + distances[cell]).min(axis=1)
        sure = float((feasible * aims).sum() / len(aims) - feasible.mean(axis=0).max())
        best = max(best, sure)
    return best


def _entropic(aims: Matrix, distances: Matrix) -> tuple[Vector, Matrix]:
    """The nearest map of the entropic problem, and the potentials."""
    cells, count = aims.shape[1], aims.shape[0]
    potentials = np.zeros((cells, count))
    logs = np.zeros((cells, 1))
    for entropy, steps in ENTROPIES:
        kernel = np.exp(-distances / entropy)
        scale = np.exp(np.clip(potentials / entropy, -280.0, 280.0))
        for _ in range(steps):
            log = np.log(kernel @ (aims.T / (kernel @ scale + LEAST)) + LEAST)
            logs = log.mean(axis=1, keepdims=True)
            scale = np.exp(logs - log)
        potentials = entropy * np.log(scale)
    found = np.exp(logs[:, 0] - logs.max())
    return found / found.sum(), np.ascontiguousarray(-potentials.T)


def _edges(height: int, width: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Vector]:
    """Pairs of near cells, one for each direction and place, with their distance."""
    ids = np.arange(height * width).reshape(height, width)
    tails, heads, lengths = [], [], []
    for dy in range(REACH + 1):
        for dx in range(-REACH if dy else 1, REACH + 1):
            if math.gcd(dy, dx) != 1 or dy * dy + dx * dx > REACH**2 + 1 or dy >= height:
                continue
            if abs(dx) >= width:
                continue
            low, high = max(0, -dx), width - max(0, dx)
            tails.append(ids[: height - dy, low:high].ravel())
            heads.append(ids[dy:, low + dx : high + dx].ravel())
            lengths.append(np.full(tails[-1].size, math.hypot(dy, dx)))
    if not tails:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0)
    return np.concatenate(tails), np.concatenate(heads), np.concatenate(lengths)


@compiled()
def _primal_dual(
    potentials: Array,
    flows: Array,
    current: Array,
    aims: Array,
    tails: Array,
    heads: Array,
    lengths: Array,
    degrees: Array,
    steps: int,
) -> None:
    """Steps of the primal-dual method, in place: shrink flows, project the map, raise prices."""
    count, cells = potentials.shape
    step = 0.5 * BALANCE
    left = np.empty(cells)
    for _ in range(steps):
        moved = np.zeros(cells)
        for k in range(count):
            for i in range(cells):
                moved[i] += potentials[k, i]
        for i in range(cells):
            moved[i] = current[i] + moved[i] * BALANCE / count
        ordered = np.sort(moved)[::-1]
        total, level = 0.0, 0.0
        for j in range(cells):  # onto the simplex
            total += ordered[j]
            if ordered[j] > (total - 1.0) / (j + 1):
                level = (total - 1.0) / (j + 1)
        for i in range(cells):
            new = max(moved[i] - level, 0.0)
            moved[i] = 2.0 * new - current[i]
            current[i] = new
        for k in range(count):
            for i in range(cells):
                left[i] = aims[k, i] - moved[i]
            for e in range(tails.size):
                a, b, old = tails[e], heads[e], flows[k, e]
                value = old + step * (potentials[k, b] - potentials[k, a])
                least = step * lengths[e]
                if value > least:
                    value -= least
                elif value < -least:
                    value += least
                else:
                    value = 0.0
                flows[k, e] = value
                left[b] -= 2.0 * value - old
                left[a] += 2.0 * value - old
            for i in range(cells):
                potentials[k, i] += left[i] / ((degrees[i] + 1.0) * BALANCE)
