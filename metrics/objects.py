"""Attention on outlined objects: how much each receives, and whether emotional ones come first.

A map or density is compared with the masks of the objects in its picture. The attention that an
object receives is the maximum (or mean) of the map over the object divided by that over the
picture. Emotion prioritisation is the difference between emotional and neutral objects (Fan et al.,
CVPR 2018). AttI says how much more of the map's mass a group of objects holds than of the area
(Cordel et al., CVPR 2019). A map that is zero everywhere says nothing and counts as uniform:
attention 1, AttI 0. Maps are non-negative, of any scale; an offset changes all three.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from . import _arrays as arrays
from ._types import Array
from .errors import NegativeMapError

#: How the values of a map within an object become one.
STATISTICS = ("max", "mean")


def object_attention(density: Array, masks: Array, *, statistic: str = "max") -> Any:
    """Attention that each object receives.

    Parameters
    ----------
    density : (..., H, W) array_like
        Density of gaze or predicted map, non-negative, any scale; NumPy or torch.
    masks : (K, H, W) array_like of bool
        The objects' pixels.
    statistic : {"max", "mean"}
        Of the map over the object and over the picture.

    Returns
    -------
    (..., K) array
        Ratio, 0 and above; for "max" at most 1.

    Raises
    ------
    ValueError
        Sizes differ, no object, an object without a pixel, NaN, infinite or negative values.

    Examples
    --------
    >>> import numpy as np
    >>> density = np.array([[8.0, 2.0], [4.0, 2.0]])
    >>> masks = np.array([[[True, False], [False, False]], [[False, False], [True, True]]])
    >>> object_attention(density, masks).tolist()
    [1.0, 0.5]
    >>> object_attention(density, masks, statistic="mean").tolist()
    [2.0, 0.75]
    """
    arrays.choice(statistic, STATISTICS, "statistic")
    xp, flat, inside = _prepared(density, masks)
    if statistic == "max":
        whole = xp.max(flat, axis=-1)
        found = [xp.max(flat[..., own], axis=-1) for own in inside]
    else:
        whole = xp.mean(flat, axis=-1)
        found = [xp.mean(flat[..., own], axis=-1) for own in inside]
    ratios = xp.stack(found, axis=-1)
    blank = (whole == 0)[..., None]
    divisor = xp.where(blank, xp.ones_like(whole[..., None]), whole[..., None])
    return xp.where(blank, xp.ones_like(ratios), ratios / divisor)


def emotion_prioritization(
    density: Array, masks: Array, emotional: ArrayLike, *, statistic: str = "max"
) -> Any:
    """Mean attention of the emotional objects minus that of the neutral ones, within a picture.

    Parameters
    ----------
    density : (..., H, W) array_like
        As for `object_attention`.
    masks : (K, H, W) array_like of bool
        The objects' pixels.
    emotional : (K,) array_like of bool
        Which objects are emotional.
    statistic : {"max", "mean"}
        As for `object_attention`.

    Returns
    -------
    float or (...) array
        Above 0 where emotional objects draw more; for "max" from -1 to 1.

    Raises
    ------
    ValueError
        As for `object_attention`; or no object is emotional, or none is neutral.
    """
    kinds = _kinds(emotional, len(masks))
    if kinds.all() or not kinds.any():
        missing = "neutral" if kinds.all() else "emotional"
        raise ValueError(f"no object is {missing}: the difference needs both kinds")
    attention = object_attention(density, masks, statistic=statistic)
    xp = arrays.namespace(attention)
    of_kind = [
        xp.mean(attention[..., np.flatnonzero(kinds == kind).tolist()], axis=-1)
        for kind in (True, False)
    ]
    return _answer(of_kind[0] - of_kind[1])


def atti(density: Array, masks: Array) -> Any:
    """AttI of a group of objects: log2 of their share of the mass over their share of the area.

    A pixel that lies in several objects counts once.

    Parameters
    ----------
    density : (..., H, W) array_like
        As for `object_attention`.
    masks : (K, H, W) array_like of bool
        The pixels of the objects of the group.

    Returns
    -------
    float or (...) array
        0 where the objects hold as much as their area; -inf where they hold nothing.

    Raises
    ------
    ValueError
        As for `object_attention`.
    """
    xp, flat, inside = _prepared(density, masks)
    union = np.unique(np.concatenate(inside))
    total = xp.sum(flat, axis=-1)
    held = xp.sum(flat[..., union], axis=-1)
    blank = total == 0
    area = len(union) / flat.shape[-1]
    share = xp.where(blank, xp.full_like(total, area), held / xp.where(blank, held + 1.0, total))
    with np.errstate(divide="ignore"):
        return _answer(xp.log2(share / area))


def _prepared(density: Array, masks: Array) -> tuple[Any, Array, list[Any]]:
    """The namespace, the map as (..., H * W) in double precision, and the pixels of each object."""
    density = arrays.as_array(density, "density")
    xp = arrays.namespace(density)
    objects = arrays.to_numpy(masks).astype(bool)
    if objects.ndim != 3 or not len(objects):
        raise ValueError(
            f"masks has shape {objects.shape}; expected (K, H, W) with a mask for each object"
        )
    arrays.same_size({"density": density, "masks": objects})
    flat = arrays.flat(xp, arrays.float64(xp, density))
    lowest = xp.min(flat)
    arrays.check_finite(xp, density, (lowest, xp.max(flat)), "density")
    if lowest < 0:
        raise NegativeMapError("density", int(xp.sum(flat < 0)), float(lowest))
    inside = [np.flatnonzero(mask) for mask in objects]
    empty = [number for number, own in enumerate(inside) if not len(own)]
    if empty:
        raise ValueError(f"masks: object {empty[0]} covers no pixel")
    return xp, flat, inside


def _kinds(emotional: ArrayLike, count: int) -> np.ndarray[Any, Any]:
    kinds = np.asarray(emotional)
    if kinds.shape != (count,) or kinds.dtype != bool:
        raise ValueError(
            f"emotional has shape {kinds.shape} and type {kinds.dtype}; expected a boolean for "
            f"each of the {count} objects"
        )
    return kinds


def _answer(values: Any) -> Any:
    """A float for a single NumPy map."""
    return float(values) if np.ndim(values) == 0 and not arrays.is_foreign(values) else values
