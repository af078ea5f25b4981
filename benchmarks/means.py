"""The means of today, each by itself and all together, on `demo`: accuracy, CC, time.

    python benchmarks/means.py FOLDER     writes benchmarks/results/means.md

The recipe `demo` with one change in `[training]` at a time. FOLDER keeps the runs; the same command
resumes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import bench, machine, summary, table  # noqa: E402

RESULT = Path(__file__).parent / "results" / "means.md"
GATES = "method.islamnet.training.gate_learning_rate"
#: AdamW moves each weight by the rate, however small it is, and those of the gates begin small.
ADAMW = ("optimizer=adamw", "learning_rate=0.002", "backbone_learning_rate=0.002",
         "weight_decay=0.05", f"{GATES}=0.00002")  # fmt: skip
PARTS = {
    "recipe demo": (),
    "AdamW": ADAMW,
    "cosine with warm-up": ("schedule=cosine", "warmup=0.1"),
    "EMA": ("ema=0.98",),
    "label smoothing": ("label_smoothing=0.1",),
    "RandAugment": ("rand_augment=5",),
    "random erasing": ("erase=0.25",),
    "class weights": ("class_weights=balanced",),
    "early stopping": ("patience=2",),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the runs")
    folder = parser.parse_args().folder
    parts = {**PARTS, "all together": tuple(s for part in PARTS.values() for s in part)}
    rows = []
    for number, (name, settings) in enumerate(parts.items()):
        home = f"{number:02d}"
        changes = [s if s.startswith(GATES) else f"training.{s}" for s in settings]
        changes += ["bench.report=false", 'score.metrics=["cc"]']
        bench(folder / home, changes, "--method=islamnet", "--no-baselines")
        found = summary(folder, home)["methods"]
        log = (folder / home / "methods/islamnet/training.jsonl").read_text().splitlines()
        seconds = sum(json.loads(line)["seconds"] for line in log)
        rows.append(
            [
                name,
                ", ".join(f"`{setting}`" for setting in settings) or "-",
                f"{100 * found['islamnet']['accuracy']:.1f}",
                f"{found['islamnet']['metrics']['cc']['mean']:.3f}",
                f"{found['islamnet-smooth']['metrics']['cc']['mean']:.3f}",
                str(len(log)),
                f"{seconds:.0f}",
            ]
        )
    lines = [
        "# The means of today, on `demo`",
        "",
        "**Synthetic pictures, simulated gaze.** One seed, and no rate was tuned for a part: this "
        "shows that each part works and what it costs, not which is best.",
        "",
        f"{machine()}. ISLAMNet, recipe `demo`, seed 0, "
        f"{summary(folder, '00')['n_images']} test pictures. Written by "
        "`python benchmarks/means.py`.",
        "",
        *table(
            [
                "part",
                "changes of `[training]`",
                "accuracy %",
                "CC",
                "CC, smoothed",
                "epochs",
                "seconds",
            ],
            rows,
        ),
        "",
    ]
    RESULT.write_text("\n".join(lines), "utf-8")
    print(f"written to {RESULT}")


if __name__ == "__main__":
    main()
