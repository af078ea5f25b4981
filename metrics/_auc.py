"""The areas under the ROC curve, each as a function of a `Ranking`.

An area is linear in the false positives, so that chance in the negatives (random pixels, random
order of ties) can be replaced by its expectation: the area of the expected curve. What negatives of
level q contribute is the share of fixated pixels above q, plus half of those at q.
"""

from __future__ import annotations

import numpy as np

from ._ranking import Ranking
from ._types import Vector


def judd(ranking: Ranking, jitter: bool, rng: np.random.Generator | None) -> float:
    """Thresholds at the N fixated values: i/N hits against the other pixels at or above the i-th.

    The reference subtracts i, not the fixated pixels at or above, so ties bend the curve. Jitter
    orders them at random: the expectation, or one draw with a generator. The area under the
    trapezoids through (fp_i, i/N) is 1 - (sum of fp_i - fp_N / 2) / N.
    """
    negatives = _unfixated(ranking)
    if ranking.constant:
        return 0.5
    n = ranking.fixated.size
    if ranking.weighted:
        hits, false = judd_curve(ranking, jitter, rng)
        return min(max(float(np.trapezoid(hits, false)), 0.0), 1.0)
    if jitter:
        above = _above_in_random_order(ranking, rng)
        total, last = float(above.sum()), float(above[-1])
    else:
        at_least = ranking.at_least(ranking.fixated)
        total, last = float(at_least.sum()) - n * (n + 1) / 2, float(at_least.max()) - n
    area = float(1.0 - (total - last / 2) / (n * negatives))
    return min(max(area, 0.0), 1.0)  # a curve bent by ties can leave the unit square


def judd_curve(
    ranking: Ranking, jitter: bool, rng: np.random.Generator | None
) -> tuple[Vector, Vector]:
    """The curve of AUC-Judd from (0, 0) to (1, 1): hits, and false alarms, at each threshold."""
    n = ranking.fixated.size
    order = np.argsort(-ranking.fixated, kind="stable")
    descending = ranking.fixated[order]
    if jitter:
        above = _above_in_random_order(ranking, rng)
    else:
        above = ranking.at_least(descending) - np.arange(1, n + 1)
    _, group, size = np.unique(-descending, return_inverse=True, return_counts=True)
    weights = (np.bincount(group, ranking.once[order]) / size)[group]  # ties have no order
    hits = np.cumsum(weights) / weights.sum()
    hits[-1] = 1.0
    return (
        np.concatenate([[0.0], hits, [1.0]]),
        np.concatenate([[0.0], above / _unfixated(ranking), [1.0]]),
    )


def _above_in_random_order(ranking: Ranking, rng: np.random.Generator | None) -> Vector:
    """Pixels that nobody fixated above each of the fixated ones, ties being broken at random.

    Of f fixated pixels tied with g others, the j-th has j * g / (f + 1) others above on average.
    """
    thresholds = np.sort(ranking.fixated)[::-1]
    descending, first, fixated = np.unique(-thresholds, return_index=True, return_counts=True)
    above = ranking.above(-descending)
    tied = ranking.at_least(-descending) - above - fixated
    group = np.repeat(np.arange(descending.size), fixated)
    j = np.arange(thresholds.size) - first[group] + 1
    if rng is None:
        among = j * tied[group] / (fixated[group] + 1)
    else:
        drawn = [
            np.sort(rng.choice(int(g + f), size=int(f), replace=False)) - np.arange(f)
            for g, f in zip(tied, fixated, strict=True)
        ]
        among = np.concatenate(drawn)
    return (above - first)[group] + among


def _unfixated(ranking: Ranking) -> int:
    unfixated = ranking.size - len(ranking.fixated)
    if unfixated == 0:
        raise ValueError("fixations cover every pixel: there is nothing to tell them from")
    return unfixated


def against_pixels(ranking: Ranking, *, multiplicity: bool, everywhere: bool) -> float:
    """Mann-Whitney against all pixels, or those that nobody fixated; ties count half."""
    negatives = ranking.size if everywhere else _unfixated(ranking)
    if ranking.constant:
        return 0.5
    fixated = ranking.fixated
    at_least, above = ranking.at_least(fixated), ranking.above(fixated)
    if not everywhere:
        ordered = np.sort(fixated)
        at_least = at_least - (ordered.size - np.searchsorted(ordered, fixated, "left"))
        above = above - (ordered.size - np.searchsorted(ordered, fixated, "right"))
    beaten = negatives - (at_least + above) / 2
    weights = ranking.counts if multiplicity else ranking.once
    return float(np.sum(beaten * weights) / weights.sum() / negatives)


def against_others(ranking: Ranking, *, multiplicity: bool) -> float:
    """Mann-Whitney against the fixations of other images; ties count half."""
    if ranking.constant:
        return 0.5
    order = np.argsort(ranking.others, kind="stable")
    others = ranking.others[order]
    counts = (ranking.other_counts if multiplicity else ranking.other_once)[order]
    below = np.concatenate([[0.0], np.cumsum(counts)])
    left = below[np.searchsorted(others, ranking.fixated, "left")]
    right = below[np.searchsorted(others, ranking.fixated, "right")]
    weights = ranking.counts if multiplicity else ranking.once
    return float(np.sum((left + right) / 2 * weights) / weights.sum() / below[-1])


def _levels(values: Vector, steps: Vector) -> Vector:
    """The highest of the steps 0, 0.1 ... 1 that each value reaches, as its number."""
    return np.searchsorted(steps, values, side="right") - 1


def _gain(ranking: Ranking, steps: Vector) -> Vector:
    """(11,) what a negative of each level is worth."""
    fixated = np.bincount(_levels(ranking.fixated, steps), ranking.once, minlength=steps.size)
    above = fixated[::-1].cumsum()[::-1] - fixated
    return np.asarray((above + fixated / 2) / fixated.sum())


def borji(
    ranking: Ranking, steps: Vector, splits: int | None, rng: np.random.Generator | None
) -> tuple[float, float]:
    """Thresholds in steps of 0.1, N random pixels as negatives; mean and deviation of a split."""
    if ranking.constant:
        return 0.5, 0.0
    gain = _gain(ranking, steps)
    n = ranking.fixated.size
    at_least = np.append(ranking.at_least(steps), 0)
    share = (at_least[:-1] - at_least[1:]) / ranking.size
    if splits is None or rng is None:
        mean = float(np.sum(share * gain))
        return mean, (float(np.sum(share * (gain - mean) ** 2)) / n) ** 0.5
    return _summary(rng.choice(gain, size=(splits, n), p=share).mean(axis=1))


def shuffled(
    ranking: Ranking, steps: Vector, splits: int | None, rng: np.random.Generator | None
) -> tuple[float, float]:
    """The same with min(N, M) of the M fixated pixels of other images, each at most once."""
    if ranking.constant:
        return 0.5, 0.0
    gains = _gain(ranking, steps)[_levels(ranking.others, steps)]
    drawn = min(ranking.fixated.size, gains.size)
    if splits is None or rng is None:
        if drawn == gains.size:
            return float(gains.mean()), 0.0
        # the mean of a sample without replacement from a finite population
        variance = float(gains.var(ddof=1)) * (1 - drawn / gains.size) / drawn
        return float(gains.mean()), variance**0.5
    sample = [rng.choice(gains, size=drawn, replace=False).mean() for _ in range(splits)]
    return _summary(np.array(sample))


def _summary(scores: Vector) -> tuple[float, float]:
    return float(scores.mean()), float(scores.std(ddof=1)) if scores.size > 1 else 0.0
