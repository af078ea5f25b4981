"""Other implementations of the metrics to compare with: pysaliency, and loops in circulation.

The loops are our own code, written from descriptions.
"""

from __future__ import annotations

import importlib.metadata
import sys
import types
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def versions(*packages: str) -> str:
    """The packages with their versions, for the head of a table."""
    found = []
    for package in packages:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{package} not installed")
    return ", ".join(found)


def pysaliency() -> Any:
    """The metric modules of pysaliency (metrics, roc), or None if it is not installed.

    Its release 0.2.22 needs names that setuptools and NumPy have dropped; stubs stand in for them.
    """
    if "pkg_resources" not in sys.modules:
        lent = types.ModuleType("pkg_resources")
        for name in ("resource_string", "resource_listdir"):
            setattr(lent, name, lambda *_: b"")
        sys.modules["pkg_resources"] = lent
    if not hasattr(np, "trapz"):
        np.trapz = np.trapezoid  # type: ignore[attr-defined]  # noqa: NPY201
    try:
        import pysaliency.metrics
        import pysaliency.roc
    except ImportError:
        return None
    return types.SimpleNamespace(metrics=pysaliency.metrics, roc=pysaliency.roc)


def minmax(map: Array) -> Array:
    map = map.astype(float)
    return (map - map.min()) / (map.max() - map.min())


def auc_judd_mit_loop(prediction: Array, fixations: Array) -> float:
    """The loop of the MIT code, which compares every pixel with every threshold."""
    saliency = minmax(prediction).ravel()
    fixated = saliency[fixations.ravel() > 0]
    thresholds = np.sort(fixated)[::-1]
    tp, fp = [0.0], [0.0]
    for i, threshold in enumerate(thresholds, start=1):
        above = np.count_nonzero(saliency >= threshold)
        tp.append(i / fixated.size)
        fp.append((above - i) / (saliency.size - fixated.size))
    return float(np.trapezoid([*tp, 1.0], [*fp, 1.0]))


def auc_judd_gist_loop(prediction: Array, fixations: Array) -> float:
    """The loop of gists: a mask of the map for each threshold, rounded to 4 digits."""
    saliency = minmax(prediction)
    mask = fixations > 0
    thresholds = sorted(saliency[mask], reverse=True)
    points = [(0.0, 0.0)]
    for i, threshold in enumerate(thresholds):
        temporary = np.zeros(saliency.shape)
        temporary[saliency >= threshold] = 1.0
        above = temporary.sum()
        tp = (i + 1) / len(thresholds)
        fp = (above - i - 1) / (saliency.size - len(thresholds))
        points.append((round(tp, 4), round(fp, 4)))
    points.append((1.0, 1.0))
    tps, fps = zip(*points, strict=True)
    return float(np.trapezoid(np.array(tps), np.array(fps)))


def auc_borji_compact_loop(
    prediction: Array, fixations: Array, negatives: Array | None = None, splits: int = 100
) -> float:
    """A short loop over splits and thresholds; ``negatives`` are the fixations of other images."""
    rng = np.random.default_rng(0)
    saliency = minmax(prediction).ravel()
    fixated = saliency[fixations.ravel() > 0]
    pool = saliency if negatives is None else saliency[negatives.ravel() > 0]
    scores = []
    for _ in range(splits):
        drawn = rng.choice(pool, size=fixated.size, replace=negatives is None)
        top = max(fixated.max(), drawn.max())
        thresholds = np.arange(0, top + 1e-9, 0.1)[::-1]
        tp = [0.0, *((fixated >= t).mean() for t in thresholds), 1.0]
        fp = [0.0, *((drawn >= t).mean() for t in thresholds), 1.0]
        scores.append(np.trapezoid(tp, fp))
    return float(np.mean(scores))


def auc_borji_gist_loop(prediction: Array, fixations: Array, splits: int = 100) -> float:
    """The loop of gists: random pixels one by one, a sum over the sample for each threshold."""
    rng = np.random.default_rng(0)
    saliency = minmax(prediction)
    height, width = saliency.shape
    fixated = saliency[fixations > 0]
    scores = []
    for _ in range(splits):
        drawn = np.array(
            [saliency[rng.integers(height), rng.integers(width)] for _ in range(fixated.size)]
        )
        points = [(0.0, 0.0)]
        for threshold in np.arange(0, max(fixated.max(), drawn.max()), 0.1)[::-1]:
            tp = sum(1.0 for v in fixated if v >= threshold) / fixated.size
            fp = sum(1.0 for v in drawn if v >= threshold) / fixated.size
            points.append((tp, fp))
        points.append((1.0, 1.0))
        tps, fps = zip(*points, strict=True)
        scores.append(np.trapezoid(np.array(tps), np.array(fps)))
    return float(np.mean(scores))


def nss_gist(prediction: Array, fixations: Array) -> float:
    z = (prediction - prediction.mean()) / prediction.std()
    return float(z[fixations > 0].mean())


def cc_gist(prediction: Array, density: Array) -> float:
    a = (prediction - prediction.mean()) / prediction.std()
    b = (density - density.mean()) / density.std()
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def sim_gist(prediction: Array, density: Array) -> float:
    a, b = minmax(prediction), minmax(density)
    return float(np.minimum(a / a.sum(), b / b.sum()).sum())


def kl_gist(prediction: Array, density: Array) -> float:
    eps = np.finfo(float).eps
    a, b = prediction / prediction.sum(), density / density.sum()
    return float((b * np.log(eps + b / (a + eps))).sum())


def emd_pot(p: Array, q: Array, subtract: bool = False) -> float:
    """Dense optimal transport of POT, of whole maps or, with ``subtract``, of their differences."""
    import ot

    y, x = np.divmod(np.arange(p.size), p.shape[1])
    points = np.stack([x, y], axis=1).astype(float)
    a, b = p.ravel(), q.ravel()
    mass = 1.0
    rows = columns = slice(None)
    if subtract:
        a, b = np.maximum(a - b, 0), np.maximum(b - a, 0)
        rows, columns = a > 0, b > 0
        a, b = a[rows], b[columns]
        mass = a.sum()
        a, b = a / mass, b / b.sum()
    cost = ot.dist(points[rows], points[columns], metric="euclidean")
    return float(ot.emd2(a, b, cost, numItermax=10_000_000) * mass)


def emd_opencv(p: Array, q: Array) -> float:
    """OpenCV's EMD, in single precision; NaN if OpenCV is not installed."""
    try:
        import cv2
    except ImportError:
        return float("nan")
    y, x = np.divmod(np.arange(p.size), p.shape[1])
    first, second = (np.stack([m.ravel(), x, y], axis=1).astype(np.float32) for m in (p, q))
    return float(cv2.EMD(first, second, cv2.DIST_L2)[0])
