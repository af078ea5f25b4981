"""Measures of valence and arousal: numbers on a scale, against those that people gave.

Prediction and label must be on the same scale (1 to 9 in Emotion6, 1 to 7 in OASIS). Moments are
those of the population (divided by N).
"""

from __future__ import annotations

from typing import Any

from .. import _arrays as arrays
from .._types import Array
from ._inputs import check_nothing, run

_SHARED = """
    Parameters
    ----------
    prediction, label : (..., N) array_like
        Values of N pictures; NumPy or torch.

    Returns
    -------
    float or (...) array
        One value a set. Differentiable in the prediction.

    Raises
    ------
    TypeError
        An argument that does not hold numbers.
    ValueError
        NaN or infinite values, different numbers of pictures, or none at all.
"""


def ccc(prediction: Array, label: Array) -> Any:
    """Concordance: 2 cov(x, y) / (var x + var y + (mean x - mean y)^2), -1 to 1 (Lin 1989).

    0 where one of them is constant, since nothing varies together.
    """
    return _measure(_ccc, prediction, label)


def pearson(prediction: Array, label: Array) -> Any:
    """Pearson's correlation, -1 to 1; 0 where either is constant, as in `metrics.cc`."""
    return _measure(_pearson, prediction, label)


def rmse(prediction: Array, label: Array) -> Any:
    """Root of the mean squared error, in units of the scale."""
    return _measure(_rmse, prediction, label)


def mae(prediction: Array, label: Array) -> Any:
    """Mean absolute error, in units of the scale."""
    return _measure(_mae, prediction, label)


for _function in (ccc, pearson, rmse, mae):
    _function.__doc__ = f"{(_function.__doc__ or '').rstrip()}\n{_SHARED}"


def _measure(kernel: Any, prediction: Array, label: Array) -> Any:
    return run(kernel, {"prediction": prediction, "label": label}, check_nothing)


def _moments(xp: Any, x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Variance of both, covariance, difference of the means."""
    mean_x, mean_y = (xp.mean(a, axis=-1, keepdims=True) for a in (x, y))
    a, b = x - mean_x, y - mean_y
    products = (xp.mean(a * a, axis=-1), xp.mean(b * b, axis=-1), xp.mean(a * b, axis=-1))
    return (*products, (mean_x - mean_y)[..., 0])


def _ccc(xp: Any, x: Array, y: Array) -> Array:
    var_x, var_y, cov, apart = _moments(xp, x, y)
    below = var_x + var_y + apart**2
    # what is left of the mean's rounding is no variation
    some = (below > 0) & ~(_constant(xp, x) | _constant(xp, y))
    value = xp.where(some, 2 * cov / xp.where(some, below, 1.0), 0.0)
    return arrays.bounded(xp, value, -1.0, 1.0)


def _pearson(xp: Any, x: Array, y: Array) -> Array:
    var_x, var_y, cov, _ = _moments(xp, x, y)
    # what is left of the mean's rounding is no variation
    some = ~(_constant(xp, x) | _constant(xp, y)) & (var_x > 0) & (var_y > 0)
    scale = xp.sqrt(xp.where(some, var_x, 1.0)) * xp.sqrt(xp.where(some, var_y, 1.0))
    return arrays.bounded(xp, xp.where(some, cov / scale, 0.0), -1.0, 1.0)


def _constant(xp: Any, values: Array) -> Array:
    return xp.max(values, axis=-1) == xp.min(values, axis=-1)


def _rmse(xp: Any, x: Array, y: Array) -> Array:
    squares = xp.mean((x - y) ** 2, axis=-1)
    some = squares > 0
    return xp.where(some, xp.sqrt(xp.where(some, squares, 1.0)), 0.0)


def _mae(xp: Any, x: Array, y: Array) -> Array:
    return xp.mean(xp.abs(x - y), axis=-1)
