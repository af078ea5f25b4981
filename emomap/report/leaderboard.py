"""The leaderboard as a folder of pages that open from disk: an index, a page for each data set.

This file gathers what the pages show; `leaderboard.html.j2` lays them out in the style of the
report. `leaderboard.json` has every number under the keys of the catalogue, for programs.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from emomap import io, method, metrics
from emomap._version import __version__
from emomap.analysis import ranking
from emomap.analysis.leaderboard import Leaderboard, LeaderboardEntry, RowsFile, SetBoard
from emomap.errors import UsageError
from emomap.report.templates import script_hash, template
from emomap.runs.results import Results
from emomap.scoring.intervals import METHOD, named
from emomap.scoring.summary import all_metrics, label
from emomap.tables import bounds, number

#: The file that tells a folder of these pages from any other.
DATA = "leaderboard.json"


def write(found: Leaderboard, output: Path) -> Path:
    """Write the pages and `leaderboard.json`. Pages of an earlier leaderboard there are replaced.

    Args:
        found: from `emomap.analysis.leaderboard.gather`.
        output: a new or empty folder, or one that this function has written.

    Returns:
        The path of ``index.html``.

    Raises:
        UsageError: the folder holds other files.
        EmomapError: it cannot be written.
    """
    check_output(output)
    pages = [_page_name(number, board.name) for number, board in enumerate(found.sets, 1)]
    for old in output.glob("set-*.html"):
        old.unlink()
    made = _Pages(found, pages)
    for at, name in enumerate(pages):
        io.write_text(output / name, made.of_set(at))
    io.write_text(output / DATA, json.dumps(_data(found), indent=1, ensure_ascii=False) + "\n")
    io.write_text(output / "index.html", made.index())
    return output / "index.html"


def check_output(output: Path) -> None:
    """Refuse a folder that holds other files than those of a leaderboard.

    Raises:
        UsageError: it does, or it is a file.
    """
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is a file; name a folder with --output")
    if output.is_dir() and any(output.iterdir()) and not (output / DATA).is_file():
        raise UsageError(f"{output}: holds other files; name a new folder with --output")


def command_of(run: Results) -> str:
    """The command that made a run, as one types it."""
    parts: Sequence[str] = run.environment["command"]
    if parts and (
        Path(parts[0]).name in {"emomap", "emomap.exe", "-m"}
        or parts[0].endswith("emomap/__main__.py")
    ):
        parts = ["emomap", *parts[1:]]
    return shlex.join(parts)


class _Pages:
    """The pages of a leaderboard as text."""

    def __init__(self, found: Leaderboard, pages: Sequence[str]) -> None:
        here = Path(__file__).parent
        script = (here / "sort.js").read_text("utf-8") + (here / "open.js").read_text("utf-8")
        self.found = found
        self.pages = pages
        self.runs_anchor = {path: f"run-{at}" for at, path in enumerate(found.runs, 1)}
        self.anchors = {
            page: {entry.key: f"entry-{at}" for at, entry in enumerate(board.entries, 1)}
            for page, board in zip(pages, found.sets, strict=True)
        }
        entries = [entry for board in found.sets for entry in board.entries]
        names = {entry.method for entry in entries}
        cells = [cell for entry in entries for cell in entry.means.values()]
        self.render = partial(
            template("leaderboard.html.j2").render,
            found=found,
            made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            version=__version__,
            style=(here / "style.css").read_text("utf-8"),
            script=script,
            script_hash=script_hash(script),
            number=number,
            bounds=bounds,
            intervals=named(METHOD, cells),
            pages=pages,
            anchors=self.anchors,
            titles={name: method.title(name) for name in names},
            shown=lambda entry: method.title(entry.method) + entry.label[len(entry.method) :],
        )

    def index(self) -> str:
        """The first page: overall ranks, and the ranks on each set."""
        edited = [
            (page, entry)
            for page, board in zip(self.pages, self.found.sets, strict=True)
            for entry in board.entries
            if entry.edited
        ]
        command = shlex.join(map(str, self.found.runs))
        text: str = self.render(board=None, edited=edited, command=command)
        return text.lstrip()

    def of_set(self, at: int) -> str:
        """The page of one data set."""
        board, page = self.found.sets[at], self.pages[at]
        here = {source.run for entry in board.entries for source in entry.sources}
        runs = {path: run for path, run in self.found.runs.items() if path in here}
        means = {entry.label: entry.means for entry, _ in board.ranked}
        alike = [entry for entry, _ in board.ranked] + list(board.unranked)
        text: str = self.render(
            board=board,
            columns=_columns(alike),
            columns_of=_columns,
            best={name: ranking.best(means, name) for name in board.metrics},
            anchor=self.anchors[page],
            run_anchor=self.runs_anchor,
            runs=runs,
            commands={path: command_of(run) for path, run in runs.items()},
            made_from=partial(_made_from, runs),
        )
        return text.lstrip()


def _columns(entries: Sequence[LeaderboardEntry]) -> list[tuple[str, str, str, int]]:
    """Key, label, a sentence about it, and direction of the metrics of some entries."""
    found = []
    for name in all_metrics([entry.signatures for entry in entries]):
        entry = metrics.CATALOGUE[name]
        better = "higher" if entry.higher_is_better else "lower"
        about = f"{entry.reference}; {better} is better"
        found.append((name, label(name), about, entry.direction))
    return found


def _made_from(runs: Mapping[Path, Results], source: RowsFile, entry: LeaderboardEntry) -> str:
    """The folder or archive of maps that an entry was scored from; "" for a method of emomap."""
    found: str = runs[source.run].summary["methods"].get(entry.method, {}).get("maps", "")
    return found


def _page_name(number: int, name: str) -> str:
    """A file name that tells the data set, whatever its own name holds."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"set-{number}-{plain}.html" if plain else f"set-{number}.html"


def _data(found: Leaderboard) -> dict[str, Any]:
    """What `leaderboard.json` holds."""
    return {
        "emomap": __version__,
        "overall": [{"method": name, **vars(placed)} for name, placed in found.overall.items()],
        "sets": [_set_data(board, found.runs) for board in found.sets],
        "notes": list(found.notes),
    }


def _set_data(board: SetBoard, runs: Mapping[Path, Results]) -> dict[str, Any]:
    entries = [_entry_data(entry, runs) | vars(placed) for entry, placed in board.ranked]
    rest = [*board.unranked, *(entry for group in board.apart.values() for entry in group)]
    return {
        "dataset": board.name,
        "split": board.split,
        "synthetic": board.synthetic,
        "n_images": len(board.images),
        "metrics": list(board.metrics),
        "signature": board.signature,
        "ranked": entries,
        "not_ranked": [_entry_data(entry, runs) for entry in rest],
        "notes": list(board.notes),
    }


def _entry_data(entry: LeaderboardEntry, runs: Mapping[Path, Results]) -> dict[str, Any]:
    return {
        "method": entry.method,
        "label": entry.label,
        "rows": entry.state,
        "remark": entry.remark,
        "signature": entry.signature,
        "means": entry.means,
        "sources": [
            {
                "run": str(source.run),
                "sha256": source.checksum,
                "sha256_recorded": source.recorded,
                "rows": source.state,
                "command": command_of(runs[source.run]),
                "recipe": runs[source.run].recipe,
            }
            for source in entry.sources
        ],
    }
