"""Throughput and memory of `emomap score` on synthetic 8-bit PNG maps, 480 x 640, six metrics.

    python benchmarks/score.py [--pairs 100,2000,10000] [--dask] [--out benchmarks/results/score.md]

It makes its own pairs: maps (sums of Gaussians, and the same with noise of 4 grey levels, whose
PNGs are of about 170 KB, as many networks write them), and 200 fixations a picture in the neutral
layout, so that the command also computes densities. With --truth fixations or --truth density, maps
are scored against a folder of PNGs of that kind. From the 501st on, pairs are links to the first
500. Times are those of the whole command; the time a pair is the cost of one more pair, without the
start of the processes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SHAPE = (480, 640)
SIX = "auc_judd,auc_borji,cc,sim,kl,emd"
#: Number of pairs that differ; the others are links to them.
DISTINCT = 500
#: Pairs of the run that measures the start.
FEW = 4
#: Standard deviation of the noise in the second kind of maps, in grey levels.
NOISE = 4
KINDS = ("smooth", "noisy")
FILES = (
    "smooth/{:05d}.png",
    "noisy/{:05d}.png",
    "photos/fixations/{:05d}.csv",
    "fixations/{:05d}.png",
    "density/{:05d}.png",
)


def smooth(rng: np.random.Generator, spots: np.ndarray) -> np.ndarray:
    """A sum of Gaussians at these places, as bytes."""
    rows, columns = np.arange(SHAPE[0])[:, None], np.arange(SHAPE[1])[None, :]
    found = np.zeros(SHAPE)
    for x, y in spots:
        spread = rng.uniform(20, 80)
        across = np.exp(-0.5 * ((columns - x) / spread) ** 2)
        found += np.exp(-0.5 * ((rows - y) / spread) ** 2) * across
    return np.rint(255 * found / found.max()).astype(np.uint8)


def make(root: Path, pairs: int) -> None:
    """Write pairs to a folder: smooth/, noisy/, photos/ (neutral layout), fixations/, density/."""
    rng = np.random.default_rng(0)
    for folder in (*KINDS, "photos/images", "photos/fixations", "fixations", "density"):
        (root / folder).mkdir(parents=True)
    blank = root / "photos/images/blank.png"
    Image.new("RGB", SHAPE[::-1]).save(blank)
    for index in range(min(pairs, DISTINCT)):
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
        values = smooth(rng, seen)
        Image.fromarray(values).save(root / f"smooth/{index:05d}.png")
        noisy = np.rint(values + rng.normal(0, NOISE, SHAPE)).clip(0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(root / f"noisy/{index:05d}.png")
    blank.unlink()
    for index in range(DISTINCT, pairs):
        for file in (*FILES, "photos/images/{:05d}.png"):
            os.link(root / file.format(index % DISTINCT), root / file.format(index))


def measure(
    root: Path, kind: str, truth: str, pairs: int, options: Sequence[str]
) -> dict[str, Any]:
    """One run of the command: elapsed seconds, processor seconds, and peak memory."""
    some = root / f"{kind}{pairs}"
    if not some.exists():
        some.mkdir()
        for index in range(pairs):
            os.link(root / f"{kind}/{index:05d}.png", some / f"{index:05d}.png")
    command = [sys.executable, "-m", "emomap", "score", str(some), str(root / truth)]
    command += ["--metrics", SIX, "--format", "json", "-q", "--allow-missing", *options]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    assert json.loads(ran.stdout)["n_images"] == pairs
    return {
        "seconds": seconds,
        "processor": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "peak_mib": after.ru_maxrss / 1024,
    }


@contextlib.contextmanager
def cluster(jobs: int) -> Iterator[str]:
    """Start a Dask cluster as in docs/cluster.md, and yield its address."""
    sys.path.insert(0, os.environ["PYTHONPATH"])
    import dask
    from distributed import LocalCluster

    environment = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": str(2**27)}
    with (
        dask.config.set(environment),
        LocalCluster(n_workers=jobs, threads_per_worker=1, dashboard_address=None) as found,
    ):
        yield found.scheduler_address


def rows(
    name: str, root: Path, kind: str, choices: argparse.Namespace, options: Sequence[str]
) -> Iterator[str]:
    """The lines of the table for one engine and one kind of maps."""
    best = {}
    for pairs in (FEW, *choices.pairs):
        runs = [measure(root, kind, choices.truth, pairs, options) for _ in range(choices.repeat)]
        best[pairs] = {key: min(run[key] for run in runs) for key in runs[0]}
        if pairs == FEW:
            continue
        one = best[pairs]
        each = (one["seconds"] - best[FEW]["seconds"]) / (pairs - FEW)
        yield (
            f"| {name} | {kind} | {pairs} | {one['seconds']:.2f} | {pairs / one['seconds']:.0f} | "
            f"{1000 * each:.2f} | {one['processor']:.1f} | {one['peak_mib']:.0f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pairs", type=lambda text: [int(n) for n in text.split(",")], default=[2000]
    )
    parser.add_argument("--repeat", type=int, default=3, help="runs of each kind [%(default)s]")
    parser.add_argument("--jobs", type=int, default=2, help="processes [%(default)s]")
    parser.add_argument("--truth", default="photos", choices=["photos", "fixations", "density"])
    parser.add_argument("--dask", action="store_true", help="also run with local Dask workers")
    parser.add_argument("--out", type=Path)
    choices = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[1])
    lines = []
    jobs = ["--jobs", str(choices.jobs)]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        root = Path(folder)
        make(root, max(choices.pairs))
        engines = {"local": jobs}
        if choices.dask:
            engines["dask, started by the command"] = [*jobs, "--engine", "dask"]
        measure(root, KINDS[0], choices.truth, FEW, jobs)  # compile first
        for kind in KINDS:
            for name, options in engines.items():
                lines += rows(name, root, kind, choices, options)
        if choices.dask:
            address = stack.enter_context(cluster(choices.jobs))
            there = ["--engine", "dask", "--scheduler", address]
            lines += rows("dask, already running", root, KINDS[0], choices, there)
    head = [
        f"# Scoring {SHAPE[1]}x{SHAPE[0]} PNGs against {choices.truth}/",
        "",
        f"`emomap score`, {datetime.now(UTC):%Y-%m-%d}: {choices.jobs} processes on "
        f"{os.cpu_count()} shared cores ({platform.machine()}); "
        f"Python {platform.python_version()}, NumPy {np.__version__}. 8-bit PNG maps 480 x 640 "
        f"against {choices.truth}/, metrics {SIX}; best of {choices.repeat}. Seconds and pairs/s "
        "of the whole command; ms a pair without the start; memory of the largest process.",
        "",
        "| engine | maps | pairs | seconds | pairs/s | ms a pair | processor s | MiB a process |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    print("\n".join([*head, *lines]))
    if choices.out:
        choices.out.write_text("\n".join([*head, *lines]) + "\n")


if __name__ == "__main__":
    main()
