"""Results of a `score` that was stopped, kept beside the file that it would have written.

A first line says what is scored and how; then a line an image. A kill may cut the last line, which
is then left out. Only results of the same maps, scored in the same way, are taken up again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from emomap import io
from emomap.scoring.image import MapToScore, Scored
from emomap.scoring.protocol import Protocol

#: Results written at once.
BATCH = 20


class Unfinished:
    """The file of results of one `score`.

    Args:
        output: what the whole will be written to; the file is named after it.
        items: all that is scored, of all shards, since some metrics look at the others.
        protocol: how.
        truth: where the gaze is from.
    """

    def __init__(self, output: Path, items: Sequence[MapToScore], protocol: Protocol, truth: Path):
        self.path = output.with_name(f"{output.name}.part")
        maps = [f"{item.id}\n{item.map_file}\n" for item in items]
        self._head = {
            "signature": protocol.signature(),
            "truth": str(truth.resolve()),
            "maps": hashlib.sha256("".join(maps).encode()).hexdigest(),
        }
        self._stamps = {item.id: _stamp(item) for item in items}
        self._waiting: list[dict[str, Any]] = []

    def read(self) -> dict[str, Scored]:
        """The results of maps that have not changed since; begins the file anew if it is other's.

        Raises:
            EmomapError: the file cannot be written.
        """
        lines = list(io.whole_lines(self.path))
        if not lines or lines[0] != self._head:
            io.write_text(self.path, json.dumps(self._head) + "\n")
            return {}
        return {
            line["id"]: Scored(line["id"], line["values"], None, tuple(line["remarks"]))
            for line in lines[1:]
            if line["stamp"] == self._stamps.get(line["id"])
        }

    def add(self, result: Scored) -> None:
        """Keep a result. Those of failed and of blank maps are not kept: they may be mended."""
        if result.problem or result.blank:
            return
        stamp = self._stamps[result.id]
        line = {"id": result.id, "stamp": stamp, "values": dict(result.values)}
        self._waiting.append({**line, "remarks": result.remarks})
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what waits. A line begins with the line end that a cut one before it lacks."""
        io.append_text(self.path, "".join("\n" + json.dumps(line) for line in self._waiting))
        self._waiting = []

    def remove(self) -> None:
        """The whole was written."""
        self.path.unlink(missing_ok=True)


def _stamp(item: MapToScore) -> int:
    return item.map_file.stat().st_mtime_ns if isinstance(item.map_file, Path) else 0
