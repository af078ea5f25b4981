"""Measures of labels: one emotion a picture, against the true one.

Every measure here is a function of the confusion matrix (the functions called ``_kernel``), so that
a set can be drawn anew thousands of times for an interval. Classes that neither side has are left
out of means over classes, as scikit-learn does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._types import Array
from ._inputs import Codes, given_back
from .wheel import MIKELS, Wheel

AVERAGES = ("macro", "weighted", "micro")

_SHARED = """
    Parameters
    ----------
    prediction, label : (..., N) array_like
        Labels of N pictures, names or whole numbers from 0; NumPy, torch or lists.
    classes : (C,) sequence of str, optional
        The names of all classes, in the order of the numbers. Default: those that occur.
"""
_WHEEL = """    wheel : Wheel
        Which emotions are positive, and how far they lie apart.
"""
_RETURNS = """
    Returns
    -------
    float or (...) array
        One value a set.

    Raises
    ------
    ValueError
        No picture, different numbers of them, a label that is not among the classes{more}.
"""


def accuracy(prediction: Array, label: Array, *, classes: Sequence[str] | None = None) -> Any:
    """Share of pictures whose label is right, 0 to 1."""
    return _measure(accuracy_kernel, prediction, label, classes)


def balanced_accuracy(
    prediction: Array, label: Array, *, classes: Sequence[str] | None = None
) -> Any:
    """Mean recall of the classes that have pictures, 0 to 1 (Brodersen et al., ICPR 2010)."""
    return _measure(balanced_accuracy_kernel, prediction, label, classes)


def f1(
    prediction: Array,
    label: Array,
    *,
    classes: Sequence[str] | None = None,
    average: str | None = "macro",
) -> Any:
    """F1 of each class, 2 TP / (2 TP + FP + FN), averaged over classes, 0 to 1.

    ``average`` is "macro" (each class counts the same), "weighted" (each as often as it is true),
    "micro" (over all pictures, which is the accuracy), or None for an array (..., C) with NaN for
    classes that neither side has.
    """
    if average is not None and average not in AVERAGES:
        raise ValueError(f"average is {average!r}; it can be {', '.join(AVERAGES)} or None")
    return _measure(partial(f1_kernel, average=average), prediction, label, classes)


def cohen_kappa(prediction: Array, label: Array, *, classes: Sequence[str] | None = None) -> Any:
    """Cohen's kappa: agreement beyond chance, -1 to 1 (Cohen 1960).

    It has no value where both sides have the same one class throughout.
    """
    return _measure(cohen_kappa_kernel, prediction, label, classes, lacking="kappa")


def recall(prediction: Array, label: Array, *, classes: Sequence[str] | None = None) -> Any:
    """Recall of each class, (..., C) in the order of the classes (sorted, where none are given).

    NaN for a class without pictures.
    """
    return _measure(recall_kernel, prediction, label, classes)


def confusion_matrix(
    prediction: Array, label: Array, *, classes: Sequence[str] | None = None
) -> Any:
    """Counts (..., C, C): rows are the label, columns the prediction.

    In the order of the classes (sorted, where none are given).
    """
    return _measure(np.asarray, prediction, label, classes)


def polarity_accuracy(
    prediction: Array,
    label: Array,
    *,
    classes: Sequence[str] | None = None,
    wheel: Wheel = MIKELS,
) -> Any:
    """Share of pictures whose polarity is right, positive or negative, 0 to 1."""
    return _on_wheel(polarity_accuracy_kernel, prediction, label, classes, wheel)


def ecc(
    prediction: Array,
    label: Array,
    *,
    classes: Sequence[str] | None = None,
    wheel: Wheel = MIKELS,
) -> Any:
    """Emotion confusion confidence: the mean of 1 / distance, 0 to 1; higher is better.

    An emotion has distance 1 from itself, see `Wheel` (Zhao et al., "To Err Like Human", NeurIPS
    2024).
    """
    return _on_wheel(ecc_kernel, prediction, label, classes, wheel)


def emc(
    prediction: Array,
    label: Array,
    *,
    classes: Sequence[str] | None = None,
    wheel: Wheel = MIKELS,
) -> Any:
    """Emotional mistake confidence: the mean of 1 / (distance - 1) over the wrong pictures.

    0 to 1; higher is better: mistakes are mild. It has no value where nothing is wrong, which is a
    ValueError (Zhao et al., "To Err Like Human", NeurIPS 2024).
    """
    return _on_wheel(emc_kernel, prediction, label, classes, wheel, lacking="EMC")


for _function, _parts in {
    accuracy: (_SHARED, _RETURNS.format(more="")),
    balanced_accuracy: (_SHARED, _RETURNS.format(more="")),
    f1: (_SHARED, _RETURNS.format(more=", or an average that does not exist")),
    cohen_kappa: (_SHARED, _RETURNS.format(more=", or one class throughout")),
    recall: (_SHARED, _RETURNS.format(more="").replace("(...)", "(..., C)")),
    confusion_matrix: (_SHARED, _RETURNS.format(more="")),
    polarity_accuracy: (_SHARED, _WHEEL, _RETURNS.format(more=", or not on the wheel")),
    ecc: (_SHARED, _WHEEL, _RETURNS.format(more=", or not on the wheel")),
    emc: (_SHARED, _WHEEL, _RETURNS.format(more=", or not on the wheel; nothing is wrong")),
}.items():
    _function.__doc__ = f"{(_function.__doc__ or '').rstrip()}\n{''.join(_parts)}"


# --------------------------------------------- of confusion matrices (..., C, C); NaN for no value


def accuracy_kernel(counts: NDArray[Any]) -> NDArray[np.float64]:
    """`accuracy` of confusion matrices."""
    return _over(_diagonal(counts).sum(axis=-1), counts.sum(axis=(-2, -1)))


def recall_kernel(counts: NDArray[Any]) -> NDArray[np.float64]:
    """`recall` of confusion matrices."""
    return _over(_diagonal(counts), counts.sum(axis=-1))


def balanced_accuracy_kernel(counts: NDArray[Any]) -> NDArray[np.float64]:
    """`balanced_accuracy` of confusion matrices."""
    return _mean(recall_kernel(counts))


def f1_kernel(counts: NDArray[Any], *, average: str | None = "macro") -> NDArray[np.float64]:
    """`f1` of confusion matrices."""
    if average == "micro":
        return accuracy_kernel(counts)
    true, found = counts.sum(axis=-1), counts.sum(axis=-2)
    each = _over(2.0 * _diagonal(counts), true + found)
    if average is None:
        return each
    if average == "macro":
        return _mean(each)
    return _over((np.nan_to_num(each) * true).sum(axis=-1), true.sum(axis=-1))


def cohen_kappa_kernel(counts: NDArray[Any]) -> NDArray[np.float64]:
    """`cohen_kappa` of confusion matrices."""
    n = counts.sum(axis=(-2, -1)).astype(np.float64)
    chance = (counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1)
    agreed = _diagonal(counts).sum(axis=-1)
    return _over(n * agreed - chance, n * n - chance)


def polarity_accuracy_kernel(
    counts: NDArray[Any], *, wheel: Wheel, classes: Sequence[str]
) -> NDArray[np.float64]:
    """`polarity_accuracy` of confusion matrices."""
    positive = wheel.is_positive(classes)
    same = positive[:, None] == positive[None]
    return _over((counts * same).sum(axis=(-2, -1)), counts.sum(axis=(-2, -1)))


def ecc_kernel(
    counts: NDArray[Any], *, wheel: Wheel, classes: Sequence[str]
) -> NDArray[np.float64]:
    """`ecc` of confusion matrices."""
    weights = 1.0 / wheel.distances(classes)
    return _over((counts * weights).sum(axis=(-2, -1)), counts.sum(axis=(-2, -1)))


def emc_kernel(
    counts: NDArray[Any], *, wheel: Wheel, classes: Sequence[str]
) -> NDArray[np.float64]:
    """`emc` of confusion matrices."""
    distances = wheel.distances(classes)
    wrong = ~np.eye(len(classes), dtype=bool)
    weights = np.where(wrong, 1.0 / np.maximum(distances - 1, 1), 0.0)
    return _over((counts * weights).sum(axis=(-2, -1)), (counts * wrong).sum(axis=(-2, -1)))


def _diagonal(counts: NDArray[Any]) -> NDArray[Any]:
    return np.diagonal(counts, axis1=-2, axis2=-1)


def _over(upper: Any, lower: Any) -> NDArray[np.float64]:
    """A quotient, NaN where the divisor is 0."""
    some = np.asarray(lower) != 0
    found = np.asarray(upper) / np.where(some, lower, 1)
    return np.asarray(np.where(some, found, np.nan), dtype=np.float64)


def _mean(each: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean over the classes that have a value."""
    some = ~np.isnan(each)
    return _over(np.where(some, each, 0.0).sum(axis=-1), some.sum(axis=-1))


# --------------------------------------------------------------------------------------- of labels


def _measure(
    kernel: Callable[[NDArray[Any]], Any],
    prediction: Array,
    label: Array,
    classes: Sequence[str] | None,
    lacking: str = "",
) -> Any:
    codes = Codes(prediction, label, classes)
    return _valued(kernel(codes.confusion()), codes, lacking)


def _on_wheel(
    kernel: Callable[..., Any],
    prediction: Array,
    label: Array,
    classes: Sequence[str] | None,
    wheel: Wheel,
    lacking: str = "",
) -> Any:
    codes = Codes(prediction, label, classes)
    if not codes.named:
        raise ValueError(
            "labels are numbers, and a wheel has names; give classes, the names in their order"
        )
    return _valued(kernel(codes.confusion(), wheel=wheel, classes=codes.classes), codes, lacking)


def _valued(value: Any, codes: Codes, lacking: str) -> Any:
    """The value as the caller's kind.

    Raises:
        ValueError: a measure of one number has none.
    """
    if lacking and np.isnan(value).any():
        why = "nothing is wrong" if lacking == "EMC" else "both sides have one class throughout"
        raise ValueError(f"{lacking} has no value: {why}")
    return given_back(codes.like, value)
