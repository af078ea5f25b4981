"""The classical methods against values recorded from the original programs.

These read ../shared/fixtures/baselines, whose pictures must not be copied; `test_naive.py` holds
what can be tested without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emomap.methods.gbvs import gbvs, gbvs_fast, gbvs_sequence_stages, gbvs_stages
from emomap.methods.itti_koch import itti_koch, itti_koch_stages
from emomap.methods.objectness import objectness_stages, posterior, score_windows
from emomap.methods.simpsal import simpsal, simpsal_fast
from emomap.vision.filters import rescale
from tests.conftest import shared
from tests.methods.pictures import correlation

#: Two colour pictures and a grey one; the other four with `-m slow`.
CASES = [
    "astronaut",
    "camera",
    "china",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("coffee", "motorcycle", "raccoon", "rocket")
    ),
]

#: Recorded arrays are float32, so that is how well they can agree; sums of squares a bit less.
CLOSE = 1e-6


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    with np.load(shared(f"fixtures/baselines/{request.param}.npz")) as archive:
        return {name: archive[name] for name in archive.files}


def test_gbvs_stages(case: dict[str, Any]) -> None:
    stages = gbvs_stages(case["image"], solver="power")
    labels = [label.replace(".0", "") for label in case["gbvs_feat_labels"]]
    assert list(stages.labels) == labels
    np.testing.assert_allclose(stages.features, case["gbvs_feat_val"], atol=CLOSE)
    np.testing.assert_allclose(stages.equilibria, case["gbvs_act"], atol=1e-7)
    np.testing.assert_array_equal(stages.iterations, case["gbvs_iters"])
    assert list(stages.channels) == list(case["gbvs_channels"])
    for name, found in stages.channels.items():
        np.testing.assert_allclose(found, case[f"gbvs_channel_{name}"], atol=CLOSE)
    np.testing.assert_allclose(stages.master, case["gbvs"], atol=CLOSE)
    np.testing.assert_allclose(stages.map, case["gbvs_resized"], atol=1e-3)  # recorded as float16


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("gbvs_var_CIOR", {"channels": "CIOR"}),
        ("gbvs_var_norm2", {"normalization": "graph"}),
        ("gbvs_var_multilevel", {"multilevels": (1, 2)}),
        ("gbvs_var_uncb", {"unCenterBias": True}),
        ("gbvs_var_tol8", {"tol": 1e-8}),
    ],
)
def test_gbvs_variants(case: dict[str, Any], name: str, options: dict[str, Any]) -> None:
    iterated = gbvs(case["image"], solver="power", size="native", **options)
    np.testing.assert_allclose(iterated, case[name], atol=CLOSE)
    exact = gbvs(case["image"], size="native", **options)
    # the original stops the paper's second chain far from its equilibrium
    assert correlation(exact, case[name]) > (0.997 if "normalization" in options else 0.999)


def test_gbvs_exact(case: dict[str, Any]) -> None:
    exact = gbvs(case["image"], size="native")
    assert correlation(exact, case["gbvs"]) > 0.9997
    assert correlation(exact, case["gbvs_var_tol8"]) > 1 - 1e-8


def test_gbvs_fast(case: dict[str, Any]) -> None:
    np.testing.assert_allclose(
        gbvs_fast(case["image"], size="native"), case["gbvs_fast"], atol=CLOSE
    )


def test_gbvs_sequence() -> None:
    with np.load(shared("fixtures/baselines/sequence4_gbvs_DIOFM.npz")) as case:
        stages = gbvs_sequence_stages(case["frames"], solver="power")
        for t, found in enumerate(stages):
            for kind in ("flicker", "motion"):
                chosen = [k for k, name in enumerate(found.labels) if name.startswith(kind)]
                recorded = case[f"{kind}_val"][t].reshape(-1, *found.master.shape)
                np.testing.assert_allclose(found.features[chosen], recorded, atol=CLOSE)
            for name, channel in found.channels.items():
                np.testing.assert_allclose(channel, case[f"channel_{name}"][t], atol=5e-6)
            np.testing.assert_allclose(found.master, case["gbvs_DIOFM"][t], atol=5e-6)


def test_itti_koch(case: dict[str, Any]) -> None:
    stages = itti_koch_stages(case["image"])
    np.testing.assert_allclose(rescale(stages.norm_maps), case["itti_norm_maps"], atol=5e-6)
    assert list(stages.channels) == list(case["itti_channels"])
    for name, found in stages.channels.items():
        np.testing.assert_allclose(found, case[f"itti_channel_{name}"], atol=5e-6)
    np.testing.assert_allclose(stages.master, case["itti"], atol=5e-6)
    np.testing.assert_allclose(stages.map, case["itti_resized"], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("itti_var_delta23", {"ittiDeltaLevels": (2, 3)}),
        ("itti_var_DIO", {"channels": "DIO"}),
        ("itti_var_noblur", {"ittiblurfrac": 0}),
    ],
)
def test_itti_koch_variants(case: dict[str, Any], name: str, options: dict[str, Any]) -> None:
    found = itti_koch(case["image"], size="native", **options)
    np.testing.assert_allclose(found, case[name], atol=5e-6)


def test_simpsal(case: dict[str, Any]) -> None:
    image = case["image"]
    np.testing.assert_allclose(simpsal(image, size="native"), case["simpsal_pami"], atol=CLOSE)
    found = simpsal(image, size="native", channels="DIO")
    np.testing.assert_allclose(found, case["simpsal_DIO"], atol=CLOSE)
    found = simpsal_fast(image, size="native")
    np.testing.assert_allclose(found, case["simpsal_fast"], atol=CLOSE)


def test_objectness(case: dict[str, Any]) -> None:
    learnt = shared("fixtures/baselines/objectness_learned_likelihoods.npz")
    stages = objectness_stages(case["image"], parameters=learnt)
    for scale, maps in stages.ms_maps.items():
        np.testing.assert_allclose(maps, case[f"obj_ms_map_{scale}"], atol=CLOSE)
    assert stages.segments is not None
    pairs = np.unique(stages.segments.astype(np.int64) * 10_000 + case["obj_segments"])
    assert len(pairs) == stages.segments.max() + 1 == len(np.unique(case["obj_segments"]))
    assert correlation(stages.heat, case["obj_heat_mean8"]) > 0.98
    windows = case["obj_windows"].astype(np.float64) - 1
    scores = score_windows(
        case["image"], windows, parameters=learnt, cues=("CC", "SS", "ED"), segments=stages.segments
    )
    np.testing.assert_allclose(scores["CC"], case["obj_win_CC"], atol=CLOSE)
    np.testing.assert_allclose(scores["SS"], case["obj_win_SS"], atol=CLOSE)
    # another edge detector, so only similar
    assert correlation(scores["ED"], case["obj_win_ED_octave_canny"]) > 0.9
    found = posterior(
        {"MS": np.full(len(windows), 50.0), "CC": scores["CC"], "SS": scores["SS"]}, learnt
    )
    np.testing.assert_allclose(found, case["obj_win_posterior_with_MS50"], atol=1e-12)


def test_shipped_parameters_come_close_to_the_original(case: dict[str, Any]) -> None:
    stages = objectness_stages(case["image"])
    assert correlation(stages.heat, case["obj_heat_mean8"]) > 0.75
