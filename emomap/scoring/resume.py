"""`PartFile`: the results so far of one `score`, which a later call resumes from.

Only results of the same maps, scored in the same way, are used again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap.io.archive import Member
from emomap.io.resumable import ResumeFile
from emomap.io.schema import STRICT
from emomap.scoring.image import MapToScore, Scored
from emomap.scoring.protocol import Protocol


class _ScoredLine(TypedDict):
    """A scored map."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    id: str
    stamp: int
    values: dict[str, float]
    remarks: list[str]
    lacking: NotRequired[dict[str, str]]
    log: NotRequired[bool]


class PartFile:
    """The file ``OUTPUT.part``, which exists while ``OUTPUT`` is being computed.

    Args:
        output: the file that will hold all results.
        items: all maps of all shards, since some metrics look at the gaze on other images.
        protocol: how they are scored.
        truth: where the gaze comes from.
        read_as: what the user said of how it is read; "" for nothing.
    """

    def __init__(
        self,
        output: Path,
        items: Sequence[MapToScore],
        protocol: Protocol,
        truth: Path,
        read_as: str = "",
    ):
        maps = [f"{item.id}\n{item.map_file}\n" for item in items]
        head = {
            "signature": protocol.signature(),
            "truth": str(truth.resolve()),
            "maps": hashlib.sha256("".join(maps).encode()).hexdigest(),
        }
        if read_as:
            head["read_as"] = read_as
        self.path = output.with_name(f"{output.name}.part")
        self._file = ResumeFile(self.path, head, _ScoredLine)
        self._metrics = set(protocol.metrics)
        self._stamps = {item.id: _stamp(item) for item in items}

    def read(self) -> dict[str, Scored]:
        """The results of maps that have not changed since.

        Raises:
            EmomapError: the file is damaged, or cannot be written.
        """
        return {
            line["id"]: Scored(
                line["id"],
                line["values"],
                remarks=tuple(line["remarks"]),
                lacking=line.get("lacking", {}),
                log=line.get("log", False),
            )
            for line in self._file.read()
            if line["stamp"] == self._stamps.get(line["id"])
            and {*line["values"], *line.get("lacking", {})} == self._metrics
        }

    def add(self, result: Scored) -> None:
        """Keep a result. Failed and blank maps are scored again, since they may have been fixed."""
        if result.problem or result.blank:
            return
        line = {
            "id": result.id,
            "stamp": self._stamps[result.id],
            "values": dict(result.values),
            "remarks": result.remarks,
        }
        if result.lacking:
            line |= {"lacking": dict(result.lacking), "log": result.log}
        self._file.add(line)

    def flush(self) -> None:
        """Write the results that are waiting."""
        self._file.flush()

    def remove(self) -> None:
        """Remove the file, once all results are in the output."""
        self._file.remove()


def _stamp(item: MapToScore) -> int:
    """When a map, or the archive around it, last changed; 0 for another kind of file."""
    file = item.map_file.archive if isinstance(item.map_file, Member) else item.map_file
    return file.stat().st_mtime_ns if isinstance(file, Path) else 0
