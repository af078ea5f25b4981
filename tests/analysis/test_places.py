"""Places and their intervals, against a plain computation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import rankdata

from emomap.analysis.places import RESAMPLES, placed


def test_the_place_follows_the_mean_rank_over_metrics(rng: np.random.Generator) -> None:
    values = rng.random((5, 3, 40))
    ranks = np.mean([rankdata(-column) for column in values.mean(axis=2).T], axis=0)
    found = placed([values])
    assert [one.mean_rank for one in found] == pytest.approx(ranks)
    assert [one.place for one in found] == rankdata(ranks, method="min").tolist()
    assert all(one.low <= one.place <= one.high for one in found)


def test_a_resample_is_the_same_for_all_methods(rng: np.random.Generator) -> None:
    """Hard images move both alike: one that is better on each image is always better."""
    hard = 100 * rng.random(30)
    better, worse = placed([np.stack([hard, hard - 1e-3])[:, None]])
    assert (better.place, better.low, better.high) == (1, 1, 1)
    assert (worse.place, worse.low, worse.high) == (2, 2, 2)


def test_the_interval_is_that_of_a_plain_bootstrap(rng: np.random.Generator) -> None:
    values = rng.normal(size=(4, 2, 25)) + np.array([0.0, 0.1, 0.3, 2.0])[:, None, None]
    places = []
    for _ in range(RESAMPLES):
        means = values[:, :, rng.integers(0, 25, 25)].mean(axis=2)
        ranks = np.mean([rankdata(-column) for column in means.T], axis=0)
        places.append(rankdata(ranks, method="min"))
    low, high = np.quantile(places, [0.025, 0.975], axis=0, method="inverted_cdf")
    found = placed([values], seed=3)
    assert [one.low for one in found] == low.tolist()
    assert [one.high for one in found] == high.tolist()


def test_equal_methods_share_a_place(rng: np.random.Generator) -> None:
    values = np.repeat(rng.random((1, 2, 7)) / 3, 3, axis=0)
    assert {(p.place, p.low, p.high, p.mean_rank) for p in placed([values])} == {(1, 1, 1, 2.0)}


def test_each_data_set_counts_the_same(rng: np.random.Generator) -> None:
    """A large set does not outvote a small one."""
    large = np.stack([np.ones((2, 500)), np.zeros((2, 500))])
    small = np.stack([np.zeros((1, 3)), np.ones((1, 3))])
    first, second = placed([large, small])
    assert (first.mean_rank, second.mean_rank) == (1.5, 1.5)
    assert first.place == second.place == 1


@pytest.mark.parametrize("values", [np.zeros((2, 0, 3)), np.full((2, 1, 3), np.nan)])
def test_values_that_cannot_be_ranked_are_refused(values: np.ndarray) -> None:
    with pytest.raises(ValueError, match="placed: "):
        placed([values])


def test_sets_of_other_methods_are_refused() -> None:
    with pytest.raises(ValueError, match="same methods"):
        placed([np.zeros((2, 1, 3)), np.zeros((3, 1, 3))])
