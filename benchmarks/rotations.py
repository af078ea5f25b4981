"""Table 2, the rotation tasks of ISLAMNet, over seeds, where `demo` is not nearly solved.

    python benchmarks/rotations.py FOLDER [--seeds 3]     writes benchmarks/results/rotations.md

With all pictures of level 1, every task nearly solves the set, so their differences say nothing;
on levels 2 and 3 no task learns in eleven epochs. So here are half the pictures of level 1. FOLDER
keeps the runs; the same command resumes.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import bench, machine, spread, summary, table  # noqa: E402
from metrics import statistics as tests  # noqa: E402

RESULT = Path(__file__).parent / "results" / "rotations.md"
TASKS = {
    "islamnet-a": "(a) 0, 180",
    "islamnet-b": "(b) 90, 270",
    "islamnet-c": "(c) 0, 90, 180, 270",
    "islamnet-d": "(d) eight of 45",
}
HARDER = ("data.train=1600",)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds [%(default)s]")
    chosen = parser.parse_args()
    folder, seeds = chosen.folder, range(chosen.seeds)
    for seed in seeds:
        changes = (*HARDER, "bench.report=false")
        bench(folder / f"seed{seed}", changes, "--table=2", f"--seed={seed}")
    settings = " ".join(f"--set {setting}" for setting in HARDER)
    lines = [
        "# Rotation tasks (table 2)",
        "",
        "**Synthetic pictures.**",
        "",
        f"{machine()}. `emomap bench --table 2 --seeds {len(seeds)} {settings}`; accuracy in % on "
        f"{summary(folder, 'seed0')['n_images']} test pictures, chance 12.5%. Written by "
        "`python benchmarks/rotations.py`. Task (d) is trained with random crops, since its views "
        "are enlarged 1.4 times and tests are on whole pictures.",
        "",
        *accuracies(folder, seeds),
        "",
        *differences(folder, seeds),
        "",
    ]
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


def accuracies(folder: Path, seeds: Sequence[int]) -> list[str]:
    """Accuracy by task: each seed, mean and standard deviation, and the last rotation loss."""
    rows = []
    for name, title in TASKS.items():
        found = [summary(folder, f"seed{seed}")["methods"][name] for seed in seeds]
        values = [100 * entry["accuracy"] for entry in found]
        losses = [rotation_loss(folder / f"seed{seed}/methods/{name}") for seed in seeds]
        cells = [f"{value:.1f}" for value in values]
        rows.append([title, *cells, spread(values, 1), f"{statistics.mean(losses):.3f}"])
    return table(["task", *(f"seed {s}" for s in seeds), "mean ± sd", "last rotation loss"], rows)


def differences(folder: Path, seeds: Sequence[int]) -> list[str]:
    """Each task against each other, over the pictures: hits are means over the seeds."""
    hits = {name: pictures(folder, seeds, name) for name in TASKS}
    rows = []
    for one, other in itertools.combinations(TASKS, 2):
        test = tests.paired_permutation_test(hits[one], hits[other], seed=0)
        rows.append(
            [f"{TASKS[one]} minus {TASKS[other]}", f"{100 * test.difference:+.1f}",
             f"{test.p_value:.4f}"]
        )  # fmt: skip
    return table(["difference", "points", "p, paired permutation over pictures"], rows)


def pictures(folder: Path, seeds: Sequence[int], name: str) -> list[float]:
    """The share of seeds in which each test picture's emotion is recognised."""
    found: dict[str, list[bool]] = {}
    for seed in seeds:
        file = folder / f"seed{seed}/methods/{name}/predictions.csv"
        for line in file.read_text().splitlines()[1:]:
            image, label, predicted, *_ = line.split(",")
            found.setdefault(image, []).append(label == predicted)
    return [statistics.mean(hits) for hits in found.values()]


def rotation_loss(home: Path) -> float:
    last = (home / "training.jsonl").read_text().splitlines()[-1]
    return float(json.loads(last)["loss_rotation"])


if __name__ == "__main__":
    main()
