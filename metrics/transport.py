"""The earth mover's distance of two densities."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Literal

import numpy as np

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._field import ROUNDING
from metrics._scene import Scene, run
from metrics.location import CONVENTIONS, Convention
from metrics.resize import weights

GRIDS = ("common", "mit")
UNITS = ("cell", "pixel")
METHODS = ("exact",)


def emd(
    prediction: Array,
    density: Array,
    *,
    convention: Convention = "mit",
    downsize: int = 32,
    grid: Literal["common", "mit"] = "common",
    unit: Literal["cell", "pixel"] = "cell",
    method: Literal["exact"] = "exact",
    negative: str = "error",
    return_bound: bool = False,
) -> Any:
    """Earth mover's distance: how far mass must travel (Rubner et al. 2000)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(emd_kernel, downsize=downsize, grid=grid, unit=unit, method=method)
    maps = {"prediction": prediction, "density": density}
    found = run({"": kernel}, maps, negative=negative, any_size=grid == "mit")[""]
    return found if return_bound else found[0]


def emd_kernel(
    scene: Scene,
    *,
    downsize: int = 32,
    grid: str = "common",
    unit: str = "cell",
    method: str = "exact",
) -> Any:
    """`emd` of a scene, with the bound below it."""
    arrays.choice(grid, GRIDS, "grid")
    arrays.choice(unit, UNITS, "unit")
    arrays.choice(method, METHODS, "method")
    if downsize != int(downsize) or downsize < 1:
        raise ValueError(f"downsize is {downsize}; it must be a whole number, at least 1")
    scene.mass("prediction"), scene.mass("density")
    shape = scene.maps["density"].shape[-2:]
    factor = float(downsize) if unit == "pixel" else 1.0
    wanted = tuple(math.ceil(n / downsize) for n in shape)
    scale = 1.0 / downsize
    rows = [
        _distance(
            _to_grid(a, wanted, None if grid == "mit" else scale),
            _to_grid(b, wanted, scale),
        )
        for a, b in zip(_maps(scene, "prediction"), _maps(scene, "density"), strict=True)
    ]
    found = tuple(np.array(column) * factor for column in zip(*rows, strict=True))
    if scene.xp is np:
        return tuple(float(column[0]) for column in found)
    device = arrays.device(scene.maps["prediction"])
    return tuple(scene.xp.asarray(column, device=device) for column in found)


def _maps(scene: Scene, name: str) -> Any:
    """(n, H, W) the maps of a batch on the host, in double precision."""
    host = arrays.to_numpy(scene.maps[name])
    maps = host.reshape(-1, *host.shape[-2:]).astype(np.float64, copy=False)
    return np.maximum(maps, 0.0) if scene.negative == "clip" and name == "prediction" else maps


def _to_grid(
    values: np.ndarray[Any, Any], wanted: tuple[int, ...], scale: float | None
) -> np.ndarray[Any, Any]:
    """One map on the coarse grid, summing to one.

    imresize(map, 1/32) keeps the scale and rounds the size up; imresize(map, size) has the scale
    that the size implies (None here). The two differ where 32 does not divide the size. The
    bicubic kernel overshoots, and the few negative values are kept: the distance of two maps is
    that of the positive and the negative part of their difference.
    """
    rows, columns = (
        weights(size, n, "matlab-bicubic", scale)
        for size, n in zip(values.shape, wanted, strict=True)
    )
    if values.max() - values.min() <= ROUNDING * abs(values.max()):
        return np.full(wanted, 1.0 / math.prod(wanted))
    small = rows @ values @ columns.T
    return np.asarray(small / small.sum())


def _distance(p: np.ndarray[Any, Any], q: np.ndarray[Any, Any]) -> tuple[float, float]:
    import ot

    difference = (p - q).ravel()
    y, x = np.divmod(np.arange(difference.size), p.shape[1])
    points = np.stack([y, x], axis=1).astype(float)
    supply, demand = difference > 0, difference < 0
    a, b = difference[supply], -difference[demand]
    if a.size == 0 or b.size == 0 or a.sum() == 0:
        return 0.0, 0.0
    moved = a.sum()
    cost = ot.dist(points[supply], points[demand], metric="euclidean")
    value = ot.emd2(a / a.sum(), b / b.sum(), cost, numItermax=10_000_000) * moved
    return float(value), float(value)
