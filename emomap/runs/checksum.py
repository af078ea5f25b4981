"""Were the rows of a run changed after it ended? Their checksums, in `summary.json`, tell.

A run that ends writes the SHA-256 of each file of rows. A checksum shows an edit that came later.
It is no proof against fraud: who edits the rows can write another checksum, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io
from emomap.errors import EmomapError
from emomap.io.schema import STRICT, can_be_made_again, read_json
from emomap.runs.folder import Run

#: Of a file of rows: as the run left it; changed, or gone, since then; of a run without checksums.
State = Literal["verified", "edited", "unverified"]


class Recorded(TypedDict):
    """What this module reads of `summary.json`."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    methods: dict[str, Any]
    checksums: NotRequired[dict[str, str]]


def checksum(path: Path) -> str:
    """SHA-256 of a file in hexadecimal; "" where there is none.

    Raises:
        EmomapError: it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise EmomapError(f"{path}: cannot be read: {error.strerror or error}") from error


def state(summary: Mapping[str, Any], found: str, name: str) -> State:
    """Whether the rows of a method are as the run left them.

    Args:
        summary: of the run.
        found: the checksum of the rows as they are now.
        name: of the row.
    """
    recorded = summary.get("checksums", {}).get(name)
    if recorded is None:
        return "unverified"
    return "verified" if recorded == found else "edited"


def recorded(run: Run, names: Iterable[str], unknown: Iterable[str] = ()) -> dict[str, str]:
    """Row name -> checksum of its file, for `summary.json`.

    Args:
        run: the folder.
        names: of rows.
        unknown: rows of which nobody knows whether they are as they were computed.
    """
    wanted = [name for name in names if name not in set(unknown)]
    return {name: found for name in wanted if (found := checksum(run.rows(name)))}


def refuse_edited(run: Run, *, gone: bool = False) -> list[str]:
    """Refuse to continue from rows that were changed after the run ended.

    Args:
        run: the folder; one that is not finished has nothing to check.
        gone: refuse rows that are missing, too, instead of leaving them to be made again.

    Returns:
        The rows without a checksum: those of a run of 0.1 stay without one, and so do those of a
        file that was cut short.

    Raises:
        EmomapError: names the file and the way out; or `summary.json` is damaged.
    """
    path = run.folder / "summary.json"
    if not path.exists():
        return []
    with can_be_made_again():
        summary = read_json(path, Recorded)
    unknown = []
    for name in summary["methods"]:
        found = checksum(run.rows(name))
        known = state(summary, found, name)
        if known == "edited" and not gone and _fewer(run.rows(name), summary["methods"][name]):
            unknown.append(name)  # what is missing is scored again; nobody knows the others
            continue
        if known == "edited" and (found or gone):
            raise EmomapError(
                f"{run.rows(name)}: edited after the run ended; remove the file and run the same "
                "command of `emomap bench` again, which scores these maps anew"
            )
        if found and known == "unverified":
            unknown.append(name)
    return unknown


def _fewer(path: Path, entry: Mapping[str, Any]) -> bool:
    """Whether a file has fewer rows than its run counted, as after a copy that was cut short."""
    cells = entry.get("metrics", {}).values()
    counted: int = len(cells) * max((cell["n"] for cell in cells), default=0)
    try:
        return path.read_bytes().count(b"\n") < counted
    except FileNotFoundError:
        return False
    except OSError as error:
        raise EmomapError(f"{path}: cannot be read: {error.strerror or error}") from error


def reopen(run: Run) -> None:
    """Declare a run unfinished, since rows are about to be added.

    Otherwise a run that is interrupted now would seem to have been edited.
    """
    path = run.folder / "summary.json"
    try:
        if path.exists() and "checksums" in json.loads(path.read_text("utf-8")):
            path.unlink()
    except OSError as error:
        raise io.write_error(path, error) from error
