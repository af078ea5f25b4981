"""Metrics against maps of what evoked an emotion (EmotionROI): MAE, precision and recall.

Such a map is not a density of gaze: each pixel holds the share of people who marked it (Peng,
Sadovnik, Gallagher & Chen, ICIP 2016).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from . import _arrays as arrays
from ._conventions import CONVENTIONS, Convention
from ._field import Field, add, inner, kinked
from ._run import run
from ._scene import Scene
from ._types import Array

#: The weight of precision that salient-object papers give the F-measure (Achanta et al. 2009).
BETA2 = 0.3


class PrecisionRecall(NamedTuple):
    """Precision, recall and F-measure of a binarised map, each 0 to 1."""

    precision: Any
    recall: Any
    f: Any


def mae(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    normalize: bool = True,
    negative: str = "error",
    mask: Array | None = None,
) -> Any:
    """Mean absolute difference of two maps.

    Parameters
    ----------
    prediction, density : (..., H, W) array_like
        Any real dtype, non-negative; NumPy or torch.
    convention : {"mit", "tuebingen"}
        The same in both.
    normalize : bool
        Bring each map to [0, 1] first. Without, both must be on one scale already.
    negative : {"error", "clip", "keep"}
        What becomes of negative predictions: refused, set to zero, or taken as they are.
    mask : (..., H, W) array_like, optional
        True where a pixel is left out, as by a masked array.

    Returns
    -------
    float or (...) array
        0 to 1 if normalised; a constant prediction counts as 0 everywhere. Differentiable in the
        prediction.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, negative values, or a density that is zero
        everywhere.
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    kernel = partial(mae_kernel, normalize=normalize)
    return run({"": kernel}, maps, negative=negative, mask=mask)[""]


def mae_kernel(scene: Scene, *, normalize: bool = True) -> Any:
    """`mae` of a scene."""
    xp = scene.xp
    p, d = scene.mass_pair()

    def highest(field: Field, units: Array) -> Array:  # it stays 1 when it rises
        return xp.where(units == 1, -2.0 / field.span, 0.0)

    total = kinked(
        partial(_distance, xp),
        partial(_distance_falling, xp),
        Field.unit if normalize else _as_given,
        p,
        d,
        highest if normalize else None,
    )
    return total / p.size


def _as_given(field: Field, values: Array) -> Array:
    return values / field.scale


def _distance(xp: Any, a: Array, b: Array) -> Array:
    """The absolute difference, which rises with the first of equals."""
    return xp.abs(a - b) if xp is np else xp.where(a >= b, a - b, b - a)


def _distance_falling(xp: Any, a: Array, b: Array) -> Array:
    """The absolute difference, which rises when the first of equals falls."""
    return xp.where(a > b, a - b, b - a)


def precision_recall(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    threshold: float | Literal["adaptive"] = "adaptive",
    truth_threshold: float = 0.5,
    negative: str = "error",
    mask: Array | None = None,
) -> PrecisionRecall:
    """Precision, recall and F-measure of a binarised map against a binarised truth.

    Parameters
    ----------
    prediction, density : (..., H, W) array_like
        Any real dtype, non-negative; NumPy or torch.
    convention : {"mit", "tuebingen"}
        The same in both.
    threshold : float or "adaptive"
        Chosen are the pixels of the prediction, brought to [0, 1], at or above this; "adaptive" is
        twice the mean, at most 1 (Achanta et al. 2009).
    truth_threshold : float
        True are the pixels at or above this share of the highest value of ``density``.
    negative : {"error", "clip", "keep"}
        As in `mae`.
    mask
        As in `mae`.

    Returns
    -------
    PrecisionRecall
        Of floats or (...) arrays, 0 to 1: the share of the chosen that are true (0 where none is
        chosen), the share of the true that are chosen, and the F-measure with beta^2 = 0.3.

    Raises
    ------
    ValueError
        As in `mae`; a threshold outside (0, 1].
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    kernel = partial(precision_recall_kernel, threshold=threshold, truth_threshold=truth_threshold)
    return PrecisionRecall(*run({"": kernel}, maps, negative=negative, mask=mask)[""])


def precision_recall_kernel(
    scene: Scene,
    *,
    threshold: float | Literal["adaptive"] = "adaptive",
    truth_threshold: float = 0.5,
) -> tuple[Any, Any, Any]:
    """`precision_recall` of a scene."""
    for name, value in (("threshold", threshold), ("truth_threshold", truth_threshold)):
        if value != "adaptive" and not 0 < float(value) <= 1:
            raise ValueError(f"{name} is {value}; it must lie in (0, 1]")
    xp = scene.xp
    p, d = scene.mass_pair()
    adaptive = threshold == "adaptive"
    cut = xp.clip(2 * add(p.unit, p) / p.size, None, 1.0) if adaptive else threshold

    def chosen(a: Array) -> Array:
        return arrays.float64(xp, p.unit(a) >= cut)

    def true(b: Array) -> Array:
        return arrays.float64(xp, b >= truth_threshold * d.high)

    both = inner(lambda a, b: (chosen(a), true(b)), p, d)
    n_chosen, n_true = add(chosen, p), add(true, d)
    precision = both / arrays.where(xp, n_chosen > 0, n_chosen, 1.0)
    recall = both / n_true
    divisor = BETA2 * precision + recall
    f = (1 + BETA2) * precision * recall / arrays.where(xp, divisor > 0, divisor, 1.0)
    return precision, recall, f
