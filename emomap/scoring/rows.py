"""Rows: one value a line, append-only, resumable after a kill."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from emomap import io
from emomap.errors import EmomapError


@dataclass(frozen=True)
class Row:
    """One value: which data set, method, image and metric, and the convention behind it."""

    dataset: str
    method: str
    image: str
    metric: str
    value: float
    signature: str


def read_rows(path: Path) -> list[Row]:
    """The rows of a file; a last line that was cut short by a kill is left out.

    Raises:
        EmomapError: a line in the middle is damaged.
    """
    return [row for row, _ in _parsed(path)]


def _parsed(path: Path) -> Iterator[tuple[Row, int]]:
    """Rows with the position in the file at which each ends."""
    if not path.exists():
        return
    end = 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                return
            end += len(line)
            try:
                yield Row(**json.loads(line)), end
            except (ValueError, TypeError) as error:
                raise EmomapError(
                    f"{path}: line {number} is damaged; remove the file, and it is made anew"
                ) from error


def resume_rows(path: Path, metrics: Iterable[str]) -> list[Row]:
    """The rows of the images that are complete; whatever follows them is cut off the file.

    Args:
        metrics: what every complete image has, in the order in which it is written.
    """
    wanted = list(metrics)
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


def append_rows(path: Path, rows: Iterable[Row]) -> None:
    """Append rows to a file of rows."""
    io.append_text(path, "".join(json.dumps(asdict(row)) + "\n" for row in rows))
