"""Controls: maps of the same network that do without what its own map is meant to show.

A network's map may owe its score to the features of the backbone, to its mere shape, or to where
pictures have their subject. Each control has one of these and nothing more. What the network's map
scores above the best of them is what its head has learned about places.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from emomap.method import Image, Method, Prediction
from emomap.nn.network import EmotionNetwork, NetworkMethod
from emomap.sanity.randomisation import head, randomise

#: Controls that a network makes from a picture by itself, and what each one is.
KINDS = {
    "f1-mean": "mean of the backbone's features f1 over channels",
    "f1-energy": "sum of the squares of f1 over channels",
    "cam": "class activation map on f1 of the predicted emotion",
    "random-head": "the network's map with random weights of the same mean and spread in its head",
}
#: The control that is made of finished maps.
OTHER_PICTURE = "other-picture"


def controls(network: NetworkMethod, images: Sequence[Image], seed: int = 0) -> dict[str, Method]:
    """The controls of a network, by kind.

    Those on f1 need a network with an attribute ``backbone`` that returns features (B, K, s, s).
    ``random-head`` needs layers outside the backbone that enter the map.

    Args:
        network: trained; not changed.
        images: one picture or more, to see which layers enter the map.
        seed: of the random weights.
    """
    assert network.module is not None
    found: dict[str, Method] = {}
    if isinstance(getattr(network.module, "backbone", None), nn.Module):
        found = {kind: OnFeatures(network, kind) for kind in ("f1-mean", "f1-energy", "cam")}
    if names := head(network, images):
        changed = copy.copy(network)
        changed.module = randomise(network.module, names, seed).eval()
        found["random-head"] = changed
    return found


class OnFeatures(Method):
    """A map made from the features f1 that the backbone of a network gives.

    Args:
        network: trained; its module has an attribute ``backbone``.
        kind: "f1-mean", "f1-energy" or "cam".
    """

    def __init__(self, network: NetworkMethod, kind: str) -> None:
        self.network = network
        self.kind = kind

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps at the size of each picture (float32, non-negative); no probabilities."""
        maps = self.network.run(images, self._map)
        return [Prediction(map) for map in self.network.upsample(maps, images)]

    def _map(self, module: EmotionNetwork, batch: Tensor) -> Tensor:
        f1, logits = _features(module, batch)
        if self.kind == "f1-mean":
            return f1.detach().mean(dim=1)
        if self.kind == "f1-energy":
            return f1.detach().square().sum(dim=1)
        return class_activation(f1, logits)


def class_activation(f1: Tensor, logits: Tensor) -> Tensor:
    """Class activation map (B, s, s) of the likeliest class, without negative values.

    A channel weighs as much as the mean over places of the derivative of the logit by it. This is
    the class activation map of a linear classifier on pooled features (Zhou 2016, equation 2), and
    that of any other classifier by Selvaraju 2017 (Grad-CAM, equations 1 and 2).

    Args:
        f1: (B, K, s, s), from which ``logits`` (B, C) were computed with gradients.
    """
    with torch.enable_grad():
        score = logits.amax(dim=1).sum()
    (slope,) = torch.autograd.grad(score, f1)
    weights = slope.mean(dim=(2, 3))
    return torch.relu(torch.einsum("bk,bkhw->bhw", weights, f1.detach()))


def _features(module: EmotionNetwork, batch: Tensor) -> tuple[Tensor, Tensor]:
    """The features f1 and the logits that follow from them, with gradients between the two."""
    kept: list[Tensor] = []

    def cut(_module: Any, _inputs: Any, output: Tensor) -> Tensor:
        kept.append(output.detach().requires_grad_())
        return kept[0].clone()  # the head may change its input in place

    backbone = module.get_submodule("backbone")
    handle = backbone.register_forward_hook(cut)
    try:
        with torch.enable_grad():
            logits, _ = module(batch)
    finally:
        handle.remove()
    return kept[0], logits


def partners(count: int) -> list[int]:
    """The picture whose map stands in for each of ``count`` pictures: half the set further on.

    Pictures that follow each other are often alike, so the partner is as far away as can be.
    """
    return ((np.arange(count) + max(1, count // 2)) % count).tolist() if count else []
