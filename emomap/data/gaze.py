"""Gaze from one file: a fixation table, a density map or a fixation map.

`functools.partial` of `from_csv`, `from_density`, `from_points` or `from_neutral` is a sample's
``gaze_source``: nothing is read before it is needed, and a sample can go to another process.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.data.table import Columns
from emomap.data.tree import suffix
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.sample import Gaze

Shape = tuple[int, int]
#: Below this `isolation` a map is one of fixations. OSIE and SALICON: marks of fixations have 0 to
#: .30 (as JPEG .33) and counts up to .60 (7,000 mouse samples); densities have at least .81 with a
#: sigma of 1.5 px and at least .96 with 3 px.
ISOLATED = 0.75


def read_fixations_csv(
    file: File,
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, NDArray[np.float64] | None]:
    """Read a fixation table: header x,y[,observer][,duration], rows in viewing order.

    Returns:
        points (N, 2), 0-based pixels, x right and y down; observers (N,) or None; durations (N,)
        in milliseconds or None. Observers that are not whole numbers are numbered as they appear.

    Raises:
        EmomapError: unreadable, a column is missing, or a value is not a number (names the line).
    """
    table = Columns(file, ("x", "y"), ("observer", "duration"))
    points = table.numbers("x", "y")
    observers = durations = None
    if len(points) and "observer" in table:
        observers = table.labels("observer")
    if len(points) and "duration" in table:
        durations = table.numbers("duration")[:, 0]
        if durations.min() < 0:
            row = table.rows[int(durations.argmin())]
            raise EmomapError(f"{row.where}: duration {row['duration']} is negative")
    return points, observers, durations


def from_csv(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze of a fixation table.

    Args:
        file: the table.
        image_file: the picture, whose size the gaze gets.
        shape: (height, width) of the picture, where there is no file of it.

    Raises:
        EmomapError: neither is given, or the table cannot be read.
    """
    points, observers, durations = read_fixations_csv(file)
    if image_file is not None:
        shape = io.image_size(image_file)
    if shape is None:
        raise EmomapError(
            f"{file}: fixations alone do not say how large the picture is; "
            "put the pictures beside them in a folder images/"
        )
    return Gaze(shape, points, observers, durations)


def read_density(file: File) -> NDArray[Any]:
    """A density map: (H, W), non-negative, not zero everywhere, any scale, in the type of the file.

    Bytes stay bytes, since the metrics are many times faster on a pair of 8-bit maps.

    Raises:
        EmomapError: unreadable, negative somewhere, or zero everywhere.
    """
    values = io.read_map(file)
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.min() < 0:
        raise EmomapError(f"{file}: a density map with negative values (down to {values.min():g})")
    if values.max() == 0:
        raise EmomapError(f"{file}: zero everywhere, so it says nothing about gaze")
    return values


def read_density_of(file: File | None) -> NDArray[Any] | None:
    """`read_density`, or None without a file."""
    return None if file is None else read_density(file)


def from_density(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze known only as a density. Its shape is the picture's if known, else the map's own.

    Raises:
        EmomapError: as `read_density`.
    """
    density = read_density(file)
    if image_file is not None:
        shape = io.image_size(image_file)
    return Gaze(shape or (density.shape[0], density.shape[1]), density=density)


def from_points(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze of a fixation map. Its shape is the map's own, since its coordinates belong to that.

    Raises:
        EmomapError: unreadable, or negative somewhere.
    """
    del image_file, shape
    values = io.read_map(file)
    if values.min() < 0:
        raise EmomapError(f"{file}: a fixation map with negative values ({values.min():g})")
    points, size = points_of_map(values, lossy=suffix(file.name) in {".jpg", ".jpeg"})
    return Gaze(size, points)


def from_neutral(
    fixations: File, map_file: File, *, image_file: File | None = None, shape: Shape | None = None
) -> Gaze:
    """Gaze of a fixation table, with the map beside it as density.

    Its shape is the picture's if there is one, else the map's.

    Raises:
        EmomapError: either cannot be read.
    """
    density = read_density(map_file)
    if image_file is None:
        shape = (density.shape[0], density.shape[1])
    return replace(from_csv(fixations, image_file=image_file, shape=shape), density=density)


def points_of_map(
    values: NDArray[Any], *, lossy: bool = False
) -> tuple[NDArray[np.float64], Shape]:
    """Fixations of a map (H, W) that marks them.

    Small whole numbers are counts. Otherwise multiples of the smallest value (255 and 510) count as
    one, two, ... fixations. If there are other values, each marks one.

    Args:
        values: the map, zero where nobody looked.
        lossy: the map was a JPEG: pixels of at least half the maximum mark one fixation each.

    Returns:
        (N, 2) points, columns x and y, in raster order; and the shape (H, W).
    """
    values = np.asarray(values)
    height, width = values.shape
    (places,) = np.nonzero(values.ravel() > 0)  # the only pass over the whole map: marks are few
    marks = values.ravel()[places].astype(np.float64)
    if not len(marks):
        return np.zeros((0, 2)), (height, width)
    top = float(marks.max())
    if lossy:
        counts = (marks >= top / 2).astype(np.int64)
    else:
        unit = 1.0 if top < 50 and np.array_equal(marks, np.rint(marks)) else float(marks.min())
        multiples = marks / unit
        whole = np.abs(multiples - np.rint(multiples)).max() < 1e-6
        counts = np.rint(multiples).astype(np.int64) if whole else np.ones(len(marks), np.int64)
    y, x = np.divmod(np.repeat(places, counts), width)
    return np.column_stack([x, y]).astype(np.float64), (height, width)


def isolation(values: NDArray[Any]) -> float:
    """Mean of the four neighbours of a bright pixel as a share of its value: 1 in a smooth map.

    Averaged over the pixels of at least half the maximum. 1 for a map of zeros.
    """
    values = np.asarray(values, dtype=np.float64)
    bright = values >= max(float(values.max(initial=0)) / 2, np.finfo(np.float64).tiny)
    if not bright.any():
        return 1.0
    padded = np.pad(values, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return float((around[bright] / (4 * values[bright])).mean())
