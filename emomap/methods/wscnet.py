"""WSCNet: weakly supervised coupled networks (Yang 2018; She 2019)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork
from emomap.nn.pooling import class_wise_pool, mean_with_sum_gradient


class WSCNet(BackboneMethod):
    """Sentiment map of WSCNet: class maps weighted by their scores.

    Args:
        backbone, weights, sha256: see `emomap.nn.backbone.make_backbone`.
        size: side of the input in pixels.
        maps_per_class: M, the number of maps that are averaged for each class.
        detection_weight: weight of the detection loss; the classification loss has the rest.
        legacy_gradient: train with the gradients of the official code, which lack the factors
            1 / M of the class maps and 1 / C of the sentiment map.
    """

    def __init__(
        self,
        backbone: str = "resnet101",
        weights: str = "default",
        sha256: str = "",
        size: int = 448,
        maps_per_class: int = 4,
        detection_weight: float = 0.5,
        legacy_gradient: bool = False,
    ) -> None:
        super().__init__(size, BackboneOptions(backbone, weights, sha256))
        if maps_per_class < 1:
            raise ValueError(f"maps_per_class={maps_per_class}: expected 1 or more")
        if not 0 <= detection_weight <= 1:
            raise ValueError(f"detection_weight={detection_weight}: expected 0..1")
        self.maps_per_class = maps_per_class
        self.detection_weight = float(detection_weight)
        self.legacy_gradient = legacy_gradient

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The network, with random weights except for those of the backbone."""
        return WSCNetModule(self, len(classes))


class WSCNetModule(EmotionNetwork):
    """Backbone, detection branch and classification branch."""

    def __init__(self, method: WSCNet, classes: int) -> None:
        super().__init__()
        self.backbone = method.chosen.make(size=method.size)
        wide = self.backbone.channels
        self.maps_per_class = method.maps_per_class
        self.detection_weight = method.detection_weight
        self.legacy = method.legacy_gradient
        self.detector = nn.Conv2d(wide, classes * method.maps_per_class, 1)
        self.classifier = nn.Linear(2 * wide, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, C) of the classification branch and sentiment maps (B, s, s)."""
        _, logits, sentiment = self.head(self.backbone(images))
        return logits, sentiment

    def head(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Detection logits (B, C), class logits (B, C), sentiment map (B, s, s)."""
        maps = class_wise_pool(self.detector(features), self.maps_per_class, self.legacy)
        detection = maps.mean(dim=(2, 3))
        weighted = maps * detection[:, :, None, None]
        mean = mean_with_sum_gradient(weighted) if self.legacy else weighted.mean(1, keepdim=True)
        sentiment = mean[:, 0]
        places = sentiment.shape[1] * sentiment.shape[2]
        coupled = torch.einsum("bkhw,bhw->bk", features, sentiment) / places
        logits = self.classifier(torch.cat([features.mean(dim=(2, 3)), coupled], dim=1))
        return detection, logits, sentiment

    def losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Detection and classification loss, weighted."""
        detection, logits, _ = self.head(self.backbone(images))
        detected = self.criterion(detection, labels)
        classified = self.criterion(logits, labels)
        weight = self.detection_weight
        return {
            "loss": weight * detected + (1 - weight) * classified,
            "detection": detected,
            "classification": classified,
        }
