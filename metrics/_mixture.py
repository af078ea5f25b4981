"""The weights of a mixture of known densities that make what was seen most likely."""

from __future__ import annotations

import numpy as np

from ._types import Matrix, Vector

#: Nats of mean log-likelihood that the weights may be short of the best.
SHORT = 1e-9
STEPS = 2000


def best_weights(values: Matrix, shares: Vector) -> tuple[Vector, float]:
    """Maximise the mean log-likelihood of a mixture over its weights.

    The problem is concave. Each step is one of expectation maximisation (Dempster, Laird & Rubin
    1977). For weights w with likelihoods m = values @ w, no other weights do better by more than
    ``log max_k sum(shares * values[:, k] / m)`` (Lindsay 1983), which stops the steps.

    Args:
        values: (n, k) the density of each component at each observation, non-negative, no row
            of zeros.
        shares: (n,) weight of each observation, summing to one.

    Returns:
        (k,) weights that sum to one, and the mean log-likelihood in nats.
    """
    weights = np.full(values.shape[1], 1.0 / values.shape[1])
    for _ in range(STEPS):
        gains = (shares / (values @ weights)) @ values
        if np.log(gains.max()) <= SHORT:
            break
        weights = weights * gains
        weights /= weights.sum()
    return weights, float(shares @ np.log(values @ weights))
