"""The metric-specific protocol: each metric is scored from its own map of a density."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emomap import metrics
from emomap.errors import UsageError
from emomap.sample import Gaze
from emomap.scoring.folders import score
from emomap.scoring.image import MapToScore, score_item
from emomap.scoring.own_maps import settled
from emomap.scoring.pool import center_elsewhere, fit_center, pool_fixations
from emomap.scoring.protocol import DRAWN, DRAWS, GAP, Protocol

SHAPE = (48, 64)
NAMES = metrics.OPTIMAL
SPECIFIC = Protocol(
    NAMES, sigma=3.0, emd_downsize=8, prediction="density", protocol="metric-specific", drawn=20
)


@pytest.fixture
def gazes(rng: np.random.Generator) -> dict[str, Gaze]:
    """Four pictures with 30 fixations each around two places."""
    found = {}
    for name in "abcd":
        middle = rng.uniform((10, 10), (54, 38), (2, 2))
        points = middle[rng.integers(0, 2, 30)] + rng.normal(0, 4, (30, 2))
        found[name] = Gaze(SHAPE, np.clip(points, 0, (63, 47)), np.arange(30) % 5)
    return found


@pytest.fixture
def pool(gazes: dict[str, Gaze], tmp_path: Path) -> Path:
    path = pool_fixations(gazes.items(), tmp_path / "pool.npz")
    fit_center(path)
    return path


@pytest.fixture
def density(rng: np.random.Generator, tmp_path: Path) -> Path:
    """A density over many decades, as somebody's file."""
    values = np.exp(metrics.density(rng.poisson(0.01, SHAPE), 6.0) * 3e4)
    np.save(tmp_path / "a.npy", values / values.sum())
    return tmp_path / "a.npy"


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
def test_each_metric_scores_the_map_of_the_library(
    gazes: dict[str, Gaze], pool: Path, density: Path, convention: str
) -> None:
    protocol = replace(SPECIFIC, convention=convention)
    found = score_item(MapToScore("a", density, lambda: gazes["a"]), protocol, pool)
    assert found.problem is None and not found.lacking
    points = gazes["a"].points
    assert points is not None
    counts = metrics.fixation_map(points, SHAPE)
    pooled = np.concatenate([p for n in "bcd" if (p := gazes[n].points) is not None])
    bias = metrics.center_bias([p for g in gazes.values() if (p := g.points) is not None], SHAPE)
    for name in NAMES:
        own = metrics.optimal_map(
            np.load(density),
            name,
            sigma=3.0,
            center_bias=bias.density(0),
            fixations=20,
            convention=convention,
            downsize=8,
            draws=DRAWS.get(name),
            tolerance=GAP,
        )
        wanted = metrics.evaluate(
            own,
            metrics=[name],
            convention=convention,
            fixations=counts,
            density=metrics.density(counts, 3.0),
            other=metrics.fixation_map(pooled, SHAPE),
            baseline=bias.density(0),
            options={"emd": {"downsize": 8}},
        )
        assert found.values[name] == pytest.approx(float(wanted[name]), rel=1e-6), name


