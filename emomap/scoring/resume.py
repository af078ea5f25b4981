"""`PartFile`: the results so far of one `score`, which a later call resumes from.

The first line says what is scored and how, and each line after it holds one image. A last line that
a kill cut short is left out. Only results of the same maps, scored in the same way, are used again.
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

#: Results that are written at once.
BATCH = 20


class PartFile:
    """The file ``OUTPUT.part``, which exists while ``OUTPUT`` is being computed.

    Args:
        output: the file that will hold all results.
        items: all maps of all shards, since some metrics look at the gaze on other images.
        protocol: how they are scored.
        truth: where the gaze comes from.
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
        """The results of maps that have not changed since.

        A file that belongs to another call is replaced by an empty one.

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
        """Keep a result. Failed and blank maps are scored again, since they may have been fixed."""
        if result.problem or result.blank:
            return
        stamp = self._stamps[result.id]
        line = {"id": result.id, "stamp": stamp, "values": dict(result.values)}
        self._waiting.append({**line, "remarks": result.remarks})
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the results that are waiting.

        Each starts with a line end, so that it never continues a line that a kill cut short.
        """
        io.append_text(self.path, "".join("\n" + json.dumps(line) for line in self._waiting))
        self._waiting = []

    def remove(self) -> None:
        """Remove the file, once all results are in the output."""
        self.path.unlink(missing_ok=True)


def _stamp(item: MapToScore) -> int:
    return item.map_file.stat().st_mtime_ns if isinstance(item.map_file, Path) else 0
