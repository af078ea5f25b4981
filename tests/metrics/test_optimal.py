"""Metric-specific maps: the best in expectation, by sampling; closed forms; the certificate."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

import metrics
from metrics._exact import transport
from metrics._nearest import nearest

SHAPE, SIGMA, FIXATIONS = (120, 160), 6.0, 40


def mixture(seed: int = 0, shape: tuple[int, int] = SHAPE) -> Any:
    """A density with a few places of interest of different width, and a floor."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    p = np.full(shape, 0.2 / (shape[0] * shape[1]))
    for weight in (0.4, 0.25, 0.15):
        cy, cx = rng.uniform(0.15, 0.85, 2) * shape
        width = rng.uniform(0.03, 0.09) * shape[0]
        bump = np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * width**2))
        p += weight * bump / bump.sum()
    return p / p.sum()


def center(shape: tuple[int, int] = SHAPE) -> Any:
    y, x = np.mgrid[: shape[0], : shape[1]]
    square = ((y - shape[0] / 2) / shape[0]) ** 2 + ((x - shape[1] / 2) / shape[1]) ** 2
    found = np.exp(-square / 0.08)
    return found / found.sum()


def counts(p: Any, n: int, rng: np.random.Generator) -> Any:
    at = rng.choice(p.size, n, p=p.ravel())
    return np.bincount(at, minlength=p.size).reshape(p.shape)


@pytest.fixture(scope="module")
def looks() -> list[dict[str, Any]]:
    """What people do who look as the density says."""
    rng = np.random.default_rng(7)
    p, b = mixture(), center()
    found = []
    for _ in range(150):
        own = counts(p, FIXATIONS, rng)
        truth = {"fixations": own, "density": metrics.density(own, SIGMA)}
        found.append({**truth, "other": counts(b, 2000, rng), "baseline": b})
    return found


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("metric", metrics.optimal.OPTIMAL)
def test_no_candidate_has_a_higher_expected_score(
    metric: str, convention: str, looks: list[dict[str, Any]]
) -> None:
    p = mixture()
    options = {"emd": {"downsize": 8}} if metric == "emd" else {}

    def scores(map_: Any) -> Any:
        return np.array(
            [
                metrics.evaluate(
                    map_, **look, metrics=[metric], convention=convention, options=options
                )[metric]
                for look in looks
            ]
        )

    own = metrics.optimal_map(
        p,
        metric,
        sigma=SIGMA,
        center_bias=center(),
        fixations=FIXATIONS,
        convention=convention,  # type: ignore[arg-type]
        downsize=8,
    )
    mine = scores(own)
    blurred = metrics.optimal_map(p, "cc", sigma=SIGMA)
    candidates = {"raw": p, "blurred": blurred, "square": p**2, "root": p**0.5}
    candidates["log"] = np.log(p / p.min())
    for other in ("nss", "cc", "sim", "auc_borji", "auc_shuffled", "emd"):
        candidates[other] = metrics.optimal_map(
            p, other, sigma=SIGMA, center_bias=center(), fixations=FIXATIONS, downsize=8
        )
    sign = metrics.CATALOGUE[metric].direction
    ahead = 0
    for name, candidate in candidates.items():
        lead = sign * (mine - scores(candidate))
        error = lead.std(ddof=1) / np.sqrt(len(lead))
        assert lead.mean() > -2.5 * error - 1e-9, name
        ahead += lead.mean() > 3 * error
    assert ahead >= 4  # the lead can be seen


def test_cc_and_kl_are_the_blurred_density() -> None:
    p = mixture()
    scaled = np.rint(p * 1e15).astype(np.int64)
    wanted = metrics.density(scaled, SIGMA)
    for metric in ("cc", "kl"):
        found = metrics.optimal_map(p, metric, sigma=SIGMA)
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-9 * wanted.max())


