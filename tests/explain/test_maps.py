"""Explanation maps against the library, against naive loops, and what they leave alone."""

from __future__ import annotations

import copy
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emomap.errors import EmomapError, UsageError
from emomap.explain.attention import rollout
from emomap.explain.kinds import EXPLANATIONS, LIBRARY, Explanation, check_explanations
from emomap.explain.layers import find_layer
from emomap.explain.maps import explanation_maps
from emomap.nn.tokens import as_feature_maps


class Pooled(nn.Module):
    """Convolutions, global average pooling, one linear layer."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 12, 3, padding=1),
            nn.ReLU(),
        )
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(12, classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.pool(self.features(images)).flatten(1))


class Deep(Pooled):
    """The same with two linear layers, so that its classes have no linear maps."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Linear(12, 7), nn.Tanh(), nn.Linear(7, 5))  # type: ignore[assignment]


@pytest.fixture
def images() -> Tensor:
    torch.manual_seed(5)
    return torch.randn(3, 3, 32, 32)


def enlarged(values: Any) -> Any:
    """A map at 32 x 32 pixels, scaled to 0..1."""
    large = nn.functional.interpolate(torch.from_numpy(values)[None, None], 32, mode="bilinear")
    found = large[0, 0].numpy()
    return (found - found.min()) / (found.max() - found.min())


def library(network: nn.Module, images: Tensor, kind: str, classes: Any, layer: str) -> Any:
    """The library, called as its own page says."""
    cams = pytest.importorskip("pytorch_grad_cam")
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    maker = getattr(cams, LIBRARY[kind])
    with maker(model=network.eval(), target_layers=[network.get_submodule(layer)]) as cam:
        return cam(input_tensor=images, targets=[ClassifierOutputTarget(c) for c in classes])


@pytest.mark.parametrize("kind", LIBRARY)
@pytest.mark.parametrize("make", [Pooled, Deep])
def test_maps_are_the_librarys(kind: str, make: type[nn.Module], images: Tensor) -> None:
    network = make()
    found = explanation_maps(network, images, kind, [0, 2, 4], "features")
    assert found.shape == (3, 32, 32)
    assert found.min() >= 0 and found.max() <= 1 + 1e-6
    wanted = library(network, images, kind, [0, 2, 4], "features")
    assert np.abs(found - wanted).max() < 1e-5
    assert found.std() > 0.05


def test_cam_is_gradcam_on_pooled_features(images: Tensor) -> None:
    pytest.importorskip("pytorch_grad_cam")
    network = Pooled()
    for classes in ([0, 1, 2], [4, 4, 3]):
        cam = explanation_maps(network, images, "cam", classes, "features")
        gradcam = explanation_maps(network, images, "gradcam", classes, "features")
        assert np.abs(cam - gradcam).max() < 1e-5


def test_cam_by_a_naive_loop(images: Tensor) -> None:
    network = Pooled().eval()
    with torch.no_grad():
        features = network.features(images)
    found = explanation_maps(network, images, "cam", [1, 1, 1], "features")
    for number in range(3):
        total = np.zeros((16, 16))
        for channel in range(12):
            weight = network.head.weight[1, channel].item()
            total += weight * features[number, channel].numpy()
        total = total.clip(min=0)
        assert np.abs(found[number] - enlarged(total)).max() < 1e-5


def test_cam_refuses_a_network_that_has_none(images: Tensor) -> None:
    with pytest.raises(UsageError, match=r"one linear layer.*take gradcam"):
        explanation_maps(Deep(), images, "cam", [0, 0, 0], "features")


@pytest.mark.parametrize("kind", [k for k in EXPLANATIONS if k not in {"attention", "rollout"}])
def test_a_map_does_not_depend_on_the_batch_and_the_network_is_left_alone(
    kind: str, images: Tensor
) -> None:
    if kind in LIBRARY:
        pytest.importorskip("pytorch_grad_cam")
    network = Pooled().train()
    network.head.bias.requires_grad_(False)
    network(images).sum().backward()
    before = copy.deepcopy(network.state_dict())
    gradients = {
        k: None if p.grad is None else p.grad.clone() for k, p in network.named_parameters()
    }
    together = explanation_maps(network, images, kind, [0, 1, 2], "features")
    alone = [explanation_maps(network, images[i : i + 1], kind, [i], "features") for i in range(3)]
    assert np.abs(together - np.concatenate(alone)).max() < 1e-5
    assert network.training and network.features.training
    assert not network.head.bias.requires_grad and network.head.weight.requires_grad
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key]), key
    for key, parameter in network.named_parameters():
        kept = gradients[key]
        assert (parameter.grad is None) == (kept is None)
        assert kept is None or torch.equal(parameter.grad, kept)  # type: ignore[arg-type]
    assert not any(part._forward_hooks for part in network.modules())


def test_frozen_parameters_do_not_matter(images: Tensor) -> None:
    pytest.importorskip("pytorch_grad_cam")
    wanted = explanation_maps(Pooled(), images, "gradcam", [0, 1, 2], "features")
    frozen = Pooled().requires_grad_(False)
    found = explanation_maps(frozen, images, "gradcam", [0, 1, 2], "features")
    assert np.array_equal(found, wanted)


