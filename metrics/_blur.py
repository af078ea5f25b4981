"""The Gaussian blur of a count map, exact to rounding, by way of a coarse grid.

A Gaussian is the convolution of two narrower ones. Between the two the map is so smooth that it
needs values on a grid of every third of a sigma only: fixations are spread to the nodes of the
grid by one Gaussian, and the nodes to the pixels by the other. The sum over nodes stands for an
integral; by Poisson's formula its relative error is 2 exp(-2 (pi m / step)^2) for a step between
nodes, where 1 / m^2 is the sum of the two 1 / sigma^2; `MIDDLE` makes that 3e-17.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._types import Matrix

#: Standard deviations at which a Gaussian ends, 9e-17 of its height.
REACH = 8.6
#: Nodes in a standard deviation.
NODES = 3
#: The m of the formula above in steps between nodes.
MIDDLE = 1.4
#: Standard deviation in pixels up to which every pixel is a node.
FINE = 6.0


class Expansion(NamedTuple):
    """From nodes to pixels along one axis: a band of weights for each pixel.

    Attributes:
        first: (size,) the first node that a pixel sees.
        weights: (size, k) of that node and the following.
        margin: nodes before the first pixel.
        sums: (nodes,) what each node adds to all pixels together.
    """

    first: NDArray[np.int64]
    weights: Matrix
    margin: int
    sums: Matrix


def blur(places: NDArray[np.int64], counts: Matrix, shape: tuple[int, int], sigma: float) -> Matrix:
    """Blur counts at some pixels, with nothing beyond the border, and let the map sum to one.

    Args:
        places: (n,) flat positions in a map of this (height, width), ascending.
        counts: (n,) at least one of them positive.
        sigma: standard deviation in pixels.
    """
    from ._compiled import banded, spread

    height, width = shape
    step, inner, outer = _split(sigma)
    rows, columns = _expansion(height, step, outer), _expansion(width, step, outer)
    nodes = np.zeros((rows.sums.size, columns.sums.size))
    y, x = np.divmod(places, width)
    spread(y, x, counts, _profile(step, inner), step, rows.margin, nodes)
    across = np.empty((width, rows.sums.size))
    banded(columns.first, columns.weights, np.ascontiguousarray(nodes.T), across)
    total = rows.sums @ np.add.reduce(across, axis=0)
    found = np.empty(shape)
    banded(rows.first, rows.weights, np.ascontiguousarray(across.T / total), found)
    return found


def _split(sigma: float) -> tuple[int, float, float]:
    """Pixels between nodes, and the Gaussians from places to nodes and from nodes to pixels."""
    if sigma < FINE:
        return 1, 0.0, sigma
    step = int(sigma // NODES)
    outer = sigma * math.sqrt((1 - math.sqrt(1 - (2 * MIDDLE * step / sigma) ** 2)) / 2)
    return step, math.sqrt(sigma**2 - outer**2), outer


@lru_cache(maxsize=32)
def _profile(step: int, sigma: float) -> Matrix:
    """(step, t) the Gaussian at the nodes around a place, see `metrics._compiled.spread`."""
    if sigma == 0.0:
        return np.ones((1, 1))
    reach = math.ceil(REACH * sigma / step)
    away = np.arange(-reach, reach + 1) * step - np.arange(step)[:, None]
    return np.asarray(np.exp(-0.5 * (away / sigma) ** 2))


@lru_cache(maxsize=32)
def _expansion(size: int, step: int, sigma: float) -> Expansion:
    reach = REACH * sigma
    margin = math.ceil(reach / step)
    pixels = np.arange(size)
    first = np.ceil((pixels - reach) / step).astype(np.int64)
    seen = first[:, None] + np.arange(int(2 * reach // step) + 1)
    weights = np.exp(-0.5 * ((seen * step - pixels[:, None]) / sigma) ** 2)
    sums = np.zeros(int(seen[-1, -1]) + margin + 1)
    np.add.at(sums, seen + margin, weights)
    return Expansion(first + margin, weights, margin, sums)
