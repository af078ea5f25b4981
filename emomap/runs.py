"""The run folder: recipe, environment, checkpoints, maps, rows; and what is done already.

    RUN/recipe.toml            every number that the run depends on
    RUN/environment.json       versions, machine, command
    RUN/methods/NAME/          checkpoint, training log and curves, predicted emotions, confusion
    RUN/maps/NAME/ID.png       maps, 16-bit
    RUN/rows/NAME.jsonl        one line for each image and metric, append-only
    RUN/summary.json           means with intervals, accuracy
    RUN/table.md               the ranked table

A run that was interrupted anywhere goes on where it stopped: files are renamed into place, rows
are a prefix in the order of the images, and a torn last line is cut off.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from emomap import io, recipe
from emomap._version import __version__
from emomap.errors import EmomapError, UsageError

#: Packages whose version can change a number.
VERSIONED = ("numpy", "scipy", "torch", "torchvision", "pillow", "POT", "numba", "scikit-image")
#: What is there before anything was made: such a folder may be opened for another recipe.
SETUP = {"recipe.toml", "environment.json"}


@dataclass(frozen=True)
class Row:
    """One value: which data set, method, image and metric, and the convention behind it."""

    dataset: str
    method: str
    image: str
    metric: str
    value: float
    signature: str


@dataclass(frozen=True)
class Launched:
    """How many processes a launcher has started for one training, and which of them this is."""

    rank: int = 0
    processes: int = 1
    machines: int = 1


def launched() -> Launched:
    """What torchrun, `fabric run` or srun say; one process by itself without them."""
    value = os.environ
    if "WORLD_SIZE" in value:  # torchrun's, which `fabric run` uses, too
        processes = int(value["WORLD_SIZE"])
        machines = processes // int(value.get("LOCAL_WORLD_SIZE", processes))
        return Launched(int(value.get("RANK", 0)), processes, machines)
    if "SLURM_STEP_NUM_TASKS" in value:  # srun's; a batch script by itself has SLURM_NTASKS alone
        processes = int(value["SLURM_STEP_NUM_TASKS"])
        machines = int(value.get("SLURM_STEP_NUM_NODES", 1))
        return Launched(int(value.get("SLURM_PROCID", 0)), processes, machines)
    return Launched()


class Run:
    """A run folder, opened for one recipe."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.maps = folder / "maps"
        self._lock: Any = None

    def method(self, name: str) -> Path:
        """Where a method keeps its checkpoint and logs."""
        return self.folder / "methods" / name

    def rows(self, name: str) -> Path:
        """The rows of a method."""
        return self.folder / "rows" / f"{name}.jsonl"

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> Run:
        """Open a run folder for a recipe; one in which nothing was made yet is set up.

        Of the processes of a training, the first one alone does all this.

        Raises:
            UsageError: the folder holds a run with another recipe (the difference is shown), or
                other files.
            EmomapError: another process works in it, or it cannot be written.
        """
        run = cls(folder)
        if launched().rank:
            return run
        kept = folder / "recipe.toml"
        names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
        made = {name for name in names - SETUP if not io.is_junk(name)}
        if made and kept.exists():
            run._check(kept, settings)
        elif made:
            raise UsageError(f"{folder}: not empty and not a run; choose another folder with --out")
        elif folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder}: is a file; choose a folder with --out")
        run._take(folder / ".lock")
        if not made:
            io.write_text(kept, recipe.dumps(settings))
        return run

    @staticmethod
    def _check(kept: Path, settings: Mapping[str, Any]) -> None:
        try:
            there = tomllib.loads(kept.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise EmomapError(f"{kept}: cannot be read: {error}") from error
        differences = recipe.difference(there, settings)
        if differences:
            shown = "; ".join(differences[:10])
            more = f"; and {len(differences) - 10} more" if len(differences) > 10 else ""
            raise UsageError(
                f"{kept.parent}: holds a run with another recipe ({shown}{more}); "
                "use another folder with --out, or the same recipe"
            )

    def _take(self, path: Path) -> None:
        """Keep a second process out of the folder. The lock ends with the process, however."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = path.open("w")
        except OSError as error:
            raise io.write_error(path, error) from error
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise EmomapError(f"{path.parent}: another emomap is working in this folder") from error

    def write_environment(self, **more: Any) -> None:
        """Write what the run ran on: versions, machine, command line, and ``more``."""
        if launched().rank:
            return
        io.write_text(
            self.folder / "environment.json", json.dumps(environment() | more, indent=2) + "\n"
        )


def environment() -> dict[str, Any]:
    """Versions, machine and command line, for `environment.json` and the report."""
    return {
        "emomap": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "versions": {name: _version(name) for name in VERSIONED},
        "command": sys.argv,
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


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
