"""The curve of each AUC: its area is the AUC, and it is that of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_curve

import metrics

AREAS = ("auc_judd", "auc_borji", "auc_shuffled", "auc")


@st.composite
def scenes(draw: Any) -> dict[str, Any]:
    height, width = draw(st.integers(2, 8)), draw(st.integers(3, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    p = rng.integers(0, draw(st.sampled_from([1, 2, 5, 11, 1000])), (height, width)) / 10
    fixations, other = (
        rng.integers(1, 4, p.shape) * (rng.random(p.shape) < share) for share in (0.3, 0.5)
    )
    fixations.flat[0] = other.flat[1] = 1
    fixations.flat[2] = 0  # not every pixel is fixated
    mask = rng.random(p.shape) < draw(st.sampled_from([0.0, 0.3]))
    mask.flat[:3] = False
    return {"prediction": p, "fixations": fixations, "other": other, "mask": mask}


def area(curve: metrics.ROC) -> float:
    return float(np.trapezoid(curve.hits, curve.false_alarms))


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("name", AREAS)
@settings(max_examples=60, deadline=None)
@given(maps=scenes(), jitter=st.booleans(), thresholds=st.sampled_from(["octave", "matlab"]))
def test_the_area_is_the_metric(
    name: str, convention: str, maps: dict[str, Any], jitter: bool, thresholds: str
) -> None:
    mask = maps.pop("mask")
    given_maps = [maps[key] for key in ("prediction", "fixations")]
    given_maps += [maps["other"]] * (name == "auc_shuffled")
    common: dict[str, Any] = {"convention": convention, "mask": mask, "kind": "counts"}
    own: dict[str, Any] = {}
    if name == "auc_judd":
        own = {"jitter": jitter}
    elif name != "auc":
        own = {"thresholds": thresholds}
    expected = getattr(metrics, name)(*given_maps, **common, **own)
    curve = metrics.roc(*given_maps, metric=name, **common, **own)
    assert np.clip(area(curve), 0, 1) == pytest.approx(expected, abs=1e-12)
    for side in curve:
        assert (side[0], side[-1]) == (0.0, 1.0)
        bent = name == "auc_judd" and convention == "mit" and not jitter
        assert bent or (np.diff(side) >= -1e-12).all()


@settings(max_examples=60, deadline=None)
@given(maps=scenes())
def test_the_curve_is_that_of_scikit_learn(maps: dict[str, Any]) -> None:
    p, f = maps["prediction"], maps["fixations"] > 0
    if np.ptp(p) == 0:
        return
    false, hits, _ = roc_curve(f.ravel(), p.ravel(), drop_intermediate=False)
    curve = metrics.roc(p, maps["fixations"], kind="counts")
    corners = set(zip(false.round(12), hits.round(12), strict=True))
    found = set(zip(curve.false_alarms.round(12), curve.hits.round(12), strict=True))
    assert found <= corners  # those between two fixated values lie on a straight line


def test_negatives_that_are_given() -> None:
    rng = np.random.default_rng(0)
    p = rng.integers(0, 9, (20, 30))
    f, other = (rng.random((20, 30)) < 0.1).astype(int), (rng.random((20, 30)) < 0.2).astype(int)
    assert area(metrics.roc(p, f, other)) == pytest.approx(metrics.auc(p, f, other), abs=1e-12)
    weights, points = [1.0, 3.0, 0.5], np.array([[3, 4], [3, 4], [20, 11]])
    for convention in ("mit", "tuebingen"):
        expected = metrics.auc(p, points, weights=weights, convention=convention)
        curve = metrics.roc(p, points, weights=weights, convention=convention)
        assert area(curve) == pytest.approx(expected, abs=1e-12)


def test_batches_and_tensors() -> None:
    rng = np.random.default_rng(1)
    p, f = rng.random((3, 12, 16)), (rng.random((3, 12, 16)) < 0.1).astype(int)
    single = [metrics.roc(*maps) for maps in zip(p, f, strict=True)]
    for tensor in (p, torch.as_tensor(p), torch.as_tensor(p).requires_grad_(True)):
        found = metrics.roc(tensor, f if tensor is p else torch.as_tensor(f))
        for a, b in zip(found, single, strict=True):
            assert np.allclose(np.stack(a), np.stack(b), atol=1e-12)


def test_a_constant_map_has_the_diagonal() -> None:
    f = np.eye(5, dtype=int)
    for name in AREAS:
        curve = metrics.roc(np.ones((5, 5)), f, f[::-1], metric=name)
        assert np.stack(curve).tolist() == [[0, 1], [0, 1]]


def test_wrong_arguments() -> None:
    p = np.arange(12.0).reshape(3, 4)
    with pytest.raises(ValueError, match="metric is 'nss'; it can be 'auc_judd'"):
        metrics.roc(p, p == 3, metric="nss")
    with pytest.raises(ValueError, match="auc_shuffled needs other"):
        metrics.roc(p, p == 3, metric="auc_shuffled")
    with pytest.raises(ValueError, match="thresholds is 'numpy'"):
        metrics.roc(p, p == 3, thresholds="numpy")
