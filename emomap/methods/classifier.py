"""A plain classifier: a backbone, global average pooling, one linear layer. Its map explains it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from emomap.explain.kinds import CHOICES, PREDICTED, Explanation, known
from emomap.explain.method import Explained
from emomap.method import Image, Prediction
from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork


class PlainClassifier(BackboneMethod):
    """Any backbone with a linear layer on its pooled features, and a map that explains it.

    Args:
        backbone, weights, sha256: see `emomap.nn.backbone.make_backbone`.
        size: side of the input in pixels.
        map: kind of the explanation, see `emomap.explain.kinds.known`; all but "cam",
            "attention" and "rollout" need the extra ``cam``.
        explained: "predicted", "true" or an emotion: the class that the map explains.
        layer: layer whose output is explained; "" for the backbone's features.
    """

    def __init__(
        self,
        backbone: str = "resnet101",
        weights: str = "default",
        sha256: str = "",
        size: int = 448,
        map: str = "cam",
        explained: str = PREDICTED,
        layer: str = "",
    ) -> None:
        super().__init__(size, BackboneOptions(backbone, weights, sha256))
        if not known(map):
            raise ValueError(f"map='{map}': expected one of {', '.join(CHOICES)}")
        self.map = map
        self.explained = explained
        self.layer = layer

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The network, with random weights except for those of the backbone."""
        return PlainClassifierModule(self, len(classes))

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps at the size of each picture, and probabilities."""
        return self.predict_labelled(images, [None] * len(images))

    def predict_labelled(
        self, images: Sequence[Image], labels: Sequence[str | None]
    ) -> list[Prediction]:
        """The same, with the labels that ``explained = "true"`` needs."""
        wanted = Explanation(self.map, self.layer, self.explained)
        return Explained(self, wanted).predict_labelled(images, labels)


class PlainClassifierModule(EmotionNetwork):
    """Backbone, pooling, linear layer."""

    def __init__(self, method: PlainClassifier, classes: int) -> None:
        super().__init__()
        self.backbone = method.chosen.make(size=method.size)
        self.classifier = nn.Linear(self.backbone.channels, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, C), and the class activation map (B, s, s) of the likeliest class.

        The map, without negative values, is what checks and controls look at; `predict` makes the
        one that was chosen.
        """
        features: Any = self.backbone(images)
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        rows = self.classifier.weight[logits.argmax(dim=1)]
        return logits, torch.einsum("bc,bchw->bhw", rows, features).relu()
