"""The place of each method, with an interval: mean ranks over metrics, redrawn over images.

The bootstrap is paired: in each resample all methods and metrics see the same images, so that a
hard image is hard for all (Efron & Tibshirani 1993). Images of different data sets are redrawn
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: As for the interval of a mean.
RESAMPLES, LEVEL = 2000, 0.95
#: Random numbers drawn at a time, which bounds the memory.
CHUNK = 2_000_000


@dataclass(frozen=True)
class Placed:
    """A method among others.

    Attributes:
        place: 1 is best; methods with the same mean rank share the better place.
        low, high: ends of the 95% interval of the place.
        mean_rank: rank averaged over the metrics (and data sets); equal means share their ranks.
    """

    place: int
    low: int
    high: int
    mean_rank: float


def placed(sets: Sequence[NDArray[np.floating]], seed: int = 0) -> list[Placed]:
    """The place of each method over one or several data sets, each of which counts the same.

    Args:
        sets: for each data set the values (K, M, N) of K methods, M metrics, N images, with the
            sign that makes larger better. K is the same everywhere.
        seed: of the bootstrap.

    Returns:
        One `Placed` for each method, in their order.

    Raises:
        ValueError: no data set, methods that differ in number, no value, or one that is not finite.
    """
    if not sets or len({values.shape[0] for values in sets}) != 1:
        raise ValueError("placed: give one or more arrays of the same methods")
    for values in sets:
        if values.ndim != 3 or not values.size or not np.isfinite(values).all():
            raise ValueError(f"placed: values must be (K, M, N) and finite, not {values.shape}")
    rng = np.random.default_rng(seed)
    observed = np.mean([_mean_ranks(v.mean(axis=2)[None])[0] for v in sets], axis=0)
    drawn = np.mean([_redrawn(values, rng) for values in sets], axis=0)
    places = _places(drawn)
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    low, high = np.quantile(places, tails, axis=0, method="inverted_cdf")
    now = _places(observed[None])[0]
    return [
        Placed(int(at), int(min(a, at)), int(max(b, at)), float(mean))
        for at, a, b, mean in zip(now, low, high, observed, strict=True)
    ]


def _redrawn(values: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.float64]:
    """Mean ranks (RESAMPLES, K) of resampled images."""
    methods, metrics, images = values.shape
    flat = values.reshape(methods * metrics, images).T
    found = []
    step = max(1, CHUNK // images)
    for start in range(0, RESAMPLES, step):
        count = min(step, RESAMPLES - start)
        picked = rng.integers(0, images, (count, images))
        picked += np.arange(count)[:, None] * images
        times = np.bincount(picked.ravel(), minlength=count * images).reshape(count, images)
        means = (times @ flat / images).reshape(count, methods, metrics)
        found.append(_mean_ranks(means))
    return np.concatenate(found)


def _mean_ranks(means: NDArray[Any]) -> NDArray[np.float64]:
    """Means (B, K, M), larger is better -> ranks (B, K) averaged over the metrics."""
    from scipy.stats import rankdata

    scale = np.abs(means).max(axis=1, keepdims=True)
    # equal means may differ in the last bits
    rounded = np.round(means / np.where(scale > 0, scale, 1), 12)
    ranks: NDArray[np.float64] = rankdata(-rounded, axis=1).mean(axis=2)
    return ranks


def _places(ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Mean ranks (B, K) -> places, of which equal mean ranks share the better one."""
    from scipy.stats import rankdata

    found: NDArray[np.int64] = rankdata(np.round(ranks, 9), axis=1, method="min").astype(np.int64)
    return found
