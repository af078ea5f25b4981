"""WILDCAT: weakly supervised learning of deep convolutional networks (Durand 2017)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn

from emomap.errors import UsageError
from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork
from emomap.nn.pooling import class_wise_pool, spatial_pool


class WILDCAT(BackboneMethod):
    """Class map of WILDCAT.

    Args:
        backbone, weights, sha256: see `emomap.nn.backbone.make_backbone`.
        size: side of the input in pixels.
        maps_per_class: M, the number of maps that are averaged for each class.
        kmax, kmin, alpha: see `emomap.nn.pooling.spatial_pool`; kmin below 0 for the value of kmax.
        map: "predicted" for the map of the likeliest class, "weighted" for the sum of the class
            maps weighted by their probabilities.
        legacy_gradient: train with the gradients of the official code (without the factor 1 / M).
    """

    def __init__(
        self,
        backbone: str = "resnet101",
        weights: str = "default",
        sha256: str = "",
        size: int = 448,
        maps_per_class: int = 8,
        kmax: float = 0.2,
        kmin: float = -1.0,
        alpha: float = 0.7,
        map: Literal["predicted", "weighted"] = "predicted",
        legacy_gradient: bool = False,
    ) -> None:
        super().__init__(size, BackboneOptions(backbone, weights, sha256))
        if maps_per_class < 1:
            raise ValueError(f"maps_per_class={maps_per_class}: expected 1 or more")
        if kmax <= 0:
            raise ValueError(f"kmax={kmax}: expected a share below 1, or a number of places")
        if map not in ("predicted", "weighted"):
            raise ValueError(f"map='{map}': expected predicted or weighted")
        self.maps_per_class = maps_per_class
        self.kmax = kmax
        self.kmin = kmin
        self.alpha = float(alpha)
        self.map = map
        self.legacy_gradient = legacy_gradient

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The network, with random weights except for those of the backbone."""
        return WILDCATModule(self, len(classes))


class WILDCATModule(EmotionNetwork):
    """Backbone, class maps, and pooling of their strongest and weakest places."""

    def __init__(self, method: WILDCAT, classes: int) -> None:
        super().__init__()
        self.backbone = method.chosen.make(size=method.size)
        self.maps_per_class = method.maps_per_class
        self.kmax = method.kmax
        self.kmin = None if method.kmin < 0 else method.kmin
        self.alpha = method.alpha
        self.weighted = method.map == "weighted"
        self.legacy = method.legacy_gradient
        self.detector = nn.Conv2d(self.backbone.channels, classes * method.maps_per_class, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, C) and the map (B, s, s) that the option ``map`` names."""
        features = self.backbone(images)
        maps = class_wise_pool(self.detector(features), self.maps_per_class, self.legacy)
        try:
            logits = spatial_pool(maps, self.kmax, self.kmin, self.alpha)
        except ValueError as error:  # the size of the maps is not known before
            raise UsageError(f"method.wildcat: {error}; use a larger kmax or input") from error
        weights = logits.softmax(dim=1)
        if not self.weighted:
            weights = (weights == weights.amax(dim=1, keepdim=True)).to(maps.dtype)
        return logits, (maps * weights[:, :, None, None]).sum(dim=1)
