"""Fixation tables that are not one per picture: one table of all pictures, or one per observer.

Eye-tracking software exports either. Both become a function for each picture that reads its gaze,
with the observers numbered.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emomap.data.gaze import in_picture, read_fixations_csv
from emomap.data.table import TableRow, guess_delimiter, read_table
from emomap.data.tree import nfc, stem
from emomap.data.units import Units
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.sample import Gaze

Shape = tuple[int, int]

#: What the column with the picture's name, and that with the observer's, may be called.
IMAGE_COLUMNS = ("image", "picture", "stimulus", "filename", "file", "img")
OBSERVER_COLUMNS = ("observer", "subject", "participant")
#: Names of folders that stand for observers.
OBSERVER_FOLDER = re.compile(
    r"(s|sub|subj|subject|obs|observer|p|part|participant|user|viewer)?[-_ ]?\d+", re.IGNORECASE
)


@dataclass(frozen=True)
class Looked:
    """Fixations of one picture out of a table of many; picklable, since tasks carry it."""

    file: File
    points: NDArray[np.float64]
    observers: NDArray[np.int64] | None
    durations: NDArray[np.float64] | None


def image_column(file: File) -> str:
    """The column of a table that names pictures; "" if it has none, or cannot be read."""
    try:
        with file.open("rb") as stream:
            head = stream.readline(4096).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, EmomapError):
        return ""
    cells = [cell.strip(' "').lower() for cell in head.strip().split(guess_delimiter(head))]
    return next((name for name in IMAGE_COLUMNS if name in cells), "")


def split_by_image(file: File, column: str) -> dict[str, Looked]:
    """Id of a picture -> its fixations, of one table with the pictures' names in a column.

    Raises:
        EmomapError: the table cannot be read, or a line names no picture (names the line).
    """
    lines: dict[str, list[TableRow]] = {}
    for row in read_table(file, ("x", "y", column)):
        name = nfc(row[column]).replace("\\", "/").removeprefix("./").removeprefix("images/")
        if not name:
            raise EmomapError(f"{row.where}: the {column} is missing")
        lines.setdefault(stem(name), []).append(row)
    return {identity: _looked(file, rows) for identity, rows in lines.items()}


def _looked(file: File, rows: Sequence[TableRow]) -> Looked:
    cells = rows[0].cells
    points = np.array([[row.number("x"), row.number("y")] for row in rows])
    who = next((name for name in OBSERVER_COLUMNS if name in cells), None)
    durations = np.array([row.number("duration") for row in rows]) if "duration" in cells else None
    return Looked(file, points, _numbered([row[who] for row in rows]) if who else None, durations)


def _numbered(names: Sequence[str]) -> NDArray[np.int64]:
    order = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return np.array([order[name] for name in names], dtype=np.int64)


def from_looked(
    looked: Looked,
    *,
    image_file: File | None = None,
    shape: Shape | None = None,
    units: Units | None = None,
) -> Gaze:
    """Gaze of one picture out of a table of many; arguments as of `emomap.data.gaze.from_csv`.

    Raises:
        EmomapError: as `emomap.data.gaze.in_picture`.
    """
    points, shape = in_picture(looked.points, image_file, shape, units, looked.file)
    return Gaze(shape, points, looked.observers, looked.durations)


def by_observer(tables: Mapping[str, File]) -> dict[str, dict[str, File]] | None:
    """Id of a picture -> observer -> table, of tables in one folder per observer; else None.

    Args:
        tables: files by id, such as "S1/a" and "S2/a".
    """
    found: dict[str, dict[str, File]] = {}
    for identity, file in tables.items():
        observer, _, image = identity.partition("/")
        if not image or not OBSERVER_FOLDER.fullmatch(observer):
            return None
        found.setdefault(image, {})[observer] = file
    return found if any(len(files) > 1 for files in found.values()) else None


def from_observers(
    tables: Mapping[str, File],
    *,
    image_file: File | None = None,
    shape: Shape | None = None,
    units: Units | None = None,
) -> Gaze:
    """Gaze of one picture from a table per observer; arguments as of `emomap.data.gaze.from_csv`.

    Raises:
        EmomapError: a table cannot be read, or as `emomap.data.gaze.in_picture`.
    """
    read = [read_fixations_csv(file) for file in tables.values()]
    points = np.concatenate([points for points, _, _ in read])
    observers = np.repeat(np.arange(len(read)), [len(points) for points, _, _ in read])
    times = [durations for _, _, durations in read if durations is not None]
    durations = np.concatenate(times) if len(times) == len(read) else None
    first = next(iter(tables.values()))
    points, shape = in_picture(points, image_file, shape, units, first)
    return Gaze(shape, points, observers.astype(np.int64), durations)


def readers(
    tables: Mapping[str, File], units: Units | None, pictures: Collection[str] = ()
) -> tuple[dict[str, Callable[..., Gaze]], str] | None:
    """Id of a picture -> function that reads its gaze, and what the tables are; None for others.

    Args:
        tables: files by id.
        units: of the coordinates, as of `emomap.data.gaze.from_csv`.
        pictures: ids of pictures. Where each table has one, each is taken to be of one picture.

    Raises:
        EmomapError: a table of several pictures cannot be read.
    """
    if all(identity in pictures for identity in tables):
        return None
    observers = by_observer(tables)
    if observers is not None:
        made = {
            i: functools.partial(from_observers, files, units=units)
            for i, files in observers.items()
        }
        return dict(made), f"{len(tables)} tables in one folder per observer, pooled"
    first = next(iter(tables.values()))
    if len(tables) > 20 or not (column := image_column(first)):
        return None
    found: dict[str, Callable[..., Gaze]] = {}
    for file in tables.values():
        for identity, looked in split_by_image(file, column).items():
            if identity in found:
                raise EmomapError(f"{file}: '{identity}' is in another table, too; join them")
            found[identity] = functools.partial(from_looked, looked, units=units)
    return found, f"split by the column {column}"
