"""The pointing game: is the highest place of a map where people looked?"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._conventions import CONVENTIONS, Convention, Kind
from ._run import run
from ._scene import Scene
from ._types import Array, Vector


def pointing_game(
    prediction: Array,
    fixations: Array,
    *,
    convention: Convention = "mit",
    tolerance: float = 15.0,
    pixels_per_degree: float | None = None,
    mask: Array | None = None,
    weights: Array | None = None,
    kind: Kind = "auto",
) -> Any:
    """Whether the maximum of a map lies near a fixation (Zhang et al. 2016); its mean is a rate.

    Parameters
    ----------
    prediction : (..., H, W) array_like
        Any real dtype, scale and sign; NumPy or torch.
    fixations : (..., H, W) or (N, 2) array_like, or a list of (N, 2)
        Counts, a binary mask of a region, or points, as in `auc_judd`.
    convention : {"mit", "tuebingen"}
        The same in both.
    tolerance : float
        How far from the maximum the nearest fixation may lie, in pixels; 15 as in the source.
    pixels_per_degree : float, optional
        If given, ``tolerance`` is in degrees of visual angle.
    mask, kind
        As in `auc_judd`.
    weights
        As in `auc_judd`; a fixation of weight 0 does not count, and others all alike.

    Returns
    -------
    float or (...) array
        1 for a hit, else 0. Of several highest pixels the share that hits, which for a constant
        map is the chance of a random pixel. Without gradient.

    Raises
    ------
    ValueError
        As in `nss`; a tolerance below 0, or pixels per degree that are not positive.

    Examples
    --------
    >>> import numpy as np
    >>> prediction = np.zeros((40, 60))
    >>> prediction[10, 20] = 1.0
    >>> pointing_game(prediction, np.array([[30, 14]])), pointing_game(prediction, [[50, 14]])
    (1.0, 0.0)
    """
    arrays.choice(convention, CONVENTIONS, "convention")
    kernel = partial(pointing_game_kernel, tolerance=tolerance, pixels_per_degree=pixels_per_degree)
    maps = {"prediction": prediction, "fixations": fixations}
    return run({"": kernel}, maps, mask=mask, weights=weights, kind=kind)[""]


def pointing_game_kernel(
    scene: Scene, *, tolerance: float = 15.0, pixels_per_degree: float | None = None
) -> Any:
    """`pointing_game` of a scene."""
    reach = _reach(tolerance, pixels_per_degree)
    constant = arrays.to_numpy(scene.field("prediction", by_extremes=True).constant)
    located = scene.located("fixations")
    flat = arrays.flat(scene.xp, scene.maps["prediction"])
    if scene.xp is not np:
        flat = arrays.to_numpy(arrays.float64(scene.xp, flat))  # NumPy has no bfloat16
    maps = flat.reshape(-1, scene.size)
    shares = [
        _share(scene, values, flat_map, places, reach)
        for values, flat_map, places in zip(
            maps, np.broadcast_to(constant, (len(maps), 1)).ravel(), located, strict=True
        )
    ]
    if scene.xp is np:
        return shares[0]
    found = np.array(shares).reshape(scene.shape[:-2])
    return arrays.beside(scene.maps["prediction"], found)


def _share(scene: Scene, values: Vector, constant: bool, places: Any, reach: float) -> float:
    """The share of the highest pixels that have a fixation within reach."""
    from scipy.spatial import cKDTree

    highest = np.arange(values.size) if constant else np.flatnonzero(values == values.max())
    counted = arrays.to_numpy(places.where)[np.asarray(places.once) > 0]
    near, _ = cKDTree(_points(scene, counted)).query(
        _points(scene, highest), distance_upper_bound=reach * (1 + 1e-12) + 1e-9
    )
    return float(np.isfinite(near).mean())


def _points(scene: Scene, flat: Vector) -> Vector:
    """(n, 2) row and column in the picture."""
    width = scene.shape[-1]
    if scene.frame is not None:
        flat, width = scene.frame.kept[flat], scene.frame.shape[1]
    return np.stack(np.divmod(flat, width), axis=-1).astype(np.float64)


def _reach(tolerance: float, pixels_per_degree: float | None) -> float:
    """The tolerance in pixels."""
    scale = 1.0 if pixels_per_degree is None else float(pixels_per_degree)
    if not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"pixels_per_degree is {pixels_per_degree}; it must be above 0")
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance is {tolerance}; it must be 0 or more")
    return float(tolerance) * scale
