"""convention="tuebingen" against values recorded from pysaliency 0.2.22."""

from __future__ import annotations

import pytest

import metrics
from tests.metrics.cases import PYSALIENCY, case


@pytest.mark.parametrize("name", list(PYSALIENCY))
def test_values_of_pysaliency(name: str) -> None:
    one = case(name)
    found = metrics.evaluate(
        one.prediction,
        fixations=one.fixations,
        density=one.density,
        other=one.other,
        baseline=one.baseline,
        convention="tuebingen",
        metrics=PYSALIENCY[name],
    )
    assert found == pytest.approx(PYSALIENCY[name], rel=1e-9)


@pytest.mark.parametrize("name", list(PYSALIENCY))
def test_there_is_one_auc_against_uniform_pixels(name: str) -> None:
    one = case(name)
    maps = (one.prediction, one.fixations)
    expected = metrics.auc_judd(*maps, convention="tuebingen")
    assert metrics.auc(*maps, convention="tuebingen") == expected
    assert metrics.auc_borji(*maps, convention="tuebingen", return_std=True) == (expected, 0.0)
