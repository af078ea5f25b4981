"""Floor and ceiling of every metric, compared with doing the same by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emomap import metrics
from emomap.sample import Gaze
from emomap.scoring.image import MapToScore
from emomap.scoring.limits import (
    at_size,
    fit_gold,
    lacking_observers,
    limits_protocol,
    score_center,
    score_gold,
)
from emomap.scoring.pool import center_elsewhere, fit_center, pool_fixations
from emomap.scoring.protocol import Protocol

SHAPE = (48, 64)
NAMES = ("auc_judd", "nss", "info_gain", "cc", "kl", "sim", "emd", "js")
PROTOCOL = replace(
    limits_protocol(Protocol(NAMES, sigma=4.0, emd_downsize=16)), drawn=20, baseline="center"
)


def people(rng: np.random.Generator, observers: int, each: int = 6) -> Gaze:
    """Observers who look at one of two places of a picture."""
    middle = rng.uniform((12, 12), (52, 36), (2, 2))
    who = np.repeat(np.arange(observers), each)
    points = middle[rng.integers(0, 2, len(who))] + rng.normal(0, 4, (len(who), 2))
    return Gaze(SHAPE, np.clip(points, 0, (63, 47)), who)


def pooled(gazes: dict[str, Gaze], folder: Path) -> Path:
    path = pool_fixations(gazes.items(), folder / "pool.npz")
    fit_center(path)
    return path


@pytest.fixture
def gazes(rng: np.random.Generator) -> dict[str, Gaze]:
    return {str(n): people(rng, 8) for n in range(6)}


def item(name: str, gaze: Gaze) -> MapToScore:
    return MapToScore(name, Path("none.png"), lambda: gaze)


def test_the_ceiling_of_fixations_is_each_observer_by_the_others(
    gazes: dict[str, Gaze], tmp_path: Path
) -> None:
    path = pooled(gazes, tmp_path)
    fits = fit_gold(path)
    gold = metrics.gold_standard(
        [g.points for g in gazes.values() if g.points is not None],
        [g.observers for g in gazes.values() if g.observers is not None],
        SHAPE,
    )
    assert fits.all.bandwidth == pytest.approx(gold.bandwidth)
    assert fits.all.weights == pytest.approx(gold.weights)
    protocol = replace(PROTOCOL, metrics=("nss", "info_gain", "auc_judd"), convention="tuebingen")
    found = score_gold(item("2", gazes["2"]), protocol, path, fits)
    gaze = gazes["2"]
    assert gaze.points is not None and gaze.observers is not None
    wanted = []
    for observer in range(8):
        own = metrics.fixation_map(gaze.points[gaze.observers == observer], SHAPE)
        density = gold.density(2, without=observer)
        bias = gold.center.density(2)
        wanted.append(
            [
                metrics.nss(density, own, convention="tuebingen"),
                metrics.info_gain(density, own, bias, convention="tuebingen"),
                metrics.auc_judd(density, own, convention="tuebingen"),
            ]
        )
    values = [found.values[n] for n in ("nss", "info_gain", "auc_judd")]
    assert values == pytest.approx(np.mean(wanted, axis=0), rel=1e-6)


def test_the_ceiling_lies_above_the_floor_by_every_metric(
    gazes: dict[str, Gaze], tmp_path: Path
) -> None:
    path = pooled(gazes, tmp_path)
    fits = fit_gold(path)
    assert list(fits.groups) == [4, 2]
    assert "js" not in PROTOCOL.metrics
    low, high = (
        [score(item(n, g)) for n, g in gazes.items()]
        for score in (
            lambda one: score_center(one, PROTOCOL, path),
            lambda one: score_gold(one, PROTOCOL, path, fits),
        )
    )
    assert not any(one.problem or one.lacking for one in (*low, *high))
    for name in PROTOCOL.metrics:
        bottom, top = (np.mean([one.values[name] for one in part]) for part in (low, high))
        assert (top - bottom) * metrics.CATALOGUE[name].direction > 0, name


def test_the_floor_is_the_centre_bias_of_the_others(gazes: dict[str, Gaze], tmp_path: Path) -> None:
    path = pooled(gazes, tmp_path)
    found = score_center(item("0", gazes["0"]), PROTOCOL, path)
    center = center_elsewhere(path, "0", SHAPE)
    assert center is not None and gazes["0"].points is not None
    counts = metrics.fixation_map(gazes["0"].points, SHAPE)
    assert found.values["nss"] == pytest.approx(metrics.nss(center, counts), rel=1e-9)
    assert found.values["info_gain"] == pytest.approx(0.0, abs=0.05)  # but for min-max


def test_the_correction_reads_a_line_over_one_over_the_size() -> None:
    series = {7: 1.0 + 2.0 / 7, 3: 1.0 + 2.0 / 3}
    assert at_size(series, 15, "kl") == pytest.approx(1.0 + 2.0 / 15)
    assert at_size(dict(reversed(series.items())), 15, "kl") == pytest.approx(1.0 + 2.0 / 15)
    assert at_size({1: 0.4}, 2, "cc") == 0.4
    assert at_size({2: 0.9, 1: 0.5}, 100, "cc") == 1.0  # a CC is at most 1
    assert at_size({2: 0.1, 1: 0.9}, 100, "kl") == 0.0


def test_corrected_halves_agree_with_the_whole(rng: np.random.Generator, tmp_path: Path) -> None:
    """What eight observers give for sixteen is what thirty-two give for them directly."""
    many = {str(n): people(rng, 32) for n in range(12)}
    half = {
        n: Gaze(SHAPE, g.points[g.observers < 16], g.observers[g.observers < 16])
        for n, g in many.items()
        if g.points is not None and g.observers is not None
    }
    protocol = replace(PROTOCOL, metrics=("cc", "kl"))
    found = {}
    for name, gazes in (("16 of 32", many), ("8 of 16", half)):
        folder = tmp_path / name
        folder.mkdir()
        path = pooled(gazes, folder)
        fits = fit_gold(path)
        raw = replace(fits, groups={max(fits.groups): fits.groups[max(fits.groups)]})
        for key, fitted in (("corrected", fits), ("raw", raw)):
            scored = [score_gold(item(n, g), protocol, path, fitted) for n, g in gazes.items()]
            found[name, key] = {m: np.mean([s.values[m] for s in scored]) for m in ("cc", "kl")}
    for metric in ("cc", "kl"):
        wanted = found["16 of 32", "raw"][metric]  # sixteen against sixteen, measured
        corrected, raw_value = (found["8 of 16", key][metric] for key in ("corrected", "raw"))
        assert abs(corrected - wanted) < abs(raw_value - wanted), metric


def test_what_has_no_ceiling_says_why(rng: np.random.Generator, tmp_path: Path) -> None:
    def why(name: str, *gazes: Gaze) -> str:
        return lacking_observers(
            pool_fixations([(str(n), g) for n, g in enumerate(gazes)], tmp_path / f"{name}.npz")
        )

    two = people(rng, 2)
    assert why("two", two, two) == ""
    assert why("one", people(rng, 1), two) == "1 of 2 pictures were seen by two observers or more"
    unknown = Gaze(SHAPE, two.points)
    assert (
        why("unknown", unknown, unknown) == "this gaze does not say which observer made a fixation"
    )
    assert why("none", Gaze(SHAPE, density=np.ones(SHAPE))) == "this gaze has no fixations"


def test_a_picture_with_few_observers_keeps_the_others(
    gazes: dict[str, Gaze], rng: np.random.Generator, tmp_path: Path
) -> None:
    few = {**gazes, "few": people(rng, 3), "alone": people(rng, 1)}
    path = pooled(few, tmp_path)
    fits = fit_gold(path)
    found = score_gold(item("few", few["few"]), PROTOCOL, path, fits)
    assert found.values["nss"] > 0
    assert "fewer than" in found.lacking["cc"]
    alone = score_gold(item("alone", few["alone"]), PROTOCOL, path, fits)
    assert alone.problem is not None and "two are needed" in alone.problem
