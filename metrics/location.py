"""Metrics against fixations: four AUCs, NSS and information gain.

Conventions (formulas and sources in docs/conventions.md):

``"mit"``
    What the code of the MIT Saliency Benchmark (Bylinskii et al., 2012-2018) computes, and with
    it most published tables. A pixel that was fixated counts once.
``"tuebingen"``
    The MIT/Tuebingen benchmark since 2019 (Kuemmerer et al., 2018): each fixation counts, ties
    count half, the standard deviation has the divisor P.

Fixations are count maps (..., H, W), as `metrics.fixation_map` makes them.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._ranking import STEPS, Ranking, Vector
from metrics._scene import Scene, run

Convention = Literal["mit", "tuebingen"]
CONVENTIONS = ("mit", "tuebingen")

#: The smallest step above 1 in double precision, which the reference code adds to divisors.
EPS = float(np.finfo(np.float64).eps)


def auc_judd(
    prediction: Array,
    fixations: Array,
    *,
    convention: Convention = "mit",
    jitter: bool = False,
    rng: np.random.Generator | int | None = None,
) -> Any:
    """Area under the ROC curve with the fixated values as thresholds (Judd et al. 2009)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    generator = None if rng is None else np.random.default_rng(rng)
    kernel = partial(auc_judd_kernel, convention=convention, jitter=jitter, rng=generator)
    return run({"": kernel}, {"prediction": prediction, "fixations": fixations})[""]


def auc_judd_kernel(
    scene: Scene,
    *,
    convention: str = "mit",
    jitter: bool = False,
    rng: np.random.Generator | None = None,
) -> Any:
    """`auc_judd` of a scene."""
    if convention == "tuebingen":
        return scene.by_ranking(partial(_against_pixels, multiplicity=True, everywhere=True))
    return scene.by_ranking(partial(_judd, jitter=jitter, rng=rng))


def _judd(ranking: Ranking, jitter: bool, rng: np.random.Generator | None) -> float:
    negatives = _negatives(ranking)
    if ranking.constant:
        return 0.5
    thresholds = np.sort(ranking.fixated)[::-1]
    n = thresholds.size
    rank = np.arange(1, n + 1)
    if jitter:
        above = _expected_above(ranking, thresholds, rng)
    else:
        above = ranking.at_least(thresholds) - rank
    fp = np.concatenate([[0.0], above / negatives, [1.0]])
    tp = np.concatenate([[0.0], rank / n, [1.0]])
    return float(np.sum(np.diff(fp) * (tp[1:] + tp[:-1])) / 2)


def _expected_above(
    ranking: Ranking, thresholds: Vector, rng: np.random.Generator | None
) -> Vector:
    """Non-fixated pixels above each threshold once ties are broken at random.

    Of f fixated pixels tied with g others, the j-th from the top has j*g/(f+1) of the others
    above it on average; with a generator, one random order is drawn.
    """
    values, first, fixated = np.unique(-thresholds, return_index=True, return_counts=True)
    tied = ranking.at_least(-values) - ranking.above(-values) - fixated
    higher = ranking.above(-values) - first
    group = np.repeat(np.arange(values.size), fixated)
    j = np.arange(thresholds.size) - first[group] + 1
    if rng is None:
        return higher[group] + j * tied[group] / (fixated[group] + 1)
    drawn = [
        np.sort(rng.choice(g + f, size=f, replace=False)) - np.arange(f)
        for g, f in zip(tied, fixated, strict=True)
    ]
    return higher[group] + np.concatenate(drawn)


def _negatives(ranking: Ranking) -> int:
    negatives = ranking.size - len(ranking.fixated)
    if negatives == 0:
        raise ValueError("fixations cover every pixel: there is nothing to tell them from")
    return negatives


def auc(
    prediction: Array,
    fixations: Array,
    negatives: Array | None = None,
    *,
    convention: Convention = "mit",
) -> Any:
    """The plain area under the ROC curve (Mann-Whitney): ties count half, no thresholds."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "fixations": fixations, "other": negatives}
    if negatives is None:
        kernel = partial(auc_kernel, convention=convention)
    else:
        kernel = partial(auc_shuffled_plain, multiplicity=convention == "tuebingen")
    return run({"": kernel}, maps)[""]


def auc_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`auc` of a scene."""
    everywhere = convention == "tuebingen"
    return scene.by_ranking(
        partial(_against_pixels, multiplicity=everywhere, everywhere=everywhere)
    )


