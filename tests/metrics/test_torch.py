"""Tensors: the values of NumPy, on their device, with gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import scene, score

torch = pytest.importorskip("torch")

ENTRIES = list(CATALOGUE.values())
BOTH = [(entry, convention) for entry in ENTRIES for convention in entry.conventions]
DIFFERENTIABLE = ("cc", "sim", "kl", "js", "nss", "info_gain")

each_convention = pytest.mark.parametrize(
    ("entry", "convention"), BOTH, ids=[f"{e.name}-{c}" for e, c in BOTH]
)


def tensors(maps: dict[str, Any], gradient: bool = False) -> dict[str, Any]:
    """The maps as tensors; with a gradient they do not take the way of NumPy."""
    found = {name: torch.from_numpy(array) for name, array in maps.items()}
    found["prediction"].requires_grad_(gradient)
    return found


def with_trouble(batch: int) -> dict[str, Any]:
    """A batch with ties, a constant map and zeros in it."""
    maps = scene(batch=(batch,))
    maps["prediction"][0] = np.round(4 * maps["prediction"][0])
    maps["prediction"][1] = 3.0
    maps["prediction"][2, :4] = 0.0
    return maps


@each_convention
@pytest.mark.parametrize("gradient", [False, True])
def test_values_of_numpy(entry: Any, convention: str, gradient: bool) -> None:
    maps = with_trouble(4)
    found = score(entry, tensors(maps, gradient), convention=convention)
    assert isinstance(found, torch.Tensor)
    assert found.shape == (4,)
    assert found.dtype == torch.float64
    expected = score(entry, maps, convention=convention)
    assert found.detach().numpy() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@each_convention
def test_a_device_out_of_reach_gives_the_same(
    entry: Any, convention: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, whose memory NumPy cannot see: the batch is sorted and counted by torch."""
    maps = with_trouble(4)
    expected = score(entry, maps, convention=convention)
    monkeypatch.setattr("metrics._arrays.as_host", lambda array: None)
    found = score(entry, tensors(maps), convention=convention)
    assert found.numpy() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@each_convention
def test_a_loop_and_the_batch_agree(entry: Any, convention: str) -> None:
    maps = tensors(with_trouble(3), gradient=True)
    found = score(entry, maps, convention=convention)
    for i in range(3):
        single = score(entry, {name: t[i] for name, t in maps.items()}, convention=convention)
        assert single.shape == ()
        assert single.item() == pytest.approx(found[i].item(), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "uint8", "bool"])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_other_types(entry: Any, dtype: str) -> None:
    kind = getattr(torch, dtype)
    maps = tensors(scene())
    maps["prediction"] = (maps["prediction"] * (1 if kind.is_floating_point else 250)).to(kind)
    found = score(entry, maps)
    maps["prediction"] = maps["prediction"].double()
    assert float(found) == pytest.approx(float(score(entry, maps)), rel=1e-12, abs=1e-12)


def test_one_tensor_among_arrays() -> None:
    maps = scene()
    for gradient in (False, True):
        mixed = {**maps, "prediction": torch.from_numpy(maps["prediction"])}
        mixed["prediction"].requires_grad_(gradient)
        found = metrics.evaluate(**mixed)
        assert {k: v.item() for k, v in found.items()} == pytest.approx(metrics.evaluate(**maps))


@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_gradients(name: str, convention: str) -> None:
    entry = CATALOGUE[name]
    maps = scene((5, 6), batch=(2,))
    maps["prediction"] += 0.3 * (maps["fixations"] > 0)  # min-max has a kink at the minimum
    maps = tensors(maps, gradient=True)

    def function(prediction: Any) -> Any:
        return score(entry, {**maps, "prediction": prediction}, convention=convention)

    assert torch.autograd.gradcheck(function, (maps["prediction"],))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@pytest.mark.parametrize("value", [0.0, 2.0])
def test_gradients_of_a_constant_map_are_finite(name: str, value: float) -> None:
    maps = tensors(scene())
    maps["prediction"] = torch.full((24, 32), value, dtype=torch.float64, requires_grad=True)
    score(CATALOGUE[name], maps).backward()
    assert torch.isfinite(maps["prediction"].grad).all()


