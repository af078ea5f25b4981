"""Throughput and memory of `emomap score` on synthetic 8-bit PNG maps, 480 x 640, six metrics.

    python benchmarks/score.py [--pairs 2000] [--dask] [--out benchmarks/results/score.md]

Makes its own pairs: smooth maps as models write them (sums of Gaussians), against 200 fixations a
picture in the neutral layout, so that the density is made, too; or, with --truth fixations or
--truth density, against a folder of PNGs of that kind. On a machine that others use, the seconds
of processor time say more than those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SHAPE = (480, 640)
SIX = "auc_judd,auc_borji,cc,sim,kl,emd"


def smooth(rng: np.random.Generator, spots: np.ndarray) -> np.ndarray:
    """A sum of Gaussians at some of the places, as bytes."""
    rows, columns = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])[None, :]
    found = np.zeros(SHAPE)
    for x, y in spots:
        spread = rng.uniform(20, 80)
        across = np.exp(-0.5 * ((columns - x) / spread) ** 2)
        found += np.exp(-0.5 * ((rows - y) / spread) ** 2) * across
    return np.rint(255 * found / found.max()).astype(np.uint8)


def make(root: Path, pairs: int) -> None:
    """Pairs below a folder: maps/ against photos/ (neutral layout), fixations/ and density/."""
    rng = np.random.default_rng(0)
    for folder in ("maps", "photos/images", "photos/fixations", "fixations", "density"):
        (root / folder).mkdir(parents=True)
    blank = root / "photos/images/blank.png"
    Image.new("RGB", SHAPE[::-1]).save(blank)
    for index in range(pairs):
        spots = rng.uniform((0, 0), SHAPE[::-1], (6, 2))
        fixations = spots[rng.integers(0, 6, 200)] + rng.normal(0, 20, (200, 2))
        fixations = np.clip(fixations, 0, np.array(SHAPE[::-1]) - 1)
        points = np.zeros(SHAPE, np.uint8)
        np.add.at(points, tuple(np.rint(fixations).astype(int).T[::-1]), 1)
        Image.fromarray(points).save(root / f"fixations/{index:05d}.png")
        Image.fromarray(smooth(rng, spots)).save(root / f"density/{index:05d}.png")
        lines = "\n".join(f"{x:.1f},{y:.1f}" for x, y in fixations)
        (root / f"photos/fixations/{index:05d}.csv").write_text(f"x,y\n{lines}\n")
        os.link(blank, root / f"photos/images/{index:05d}.png")
        seen = spots[: rng.integers(2, 6)] + rng.normal(0, 15, 2)
        Image.fromarray(smooth(rng, seen)).save(root / f"maps/{index:05d}.png")
    blank.unlink()


def measure(root: Path, truth: str, options: Sequence[str]) -> dict[str, Any]:
    """One run of the command: seconds as its user waits them, of processors, and the memory."""
    command = [sys.executable, "-m", "emomap", "score", str(root / "maps"), str(root / truth)]
    command += ["--metrics", SIX, "--format", "json", "-q", *options]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "pairs": json.loads(ran.stdout)["n_images"],
        "seconds": seconds,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": after.ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--truth", default="photos", choices=["photos", "fixations", "density"])
    parser.add_argument("--dask", action="store_true", help="also with two local Dask workers")
    parser.add_argument("--out", type=Path)
    choices = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        make(root, choices.pairs)
        first = ["--jobs", "1", "--shard", f"1/{max(1, choices.pairs // 20)}"]
        measure(root, choices.truth, first)  # compiles what is not compiled yet
        engines = {"local": ["--jobs", str(choices.jobs)]}
        if choices.dask:
            engines["dask"] = [*engines["local"], "--engine", "dask"]
        for name, options in engines.items():
            runs = [measure(root, choices.truth, options) for _ in range(choices.repeat)]
            best = min(runs, key=lambda run: run["seconds"])
            busy = min(run["processor"] for run in runs)
            alone = choices.jobs * best["pairs"] / busy
            lines.append(
                f"| {name} | {best['pairs']} | {best['seconds']:.1f} | {busy:.1f} | "
                f"{best['pairs'] / best['seconds']:.0f} | {alone:.0f} "
                f"| {max(run['peak_mib'] for run in runs):.0f} |"
            )
            print(lines[-1], flush=True)
    head = [
        f"`emomap score`, {datetime.now(UTC):%Y-%m-%d}: {choices.jobs} processes on "
        f"{os.cpu_count()} shared cores ({platform.machine()}), load {os.getloadavg()[0]:.1f}; "
        f"Python {platform.python_version()}, NumPy {np.__version__}. 8-bit PNG maps 480 x 640 "
        f"against {choices.truth}/, metrics {SIX}; best of {choices.repeat}, the start of all "
        "processes included. Pairs/s alone: what the processor time comes to when nobody else "
        "uses the cores.",
        "",
        "| engine | pairs | seconds | processor s | pairs/s | pairs/s alone | MiB a process |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    if choices.out:
        choices.out.write_text("\n".join([*head, *lines]) + "\n")


if __name__ == "__main__":
    main()
