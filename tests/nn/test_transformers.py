"""Transformers as backbones: maps the right way up; each backbone with its own normalisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emomap import method as registry
from emomap.errors import EmomapError, UsageError
from emomap.nn.backbone import make_backbone
from emomap.nn.network import NetworkMethod
from emomap.nn.normalisation import IMAGENET, of_timm
from emomap.nn.weights import read_state
from emomap.sample import EMOTIONS

TIMM = (
    "timm:test_vit", "timm:vit_tiny_patch16_224", "timm:deit_tiny_distilled_patch16_224",
    "timm:swin_tiny_patch4_window7_224", "timm:hiera_tiny_224",
)  # fmt: skip


def brightest(found: torch.Tensor) -> int:
    """The quarter of a (h, w) map with the largest mean, in reading order."""
    half = found.shape[0] // 2
    top, bottom = found[:half], found[-half:]
    parts = [top[:, :half], top[:, -half:], bottom[:, :half], bottom[:, -half:]]
    return max(range(4), key=lambda at: parts[at].mean().item())


def quarters(size: int) -> Any:
    """An empty picture, and pictures with one bright quarter."""
    blank = torch.zeros(1, 3, size, size)
    found = []
    for at in range(4):
        picture = blank.clone()
        rows, columns = divmod(at, 2)
        half = size // 2
        place = slice(rows * half, (rows + 1) * half), slice(columns * half, (columns + 1) * half)
        picture[0, :, place[0], place[1]] = 3.0
        found.append(picture)
    return blank, found


@pytest.mark.parametrize("name", ["resnet18", "swin_t", "vit_b_32", *TIMM])
@pytest.mark.parametrize("size", [224, 448])
@torch.no_grad()
def test_features_are_the_right_way_up(name: str, size: int) -> None:
    if name.startswith("timm:"):
        pytest.importorskip("timm")
    if size == 448 and name not in {
        "vit_b_32",
        "timm:test_vit",
        "timm:swin_tiny_patch4_window7_224",
    }:
        pytest.skip("the same code as at 224")
    torch.manual_seed(0)
    backbone = make_backbone(name, size=size).eval()
    blank, pictures = quarters(size)
    empty = backbone(blank)
    assert empty.shape[1] == backbone.channels
    assert empty.shape[2] == empty.shape[3] > 1
    for at, picture in enumerate(pictures):
        assert brightest((backbone(picture) - empty).abs().mean(dim=1)[0]) == at


@pytest.mark.parametrize("name", ["timm:test_vit", "timm:vit_tiny_patch16_224"])
@pytest.mark.parametrize("method", ["islamnet", "wscnet", "wildcat", "spn", "jcdl", "classifier"])
def test_every_network_learns_on_tokens(method: str, name: str) -> None:
    pytest.importorskip("timm")
    torch.manual_seed(0)
    options = {"backbone": name, "weights": "none", "size": 64}
    made = registry.build(registry.load(method), method, options)
    assert isinstance(made, NetworkMethod)
    network = made.build(EMOTIONS)
    loss = network.losses(torch.randn(2, 3, 64, 64), torch.tensor([1, 5]))["loss"]
    loss.backward()
    moved = [n for n, p in network.named_parameters() if p.grad is not None and p.grad.any()]
    assert any(n.startswith("backbone.") for n in moved)


def test_a_size_that_cannot_be_is_said_with_a_remedy() -> None:
    with pytest.raises(UsageError, match=r"patches of 32 pixels, and size=100.*take 96"):
        make_backbone("vit_b_32", size=100)
    with pytest.raises(UsageError, match=r"'vgg11' cannot take pictures of size=16"):
        make_backbone("vgg11", size=16)


def test_each_backbone_has_its_own_normalisation() -> None:
    timm = pytest.importorskip("timm")
    assert make_backbone("resnet18", size=64).expects == IMAGENET
    for name in ("vit_tiny_patch16_224", "vit_base_patch32_clip_224", "resnet18.a1_in1k"):
        expects = make_backbone(f"timm:{name}", size=224).expects
        config = timm.create_model(name).pretrained_cfg
        assert expects.mean == list(config["mean"])
        assert expects.std == list(config["std"])
        assert expects.interpolation == config["interpolation"]
    assert of_timm({}) == IMAGENET
    assert of_timm({"mean": (0.5,) * 3, "std": (0.5,) * 3, "interpolation": "random"}).std[0] == 0.5


def test_torchvisions_weights_say_what_they_expect() -> None:
    from torchvision import models

    from emomap.nn.normalisation import of_torchvision

    found = of_torchvision(models.ViT_B_16_Weights.IMAGENET1K_SWAG_E2E_V1)
    assert found.interpolation == "bicubic"
    assert found.mean == IMAGENET.mean
    assert of_torchvision(models.ResNet18_Weights.IMAGENET1K_V1) == IMAGENET


def islamnet(**options: Any) -> NetworkMethod:
    chosen = {"backbone": "timm:test_vit", "weights": "none", "size": 64, "channels": 8, **options}
    made = registry.build(registry.load("islamnet"), "islamnet", chosen)
    assert isinstance(made, NetworkMethod)
    made.classes = EMOTIONS
    torch.manual_seed(0)
    made.module = made.build(EMOTIONS).eval()
    return made


def test_a_checkpoint_keeps_its_normalisation_and_an_old_one_has_imagenets(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    pytest.importorskip("timm")
    made = islamnet()
    assert made.module is not None
    own = made.module.normalisation
    assert own != IMAGENET
    pictures = [rng.integers(0, 256, (50, 70, 3), dtype=np.uint8)]
    wanted = made.predict(pictures)[0]
    made.save(tmp_path / "new.pt")
    again = islamnet()
    again.load(tmp_path / "new.pt", device="cpu")
    assert again.module is not None and again.module.normalisation == own
    assert np.array_equal(np.asarray(again.predict(pictures)[0].map), np.asarray(wanted.map))
    # a file of release 0.1 does not say: its network has seen ImageNet's
    state = read_state(tmp_path / "new.pt")
    del state["normalisation"]
    torch.save(state, tmp_path / "old.pt")
    again.load(tmp_path / "old.pt", device="cpu")
    assert again.module.normalisation == IMAGENET
    state["normalisation"] = {"mean": [0.5], "std": [0.5, 0.5, 0.5]}
    torch.save(state, tmp_path / "bad.pt")
    with pytest.raises(EmomapError, match=r"bad\.pt"):
        again.load(tmp_path / "bad.pt", device="cpu")


def test_training_normalises_as_prediction_does(rng: np.random.Generator) -> None:
    pytest.importorskip("timm")
    from emomap.training.setup import LossStep

    made = islamnet()
    assert made.module is not None
    pixels = torch.from_numpy(rng.integers(0, 256, (2, 64, 64, 3), dtype=np.uint8))
    labels = torch.tensor([0, 1])
    step = LossStep(made.module.eval())(pixels, labels)["loss"]
    by_hand = (pixels / 255 - 0.5) / 0.5
    wanted = made.module.losses(by_hand.permute(0, 3, 1, 2), labels)["loss"]
    config_is_half = made.module.normalisation.mean == [0.5, 0.5, 0.5]
    assert config_is_half
    assert torch.allclose(step, wanted, atol=1e-5)


@pytest.mark.parametrize("kind", ["attention", "rollout"])
def test_a_vision_transformer_is_explained_by_its_attention(
    kind: str, rng: np.random.Generator
) -> None:
    pytest.importorskip("timm")
    chosen = {"backbone": "timm:test_vit", "weights": "none", "size": 64, "map": kind}
    made = registry.build(registry.load("classifier"), "classifier", chosen)
    assert isinstance(made, NetworkMethod)
    made.classes = EMOTIONS
    made.module = made.build(EMOTIONS).eval()
    found = made.predict([rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)])[0]
    assert found.map is not None and found.map.shape == (40, 60) and found.map.std() > 0
    assert found.probabilities is not None and found.probabilities.sum() == pytest.approx(1)
