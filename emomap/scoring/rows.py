"""Rows: one value on each line of an append-only file, which a killed run can resume.

A file of the values of one method may begin with a line of what all its rows share (`Shared`), so
that no line has to repeat the signature.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, metrics
from emomap.errors import EmomapError
from emomap.io.schema import MAX_LINE, STRICT, can_be_made_again, read_json_lines


@dataclass(frozen=True)
class Row:
    """One value with its data set, method, image and metric, and the signature behind it.

    Where the metric does not apply to the map, the value is None and there is a reason.
    """

    dataset: str
    method: str
    image: str
    metric: str
    value: float | None
    signature: str
    reason: str = ""
    __pydantic_config__ = STRICT

    def record(self) -> dict[str, Any]:
        """The row by its keys; a row with a value has no reason."""
        found = asdict(self)
        if self.value is not None:
            del found["reason"]
        return found


class Shared(TypedDict):
    """The first line of a file whose rows leave out what they share."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    dataset: str
    method: str
    signatures: dict[str, str]


class _Short(TypedDict):
    """A row in such a file."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    image: str
    metric: str
    value: float | None
    reason: NotRequired[str]


def short_lines(shared: Mapping[str, Any], rows: Iterable[Row]) -> str:
    """The lines of a file that begins with what its rows share."""
    kept = ("image", "metric", "value", "reason")
    short = ({k: v for k, v in row.record().items() if k in kept} for row in rows)
    return "".join(json.dumps(line) + "\n" for line in (shared, *short))


def read_rows(path: Path) -> list[Row]:
    """The rows of a file, without a last line that a kill cut short.

    Raises:
        EmomapError: a line in the middle is damaged.
    """
    return [row for row, _ in _parsed(path)]


def resume_rows(path: Path, names: Iterable[str]) -> list[Row]:
    """The rows of all complete images. Whatever follows them in the file is cut off.

    Args:
        path: a file of rows; it need not exist.
        names: the metrics that a complete image has, in the order in which it is written.

    Raises:
        EmomapError: a line in the middle is damaged.
    """
    wanted = list(names)
    rows: list[Row] = []
    complete, keep = 0, 0
    for row, end in _parsed(path):
        rows.append(row)
        tail = rows[complete:]
        if [entry.metric for entry in tail] == wanted and len({e.image for e in tail}) == 1:
            complete, keep = len(rows), end
    if path.exists() and path.stat().st_size != keep:
        with path.open("r+b") as stream:
            stream.truncate(keep)
    return rows[:complete]


def by_metric(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """metric -> image -> value. What has no value is left out, and so is a metric without any."""
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        column = found.setdefault(row.metric, {})
        if row.value is not None:
            column[row.image] = row.value
    return {metric: column for metric, column in found.items() if column}


def reasons(rows: Iterable[Row]) -> dict[str, dict[str, str]]:
    """image -> metric -> why there is no value, of the rows without one."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        if row.value is None:
            found.setdefault(row.image, {})[row.metric] = row.reason
    return found


def append_rows(path: Path, rows: Iterable[Row]) -> None:
    """Append rows to a file of rows."""
    io.append_text(path, "".join(json.dumps(row.record()) + "\n" for row in rows))


def _begins_with_shared(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return b'"signatures"' in stream.readline(MAX_LINE)
    except OSError:
        return False  # the reader says what is wrong


def _lines(path: Path) -> Iterator[tuple[Row, int]]:
    """The rows of a file of either kind."""
    if not _begins_with_shared(path):
        yield from read_json_lines(path, Row)
        return
    lines = read_json_lines(path, Shared | _Short)
    shared: Any = next(lines, ({}, 0))[0]
    for number, (line, end) in enumerate(lines, 2):
        if "image" not in line or line["metric"] not in shared["signatures"]:
            raise EmomapError(f"{path}, line {number}: not a row of a metric of the first line")
        metric, reason = line["metric"], line.get("reason", "")
        named = shared["dataset"], shared["method"], line["image"], metric, line["value"]
        yield Row(*named, shared["signatures"][metric], reason), end


def _parsed(path: Path) -> Iterator[tuple[Row, int]]:
    """Rows, each with the position in the file at which it ends."""
    if not path.exists():
        return
    with can_be_made_again():
        for number, (row, end) in enumerate(_lines(path), 1 + _begins_with_shared(path)):
            if row.metric not in metrics.CATALOGUE:
                raise EmomapError(f"{path}, line {number}: metric: no metric is called so")
            if row.value is None and not row.reason:
                raise EmomapError(f"{path}, line {number}: value: null without a reason")
            yield row, end