def test_a_class_without_positive_evidence_has_an_empty_map(images: Tensor) -> None:
    network = Pooled()
    with torch.no_grad():
        network.head.weight[2] = -1.0
    for kind in ("cam", "gradcam"):
        if kind in LIBRARY:
            pytest.importorskip("pytorch_grad_cam")
        found = explanation_maps(network, images, kind, [2, 2, 2], "features")
        assert np.array_equal(found, np.zeros_like(found))


def test_nan_is_an_error(images: Tensor) -> None:
    with pytest.raises(EmomapError, match="NaN"):
        explanation_maps(Pooled(), images * float("nan"), "cam", [0, 0, 0], "features")


def test_a_missing_library_is_named(images: Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_grad_cam", None)
    with pytest.raises(UsageError, match=r"pip install 'emomap\[cam\]'"):
        explanation_maps(Pooled(), images, "gradcam", [0, 0, 0], "features")
    explanation_maps(Pooled(), images, "cam", [0, 0, 0], "features")


def test_kinds_are_checked() -> None:
    assert check_explanations(["gradcam, CAM", "cam"]) == ("gradcam", "cam")
    with pytest.raises(UsageError, match="did you mean gradcam"):
        check_explanations(["gradcm"])


# ------------------------------------------------------------------------------------ attention


class Block(nn.Module):
    """A block of a transformer as timm has it, with its parts called as there."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn = Attention(width, heads)

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens + self.attn(self.norm1(tokens))


class Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.fused_attn = heads, True
        self.qkv = nn.Linear(width, 3 * width)
        self.attn_drop = nn.Dropout(0.0)

    def forward(self, tokens: Tensor) -> Tensor:
        batch, count, width = tokens.shape
        parts = self.qkv(tokens).reshape(batch, count, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if self.fused_attn:
            found = nn.functional.scaled_dot_product_attention(query, key, value)
        else:
            weights = (query * query.shape[-1] ** -0.5) @ key.transpose(-2, -1)
            found = self.attn_drop(weights.softmax(dim=-1)) @ value
        return found.transpose(1, 2).reshape(batch, count, width)


class Tokens(nn.Module):
    """A vision transformer with ``prefix`` tokens ahead of 4 x 4 patches."""

    def __init__(self, prefix: int = 1, blocks: int = 3) -> None:
        super().__init__()
        torch.manual_seed(11)
        self.num_prefix_tokens = prefix
        self.patch = nn.Conv2d(3, 8, 8, stride=8)
        self.ahead = nn.Parameter(torch.randn(1, prefix, 8))
        self.blocks = nn.Sequential(*(Block(8, 2) for _ in range(blocks)))
        self.head = nn.Linear(8, 5)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch(images).flatten(2).transpose(1, 2)
        ahead = self.ahead.expand(len(images), -1, -1)
        tokens = self.blocks(torch.cat([ahead, patches], dim=1))
        return self.head(tokens[:, 0] if self.num_prefix_tokens else tokens.mean(dim=1))


def naive_attention(network: Tokens, images: Tensor) -> list[Any]:
    """The attention of each block, by loops: a list of (B, heads, n, n)."""
    patches = network.patch(images).flatten(2).transpose(1, 2)
    tokens = torch.cat([network.ahead.expand(len(images), -1, -1), patches], dim=1)
    found = []
    for block in network.blocks:
        assert isinstance(block, Block)
        normed = block.norm1(tokens).double()
        weight, bias = block.attn.qkv.weight.double(), block.attn.qkv.bias.double()
        count = tokens.shape[1]
        heads = torch.zeros(len(images), 2, count, count, dtype=torch.float64)
        for picture in range(len(images)):
            for head in range(2):
                rows = slice(4 * head, 4 * head + 4)
                query = normed[picture] @ weight[0:8][rows].T + bias[0:8][rows]
                key = normed[picture] @ weight[8:16][rows].T + bias[8:16][rows]
                for i in range(count):
                    scores = torch.stack([query[i] @ key[j] / 2 for j in range(count)])
                    heads[picture, head, i] = scores.softmax(dim=0)
        found.append(heads)
        tokens = block(tokens)
    return found


@pytest.mark.parametrize("prefix", [0, 1, 3])
@pytest.mark.parametrize("kind", ["attention", "rollout", "attention-head0", "attention-head1"])
@torch.no_grad()
def test_attention_by_a_naive_loop(prefix: int, kind: str, images: Tensor) -> None:
    network = Tokens(prefix).eval()
    attention = naive_attention(network, images)
    found = explanation_maps(network, images, kind, [0, 0, 0], "")
    assert all(block.attn.fused_attn for block in network.blocks)  # type: ignore[union-attr]
    for picture in range(3):
        joint = np.eye(16 + prefix)
        for one in attention:
            mixed = 0.5 * one[picture].mean(dim=0).numpy() + 0.5 * np.eye(16 + prefix)
            joint = (mixed / mixed.sum(axis=1, keepdims=True)) @ joint
        heads = attention[-1][picture].numpy()
        whole = {"rollout": joint, "attention": heads.mean(axis=0),
                 "attention-head0": heads[0], "attention-head1": heads[1]}[kind]  # fmt: skip
        seen = whole[0, prefix:] if prefix else whole.mean(axis=0)
        assert np.abs(found[picture] - enlarged(seen.reshape(4, 4))).max() < 1e-4


def test_a_head_that_is_not_there(images: Tensor) -> None:
    with pytest.raises(UsageError, match="the last block has the heads 0 to 1"):
        explanation_maps(Tokens(1).eval(), images, "attention-head2", [0, 0, 0], "")
    with pytest.raises(UsageError, match="attention-headN"):
        Explanation("attention-head")
    assert check_explanations(["attention-head3,cam"]) == ("attention-head3", "cam")


def test_rollout_of_even_attention_is_even() -> None:
    even = torch.full((1, 5, 5), 0.2)
    found = rollout([even] * 4)
    assert torch.allclose(found.sum(dim=-1), torch.ones(1, 5))
    assert torch.allclose(found, torch.eye(5) / 16 + 0.2 * 15 / 16)


def test_torchvisions_attention_is_found(images: Tensor) -> None:
    from torchvision.models import VisionTransformer

    torch.manual_seed(0)
    network = VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)
    nn.init.normal_(network.heads.head.weight)  # type: ignore[union-attr, arg-type]
    for kind in ("attention", "rollout"):
        found = explanation_maps(network, images, kind, [0, 0, 0], "")
        assert found.shape == (3, 32, 32)
        assert found.std() > 0.05
    assert find_layer(network.eval(), images) == "encoder.layers.encoder_layer_1.ln_1"


def test_attention_of_a_convolution_network_is_refused(images: Tensor) -> None:
    with pytest.raises(UsageError, match="take gradcam"):
        explanation_maps(Pooled(), images, "attention", [0, 0, 0], "")


@pytest.mark.parametrize("kind", ["gradcam", "layercam", "eigencam", "ablationcam", "scorecam"])
def test_tokens_become_a_map_the_right_way_up(kind: str) -> None:
    """The lower left patch alone decides the class, so the map is there."""
    pytest.importorskip("pytorch_grad_cam")
    network = Tokens(prefix=1)
    dark = torch.zeros(1, 3, 32, 32)
    dark[:, :, 24:, :8] = 5.0
    found = explanation_maps(network, dark, kind, [0], find_layer(network.eval(), dark))[0]
    corner = found[26:, :6].mean()
    elsewhere = found[:20, 12:].mean()
    assert abs(corner - elsewhere) > 0.2


# --------------------------------------------------------------------------------------- layers


def test_the_default_layer_is_the_last_feature_map(images: Tensor) -> None:
    from torchvision import models

    for name, layer in (
        ("resnet18", "layer4"), ("squeezenet1_1", "features"), ("mobilenet_v3_small", "features"),
        ("vgg11", "features"), ("shufflenet_v2_x0_5", "conv5"),
    ):  # fmt: skip
        network = models.get_model(name, weights=None).eval()
        assert find_layer(network, torch.zeros(1, 3, 64, 64)) == layer
        wrapped = nn.Sequential(nn.Identity(), network)
        assert find_layer(wrapped, torch.zeros(1, 3, 64, 64)) == f"1.{layer}"


def test_layers_that_cannot_be_explained(images: Tensor) -> None:
    network = Pooled().eval()
    assert find_layer(network, images, "features.3") == "features.3"
    with pytest.raises(UsageError, match=r"no such layer; near it are .*features\.3"):
        find_layer(network, images, "feature.3")
    with pytest.raises(UsageError, match="is no feature map"):
        find_layer(network, images, "head")
    network.unused = nn.Conv2d(3, 3, 1)
    with pytest.raises(UsageError, match="takes no part"):
        find_layer(network, images, "unused")
    with pytest.raises(UsageError, match="--layer"):
        find_layer(nn.Sequential(nn.Flatten(), nn.Linear(3072, 5)), images)


def test_outputs_of_layers_as_feature_maps() -> None:
    last = torch.arange(2 * 4 * 4 * 6.0).reshape(2, 4, 4, 6)
    assert torch.equal(as_feature_maps(last), last.permute(0, 3, 1, 2))
    assert torch.equal(as_feature_maps(last.permute(0, 3, 1, 2)), last.permute(0, 3, 1, 2))
    tokens = torch.cat([torch.zeros(2, 3, 6), last.reshape(2, 16, 6)], dim=1)
    assert torch.equal(as_feature_maps(tokens), last.permute(0, 3, 1, 2))
    assert torch.equal(as_feature_maps(tokens, 3), last.permute(0, 3, 1, 2))
    with pytest.raises(UsageError, match="do not form a square grid"):
        as_feature_maps(tokens, 1)
