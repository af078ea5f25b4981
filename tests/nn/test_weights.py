"""Weights as people have them: containers, prefixes, other heads, safetensors, damaged files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from emomap.errors import EmomapError
from emomap.nn.backbone import make_backbone
from emomap.nn.weights import load_weights


class Net(nn.Module):
    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.layer = nn.Sequential(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5))
        self.module = nn.Linear(5, 5)  # a name that wrappers use, too
        self.fc = nn.Linear(5, classes)


@pytest.fixture
def weights() -> dict[str, Tensor]:
    torch.manual_seed(9)
    return {k: torch.randn_like(v) if v.is_floating_point() else v
            for k, v in Net().state_dict().items()}  # fmt: skip


FORMS: dict[str, Any] = {
    "plain": lambda w: w,
    "state_dict": lambda w: {"state_dict": w, "epoch": 3},
    "model": lambda w: {"model": w, "optimizer": {"lr": 0.1}},
    "model_state_dict": lambda w: {"model_state_dict": w, "args": argparse.Namespace(lr=1)},
    "nested": lambda w: {"state_dict": {"model": w}},
    "parallel": lambda w: {f"module.{k}": v for k, v in w.items()},
    "compiled": lambda w: {f"_orig_mod.{k}": v for k, v in w.items()},
    "both": lambda w: {f"module._orig_mod.{k}": v for k, v in w.items()},
    "lightning": lambda w: {
        "state_dict": {f"model.{k}": v for k, v in w.items()},
        "hyper_parameters": {"folder": Path("a"), "lr": 0.1},
        "pytorch-lightning_version": "2.4",
    },
    "deep": lambda w: {f"encoder.backbone.net.{k}": v for k, v in w.items()},
    "more": lambda w: {**{f"student.{k}": v for k, v in w.items()}, "teacher.x": torch.zeros(2)},
}


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".bin", ".pth.tar"])
@pytest.mark.parametrize("form", FORMS)
def test_forms_of_checkpoints(
    form: str, suffix: str, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    file = tmp_path / f"a{suffix}"
    torch.save(FORMS[form](weights), file)
    model = Net()
    load_weights(model, str(file), "Net", published=False)
    for key, value in model.state_dict().items():
        assert torch.equal(value, weights[key]), key


def test_a_wrapped_model_takes_weights_without_the_prefix(
    weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(weights, tmp_path / "a.pth")
    model = nn.ModuleDict({"inner": Net()})
    load_weights(model, str(tmp_path / "a.pth"), "Net", published=False)
    assert torch.equal(model["inner"].state_dict()["fc.weight"], weights["fc.weight"])


def test_safetensors(weights: dict[str, Tensor], tmp_path: Path) -> None:
    save_file = pytest.importorskip("safetensors.torch").save_file
    file = tmp_path / "a.safetensors"
    save_file({f"model.{k}": v for k, v in weights.items()}, str(file))
    model = Net()
    load_weights(model, str(file), "Net", published=False)
    assert torch.equal(model.fc.weight, weights["fc.weight"])
    for content in (file.read_bytes()[:-50], file.read_bytes()[:20], b"", b"x" * 100):
        file.write_bytes(content)
        with pytest.raises(EmomapError, match=r"a\.safetensors: not a safetensors file"):
            load_weights(model, str(file), "Net", published=False)
    with pytest.raises(EmomapError, match="no such file"):
        load_weights(model, str(tmp_path / "b.safetensors"), "Net", published=False)


def test_what_is_left_over_is_counted_and_named(
    weights: dict[str, Tensor], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({**weights, "aux.weight": torch.zeros(3), "aux.bias": torch.zeros(1)},
               tmp_path / "a.pth")  # fmt: skip
    load_weights(Net(), str(tmp_path / "a.pth"), "Net", published=False)
    said = capsys.readouterr().err
    assert "2 weights that Net has no place for: aux.weight, aux.bias" in said


def test_a_head_that_is_needed_must_fit(weights: dict[str, Tensor], tmp_path: Path) -> None:
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(EmomapError, match=r"fc\.weight is \(4, 5\), not \(7, 5\)"):
        load_weights(Net(7), str(tmp_path / "a.pth"), "Net", published=False)
    del weights["layer.0.bias"]
    torch.save(weights, tmp_path / "a.pth")
    with pytest.raises(EmomapError, match=r"no layer\.0\.bias"):
        load_weights(Net(), str(tmp_path / "a.pth"), "Net", published=False)


@pytest.mark.parametrize("head", ["another", "none"])
def test_a_head_that_is_dropped_does_not_matter(head: str, tmp_path: Path) -> None:
    from torchvision import models

    state = models.get_model("resnet18", weights=None, num_classes=8).state_dict()
    if head == "none":
        state = {k: v for k, v in state.items() if not k.startswith("fc.")}
    file = tmp_path / "mine.pth"
    torch.save({"state_dict": {f"module.{k}": v for k, v in state.items()}}, file)
    import hashlib

    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    backbone = make_backbone("resnet18", str(file), sha256=digest, size=64)
    assert torch.equal(backbone.state_dict()["body.0.weight"], state["conv1.weight"])
    del state["layer3.0.conv1.weight"]
    torch.save(state, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(EmomapError, match=r"no layer3\.0\.conv1\.weight"):
        make_backbone("resnet18", str(file), sha256=digest, size=64)
