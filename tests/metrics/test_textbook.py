"""convention="mit" against the plainest form of each definition, on made-up maps of many kinds."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

import metrics
from tests.metrics.cases import stepped_area, unit

EPS = 2.0**-52


def auc_judd(p: Any, f: Any) -> float:
    saliency = unit(p).ravel()
    thresholds = np.sort(saliency[f.ravel() > 0])[::-1]
    n, size = thresholds.size, p.size
    tp, fp = [0.0], [0.0]
    for i, threshold in enumerate(thresholds, 1):
        tp.append(i / n)
        fp.append(((saliency >= threshold).sum() - i) / (size - n))
    return float(np.trapezoid([*tp, 1], [*fp, 1]))


def stepped_auc(p: Any, f: Any, negatives: Any) -> float:
    """The curve of thresholds 0, 0.1 ..., with the whole population of negatives."""
    return stepped_area(unit(p)[f > 0], unit(p)[negatives])


def information_gain(p: Any, f: Any, baseline: Any) -> float:
    q, b = (unit(m) / unit(m).sum() for m in (p, baseline))
    return float(np.mean((np.log2(EPS + q) - np.log2(EPS + b))[f > 0]))


def kl(p: Any, d: Any) -> float:
    q, d = p / p.sum(), d / d.sum()
    return float((d * np.log(EPS + d / (q + EPS))).sum())


def emd(p: Any, d: Any) -> float:
    """The linear program of transport, all arcs written out."""
    p, d = p / p.sum(), d / d.sum()
    y, x = np.divmod(np.arange(p.size), p.shape[1])
    cost = np.hypot(y[:, None] - y, x[:, None] - x)
    supply = np.kron(np.eye(p.size), np.ones(p.size))
    demand = np.kron(np.ones(p.size), np.eye(p.size))
    both = np.concatenate([p.ravel(), d.ravel()])
    return float(linprog(cost.ravel(), A_eq=np.vstack([supply, demand]), b_eq=both).fun)


@st.composite
def scenes(draw: Any) -> dict[str, Any]:
    """Maps with ties, plateaus, zeros and odd sizes, in single and double precision."""
    shape = draw(st.integers(2, 12)), draw(st.integers(3, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    levels = draw(st.sampled_from([2, 5, 256, 10**6]))
    dtype = draw(st.sampled_from([np.uint8, np.float32, np.float64]))

    def grey() -> Any:
        values = np.floor(rng.beta(0.6, 2, shape) * levels) / levels
        values.flat[rng.integers(values.size)] = 1.0
        values.flat[0] = 0.0
        if values.max() == values.min():
            values.flat[1] = 0.5
        return (
            np.round(values * 255).astype(np.uint8) if dtype is np.uint8 else values.astype(dtype)
        )

    def counts(most: int) -> Any:
        found = np.zeros(shape, int)
        found.flat[rng.permutation(found.size)[: rng.integers(1, most + 1)]] = 1
        return found * rng.integers(1, 3, shape)

    size = shape[0] * shape[1]
    return {
        "prediction": grey(),
        "fixations": counts(size // 2),
        "density": grey(),
        "other": counts(size),
        "baseline": grey(),
    }


@settings(max_examples=150, deadline=None)
@given(maps=scenes())
def test_definitions(maps: dict[str, Any]) -> None:
    p, d, baseline = (maps[n].astype(float) for n in ("prediction", "density", "baseline"))
    f, other = maps["fixations"], maps["other"]
    z = (p - p.mean()) / p.std(ddof=1)
    expected = {
        "auc_judd": min(max(auc_judd(p, f), 0.0), 1.0),
        "auc_borji": stepped_auc(p, f, np.ones(p.shape, bool)),
        "auc_shuffled": stepped_auc(p, f, other > 0),
        "nss": z[f > 0].mean(),
        "info_gain": information_gain(p, f, baseline),
        "cc": np.corrcoef(p.ravel(), d.ravel())[0, 1],
        "sim": np.minimum(unit(p) / unit(p).sum(), unit(d) / unit(d).sum()).sum(),
        "kl": kl(p, d),
    }
    found = metrics.evaluate(**maps, metrics=list(expected))
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("levels", [3, 10, 1000])
@pytest.mark.parametrize(("fixated", "others"), [(1, 1), (1, 4), (2, 5), (3, 3), (4, 2)])
def test_splits_are_averaged_over_all_that_can_be_drawn(
    levels: int, fixated: int, others: int
) -> None:
    rng = np.random.default_rng(levels + fixated)
    p = rng.integers(0, levels, (2, 4)) / levels
    p[0, 0], p[1, 3] = 0.0, 1.0
    f, other = np.zeros((2, 4), int), np.zeros((2, 4), int)
    f.flat[rng.permutation(8)[:fixated]] = 1
    other.flat[rng.permutation(8)[:others]] = 1
    positive, pixels, pool = unit(p)[f > 0], unit(p).ravel(), unit(p)[other > 0]
    # AUC-Borji draws as many pixels as are fixated, with replacement
    areas = [
        stepped_area(positive, np.array(split))
        for split in itertools.product(pixels, repeat=fixated)
    ]
    found = metrics.auc_borji(p, f, return_std=True)
    assert found == pytest.approx((np.mean(areas), np.std(areas)), rel=1e-9, abs=1e-12)
    # shuffled AUC draws as many of the others, or all, without replacement
    areas = [
        stepped_area(positive, np.array(split))
        for split in itertools.combinations(pool, min(fixated, others))
    ]
    found = metrics.auc_shuffled(p, f, other, return_std=True)
    assert found == pytest.approx((np.mean(areas), np.std(areas)), rel=1e-9, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(maps=scenes())
def test_transport(maps: dict[str, Any]) -> None:
    p, d = maps["prediction"][:6, :7].astype(float), maps["density"][:6, :7].astype(float)
    if not p.any() or not d.any():
        p, d = p + 1.0, d + 1.0
    found = metrics.emd(p, d, downsize=1)
    assert found == pytest.approx(emd(p, d), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("offset", [1e8, -3e9, 1e12])
@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_large_offset_costs_no_digits(offset: float, convention: str, library: str) -> None:
    """NSS and CC of the numbers as they are, against the same in exact fractions."""
    rng = np.random.default_rng(0)
    p, d = offset + rng.random((2, 40, 50))
    d -= offset
    fixations = (rng.random((40, 50)) < 0.05).astype(int)
    exact_p = np.array([Fraction(v) for v in p.ravel()])
    exact_d = np.array([Fraction(v) for v in d.ravel()])
    mean = exact_p.sum() / p.size
    ddof = 1 if convention == "mit" else 0
    variance = ((exact_p - mean) ** 2).sum() / (p.size - ddof)
    at = exact_p[fixations.ravel() > 0]
    nss = float(at.sum() / len(at) - mean) / math.sqrt(variance)
    away = exact_d - exact_d.sum() / d.size
    cc = float(((exact_p - mean) * away).sum()) / math.sqrt(
        ((exact_p - mean) ** 2).sum() * (away**2).sum()
    )
    if library == "torch":
        torch = pytest.importorskip("torch")
        p, d, fixations = (torch.from_numpy(a) for a in (p, d, fixations))
        p.requires_grad_(True)
    found = [
        metrics.nss(p, fixations, convention=convention),
        metrics.cc(p, d, convention=convention),
    ]
    nss_found, cc_found = (v.item() if library == "torch" else v for v in found)
    assert nss_found == pytest.approx(nss, rel=1e-12)
    assert cc_found == pytest.approx(cc, rel=1e-12)
