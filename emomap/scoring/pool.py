"""The fixations on the other images of a set, for shuffled AUC and information gain.

Where a metric needs their centre bias, it is fitted once and kept in a file beside the pool.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.errors import EmomapError
from emomap.sample import Gaze


def pool_fixations(gazes: Iterable[tuple[str, Gaze]], path: Path) -> Path:
    """Write the fixations of all images into one file, relative to the size of each picture.

    The file holds ``points`` (N, 2) in 0..1, ``owner`` (N,), the index of each in ``ids``,
    ``observers`` (N,), who made it, -1 where that is not known, and ``shapes`` (ids, 2), height and
    width of each picture.
    """
    points, owners, ids = [np.zeros((0, 2))], [np.zeros(0, dtype=np.int64)], []
    shapes, observers = [], [np.zeros(0, dtype=np.int64)]
    for index, (identity, gaze) in enumerate(gazes):
        ids.append(identity)
        shapes.append(gaze.shape)
        if gaze.points is None:
            continue
        inside = gaze.points[gaze.inside]
        points.append((inside + 0.5) / np.array(gaze.shape[::-1]))
        owners.append(np.full(len(inside), index))
        unknown = np.full(len(gaze.points), -1)
        observers.append((unknown if gaze.observers is None else gaze.observers)[gaze.inside])
    with io.atomic(path) as temporary:
        np.savez(
            temporary,
            points=np.concatenate(points),
            owner=np.concatenate(owners),
            ids=np.array(ids, dtype=np.str_),
            observers=np.concatenate(observers),
            shapes=np.array(shapes, dtype=np.int64).reshape(-1, 2),
        )
    return path


def pooled_elsewhere(path: Path, name: str, shape: tuple[int, int]) -> NDArray[Any] | None:
    """(H, W) counts of the fixations on all images but one, at the size of that one.

    Args:
        path: file made by `pool_fixations`.
        name: the image that is left out.
        shape: its (height, width).

    Returns:
        None if no other image has a fixation.
    """
    pool = _pool(path)
    height, width = shape
    elsewhere = pool.points[pool.owner != pool.ids.get(name, -1)]
    if not len(elsewhere):
        return None
    pixels = np.clip(elsewhere * (width, height) - 0.5, 0, (width - 1, height - 1))
    counts: NDArray[Any] = metrics.fixation_map(pixels, shape)
    return counts


def is_whole(path: Path) -> bool:
    """Whether there is a pool with observers and shapes, which a pool of 0.1 does not have."""
    if not path.exists():
        return False
    with np.load(path, allow_pickle=False) as stored:
        return {"observers", "shapes"} <= {*stored}


def fit_center(path: Path) -> Path | None:
    """Fit the centre bias of a pool, unless that has been done.

    Args:
        path: file made by `pool_fixations`.

    Returns:
        The file of its two numbers; None where fewer than two images have fixations.
    """
    kept = _center_file(path)
    if not kept.exists():
        pictures = seen(path).values()
        if len(pictures) < 2:
            return None
        found = metrics.center_bias([p.points for p in pictures], [p.shape for p in pictures])
        io.write_text(kept, json.dumps({"bandwidth": found.bandwidth, "floor": found.floor}) + "\n")
    return kept


@lru_cache(maxsize=1)
def center_elsewhere(path: Path, name: str, shape: tuple[int, int]) -> NDArray[np.float64] | None:
    """(H, W) the centre bias of all images but one, at the size of that one; it sums to one.

    Args:
        path: file made by `pool_fixations`, after `fit_center`.
        name: the image that is left out.
        shape: its (height, width).

    Returns:
        None if no other image has a fixation.
    """
    if not _center_file(path).exists():
        return None
    bias, places = _center(path)
    return bias.density(places.get(name), shape)


def _center_file(path: Path) -> Path:
    return path.with_name(f"{path.stem}-center.json")


@lru_cache(maxsize=2)
def _center(path: Path) -> tuple[metrics.CenterBias, dict[str, int]]:
    """The fitted centre bias, and the index in it of each image that has fixations."""
    file = _center_file(path)
    pictures = seen(path)
    try:
        numbers = json.loads(file.read_text("utf-8"))
        bias = metrics.center_bias(
            [picture.points for picture in pictures.values()],
            [picture.shape for picture in pictures.values()],
            bandwidth=float(numbers["bandwidth"]),
            floor=float(numbers["floor"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EmomapError(f"{file}: damaged ({error}); remove it, and it is made again") from error
    return bias, {name: index for index, name in enumerate(pictures)}


def seen(path: Path) -> dict[str, Seen]:
    """The fixations of each image that has some, by id.

    Args:
        path: file made by `pool_fixations`.
    """
    pool = _pool(path)
    order = np.argsort(pool.owner, kind="stable")
    counts = np.bincount(pool.owner, minlength=len(pool.ids))
    parts = np.split(order, np.cumsum(counts)[:-1]) if len(pool.ids) else []
    return {
        name: Seen(pool.points[part] * (width, height) - 0.5, pool.observers[part], (height, width))
        for name, part, (height, width) in zip(pool.ids, parts, pool.shapes.tolist(), strict=True)
        if len(part)
    }


class Seen(NamedTuple):
    """The fixations of one image: points (N, 2) in pixels, observers (N,), (height, width)."""

    points: NDArray[np.float64]
    observers: NDArray[np.int64]
    shape: tuple[int, int]


class _Pool(NamedTuple):
    """What the file of a pool holds, with the index of each id."""

    points: NDArray[np.float64]
    owner: NDArray[np.int64]
    ids: dict[str, int]
    observers: NDArray[np.int64]
    shapes: NDArray[np.int64]


@lru_cache(maxsize=2)
def _pool(path: Path) -> _Pool:
    """A pool, kept in memory, since each map needs it."""
    with np.load(path, allow_pickle=False) as stored:
        ids = {str(identity): index for index, identity in enumerate(stored["ids"])}
        return _Pool(stored["points"], stored["owner"], ids, stored["observers"], stored["shapes"])
