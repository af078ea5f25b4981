"""Speed of `emomap predict` in one and in several processes, on photographs.

    python benchmarks/predict.py FOLDER [--methods gbvs,itti_koch] [--out FILE]

Runs with one and with several processes take turns, since the speed of a shared machine varies.
Times are those of the whole command: start, reading, maps, 16-bit PNGs, end.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np


def seconds(folder: Path, method: str, jobs: int) -> float:
    """One run of the command into an empty folder."""
    with tempfile.TemporaryDirectory() as maps:
        command = [sys.executable, "-m", "emomap", "predict", str(folder), "-m", method]
        start = time.perf_counter()
        subprocess.run(
            [*command, "-o", maps, "-j", str(jobs), "-q"], check=True, capture_output=True
        )
        return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="photographs (jpg, png)")
    parser.add_argument("--methods", default="gbvs", help="separated by commas [%(default)s]")
    parser.add_argument("--jobs", type=int, default=2, help="processes [%(default)s]")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each kind [%(default)s]")
    parser.add_argument("--out", type=Path, help="write the table to this file")
    choices = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    count = sum(1 for path in choices.folder.iterdir() if path.suffix in {".jpg", ".png"})
    lines = []
    for method in choices.methods.split(","):
        seconds(choices.folder, method, choices.jobs)  # compile first
        pairs = [
            (seconds(choices.folder, method, 1), seconds(choices.folder, method, choices.jobs))
            for _ in range(choices.repeat)
        ]
        one, several = (statistics.median(column) for column in zip(*pairs, strict=True))
        ratios = sorted(alone / together for alone, together in pairs)
        lines.append(
            f"| {method} | {one:.1f} | {several:.1f} | {statistics.median(ratios):.2f} "
            f"({ratios[0]:.2f} to {ratios[-1]:.2f}) | {count / several:.0f} |"
        )
        print(lines[-1], flush=True)
    head = [
        "# Maps of a folder of photographs",
        "",
        f"`emomap predict`, {datetime.now(UTC):%Y-%m-%d}: {count} photographs of "
        f"{choices.folder.parent.name} on {os.cpu_count()} shared cores ({platform.machine()}); "
        f"Python {platform.python_version()}, NumPy {np.__version__}. Seconds of the whole "
        f"command, medians of {choices.repeat} runs of each kind, which took turns.",
        "",
        f"| method | 1 process, s | {choices.jobs} processes, s | times as fast | pictures/s |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    if choices.out:
        choices.out.write_text("\n".join([*head, *lines]) + "\n")


if __name__ == "__main__":
    main()
