"""Maps a second that the metrics score on a GPU.

    python benchmarks/metrics_gpu.py         on a GPU, writes benchmarks/results/metrics_gpu.md

Batches of 64 maps of 480x640 with 200 fixations each, already on the device. Without a GPU it runs
a batch of 4 on the CPU and only prints. It compares the values with NumPy's in both cases.
"""

from __future__ import annotations

import datetime
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

import metrics  # noqa: E402
from benchmarks.scenes import scene  # noqa: E402

RESULT = Path(__file__).parent / "results" / "metrics_gpu.md"
GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
BATCH = 64 if GPU else 4
ROUNDS = 10 if GPU else 2
FOUR = ("cc", "sim", "kl", "nss")
ALL = tuple(name for name in metrics.CATALOGUE if name != "emd")


def batch() -> dict[str, np.ndarray[Any, Any]]:
    """Stacked scenes, by the argument names of `metrics.evaluate`."""
    scenes = [scene(good=i % 2 == 0, seed=i) for i in range(BATCH)]
    return {name: np.stack([getattr(s, name) for s in scenes]) for name in scenes[0]._fields}


def on_device(maps: dict[str, Any], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    found = {name: torch.from_numpy(array).to(DEVICE) for name, array in maps.items()}
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in found.items()}


def wait() -> None:
    if GPU:
        torch.cuda.synchronize()


def maps_a_second(call: Callable[[], object]) -> float:
    """Median over the rounds."""
    call()
    taken = []
    for _ in range(ROUNDS):
        wait()
        start = time.perf_counter()
        call()
        wait()
        taken.append(time.perf_counter() - start)
    return BATCH / float(np.median(taken))


def scorer(maps: dict[str, Any], names: tuple[str, ...]) -> Callable[[], dict[str, Any]]:
    needed = {need for name in names for need in metrics.CATALOGUE[name].inputs}
    truths = {name: maps[name] for name in needed}
    return lambda: metrics.evaluate(maps["prediction"], **truths, metrics=names)


def loss(maps: dict[str, torch.Tensor], downsize: int) -> Callable[[], None]:
    """Beckmann's EMD as a loss, with its gradient."""
    prediction = maps["prediction"].clone().requires_grad_(True)

    def call() -> None:
        value = metrics.emd(prediction, maps["density"], downsize=downsize, method="beckmann")
        value.sum().backward()

    return call


def disagreement(maps: dict[str, Any], tensors: dict[str, torch.Tensor]) -> float:
    """Largest difference from NumPy on the first two maps, in double precision."""
    few = {name: array[:2] for name, array in maps.items()}
    expected = scorer(few, ALL)()
    found = scorer({name: t[:2] for name, t in tensors.items()}, ALL)()
    return max(float(np.abs(found[n].cpu().numpy() - expected[n]).max()) for n in ALL)


def main() -> None:
    maps = batch()
    where = torch.cuda.get_device_name() if GPU else f"the CPU ({platform.machine()}): no GPU here"
    lines = [
        "# Metrics on a GPU",
        "",
        f"{datetime.date.today()}, {where}, Python {platform.python_version()}, torch "
        f"{torch.__version__}, numpy {np.__version__}. Batches of {BATCH} maps of 480x640, 200 "
        "fixations. Made by `python benchmarks/metrics_gpu.py`.",
        "",
        "| maps a second | single precision | double precision |",
        "|---|---|---|",
    ]
    single, double = (on_device(maps, dtype) for dtype in (torch.float32, torch.float64))
    rows: dict[str, Callable[[dict[str, torch.Tensor]], Callable[[], object]]] = {
        "CC, SIM, KL, NSS": lambda m: scorer(m, FOUR),
        "the same and AUC-Judd": lambda m: scorer(m, (*FOUR, "auc_judd")),
        "AUC-Judd": lambda m: scorer(m, ("auc_judd",)),
        "all but EMD": lambda m: scorer(m, ALL),
        "EMD as a loss, 15x20 (Beckmann, with gradient)": lambda m: loss(m, 32),
        "EMD as a loss, 120x160": lambda m: loss(m, 4),
    }
    for title, make in rows.items():
        cells = [f"{maps_a_second(make(m)):,.0f}" for m in (single, double)]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    lines += ["", f"Largest difference from NumPy: {disagreement(maps, double):.1e}.", ""]
    text = "\n".join(lines)
    print(text)
    if GPU:
        RESULT.write_text(text, encoding="utf-8")
    else:
        print("No GPU: these are figures of the CPU, and no file is written.")


if __name__ == "__main__":
    main()
