"""From scores of images to a statement about a method: interval, test, correction.

scipy.stats does the work; it is imported when it is needed, for that takes most of a second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import choice

#: Random numbers drawn at a time, which bounds the memory.
CHUNK = 2_000_000


#: Ways to an interval of a mean; how often each covers is in docs/statistics.md.
METHODS = ("t", "studentised", "bca", "percentile")
#: Below so many scores an interval of any method is rough.
ROUGH = 10

Method = Literal["t", "studentised", "bca", "percentile"]


@dataclass(frozen=True)
class Interval:
    """A mean with its interval.

    Attributes
    ----------
    mean : float
        Of the scores.
    low, high : float or None
        Ends of the interval; None for a single score, which says nothing of how others vary.
    n : int
        Number of scores.
    """

    mean: float
    low: float | None
    high: float | None
    n: int


def mean_interval(
    scores: ArrayLike,
    *,
    level: float = 0.95,
    method: Method = "t",
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Mean with an interval over images: where the mean of all such images is likely to lie.

    Parameters
    ----------
    scores : (N,) array_like
        One score an image.
    level : float
        Confidence of the interval.
    method : {"t", "studentised", "bca", "percentile"}
        Student's t, which draws nothing; or a bootstrap over images (Efron & Tibshirani 1993): of
        the mean in units of its standard error, bias-corrected and accelerated, or of the
        percentiles. Scores that are all equal have an interval without width by each of them.
    resamples : int
        How often a bootstrap draws the images again, with replacement.
    seed : int
        Of these draws; the same scores give the same interval.

    Returns
    -------
    Interval
        Without ends for a single score. Those of the t and the studentised interval may lie beyond
        what the score can reach.

    Raises
    ------
    ValueError
        No score, NaN or infinite values among them, a level outside (0, 1), an unknown method, or
        scores of which a studentised draw cannot be made, for nearly all are equal.

    Examples
    --------
    >>> found = mean_interval([0.61, 0.55, 0.72, 0.58, 0.66])
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
    (0.624, 0.54, 0.708)
    >>> mean_interval([0.61])
    Interval(mean=0.61, low=None, high=None, n=1)
    """
    values = _scores(scores, "scores")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    choice(method, METHODS, "method")
    mean = float(values.mean())
    if values.size == 1:
        return Interval(mean, None, None, 1)
    if _unvarying(values, float(np.abs(values).max())):
        return Interval(mean, mean, mean, values.size)
    if method == "t":
        from scipy.stats import t

        reach = float(t.ppf((1 + level) / 2, values.size - 1)) * _standard_error(values)
        return Interval(mean, mean - reach, mean + reach, values.size)
    rng = np.random.default_rng(seed)
    if method == "studentised":
        return Interval(mean, *_studentised(values, level, resamples, rng), values.size)
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        vectorized=True,
        n_resamples=resamples,
        batch=max(1, CHUNK // values.size),
        confidence_level=level,
        method="BCa" if method == "bca" else "percentile",
        rng=rng,
    )
    low, high = map(float, found.confidence_interval)
    return Interval(mean, low, high, values.size)


def proportion_interval(hits: int, n: int, *, level: float = 0.95) -> Interval:
    """A share of successes with its interval, which stays between 0 and 1 (Wilson 1927).

    Parameters
    ----------
    hits, n : int
        Successes, such as emotions that were recognised, among so many trials.
    level : float
        Confidence of the interval.

    Returns
    -------
    Interval
        Without ends for a single trial.

    Raises
    ------
    ValueError
        No trial, more hits than trials, or a level outside (0, 1).

    Examples
    --------
    >>> found = proportion_interval(20, 20)
    >>> found.mean, round(found.low, 3), found.high
    (1.0, 0.839, 1.0)
    """
    if not 0 <= hits <= n or n < 1:
        raise ValueError(f"{hits} hits of {n}: there must be a trial, and no more hits than trials")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    if n == 1:
        return Interval(float(hits), None, None, 1)
    from scipy.stats import binomtest

    found = binomtest(hits, n).proportion_ci(confidence_level=level, method="wilson")
    share = hits / n  # rounding may put an end that is the share itself beyond it
    return Interval(share, min(float(found.low), share), max(float(found.high), share), n)


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1)) / math.sqrt(values.size)


def _unvarying(values: NDArray[np.float64], magnitude: float) -> bool:
    """Whether values are equal but for the rounding of numbers of this magnitude."""
    return bool(np.ptp(values) <= 4 * np.finfo(np.float64).eps * magnitude)