def _against_pixels(ranking: Ranking, *, multiplicity: bool, everywhere: bool) -> float:
    """Tie-aware AUC against all pixels, or those that nobody fixated."""
    negatives = ranking.size if everywhere else _negatives(ranking)
    if ranking.constant:
        return 0.5
    at_least = ranking.at_least(ranking.fixated)
    above = ranking.above(ranking.fixated)
    if not everywhere:
        ordered = np.sort(ranking.fixated)
        at_least = at_least - (ordered.size - np.searchsorted(ordered, ranking.fixated, "left"))
        above = above - (ordered.size - np.searchsorted(ordered, ranking.fixated, "right"))
    beaten = negatives - (at_least + above) / 2
    weights = ranking.counts if multiplicity else None
    return float(np.average(beaten, weights=weights) / negatives)


def auc_shuffled_plain(scene: Scene, *, multiplicity: bool) -> Any:
    """Tie-aware AUC against the fixations of other images."""
    return scene.by_ranking(partial(_against_others, multiplicity=multiplicity))


def _against_others(ranking: Ranking, *, multiplicity: bool) -> float:
    if ranking.constant:
        return 0.5
    order = np.argsort(ranking.others, kind="stable")
    others = ranking.others[order]
    counts = ranking.other_counts[order] if multiplicity else np.ones(others.size)
    below = np.concatenate([[0.0], np.cumsum(counts)])
    left = below[np.searchsorted(others, ranking.fixated, "left")]
    right = below[np.searchsorted(others, ranking.fixated, "right")]
    weights = ranking.counts if multiplicity else None
    return float(np.average((left + right) / 2, weights=weights) / below[-1])


