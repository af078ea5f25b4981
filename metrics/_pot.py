"""Exact optimal transport by POT, with no code of ours: a second opinion on `metrics._exact`.

POT (Flamary et al., JMLR 2021) solves the dense problem by its own network simplex (Bonneel et al.
2011). It needs no compiled code of this library, but a matrix of all costs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Pivots after which POT stops. Grids whose costs fit in memory need far fewer.
PIVOTS = 100_000_000


def transport(difference: NDArray[np.float64]) -> tuple[float, float]:
    """Least cost of moving the positive part of a map onto the negative part.

    Args:
        difference: (h, w), summing to zero but for rounding.

    Returns:
        The cost (mass times distance in cells), and a lower bound of the least cost from the dual
        problem; the two are equal but for rounding.

    Raises:
        ImportError: POT is not installed.
        RuntimeError: POT found no optimum.
    """
    try:
        import ot
    except ImportError as error:
        raise ImportError("method 'pot' needs the package POT: pip install POT") from error
    sources, sinks = difference > 0, difference < 0
    a, b = difference[sources], -difference[sinks]
    if not (a.size and b.size):
        return 0.0, 0.0
    moved = float(a.sum())
    steps = np.argwhere(sources)[:, None] - np.argwhere(sinks)
    costs = np.hypot(steps[..., 0], steps[..., 1])
    a, b = a / moved, b / b.sum()
    cost, log = ot.emd2(a, b, costs, numItermax=PIVOTS, log=True)
    if log["warning"]:
        raise RuntimeError(f"POT found no optimum: {log['warning']}")
    sent = log["u"]  # prices of the sources; those of the sinks are as high as costs allow
    bound = float(np.dot(a, sent) + np.dot(b, (costs - sent[:, None]).min(axis=0)))
    return float(cost) * moved, min(max(bound, 0.0), float(cost)) * moved
