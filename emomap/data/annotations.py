"""What people said of pictures, from tables with a line a picture.

Labels, splits, distributions over emotions, valence and arousal, and any other columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from emomap.data.reading import Finder, Reading
from emomap.data.table import TableRow, read_table
from emomap.errors import QUOTED, EmomapError, printable
from emomap.io.files import File

T = TypeVar("T")
#: How much a distribution's sum may differ from 1 by the rounding of its shares.
ROUNDING = 0.01
#: The ratings of a picture, by the names of their columns.
AFFECT = ("valence", "arousal")


def by_picture(
    file: File,
    required: tuple[str, ...],
    what: str,
    parse: Callable[[TableRow], T | None],
    finder: Finder,
    reading: Reading,
) -> dict[str, T]:
    """What a table says of each picture, by id. Lines of other pictures are reported.

    Args:
        file: the table, with the column "image".
        required: the other columns that it must have.
        what: what a line says, for the message on a picture with two lines that differ.
        parse: what a line says, or None if nothing.
        finder, reading: of the data set.

    Raises:
        EmomapError: the table cannot be read, or two lines of a picture differ.
    """
    found: dict[str, T] = {}
    first: dict[str, int] = {}
    lost: list[str] = []
    for row in read_table(file, ("image", *required)):
        value = parse(row)
        identity = finder(row["image"])
        if identity is None:
            lost.append(row["image"])
        elif value is not None and found.setdefault(identity, value) != value:
            reading.fault(
                f"{row.where}: '{row['image']}' has the {what} {_shown(value)}, but on line "
                f"{first[identity]} it has {_shown(found[identity])}; keep one"
            )
        if identity is not None:
            first.setdefault(identity, row.line)
    reading.missing(lost, f"lines of {file.name} name no picture that is here")
    return found


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        value = ", ".join(f"{key} {number}" for key, number in value.items())
    return f"'{printable(str(value), QUOTED)}'"


# ---------------------------------------------------------------------------------- distributions


@dataclass(frozen=True)
class Opinions:
    """Distributions over the emotions and the votes behind them, by id.

    Attributes:
        classes: the emotions, sorted.
        shares: id -> emotion -> share, in sum 1.
        votes: id -> emotion -> number of people; empty where the table has shares.
    """

    classes: tuple[str, ...]
    shares: Mapping[str, Mapping[str, float]]
    votes: Mapping[str, Mapping[str, int]]


def as_shares(line: Mapping[str, float]) -> dict[str, float]:
    """Votes, or shares that miss the sum of 1 by their rounding, divided by their sum."""
    total = sum(line.values())
    return {name: value / total for name, value in line.items()}


def read_opinions(
    file: File, classes: Sequence[str] | None, finder: Finder, reading: Reading
) -> Opinions:
    """A table with the column image and one for each emotion: shares, or numbers of votes.

    It has votes if all its values are whole numbers and a line sums to more than 1. Else each line
    must sum to 1, within `ROUNDING`, and is divided by its sum.

    Args:
        file: the table.
        classes: the emotions that it must have; None to take those that it has.
        finder, reading: of the data set.

    Raises:
        EmomapError: a column is missing or is none of the emotions; a value that is no share and
            no number of votes; a line that does not sum to 1.
    """
    known = {name.lower(): name for name in classes or ()}

    def values(row: TableRow) -> dict[str, float]:
        columns = [column for column in row.cells if column != "image"]
        if classes is None:
            known.update({column: column for column in columns})
        if set(columns) != set(known):
            odd = [column for column in columns if column not in known]
            wrong = f"the column '{printable(odd[0], QUOTED)}' is no" if odd else "it lacks an"
            raise EmomapError(
                f"{file}: {wrong} emotion of this set; its columns must be image and "
                f"{', '.join(known.values())}, or declare classes = [...] in dataset.toml"
            )
        return {known[column]: row.number(column) for column in columns}

    table = by_picture(file, (), "distribution", values, finder, reading)
    whole = all(value.is_integer() for line in table.values() for value in line.values())
    counted = whole and any(sum(line.values()) > 1 for line in table.values())
    shares, votes = {}, {}
    for identity, line in table.items():
        total = sum(line.values())
        negative = [name for name, value in line.items() if value < 0]
        if negative:
            reading.fault(
                f"{file}: {identity}: {negative[0]} is {line[negative[0]]:g}, which is below 0"
            )
        elif counted and not total:
            reading.fault(f"{file}: {identity}: nobody voted; leave the line out")
        elif not counted and abs(total - 1) > ROUNDING:
            reading.fault(
                f"{file}: {identity}: the shares sum to {total:g}; they must sum to 1, or the "
                "whole table be whole numbers of votes"
            )
        else:
            shares[identity] = as_shares(line)
            if counted:
                votes[identity] = {name: int(value) for name, value in line.items()}
    return Opinions(tuple(sorted(known.values())), shares, votes)


# -------------------------------------------------------------------------- ratings and attributes


def rating(
    row: TableRow, column: str, scale: tuple[float, float] | None, reading: Reading
) -> float:
    """A cell as a rating. One off the scale is a fault.

    Raises:
        EmomapError: not a number, or off the scale of a strict reading.
    """
    value = row.number(column)
    if scale is not None and not scale[0] <= value <= scale[1]:
        reading.fault(
            f"{row.where}: {column} is {value:g}, which is not on the scale of {scale[0]:g} to "
            f"{scale[1]:g}"
        )
    return value


def read_affect(
    file: File, scale: tuple[float, float] | None, finder: Finder, reading: Reading
) -> dict[str, dict[str, float]]:
    """Valence, arousal or both of each picture, from the columns of these names.

    Raises:
        EmomapError: neither column, a value that is not a number, or one off the scale.
    """

    def ratings(row: TableRow) -> dict[str, float]:
        columns = [column for column in AFFECT if column in row.cells]
        if not columns:
            raise EmomapError(f"{file}: it has neither the column valence nor arousal")
        return {column: rating(row, column, scale, reading) for column in columns if row[column]}

    return by_picture(file, (), "rating", ratings, finder, reading)


def read_attributes(file: File, finder: Finder, reading: Reading) -> dict[str, dict[str, str]]:
    """All columns but image of a table, by id. An empty cell says nothing.

    Raises:
        EmomapError: the table cannot be read, or a column has no name.
    """

    def attributes(row: TableRow) -> dict[str, str]:
        if "" in row.cells:
            raise EmomapError(f"{file}: a column has no name; give it one or remove it")
        return {column: text for column, text in row.cells.items() if column != "image" and text}

    return by_picture(file, (), "attributes", attributes, finder, reading)


def columns(attributes: Sequence[Mapping[str, str] | None]) -> list[str]:
    """The columns that pictures have values in, in the order in which they appear."""
    return list(dict.fromkeys(name for some in attributes for name in some or ()))
