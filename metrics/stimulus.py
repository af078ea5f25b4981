"""Metrics against maps of what evoked an emotion (EmotionROI): MAE, precision and recall.

Such a map is no density of gaze: each pixel holds the share of people who marked it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, NamedTuple

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._scene import Scene, run
from metrics.location import CONVENTIONS, Convention

#: The weight of precision that salient-object papers give the F-measure (Achanta et al. 2009).
BETA2 = 0.3


class PrecisionRecall(NamedTuple):
    """Precision, recall and F-measure of a binarised map, each 0 to 1."""

    precision: Any
    recall: Any
    f: Any


def mae(
    prediction: Array, density: Array, *, convention: Convention = "mit", normalize: bool = True
) -> Any:
    """Mean absolute difference of two maps, each min-max normalised unless told otherwise."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": partial(mae_kernel, normalize=normalize)}, maps)[""]


def mae_kernel(scene: Scene, *, normalize: bool = True) -> Any:
    """`mae` of a scene."""
    xp = scene.xp
    p, d = scene.pair("prediction", "density")
    scene.mass("density")
    if normalize:
        return p.sum(xp.abs(p.unit - d.unit)) / p.size
    return p.sum(xp.abs(p.values - d.values)) / p.size


def precision_recall(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    threshold: float | Literal["adaptive"] = "adaptive",
    truth_threshold: float = 0.5,
) -> PrecisionRecall:
    """Precision, recall and F-measure of a map binarised against a binarised truth."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    kernel = partial(precision_recall_kernel, threshold=threshold, truth_threshold=truth_threshold)
    return PrecisionRecall(*run({"": kernel}, maps)[""])


def precision_recall_kernel(
    scene: Scene,
    *,
    threshold: float | Literal["adaptive"] = "adaptive",
    truth_threshold: float = 0.5,
) -> tuple[Any, Any, Any]:
    """`precision_recall` of a scene."""
    xp = scene.xp
    p, d = scene.pair("prediction", "density")
    scene.mass("density")
    if threshold == "adaptive":
        cut = xp.clip(2 * p.sum(p.unit) / p.size, None, 1.0)
    else:
        cut = xp.full_like(p.low, threshold)
    chosen = xp.astype(p.unit >= cut, p.values.dtype)
    true = xp.astype(d.values >= truth_threshold * d.high, p.values.dtype)
    both, n_chosen, n_true = p.sum(chosen * true), p.sum(chosen), p.sum(true)
    precision = both / xp.where(n_chosen > 0, n_chosen, 1.0)
    recall = both / n_true
    divisor = BETA2 * precision + recall
    f = (1 + BETA2) * precision * recall / xp.where(divisor > 0, divisor, 1.0)
    return precision, recall, f
