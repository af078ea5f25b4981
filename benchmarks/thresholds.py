"""How much AUCs depend on whose thresholds and whose negatives they have.

    python benchmarks/thresholds.py [--scenes 50]     writes benchmarks/results/thresholds.md

0:0.1:1 is built from both ends in MATLAB and from one in Octave, so that .6 and .7 differ by a bit.
That counts for maps whose values lie on them: an 8-bit map has 153/255 = .6. AUC-Judd and KL of
pysaliency are written here from their description, since they need no installation so.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

import metrics  # noqa: E402
from benchmarks.runs import table  # noqa: E402
from benchmarks.scenes import Array, Scene, grey, scene  # noqa: E402

RESULT = Path(__file__).parent / "results" / "thresholds.md"
SHAPE = (240, 320)


def levels(count: int) -> Callable[[Array], Array]:
    """A map rounded to so many even steps."""
    return lambda map: np.round((map - map.min()) / np.ptp(map) * count)


KINDS: dict[str, Callable[[Array], Array]] = {
    "float64": lambda map: map,
    "8 bits, 0 to 255": grey,
    "21 levels": levels(20),
    "11 levels": levels(10),
}


def both(one: Scene, prediction: Array) -> list[float]:
    """MATLAB's value minus Octave's: AUC-Borji and shuffled AUC."""
    truths = {"auc_borji": (one.fixations,), "auc_shuffled": (one.fixations, one.other)}
    return [
        getattr(metrics, name)(prediction, *maps, thresholds="matlab")
        - getattr(metrics, name)(prediction, *maps)
        for name, maps in truths.items()
    ]


def judd_of_pysaliency(prediction: Array, fixations: Array) -> float:
    """Every fixation counts; negatives are the unfixated pixels; thresholds are fixated values."""
    positive = np.sort(np.repeat(prediction.ravel(), fixations.ravel()))
    negative = np.sort(prediction[fixations == 0])
    thresholds = np.concatenate([positive[::-1], [prediction.min()]])

    def reached(values: Array) -> Array:
        return 1 - np.searchsorted(values, thresholds) / values.size

    rates = [np.concatenate([[0.0], reached(values)]) for values in (positive, negative)]
    return float(np.trapezoid(*rates))


def kl_of_pysaliency(prediction: Array, density: Array) -> float:
    """A negative map is shifted by its minimum; eps is 2.2204e-16."""
    p, q = ((m - min(m.min(), 0)) / (m - min(m.min(), 0)).sum() for m in (prediction, density))
    return float((q * np.log(2.2204e-16 + q / (p + 2.2204e-16))).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=50, help="made scenes of each kind")
    count = parser.parse_args().scenes
    scenes = [scene(SHAPE, fixations=60, good=s % 2 == 0, seed=s) for s in range(count)]
    rows = []
    for kind, make in KINDS.items():
        found = np.abs([both(one, make(one.prediction)) for one in scenes])
        cells = [f"{np.median(column):.5f}, {column.max():.5f}" for column in found.T]
        rows.append([kind, *cells])
    others = []
    for points in (20, 200, 5000):
        one = scene(SHAPE, fixations=points)
        coarse = levels(10)(one.prediction)
        maps = {"float64": one.prediction, "11 levels": coarse}
        for kind, prediction in maps.items():
            ours = [metrics.auc_judd(prediction, one.fixations, jitter=j) for j in (False, True)]
            theirs = judd_of_pysaliency(prediction, one.fixations)
            others.append([str(points), kind, *(f"{value:.4f}" for value in (theirs, *ours))])
    one = scene(SHAPE)
    holes = np.where(one.prediction < np.median(one.prediction), 0.0, one.prediction)
    kls = []
    for kind, prediction in (("all positive", one.prediction), ("half of it 0", holes)):
        theirs, ours = (
            kl_of_pysaliency(prediction, one.density),
            metrics.kl(prediction, one.density),
        )
        kls.append([kind, f"{theirs:.6f}", f"{ours:.6f}"])
    shifted = one.prediction - np.median(one.prediction)
    kls.append(["half of it negative", f"{kl_of_pysaliency(shifted, one.density):.6f}", "refused"])
    lines = [
        "# Whose thresholds, whose negatives",
        "",
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, numpy "
        f"{np.__version__}. Made by `python benchmarks/thresholds.py`.",
        "",
        f"MATLAB's thresholds against Octave's on {count} made scenes of {SHAPE[0]}x{SHAPE[1]}, 60 "
        "fixations: absolute difference, median and largest.",
        "",
        *table(["map", "AUC-Borji", "shuffled AUC"], rows),
        "",
        "AUC-Judd by the rule of pysaliency's `AUC_Judd`, without jitter, and ours.",
        "",
        *table(["fixations", "map", "pysaliency's rule", "ours", "ours with jitter"], others),
        "",
        "KL by the rule of pysaliency's `MIT_KLDiv`, and ours.",
        "",
        *table(["prediction", "pysaliency's rule", "ours"], kls),
    ]
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
