"""The centre bias and the gold standard: exact likelihoods, against loops that anyone can read."""

from __future__ import annotations

import csv
import time
from typing import Any

import numpy as np
import pytest

import metrics
from tests.conftest import shared


def made_up(
    pictures: int = 6, observers: int = 4, shape: tuple[int, int] = (30, 40), seed: int = 0
) -> tuple[list[Any], list[Any]]:
    """Points and observers: each picture has two places where people look, near the middle."""
    rng = np.random.default_rng(seed)
    height, width = shape
    points, who = [], []
    for _ in range(pictures):
        places = rng.normal((width / 2, height / 2), (width / 8, height / 8), (2, 2))
        at = places[rng.integers(2, size=observers * 6)] + rng.normal(
            0, height / 15, (observers * 6, 2)
        )
        at[::7] = rng.uniform((0, 0), (width - 1, height - 1), (len(at[::7]), 2))
        points.append(np.clip(at, 0, (width - 1, height - 1)))
        who.append(np.repeat(np.arange(observers), 6))
    return points, who


def naive_density(pixels: Any, shape: tuple[int, int], sigma: float) -> Any:
    """A Gaussian around each pixel, added up, brought to a sum of one."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    total = np.zeros(shape)
    for column, row in pixels:
        total += np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * sigma**2))
    return total / total.sum()


def test_center_bias_is_the_naive_loop_over_the_other_pictures() -> None:
    shapes = [(30, 40), (30, 40), (20, 32), (40, 30), (30, 40), (24, 24)]
    points = [made_up(1, shape=shape, seed=i)[0][0] for i, shape in enumerate(shapes)]
    found = metrics.center_bias(points, shapes, bandwidth=0.2, floor=0.1)
    bits = []
    for i, (height, width) in enumerate(shapes):
        pixels = []
        for j, (h, w) in enumerate(shapes):
            if j != i:
                at = (np.floor(points[j] + 0.5) + 0.5) / (w, h)
                pixels += np.floor(at * (width, height)).tolist()
        wanted = 0.9 * naive_density(pixels, (height, width), 0.2 * min(height, width))
        wanted += 0.1 / (height * width)
        np.testing.assert_allclose(found.density(i), wanted, rtol=1e-10)
        x, y = np.floor(points[i] + 0.5).astype(int).T
        np.testing.assert_allclose(found.at_fixations(i), wanted[y, x], rtol=1e-10)
        bits.append(np.log2(wanted[y, x] * height * width).mean())
    assert found.log_likelihood == pytest.approx(np.mean(bits), rel=1e-10)


def test_gold_standard_is_the_naive_loop_over_observers() -> None:
    points, who = made_up(4)
    weights = (0.7, 0.2, 0.1)
    found = metrics.gold_standard(points, who, (30, 40), bandwidth=0.1, weights=weights)
    bits, gains = [], []
    for i in range(4):
        center = found.center.density(i)
        at = np.floor(points[i] + 0.5).astype(int)
        values = []
        for (x, y), one in zip(at, who[i], strict=True):
            others = naive_density(at[who[i] != one], (30, 40), 0.1 * 30)
            wanted = 0.7 * others + 0.2 * center + 0.1 / 1200
            values.append(wanted[y, x])
            if one == who[i][0] and (x, y) == tuple(at[0]):
                np.testing.assert_allclose(found.density(i, without=one), wanted, rtol=1e-10)
        np.testing.assert_allclose(found.at_fixations(i), values, rtol=1e-10)
        bits.append(np.log2(np.array(values) * 1200).mean())
        gains.append(np.log2(values / center[at[:, 1], at[:, 0]]).mean())
    assert found.log_likelihood == pytest.approx(np.mean(bits), rel=1e-10)
    np.testing.assert_allclose(found.information_gain, gains, rtol=1e-9)


def test_no_other_bandwidth_or_weights_are_more_likely() -> None:
    points, who = made_up(12)
    best = metrics.gold_standard(points, who, (30, 40))
    assert sum(best.weights) == pytest.approx(1)
    for factor in (0.8, 1.25):
        other = metrics.gold_standard(points, who, (30, 40), bandwidth=best.bandwidth * factor)
        assert other.log_likelihood < best.log_likelihood
    for shift in ((0.05, -0.05, 0), (-0.05, 0, 0.05), (-0.05, 0.05, 0)):
        weights = np.array(best.weights) + shift
        if (weights >= 0).all():
            other = metrics.gold_standard(
                points, who, (30, 40), bandwidth=best.bandwidth, weights=tuple(weights)
            )
            assert other.log_likelihood < best.log_likelihood
    center = metrics.center_bias(points, (30, 40))
    for factor in (0.7, 1.4):
        other = metrics.center_bias(points, (30, 40), bandwidth=center.bandwidth * factor)
        assert other.log_likelihood < center.log_likelihood


def test_densities_sum_to_one_and_a_stranger_gets_the_whole_set() -> None:
    points, who = made_up()
    found = metrics.gold_standard(points, who, (30, 40))
    assert found.density(2).sum() == pytest.approx(1)
    assert found.density(2, without=1).sum() == pytest.approx(1)
    assert found.center.density(None, (25, 50)).sum() == pytest.approx(1)
    assert found.density(0).min() > 0


def test_what_cannot_be_predicted_is_refused() -> None:
    points, who = made_up(3)
    with pytest.raises(ValueError, match="others are needed"):
        metrics.center_bias(points[:1], (30, 40))
    with pytest.raises(ValueError, match="picture 1 has fixations of fewer than two observers"):
        metrics.gold_standard(points, [who[0], np.zeros(24), who[2]], (30, 40))
    with pytest.raises(ValueError, match="picture 0 has no fixation inside"):
        metrics.center_bias([np.full((2, 2), -9.0), *points], (30, 40))
    with pytest.raises(ValueError, match="sum to one"):
        metrics.gold_standard(points, who, (30, 40), weights=(1, 1, 1))
    with pytest.raises(ValueError, match="bandwidth"):
        metrics.center_bias(points, (30, 40), bandwidth=-1)


def osie(limit: int | None = None) -> tuple[list[Any], list[Any]]:
    points, who = [], []
    for file in sorted(shared("data/osie/fixations").glob("*.csv"))[:limit]:
        with file.open() as lines:
            rows = [
                (float(r["x"]), float(r["y"]), int(r["observer"])) for r in csv.DictReader(lines)
            ]
        table = np.array(rows)
        points.append(table[:, :2])
        who.append(table[:, 2].astype(int))
    return points, who


@pytest.mark.slow
def test_seven_hundred_pictures_take_less_than_a_minute() -> None:
    points, who = osie()
    points, who = (points * 2)[:700], (who * 2)[:700]
    start = time.process_time()
    found = metrics.gold_standard(points, who, (600, 800))
    assert time.process_time() - start < 60
    assert found.information_gain.mean() > 0.5


@pytest.mark.slow
def test_half_sets_of_real_gaze_agree_within_their_intervals() -> None:
    points, who = osie()
    halves = [metrics.gold_standard(points[i::2], who[i::2], (600, 800)) for i in (0, 1)]
    means = [metrics.statistics.mean_interval(half.information_gain) for half in halves]
    assert means[0].low < means[1].high and means[1].low < means[0].high
    assert halves[0].bandwidth == pytest.approx(halves[1].bandwidth, rel=0.15)
