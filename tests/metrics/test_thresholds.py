"""The thresholds 0:0.1:1 of AUC-Borji and shuffled AUC as Octave and as MATLAB compute them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import metrics
from metrics._ranking import THRESHOLDS

#: What either program holds, in decimals that name the number exactly.
DIGITS = {
    "octave": "0 .1 .2 .30000000000000004 .4 .5 .6000000000000001 .7000000000000001 .8 .9 1",
    "matlab": "0 .1 .2 .30000000000000004 .4 .5 .6 .7 .8 .9 1",
}


@pytest.fixture
def maps() -> dict[str, Any]:
    """An 8-bit map, of which a sixth lies on .6 exactly, as do fixated pixels."""
    rng = np.random.default_rng(0)
    prediction = rng.integers(0, 256, (24, 30)).astype(np.uint8)
    prediction[rng.random(prediction.shape) < 1 / 6] = 153
    prediction.flat[:2] = 0, 255
    return {
        "prediction": prediction,
        "fixations": (rng.random(prediction.shape) < 0.1 + 0.3 * (prediction > 150)).astype(int),
        "other": (rng.random(prediction.shape) < 0.2).astype(int),
    }


def by_curve(positive: Any, negative: Any, steps: Any) -> float:
    """The area under the trapezoids of the curve of these thresholds."""
    hits = [0.0, *((positive >= t).mean() for t in steps[::-1]), 1.0]
    false = [0.0, *((negative >= t).mean() for t in steps[::-1]), 1.0]
    return float(np.trapezoid(hits, false))


@pytest.mark.parametrize("program", THRESHOLDS)
def test_the_numbers(program: str) -> None:
    assert THRESHOLDS[program].tolist() == [float(one) for one in DIGITS[program].split()]


@pytest.mark.parametrize("program", THRESHOLDS)
def test_values_are_those_of_the_curve(program: str, maps: dict[str, Any]) -> None:
    unit = maps["prediction"] / 255
    at, others = unit[maps["fixations"] > 0], unit[maps["other"] > 0]
    steps = np.array([float(one) for one in DIGITS[program].split()])
    p, f, o = maps.values()
    expected = [by_curve(at, unit.ravel(), steps), by_curve(at, others, steps)]
    found = [
        metrics.auc_borji(p, f, thresholds=program),
        metrics.auc_shuffled(p, f, o, thresholds=program),
    ]
    assert found == pytest.approx(expected, rel=1e-12)
    tensors = [torch.as_tensor(one) for one in (p, f, o)]
    assert float(metrics.auc_borji(*tensors[:2], thresholds=program)) == found[0]
    options = {name: {"thresholds": program} for name in ("auc_borji", "auc_shuffled")}
    told = metrics.evaluate(**maps, metrics=list(options), options=options)
    assert list(told.values()) == found


def test_octaves_is_the_default_and_matlabs_another_value(maps: dict[str, Any]) -> None:
    p, f, o = maps.values()
    assert metrics.auc_borji(p, f) == metrics.auc_borji(p, f, thresholds="octave")
    assert metrics.auc_borji(p, f) != metrics.auc_borji(p, f, thresholds="matlab")
    assert metrics.auc_shuffled(p, f, o) != metrics.auc_shuffled(p, f, o, thresholds="matlab")


def test_where_there_are_no_thresholds_they_change_nothing(maps: dict[str, Any]) -> None:
    p, f = maps["prediction"], maps["fixations"]
    plain = metrics.auc_borji(p, f, convention="tuebingen")
    assert metrics.auc_borji(p, f, convention="tuebingen", thresholds="matlab") == plain


def test_unknown_thresholds_are_refused(maps: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="thresholds is 'numpy'; it can be 'octave', 'matlab'"):
        metrics.auc_borji(maps["prediction"], maps["fixations"], thresholds="numpy")