def test_sim_is_where_gradient_ascent_ends() -> None:
    """Projected supergradient ascent on the same draws comes near the quantile, never above."""
    rng = np.random.default_rng(0)
    drawn = np.sort(rng.gamma(0.5, size=(40, 30)), axis=1)
    drawn /= drawn.sum(axis=1, keepdims=True)

    def value(s: Any) -> float:
        return float(np.minimum(s, drawn).sum(axis=1).mean())

    ordered = np.sort(drawn, axis=0)
    totals = ordered.sum(axis=1)
    above = int(np.searchsorted(totals, 1.0))
    part = (1 - totals[above - 1]) / (totals[above] - totals[above - 1])
    exact = ordered[above - 1] + part * (ordered[above] - ordered[above - 1])
    s = drawn.mean(axis=0)
    best = value(s)
    for step in range(4000):
        s = np.maximum(s + 0.01 / (1 + step) ** 0.7 * (drawn > s).mean(axis=0), 0)
        s /= s.sum()
        best = max(best, value(s))
    assert best <= value(exact) + 1e-12
    assert best == pytest.approx(value(exact), rel=2e-3)


def test_sim_map_is_that_of_pysaliency() -> None:
    pysaliency = pytest.importorskip("pysaliency")
    from pysaliency.saliency_map_conversion import SIMSaliencyMapModel

    p = mixture()

    class Fixed(pysaliency.Model):  # type: ignore[name-defined,misc]
        def _log_density(self, stimulus: Any) -> Any:
            return np.log(p)

    theirs = SIMSaliencyMapModel(Fixed(), kernel_size=SIGMA, fixation_count=FIXATIONS)
    map_ = theirs.saliency_map(np.zeros((*SHAPE, 3), np.uint8))
    own = metrics.optimal_map(p, "sim", sigma=SIGMA, fixations=FIXATIONS, convention="tuebingen")
    rng = np.random.default_rng(3)
    truths = [metrics.density(counts(p, FIXATIONS, rng), SIGMA) for _ in range(100)]
    values = [
        np.mean([metrics.sim(m, t, convention="tuebingen") for t in truths]) for m in (own, map_)
    ]
    assert values[0] > 0.99 * values[1]


@pytest.mark.parametrize("seed", range(3))
def test_the_bound_of_the_nearest_map_is_certified(seed: int) -> None:
    rng = np.random.default_rng(seed)
    maps = rng.gamma(0.3, size=(12, 6, 7))
    maps /= maps.sum(axis=(1, 2), keepdims=True)
    found = nearest(maps, 0.01)

    def cost(candidate: Any) -> float:
        return float(np.mean([transport(candidate - one)[0] for one in maps]))

    assert found.map.sum() == pytest.approx(1)
    assert cost(found.map) == pytest.approx(found.cost)
    assert 0.99 * found.cost <= found.bound <= found.cost
    for candidate in [maps.mean(axis=0), *maps, np.full((6, 7), 1 / 42)]:
        assert cost(candidate) >= found.bound - 1e-12
    for _ in range(50):  # near the optimum
        near = found.map * np.exp(0.1 * rng.normal(size=(6, 7)))
        assert cost(near / near.sum()) >= found.bound


def test_the_nearest_of_equal_or_single_maps_is_the_map() -> None:
    one = mixture(2, (5, 6))
    found = nearest(np.repeat(one[None], 3, axis=0), 0.01)
    assert found.cost < 0.01
    line = nearest(np.array([[[1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0]]]), 0.01)
    assert line.cost == pytest.approx(1.0, rel=0.02)
    assert nearest(np.ones((2, 1, 1)), 0.01).cost == 0


@pytest.mark.slow
def test_fifteen_by_twenty_cells_take_less_than_two_seconds() -> None:
    p = mixture(1, (480, 640))
    metrics.emd_map(p, sigma=24, draws=2)  # compiles
    start = time.process_time()
    found = metrics.emd_map(p, sigma=24)
    assert time.process_time() - start < 2
    assert found.bound >= 0.99 * found.cost


def test_what_is_missing_is_named() -> None:
    p = mixture()
    with pytest.raises(ValueError, match="needs sigma"):
        metrics.optimal_map(p, "kl")
    with pytest.raises(ValueError, match="needs center_bias"):
        metrics.optimal_map(p, "auc_shuffled")
    with pytest.raises(ValueError, match="metric is 'mae'"):
        metrics.optimal_map(p, "mae")
    with pytest.raises(ValueError, match="of a log-density, take exp"):
        metrics.optimal_map(np.log(p), "nss")
    with pytest.raises(ValueError, match="zero everywhere"):
        metrics.optimal_map(p * 0, "nss")
