"""Bring a map to another size, by a named method, since the method changes scores.

All methods are separable: one weight matrix for the rows, one for the columns.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _arrays as arrays
from ._types import Array, Matrix

ResizeMethod = Literal["matlab-bicubic", "matlab-bilinear", "bilinear", "area", "nearest"]
METHODS = ("matlab-bicubic", "matlab-bilinear", "bilinear", "area", "nearest")

#: Types that the compiled product takes as they are; others are brought to double precision.
COMPILED = ("u1", "f4", "f8")


def resize(
    map: Array, shape: tuple[int, int], method: ResizeMethod = "matlab-bicubic", clip: bool = True
) -> Array:
    """Bring maps to another height and width.

    Parameters
    ----------
    map : (..., h, w) array_like
        Any real dtype; NumPy or torch.
    shape : (int, int)
        Height and width wanted.
    method : str
        ``"matlab-bicubic"`` and ``"matlab-bilinear"`` are MATLAB's imresize (Keys 1981 with
        a = -1/2, and the triangle; widened when shrinking, weights normalised, border mirrored);
        ``"bilinear"`` is not widened, as OpenCV's default; ``"area"`` averages over the area that
        a pixel covers; ``"nearest"`` takes the pixel under the centre.
    clip : bool
        Set negative values to zero if the map has none, since the bicubic kernel overshoots.

    Returns
    -------
    (..., height, width) array
        Double precision; the input's values where the size is the same.

    Raises
    ------
    ValueError
        An unknown method, a shape that is not two positive integers, NaN or infinite values.
    """
    arrays.choice(method, METHODS, "method")
    height, width = arrays.size(shape)
    given = arrays.as_array(map, "map")
    xp = arrays.namespace(given)
    values = arrays.float64(xp, given)
    arrays.check_finite(xp, given, (xp.sum(values),), "map")
    if tuple(given.shape[-2:]) == (height, width):
        return xp.asarray(values, copy=True)
    resized = change(xp, values, (height, width), method)
    if clip and not bool(xp.any(values < 0)):
        resized = xp.clip(resized, 0.0, None)
    return resized


def change(
    xp: Any,
    values: Array,
    shape: tuple[int, int],
    method: str = "matlab-bicubic",
    scale: float | None = None,
    plain: bool = False,
) -> Array:
    """Bring (..., h, w) maps to another size in double precision; for scale see `weights`.

    ``plain`` avoids compiled code: slower, and with other last digits.
    """
    (h, w), (height, width) = values.shape[-2:], shape
    if xp is not np:
        rows = arrays.beside(values, weights(h, height, method, scale), values.dtype)
        columns = arrays.beside(values, weights(w, width, method, scale), values.dtype)
        return rows @ values @ columns.T
    resized = np.empty((*values.shape[:-2], height, width))
    if plain:
        matrices = weights(h, height, method, scale), weights(w, width, method, scale).T
        for index in np.ndindex(values.shape[:-2]):
            below = arrays.product(matrices[0], values[index].astype(np.float64))
            resized[index] = arrays.product(below, matrices[1])
        return resized
    rows, columns = bands(h, height, method, scale), bands(w, width, method, scale)
    for index in np.ndindex(values.shape[:-2]):
        resized[index] = _product(columns, _product(rows, values[index]).T).T
    return resized


def _product(band: Band, values: Array) -> Matrix:
    from ._compiled import banded

    if values.dtype.str[1:] not in COMPILED or not values.dtype.isnative:
        values = values.astype(np.float64)
    found = np.empty((len(band.first), values.shape[1]))
    banded(band.first, band.weights, np.ascontiguousarray(values), found)
    return found


def _cubic(x: Matrix) -> Matrix:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x <= 1, near, np.where(x <= 2, far, 0.0))


def _triangle(x: Matrix) -> Matrix:
    return np.asarray(np.maximum(0.0, 1 - np.abs(x)))


@lru_cache(maxsize=64)
def weights(size: int, wanted: int, method: str, scale: float | None = None) -> Matrix:
    """The matrix that resizes one axis. Read-only, because it is shared.

    Parameters
    ----------
    size, wanted : int
        Length of the axis before and after.
    method : str
        As in `resize`.
    scale : float, optional
        wanted / size unless given, as for MATLAB's imresize(map, scale) of a size that the scale
        does not divide.

    Returns
    -------
    (wanted, size) array
        Rows sum to one.
    """
    scale = wanted / size if scale is None else scale
    if method == "nearest":
        matrix = np.zeros((wanted, size))
        source = np.floor((np.arange(wanted) + 0.5) / scale).astype(int)
        matrix[np.arange(wanted), np.clip(source, 0, size - 1)] = 1.0
    elif method == "area":
        matrix = _area(size, wanted)
    elif method == "matlab-bicubic":
        matrix = _sampled(size, wanted, scale, _cubic, 4.0, min(scale, 1.0))
    else:
        shrink = min(scale, 1.0) if method == "matlab-bilinear" else 1.0
        matrix = _sampled(size, wanted, scale, _triangle, 2.0, shrink)
    matrix.flags.writeable = False
    return matrix


class Band(NamedTuple):
    """Row i of the weights is ``weights[i]`` from column ``first[i]`` on, and zero elsewhere."""

    first: NDArray[np.int64]
    weights: Matrix


@lru_cache(maxsize=256)
def bands(size: int, wanted: int, method: str, scale: float | None = None) -> Band:
    """The weights that resize one axis without their zeros. Read-only, because it is shared.

    Parameters
    ----------
    size, wanted, method, scale
        As in `weights`.

    Returns
    -------
    Band
        ``first``, (wanted,) int64, and ``weights``, (wanted, k). ``first + k`` is at most ``size``.
    """
    matrix = weights(size, wanted, method, scale)
    entries = matrix != 0
    first = entries.argmax(axis=1)
    width = int((size - entries[:, ::-1].argmax(axis=1) - first).max())
    first = np.minimum(first, size - width)
    found = Band(first, np.take_along_axis(matrix, first[:, None] + np.arange(width), axis=1))
    for array in found:
        array.flags.writeable = False
    return found


def _area(size: int, wanted: int) -> Matrix:
    edges = np.arange(wanted + 1) * (size / wanted)
    cells = np.arange(size)
    overlap = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    overlap = np.maximum(overlap, 0.0)
    return np.asarray(overlap / overlap.sum(axis=1, keepdims=True))


def _sampled(
    size: int,
    wanted: int,
    scale: float,
    kernel: Callable[[Matrix], Matrix],
    width: float,
    shrink: float,
) -> Matrix:
    """A kernel sampled around the place of each new pixel; ``shrink`` < 1 widens it."""
    width = width / shrink
    place = (np.arange(1, wanted + 1)) / scale + 0.5 * (1 - 1 / scale)  # 1-based, as MATLAB's
    first = np.floor(place - width / 2)
    taps = first[:, None] + np.arange(int(np.ceil(width)) + 2)
    values = kernel(shrink * (place[:, None] - taps)) * shrink
    values /= values.sum(axis=1, keepdims=True)
    mirror = np.concatenate([np.arange(size), np.arange(size)[::-1]])
    matrix = np.zeros((wanted, size))
    sources = mirror[(taps.astype(int) - 1) % (2 * size)]
    np.add.at(matrix, (np.arange(wanted)[:, None], sources), values)
    return matrix
