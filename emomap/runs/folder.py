"""The run folder: which file lies where, and how a run takes possession of it.

    RUN/recipe.toml            every number that the run depends on
    RUN/environment.json       versions, machine, command
    RUN/methods/NAME/          checkpoint, training log and curves, predicted emotions, confusion
    RUN/maps/NAME/ID.png       maps, 16-bit
    RUN/rows/NAME.jsonl        one line for each image and metric, append-only
    RUN/summary.json           means with intervals, accuracy
    RUN/table.md               the ranked table

A run that was interrupted anywhere resumes. Files are renamed into place, so none is half written.
Rows come in the order of the images, and a last line that was cut short is removed.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from emomap import io, recipes
from emomap._version import __version__
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.schema import read_toml
from emomap.parallel import launched

#: Packages whose version can change a number.
VERSIONED = ("numpy", "scipy", "torch", "torchvision", "pillow", "POT", "numba", "scikit-image")
#: Files that exist before anything is computed. A folder with no others may change its recipe.
SETUP = {"recipe.toml", "environment.json"}
#: Where a run keeps which pictures its trainings left out, and why.
UNREADABLE = "unreadable.json"
#: What trainings leave in a folder.
TRAINED = {"methods", UNREADABLE}
#: Beginnings of the numbers that no training depends on. A folder that holds nothing but trainings
#: may change them: `bench --gaze` resumes from `train`.
FREE = ("score.", "bench.", "run.gaze", "run.points", "run.marks_threshold", "run.split",
        "run.shard")  # fmt: skip


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
    def open(cls, folder: Path, settings: Mapping[str, Any], unused: tuple[str, ...] = ()) -> Run:
        """Open a run folder for a recipe. A folder without results is set up for it.

        If a training has several processes, only the first one does this.

        Args:
            unused: beginnings of numbers that this run does not depend on, which may differ.

        Raises:
            UsageError: the folder holds a run with another recipe (the difference is shown), or
                files that are not of a run.
            EmomapError: another process works in it, or it cannot be written.
        """
        run = cls(folder)
        if launched().rank:
            return run
        kept = folder / "recipe.toml"
        names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
        made = {name for name in names - SETUP if not io.is_junk(name)}
        unused = run._without_homes(unused)
        if made and made <= TRAINED and kept.exists():
            run._check(kept, settings, skip=(*FREE, *unused))
            made = set()  # what is kept is brought up to date below
        elif made and kept.exists():
            run._check(kept, settings, skip=unused)
        elif made:
            raise UsageError(f"{folder}: not empty and not a run; choose another folder with --out")
        elif folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder}: is a file; choose a folder with --out")
        run._take(folder / ".lock")
        if not made:
            io.write_text(kept, recipes.dumps(settings))
        return run

    def _without_homes(self, unused: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the beginnings that no training in this folder depends on."""
        homes = self.folder / "methods"
        names = [path.name for path in homes.iterdir()] if homes.is_dir() else []
        return tuple(
            start
            for start in unused
            if not any(f"method.{name}".startswith(start.rstrip(".")) for name in names)
            and not (names and start == "training.")
        )

    @staticmethod
    def _check(kept: Path, settings: Mapping[str, Any], skip: tuple[str, ...] = ()) -> None:
        """Refuse another recipe than the one that was kept, but for keys with these beginnings."""
        old, new = (
            {k: v for k, v in recipes.flat(numbers).items() if not k.startswith(skip)}
            for numbers in (read_toml(kept), settings)
        )
        differences = recipes.difference(old, new)
        if differences:
            raise UsageError(
                f"{kept.parent}: holds a run with another recipe ({listed(differences)}); "
                "use another folder with --out, or the same recipe"
            )

    def _take(self, path: Path) -> None:
        """Keep a second process out of the folder, for as long as this one lives."""
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
        """Write versions, machine, command line, and ``more`` to ``environment.json``."""
        if launched().rank:
            return
        io.write_text(
            self.folder / "environment.json", json.dumps(environment() | more, indent=2) + "\n"
        )


def environment() -> dict[str, Any]:
    """Versions, machine and command line."""
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
