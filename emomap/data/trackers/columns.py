"""Exports that are tables with a column for each thing, whatever their delimiter and encoding.

They are read line by line, since an export of samples has gigabytes.
"""

from __future__ import annotations

import csv
import math
import re
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from emomap.data.trackers.asc import picture_in
from emomap.data.trackers.fixation import Export, Fixation
from emomap.data.trackers.kinds import FIELDS, Tracker
from emomap.errors import QUOTED, EmomapError, UsageError, listed, printable
from emomap.io.files import unreadable

#: How programs write that there is no value.
EMPTY = {"", ".", "-", "nan", "na", "n/a", "none", "null"}
#: Lines before the header that are looked at.
PREAMBLE = 200
#: Durations whose median is below this are seconds.
SECONDS = 10
#: Those whose median is above this are microseconds.
MICROSECONDS = 10_000
#: Files that Pupil Player calls by the surface.
SURFACE = re.compile(r"fixations_on_surface_(.+)")
#: Millionths in the unit of a column: "Recording timestamp [μs]".
MICRO = re.compile(r"\[\s*[µμu]s\s*\]")


def read_columns(file: Path, tracker: Tracker, given: Mapping[str, str], into: Export) -> None:
    """Add the fixations of one table to an export.

    Args:
        file: the table.
        tracker: whose it is.
        given: field -> name of its column, where the user says so.
        into: receives fixations, counts and notes.

    Raises:
        EmomapError: unreadable, without the columns that are needed, or a value is not a number.
    """
    try:
        with file.open(encoding=_encoding(file), newline="") as stream:
            _read(stream, file, tracker, given, into)
    except OSError as error:
        raise unreadable(file, error) from error
    except (UnicodeError, csv.Error) as error:
        raise EmomapError(f"{file}: cannot be read as a table: {error}") from error


