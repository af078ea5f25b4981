"""Intervals, tests and corrections, against scipy.stats where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import metrics
from metrics.statistics import (
    Interval,
    holm,
    mean_interval,
    paired_permutation_test,
    proportion_interval,
)


def test_the_interval_is_students() -> None:
    scores = np.random.default_rng(6).gamma(2.0, size=7)
    for level in (0.8, 0.95):
        expected = stats.ttest_1samp(scores, 0.0).confidence_interval(level)
        found = mean_interval(scores, level=level)
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found == mean_interval(scores, seed=9)


def test_the_percentile_interval_is_that_of_another_draw() -> None:
    rng = np.random.default_rng(0)
    scores = rng.gamma(2.0, size=80)
    found = mean_interval(scores, method="percentile", resamples=20_000)
    low, high = np.quantile(rng.choice(scores, (20_000, 80)).mean(axis=1), [0.025, 0.975])
    assert found.low == pytest.approx(low, abs=0.03 * (high - low))
    assert found.high == pytest.approx(high, abs=0.03 * (high - low))
    assert (found.mean, found.n) == (scores.mean(), 80)


def test_the_studentised_interval_is_that_of_another_draw() -> None:
    rng = np.random.default_rng(0)
    scores = rng.gamma(2.0, size=40)
    found = mean_interval(scores, method="studentised", resamples=20_000)
    drawn = rng.choice(scores, (20_000, 40))
    t = (drawn.mean(axis=1) - scores.mean()) / stats.sem(drawn, axis=1)
    high, low = scores.mean() - stats.sem(scores) * np.quantile(t, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))


@pytest.mark.parametrize(
    ("n", "method"), [(5, "t"), (10, "t"), (50, "percentile"), (50, "bca"), (10, "studentised")]
)
def test_the_interval_covers_the_mean_as_often_as_it_says(n: int, method: str) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(300):
        found = mean_interval(rng.normal(size=n), method=method, resamples=300)
        covered += found.low <= 0 <= found.high
    assert 0.91 < covered / 300 < 0.98


@pytest.mark.parametrize("method", metrics.statistics.METHODS)
def test_one_score_has_no_interval_and_equal_ones_have_one_without_width(method: str) -> None:
    assert mean_interval([0.25], method=method) == Interval(0.25, None, None, 1)
    found = mean_interval([0.1 + 0.2, 0.3, 0.3], method=method)
    assert found.low == found.mean == found.high == pytest.approx(0.3)


@pytest.mark.parametrize("method", ["percentile", "studentised", "bca"])
def test_the_interval_is_the_same_each_time(method: str) -> None:
    scores = np.random.default_rng(2).random(50)
    assert mean_interval(scores, method=method) == mean_interval(scores, method=method)
    assert mean_interval(scores, method=method) != mean_interval(scores, method=method, seed=1)


@pytest.mark.parametrize(("hits", "n"), [(0, 5), (5, 5), (17, 40), (1, 2)])
def test_the_interval_of_a_share_is_wilsons(hits: int, n: int) -> None:
    z, p = stats.norm.ppf(0.975), hits / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    found = proportion_interval(hits, n)
    assert (found.low, found.high) == pytest.approx((middle - reach, middle + reach), abs=1e-9)
    assert 0 <= found.low <= found.mean == p <= found.high <= 1


def test_a_share_of_one_trial_has_no_interval() -> None:
    assert proportion_interval(1, 1) == Interval(1.0, None, None, 1)
    for hits, n in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="hits of"):
            proportion_interval(hits, n)
    with pytest.raises(ValueError, match="level is 0"):
        proportion_interval(1, 2, level=0)


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
    assert (found.p_value, found.ties, found.n) == (1.0, 30, 30)
    assert np.isnan(found.effect)  # 0 over 0


def test_the_same_difference_on_each_image_has_an_infinite_effect() -> None:
    scores = np.random.default_rng(7).random(25)  # adding .3 rounds differently for each
    assert paired_permutation_test(scores + 0.3, scores).effect == np.inf
    assert paired_permutation_test(scores, scores + 0.3).effect == -np.inf
    assert paired_permutation_test(scores + 1e-9, scores).effect > 1e6
    assert np.isnan(paired_permutation_test(scores * 3 / 3, scores).effect)
    assert np.isnan(paired_permutation_test([0.5], [0.2]).effect)


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
    with pytest.raises(ValueError, match="method is 'normal'"):
        mean_interval([1.0, 2.0], method="normal")
    with pytest.raises(ValueError, match="3 scores but second has 2"):
        paired_permutation_test([1.0, 2.0, 3.0], [1.0, 2.0])
