"""What the benchmarks of networks share: runs of `emomap bench`, and how a page shows them."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch


def bench(folder: Path, settings: Sequence[str], *arguments: str) -> None:
    """Run `emomap bench` into a folder, unless that is done.

    Args:
        settings: changes of the recipe, as for ``--set``.
        arguments: all others but ``-o``.
    """
    if not (folder / "summary.json").exists():
        given = [part for setting in settings for part in ("--set", setting)]
        command = ["bench", *arguments, "-o", str(folder), *given, "-q"]
        subprocess.run([sys.executable, "-m", "emomap", *command], check=True)


def summary(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name / "summary.json").read_text())
    return found


def machine() -> str:
    """Date, processor and versions, for the head of a page."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {processor()}, {os.cpu_count()} cores, no GPU, Python "
        f"{platform.python_version()}, torch {torch.__version__}"
    )


def processor() -> str:
    """The model of the CPU, if the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(x.split(":")[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def spread(values: Sequence[float], digits: int) -> str:
    mean = f"{statistics.mean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Markdown."""
    marks = ["---"] * len(header)
    return ["| " + " | ".join(cells) + " |" for cells in (header, marks, *rows)]
