"""The arguments of a metric as scenes take them: maps, points and masks, with one batch shape.

Maps broadcast over a batch. Fixations may be points. A mask, or a masked array, leaves pixels out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._counts import locate, pixels
from ._types import Array, Vector

KINDS = ("auto", "counts", "points")
#: Arguments that hold fixations.
OF_FIXATIONS = ("fixations", "other")


@dataclass(frozen=True)
class Places:
    """The fixated pixels of one map.

    Attributes:
        where: (N,) flat positions, on the device of the prediction.
        counts: (N,) fixations at each, or the sum of their weights.
        once: (N,) what a pixel counts where it counts once: 1, or the mean of the weights.
    """

    where: Array
    counts: Vector
    once: Vector


@dataclass(frozen=True)
class Frame:
    """Where the pixels that a mask leaves lie in their picture.

    Attributes:
        shape: height and width of the picture.
        kept: (K,) flat positions of the pixels that are left.
    """

    shape: tuple[int, int]
    kept: Vector

    def position(self, index: int) -> tuple[int, int]:
        """Row and column in the picture of a pixel that is left."""
        row, column = divmod(int(self.kept[index]), self.shape[1])
        return row, column

    def box(self) -> tuple[slice, slice]:
        """The smallest rectangle that holds all pixels that are left."""
        rows, columns = np.divmod(self.kept, self.shape[1])
        return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)

    def picture(self, xp: Any, values: Array) -> Array:
        """(h, w) the values (1, K) at their places in that rectangle, zero elsewhere."""
        inverse = np.full(self.shape[0] * self.shape[1], self.kept.size)
        inverse[self.kept] = np.arange(self.kept.size)
        inverse = inverse.reshape(self.shape)[self.box()]
        flat = xp.reshape(values, (-1,))
        padded = xp.concat([flat, xp.zeros_like(flat[:1])])
        if xp is np:
            return padded[inverse]
        where = arrays.beside(values, inverse.ravel())
        return xp.reshape(xp.take(padded, where, axis=0), inverse.shape)


@dataclass(frozen=True)
class Inputs:
    """The arguments of a metric, checked.

    Attributes:
        maps: the arrays by name, all with the batch's axes.
        batch: the shape of the batch.
        mask: (..., H, W) bool, True where a pixel is left out, or None.
        points: the points by name, for each member of the batch in order.
        kind: what fixations are.
    """

    maps: dict[str, Array]
    batch: tuple[int, ...]
    mask: Vector | None = None
    points: dict[str, list[Places]] = field(default_factory=dict)
    kind: str = "auto"

    @property
    def plain(self) -> bool:
        """Whether there are maps only, each pixel of which counts."""
        return self.mask is None and not self.points

    def members(self) -> Iterator[tuple[tuple[int, ...], dict[str, Array], Vector | None, Any]]:
        """Each member of the batch: its index, maps, mask, and points by name."""
        for number, index in enumerate(np.ndindex(self.batch)):
            maps = {name: a[index] for name, a in self.maps.items()}
            mask = None if self.mask is None else self.mask[index]
            yield index, maps, mask, {n: p[number] for n, p in self.points.items()}


def prepare(
    maps: Mapping[str, Any],
    *,
    mask: Any = None,
    weights: Any = None,
    kind: str = "auto",
    any_size: bool = False,
) -> Inputs:
    """Check the arguments of a metric.

    Args:
        maps: by name, "prediction" first.
        mask: (..., H, W), True where a pixel is left out.
        weights: of the points in "fixations".
        kind: what fixations are.
        any_size: maps may differ in height and width.

    Raises:
        TypeError, ValueError: see `metrics._arrays.as_array`; shapes that do not fit.
    """
    arrays.choice(kind, KINDS, "kind")
    masks: dict[str, Any] = {}
    found: dict[str, Array] = {}
    points: dict[str, Any] = {}
    for name, array in maps.items():
        if name in OF_FIXATIONS and _are_points(array, found["prediction"], kind):
            points[name] = array
            continue
        if np.ma.isMaskedArray(array):
            if np.ma.getmask(array) is not np.ma.nomask:
                masks[name] = np.ma.getmaskarray(array)
            array = np.ma.getdata(array)
        found[name] = arrays.as_array(array, name)
    if weights is not None and "fixations" not in points:
        raise ValueError(
            "weights belong to fixations given as points (N, 2), one weight a point; a count map "
            "has its weights in it"
        )
    if mask is not None:
        masks["mask"] = _as_mask(mask)
    shape = tuple(found["prediction"].shape[-2:])
    batches = {name: tuple(a.shape[:-2]) for name, a in found.items()}
    listed = {name: _by_member(p, name) for name, p in points.items()}
    batches |= {name: (len(p),) for name, p in listed.items() if isinstance(p, list)}
    if "mask" in masks:
        batches["mask"] = masks["mask"].shape[:-2]
    arrays.same_size(found, any_size and not masks)
    batch = _common(batches, {n: tuple(a.shape) for n, a in found.items()})
    if not batch and any(isinstance(p, dict) for p in listed.values()):
        raise ValueError(
            "points with a column of indices belong to a batch of predictions (..., H, W), and "
            "there is one"
        )
    for name, array in found.items():
        if array.shape[:-2] != batch:
            xp = arrays.namespace(array)
            found[name] = xp.broadcast_to(array, (*batch, *array.shape[-2:]))
    union = None
    for name, one in masks.items():
        if one.shape[-2:] != shape:
            raise ValueError(f"prediction has size {shape} but {name} has {one.shape[-2:]}")
        union = one if union is None else union | one
    if union is not None:
        union = np.broadcast_to(union, (*batch, *shape))
        if not union.any():
            union = None
    size = int(np.prod(batch, dtype=int))
    places = {
        name: _places(p, weights if name == "fixations" else None, shape, size, name)
        for name, p in listed.items()
    }
    return Inputs(found, batch, union, places, kind)


def _as_mask(mask: Any) -> Vector:
    found = arrays.to_numpy(mask) if arrays.is_foreign(mask) else np.asarray(mask)
    if found.dtype.kind != "b":
        values = np.unique(found) if found.dtype.kind in "uif" else None
        if values is None or not np.isin(values, (0, 1)).all():
            raise ValueError(
                "mask must hold True where a pixel is left out and False elsewhere (or 1 and 0)"
            )
        found = found != 0
    if found.ndim < 2:
        raise ValueError(f"mask must have shape (..., height, width), not {found.shape}")
    return found


def _common(batches: dict[str, tuple[int, ...]], shapes: dict[str, Any]) -> tuple[int, ...]:
    """The batch that all arguments broadcast to.

    An argument has the axes of the batch, each as long or 1, or none of them.
    """
    found: tuple[int, ...] = ()
    first = "prediction"
    for name, batch in batches.items():
        if not batch or batch == found:
            continue
        if found and len(found) != len(batch):
            raise ValueError(
                f"{first} has shape {shapes.get(first)} but {name} has "
                f"{shapes.get(name, batch)}: the axes before height and width differ in number; "
                "take the channel from (B, 1, H, W) with map[:, 0]"
            )
        if found and any(a != b and 1 not in (a, b) for a, b in zip(found, batch, strict=True)):
            raise ValueError(
                f"{first} has shape {shapes.get(first, found)} but {name} has "
                f"{shapes.get(name, batch)}: batches of {found} and {batch} maps do not pair"
            )
        if found:
            found = tuple(np.broadcast_shapes(found, batch))
        else:
            found, first = batch, name
    return found


# -- points ---------------------------------------------------------------------------------------


def _are_points(array: Any, prediction: Array, kind: str) -> bool:
    if kind == "counts" or array is None:
        return False
    if kind == "points":
        return True
    if isinstance(array, list | tuple) and array and np.ndim(array[0]) == 2:
        shapes = [tuple(np.shape(a)) for a in array]
        if all(s[-1] == 2 for s in shapes) and any(
            s != tuple(prediction.shape[-2:]) for s in shapes
        ):
            return True
    try:
        shape = tuple(np.shape(array))
    except ValueError:  # members of different lengths
        return True
    if shape == (0,):
        return True
    if len(shape) != 2 or shape == tuple(prediction.shape[-2:]):
        return False
    return bool(shape[1] == 2 or (shape[1] == 3 and prediction.ndim > 2))


def _by_member(points: Any, name: str) -> Any:
    """Points of one map as an array (N, 2), of several as a list, with indices as a dict."""
    if isinstance(points, list | tuple) and points and np.ndim(points[0]) == 2:
        return [_xy(p, f"{name}[{i}]") for i, p in enumerate(points)]
    given = _numbers(points)
    if given.ndim == 2 and given.shape[1] == 3:
        return {"index": given[:, 0], "points": given[:, 1:]}
    return _xy(given, name)


def _numbers(points: Any) -> Vector:
    host = arrays.to_numpy(points) if arrays.is_foreign(points) else points
    return np.asarray(host, dtype=np.float64)


def _xy(points: Any, name: str) -> Vector:
    given = _numbers(points)
    if given.size == 0:
        given = given.reshape(0, 2)
    if given.ndim != 2 or given.shape[1] != 2:
        raise ValueError(
            f"{name} must be points of shape (N, 2), columns x and y, not {given.shape}"
        )
    return given


def _places(
    points: Any, weights: Any, shape: tuple[int, int], size: int, name: str
) -> list[Places]:
    """The fixated pixels of each member of a batch."""
    if isinstance(points, dict):
        index = points["index"]
        if not ((index == np.floor(index)) & (index >= 0) & (index < size)).all():
            raise ValueError(
                f"{name} with three columns is (index, x, y); indices go from 0 to {size - 1}"
            )
        all_weights = None if weights is None else _weights(weights, len(index))
        order = [np.flatnonzero(index == i) for i in range(size)]
        points, weights = (
            [points["points"][rows] for rows in order],
            None if all_weights is None else [all_weights[rows] for rows in order],
        )
    if isinstance(points, list):
        if weights is not None and len(weights) != len(points):
            raise ValueError(f"weights has {len(weights)} members but {name} has {len(points)}")
        of_each = weights if weights is not None else [None] * len(points)
        found = [_places_of_one(p, w, shape, name) for p, w in zip(points, of_each, strict=True)]
        return found * (size // len(found))
    return [_places_of_one(points, weights, shape, name)] * size


def _places_of_one(points: Vector, weights: Any, shape: tuple[int, int], name: str) -> Places:
    bad = ~np.isfinite(points).all(axis=1)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise ValueError(
            f"{name} has {int(bad.sum())} NaN or infinite value(s), the first at row {first}"
        )
    inside, positions = pixels(points, shape)
    if not inside.any():
        outside = f", all {len(points)} points lie outside the picture" if len(points) else ""
        raise ValueError(f"{name} has no fixation: nothing to score against{outside}")
    if weights is None:
        where, counts = np.unique(positions, return_counts=True)
        return Places(where, counts.astype(np.float64), np.ones(where.size))
    where, inverse, counts = np.unique(positions, return_inverse=True, return_counts=True)
    held = _weights(weights, len(points))[inside]
    total = np.bincount(inverse.ravel(), held)
    used = total > 0
    if not used.any():
        raise ValueError("weights are all zero: no fixation counts")
    return Places(where[used], total[used], (total / counts)[used])


def _weights(weights: Any, count: int) -> Vector:
    found = _numbers(weights)
    if found.shape != (count,):
        raise ValueError(f"weights has shape {found.shape}; {count} points need ({count},)")
    if not (np.isfinite(found) & (found >= 0)).all():
        raise ValueError("weights must be finite numbers, not negative")
    return found


# -- masks ----------------------------------------------------------------------------------------


def masked(
    xp: Any, maps: dict[str, Array], mask: Vector, points: dict[str, Places], kind: str
) -> tuple[dict[str, Array], dict[str, Places], Frame]:
    """The pixels of one scene that a mask leaves, as maps (1, K), and the fixations on them."""
    shape = tuple(maps["prediction"].shape[-2:])
    kept = np.flatnonzero(~mask)
    if kept.size == 0:
        raise ValueError("mask leaves no pixel")
    frame = Frame((shape[0], shape[1]), kept)
    rank = np.cumsum(~mask.ravel()) - 1
    found, places = {}, {}
    for name, array in maps.items():
        if name in OF_FIXATIONS:
            host = np.where(mask, 0, arrays.to_numpy(array))
            where, counts = locate(np, host, name, kind != "counts" and name == "fixations")
            places[name] = Places(rank[where], counts, np.ones(where.size))
        elif xp is np:
            found[name] = arrays.flat(np, array)[kept][None, :]
        else:
            flat = arrays.flat(xp, array)
            found[name] = xp.take(flat, arrays.beside(flat, kept), axis=-1)[None, :]
    for name, one in points.items():
        stays = ~mask.ravel()[one.where]
        if not stays.any():
            raise ValueError(f"{name} has no fixation outside the mask: nothing to score against")
        places[name] = Places(rank[one.where[stays]], one.counts[stays], one.once[stays])
    return found, places, frame
