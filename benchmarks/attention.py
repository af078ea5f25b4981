"""Does ISLAMNet's attention earn its place? Its map beside its controls, over seeds, on `demo`.

    python benchmarks/attention.py FOLDER [--seeds 3]     writes benchmarks/results/attention.md

It runs `emomap bench --controls` with the recipe `demo`, and again with the numbers of release 0.1,
where f4 was free to close and the gates learned 100 times more slowly. FOLDER keeps the runs; the
same command resumes. Values are means over seeds for each picture; differences are tested over
pictures by paired permutation, with Holm's correction over the controls.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import torch

from benchmarks.networks import processor, spread, table
from emomap.analysis.pairs import Pair, paired, probability
from emomap.runs import results

RESULT = Path(__file__).parent / "results" / "attention.md"
METRICS = {"cc": "CC", "nss": "NSS", "auc_judd": "AUC-Judd"}
CONTROLS = ("f1-mean", "f1-energy", "cam", "random-head", "other-picture")
#: The numbers with which release 0.1 trained; all others of the recipe are the same.
BEFORE = (
    "method.islamnet.f4_scale=free",
    "method.islamnet.f4_floor=0.0",
    "method.islamnet.f4_dropout=0.0",
    "method.islamnet.classifier=both",
    "method.islamnet.rotation_weight=0.5",
    "training.gate_learning_rate=0.0003",
    "training.clip=0.0",
)

Values = dict[str, dict[str, dict[str, float]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds [%(default)s]")
    chosen = parser.parse_args()
    seeds = range(chosen.seeds)
    now = [run(chosen.folder / f"now/seed{seed}", seed, ()) for seed in seeds]
    before = [run(chosen.folder / f"release-0.1/seed{seed}", seed, BEFORE) for seed in seeds]
    mine, theirs = mean_values(now), mean_values(before)
    lines = [
        "# Does ISLAMNet's attention earn its place?",
        "",
        "**Synthetic pictures, simulated gaze: this checks the method and says nothing about "
        "people.**",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}, {processor()}, {os.cpu_count()} cores, "
        f"no GPU, Python {platform.python_version()}, torch {torch.__version__}. Recipe `demo`, "
        f"{len(seeds)} seeds, {now[0].summary['n_images']} test pictures. Written by "
        "`python benchmarks/attention.py`.",
        "",
        "## The map beside its controls",
        "",
        "All rows are finished alike: the smoothing of each is chosen on the validation split. "
        "Mean ± standard deviation over seeds; the differences are the network's minus the "
        "control's.",
        "",
        *beside_controls(now, mine),
        "",
        "With the numbers of release 0.1:",
        "",
        *beside_controls(before, theirs),
        "",
        "## The raw map",
        "",
        *raw(now, before, mine, theirs),
        "",
        "## What was aimed at",
        "",
        *aims(now, mine, theirs),
        "",
    ]
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


def run(folder: Path, seed: int, settings: Sequence[str]) -> results.Results:
    """A finished run of `emomap bench` with controls."""
    if not (folder / "summary.json").exists():
        fixed = ("bench.report=false", f"score.metrics={json.dumps(list(METRICS))}", *settings)
        given = [part for setting in fixed for part in ("--set", setting)]
        command = ["bench", "--controls", "--no-baselines", f"--seed={seed}", "-o", str(folder)]
        subprocess.run([sys.executable, "-m", "emomap", *command, *given, "-q"], check=True)
    return results.read(folder)


def mean_values(runs: Sequence[results.Results]) -> Values:
    """row -> metric -> image -> value, the mean over the runs."""
    return {
        row: {
            metric: {
                image: statistics.mean(run.values[row][metric][image] for run in runs)
                for image in runs[0].values[row][metric]
            }
            for metric in METRICS
        }
        for row in runs[0].values
        if row.startswith("islamnet")
    }


def over_seeds(runs: Sequence[results.Results], row: str, metric: str) -> str:
    cells = [run.summary["methods"][row]["metrics"][metric]["mean"] for run in runs]
    return spread(cells, 3)


def against_controls(values: Values, metric: str) -> dict[str, Pair]:
    """Control -> the smoothed map of the network against that of the control."""
    pairs = [("islamnet-smooth", f"islamnet@{kind}-smooth") for kind in CONTROLS]
    found = paired(values, metric, pairs, seed=0)
    return dict(zip(CONTROLS, found, strict=True))


def beside_controls(runs: Sequence[results.Results], values: Values) -> list[str]:
    tests = {metric: against_controls(values, metric) for metric in ("cc", "nss")}
    rows = [["f4 (the map)", *(over_seeds(runs, "islamnet-smooth", m) for m in METRICS), "", ""]]
    for kind in CONTROLS:
        row = f"islamnet@{kind}-smooth"
        differences = [
            f"{pair.difference:+.3f} (p {probability(pair.p_holm)})"
            for pair in (tests["cc"][kind], tests["nss"][kind])
        ]
        rows.append([kind, *(over_seeds(runs, row, m) for m in METRICS), *differences])
    return table(["row", *METRICS.values(), "f4 ahead in CC", "f4 ahead in NSS"], rows)


def raw(
    now: Sequence[results.Results],
    before: Sequence[results.Results],
    mine: Values,
    theirs: Values,
) -> list[str]:
    rows = []
    for name, runs in (("now", now), ("release 0.1", before)):
        scores = [over_seeds(runs, "islamnet", metric) for metric in METRICS]
        accuracy = [100 * run.summary["methods"]["islamnet"]["accuracy"] for run in runs]
        rows.append([name, *scores, spread(accuracy, 1), spread([minutes(r) for r in runs], 1)])
    tests = raw_tests(mine, theirs)
    cells = [f"{tests[m].difference:+.3f} (p {probability(tests[m].p)})" for m in METRICS]
    rows.append(["now minus 0.1", *cells, "", ""])
    return table(["raw f4", *METRICS.values(), "accuracy %", "training, min"], rows)


def raw_tests(mine: Values, theirs: Values) -> dict[str, Pair]:
    both = {"now": mine["islamnet"], "before": theirs["islamnet"]}
    return {metric: paired(both, metric, [("now", "before")], seed=0)[0] for metric in METRICS}


def minutes(run: results.Results) -> float:
    """Minutes of the training by the clock."""
    log = run.home("islamnet") / "training.jsonl"
    return sum(json.loads(line)["seconds"] for line in log.read_text().splitlines()) / 60


def aims(now: Sequence[results.Results], mine: Values, theirs: Values) -> list[str]:
    """Each aim, what was reached, and whether that is it."""
    cc, nss = against_controls(mine, "cc"), against_controls(mine, "nss")
    before = raw_tests(mine, theirs)
    accuracy = statistics.mean(run.summary["methods"]["islamnet"]["accuracy"] for run in now)
    rows: list[tuple[str, str, bool]] = []
    for kind in ("f1-mean", "f1-energy"):
        one, other = cc[kind], nss[kind]
        words = f"{one.difference:+.3f}, {other.difference:+.3f}"
        sure = max(one.p_holm, other.p_holm) < 0.01
        rows.append((f"f4 ahead of {kind} in CC and NSS, p < .01", words,
                     sure and min(one.difference, other.difference) > 0))  # fmt: skip
        rows.append((f"f4 ahead of {kind} by .1 in CC", words.partition(",")[0],
                     one.difference >= 0.1))  # fmt: skip
    difference = cc["random-head"].difference
    rows.append(("f4 ahead of the random head by .1 in CC", f"{difference:+.3f}",
                 difference >= 0.1))  # fmt: skip
    for metric in ("cc", "auc_judd"):
        change = before[metric].difference
        rows.append((f"raw f4 ahead of 0.1's in {METRICS[metric]}", f"{change:+.3f}", change > 0))
    rows.append(("accuracy 95% or more", f"{100 * accuracy:.1f}%", accuracy >= 0.95))
    return table(
        ["aim", "reached", ""],
        [[aim, words, "yes" if there else "**no**"] for aim, words, there in rows],
    )


def commit() -> str:
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
