"""Metrics against maps of what evoked an emotion (EmotionROI): MAE, precision and recall.

Such a map is no density of gaze: each pixel holds the share of people who marked it.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, NamedTuple

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._field import add, inner
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
    p, d = scene.mass("prediction"), scene.mass("density")
    if normalize:
        return add(lambda a, b: xp.abs(p.unit(a) - d.unit(b)), p, d) / p.size
    return add(lambda a, b: xp.abs(a - b), p, d) / p.size


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
    p, d = scene.mass("prediction"), scene.mass("density")
    adaptive = threshold == "adaptive"
    cut = xp.clip(2 * add(p.unit, p) / p.size, None, 1.0) if adaptive else threshold

    def chosen(a: Array) -> Array:
        return xp.astype(p.unit(a) >= cut, xp.float64)

    def true(b: Array) -> Array:
        return xp.astype(b >= truth_threshold * d.high, xp.float64)

    both = inner(lambda a, b: (chosen(a), true(b)), p, d)
    n_chosen, n_true = add(chosen, p), add(true, d)
    precision = both / xp.where(n_chosen > 0, n_chosen, 1.0)
    recall = both / n_true
    divisor = BETA2 * precision + recall
    f = (1 + BETA2) * precision * recall / xp.where(divisor > 0, divisor, 1.0)
    return precision, recall, f
