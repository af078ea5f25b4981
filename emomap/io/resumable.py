"""`ResumeFile`: results so far, a JSON line each, from which an interrupted command resumes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emomap.io.files import append_text, write_text
from emomap.io.schema import can_be_made_again, check, whole_lines

#: Lines that are written at once.
BATCH = 20


class ResumeFile:
    """A file whose first line says what its results belong to; each line after it is a result.

    Args:
        path: of the file; it need not exist.
        head: what the results belong to. Results under another head are thrown away.
        schema: of a result.
    """

    def __init__(self, path: Path, head: Mapping[str, Any], schema: Any) -> None:
        self.path = path
        self._head = dict(head)
        self._schema = schema
        self._waiting: list[str] = []

    def read(self) -> list[Any]:
        """The results, without those that a kill cut short.

        A file with another head is replaced by an empty one.

        Raises:
            EmomapError: a result is not as the schema has it, or the file cannot be written.
        """
        lines = list(whole_lines(self.path))
        if not lines or lines[0][1] != self._head:
            write_text(self.path, json.dumps(self._head) + "\n")
            return []
        with can_be_made_again():
            return [check(line, self._schema, f"{self.path}, line {n}") for n, line in lines[1:]]

    def add(self, line: Mapping[str, Any]) -> None:
        """Keep a result. It is written with the next batch."""
        self._waiting.append(json.dumps(line))
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write the results that are waiting.

        Each starts with a line end, so that it never continues a line that a kill cut short.
        """
        if self._waiting:
            append_text(self.path, "".join("\n" + line for line in self._waiting))
        self._waiting = []

    def remove(self) -> None:
        """Remove the file, once all results are in the output."""
        self.path.unlink(missing_ok=True)
