"""Measures between distributions over emotions (label distribution learning).

Conventions, with formulas and what each gives on the same pictures in docs/scoring-emotions.md; d
is the label, p the prediction, C the number of classes:

``"geng"``
    The definitions of Geng, "Label Distribution Learning", IEEE TKDE 2016.
``"styleedl"``
    What the code of StyleEDL (ACM Multimedia 2023) computes: Clark's sum and Canberra divided by C.
``"ecc"``
    What the code of "To Err Like Human" (NeurIPS 2024) computes: KL as sum d ln(d / (p + 1e-10) +
    1e-10).

The conventions differ in KL, Clark and Canberra; the others are the same in all three. Classes to
which both give 0 add nothing under any convention (the code of "ecc" prints no number there).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

from .. import _arrays as arrays
from .._types import Array
from ._inputs import check_distribution, run

Convention = Literal["geng", "styleedl", "ecc"]
CONVENTIONS: tuple[str, ...] = ("geng", "styleedl", "ecc")

#: "ecc": what is added to the prediction and to the quotient.
FLOOR = 1e-10

_SHARED = """
    Parameters
    ----------
    prediction, label : (..., C) array_like
        Distributions over at least two classes; NumPy or torch.
    convention : {"geng", "styleedl", "ecc"}
        See `metrics.emotion.distributions`.

    Returns
    -------
    float or (...) array
        One value a picture.

    Raises
    ------
    TypeError
        An argument that does not hold numbers.
    ValueError
        Negative, NaN or infinite values, distributions that do not sum to 1 (within 1e-3; 1e-2 of
        16-bit numbers), different numbers of classes, or no picture at all.
"""


def kl_divergence(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Kullback-Leibler divergence KL(label || prediction): sum d ln(d / p), in nats.

    Infinite where p = 0 < d, except under ``"ecc"``, whose floor bounds it near 23 (and lets it
    fall below 0 by some 1e-9). Differentiable in the prediction.
    """
    return _measure(_kl, prediction, label, convention)


def chebyshev(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Chebyshev distance: max abs(d - p), 0 to 1. Differentiable in the prediction."""
    return _measure(_chebyshev, prediction, label, convention)


def clark(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Clark distance: the root of sum (d - p)^2 / (d + p)^2, 0 to the root of C.

    Under ``"styleedl"``, the sum is divided by C, so 0 to 1. Differentiable in the prediction.
    """
    return _measure(_clark, prediction, label, convention)


def canberra(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Canberra distance: sum abs(d - p) / (d + p), 0 to C.

    Under ``"styleedl"``, divided by C, so 0 to 1. Differentiable in the prediction.
    """
    return _measure(_canberra, prediction, label, convention)


def cosine(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Cosine of the angle between the two, 0 to 1; higher is better. Differentiable."""
    return _measure(_cosine, prediction, label, convention)


def intersection(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Intersection: sum min(d, p), 0 to 1; higher is better. Differentiable."""
    return _measure(_intersection, prediction, label, convention)


def squared_chord(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Squared chord: sum (sqrt d - sqrt p)^2, 0 to 2. Differentiable where p > 0."""
    return _measure(_squared_chord, prediction, label, convention)


def sorensen(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Sorensen distance: sum abs(d - p) / sum (d + p), 0 to 1. Differentiable in the prediction."""
    return _measure(_sorensen, prediction, label, convention)


def euclidean(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Euclidean distance: the root of sum (d - p)^2, 0 to the root of 2. Differentiable."""
    return _measure(_euclidean, prediction, label, convention)


def fidelity(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Fidelity (Bhattacharyya coefficient): sum sqrt(d p), 0 to 1; higher is better.

    Differentiable where p > 0.
    """
    return _measure(_fidelity, prediction, label, convention)


def squared_chi2(prediction: Array, label: Array, *, convention: Convention = "geng") -> Any:
    """Squared chi2: sum (d - p)^2 / (d + p), 0 to 2. Differentiable in the prediction."""
    return _measure(_squared_chi2, prediction, label, convention)


for _function in (
    kl_divergence, chebyshev, clark, canberra, cosine, intersection, squared_chord, sorensen,
    euclidean, fidelity, squared_chi2,
):  # fmt: skip
    _function.__doc__ = f"{(_function.__doc__ or '').rstrip()}\n{_SHARED}"


def _measure(kernel: Any, prediction: Array, label: Array, convention: str) -> Any:
    arrays.choice(convention, CONVENTIONS, "convention")
    given = {"prediction": prediction, "label": label}
    return run(partial(kernel, convention=convention), given, check_distribution)


def _kl(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    some = d > 0
    share = xp.where(some, d, 1.0)
    if convention == "ecc":
        terms = share * xp.log(share / (p + FLOOR) + FLOOR)
        return xp.sum(xp.where(some, terms, 0.0), axis=-1)
    none = p <= 0
    terms = share * (xp.log(share) - xp.log(xp.where(none, 1.0, p)))
    terms = xp.where(some, xp.where(none, float("inf"), terms), 0.0)
    return arrays.bounded(xp, xp.sum(terms, axis=-1), 0.0, None)


def _chebyshev(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return xp.max(xp.abs(d - p), axis=-1)


def _clark(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    total = xp.sum(_quotient(xp, d - p, d + p) ** 2, axis=-1)
    return _root(xp, total / p.shape[-1] if convention == "styleedl" else total)


def _canberra(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    total = xp.sum(_quotient(xp, xp.abs(d - p), d + p), axis=-1)
    return total / p.shape[-1] if convention == "styleedl" else total


def _cosine(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    lengths = xp.sqrt(xp.sum(p * p, axis=-1)) * xp.sqrt(xp.sum(d * d, axis=-1))
    return arrays.bounded(xp, xp.sum(p * d, axis=-1) / lengths, 0.0, 1.0)


def _intersection(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return arrays.bounded(xp, xp.sum(xp.minimum(p, d), axis=-1), 0.0, 1.0)


def _squared_chord(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return xp.sum((_root(xp, d) - _root(xp, p)) ** 2, axis=-1)


def _sorensen(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return xp.sum(xp.abs(d - p), axis=-1) / xp.sum(d + p, axis=-1)


def _euclidean(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return _root(xp, xp.sum((d - p) ** 2, axis=-1))


def _fidelity(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return arrays.bounded(xp, xp.sum(_root(xp, d) * _root(xp, p), axis=-1), 0.0, 1.0)


def _squared_chi2(xp: Any, p: Array, d: Array, *, convention: str) -> Array:
    return xp.sum(_quotient(xp, (d - p) ** 2, d + p), axis=-1)


def _quotient(xp: Any, upper: Array, lower: Array) -> Array:
    """A quotient that is 0 where both are; nowhere is the gradient NaN."""
    some = lower > 0
    return xp.where(some, upper / xp.where(some, lower, 1.0), 0.0)


def _root(xp: Any, values: Array) -> Array:
    """The square root, whose gradient is taken as 0 at 0."""
    some = values > 0
    return xp.where(some, xp.sqrt(xp.where(some, values, 1.0)), 0.0)