def test_gradients_of_a_map_with_zeros_are_finite() -> None:
    for name in DIFFERENTIABLE:
        maps = tensors(scene())
        maps["prediction"][:12] = 0.0
        maps["density"][6:] = 0.0
        maps["prediction"].requires_grad_(True)
        score(CATALOGUE[name], maps).backward()
        assert torch.isfinite(maps["prediction"].grad).all(), name


def test_single_precision_gets_its_gradient() -> None:
    maps = tensors(scene())
    prediction = maps["prediction"].float().requires_grad_(True)
    metrics.cc(prediction, maps["density"]).backward()
    assert prediction.grad.dtype == torch.float32


@each_convention
@pytest.mark.parametrize("factor", [5e-324, 2.0**-1000, 2.0**1010])
def test_numbers_at_the_ends_of_their_range(entry: Any, convention: str, factor: float) -> None:
    maps = scene(batch=(3,))
    maps["prediction"] = np.round(maps["prediction"] * 255) + 1
    maps["prediction"][1:] *= factor
    found = score(entry, tensors(maps, gradient=True), convention=convention)
    expected = score(entry, maps, convention=convention)
    assert found.detach().numpy() == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_errors_are_those_of_numpy(entry: Any) -> None:
    maps = tensors(scene(batch=(2,)), gradient=True)
    wrong = maps["prediction"].detach().clone()
    wrong[1, 2, 3] = float("nan")
    with pytest.raises(
        ValueError, match=r"map \(1,\) of the batch: prediction has 1 NaN.*\(2, 3\)"
    ):
        score(entry, {**maps, "prediction": wrong.requires_grad_(True)})
    with pytest.raises(ValueError, match="complex"):
        score(entry, {**maps, "prediction": maps["prediction"] + 1j})
    for name in entry.inputs:
        if name != "baseline":
            with pytest.raises(ValueError, match=r"no fixation|zero everywhere"):
                score(entry, {**maps, name: torch.zeros_like(maps[name])})


def test_resize_and_density() -> None:
    maps = scene(batch=(2,))
    for method in metrics.RESIZE_METHODS:
        expected = metrics.resize(maps["prediction"], (11, 50), method)
        found = metrics.resize(torch.from_numpy(maps["prediction"]), (11, 50), method)
        assert found.numpy() == pytest.approx(expected, abs=1e-12)
    expected = metrics.density(maps["fixations"], 3.0)
    found = metrics.density(torch.from_numpy(maps["fixations"]), 3.0)
    assert found.numpy() == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("wrong", [0.5, -1.0, float("nan"), 0.0])
def test_density_refuses_what_numpy_refuses(wrong: float) -> None:
    counts = np.zeros((2, 5, 6))
    counts[0, 1, 2] = 1.0
    counts[1, 3, 3] = wrong
    with pytest.raises(ValueError, match="fixations has") as expected:
        metrics.density(counts, 2.0)
    with pytest.raises(ValueError, match="fixations has") as found:
        metrics.density(torch.from_numpy(counts), 2.0)
    assert str(found.value) == str(expected.value)


def test_beckmann_is_differentiable() -> None:
    maps = tensors(scene((4, 5), batch=(2,)), gradient=True)

    def function(prediction: Any) -> Any:
        return metrics.emd(
            prediction, maps["density"], downsize=1, method="beckmann", iterations=150
        )

    assert torch.autograd.gradcheck(function, (maps["prediction"],), eps=1e-4, atol=1e-3, rtol=1e-2)


def test_beckmann_as_a_loss_finds_the_density() -> None:
    maps = tensors(scene((8, 8)))
    logits = torch.zeros(8, 8, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    start = last = 0.0
    for step in range(60):
        loss = metrics.emd(logits.exp(), maps["density"], downsize=1, method="beckmann")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        last = loss.item()
        start = start or last
        assert np.isfinite(last), step
    assert last < 0.3 * start
