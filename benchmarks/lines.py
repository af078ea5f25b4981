"""Seven metrics against pysaliency, line by line, and the EMD on adversarial maps.

    python benchmarks/metrics.py --lines [--site FOLDER]

Both sides do the same work: pysaliency's definitions are those of the "tuebingen" convention, and
both get fixations as points. They take turns in one process on one core. Times are processor time
of the thread, so that other programs on the machine count little; a line has the median of each
side and of the ratios of the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import metrics
from benchmarks.scenes import Scene, scene

Call = Callable[[], Any]
CASES = (((480, 640), "float64"), ((480, 640), "float32"), ((1080, 1920), "float32"))
SEVEN = ("auc", "auc_shuffled", "nss", "cc", "sim", "kl", "info_gain")


def taken(call: Call) -> float:
    """Milliseconds of the second of two calls, so that caches hold its own data."""
    call()
    start = time.thread_time()
    call()
    return 1e3 * (time.thread_time() - start)


def points(counts: Any) -> tuple[Any, Any]:
    """x and y of each fixation of a map."""
    y, x = np.nonzero(counts)
    many = counts[y, x]
    return np.repeat(x, many), np.repeat(y, many)


def rivals(s: Scene, dtype: str, found: Any) -> dict[str, tuple[Call, Call]]:
    """Metric -> our call and pysaliency's."""
    p, d, b = (np.ascontiguousarray(m, dtype) for m in (s.prediction, s.density, s.baseline))
    (xs, ys), (ox, oy) = points(s.fixations), points(s.other)
    own, other = (np.stack(xy, axis=1).astype(float) for xy in ((xs, ys), (ox, oy)))
    pm, pr = found.metrics, found.roc
    c: Any = {"convention": "tuebingen"}

    def gain() -> Any:
        model, base = (np.log(pm.convert_saliency_map_to_density(m, 1e-20)) for m in (p, b))
        return np.mean(model[ys, xs] - base[ys, xs]) / np.log(2)

    return {
        "auc": (
            lambda: metrics.auc(p, own, **c),
            lambda: pr.general_roc(p[ys, xs], p.flatten())[0],
        ),
        "auc_shuffled": (
            lambda: metrics.auc_shuffled(p, own, other, **c),
            lambda: pr.general_roc(p[ys, xs], p[oy, ox])[0],
        ),
        "nss": (lambda: metrics.nss(p, own, **c), lambda: pm.NSS(p, xs, ys).mean()),
        "cc": (lambda: metrics.cc(p, d, **c), lambda: pm.CC(p, d)),
        "sim": (lambda: metrics.sim(p, d, **c), lambda: pm.SIM(p, d)),
        "kl": (lambda: metrics.kl(p, d, **c), lambda: pm.image_based_kl_divergence(p, d)),
        "info_gain": (lambda: metrics.info_gain(p, own, b, **c), gain),
        "all seven": (
            lambda: metrics.evaluate(
                p, fixations=own, density=d, other=other, baseline=b, metrics=SEVEN, **c
            ),
            lambda: None,
        ),
    }


def lines(found: Any, rounds: int, cases: Any = CASES) -> list[str]:
    """The table of ratios."""
    shown = ["## Against pysaliency, line by line", ""]
    shown += ["Milliseconds, median. Ratio: how many times slower than ours.", ""]
    shown += ["| maps | metric | ours | pysaliency | ratio | difference of the values |"]
    shown += ["|---|---|---|---|---|---|"]
    for shape, dtype in cases:
        whole = 0.0
        for name, (ours, theirs) in rivals(scene(shape), dtype, found).items():
            size = f"{shape[0]}x{shape[1]} {dtype}"
            if name == "all seven":
                mine = float(np.median([taken(ours) for _ in range(rounds)]))
                shown.append(
                    f"| {size} | all seven, by evaluate | {mine:.2f} | {whole:.2f} | "
                    f"{whole / mine:.1f} | |"
                )
                continue
            times = np.array([(taken(ours), taken(theirs)) for _ in range(rounds)])
            mine, his = np.median(times, axis=0)
            whole += his
            ratio = np.median(times[:, 1] / times[:, 0])
            apart = abs(float(ours()) - float(theirs()))
            shown.append(
                f"| {size} | {name} | {mine:.2f} | {his:.2f} | {ratio:.2f} | {apart:.0e} |"
            )
    return [*shown, ""]


def adversarial(shape: tuple[int, int]) -> dict[str, tuple[Any, Any]]:
    """Pairs of maps that are far apart everywhere."""
    rng = np.random.default_rng(0)
    width = shape[1]
    rows, columns = np.indices(shape)
    left = (columns < width // 2).astype(float)
    board = ((rows + columns) % 2).astype(float)
    one = np.zeros(shape)
    one[0, 0] = 1.0
    noise = rng.random((2, *shape))
    return {
        "left, right half": (left, 1 - left),
        "checkerboards": (board, 1 - board),
        "uniform noise": (noise[0], noise[1]),
        "one-hot against noise": (one, noise[0]),
    }


def transport() -> list[str]:
    """EMD on maps that have the size of the grid already; each pair is timed three times."""
    shown = ["## EMD", "", "Milliseconds, best of three; of the larger grids, of one.", ""]
    shown += ["| grid | maps | method | time |", "|---|---|---|---|"]
    plans: list[tuple[tuple[int, int], str, int]] = [
        ((15, 20), "exact", 3),
        ((60, 80), "exact", 3),
        ((120, 160), "exact", 1),
        ((240, 320), "approximate", 1),
    ]
    for shape, method, rounds in plans:
        for name, (p, d) in adversarial(shape).items():
            if shape[0] >= 120 and name != "uniform noise":
                continue

            def call(p: Any = p, d: Any = d, method: Any = method) -> float:
                start = time.thread_time()
                metrics.emd(p, d, downsize=1, method=method)
                return 1e3 * (time.thread_time() - start)

            best = min(call() for _ in range(rounds))
            shown.append(f"| {shape[0]}x{shape[1]} | {name} | {method} | {best:.1f} |")
    return [*shown, ""]
