"""Spearman, IoU, Dice and the pointing game against scipy, scikit-learn, scikit-image and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import f1_score, jaccard_score

import metrics

RULES: list[Any] = [0.5, 1.0, 0.1, "otsu", "quantile:0.9", "quantile:0"]


@st.composite
def pairs(draw: Any) -> tuple[Any, Any, Any]:
    """Prediction, truth and mask, small, with zeros and ties; the prediction may be constant."""
    height, width = draw(st.integers(2, 8)), draw(st.integers(2, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    levels = draw(st.sampled_from([1, 2, 3, 10, 1000]))
    p = rng.integers(0, levels, (height, width)) * draw(st.sampled_from([0.1, 1.0, 3.7]))
    d = rng.integers(0, draw(st.sampled_from([2, 4, 1000])), (height, width)).astype(float)
    mask = rng.random((height, width)) < draw(st.sampled_from([0.0, 0.4]))
    d.flat[0] = 1.0
    mask.flat[0] = False
    return p, d, mask


def chosen(values: Any, rule: Any) -> Any:
    """The region of a map, by the words of the documentation."""
    if values.max() == values.min():
        return np.zeros(values.shape, bool)
    if rule == "otsu":
        units = (values - values.min()) / np.ptp(values)
        bins = np.minimum((units * 256).astype(int), 255)
        best, at = -1.0, 0
        for cut in range(1, 256):
            low, high = bins[bins < cut], bins[bins >= cut]
            if low.size and high.size:
                between = low.size * high.size * (low.mean() - high.mean()) ** 2
                if between > best * (1 + 1e-12):
                    best, at = between, cut
        return bins >= at
    if isinstance(rule, str):
        cut = np.quantile(values, float(rule.split(":")[1]), method="inverted_cdf")
        return (values >= cut) & (values > values.min())
    return (values - values.min()) / np.ptp(values) >= rule


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=40, deadline=None)
@given(maps=pairs())
def test_overlaps_are_those_of_scikit_learn(rule: Any, maps: Any) -> None:
    p, d, mask = maps
    a, b = chosen(p[~mask], rule), chosen(d[~mask], rule)
    b = b if b.any() else ~b  # a truth that is the same everywhere
    found = [getattr(metrics, n)(p, d, threshold=rule, mask=mask) for n in ("iou", "dice")]
    assert found == pytest.approx(
        [jaccard_score(b, a, zero_division=0), f1_score(b, a, zero_division=0)], abs=1e-12
    )


@settings(max_examples=60, deadline=None)
@given(maps=pairs())
def test_spearman_is_that_of_scipy(maps: Any) -> None:
    p, d, mask = maps
    found = metrics.spearman(p, d, mask=mask)
    if np.ptp(p[~mask]) == 0 or np.ptp(d[~mask]) == 0:
        assert found == 0.0
    else:
        assert found == pytest.approx(spearmanr(p[~mask], d[~mask]).statistic, abs=1e-12)


def test_otsu_cuts_bytes_where_scikit_image_does() -> None:
    filters = pytest.importorskip("skimage.filters")
    rng = np.random.default_rng(0)
    grey = np.clip(rng.normal(80, 25, (60, 80)) + 90 * (rng.random((60, 80)) < 0.3), 0, 255)
    grey.flat[:2] = 0, 255
    p = grey.astype(np.uint8)
    truth = p > filters.threshold_otsu(p)
    assert metrics.iou(p, truth, threshold="otsu") == 1.0


@pytest.mark.parametrize("shape", [(30, 40), (600, 500)])
@pytest.mark.parametrize("rule", RULES)
def test_bytes_tensors_and_batches(rule: Any, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    p, d = rng.integers(0, 256, (2, 2, *shape)).astype(np.uint8)
    for name, options in (("iou", {"threshold": rule}), ("dice", {"threshold": rule}),
                          ("spearman", {})):  # fmt: skip
        function = getattr(metrics, name)
        expected = [
            function(x.astype(float), y.astype(float), **options) for x, y in zip(p, d, strict=True)
        ]
        assert function(p, d, **options) == pytest.approx(expected, rel=1e-12)
        tensor = torch.as_tensor(p.astype(float)).requires_grad_(True)  # the path of other devices
        found = function(tensor, torch.as_tensor(d.astype(float)), **options)
        assert isinstance(found, torch.Tensor)
        assert found.tolist() == pytest.approx(expected, rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(maps=pairs(), tolerance=st.sampled_from([0.0, 1.0, 1.5, 2.0, 50.0]))
def test_the_pointing_game_by_a_loop(maps: Any, tolerance: float) -> None:
    p, d, mask = maps
    fixations = (d > np.median(d)).astype(int)
    fixations.flat[0] = 1
    left = ~mask
    top = np.argwhere(left & (p == p[left].max()))
    looked = np.argwhere(left & (fixations > 0))
    hits = [min(np.hypot(*(place - f)) for f in looked) <= tolerance for place in top]
    options: dict[str, Any] = {"mask": mask, "kind": "counts"}
    found = metrics.pointing_game(p, fixations, tolerance=tolerance, **options)
    assert found == pytest.approx(np.mean(hits), abs=1e-12)
    degrees = metrics.pointing_game(
        p, fixations, tolerance=tolerance / 30, pixels_per_degree=30, **options
    )
    assert degrees == found
    tensor = torch.as_tensor(p).requires_grad_(True)
    assert metrics.pointing_game(
        tensor, torch.as_tensor(fixations), tolerance=tolerance, **options
    ) == pytest.approx(found)


def test_points_and_their_weights() -> None:
    p = np.zeros((20, 30))
    p[5, 7] = 1.0
    points = np.array([[7, 6], [25, 15]])
    assert metrics.pointing_game(p, points, tolerance=1) == 1.0
    assert metrics.pointing_game(p, points, tolerance=0.5) == 0.0
    assert metrics.pointing_game(p, points, tolerance=1, weights=[0.0, 1.0]) == 0.0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("iou", {"threshold": "median"}, "threshold is 'median'.*'otsu'.*quantile:0.9"),
        ("dice", {"threshold": 0.0}, "threshold is 0.0"),
        ("dice", {"threshold": "0.5"}, "threshold is '0.5'"),
        ("iou", {"threshold": "quantile:1.5"}, "quantile:1.5"),
        ("iou", {"threshold": float("nan")}, "threshold is nan"),
        ("pointing_game", {"tolerance": -1}, "tolerance is -1"),
        ("pointing_game", {"pixels_per_degree": 0}, "pixels_per_degree is 0"),
    ],
)
def test_wrong_options(name: str, options: dict[str, Any], message: str) -> None:
    p = np.arange(12.0).reshape(3, 4)
    truth = (p == 5).astype(int)
    with pytest.raises(ValueError, match=message):
        getattr(metrics, name)(p, truth, **options)
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(p, density=p, fixations=truth, metrics=[name], options={name: options})


def test_precision_and_recall_within_evaluate() -> None:
    rng = np.random.default_rng(2)
    p, d = rng.random((2, 3, 12, 16))
    found = metrics.evaluate(p, density=d, metrics=["cc", "precision_recall"])
    expected = metrics.precision_recall(p, d)
    assert all(
        np.array_equal(a, b) for a, b in zip(found["precision_recall"], expected, strict=True)
    )
    assert "precision_recall" not in metrics.evaluate(p, density=d)
    options = {"precision_recall": {"threshold": 0.3}}
    told = metrics.evaluate(p[0], density=d[0], metrics="precision_recall", options=options)
    assert told == {"precision_recall": metrics.precision_recall(p[0], d[0], threshold=0.3)}
    with pytest.raises(ValueError, match="precision_recall needs density"):
        metrics.evaluate(p, fixations=(p > 0.9).astype(int), metrics=["precision_recall"])
    options["precision_recall"]["threshold"] = 2
    with pytest.raises(ValueError, match="threshold is 2"):
        metrics.evaluate(p, density=d, metrics=["precision_recall"], options=options)


def test_signatures_name_threshold_and_tolerance() -> None:
    signed = metrics.signature(["iou", "pointing_game"], threshold="quantile:0.9", tolerance="1deg")
    assert signed.startswith("iou+pointing_game|mit|threshold:quantile:0.9|tolerance:1deg|")
    assert str(metrics.Signature.parse(signed)) == signed