def auc_borji(
    prediction: Array,
    fixations: Array,
    *,
    convention: Convention = "mit",
    splits: int | None = None,
    rng: np.random.Generator | int | None = None,
    return_std: bool = False,
) -> Any:
    """AUC against random pixels, with thresholds in steps of 0.1 (Borji et al. 2013)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(
        auc_borji_kernel, convention=convention, splits=splits, rng=_generator(splits, rng)
    )
    found = run({"": kernel}, {"prediction": prediction, "fixations": fixations})[""]
    return found if return_std else found[0]


def auc_shuffled(
    prediction: Array,
    fixations: Array,
    other: Array,
    *,
    convention: Convention = "mit",
    splits: int | None = None,
    rng: np.random.Generator | int | None = None,
    return_std: bool = False,
) -> Any:
    """AUC against the fixations of other images, so that a centre bias earns nothing."""
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(
        auc_shuffled_kernel, convention=convention, splits=splits, rng=_generator(splits, rng)
    )
    maps = {"prediction": prediction, "fixations": fixations, "other": other}
    found = run({"": kernel}, maps)[""]
    return found if return_std else found[0]


def _generator(
    splits: int | None, rng: np.random.Generator | int | None
) -> np.random.Generator | None:
    if splits is None:
        return None
    if splits < 1:
        raise ValueError(f"splits is {splits}; it can be None (exact) or at least 1")
    return np.random.default_rng(rng)


def auc_borji_kernel(
    scene: Scene,
    *,
    convention: str = "mit",
    splits: int | None = None,
    rng: np.random.Generator | None = None,
) -> Any:
    """`auc_borji` of a scene, with the standard deviation of one split."""
    if convention == "tuebingen":
        return scene.by_ranking(partial(_uniform, multiplicity=True))
    return scene.by_ranking(partial(_borji, splits=splits, rng=rng))


def auc_shuffled_kernel(
    scene: Scene,
    *,
    convention: str = "mit",
    splits: int | None = None,
    rng: np.random.Generator | None = None,
) -> Any:
    """`auc_shuffled` of a scene, with the standard deviation of one split."""
    if convention == "tuebingen":
        return scene.by_ranking(partial(_shuffled_plain, multiplicity=True))
    return scene.by_ranking(partial(_shuffled, splits=splits, rng=rng))


def _uniform(ranking: Ranking, multiplicity: bool) -> tuple[float, float]:
    return _against_pixels(ranking, multiplicity=multiplicity, everywhere=True), 0.0


def _shuffled_plain(ranking: Ranking, multiplicity: bool) -> tuple[float, float]:
    return _against_others(ranking, multiplicity=multiplicity), 0.0


def _levels(values: Vector) -> Vector:
    """How many of the thresholds each value reaches, less one: 0 to 10."""
    return np.searchsorted(STEPS, values, side="right") - 1


def _gain(ranking: Ranking) -> Vector:
    """(11,) what one negative of each level is worth: the fixated pixels above it, ties half."""
    fixated = np.bincount(_levels(ranking.fixated), minlength=STEPS.size)
    above = fixated[::-1].cumsum()[::-1] - fixated
    return np.asarray((above + fixated / 2) / ranking.fixated.size)


def _borji(
    ranking: Ranking, splits: int | None, rng: np.random.Generator | None
) -> tuple[float, float]:
    if ranking.constant:
        return 0.5, 0.0
    gain = _gain(ranking)
    at_least = np.append(ranking.at_least(STEPS), 0)
    share = (at_least[:-1] - at_least[1:]) / ranking.size
    if splits is None:
        mean = float(np.sum(share * gain))
        variance = float(np.sum(share * (gain - mean) ** 2))
        return mean, (variance / ranking.fixated.size) ** 0.5
    assert rng is not None
    drawn = rng.choice(gain, size=(splits, ranking.fixated.size), p=share)
    return _summary(drawn.mean(axis=1))


def _shuffled(
    ranking: Ranking, splits: int | None, rng: np.random.Generator | None
) -> tuple[float, float]:
    if ranking.constant:
        return 0.5, 0.0
    gains = _gain(ranking)[_levels(ranking.others)]
    drawn = min(ranking.fixated.size, gains.size)
    if splits is None:
        if drawn == gains.size:
            return float(gains.mean()), 0.0
        # a sample without replacement of a finite population
        variance = float(gains.var(ddof=1)) * (1 - drawn / gains.size) / drawn
        return float(gains.mean()), variance**0.5
    assert rng is not None
    sample = [rng.choice(gains, size=drawn, replace=False).mean() for _ in range(splits)]
    return _summary(np.array(sample))


def _summary(scores: Vector) -> tuple[float, float]:
    return float(scores.mean()), float(scores.std(ddof=1)) if scores.size > 1 else 0.0


def nss(prediction: Array, fixations: Array, *, convention: Convention = "mit") -> Any:
    """Normalised scanpath saliency: the map's z-score at the fixations (Peters et al. 2005)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "fixations": fixations}
    return run({"": partial(nss_kernel, convention=convention)}, maps)[""]


def nss_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`nss` of a scene."""
    xp = scene.xp
    found = scene.field("prediction")
    ddof = 1 if convention == "mit" else 0
    deviation = (found.squares / max(found.size - ddof, 1)) ** 0.5
    mean = scene.mean_at_fixations(
        lambda v: (v - found.mean) / deviation, "prediction", multiplicity=convention == "tuebingen"
    )
    return arrays.where(xp, scene.per_map(found.constant), 0.0, mean)


def info_gain(
    prediction: Array,
    fixations: Array,
    baseline: Array,
    *,
    convention: Convention = "mit",
    negative: str = "error",
) -> Any:
    """Information gain over a baseline, in bits a fixation (Kuemmerer et al. 2015)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "fixations": fixations, "baseline": baseline}
    kernel = partial(info_gain_kernel, convention=convention)
    return run({"": kernel}, maps, negative=negative)[""]


def info_gain_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`info_gain` of a scene."""
    xp = scene.xp
    model, base = scene.mass("prediction"), scene.mass("baseline")

    def gain(p: Array, b: Array) -> Array:
        if convention == "mit":
            return xp.log2(EPS + model.spanned_shares(p)) - xp.log2(EPS + base.spanned_shares(b))
        return xp.log2(model.floored_shares(p)) - xp.log2(base.floored_shares(b))

    each = convention == "tuebingen"
    return scene.mean_at_fixations(gain, "prediction", "baseline", multiplicity=each)
