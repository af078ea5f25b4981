"""`Grouping`: the group of each image, by a label of the data set or a column of a table.

Groups partition the images: one without a label belongs to the group `NONE`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emomap import metrics
from emomap.data.reading import Finder
from emomap.data.table import TableRow, read_table
from emomap.data.tree import stem
from emomap.errors import EmomapError, UsageError, listed, printable
from emomap.sample import Sample
from emomap.scoring.videos import video_of

#: The group of the images that have no label.
NONE = "(none)"
#: Polarity of the emotions on Mikels' wheel; a set of two classes may name it itself.
POLARITY = {
    **dict.fromkeys((*metrics.emotion.MIKELS.positive, "positive"), "positive"),
    **dict.fromkeys((*metrics.emotion.MIKELS.negative, "negative"), "negative"),
}
#: What stands between several values of one cell.
SEVERAL = (";", "|")

#: Image -> value of a column, for the images that have one.
Column = Mapping[str, str]


@dataclass(frozen=True)
class Grouping:
    """The groups of a set of images.

    Attributes:
        by: what they are grouped by.
        of: image -> group, for every image of the set, with or without values. Of an image that is
            not there nothing is known, so that it belongs to `NONE`.
        notes: what a reader must know.
        table: the file that the groups come from, if it is one.
    """

    by: str
    of: Mapping[str, str]
    notes: Sequence[str] = ()
    table: Path | None = None

    def group(self, image: str) -> str:
        """The group of an image."""
        return self.of.get(image, NONE)

    def groups(self, images: Iterable[str] = ()) -> list[str]:
        """All groups in order: numbers by size, names by the alphabet, `NONE` last.

        Args:
            images: further ones, which may have no label.
        """
        found = {*self.of.values(), *(self.group(image) for image in images)}
        return sorted(found, key=_order)

    def of_videos(self) -> Grouping:
        """The groups of videos, whose frames are the images.

        Raises:
            EmomapError: the frames of a video are in several groups.
        """
        found: dict[str, str] = {}
        for image, group in self.of.items():
            video = video_of(image)
            if found.setdefault(video, group) != group:
                raise EmomapError(
                    f"--by {self.by}: the frames of {video} are in several groups "
                    f"({found[video]}, {group}); group by something that holds for a whole video"
                )
        return replace(self, of=found)


def grouping(
    by: str, samples: Sequence[Sample] = (), table: Path | None = None, images: Iterable[str] = ()
) -> Grouping:
    """Group images by a column of a table, or by what a data set says of them.

    Args:
        by: "emotion", "polarity" (of the emotion, on Mikels' wheel), "category" (a column of that
            name, else the folder in which the image lies), or any other column. "" for the only
            column of the table.
        samples: of the data set, with and without gaze.
        table: CSV with a column ``image`` and further columns. Its columns go before those of the
            data set.
        images: of which there are values, where there is no data set.

    Raises:
        UsageError: no such column, or one of which an image has several values.
        EmomapError: the table cannot be read, or an emotion has no polarity.
    """
    every = list(dict.fromkeys([*(sample.id for sample in samples), *images]))
    columns, notes = read_columns(table, every) if table else ({}, [])
    by = by.strip().lower() or _only(columns, table)
    known = {**_of_samples(samples), **columns}
    found = _derived(known, every).get(by) if by not in columns else None
    column = known.get(by) if found is None else found()
    _check_single(by, column or {})
    if column is None:
        where = f"{table} and the data set have" if table else "the data set has"
        raise UsageError(f"--by {by}: no such column; {where} {choices(known, every)}")
    if not column:
        raise UsageError(f"--by {by}: no image has one; there are {choices(known, every)}")
    file = table.resolve() if table and by in columns else None
    return Grouping(by, {image: column.get(image, NONE) for image in every}, notes, file)


def choices(known: Mapping[str, Column], images: Sequence[str]) -> str:
    """What images can be grouped by, for messages."""
    found = [*(name for name, column in known.items() if column)]
    found += [name for name in _derived(known, images) if name not in found]
    return ", ".join(found) or "none; give a table with --groups FILE.csv (columns image, ...)"


def read_columns(table: Path, images: Sequence[str]) -> tuple[dict[str, Column], list[str]]:
    """The columns of a table with a column ``image``: name -> image -> value.

    Args:
        table: the CSV file.
        images: ids. Lines find them as those of a ``labels.csv`` do.

    Returns:
        The columns, and a note on lines that name no image.

    Raises:
        UsageError: an image has several values in a column.
        EmomapError: the table cannot be read, or has no other column.
    """
    rows = list(read_table(table, ("image",)))
    names = [name for name in (rows[0].cells if rows else ()) if name not in {"image", ""}]
    if not names:
        raise EmomapError(f"{table}: no line, or no column beside 'image' to group by")
    finder = Finder(images, images)
    named = [(finder(row["image"]) or finder(stem(row["image"])), row) for row in rows]
    lost = [row["image"] for image, row in named if image is None]
    found = [(image, row) for image, row in named if image is not None]
    if not found:
        raise EmomapError(
            f"{table}: none of its images ({listed(lost, 2)}) is one of {listed(images, 2)}"
        )
    note = f"{len(lost)} lines of {table.name} name no image that is here: {listed(lost, 3)}"
    return {name: _column(table, name, found) for name in names}, [note] * bool(lost)


def _column(table: Path, name: str, rows: Sequence[tuple[str, TableRow]]) -> Column:
    found: dict[str, str] = {}
    for image, row in rows:
        value = row[name]
        if not value:
            continue
        if found.setdefault(image, value) != value:
            raise UsageError(
                f"{row.where}: '{image}' has several values in the column {name} "
                f"({printable(f'{found[image]}, {value}', 80)}), so that groups would overlap; "
                "keep one value an image"
            )
    return found


def _check_single(by: str, column: Column) -> None:
    """Refuse a column of which an image has several values."""
    for image, value in column.items():
        if any(mark in value for mark in SEVERAL):
            raise UsageError(
                f"--by {by}: '{image}' has several values ({printable(value, 80)}), so that groups "
                "would overlap; choose another column, or give one with --groups FILE.csv"
            )


def _of_samples(samples: Sequence[Sample]) -> dict[str, Column]:
    """What a data set says of its images: name -> image -> value."""
    found: dict[str, dict[str, str]] = {}
    for sample in samples:
        if sample.emotion is not None:
            found.setdefault("emotion", {})[sample.id] = sample.emotion
        for name, value in (sample.attributes or {}).items():
            if value:
                found.setdefault(name.lower(), {})[sample.id] = value
    return dict(found)


def _derived(known: Mapping[str, Column], images: Sequence[str]) -> dict[str, Callable[[], Column]]:
    """What follows from other columns: name -> function that makes the column."""
    found: dict[str, Callable[[], Column]] = {}
    if known.get("emotion"):
        found["polarity"] = lambda: _polarity(known["emotion"])
    folders = {image: image.rpartition("/")[0] for image in images if "/" in image}
    if "category" not in known and folders:
        found["category"] = lambda: folders
    return found


def _polarity(emotions: Column) -> Column:
    unknown = sorted({name for name in emotions.values() if name.lower() not in POLARITY})
    if unknown:
        raise EmomapError(
            f"--by polarity: {listed(unknown)} has no polarity, since it is not on Mikels' wheel "
            f"({', '.join(POLARITY)}); give the polarity as a column of --groups FILE.csv"
        )
    return {image: POLARITY[name.lower()] for image, name in emotions.items()}


def _only(columns: Mapping[str, Column], table: Path | None) -> str:
    """The only column of a table."""
    if len(columns) != 1:
        there = f"{table} has {', '.join(columns)}; " if columns else ""
        raise UsageError(f"{there}say with --by NAME which one groups the images")
    return next(iter(columns))


def _order(name: str) -> tuple[int, float, str]:
    if name == NONE:
        return 2, 0.0, name
    try:
        value = float(name)
    except ValueError:
        value = math.nan
    return (0, value, name) if math.isfinite(value) else (1, 0.0, name)
