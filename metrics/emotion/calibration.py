"""Measures of a classifier's probabilities: top-k accuracy, calibration error, reliability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .. import _arrays as arrays
from .._types import Array
from ._inputs import (
    ROUNDING,
    ROUNDING_16,
    batch,
    check_distribution,
    class_names,
    code,
    given_back,
    labels,
    numbers,
)


class Reliability(NamedTuple):
    """A reliability curve: the bins of confidence that have pictures, K of them.

    Attributes:
        low, high: (K,) ends of the bins; the upper one belongs to the bin.
        confidence: (K,) mean confidence.
        accuracy: (K,) share that is right.
        pictures: (K,) how many.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    pictures: NDArray[np.int64]


_SHARED = """
    Parameters
    ----------
    prediction : (..., N, C) array_like
        Probabilities of C classes for N pictures; NumPy or torch.
    label : (..., N) array_like
        The true class, as a number from 0, or by name.
    {own}
    classes : (C,) sequence of str, optional
        The names of the classes, in the order of the probabilities; needed for labels by name.

    Raises
    ------
    TypeError
        Probabilities that are not numbers.
    ValueError
        Probabilities that are negative, not finite or do not sum to 1; shapes that do not fit; a
        label that is not among the classes; {fault}.
"""


def top_k_accuracy(
    prediction: Array, label: Array, *, k: int = 3, classes: Sequence[str] | None = None
) -> Any:
    """Share of pictures whose label is among the k likeliest classes, 0 to 1, one value a set.

    Classes of equal probability share the places that are left to them, so that a classifier which
    says the same of all classes has k / C, whatever their order.
    """
    chances, codes, like = _checked(prediction, label, classes)
    if not 1 <= k < chances.shape[-1]:
        raise ValueError(f"k is {k}; of {chances.shape[-1]} classes it can be 1 to one less")
    return given_back(like, hits(chances, codes, k).mean(axis=-1))


def expected_calibration_error(
    prediction: Array, label: Array, *, bins: int = 15, classes: Sequence[str] | None = None
) -> Any:
    """Expected calibration error, 0 to 1, one value a set (Guo et al., ICML 2017).

    Pictures are sorted into equal bins by the probability of the likeliest class (the upper end
    belongs to a bin); the error is the mean of abs(accuracy - confidence) over bins, each weighed
    by its pictures. Where several classes are likeliest, the picture is right by their share.
    """
    chances, codes, like = _checked(prediction, label, classes)
    found = calibration_error(chances.max(axis=-1), hits(chances, codes, 1), _bins(bins))
    return given_back(like, found)


def reliability_curve(
    prediction: Array, label: Array, *, bins: int = 15, classes: Sequence[str] | None = None
) -> Reliability:
    """Confidence against accuracy by bins of confidence, as `expected_calibration_error` has them.

    Of one set: prediction (N, C), label (N,). Gives a `Reliability` of NumPy arrays.
    """
    chances, codes, _ = _checked(prediction, label, classes)
    if chances.ndim != 2:
        raise ValueError(f"prediction has shape {chances.shape}; a curve is of one set (N, C)")
    return reliability(chances.max(axis=-1), hits(chances, codes, 1), _bins(bins))


_K = "k : int\n        How many classes count."
_B = "bins : int\n        How many equal bins."
for _function, _own, _fault in (
    (top_k_accuracy, _K, "k outside 1 to C - 1"),
    (expected_calibration_error, _B, "fewer than 1 bin"),
    (reliability_curve, _B, "fewer than 1 bin, or more than one set"),
):
    _words = _SHARED.format(own=_own, fault=_fault)
    _function.__doc__ = f"{(_function.__doc__ or '').rstrip()}\n{_words}"


def hits(chances: NDArray[np.float64], codes: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """(..., N) 1 where the label is among the k likeliest; of equals, its share of the places."""
    own = np.take_along_axis(chances, codes[..., None], axis=-1)
    above = (chances > own).sum(axis=-1)
    equal = (chances == own).sum(axis=-1)
    return np.asarray(np.clip((k - above) / equal, 0.0, 1.0), dtype=np.float64)


def calibration_error(
    confidence: NDArray[np.float64], right: NDArray[np.float64], bins: int = 15
) -> NDArray[np.float64]:
    """`expected_calibration_error` of sets (..., N), given confidence and whether it was right."""
    shape = confidence.shape[:-1]
    rows = _places(confidence, bins).reshape(-1, confidence.shape[-1])
    place = (rows + bins * np.arange(len(rows))[:, None]).ravel()
    surplus = np.bincount(place, (right - confidence).ravel(), minlength=bins * len(rows))
    error = np.abs(surplus).reshape(-1, bins).sum(axis=-1) / confidence.shape[-1]
    return np.asarray(error.reshape(shape), dtype=np.float64)


def reliability(
    confidence: NDArray[np.float64], right: NDArray[np.float64], bins: int = 15
) -> Reliability:
    """`reliability_curve` of one set (N,), given confidence and whether it was right."""
    place = _places(confidence, bins)
    count = np.bincount(place, minlength=bins)
    some = np.flatnonzero(count)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.bincount(place, values, minlength=bins)[some]
        return np.asarray(total / count[some], dtype=np.float64)

    return Reliability(some / bins, (some + 1) / bins, mean(confidence), mean(right), count[some])


def _places(confidence: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The bin of each confidence: those in (i / bins, (i + 1) / bins] are in bin i."""
    edges = np.arange(1, bins) / bins
    return np.searchsorted(edges, confidence, side="left").astype(np.int64)


def _bins(bins: int) -> int:
    if int(bins) != bins or bins < 1:
        raise ValueError(f"bins is {bins}; it must be a whole number from 1")
    return int(bins)


def _checked(
    prediction: Array, label: Array, classes: Sequence[str] | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], Array | None]:
    """Probabilities (..., N, C) and labels (..., N) of one batch, and a tensor that came in."""
    given = numbers(prediction, "prediction")
    if given.ndim < 2:
        raise ValueError(
            f"prediction has shape {tuple(given.shape)}; it must be probabilities (..., N, C)"
        )
    slack = ROUNDING_16 if "float16" in str(given.dtype) else ROUNDING
    host = arrays.to_numpy(arrays.float64(arrays.namespace(given), given))
    arrays.check_finite(np, host, (host.sum(),), "prediction")
    check_distribution(np, host, "prediction", slack)
    n = host.shape[-1]
    names = class_names(classes if classes is not None else range(n))
    if len(names) != n:
        raise ValueError(f"{len(names)} classes, but probabilities of {n}")
    found = labels(label, "label")
    if classes is None and found.dtype.kind == "U":
        raise ValueError("label has names; give classes, in the order of the probabilities")
    places = code(found, names, "label")
    if places.shape[-1] != host.shape[-2]:
        raise ValueError(f"{host.shape[-2]} predictions, but {places.shape[-1]} labels")
    shape = batch({"prediction": host[..., 0], "label": places}, 1)
    chances = np.broadcast_to(host, (*shape, *host.shape[-2:]))
    like = next((a for a in (prediction, label) if arrays.is_foreign(a)), None)
    return chances, np.broadcast_to(places, (*shape, places.shape[-1])), like
