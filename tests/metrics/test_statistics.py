"""Intervals, tests and corrections, against scipy.stats where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import metrics
from metrics.statistics import holm, mean_interval, paired_permutation_test


def test_the_interval_is_that_of_another_draw() -> None:
    rng = np.random.default_rng(0)
    scores = rng.gamma(2.0, size=80)
    found = mean_interval(scores, resamples=20_000)
    low, high = np.quantile(rng.choice(scores, (20_000, 80)).mean(axis=1), [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.03 * (high - low))
    assert found.high == pytest.approx(high, abs=0.03 * (high - low))
    assert (found.mean, found.n) == (scores.mean(), 80)


def test_the_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(400):
        found = mean_interval(rng.normal(size=50), resamples=400)
        covered += found.low <= 0 <= found.high
    assert 0.90 < covered / 400 < 0.98


def test_the_interval_is_the_same_each_time() -> None:
    scores = np.random.default_rng(2).random(1000)
    assert mean_interval(scores) == mean_interval(scores)
    assert mean_interval(scores) != mean_interval(scores, seed=1)
    assert mean_interval([0.25]) == metrics.statistics.Interval(0.25, 0.25, 0.25, 1)


@pytest.mark.parametrize("n", [4, 11, 40])
def test_the_paired_test_is_that_of_scipy(n: int) -> None:
    rng = np.random.default_rng(3)
    first = rng.normal(size=n)
    second = first + rng.normal(0.3, 0.6, size=n)
    found = paired_permutation_test(first, second)
    expected = stats.permutation_test(
        (first, second),
        lambda a, b, axis: np.abs(np.mean(a - b, axis=axis)),
        permutation_type="samples",
        alternative="greater",
        vectorized=True,
        n_resamples=9999,
        rng=rng,
    )
    exact = 2**n <= 9999
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-12 if exact else 0.02)
    d = first - second
    assert found.difference == pytest.approx(d.mean())
    assert found.effect == pytest.approx(d.mean() / d.std(ddof=1))
    assert (found.wins, found.ties, found.losses) == ((d > 0).sum(), 0, (d < 0).sum())


def test_equal_scores_do_not_differ() -> None:
    found = paired_permutation_test(np.ones(30), np.ones(30))
    assert (found.p_value, found.effect, found.ties, found.n) == (1.0, 0.0, 30, 30)


def test_one_image_and_cancelling_differences_say_nothing() -> None:
    assert paired_permutation_test([0.5], [0.2]).p_value == 1.0
    # the sum of these is zero but for rounding, so no swap can come nearer to zero
    assert paired_permutation_test([0.1, 0.2, 0.0], [0.0, 0.0, 0.3]).p_value == 1.0


def test_a_clear_difference() -> None:
    rng = np.random.default_rng(4)
    scores = rng.random(200)
    found = paired_permutation_test(scores + 0.5, scores)
    assert found.p_value == 1 / 10_000
    assert found == paired_permutation_test(scores + 0.5, scores)


def test_p_values_are_uniform_where_nothing_differs() -> None:
    rng = np.random.default_rng(5)
    p = [
        paired_permutation_test(*rng.normal(size=(2, 25)), resamples=199, seed=i).p_value
        for i in range(300)
    ]
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.09


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.02, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])
    assert holm([0.5, 0.6]).tolist() == [1.0, 1.0]
    assert holm([]).size == 0
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm([1.2])


@pytest.mark.parametrize(
    ("scores", "message"),
    [([], "empty"), ([1.0, np.nan], r"1 NaN.*first at 1"), ([[1.0]], r"must be \(N,\)")],
)
def test_scores_that_cannot_be_averaged(scores: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mean_interval(scores)
    with pytest.raises(ValueError, match=message):
        paired_permutation_test(scores, scores)


def test_other_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="level is 95"):
        mean_interval([1.0], level=95)
    with pytest.raises(ValueError, match="3 scores but second has 2"):
        paired_permutation_test([1.0, 2.0, 3.0], [1.0, 2.0])
