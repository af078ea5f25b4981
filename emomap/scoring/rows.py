"""Rows: one value on each line of an append-only file, which a killed run can resume."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emomap import io, metrics
from emomap.errors import EmomapError
from emomap.io.schema import STRICT, can_be_made_again, read_json_lines


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


def _parsed(path: Path) -> Iterator[tuple[Row, int]]:
    """Rows, each with the position in the file at which it ends."""
    if not path.exists():
        return
    with can_be_made_again():
        for number, (row, end) in enumerate(read_json_lines(path, Row), 1):
            if row.metric not in metrics.CATALOGUE:
                raise EmomapError(f"{path}, line {number}: metric: no metric is called so")
            if row.value is None and not row.reason:
                raise EmomapError(f"{path}, line {number}: value: null without a reason")
            yield row, end
