"""Where tensors are, and what a compiler sees, checked without a GPU.

Fake tensors have a device and a shape and no memory, so a network can be run "on CUDA" anywhere. A
tensor that was made on the CPU by mistake meets one on the GPU and fails, as it would there.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from emomap.methods.islamnet import ISLAMNet
from emomap.methods.jcdl import JCDL
from emomap.methods.spn import SPN
from emomap.methods.wildcat import WILDCAT
from emomap.methods.wscnet import WSCNet
from emomap.nn.affect import add_affect, pooled
from emomap.nn.network import EmotionNetwork, NetworkMethod
from emomap.sample import EMOTIONS
from emomap.training.answers import Answers, pack
from emomap.training.setup import LossStep

NETWORKS: list[tuple[type[NetworkMethod], dict[str, Any]]] = [
    (ISLAMNet, {}),
    (ISLAMNet, {"attention": "sequential", "map_reduction": "mean"}),
    (ISLAMNet, {"angles": [0, 45, 90, 135]}),
    (ISLAMNet, {"rotation_weight": 0.0, "f2_activation": "none"}),
    (WSCNet, {}),
    (WSCNet, {"legacy_gradient": True}),
    (WILDCAT, {}),
    (WILDCAT, {"map": "weighted"}),
    (SPN, {}),
    (SPN, {"map": "response", "factor": "code"}),
    (JCDL, {}),
]
IDS = [f"{cls.__name__}-{'-'.join(map(str, options))}" for cls, options in NETWORKS]


def build(cls: type[NetworkMethod], options: dict[str, Any]) -> EmotionNetwork:
    torch.manual_seed(0)
    return cls(backbone="small", weights="none", size=32, **options).build(EMOTIONS)


@pytest.mark.parametrize(("cls", "options"), NETWORKS, ids=IDS)
def test_nothing_stays_on_the_cpu(cls: type[NetworkMethod], options: dict[str, Any]) -> None:
    network = build(cls, options)
    network.class_weights = torch.ones(len(EMOTIONS))
    mode = FakeTensorMode(allow_non_fake_inputs=False)
    for module in network.modules():
        for name, weight in [*module._parameters.items()]:
            if weight is not None:
                with mode:
                    there = torch.empty(weight.shape, device="cuda")
                    module._parameters[name] = torch.nn.Parameter(there)
        for name, buffer in [*module._buffers.items()]:
            if buffer is not None:
                with mode:
                    module._buffers[name] = torch.empty(
                        buffer.shape, dtype=buffer.dtype, device="cuda"
                    )
    with mode:
        pixels = torch.empty(4, 32, 32, 3, dtype=torch.uint8, device="cuda")
        labels = torch.empty(4, dtype=torch.int64, device="cuda")
        losses = LossStep(network.train())(pixels, labels)
        assert all(value.device.type == "cuda" for value in losses.values())
        logits, maps = network.eval()(torch.empty(2, 3, 32, 32, device="cuda"))
        assert logits.device.type == "cuda" and (maps is None or maps.device.type == "cuda")


@pytest.mark.parametrize(("cls", "options"), NETWORKS, ids=IDS)
def test_a_step_is_one_graph(cls: type[NetworkMethod], options: dict[str, Any]) -> None:
    torch._dynamo.reset()
    warnings.simplefilter("error", UserWarning)
    step = LossStep(build(cls, options).train())
    pixels = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    found = torch._dynamo.explain(step)(pixels, torch.tensor([0, 1, 2, 3]))  # type: ignore[no-untyped-call]
    assert found.graph_break_count == 0, found.break_reasons
    assert found.graph_count == 1


@pytest.mark.parametrize(("cls", "options"), NETWORKS, ids=IDS)
def test_a_step_with_distributions_and_ratings_is_one_graph(
    cls: type[NetworkMethod], options: dict[str, Any]
) -> None:
    torch._dynamo.reset()
    network = build(cls, options)
    network.loss = "kl"
    head = add_affect(network, size=32)
    step = LossStep(network.eval())
    pixels = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    ratings = torch.randn(4, 2)
    packed = pack(Answers(torch.tensor([0, 1, 2, 3]), torch.full((4, 8), 1 / 8), ratings))
    found = torch._dynamo.explain(step)(pixels, packed)  # type: ignore[no-untyped-call]
    assert found.graph_break_count == 0, found.break_reasons
    torch._dynamo.reset()
    if options.get("angles"):  # 45 degrees: all views are cut to a disc, the upright one too
        return
    # the head rates the pictures as they are given, not turned views of them
    plain: Any = network.backbone
    features = pooled(plain(network.normalisation(pixels)))
    head.seen.clear()
    torch.testing.assert_close(step(pixels, packed)["affect"], head.loss(features, ratings))
