"""The ROC curves whose areas the AUCs are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from . import _arrays as arrays
from . import _auc
from ._conventions import CONVENTIONS, Convention, Kind, Thresholds
from ._ranking import THRESHOLDS, Ranking
from ._run import run
from ._scene import Scene
from ._types import Array, Vector

#: The AUCs of the catalogue that have a curve.
AREAS = ("auc_judd", "auc_borji", "auc_shuffled", "auc")


class ROC(NamedTuple):
    """A curve from (0, 0) to (1, 1): share of negatives, and of fixations, at or above thresholds.

    ``numpy.trapezoid(roc.hits, roc.false_alarms)`` is the area.
    """

    false_alarms: Vector
    hits: Vector


def roc(
    prediction: Array,
    fixations: Array,
    other: Array | None = None,
    *,
    metric: str = "auc",
    convention: Convention = "mit",
    jitter: bool = False,
    thresholds: Thresholds = "octave",
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """The curve of an AUC; where negatives are drawn, that of the expectation over the draws.

    Parameters
    ----------
    prediction, fixations
        As in `auc_judd`.
    other : (..., H, W), (H, W) or (N, 2) array_like, or a list of (N, 2), optional
        The negatives of ``"auc_shuffled"``, as there; of ``"auc"`` if given.
    metric : {"auc_judd", "auc_borji", "auc_shuffled", "auc"}
        Whose curve.
    convention : {"mit", "tuebingen"}
        As in that metric.
    jitter
        As in `auc_judd`, which alone uses it.
    thresholds
        As in `auc_borji`.
    mask, weights, kind
        As in `auc_judd`.

    Returns
    -------
    ROC or list of ROC
        Two (n,) arrays of 0..1 on the host; for a batch a list in the order of its maps. The area
        under the trapezoids is the value of the metric. A constant map has the diagonal. The curve
        of ``"auc_judd"`` without jitter goes back where ties bend it; where it leaves the unit
        square, the metric is cut to 0..1.

    Raises
    ------
    ValueError
        As the metric; an unknown metric, or ``"auc_shuffled"`` without ``other``.

    Examples
    --------
    >>> import numpy as np
    >>> prediction = np.arange(12.0).reshape(3, 4)
    >>> found = roc(prediction, prediction == 9)
    >>> [float(round(share, 3)) for share in found.false_alarms], found.hits.tolist()
    ([0.0, 0.182, 0.182, 1.0], [0.0, 0.0, 1.0, 1.0])
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    arrays.choice(metric, AREAS, "metric")
    arrays.choice(thresholds, tuple(THRESHOLDS), "thresholds")
    maps = {"prediction": prediction, "fixations": fixations}
    if metric == "auc_shuffled" and other is None:
        raise ValueError("auc_shuffled needs other, which is not given")
    if other is not None and metric in ("auc_shuffled", "auc"):
        maps["other"] = other
    curve = _curve(metric, convention, "other" in maps, jitter, THRESHOLDS[thresholds])
    found: list[ROC] = []

    def keep(ranking: Ranking) -> float:
        found.append(_DIAGONAL if ranking.constant else curve(ranking))
        return 0.0

    def kernel(scene: Scene) -> Any:
        return scene.by_ranking(keep)

    shape = np.shape(run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""])
    return found if shape else found[0]


_DIAGONAL = ROC(np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def _curve(
    metric: str, convention: str, against_others: bool, jitter: bool, steps: Vector
) -> Callable[[Ranking], ROC]:
    """The function that makes the curve of a map."""
    each = convention == "tuebingen"
    if metric == "auc_judd" and not each:
        return lambda ranking: ROC(*_auc.judd_curve(ranking, jitter, None)[::-1])
    if metric in ("auc_borji", "auc_shuffled") and not each:
        return partial(_stepped, steps=steps)
    return partial(_whole, multiplicity=each, everywhere=each, against_others=against_others)


def _reached(values: Vector, weights: Vector, thresholds: Vector, side: Any) -> Vector:
    """Weight of the values >= each threshold (side "left") or > it ("right")."""
    order = np.argsort(values, kind="stable")
    below = np.concatenate([[0.0], np.cumsum(weights[order])])
    return np.asarray(below[-1] - below[np.searchsorted(values[order], thresholds, side)])


def _stepped(ranking: Ranking, steps: Vector) -> ROC:
    """AUC-Borji and shuffled AUC: thresholds in steps, all pixels or the others as negatives."""
    falling = steps[::-1]
    hits = _reached(ranking.fixated, ranking.once, falling, "left") / ranking.once.sum()
    if ranking.others.size:
        ones = np.ones(ranking.others.size)
        false = _reached(ranking.others, ones, falling, "left") / ranking.others.size
    else:
        false = ranking.at_least(falling) / ranking.size
    return _ended(false, hits)


def _whole(ranking: Ranking, multiplicity: bool, everywhere: bool, against_others: bool) -> ROC:
    """Every fixated value a threshold, with a corner above it and one at it: no step is missed."""
    weights = ranking.counts if multiplicity else ranking.once
    falling = np.unique(ranking.fixated)[::-1]
    corners = []
    for side in ("right", "left"):
        hits = _reached(ranking.fixated, weights, falling, side) / weights.sum()
        if against_others:
            shares = ranking.other_counts if multiplicity else ranking.other_once
            false = _reached(ranking.others, shares, falling, side) / shares.sum()
        else:
            false = ranking.above(falling) if side == "right" else ranking.at_least(falling)
            if not everywhere:
                ones = np.ones(ranking.fixated.size)
                false = false - _reached(ranking.fixated, ones, falling, side)
            false = false / (ranking.size - (0 if everywhere else ranking.fixated.size))
        corners.append((false, hits))
    false, hits = (np.stack(pair, axis=-1).ravel() for pair in zip(*corners, strict=True))
    return _ended(false, hits)


def _ended(false: Vector, hits: Vector) -> ROC:
    """With the ends of every curve."""
    return ROC(np.concatenate([[0.0], false, [1.0]]), np.concatenate([[0.0], hits, [1.0]]))
