"""From fixations to the maps that metrics take: counts, and a Gaussian density.

Coordinates are 0-based pixels, columns x (right) and y (down), pixel centres on integers.
"""

from __future__ import annotations

import math
from typing import Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays as arrays
from ._counts import locate, pixels
from ._types import Array

#: Times the picture's longer side from which a Gaussian is summed plainly; its tails, which the
#: quicker way goes through, would fill the memory.
WIDE = 4


@overload
def fixation_map(
    points: ArrayLike, shape: tuple[int, int], *, return_outside: Literal[False] = False
) -> NDArray[np.int64]: ...


@overload
def fixation_map(
    points: ArrayLike, shape: tuple[int, int], *, return_outside: Literal[True]
) -> tuple[NDArray[np.int64], int]: ...


def fixation_map(
    points: ArrayLike, shape: tuple[int, int], *, return_outside: bool = False
) -> NDArray[np.int64] | tuple[NDArray[np.int64], int]:
    """Count the fixations on each pixel.

    A point belongs to the pixel ``floor(v + 0.5)``. Eye trackers also measure points outside the
    picture. These are dropped; ``return_outside`` adds their number.

    Parameters
    ----------
    points : (N, 2) array_like
        Columns x and y, 0-based pixels.
    shape : (int, int)
        Height and width of the picture.
    return_outside : bool
        Also give how many points lay outside.

    Returns
    -------
    (height, width) int64 array
        Counts; with ``return_outside`` also the number of dropped points.

    Raises
    ------
    ValueError
        Points are not (N, 2), or not finite; a shape that is not two positive integers.

    Examples
    --------
    >>> fixation_map([(0, 0), (2.4, 1.0), (2, 0.6), (9, 9)], (2, 3))
    array([[1, 0, 0],
           [0, 0, 2]])
    """
    height, width = arrays.size(shape)
    given = np.asarray(points, dtype=np.float64)
    if given.size == 0:
        given = given.reshape(0, 2)
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(f"points must have shape (N, 2), columns x and y, not {given.shape}")
    bad = ~np.isfinite(given).all(axis=1)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"points has {int(bad.sum())} NaN or infinite row(s), the first at {first}"
        )
    inside, where = pixels(given, (height, width))
    counts = np.bincount(where, minlength=height * width).reshape(height, width)
    if return_outside:
        return counts, int(len(given) - inside.sum())
    return counts


def density(fixations: Array, sigma: float) -> Array:
    """Blur a count map with a Gaussian and let it sum to one.

    The Gaussian is not cut off where it could be seen and nothing is reflected at the border: the
    mass that leaves the picture is lost before the sum is brought to one, as in the MIT code.

    Parameters
    ----------
    fixations : (..., H, W) array_like
        Counts; NumPy or torch.
    sigma : float
        Standard deviation in pixels; see `sigma_from_degrees` and `sigma_from_fc`.

    Returns
    -------
    (..., H, W) array
        Double precision, non-negative, each map summing to one.

    Raises
    ------
    ValueError
        Sigma is not positive, a map has no fixation, or is not one of counts.
    """
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma is {sigma}; it must be a positive number of pixels")
    given = arrays.as_array(fixations, "fixations")
    xp = arrays.namespace(given)
    height, width = given.shape[-2:]
    if xp is not np:
        for index in np.ndindex(given.shape[:-2]):
            locate(xp, given[(*index, ...)], "fixations", sparse=False)  # checks
        rows, columns = _gaussian(height, sigma), _gaussian(width, sigma)
        counts = arrays.float64(xp, given)
        rows = arrays.beside(counts, rows, counts.dtype)
        columns = arrays.beside(counts, columns, counts.dtype)
        blurred = rows @ counts @ columns
        return blurred / xp.sum(blurred, axis=(-2, -1), keepdims=True)
    if given.ndim == 2:
        return _blurred(given, sigma)
    blurred = np.empty(given.shape)
    for index in np.ndindex(given.shape[:-2]):
        blurred[index] = _blurred(given[index], sigma)
    return blurred


def _blurred(given: Array, sigma: float) -> Array:
    """`density` of one map in NumPy."""
    from ._blur import blur

    shape = given.shape
    where, counts = locate(np, given, "fixations", sparse=False)
    if sigma <= WIDE * max(shape):
        return blur(where, counts, shape, sigma)
    return _spread(np.asarray(given, dtype=np.float64), sigma)


def _spread(values: Array, sigma: float) -> Array:
    """A map of any numbers blurred by a Gaussian, summing to one; without the short ways."""
    rows, columns = _gaussian(values.shape[0], sigma), _gaussian(values.shape[1], sigma)
    found = arrays.product(arrays.product(rows, values), columns)
    return found / found.sum()


def _gaussian(size: int, sigma: float) -> NDArray[np.float64]:
    """(size, size) the Gaussian around each pixel, without its factor."""
    steps = np.arange(size)
    profile = np.exp(-0.5 * (steps / sigma) ** 2)
    return np.asarray(profile[np.abs(steps[:, None] - steps)])


def sigma_from_degrees(degrees: float, pixels_per_degree: float) -> float:
    """The standard deviation in pixels of a Gaussian given in degrees of visual angle.

    One degree, about the size of the fovea, is the field's recommendation (Le Meur & Baccino
    2013).

    Parameters
    ----------
    degrees : float
        Standard deviation in degrees.
    pixels_per_degree : float
        Of the screen at the viewing distance.

    Raises
    ------
    ValueError
        An argument is not positive.
    """
    for name, value in (("degrees", degrees), ("pixels_per_degree", pixels_per_degree)):
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f"{name} is {value}; it must be positive")
    return float(degrees) * float(pixels_per_degree)


def sigma_from_fc(fc: float, shape: tuple[int, int]) -> float:
    """The standard deviation in pixels of antonioGaussian's cut-off frequency ``fc``.

    The MIT code multiplies the Fourier transform of the map, padded to a square whose side n is a
    power of two, by ``exp(-(f / s)**2)`` with ``s = fc / sqrt(ln 2)`` (half the gain at ``fc``
    cycles a padded picture). In pixels that is ``n * sqrt(2 ln 2) / (2 pi fc)``: 24 for ``fc=8``
    at 640 or 1,024 pixels.

    Parameters
    ----------
    fc : float
        Cut-off frequency in cycles per padded picture; 8 in the MIT code.
    shape : (int, int)
        Height and width of the picture.

    Raises
    ------
    ValueError
        fc is not positive, or the shape is not two positive integers.

    Examples
    --------
    >>> round(sigma_from_fc(8, (480, 640)), 3)
    23.986
    """
    if not (math.isfinite(fc) and fc > 0):
        raise ValueError(f"fc is {fc}; it must be positive")
    side = max(arrays.size(shape))
    side += side % 2
    padded: int = 2 ** math.ceil(math.log2(side))
    return padded * math.sqrt(2 * math.log(2)) / (2 * math.pi * fc)
