"""Speed, fidelity to the originals, and accuracy of the classical methods.

    python -m benchmarks.baselines            writes benchmarks/results/baselines.md
    python -m benchmarks.baselines --quick    prints the speed on five pictures

It uses one core. Methods take turns on each picture, so that a busy machine slows all of them
alike: quote ratios. The pictures are photographs if ../shared/data/osie exists, else procedural
scenes. Recorded values of the originals, and gaze, are read from ../shared if it exists. OpenCV's
spectral residual is included if `cv2.saliency` is installed (opencv-contrib-python-headless).
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))

import argparse
import csv
import datetime
import importlib.metadata
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.objectness_scenes import scenes
from emomap import metrics
from emomap.methods.bms import bms
from emomap.methods.center import center
from emomap.methods.covsal import covsal
from emomap.methods.gbvs import gbvs, gbvs_fast
from emomap.methods.itti_koch import itti_koch
from emomap.methods.objectness import objectness, objectness_stages
from emomap.methods.simpsal import simpsal
from emomap.methods.spectral_residual import spectral_residual
from emomap.sample import Gaze
from emomap.scoring.observers import observer_ceiling

SHARED = Path(__file__).resolve().parents[2] / "shared"
PHOTOGRAPHS = SHARED / "data" / "osie" / "images"
RECORDED = SHARED / "fixtures" / "baselines"
RESULT = Path(__file__).parent / "results" / "baselines.md"

Picture = NDArray[np.uint8]
Function = Callable[[Any], NDArray[Any]]

METHODS: dict[str, Function] = {
    "center": center,
    "gbvs": gbvs,
    "gbvs, power iteration": lambda image: gbvs(image, solver="power"),
    "gbvs_fast": gbvs_fast,
    "itti_koch": itti_koch,
    "simpsal": simpsal,
    "spectral_residual": spectral_residual,
    "bms": bms,
    "covsal": covsal,
    "objectness": objectness,
}
#: Milliseconds of the original under GNU Octave at about 400x300 on two busy cores, as measured by
#: others.
OCTAVE = {
    "gbvs": "250-410",
    "gbvs, power iteration": "250-410",
    "gbvs_fast": "60",
    "itti_koch": "110",
    "objectness": "8,000-12,000",
}


def pictures(count: int) -> list[Picture]:
    """Pictures of 400x300: photographs, or scenes if there are none."""
    if not PHOTOGRAPHS.is_dir():
        tall = (image for image, _ in scenes(None, 1) if len(image) >= 300)
        return [np.ascontiguousarray(next(tall)[:300]) for _ in range(count)]
    paths = sorted(PHOTOGRAPHS.glob("*.jpg"))
    chosen = paths[:: max(1, len(paths) // count)][:count]
    made = []
    for path in chosen:
        with Image.open(path) as opened:
            resized = opened.convert("RGB").resize((400, 300), Image.Resampling.LANCZOS)
        made.append(np.asarray(resized))
    return made


def opencv() -> dict[str, Function]:
    """OpenCV's spectral residual, at its own size, enlarged to the picture's; empty without it."""
    try:
        import cv2
    except ImportError:
        return {}
    if not hasattr(cv2, "saliency"):
        return {}
    judge = cv2.saliency.StaticSaliencySpectralResidual_create()

    def compute(image: Any) -> NDArray[Any]:
        return np.asarray(judge.computeSaliency(image)[1])

    return {f"OpenCV {cv2.__version__} spectral residual": compute}


def speed(images: list[Picture]) -> Iterator[str]:
    """Lines of the table of times."""
    methods = METHODS | opencv()
    for function in methods.values():
        function(images[0])
    times: dict[str, list[float]] = {name: [] for name in methods}
    for image in images:
        for name, function in methods.items():
            rounds = []
            for _ in range(3):
                start = time.perf_counter()
                function(image)
                rounds.append(time.perf_counter() - start)
            times[name].append(1000 * min(rounds))
    yield "| method | median ms | least ms | most ms | original under Octave, ms |"
    yield "|---|---|---|---|---|"
    for name, found in times.items():
        yield (
            f"| {name} | {np.median(found):.1f} | {min(found):.1f} | {max(found):.1f} "
            f"| {OCTAVE.get(name, '')} |"
        )


def first_call(name: str) -> float:
    """Seconds from the import of a method to its first map, in a new process with cached code."""
    program = (
        "import time, sys, numpy as np; image = np.zeros((300, 400, 3), np.uint8); "
        "image[90:150, 80:160] = 200; start = time.perf_counter(); from emomap import method; "
        "method.load(sys.argv[1])().predict([image]); print(time.perf_counter() - start)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, name], capture_output=True, text=True, check=True
        )
        for _ in range(3)
    ]
    return min(float(run.stdout) for run in runs)


def correlation(one: NDArray[Any], other: NDArray[Any]) -> float:
    return float(np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1])


def fidelity() -> Iterator[str]:
    """Lines of the table of correlations with the recorded maps."""
    found: dict[str, list[float]] = {}
    for path in sorted(RECORDED.glob("*.npz")):
        with np.load(path) as case:
            if "gbvs" not in case:
                continue
            image, heat = case["image"], case["obj_heat_mean8"]
            learnt = RECORDED / "objectness_learned_likelihoods.npz"
            one = {
                "gbvs, power iteration": (
                    gbvs(image, solver="power", size="native"),
                    case["gbvs"],
                ),
                "gbvs, closed form": (gbvs(image, size="native"), case["gbvs"]),
                "gbvs, closed form, original at tol=1e-8": (
                    gbvs(image, size="native"),
                    case["gbvs_var_tol8"],
                ),
                "gbvs_fast": (gbvs_fast(image, size="native"), case["gbvs_fast"]),
                "itti_koch": (itti_koch(image, size="native"), case["itti"]),
                "simpsal": (simpsal(image, size="native"), case["simpsal_pami"]),
                "objectness, parameters of the original": (
                    objectness_stages(image, parameters=learnt).heat,
                    heat,
                ),
                "one run of the original (mean of 8 includes it)": (case["obj_heat_seed1"], heat),
                "objectness, parameters of the package": (objectness_stages(image).heat, heat),
                "centre prior, to Objectness": (center(image), heat),
                "centre prior, to GBVS": (center(case["gbvs"].astype(np.float64)), case["gbvs"]),
            }
        for name, pair in one.items():
            found.setdefault(name, []).append(correlation(*pair))
    yield "| map | least CC | mean CC |"
    yield "|---|---|---|"
    for name, values in found.items():
        yield f"| {name} | {min(values):.6f} | {np.mean(values):.6f} |"


def accuracy(count: int) -> Iterator[str]:
    """Lines of the table of scores against gaze, also relative to centre prior and observers."""
    names = ("auc_judd", "nss")
    sums: dict[str, list[list[float]]] = {}
    paths = sorted(PHOTOGRAPHS.glob("*.jpg"))
    for path in paths[:: max(1, len(paths) // count)][:count]:
        with Image.open(path) as opened:
            image = np.asarray(opened.convert("RGB"))
        gaze = read_gaze(path, (image.shape[0], image.shape[1]))
        assert gaze.points is not None
        counts = metrics.fixation_map(gaze.points[gaze.inside], gaze.shape)
        for name, function in METHODS.items():
            if name.startswith("gbvs,"):
                continue
            scores = metrics.evaluate(function(image), fixations=counts, metrics=names)
            sums.setdefault(name, []).append([scores[metric] for metric in names])
        ceiling = observer_ceiling(gaze, names, 24.0)
        sums.setdefault("observers", []).append([ceiling[metric] for metric in names])
    means = {name: np.mean(values, axis=0) for name, values in sums.items()}
    floor, top = means["center"][1], means["observers"][1]
    yield "| method | AUC-Judd | NSS | of the way from centre prior to observers (NSS) |"
    yield "|---|---|---|---|"
    for name, (auc, nss) in sorted(means.items(), key=lambda item: item[1][1]):
        yield f"| {name} | {auc:.3f} | {nss:.3f} | {(nss - floor) / (top - floor):.0%} |"


def read_gaze(picture: Path, shape: tuple[int, int]) -> Gaze:
    """The fixations of a picture of OSIE."""
    table = picture.parents[1] / "fixations" / f"{picture.stem}.csv"
    with table.open() as lines:
        rows = list(csv.DictReader(lines))
    points = np.array([[float(row["x"]), float(row["y"])] for row in rows])
    return Gaze(shape, points, np.array([int(row["observer"]) for row in rows]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="print the speed on five pictures")
    quick = parser.parse_args().quick
    images = pictures(5 if quick else 20)
    kind = "photographs" if PHOTOGRAPHS.is_dir() else "procedural scenes"
    packages = ", ".join(f"{p} {importlib.metadata.version(p)}" for p in ("numpy", "numba"))
    lines = [
        "# Classical methods",
        "",
        f"{datetime.date.today()}, {platform.processor() or platform.machine()}, "
        f"Python {platform.python_version()}, {packages}, one core, on a machine shared with other "
        "work: quote ratios.",
        "",
        f"## Speed: {len(images)} {kind} of 400x300, the best of three calls on each",
        "",
        *speed(images),
    ]
    if quick:
        print("\n".join(lines))
        return
    lines += ["", "First map of a new process, import included, compiled code cached:"]
    lines += ["; ".join(f"{n} {first_call(n):.2f} s" for n in ("gbvs", "itti_koch", "objectness"))]
    if RECORDED.is_dir():
        lines += ["", "## Fidelity: correlation with maps of the originals, 7 pictures", ""]
        lines += fidelity()
    if PHOTOGRAPHS.is_dir():
        lines += ["", "## Prediction of gaze: 60 photographs of OSIE (800x600), free viewing", ""]
        lines += accuracy(60)
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
