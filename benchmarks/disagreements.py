"""How much programs in circulation disagree: the same maps, scored by them and by us.

    python benchmarks/disagreements.py       writes benchmarks/results/disagreements.md

The scene is synthetic (480x640, 200 fixations, seed 0). pysaliency, POT and OpenCV are called if
they are installed (`pip install '.[peers]'`). The code of gists is our own, written from
descriptions, in `benchmarks/peers.py` and here.
"""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

import metrics  # noqa: E402
from benchmarks import peers  # noqa: E402
from benchmarks.scenes import Scene, grey, scene  # noqa: E402

RESULT = Path(__file__).parent / "results" / "disagreements.md"
Row = tuple[str, str, float, str]


def of_pysaliency(s: Scene) -> Iterator[Row]:
    """Values under another convention, and a silent shift."""
    found = peers.pysaliency()
    if found is None:
        return
    y, x = np.nonzero(s.fixations)
    times = s.fixations[y, x]
    ys, xs = np.repeat(y, times), np.repeat(x, times)
    p, d = s.prediction, s.density
    yield (
        "NSS: every fixation, divisor P",
        "pysaliency",
        found.metrics.NSS(p, xs, ys).mean(),
        nss(s),
    )
    value = found.metrics.SIM(p, d)
    yield "SIM without min-max", "pysaliency", value, f"{metrics.sim(p, d):.6g}"
    signed = p - p.mean()
    value = found.metrics.image_based_kl_divergence(signed, d)
    yield "KL of a map with negative values: shifted", "pysaliency", value, refusal(signed, d)


def of_gists(s: Scene) -> Iterator[Row]:
    p, f, d = s.prediction, s.fixations, s.density
    right = f"{metrics.auc_judd(p, f):.6f}"
    yield "AUC-Judd, curve rounded to 4 digits", "gists", peers.auc_judd_gist_loop(p, f), right
    yield "AUC-Judd of a constant map", "gists", constant_auc(f), "0.5"
    yield "AUC-Judd, noise of 1e-7 on a map of sum 1e-3", "MIT code", tiny_noise(s), right
    yield "KL, arguments exchanged", "gists", peers.kl_gist(d, p), f"{metrics.kl(p, d):.6g}"
    weighted = float(((p - p.mean()) / p.std() * d).sum())
    yield "NSS on the blurred fixations", "scripts of papers", weighted, nss(s)
    turned = np.zeros_like(f)
    x, y = np.nonzero(f)  # rows taken for columns
    inside = (y < f.shape[0]) & (x < f.shape[1])
    np.add.at(turned, (y[inside], x[inside]), 1)
    yield "NSS, x and y exchanged", "gists", metrics.nss(p, turned), nss(s)
    small = metrics.resize(p, (60, 80))
    gain = metrics.info_gain(metrics.resize(small, p.shape), f, s.baseline)
    repeated = np.resize(small, p.shape)
    wrong = metrics.info_gain(repeated, f, s.baseline)
    yield "information gain, np.resize as interpolation", "gists", wrong, f"{gain:.6g}"


def of_chance(s: Scene) -> Iterator[Row]:
    """One run of a procedure with random negatives."""
    p, f = s.prediction, s.fixations
    exact, deviation = metrics.auc_borji(p, f, return_std=True)
    run = f"{exact:.4f} ± {deviation / 10:.4f} for 100 splits"
    yield (
        "AUC-Borji, one run of 100 splits",
        "MIT code",
        metrics.auc_borji(p, f, splits=100, rng=0),
        run,
    )
    yield "100,000 random pixels, steps of .01", "SALICON evaluation", salicon(p, f), run


def of_transport(s: Scene) -> Iterator[Row]:
    small = metrics.resize(s.density, (97, 131))
    value = metrics.emd(small, small, grid="mit")
    yield "EMD of a map to itself, 97x131", "MIT code", value, "0"
    p, d = (np.maximum(metrics.resize(m, (15, 20)), 0) for m in (s.prediction, s.density))
    p, d = p / p.sum(), d / d.sum()
    exact = f"{metrics.emd(p, d, downsize=1):.6f}"
    yield "EMD, dense and exact", "POT", peers.emd_pot(p, d), exact
    value = peers.emd_opencv(p, d)
    if not np.isnan(value):
        yield "EMD in single precision", "OpenCV", value, exact
    bytes_ = metrics.emd(grey(s.prediction), grey(s.density))
    floats = metrics.emd(s.prediction, s.density)
    yield "EMD of 8-bit maps for that of floats", "anybody", bytes_, f"{floats:.6g}"


def nss(s: Scene) -> str:
    return f"{metrics.nss(s.prediction, s.fixations):.6g}"


def refusal(prediction: peers.Array, density: peers.Array) -> str:
    try:
        return f"{metrics.kl(prediction, density):.6g}"
    except ValueError:
        return "refused"


def constant_auc(fixations: peers.Array) -> float:
    """The loop of gists without the scaling to [0, 1], which divides by zero for a constant map."""
    n, size = int((fixations > 0).sum()), fixations.size
    i = np.arange(1, n + 1)
    tp, fp = [0, *(i / n), 1], [0, *((size - i) / (size - n)), 1]
    return float(np.trapezoid(tp, fp))


def tiny_noise(s: Scene) -> float:
    """The reference adds noise before min-max, which drowns a map of tiny values."""
    p = s.prediction / s.prediction.sum() * 1e-3
    noise = np.random.default_rng(0).random(p.shape) * 1e-7
    return peers.auc_judd_mit_loop(p + noise, s.fixations)


def salicon(prediction: peers.Array, fixations: peers.Array) -> float:
    rng = np.random.default_rng(0)
    saliency = peers.minmax(prediction).ravel()
    fixated = saliency[fixations.ravel() > 0]
    negatives = saliency[rng.integers(0, saliency.size, 100_000)]
    thresholds = np.arange(0, max(fixated.max(), negatives.max()) + 1e-9, 0.01)[::-1]
    tp = [0.0, *((fixated >= t).mean() for t in thresholds), 1.0]
    fp = [0.0, *((negatives >= t).mean() for t in thresholds), 1.0]
    return float(np.trapezoid(tp, fp))


def main() -> None:
    s = scene()
    rows = [row for part in (of_pysaliency, of_gists, of_chance, of_transport) for row in part(s)]
    packages = ("numpy", "POT", "pysaliency", "opencv-python-headless")
    lines = [
        "# Where programs disagree",
        "",
        f"{datetime.date.today()}, {platform.machine()}, Python {platform.python_version()}, "
        f"{peers.versions(*packages)}. Made by `python benchmarks/disagreements.py`.",
        "",
        'One synthetic scene, 480x640, 200 fixations; "ours" is `convention="mit"`.',
        "",
        "| what | where seen | theirs | ours |",
        "|---|---|---|---|",
        *(f"| {what} | {where} | {value:.6g} | {ours} |" for what, where, value, ours in rows),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
