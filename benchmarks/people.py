"""How far from people: centre bias and gold standard on OSIE, and what the ceiling hangs on.

    python benchmarks/people.py FOLDER --data OSIE --weights WEIGHTS

writes benchmarks/results/people.md. Three parts: floor, ceiling and the share of each method on
some pictures (`emomap bench`); the information gain of the gold standard on two halves of the
pictures, fitted apart; and its dependence on the number of observers. FOLDER keeps the run; the
same command resumes.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import bench, machine, summary, table  # noqa: E402
from emomap import metrics  # noqa: E402
from emomap.analysis import limits  # noqa: E402

RESULT = Path(__file__).parent / "results" / "people.md"
SHAPE = (600, 800)
METRICS = ("auc_judd", "auc_shuffled", "nss", "info_gain", "cc", "kl", "sim", "emd")
#: Numbers of other observers that predict one.
OTHERS = (1, 2, 3, 5, 7, 10, 14)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder of the run")
    parser.add_argument("--data", type=Path, required=True, help="OSIE in the neutral layout")
    parser.add_argument("--weights", type=Path, required=True, help="folder of attention_center")
    parser.add_argument("--pictures", type=int, default=24, help="that the methods are scored on")
    parser.add_argument("--fitted", type=int, default=120, help="for halves and observers")
    given = parser.parse_args()
    found = scored(given.folder, given.data, given.weights, given.pictures)
    files = sorted((given.data / "fixations").glob("*.csv"))
    files = files[:: -(-len(files) // given.fitted)]
    gazes = [read(file) for file in files]
    shown = limits.tables(found)[0]
    lines = [
        "# How far from people",
        "",
        f"{machine()}. Written by `python benchmarks/people.py`.",
        "",
        f"Floor, ceiling and shares on {given.pictures} pictures of OSIE, evenly spread, whose "
        "centre bias is that of the others among them. Plain protocol, baseline of information "
        "gain: the centre bias.",
        "",
        *table([cell or "row" for cell in shown.header], shown.rows),
        "",
        *gains(found),
        "",
        f"The gold standard on two halves of {len(files)} pictures, each fitted apart; 95% "
        "bootstrap intervals over pictures:",
        "",
        *halves(gazes),
        "",
        "Its information gain by the number of other observers that predict one, first half:",
        "",
        *by_observers(gazes[::2]),
    ]
    RESULT.write_text("\n".join(lines) + "\n")


def scored(folder: Path, data: Path, weights: Path, count: int) -> dict[str, object]:
    """The summary of a run on some pictures, made unless it is there."""
    files = sorted((data / "fixations").glob("*.csv"))
    for file in files[:: -(-len(files) // count)]:
        for source in (file, data / "images" / f"{file.stem}.jpg"):
            target = folder / "osie" / source.parent.name / source.name
            target.parent.mkdir(parents=True, exist_ok=True)
            if not target.exists():
                shutil.copy(source, target)
    learned = next(weights.glob("attention_center-*.tflite"))
    settings = [
        f"score.metrics={list(METRICS)}",
        "score.sigma=24",
        "score.baseline=center",
        "bench.report=false",
        "bench.baselines=['center', 'gbvs']",
        f"method.attention_center.weights={learned}",
    ]
    bench(folder / "run", settings, "--data", str(folder / "osie"), "-m", "attention_center")
    return summary(folder, "run")


def read(file: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points and observers of a picture."""
    with file.open() as stream:
        lines = list(csv.DictReader(stream))
    points = np.array([[float(line["x"]), float(line["y"])] for line in lines])
    return points, np.array([int(line["observer"]) for line in lines])


def gains(found: dict[str, object]) -> list[str]:
    """A sentence on the information gain of gold standard and methods."""
    entries = found["limits"]
    assert isinstance(entries, dict)
    top = entries["gold_standard"]["info_gain"]
    methods = found["methods"]
    assert isinstance(methods, dict)
    said = ", ".join(
        f"{name} {entry['metrics']['info_gain']['mean']:.2f}"
        for name, entry in methods.items()
        if name != "observers" and "info_gain" in entry["metrics"]
    )
    return [
        f"Information gain over the centre bias, bits a fixation: gold standard {top['mean']:.2f} "
        f"[{top['low']:.2f}, {top['high']:.2f}], {said}."
    ]


def gold(gazes: Sequence[tuple[np.ndarray, np.ndarray]]) -> metrics.GoldStandard:
    return metrics.gold_standard([p for p, _ in gazes], [o for _, o in gazes], SHAPE)


def halves(gazes: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    rows = []
    for name, part in (("all", gazes), ("first half", gazes[::2]), ("second half", gazes[1::2])):
        begun = time.monotonic()
        fitted = gold(part)
        seconds = time.monotonic() - begun
        gain = metrics.statistics.mean_interval(list(fitted.information_gain), seed=0)
        kernel, center, floor = fitted.weights
        rows.append(
            [name, str(len(part)), f"{gain.mean:.3f} [{gain.low:.3f}, {gain.high:.3f}]",
             f"{SHAPE[0] * fitted.bandwidth:.1f}", f"{kernel:.3f} / {center:.3f} / {floor:.4f}",
             f"{fitted.center.bandwidth:.3f}", f"{seconds:.0f}"]
        )  # fmt: skip
    header = ["pictures", "n", "information gain (bits)", "bandwidth (px)",
              "weights: kernel / centre bias / uniform", "bandwidth of the centre bias (share)",
              "seconds"]  # fmt: skip
    return table(header, rows)


def by_observers(gazes: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[str]:
    rng = np.random.default_rng(0)
    orders = [rng.permutation(np.unique(o)) for _, o in gazes]
    rows, found = [], {}
    for others in OTHERS:
        part = []
        for (points, who), order in zip(gazes, orders, strict=True):
            kept = np.isin(who, order[: others + 1])
            part.append((points[kept], who[kept]))
        fitted = gold(part)
        gain = metrics.statistics.mean_interval(list(fitted.information_gain), seed=0)
        found[others] = gain.mean
        rows.append(
            [str(others), f"{gain.mean:.3f} [{gain.low:.3f}, {gain.high:.3f}]",
             f"{SHAPE[0] * fitted.bandwidth:.1f}", f"{fitted.weights[0]:.3f}"]
        )  # fmt: skip
    last = [n for n in found if n >= 5]
    _, at_infinity = np.polyfit([1 / n for n in last], [found[n] for n in last], 1)
    header = [
        "other observers",
        "information gain (bits)",
        "bandwidth (px)",
        "weight of the kernel",
    ]
    return [
        *table(header, rows),
        "",
        f"A line over 1/n through n of {last[0]} and more says {at_infinity:.2f} bits for any "
        f"number of them: {max(found)} others give "
        f"{100 * found[max(found)] / at_infinity:.0f}% of that.",
    ]


if __name__ == "__main__":
    main()
