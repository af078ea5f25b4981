"""Against densities: the earth mover's distance, exact, certified, or as a training loss.

The MIT code brings both maps to a grid of ceil(size / 32) cells by bicubic interpolation, divides
each by its sum, and reports the least cost of turning one into the other, with the Euclidean
distance between cells as ground distance, in cells. Bicubic interpolation overshoots; the few
negative values are kept, since the cost of two maps is that of moving the positive part of their
difference onto the negative part.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np

from . import _arrays as arrays
from ._conventions import CONVENTIONS, Convention
from ._run import run
from ._scene import Scene
from ._types import Array
from .resize import change

GRIDS = ("common", "mit")
UNITS = ("cell", "pixel")
METHODS = ("exact", "approximate", "beckmann", "pot")


def emd(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    downsize: int = 32,
    grid: Literal["common", "mit"] = "common",
    unit: Literal["cell", "pixel"] = "cell",
    method: Literal["exact", "approximate", "beckmann", "pot"] = "exact",
    tolerance: float = 0.002,
    iterations: int = 50,
    negative: str = "error",
    return_bound: bool = False,
    mask: Array | None = None,
) -> Any:
    """Earth mover's distance: the least mass times distance that turns one map into the other.

    (Rubner et al. 2000; on a coarse grid as in the MIT code.)

    Parameters
    ----------
    prediction, density : (..., H, W) array_like
        Any real dtype and scale, non-negative; NumPy or torch. With ``grid="mit"`` the prediction
        may have another height and width.
    convention : {"mit", "tuebingen"}
        The same in both.
    downsize : int
        The grid has ceil(H / downsize) x ceil(W / downsize) cells; 1 takes the maps as they are.
    grid : {"common", "mit"}
        ``"common"`` resizes both maps alike, by the factor 1 / downsize. ``"mit"`` follows the
        reference, which resizes the density by the factor but the prediction to the size of the
        grid; where ``downsize`` does not divide the size, a map differs from itself.
    unit : {"cell", "pixel"}
        Distance in cells of the grid, as published, or in pixels of the maps.
    method : {"exact", "approximate", "beckmann", "pot"}
        ``"exact"``: the optimum, by a multiscale network simplex. ``"approximate"``: the same,
        stopped when certified to lie within ``tolerance`` of it; for fine grids. ``"beckmann"``:
        a minimal flux, differentiable and batched on the device, within 0.6% of the optimum for
        smooth maps and within 6% for noise or single cells; for training. ``"pot"``: the optimum
        again, by the solver of the package POT, to check ``"exact"`` or where numba cannot be had.
        It needs no numba, but much time and memory on fine grids. The value is the same, so a
        signature does not tell the two apart (``solver:exact``).
    tolerance : float
        Of ``"approximate"``, as a share of the value.
    iterations : int
        Of ``"beckmann"``.
    negative : {"error", "clip", "keep"}
        What becomes of negative predictions: refused, set to zero, or left to the formula as in
        the reference code.
    return_bound : bool
        Also give a lower bound of the exact distance, which certifies the value.
    mask : (..., H, W) array_like, optional
        True where a pixel is left out, as by a masked array.

    Returns
    -------
    float or (...) array, or two of them
        0 for equal maps. ``"exact"`` and ``"pot"`` are exact to rounding; the value of
        ``"approximate"`` is that of a plan, so the exact one lies between the bound and it.

    Raises
    ------
    ValueError
        Shapes differ, NaN or infinite values, negative values, or a density that is zero
        everywhere; an option that does not exist.
    ImportError
        ``method="pot"`` without POT.

    Examples
    --------
    >>> import numpy as np
    >>> emd(np.array([[1.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]), downsize=1)
    2.0
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(
        emd_kernel,
        downsize=downsize,
        grid=grid,
        unit=unit,
        method=method,
        tolerance=tolerance,
        iterations=iterations,
        bound=return_bound,
    )
    maps = {"prediction": prediction, "density": density}
    found = run({"": kernel}, maps, negative=negative, any_size=grid == "mit", mask=mask)[""]
    return found if return_bound else found[0]


def emd_kernel(
    scene: Scene,
    *,
    downsize: int = 32,
    grid: str = "common",
    unit: str = "cell",
    method: str = "exact",
    tolerance: float = 0.002,
    iterations: int = 50,
    bound: bool = False,
) -> Any:
    """`emd` of a scene, with a lower bound of the exact value (NaN where nobody asked)."""
    _check_options(downsize, grid, unit, method, tolerance, iterations)
    factor = float(downsize) if unit == "pixel" else 1.0
    if scene.frame and grid == "mit":
        raise ValueError("grid='mit' takes no mask; crop the maps, or take grid='common'")
    height, width = scene.picture("density").shape[-2:]
    wanted = (math.ceil(height / downsize), math.ceil(width / downsize))
    scale = 1.0 / downsize
    plain = method == "pot"
    p = _to_grid(scene, "prediction", wanted, None if grid == "mit" else scale, plain)
    d = _to_grid(scene, "density", wanted, scale, plain)
    difference = p - d
    if method == "beckmann":
        from .beckmann import beckmann, certified

        value, potential = beckmann(difference, iterations)
        lower = certified(difference, potential) if bound else value * math.nan
        return value * factor, lower * factor
    solve = _solver(method, tolerance)
    host = arrays.to_numpy(difference).reshape(-1, *wanted)
    found = np.array([solve(one) for one in host]) * factor
    if scene.xp is np:
        return float(found[0, 0]), float(found[0, 1])
    return tuple(arrays.beside(scene.maps["prediction"], column) for column in found.T)


def _check_options(
    downsize: int, grid: str, unit: str, method: str, tolerance: float, iterations: int
) -> None:
    arrays.choice(grid, GRIDS, "grid")
    arrays.choice(unit, UNITS, "unit")
    arrays.choice(method, METHODS, "method")
    for name, number in (("downsize", downsize), ("iterations", iterations)):
        if number != int(number) or number < 1:
            raise ValueError(f"{name} is {number}; it must be a whole number, at least 1")
    if not 0 <= tolerance < 1:
        raise ValueError(f"tolerance is {tolerance}; it must lie in [0, 1)")


def _solver(method: str, tolerance: float) -> Callable[[Any], tuple[float, float]]:
    """The cost and its lower bound of a difference of two maps; imported when it is used."""
    if method == "pot":
        from ._pot import transport as by_pot

        return by_pot
    from ._exact import transport

    return partial(transport, tolerance=tolerance if method == "approximate" else 0.0)


def _to_grid(
    scene: Scene, name: str, wanted: tuple[int, int], scale: float | None, plain: bool
) -> Array:
    """(..., h, w) a map on the coarse grid, summing to one; uniform where it is zero.

    imresize(map, 1/32) keeps the scale and rounds the size up; imresize(map, size) has the scale
    that the size implies (None here). The two differ where 32 does not divide the size. ``plain``
    avoids compiled code.
    """
    xp = scene.xp
    field = scene.mass(name, plain=plain)
    values = scene.picture(name)
    shape = values.shape
    values = values if xp is np else arrays.float64(xp, values)
    values = arrays.clipped(xp, values) if field.clipped else values
    small = change(xp, values, wanted, scale=scale, plain=plain)
    empty = field.total == 0
    empty = empty if xp is np else xp.reshape(empty, (*shape[:-2], 1, 1))
    small = arrays.where(xp, empty, xp.ones_like(small), small)
    return small / xp.sum(small, axis=(-2, -1), keepdims=True)
