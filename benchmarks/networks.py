"""The trainable methods on the data set `demo`: accuracy, maps, time, sanity.

    python benchmarks/networks.py FOLDER     writes benchmarks/results/networks.md

It runs `emomap bench`: all six methods at once, then the sanity checks of those with maps. Rotation
tasks are in `rotations.py`, ISLAMNet's map over seeds in `attention.py`.
FOLDER keeps the runs and their times. The same command resumes after an interruption; an
interrupted run has no time. On a shared machine, processor time says more than elapsed time.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import sys
import time
from pathlib import Path

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import bench, machine, summary, table  # noqa: E402

RESULT = Path(__file__).parent / "results" / "networks.md"
SIX = ("islamnet", "wscnet", "wildcat", "spn", "jcdl", "paef")
WITH_MAPS = SIX[:4]
SHOWN = {"cc": "CC", "nss": "NSS", "auc_judd": "AUC-Judd", "kl": "KL"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    folder = parser.parse_args().folder
    run(folder, "six", *(f"--method={name}" for name in SIX))
    learned = folder / "six" / "methods"
    known = [f"--checkpoint={n}={learned / n / 'checkpoint.safetensors'}" for n in WITH_MAPS]
    named = [f"--method={name}" for name in WITH_MAPS]
    run(folder, "sanity", "--sanity", "--no-baselines", *named, *known)
    lines = [
        "# Trainable methods on the set `demo`",
        "",
        "**Synthetic pictures, simulated gaze: this checks the pipeline and says nothing about "
        "people, nor how the methods compare on photographs.**",
        "",
        f"{machine()}, on a machine shared with other work. Recipe `demo`, from random weights. "
        "Written by `python benchmarks/networks.py`.",
        "",
        *six(folder),
        *sanity(folder),
    ]
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


# ------------------------------------------------------------------------------------ running


def run(folder: Path, name: str, *arguments: str) -> None:
    """Run `emomap bench` into FOLDER/NAME unless it is done; its time goes to FOLDER/times.json."""
    target, kept = folder / name, folder / "times.json"
    times = json.loads(kept.read_text()) if kept.exists() else {}
    if (target / "summary.json").exists():
        return
    fresh = not target.exists()
    adopt_orphans()
    before, start = children(), time.monotonic()
    bench(target, (), *arguments)
    wall = time.monotonic() - start
    while True:  # wait for workers that the command left behind
        try:
            os.wait()
        except ChildProcessError:
            break
    if fresh:
        kept.write_text(json.dumps(times | {name: [wall, children() - before]}, indent=1) + "\n")


def adopt_orphans() -> None:
    """Under Linux, adopt workers that outlive the command, so that their time is counted."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)


def children() -> float:
    """Processor seconds of all child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# ----------------------------------------------------------------------------------- reporting


def clocked(folder: Path, name: str) -> str:
    """The time of a run, in words."""
    times = json.loads((folder / "times.json").read_text()).get(name)
    if times is None:
        return "no time, since it was interrupted and resumed"
    wall, cpu = times
    return (
        f"{wall / 60:.0f} minutes by the clock while other work ran, {cpu / 60:.1f} of processor "
        f"time: about {cpu / 120:.0f} minutes on two idle cores"
    )


def six(folder: Path) -> list[str]:
    """The six methods of one run, and the baselines."""
    found = summary(folder, "six")
    rows = []
    for name, entry in found["methods"].items():
        scores = [entry["metrics"].get(metric, {}).get("mean") for metric in SHOWN]
        cells = ["-" if score is None else f"{score:.3f}" for score in scores]
        accuracy = "-" if entry["accuracy"] is None else f"{100 * entry['accuracy']:.1f}"
        rows.append([name, accuracy, *cells, *trained(folder / "six/methods" / name)])
    header = ["method", "accuracy %", *SHOWN.values(), "epochs", "training, s"]
    return [
        "## Six methods in one run",
        "",
        f"`emomap bench {' '.join(f'--method {name}' for name in SIX)}`, seed 0, "
        f"{found['n_images']} test pictures, chance 12.5%: {clocked(folder, 'six')}.",
        "",
        *table(header, rows),
        "",
    ]


def trained(home: Path) -> list[str]:
    """Epochs and seconds of a training, by the clock."""
    log = home / "training.jsonl"
    if not log.exists():
        return ["-", "-"]
    epochs = [json.loads(line) for line in log.read_text().splitlines()]
    return [str(len(epochs)), f"{sum(epoch['seconds'] for epoch in epochs):.0f}"]


def sanity(folder: Path) -> list[str]:
    """Sanity checks: maps under random weights, and curves of deletion and insertion."""
    found = json.loads((folder / "sanity/sanity.json").read_text())
    rows = []
    for name, checks in found.items():
        first, last = checks["randomised"][0], checks["randomised"][-1]
        curves = [checks["curves"][kind] for kind in ("deletion", "insertion")]
        rows.append(
            [
                name,
                f"{last['likeness']:.2f}",
                f"{first['nss']:.2f} to {last['nss']:.2f}",
                *(f"{curve['map']:.2f} ({curve['random']:.2f})" for curve in curves),
            ]
        )
    header = ["method", "likeness, all weights lost", "NSS", "deletion", "insertion"]
    return [
        "## Sanity of the maps",
        "",
        "`--sanity` on the same networks. Likeness is the Spearman correlation between their maps "
        "and the maps when every layer has random weights; NSS is given before and after (Adebayo "
        "2018). Deletion and insertion are areas under the probability of the predicted emotion "
        "while pixels are removed or added in the order of the map, in brackets in random order "
        "(Petsiuk 2018; less is better for deletion, more for insertion).",
        "",
        *table(header, rows),
        "",
    ]


if __name__ == "__main__":
    main()
