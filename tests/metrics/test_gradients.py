"""Gradients against one-sided differences, on maps with zeros, ties and equal places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import score

torch = pytest.importorskip("torch")

DIFFERENTIABLE = ("cc", "sim", "kl", "js", "nss", "info_gain", "mae")
#: Slopes above this are those of a logarithm at zero, which no difference can measure.
STEEP = 50
STEP = 1e-7


@st.composite
def scenes(draw: Any) -> dict[str, Any]:
    """Maps with many zeros; prediction and density are equal at many places, or everywhere."""
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    levels = draw(st.sampled_from([1, 2, 5]))
    shape = (3, 4)
    prediction, density = rng.integers(0, levels + 1, (2, *shape)).astype(float)
    if draw(st.booleans()):
        prediction = rng.random(shape) * (rng.random(shape) > 0.5)
    prediction[0, :2], density[0, :2] = (0, levels + 1), (levels, 0)  # no constant maps
    # where all are equal, the minimum may not be alone: it has no one-sided rule there
    if draw(st.booleans()):
        density = prediction.copy()
        density[2, 3] = prediction[2, 3] = 0
    fixations = np.zeros(shape, int)
    fixations.flat[rng.permutation(12)[:4]] = 1
    return {
        "prediction": prediction,
        "density": density,
        "fixations": fixations,
        "baseline": rng.random(shape),
    }


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=40, deadline=None)
@given(maps=scenes())
def test_gradients_are_one_sided_differences(
    name: str, convention: str, maps: dict[str, Any]
) -> None:
    entry = CATALOGUE[name]
    tensors = {key: torch.from_numpy(a.copy()) for key, a in maps.items()}
    tensors["prediction"].requires_grad_(True)
    score(entry, tensors, convention=convention).backward()
    gradient = tensors["prediction"].grad.numpy()
    assert np.isfinite(gradient).all()
    here = score(entry, maps, convention=convention)
    for place in np.ndindex(gradient.shape):
        if abs(gradient[place]) > STEEP or (
            name == "js" and maps["prediction"][place] == 0 < maps["density"][place]
        ):
            continue
        moved = maps["prediction"].copy()
        moved[place] += STEP
        there = score(entry, {**maps, "prediction": moved}, convention=convention)
        assert gradient[place] == pytest.approx((there - here) / STEP, rel=1e-4, abs=1e-5)


def test_js_where_both_maps_are_zero() -> None:
    p = torch.tensor([[1.0, 0, 2, 0]], dtype=torch.float64, requires_grad=True)
    q = torch.tensor([[1.0, 0, 0, 3]], dtype=torch.float64)
    metrics.js(p, q).backward()
    assert p.grad[0, 1].item() == pytest.approx(0.0310905, abs=1e-6)


@pytest.mark.parametrize("name", ["sim", "js", "cc"])
def test_the_best_and_the_worst_value_have_a_gradient(name: str) -> None:
    """Rounding beyond the bounds is cut off, and the gradient with it if one does not take care."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        half = rng.random((4, 6)) * (np.arange(6) < 3)
        p = torch.from_numpy(half.copy()).requires_grad_(True)
        metrics.CATALOGUE[name].function(p, torch.from_numpy(half[:, ::-1].copy())).backward()
        assert p.grad.abs().sum() > 0
