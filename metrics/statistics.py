"""From scores of images to a statement about a method: interval, test, correction.

scipy.stats does the work; it is imported when it is needed, for that takes most of a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Random numbers drawn at a time, which bounds the memory.
CHUNK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """A mean with its bootstrap interval.

    Attributes
    ----------
    mean : float
        Of the scores.
    low, high : float
        Ends of the interval.
    n : int
        Number of scores.
    """

    mean: float
    low: float
    high: float
    n: int


def mean_interval(
    scores: ArrayLike, *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Mean with a percentile bootstrap interval over images (Efron & Tibshirani 1993).

    Parameters
    ----------
    scores : (N,) array_like
        One score an image.
    level : float
        Confidence of the interval.
    resamples : int
        How often the images are drawn again, with replacement.
    seed : int
        Of the draws; the same scores give the same interval.

    Raises
    ------
    ValueError
        No score, NaN or infinite values among them, or a level outside (0, 1).
    """
    values = _scores(scores, "scores")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    low = high = mean = float(values.mean())
    if values.size > 1:
        from scipy.stats import bootstrap

        found = bootstrap(
            (values,),
            np.mean,
            vectorized=True,
            n_resamples=resamples,
            batch=max(1, CHUNK // values.size),
            confidence_level=level,
            method="percentile",
            rng=np.random.default_rng(seed),
        )
        low, high = map(float, found.confidence_interval)
    return Interval(mean, low, high, values.size)


@dataclass(frozen=True)
class PairedTest:
    """Result of a paired permutation test.

    Attributes
    ----------
    difference : float
        Mean of first minus second.
    p_value : float
        Two-sided.
    effect : float
        Mean difference in units of its standard deviation (Cohen's d_z).
    wins, ties, losses : int
        Images where the first is higher, equal, lower.
    n : int
        Number of pairs.
    """

    difference: float
    p_value: float
    effect: float
    wins: int
    ties: int
    losses: int
    n: int


def paired_permutation_test(
    first: ArrayLike, second: ArrayLike, *, resamples: int = 9999, seed: int = 0
) -> PairedTest:
    """Test whether two methods differ on the same images, by swapping them at random.

    All swaps are tried if there are at most ``resamples`` of them; otherwise so many are drawn,
    and the p-value counts the observed one too (Phipson & Smyth 2010).

    Parameters
    ----------
    first, second : (N,) array_like
        Scores of the same images in the same order.
    resamples : int
        Number of random swaps.
    seed : int
        Of the swaps; the same scores give the same p-value.

    Raises
    ------
    ValueError
        Different lengths, no score, NaN or infinite values.
    """
    a, b = _scores(first, "first"), _scores(second, "second")
    if a.size != b.size:
        raise ValueError(f"first has {a.size} scores but second has {b.size}; pair them by image")
    d = a - b
    n, deviation = d.size, float(np.std(d, ddof=1)) if d.size > 1 else 0.0
    wins, losses = int((d > 0).sum()), int((d < 0).sum())
    return PairedTest(
        difference=float(d.mean()),
        p_value=_p_value(d, resamples, seed) if n > 1 and d.any() else 1.0,
        effect=float(d.mean()) / deviation if deviation > 0 else 0.0,
        wins=wins,
        ties=n - wins - losses,
        losses=losses,
        n=n,
    )


def _p_value(d: NDArray[np.float64], resamples: int, seed: int) -> float:
    """Of the mean of paired differences, each of which may as well have the other sign."""
    from scipy.stats import monte_carlo_test, permutation_test

    n, rng = d.size, np.random.default_rng(seed)
    scale = float(np.abs(d).mean())

    def distance(values: NDArray[np.float64], axis: int = -1) -> Any:
        """Of the mean from zero, rounded, since equal means may differ in the last bits."""
        return np.round(np.abs(values.mean(axis=axis)) / scale, 12)

    common: Any = {"vectorized": True, "alternative": "greater", "n_resamples": resamples}
    if n < 63 and 2**n <= resamples:
        found = permutation_test((d,), distance, permutation_type="samples", rng=rng, **common)
        return float(found.pvalue)

    def swapped(size: tuple[int, int]) -> Any:
        return d * (1.0 - 2.0 * rng.integers(0, 2, size=size, dtype=np.int8))

    found = monte_carlo_test(d, swapped, distance, batch=max(1, CHUNK // n), **common)
    return float(found.pvalue)


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Holm's step-down correction for several tests (Holm 1979).

    Parameters
    ----------
    p_values : (M,) array_like
        Uncorrected.

    Returns
    -------
    (M,) array
        Corrected, in the order given.

    Raises
    ------
    ValueError
        Values outside [0, 1], or not a vector.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p_values must be (M,) between 0 and 1, not {p_values!r}")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(stepped, 1.0)
    return corrected


def _scores(scores: ArrayLike, name: str) -> NDArray[Any]:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"{name} must be (N,), not {values.shape}")
    if values.size == 0:
        raise ValueError(f"{name} is empty: there is nothing to average")
    bad = ~np.isfinite(values)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"{name} has {int(bad.sum())} NaN or infinite value(s), the first at {first}"
        )
    return values
