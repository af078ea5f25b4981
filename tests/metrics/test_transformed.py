"""Under torch.vmap, torch.func.grad and torch.compile: the values and gradients of eager calls."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import metrics
from metrics import CATALOGUE
from tests.metrics.cases import scene, score

torch = pytest.importorskip("torch")

NAMES = ("cc", "sim", "kl", "js", "nss", "info_gain", "mae")
BATCH = 3

each = pytest.mark.parametrize("name", NAMES)
each_convention = pytest.mark.parametrize("convention", ["mit", "tuebingen"])


def tensors(dtype: Any = None) -> dict[str, Any]:
    """A batch with zeros, ties, equal places, a constant map and extreme numbers in it."""
    maps = scene((6, 8), batch=(BATCH,))
    maps["prediction"][0, :2] = 0.0
    maps["density"][0, 1:4] = 0.0
    maps["prediction"][1] = np.round(4 * maps["prediction"][1]) / 4
    maps["density"][1, 3:] = maps["prediction"][1, 3:]
    maps["prediction"][2] = 2.0**-900 * np.round(9 * maps["prediction"][2])
    found = {name: torch.from_numpy(array) for name, array in maps.items()}
    return found if dtype is None else {n: t.to(dtype) for n, t in found.items()}


def scored(name: str, convention: str, given: dict[str, Any]) -> Callable[..., Any]:
    """The metric as a function of its tensors alone, and these."""
    entry = CATALOGUE[name]

    def function(*arguments: Any) -> Any:
        named = dict(zip(("prediction", *entry.inputs), arguments, strict=True))
        return score(entry, named, convention=convention)

    return function


def arguments(name: str, given: dict[str, Any]) -> list[Any]:
    return [given[key] for key in ("prediction", *CATALOGUE[name].inputs)]


def eager(name: str, convention: str, given: dict[str, Any]) -> tuple[Any, Any]:
    """Values and gradients of eager calls."""
    prediction = given["prediction"].clone().requires_grad_(True)
    found = score(CATALOGUE[name], {**given, "prediction": prediction}, convention=convention)
    found.sum().backward()
    return found.detach(), prediction.grad


def same(found: Any, expected: Any, tolerance: float = 1e-12) -> None:
    assert found.shape == expected.shape
    assert torch.isfinite(expected).all()
    scale = expected.abs().amax(dim=tuple(range(1, expected.ndim)), keepdim=True).clamp(min=1)
    assert ((found - expected).abs() / scale).max() < tolerance


@each
@each_convention
def test_vmap(name: str, convention: str) -> None:
    given = tensors()
    function = scored(name, convention, given)
    values, gradients = eager(name, convention, given)
    same(torch.vmap(function)(*arguments(name, given)), values)
    first, *rest = arguments(name, given)
    same(torch.func.grad(lambda p: torch.vmap(function)(p, *rest).sum())(first), gradients)


@each
@each_convention
def test_grad(name: str, convention: str) -> None:
    given = tensors()
    function = scored(name, convention, given)
    _, gradients = eager(name, convention, given)
    found = torch.vmap(torch.func.grad(function))(*arguments(name, given))
    same(found, gradients)
    one = torch.func.grad(function)(*(a[0] for a in arguments(name, given)))
    same(one[None], gradients[:1])


@each
def test_compile(name: str) -> None:
    given = tensors()
    function = scored(name, "mit", given)
    values, gradients = eager(name, "mit", given)
    torch._dynamo.reset()
    compiled = torch.compile(function, fullgraph=True, backend="aot_eager")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same(compiled(*arguments(name, given)), values)
    first, *rest = arguments(name, given)
    first = first.clone().requires_grad_(True)
    compiled(first, *rest).sum().backward()
    same(first.grad, gradients)


@each
def test_single_precision(name: str) -> None:
    given = tensors()
    given["prediction"] = scene((6, 8), batch=(BATCH,), seed=3)["prediction"]
    given["prediction"] = torch.from_numpy(given["prediction"]).float()
    found = torch.vmap(scored(name, "mit", given))(*arguments(name, given))
    assert found.dtype == torch.float64
    same(found, score(CATALOGUE[name], given))


@each
def test_one_truth_for_a_batch_of_predictions(name: str) -> None:
    given = tensors()
    function = scored(name, "mit", given)
    first, *rest = arguments(name, given)
    one = [a[1] for a in rest]
    found = torch.vmap(function, in_dims=(0, *(None for _ in one)))(first, *one)
    same(found, function(first, *one))


@each
def test_what_is_refused_elsewhere_is_nan(name: str) -> None:
    """Nothing can be raised for a value there; the other maps keep their scores."""
    given = tensors()
    spoiled = {"prediction": float("nan"), "density": 0.0, "fixations": 0.0}
    if name not in ("cc", "nss"):
        spoiled["baseline"] = -1.0
    values = score(CATALOGUE[name], given)
    for key, wrong in spoiled.items():
        if key != "prediction" and key not in CATALOGUE[name].inputs:
            continue
        broken = {**given, key: given[key].clone()}
        broken[key][1] = wrong
        found = torch.vmap(scored(name, "mit", broken))(*arguments(name, broken))
        assert torch.isnan(found).tolist() == [False, True, False], key
        same(found[::2], values[::2])


@pytest.mark.parametrize("name", ["sim", "kl", "js", "mae", "info_gain"])
def test_negative_maps(name: str) -> None:
    given = tensors()
    given["prediction"][1, 2, 3] = -0.5
    function = scored(name, "mit", given)
    found = torch.vmap(function)(*arguments(name, given))
    assert torch.isnan(found).tolist() == [False, True, False]
    clipped = torch.vmap(lambda *a: CATALOGUE[name].function(*a, negative="clip"))
    expected = CATALOGUE[name].function(*arguments(name, given), negative="clip")
    same(clipped(*arguments(name, given)), expected)


def test_fractional_counts_are_nan() -> None:
    given = tensors()
    given["fixations"] = given["fixations"].double()
    given["fixations"][0, 0, 0] = 0.5
    found = torch.vmap(metrics.nss)(given["prediction"], given["fixations"])
    assert torch.isnan(found).tolist() == [True, False, False]


def test_what_cannot_be_transformed_says_so() -> None:
    given = tensors()
    with pytest.raises(ValueError, match="an AUC counts pixels"):
        torch.vmap(metrics.auc)(given["prediction"], given["fixations"])
    with pytest.raises(ValueError, match="EMD cannot"):
        torch.vmap(metrics.emd)(given["prediction"], given["density"])
    mask = torch.zeros(6, 8, dtype=torch.bool)
    with pytest.raises(ValueError, match="mask cannot"):
        torch.vmap(lambda p, d: metrics.cc(p, d, mask=mask))(given["prediction"], given["density"])
    with pytest.raises(ValueError, match="has shape"):
        torch.vmap(metrics.cc)(given["prediction"], given["density"][:, 1:])


def test_evaluate_shares_its_work() -> None:
    given = tensors()
    names = ["cc", "sim", "kl", "js", "mae"]

    def function(p: Any, d: Any) -> Any:
        return metrics.evaluate(p, density=d, metrics=names)

    found = torch.vmap(function)(given["prediction"], given["density"])
    for name, value in function(given["prediction"], given["density"]).items():
        same(found[name], value)


@each
def test_eager_errors_of_a_batch_name_its_member(name: str) -> None:
    given = tensors()
    given["prediction"] = given["prediction"].clone()
    given["prediction"][2, 3, 4] = float("inf")
    given["prediction"].requires_grad_(True)
    with pytest.raises(ValueError, match=r"map \(2,\) of the batch: prediction has 1 .*\(3, 4\)"):
        score(CATALOGUE[name], given)


@pytest.mark.parametrize("name", ["sim", "kl", "js", "mae", "info_gain"])
@pytest.mark.parametrize("gradient", [True, False])
def test_negative_values_are_an_error_and_no_warning(name: str, gradient: bool) -> None:
    given = tensors()
    given["prediction"][1, 2, 3] = -0.5
    given["prediction"].requires_grad_(gradient)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(
            metrics.NegativeMapError, match=r"map \(1,\) of the batch: prediction has 1 negative"
        ) as caught:
            score(CATALOGUE[name], given)
        assert caught.value.index == (1,)
        for negative in ("clip", "keep"):
            CATALOGUE[name].function(*arguments(name, given), negative=negative)