def _encoding(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(2**16)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if start[:3] == b"\xef\xbb\xbf":
        return "utf-8-sig"
    try:
        start[: max(0, len(start) - 4)].decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1"  # BeGaze and Data Viewer on Windows
    return "utf-8"


def _read(
    stream: TextIO, file: Path, tracker: Tracker, given: Mapping[str, str], into: Export
) -> None:
    header, lines = _header(stream, file, tracker, given)
    at = _columns(header, file, tracker, given)
    if "mcspx" in header[at["x"]].lower():  # Tobii: coordinates of the medium
        into.frame = "picture"
    durations: list[float] = []
    first, last, shown = len(into.fixations), None, ""
    name = file.stem
    surface = SURFACE.fullmatch(name)
    micro = {what for what, column in at.items() if MICRO.search(header[column])}
    for number, cells in lines:
        if cells and cells[0] == "UserEvent":  # SMI's event detector: # Message: 1001.jpg
            shown = picture_in(cells[-1]) or shown
            continue
        line = _Line(file, number, cells, at)
        reason = _reason(line, tracker)
        if reason is not None:
            into.left_out.update([reason] if reason else [])
            last = None if reason else last
            continue
        same = (line.text("observer"), line.text("image"), line.text("trial"), line.text("index"))
        if same[3] and tracker.name == "tobii" and same == last:
            continue  # the same fixation, a line for each sample
        last = same
        if into.screen is None and tracker.screen:
            into.screen = line.size(tracker.screen, header)
        line.place(into)
        duration = line.number("duration")
        if duration is not None:
            if duration < 0:
                raise EmomapError(f"{file}, line {number}: a duration of {duration:g}")
            duration *= 0.001 if "duration" in micro else 1
            durations.append(duration)
        x, y = line.number("x"), line.number("y")
        assert x is not None and y is not None
        into.fixations.append(
            Fixation(
                line.text("image") or shown or (surface[1] if surface else ""),
                line.text("observer") or ("" if surface else name),
                line.text("trial"),
                line.number("start") or 0.0,
                x,
                y,
                duration,
                _eye(line),
            )
        )
    scale = 1.0
    if tracker.guess and durations:
        middle = statistics.median(durations)
        scale = 1000.0 if middle < SECONDS else 0.001 if middle > MICROSECONDS else 1.0
    if scale != 1:
        unit = "seconds" if scale > 1 else "microseconds"
        into.notes.append(f"{file}: durations are taken as {unit}")
        for index in range(first, len(into.fixations)):
            one = into.fixations[index]
            if one.duration is not None:
                into.fixations[index] = replace(one, duration=one.duration * scale)


def _header(
    stream: TextIO, file: Path, tracker: Tracker, given: Mapping[str, str]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, found among the first lines, and the lines below it with their numbers."""
    seen: list[str] = []
    for number, text in enumerate(stream, 1):
        delimiter = max("\t;,", key=text.count)
        cells = [cell.strip() for cell in next(csv.reader([text], delimiter=delimiter), [])]
        names = [plain(cell) for cell in cells]
        wanted = [plain(given[f]) if f in given else tracker.columns[f] for f in ("x", "y")]
        if all(any(n == w or n in w for n in names if n) for w in wanted):
            rows = csv.reader(stream, delimiter=delimiter)
            return cells, ((number + rows.line_num, [c.strip() for c in row]) for row in rows)
        if len(cells) > 1:
            seen = seen or [cell for cell in cells if cell]
        if number == PREAMBLE:
            break
    x = tracker.columns["x"][0]
    raise EmomapError(
        f"{file}: no export of {tracker.title} ({tracker.summary}): no column like {x}; its "
        f"columns are {listed(seen, 12)}. Name them: --columns x=NAME,y=NAME,image=NAME"
    )


def plain(name: str) -> str:
    """The name of a column without unit, case and punctuation: "Fixation point X [px]"."""
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"[\[(].*?[\])]", "", name.lower())).strip("_")


def _columns(
    header: Sequence[str], file: Path, tracker: Tracker, given: Mapping[str, str]
) -> dict[str, int]:
    """Field -> number of its column."""
    names = [plain(cell) for cell in header]
    found: dict[str, int] = {}
    for what in FIELDS:
        if what in given:
            if plain(given[what]) not in names:
                raise UsageError(f"--columns {what}={given[what]}: {file} has {listed(header, 30)}")
            found[what] = names.index(plain(given[what]))
            continue
        for candidate in tracker.columns.get(what, ()):
            if candidate in names:
                found[what] = names.index(candidate)
                break
    return found


def _reason(line: _Line, tracker: Tracker) -> str | None:
    """Why a line is no fixation to use: "" for other events, None if it is one."""
    event = line.text("event").lower()
    if event in tracker.blinks:
        return "blinks, or eyes that were not found"
    if tracker.events and "event" in line.at and event not in tracker.events:
        return ""
    if line.missing("x") or line.missing("y"):
        return "fixations without a position"
    if line.text("valid").lower() in {"false", "0", "invalid", "no"}:
        return "fixations that are marked as invalid, or off the surface"
    confidence = line.number("confidence")
    if confidence is not None and confidence < tracker.confidence:
        return f"fixations with a confidence below {tracker.confidence:g}"
    return None


def _eye(line: _Line) -> str:
    said = line.text("eye").lower() or line.text("event").lower().rpartition(" ")[2]
    return {"l": "L", "left": "L", "r": "R", "right": "R"}.get(said, "")


class _Line:
    """One line of a table."""

    def __init__(self, file: Path, number: int, cells: list[str], at: Mapping[str, int]) -> None:
        self.file, self.line, self.cells, self.at = file, number, cells, at

    def text(self, what: str) -> str:
        column = self.at.get(what)
        found = self.cells[column] if column is not None and column < len(self.cells) else ""
        return "" if found.lower() in EMPTY else found

    def missing(self, what: str) -> bool:
        return not self.text(what)

    def number(self, what: str) -> float | None:
        """A number, with a point or a comma; None where the cell is empty.

        Raises:
            EmomapError: it is something else.
        """
        text = self.text(what)
        if not text:
            return None
        try:
            value = float(text.replace(",", ".") if text.count(",") == 1 else text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise EmomapError(
                f"{self.file}, line {self.line}: {what} is '{printable(text, QUOTED)}', which is "
                "not a number"
            )
        return value

    def place(self, into: Export) -> None:
        """Keep where the picture was on the screen, if the line says."""
        picture = self.text("image")
        if not picture or picture in into.placed or "left" not in self.at:
            return
        found = [self.number(what) for what in ("left", "top", "width", "height")]
        if None not in found:
            left, top, width, height = (value or 0.0 for value in found)
            into.placed[picture] = (left, top, width, height)

    def size(self, names: Sequence[str], header: Sequence[str]) -> tuple[int, int] | None:
        """Width and height of the screen, if the line has them."""
        plains = [plain(cell) for cell in header]
        values = [self.cells[plains.index(n)] for n in names if n in plains]
        if len(values) < 2 or not all(re.fullmatch(r"\d+", value) for value in values):
            return None
        return int(values[0]), int(values[1])
