"""SPN: soft proposal networks (Zhu 2017)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork
from emomap.nn.soft_proposal import soft_proposal


class SPN(BackboneMethod):
    """Proposal map of SPN, or the response of the predicted class.

    Args:
        backbone, weights, sha256: see `emomap.nn.backbone.make_backbone`; VGG is used without its
            last pooling.
        size: side of the input in pixels.
        channels: number of channels of the 3x3 convolution (2 groups) before the proposal.
        factor: reach of the random walk: "paper" (0.15 times the side of the feature map), "code"
            (0.15 times its area, as released), or a number of cells.
        dropout: share of features that are dropped in training.
        map: "proposal", or "response" for the map of the likeliest class.
    """

    def __init__(
        self,
        backbone: str = "vgg16",
        weights: str = "default",
        sha256: str = "",
        size: int = 224,
        channels: int = 1024,
        factor: str | float = "paper",
        dropout: float = 0.5,
        map: Literal["proposal", "response"] = "proposal",
    ) -> None:
        super().__init__(size, BackboneOptions(backbone, weights, sha256))
        if isinstance(factor, str) and factor not in ("paper", "code"):
            raise ValueError(f"factor='{factor}': expected paper, code, or a number of cells")
        if not isinstance(factor, str) and factor <= 0:
            raise ValueError(f"factor={factor}: expected a number above 0")
        if channels < 2 or channels % 2:
            raise ValueError(f"channels={channels}: expected an even number, for two groups")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout={dropout}: expected 0 or more, below 1")
        if map not in ("proposal", "response"):
            raise ValueError(f"map='{map}': expected proposal or response")
        self.channels = channels
        self.factor = factor
        self.dropout = float(dropout)
        self.map = map

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The network, with random weights except for those of the backbone."""
        return SPNModule(self, len(classes))


class SPNModule(EmotionNetwork):
    """Backbone, proposals on a wide convolution, spatial sum, classifier."""

    def __init__(self, method: SPN, classes: int) -> None:
        super().__init__()
        self.backbone = method.chosen.make(last_pool=False, size=method.size)
        wide = self.backbone.channels
        groups = 2 if wide % 2 == 0 else 1
        self.widen = nn.Conv2d(wide, method.channels, 3, padding=1, groups=groups)
        self.factor = method.factor
        self.response = method.map == "response"
        self.dropout = nn.Dropout(method.dropout)
        self.classifier = nn.Linear(method.channels, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, C) and the map (B, s, s) that the option ``map`` names."""
        features = torch.relu(self.widen(self.backbone(images)))
        proposal = soft_proposal(features, self._reach(features))
        coupled = features * proposal[:, None]
        logits: Tensor = self.classifier(self.dropout(coupled.sum(dim=(2, 3))))
        if not self.response:
            return logits, proposal
        weights = self.classifier.weight[logits.argmax(dim=1)]
        return logits, torch.einsum("bkhw,bk->bhw", coupled, weights)

    def _reach(self, features: Tensor) -> float | None:
        if self.factor == "paper":
            return None
        places = math.prod(features.shape[2:])
        return 0.15 * places if self.factor == "code" else float(self.factor)