def test_the_true_density_gains_from_the_protocol(rng: np.random.Generator, tmp_path: Path) -> None:
    """Of a density that is true by construction, the own map of CC, KL, SIM and EMD is better."""
    truth = metrics.density(rng.poisson(0.004, SHAPE), 2.0) + 1e-6
    truth /= truth.sum()
    np.save(tmp_path / "a.npy", truth)
    names = ("cc", "kl", "sim", "emd")
    plain = Protocol(names, sigma=4.0, emd_downsize=8, prediction="density")
    own = replace(plain, protocol="metric-specific", drawn=15)
    gained = dict.fromkeys(names, 0.0)
    for _ in range(12):
        at = rng.choice(truth.size, 15, p=truth.ravel())
        gaze = Gaze(SHAPE, np.column_stack([at % 64, at // 64]).astype(float))
        item = MapToScore("a", tmp_path / "a.npy", lambda gaze=gaze: gaze)
        one, other = (score_item(item, p).values for p in (plain, own))
        for name in names:
            gained[name] += metrics.CATALOGUE[name].direction * (other[name] - one[name])
    assert all(gain > 0 for gain in gained.values()), gained


def test_the_centre_bias_leaves_the_picture_out(gazes: dict[str, Gaze], pool: Path) -> None:
    bias = metrics.center_bias([p for g in gazes.values() if (p := g.points) is not None], SHAPE)
    for index, name in enumerate(gazes):
        found = center_elsewhere(pool, name, SHAPE)
        assert found == pytest.approx(bias.density(index), rel=1e-9)
    assert center_elsewhere(pool, "new", (24, 32)) == pytest.approx(bias.density(None, (24, 32)))


def test_without_other_pictures_there_is_no_centre_bias(
    gazes: dict[str, Gaze], tmp_path: Path
) -> None:
    alone = pool_fixations([("a", gazes["a"])], tmp_path / "one.npz")
    assert fit_center(alone) is None
    assert center_elsewhere(alone, "a", SHAPE) is None


@pytest.mark.parametrize("baseline", ["uniform", "center", "other"])
def test_information_gain_is_over_the_chosen_baseline(
    gazes: dict[str, Gaze], pool: Path, density: Path, baseline: str
) -> None:
    protocol = Protocol(("info_gain",), "tuebingen", sigma=3.0, baseline=baseline)  # type: ignore[arg-type]
    found = score_item(MapToScore("a", density, lambda: gazes["a"]), protocol, pool)
    points = [p for g in gazes.values() if (p := g.points) is not None]
    pooled = metrics.fixation_map(np.concatenate(points[1:]), SHAPE)
    bases = {
        "uniform": np.ones(SHAPE),
        "center": metrics.center_bias(points, SHAPE).density(0),
        "other": metrics.density(pooled, 3.0),
    }
    counts = metrics.fixation_map(points[0], SHAPE)
    wanted = metrics.info_gain(np.load(density), counts, bases[baseline], convention="tuebingen")
    assert found.values["info_gain"] == pytest.approx(wanted, rel=1e-9)


def test_the_signature_names_what_a_metric_depends_on() -> None:
    assert "|protocol:metric-specific" in SPECIFIC.signature("nss")
    for name, part in {
        "sim": "drawn:300x20",
        "emd": "gap:0.05",
        "info_gain": "baseline:center",
        "cc": "sigma:3px",
    }.items():
        assert f"|{part}" in SPECIFIC.signature(name)
        assert f"|{part}" not in SPECIFIC.signature("nss")
    joint = SPECIFIC.signature()
    for name in NAMES:
        assert str(metrics.Signature.parse(joint).of_metric(name)) == SPECIFIC.signature(name)
    plain = Protocol(("info_gain", "nss"), sigma=3.0).signature()
    assert "baseline" not in plain and "protocol" not in plain


def test_drawn_densities_have_as_many_fixations_as_is_usual(gazes: dict[str, Gaze]) -> None:
    readers = [lambda g=gaze: g for gaze in gazes.values()]
    open_ = replace(SPECIFIC, drawn=None)
    assert settled(open_, readers).drawn == 30
    assert settled(SPECIFIC, readers).drawn == 20
    assert settled(open_, [lambda: Gaze(SHAPE, density=np.ones(SHAPE))]).drawn == DRAWN
    assert settled(replace(open_, protocol="plain"), readers).drawn is None


def test_maps_that_are_no_densities_are_refused(density: Path, tmp_path: Path) -> None:
    (tmp_path / "fixations").mkdir()
    (tmp_path / "fixations" / "a.csv").write_text("x,y\n3,4\n5,6\n")
    with pytest.raises(UsageError, match="--prediction density"):
        score(density, tmp_path / "fixations" / "a.csv", protocol="metric-specific")
    np.save(tmp_path / "zero.npy", np.zeros(SHAPE))
    item = MapToScore("a", tmp_path / "zero.npy", lambda: Gaze(SHAPE, np.array([[3.0, 4.0]])))
    found = score_item(item, replace(SPECIFIC, metrics=("nss",)))
    assert found.problem is not None and "zero.npy: zero everywhere" in found.problem


def test_a_density_as_truth_needs_a_blur(density: Path) -> None:
    item = MapToScore("a", density, lambda: Gaze(SHAPE, density=np.ones(SHAPE)))
    kl = replace(SPECIFIC, metrics=("kl",))
    assert score_item(item, kl).values["kl"] > 0
    problem = score_item(item, replace(kl, sigma=None)).problem
    assert problem is not None and "--sigma" in problem
