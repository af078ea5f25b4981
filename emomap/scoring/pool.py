"""The fixations on the other images of a set, for shuffled AUC and information gain."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.sample import Gaze


def pool_fixations(gazes: Iterable[tuple[str, Gaze]], path: Path) -> Path:
    """Write the fixations of all images into one file, relative to the size of each picture.

    The file holds ``points`` (N, 2) in 0..1, and ``owner`` (N,), the index of each in ``ids``.
    """
    points, owners, ids = [np.zeros((0, 2))], [np.zeros(0, dtype=np.int64)], []
    for index, (identity, gaze) in enumerate(gazes):
        ids.append(identity)
        if gaze.points is None:
            continue
        inside = gaze.points[gaze.inside]
        points.append((inside + 0.5) / np.array(gaze.shape[::-1]))
        owners.append(np.full(len(inside), index))
    with io.atomic(path) as temporary:
        np.savez(
            temporary,
            points=np.concatenate(points),
            owner=np.concatenate(owners),
            ids=np.array(ids, dtype=np.str_),
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
    points, owner, ids = _pool(path)
    height, width = shape
    elsewhere = points[owner != ids.get(name, -1)]
    if not len(elsewhere):
        return None
    pixels = np.clip(elsewhere * (width, height) - 0.5, 0, (width - 1, height - 1))
    counts: NDArray[Any] = metrics.fixation_map(pixels, shape)
    return counts


@lru_cache(maxsize=2)
def _pool(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64], dict[str, int]]:
    """Points, their owners, and the index of each id. Kept in memory, since each map needs it."""
    with np.load(path, allow_pickle=False) as stored:
        ids = {str(identity): index for index, identity in enumerate(stored["ids"])}
        return stored["points"], stored["owner"], ids
