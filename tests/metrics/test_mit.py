"""convention="mit" against values recorded from the MIT saliency benchmark code."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import metrics
from tests.conftest import shared
from tests.metrics.cases import MIT, Case, case, stepped_area, unit

FINITE = [name for name in MIT if "constant" not in name]


def resized(one: Case) -> Any:
    """The prediction as the MIT code sees it: brought to size, overshoot kept."""
    return metrics.resize(one.prediction, one.density.shape, clip=False)


def real(value: Any) -> float:
    """A recorded number; where the reference went complex, its real part."""
    return float(value["re"] if isinstance(value, dict) else value)


def test_values_are_those_that_were_recorded() -> None:
    whole = json.loads(shared("fixtures/metrics/reference.json").read_text())
    assert {
        name: {"conditions": one["conditions"], "values": one["values"]["matlab_imresize"]}
        for name, one in whole["cases"].items()
    } == MIT


@pytest.mark.parametrize("name", FINITE)
def test_deterministic_metrics(name: str) -> None:
    one, values = case(name), MIT[name]["values"]
    p = resized(one)
    found = {
        "AUC_Judd": metrics.auc_judd(p, one.binary),
        "NSS": metrics.nss(p, one.binary),
        "CC": metrics.cc(p, one.density),
        "SIM": metrics.sim(p, one.density, negative="keep"),
        "KL": metrics.kl(p, one.density, negative="keep"),
        "InfoGain": metrics.info_gain(p, one.binary, one.baseline, negative="keep"),
    }
    expected = {key: values[key] for key in found}
    expected["AUC_Judd"] = values["AUC_Judd"]["jitter0"]
    for key, value in found.items():
        assert value == pytest.approx(real(expected[key]), rel=1e-9), key


@pytest.mark.parametrize("name", FINITE)
def test_multiplicity_is_dropped(name: str) -> None:
    one = case(name)
    p = resized(one)
    for metric in (metrics.auc_judd, metrics.auc_borji, metrics.nss, metrics.auc):
        assert metric(p, one.fixations) == metric(p, one.binary)
    assert metrics.auc_shuffled(p, one.fixations, one.other) == metrics.auc_shuffled(
        p, one.binary, one.other_binary
    )


@pytest.mark.parametrize("name", FINITE)
def test_expectation_over_splits_and_its_deviation(name: str) -> None:
    one, values = case(name), MIT[name]["values"]
    p = resized(one)
    found = {
        "AUC_Borji": metrics.auc_borji(p, one.binary, return_std=True),
        "AUC_shuffled": metrics.auc_shuffled(p, one.binary, one.other_binary, return_std=True),
    }
    for key, (mean, deviation) in found.items():
        recorded = values[key]
        if recorded["exact_expectation"] == "NaN":  # the reference fails on a single fixation
            assert key == "AUC_Borji"
            saliency = unit(p)  # one negative is drawn: any pixel
            areas = [stepped_area(saliency[one.binary > 0], v) for v in saliency.reshape(-1, 1)]
            assert mean == pytest.approx(np.mean(areas), rel=1e-9)
            assert deviation == pytest.approx(np.std(areas), rel=1e-9)
            continue
        assert mean == pytest.approx(recorded["exact_expectation"], rel=1e-9)
        assert deviation == pytest.approx(recorded["exact_std_of_one_split"], rel=1e-9, abs=1e-12)
        draws = recorded["n_repeats"] * recorded["Nsplits"]
        assert abs(mean - recorded["mean"]) <= 5 * deviation / draws**0.5 + 1e-9


@pytest.mark.parametrize("name", FINITE)
def test_splits_follow_the_procedure(name: str) -> None:
    one = case(name)
    p = resized(one)
    for metric, maps in (
        (metrics.auc_borji, (one.binary,)),
        (metrics.auc_shuffled, (one.binary, one.other_binary)),
    ):
        exact, deviation = metric(p, *maps, return_std=True)
        drawn, spread = metric(p, *maps, splits=400, rng=1, return_std=True)
        assert abs(drawn - exact) <= 5 * deviation / 20 + 1e-12
        assert spread == pytest.approx(deviation, rel=0.25, abs=1e-12)
        assert metric(p, *maps, splits=5, rng=3) == metric(p, *maps, splits=5, rng=3)


@pytest.mark.parametrize("name", FINITE)
def test_jitter(name: str) -> None:
    one, recorded = case(name), MIT[name]["values"]["AUC_Judd"]["jitter1"]
    p = resized(one)
    if MIT[name]["conditions"][0].startswith("center bias"):
        p = p / p.max()  # the reference adds its noise before min-max, ours has no size
    found = metrics.auc_judd(p, one.binary, jitter=True)
    error = recorded["std_over_repeats"] / recorded["n_repeats"] ** 0.5
    assert abs(found - recorded["mean"]) <= 5 * error + 1e-7
    draws = [metrics.auc_judd(p, one.binary, jitter=True, rng=seed) for seed in range(60)]
    assert abs(np.mean(draws) - found) <= 5 * np.std(draws, ddof=1) / 60**0.5 + 1e-12


@pytest.mark.parametrize("name", list(MIT))
def test_tie_aware_auc(name: str) -> None:
    one, expected = case(name), MIT[name]["values"]["_extra_principled"]
    p = resized(one)
    found = metrics.auc(p, one.binary)
    assert found == pytest.approx(expected["AUC_tie_aware_vs_nonfixated_pixels"], rel=1e-9)
    found = metrics.auc(p, one.binary, one.other_binary)
    assert found == pytest.approx(expected["AUC_tie_aware_vs_other_pixels"], rel=1e-9)


@pytest.mark.parametrize("name", list(MIT))
def test_emd_is_the_exact_optimum(name: str) -> None:
    one, values = case(name), MIT[name]["values"]["EMD"]
    for key, recorded in values.items():
        found = metrics.emd(
            one.prediction, one.density, downsize=int(key.removeprefix("downsize")), grid="mit"
        )
        assert found == pytest.approx(recorded["exact_LP"], rel=1e-6), key


@pytest.mark.parametrize("name", ["s1_basic_480x640", "s7_dense_multiplicity_97x131"])
def test_common_grid_is_that_of_the_reference_where_the_size_divides(name: str) -> None:
    one, values = case(name), MIT[name]["values"]["EMD"]
    height, width = one.density.shape
    for key, recorded in values.items():
        downsize = int(key.removeprefix("downsize"))
        found = metrics.emd(one.prediction, one.density, downsize=downsize)
        if height % downsize == 0 and width % downsize == 0:
            assert found == pytest.approx(recorded["exact_LP"], rel=1e-6)
        else:
            assert metrics.emd(one.density, one.density, downsize=downsize) == 0.0
            assert found != pytest.approx(recorded["exact_LP"], rel=1e-6)


def test_constant_prediction_where_the_reference_is_defined() -> None:
    one = case("s5_constant_96x128")
    values = MIT["s5_constant_96x128"]["values"]
    assert metrics.kl(one.prediction, one.density) == pytest.approx(values["KL"], rel=1e-9)


def test_bytes_give_what_double_precision_gives() -> None:
    one = case("s2_uint8_240x320")
    assert one.prediction.dtype == np.uint8
    wide = one._replace(
        prediction=one.prediction.astype(float),
        density=one.density.astype(float),
        baseline=one.baseline.astype(float),
    )
    found, expected = (
        metrics.evaluate(
            maps.prediction,
            fixations=maps.binary,
            density=maps.density,
            other=maps.other_binary,
            baseline=maps.baseline,
        )
        for maps in (one, wide)
    )
    assert found == pytest.approx(expected, rel=1e-12)
