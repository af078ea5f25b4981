"""Gaze from files: fixation tables, density maps, fixation maps; and folders of any of these.

The functions `from_csv`, `from_density` and `from_points` become a sample's ``gaze_source`` by
`functools.partial`, so that nothing is read before it is needed and a sample can be sent to
another process.
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
#: A bright pixel of a fixation map stands alone: its neighbours hold less than this share of it.
#: OSIE's and SALICON's true fixations: as marks 0 to .30 (as JPEG .33), as counts up to .60 (7,000
#: mouse samples); as densities with a sigma of 1.5 px at least .81, of 3 px at least .96.
ISOLATED = 0.75


# ------------------------------------------------------------------------------------ one file


def read_fixations_csv(
    file: File,
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, NDArray[np.float64] | None]:
    """Read a fixation table: header x,y[,observer][,duration], rows in viewing order.

    Returns:
        points (N, 2), 0-based pixels, x right and y down; observers (N,) or None; durations (N,)
        in milliseconds or None. Observers that are not whole numbers are numbered as they appear.

    Raises:
        EmomapError: unreadable, a column is missing, or a value is no number (names the line).
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
    """Gaze of a fixation table; the size of the picture comes from the picture, or from ``shape``.

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
        EmomapError: unreadable, or not such a map.
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
    """Gaze known only as a density; its shape is that of the picture, if that is known."""
    density = read_density(file)
    if image_file is not None:
        shape = io.image_size(image_file)
    return Gaze(shape or (density.shape[0], density.shape[1]), density=density)


def from_points(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze of a fixation map; its shape is the map's own, to which its coordinates belong."""
    del image_file, shape
    values = io.read_map(file)
    if values.min() < 0:
        raise EmomapError(f"{file}: a fixation map with negative values ({values.min():g})")
    points, size = points_of_map(values, lossy=suffix(file.name) in {".jpg", ".jpeg"})
    return Gaze(size, points)


def from_neutral(
    fixations: File, map_file: File, *, image_file: File | None = None, shape: Shape | None = None
) -> Gaze:
    """Gaze of a fixation table and the map beside it, which is as large as the picture."""
    density = read_density(map_file)
    if image_file is None:
        shape = (density.shape[0], density.shape[1])
    return replace(from_csv(fixations, image_file=image_file, shape=shape), density=density)


def points_of_map(
    values: NDArray[Any], *, lossy: bool = False
) -> tuple[NDArray[np.float64], Shape]:
    """Fixations of a map that marks them: (N, 2) points in raster order, and the map's shape.

    The values are counts where they are whole numbers; multiples of the smallest one (255 and 510,
    or 127.5 scaled) count as one, two, ...; a lossy map is cut at half of its maximum.
    """
    values = np.asarray(values)
    height, width = values.shape
    (places,) = np.nonzero(values.ravel() > 0)  # few, so nothing else is done to the whole map
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
    """How much of a bright pixel's value its four neighbours hold, on average: 1 in a smooth map.

    Bright is at least half of the maximum; 1 for a map without any.
    """
    values = np.asarray(values, dtype=np.float64)
    bright = values >= max(float(values.max(initial=0)) / 2, np.finfo(np.float64).tiny)
    if not bright.any():
        return 1.0
    padded = np.pad(values, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return float((around[bright] / (4 * values[bright])).mean())
