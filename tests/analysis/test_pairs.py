"""`paired`: the one test behind the table of a run, `compare` and the report."""

from __future__ import annotations

import numpy as np
import pytest

from emomap import metrics
from emomap.analysis import ranking
from emomap.analysis.pairs import paired, probability


@pytest.fixture
def values(rng: np.random.Generator) -> ranking.Values:
    """Four rows on 30 images; cc goes up, kl goes down."""
    return {
        name: {
            metric: {f"{i:02d}": float(v) for i, v in enumerate(rng.normal(shift, 1, 30))}
            for metric in ("cc", "kl")
        }
        for name, shift in {"center": 0.0, "a": 0.3, "b": 0.8, "observers": 1.0}.items()
    }


def test_the_numbers_are_those_of_the_library(values: ranking.Values) -> None:
    found = paired(values, "cc", [("a", "center"), ("b", "center")], 3)
    base = [*values["center"]["cc"].values()]
    tests = [
        metrics.statistics.paired_permutation_test([*values[n]["cc"].values()], base, seed=3)
        for n in "ab"
    ]
    assert [pair.p for pair in found] == [test.p_value for test in tests]
    assert [pair.p_holm for pair in found] == [*metrics.statistics.holm([p.p for p in found])]
    assert [pair.effect for pair in found] == [test.effect for test in tests]


def test_wins_follow_the_direction_of_the_metric(values: ranking.Values) -> None:
    up, down = (paired(values, metric, [("b", "center")], 0)[0] for metric in ("cc", "kl"))
    assert up.wins == sum(
        values["b"]["cc"][i] > values["center"]["cc"][i] for i in values["b"]["cc"]
    )
    assert down.wins == sum(
        values["b"]["kl"][i] < values["center"]["kl"][i] for i in values["b"]["kl"]
    )


def test_the_table_of_a_run_holds_the_same_tests(values: ranking.Values) -> None:
    tests = ranking.paired_tests(values, 7)
    assert list(tests) == ["a", "b"]
    for metric in ("cc", "kl"):
        for pair in paired(values, metric, [("a", "center"), ("b", "center")], 7):
            told = tests[pair.first][metric]
            assert told == {"difference": pair.difference, "p": pair.p, "p_holm": pair.p_holm}
    assert ranking.paired_tests({"a": values["a"]}, 7) == {}


def test_a_pair_is_tested_on_the_images_that_both_have(values: ranking.Values) -> None:
    del values["a"]["cc"]["03"], values["b"]["cc"]["11"]
    (pair,) = paired(values, "cc", [("a", "b")], 0)
    assert pair.n == 28
    backwards = dict(reversed(values["b"]["cc"].items()))
    assert paired({**values, "b": {"cc": backwards}}, "cc", [("a", "b")], 0) == [pair]


def test_a_small_p_value_is_not_printed_as_zero() -> None:
    assert [probability(p) for p in (0.0001, 0.001, 0.0123)] == ["<0.001", "0.001", "0.012"]