def _studentised(
    values: NDArray[np.float64], level: float, resamples: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Ends by the bootstrap of the mean in units of its standard error.

    A draw of one score again and again has no standard error; it is left out.
    """
    mean, found = values.mean(), []
    at_a_time = max(1, CHUNK // values.size)
    for start in range(0, resamples, at_a_time):
        shape = (min(at_a_time, resamples - start), values.size)
        drawn = rng.choice(values, shape)
        errors = drawn.std(axis=1, ddof=1) / math.sqrt(values.size)
        kept = errors > 1e-12 * np.abs(values).max()
        found.append((drawn[kept].mean(axis=1) - mean) / errors[kept])
    deviations = np.concatenate(found)
    if not deviations.size:
        raise ValueError("scores: no draw has two different values; take another method, or more")
    low, high = np.quantile(deviations, [(1 - level) / 2, (1 + level) / 2])
    error = _standard_error(values)
    return float(min(mean - high * error, mean)), float(max(mean - low * error, mean))


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
        Mean difference in units of the standard deviation of the differences (Cohen's d_z).
        Infinite where each image has the same difference, and not a number where that is 0, or
        where there is one image.
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
    n = d.size
    wins, losses = int((d > 0).sum()), int((d < 0).sum())
    return PairedTest(
        difference=float(d.mean()),
        p_value=_p_value(d, resamples, seed) if n > 1 and d.any() else 1.0,
        effect=_effect(d, float(max(np.abs(a).max(), np.abs(b).max()))),
        wins=wins,
        ties=n - wins - losses,
        losses=losses,
        n=n,
    )


def _effect(d: NDArray[np.float64], magnitude: float) -> float:
    """Cohen's d_z of differences of scores of this magnitude, which are rounded to it."""
    if d.size == 1:
        return math.nan
    mean = float(d.mean())
    if not _unvarying(d, magnitude):
        return mean / float(d.std(ddof=1))
    rounding = 4 * np.finfo(np.float64).eps * magnitude
    return math.nan if abs(mean) <= rounding else math.copysign(math.inf, mean)


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


# ------------------------------------------------- of measures that only a whole set has (F1, CCC)

#: Names of measures -> their values (...), of which NaN is none.
Values = Mapping[str, NDArray[np.float64]]


def set_intervals(
    measure: Callable[[NDArray[np.int64]], Values],
    n: int,
    *,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Percentile bootstrap intervals of measures of a whole set, such as macro-F1.

    All measures are computed on the same draws of images.

    Parameters
    ----------
    measure : callable
        Takes indices (..., n) of images and returns, for each name, values (...). Draws without a
        value (NaN) are left out.
    n : int
        Number of images.
    level, resamples, seed
        As for `mean_interval`.

    Returns
    -------
    dict
        Name -> `Interval`, whose mean is the measure of all images; without ends for a single one.

    Raises
    ------
    ValueError
        No image, a level outside (0, 1), or a measure without a value.
    """
    if n < 1:
        raise ValueError("there is no image to average over")
    if not 0 < level < 1:
        raise ValueError(f"level is {level}; it must lie between 0 and 1")
    whole = {name: float(value) for name, value in measure(np.arange(n)).items()}
    for name, value in whole.items():
        if not np.isfinite(value):
            raise ValueError(f"{name} has no value on these images")
    if n == 1:
        return {name: Interval(value, None, None, n) for name, value in whole.items()}
    rng = np.random.default_rng(seed)
    size = max(1, CHUNK // n)
    drawn: dict[str, list[NDArray[np.float64]]] = {name: [] for name in whole}
    for start in range(0, resamples, size):
        rows = min(size, resamples - start)
        for name, values in measure(rng.integers(0, n, (rows, n))).items():
            drawn[name].append(values)
    tails = [100 * (1 - level) / 2, 100 * (1 + level) / 2]
    found = {}
    for name, value in whole.items():
        values = np.concatenate(drawn[name])
        low, high = np.percentile(values[np.isfinite(values)], tails)
        found[name] = Interval(value, float(low), float(high), n)
    return found


def set_permutation_tests(
    difference: Callable[[NDArray[np.bool_]], Values],
    n: int,
    *,
    resamples: int = 9999,
    seed: int = 0,
) -> dict[str, float]:
    """Paired permutation tests of measures of a whole set: two-sided p-values.

    As `paired_permutation_test`, with the methods swapped on random images: all swaps are tried if
    there are at most ``resamples``.

    Parameters
    ----------
    difference : callable
        Takes (..., n) true where the two methods are swapped, and returns, for each name, what the
        first then has more than the second (...). NaN is no value, and such a swap is left out.
    n : int
        Number of images.
    resamples, seed
        As for `paired_permutation_test`.

    Returns
    -------
    dict
        Name -> p-value.

    Raises
    ------
    ValueError
        No image, or a difference without a value.
    """
    if n < 1:
        raise ValueError("there is no image to compare on")
    seen = {name: abs(float(v)) for name, v in difference(np.zeros(n, dtype=bool)).items()}
    for name, value in seen.items():
        if not np.isfinite(value):
            raise ValueError(f"{name} has no value on these images")
    exact = n < 63 and 2**n <= resamples
    total = 2**n if exact else resamples
    rng = np.random.default_rng(seed)
    size = max(1, CHUNK // n)
    above = dict.fromkeys(seen, 0 if exact else 1)  # the observed one counts (Phipson & Smyth 2010)
    tried = dict.fromkeys(seen, 0 if exact else 1)
    for start in range(0, total, size):
        rows = min(size, total - start)
        if exact:
            numbers = np.arange(start, start + rows, dtype=np.int64)
            swaps = (numbers[:, None] >> np.arange(n)) & 1 == 1
        else:
            swaps = rng.integers(0, 2, (rows, n), dtype=np.int8) == 1
        for name, values in difference(swaps).items():
            there = np.abs(values[np.isfinite(values)])
            # equal differences may differ in the last bits
            above[name] += int((there >= seen[name] * (1 - 1e-12) - 1e-15).sum())
            tried[name] += there.size
    return {name: above[name] / tried[name] for name in seen}
