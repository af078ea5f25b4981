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
from emomap.data.marks import Marks, read_marks
from emomap.data.table import Columns
from emomap.data.tree import suffix
from emomap.data.units import Units, fault_of
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.sample import Gaze

Shape = tuple[int, int]


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


def from_csv(
    file: File,
    *,
    image_file: File | None = None,
    shape: Shape | None = None,
    units: Units | None = None,
) -> Gaze:
    """Gaze of a fixation table.

    Args:
        file: the table.
        image_file: the picture, whose size the gaze gets.
        shape: (height, width) of the picture, where there is no file of it.
        units: of the coordinates. None for pixels that nobody vouched for: they are refused where
            they can hardly be pixels of the picture.

    Raises:
        EmomapError: the table cannot be read, or as `in_picture`.
    """
    points, observers, durations = read_fixations_csv(file)
    points, shape = in_picture(points, image_file, shape, units, file)
    return Gaze(shape, points, observers, durations)


def in_picture(
    points: NDArray[np.float64],
    image_file: File | None,
    shape: Shape | None,
    units: Units | None,
    file: File,
) -> tuple[NDArray[np.float64], Shape]:
    """Points of a file in pixels of their picture, and its shape: that of its file if there is one.

    Raises:
        EmomapError: the size of the picture is not known, or nobody said what the coordinates are
            and they can hardly be pixels; names the file.
    """
    if image_file is not None:
        shape = io.image_size(image_file)
    if shape is None:
        raise EmomapError(
            f"{file}: fixations alone do not say how large the picture is; "
            "put the pictures beside them in a folder images/"
        )
    if units is None and (fault := fault_of(points, shape)):
        raise EmomapError(f"{file}: {fault}")
    return (units or Units()).in_pixels(points, shape), shape


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


def from_points(
    file: File,
    *,
    image_file: File | None = None,
    shape: Shape | None = None,
    map_file: File | None = None,
    threshold: float | None = None,
) -> Gaze:
    """Gaze of a fixation map. Its shape is the map's own, since its coordinates belong to that.

    Args:
        file: the fixation map.
        image_file, shape: not needed.
        map_file: the density of the same fixations, if there is one.
        threshold: from which on a mark counts, see `emomap.data.marks.read_marks`.

    Raises:
        EmomapError: unreadable, or negative somewhere.
    """
    del image_file, shape
    values = io.read_map(file)
    if values.min() < 0:
        raise EmomapError(f"{file}: a fixation map with negative values ({values.min():g})")
    lossy = suffix(file.name) in {".jpg", ".jpeg"}
    marks = read_marks(values, lossy=lossy, threshold=threshold)
    notes = (f"{file}: {marks.note}",) if marks.note else ()
    return replace(from_marks(marks, map_file), notes=notes)


def from_marks(marks: Marks, map_file: File | None) -> Gaze:
    """Gaze of the fixations that a map marks, with the density of the same if there is a file.

    Raises:
        EmomapError: as `read_density`.
    """
    return Gaze(marks.shape, marks.points, density=read_density_of(map_file))


def from_neutral(
    fixations: File,
    map_file: File,
    *,
    image_file: File | None = None,
    shape: Shape | None = None,
    units: Units | None = None,
) -> Gaze:
    """Gaze of a fixation table, with the map beside it as density.

    Its shape is the picture's if there is one, else the map's.

    Raises:
        EmomapError: either cannot be read.
    """
    density = read_density(map_file)
    if image_file is None:
        shape = (density.shape[0], density.shape[1])
    gaze = from_csv(fixations, image_file=image_file, shape=shape, units=units)
    return replace(gaze, density=density)
