"""ISLAMNet: emotion maps from attention and self-supervised rotation.

Where the paper is silent or contradicts itself, docs/methods.md lists how we read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emomap.nn.attention import ChannelGate, SpatialGate
from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork
from emomap.nn.noise import uniform_like
from emomap.nn.rotation import rotate


class ISLAMNet(BackboneMethod):
    """Emotion map f4 of ISLAMNet.

    Args:
        backbone, weights, sha256: see `emomap.nn.backbone.make_backbone`.
        size: side of the input in pixels.
        angles: angles of the rotation task, in degrees clockwise. Table 2 of the paper compares
            [0, 180], [90, 270], [0, 90, 180, 270] and the eight multiples of 45.
        rotation_weight: lambda of the joint loss; 0 for no rotation task.
        channels: number of channels of f2, the compressed features.
        reduction: how many times smaller the hidden layer of the channel gate is.
        attention: "parallel" (both gates see f2) or "sequential" (CBAM's order).
        f2_activation: "relu", or "none" as the paper literally says; the sign of f4 is then
            arbitrary.
        map_reduction: f4 is the "sum" or the "mean" of f3 over channels.
        f4_scale: "free", or "mean": f4 is divided by its mean over places before it is coupled to
            f1. The loss can then not shrink f4, and has to choose places.
        f4_floor: share of the mean of f1 that f4 has in addition, so that no place is closed; needs
            f4_scale="mean".
        f4_dropout: share of the places of f4 that are closed at random in each step of the
            training, so that f4 does not settle on one telling place.
        classifier: pooled features that the classifier sees: "both", [f1; U] as in the paper, or
            "coupled", U = f4 * f1 alone.
        views: the turned views of a batch go through the backbone "together", so that batch norm is
            over all of them, or "apart", one angle at a time.
    """

    def __init__(
        self,
        backbone: str = "resnet101",
        weights: str = "default",
        sha256: str = "",
        size: int = 448,
        angles: Sequence[float] = (0, 90, 180, 270),
        rotation_weight: float = 0.5,
        channels: int = 512,
        reduction: int = 16,
        attention: Literal["parallel", "sequential"] = "parallel",
        f2_activation: Literal["relu", "none"] = "relu",
        map_reduction: Literal["sum", "mean"] = "sum",
        f4_scale: Literal["free", "mean"] = "free",
        f4_floor: float = 0.0,
        f4_dropout: float = 0.0,
        classifier: Literal["both", "coupled"] = "both",
        views: Literal["together", "apart"] = "together",
    ) -> None:
        super().__init__(size, BackboneOptions(backbone, weights, sha256))
        angles = [float(angle) % 360 for angle in angles]
        if len(set(angles)) != len(angles) or len(angles) < 2:
            raise ValueError(f"angles={angles}: expected two or more different angles")
        for name, value, known in (
            ("attention", attention, ("parallel", "sequential")),
            ("f2_activation", f2_activation, ("relu", "none")),
            ("map_reduction", map_reduction, ("sum", "mean")),
            ("f4_scale", f4_scale, ("free", "mean")),
            ("classifier", classifier, ("both", "coupled")),
            ("views", views, ("together", "apart")),
        ):
            if value not in known:
                raise ValueError(f"{name}='{value}': expected {' or '.join(known)}")
        if channels < 1 or reduction < 1:
            raise ValueError(f"channels={channels}, reduction={reduction}: expected 1 or more each")
        if rotation_weight < 0:
            raise ValueError(f"rotation_weight={rotation_weight}: expected 0 or more")
        if f4_scale == "mean" and f2_activation == "none":
            raise ValueError(
                "f4_scale='mean' with f2_activation='none': the mean of f4 may be zero; use relu"
            )
        if not 0 <= f4_floor <= 10 or (f4_floor and f4_scale == "free"):
            raise ValueError(f"f4_floor={f4_floor}: expected 0 to 10, and f4_scale='mean'")
        if not 0 <= f4_dropout < 1:
            raise ValueError(f"f4_dropout={f4_dropout}: expected 0 or more, below 1")
        self.angles = angles
        self.rotation_weight = float(rotation_weight)
        self.channels = channels
        self.reduction = reduction
        self.attention = attention
        self.f2_activation = f2_activation
        self.map_reduction = map_reduction
        self.f4_scale = f4_scale
        self.f4_floor = float(f4_floor)
        self.f4_dropout = float(f4_dropout)
        self.classifier = classifier
        self.views = views

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The network, with random weights except for those of the backbone."""
        return ISLAMNetModule(self, len(classes))


class ISLAMNetModule(EmotionNetwork):
    """Backbone, rotation head and emotion head; names as in the paper."""

    gates = ("compress.", "channel_gate.", "spatial_gate.")

    def __init__(self, method: ISLAMNet, classes: int) -> None:
        super().__init__()
        self.backbone = method.chosen.make(size=method.size)
        wide = self.backbone.channels
        self.angles = method.angles
        self.rotation_weight = method.rotation_weight
        self.sequential = method.attention == "sequential"
        self.rectify = method.f2_activation == "relu"
        self.mean = method.map_reduction == "mean"
        self.scaled = method.f4_scale == "mean"
        self.floor = method.f4_floor
        self.dropout = method.f4_dropout
        self.coupled_only = method.classifier == "coupled"
        self.apart = method.views == "apart"
        self.compress = nn.Conv2d(wide, method.channels, 1)
        self.channel_gate = ChannelGate(method.channels, method.reduction)
        self.spatial_gate = SpatialGate()
        self.classifier = nn.Linear(wide if self.coupled_only else 2 * wide, classes)
        self.rotation: nn.Linear | None = None
        if method.rotation_weight:
            self.rotation = nn.Linear(wide, len(method.angles))
        # As long as the features carry no information, the loss shrinks the logits by closing f4
        # wherever f1 is strong; behind a dead ReLU or a saturated gate, f4 then stays closed. So f4
        # starts as the energy of f1 (positive weights, open gates, zero classifier), and a recipe
        # that trains from scratch moves the gates slowly. For any number of channels, the energy is
        # about eight times the mean of f1, so that the first steps do not overshoot.
        nn.init.normal_(self.compress.weight, std=0.01 * 64**2 / (wide * method.channels))
        with torch.no_grad():
            self.compress.weight.abs_()
        nn.init.zeros_(self.compress.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.channel_gate.out.weight)
        nn.init.zeros_(self.spatial_gate.convolution.weight)
        nn.init.zeros_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, C) and emotion maps f4 (B, s, s)."""
        return self.head(self.backbone(images))

    def head(self, f1: Tensor) -> tuple[Tensor, Tensor]:
        """Emotion head: features f1 (B, K, s, s) to logits (B, C) and f4 (B, s, s)."""
        # float32 even under mixed precision: sums over hundreds of channels lose most there
        with torch.autocast(f1.device.type, enabled=False):
            f1 = f1.to(self.classifier.weight.dtype)
            f4 = self.emotion_map(f1)
            seen = self.seen(f4)
            # the mean of U = f4 * f1 in one product, without storing U
            coupled = torch.einsum("bkhw,bhw->bk", f1, seen) / (f4.shape[1] * f4.shape[2])
            if self.coupled_only:
                return self.classifier(coupled), f4
            return self.classifier(torch.cat([f1.mean(dim=(2, 3)), coupled], dim=1)), f4

    def seen(self, f4: Tensor) -> Tensor:
        """f4 (B, s, s) as it is coupled to f1: in training without some places, then scaled."""
        if self.training and self.dropout:
            f4 = f4 * (uniform_like(f4) >= self.dropout)
            if not self.scaled:
                return f4 / (1 - self.dropout)
        return relative(f4) if self.scaled else f4

    def emotion_map(self, f1: Tensor) -> Tensor:
        """f4 (B, s, s) of the features f1: equations 8 to 11."""
        f2 = self.compress(f1)
        if self.rectify:
            f2 = torch.relu(f2)
        f3 = f2 * self.channel_gate(f2)
        f3 = f3 * self.spatial_gate(f3 if self.sequential else f2)
        f4: Tensor = f3.mean(dim=1) if self.mean else f3.sum(dim=1)
        if not self.scaled:
            return f4
        f4 = relative(f4)
        if self.floor:
            f4 = f4 + self.floor * relative(torch.relu(f1).mean(dim=1))
        return f4

    def upright(self, features: Tensor, batch: int) -> Tensor:
        """The features (B, K) of the views that are not turned."""
        first = self._views().index(0.0) * batch if self.rotation is not None else 0
        return features[first : first + batch]

    def _views(self) -> list[float]:
        """Angles of the views: those of the task, and 0, which the classifier needs."""
        return [*self.angles, *([] if 0.0 in self.angles else [0.0])]

    def losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Joint loss: class loss on the upright views, rotation loss on all views."""
        if self.rotation is None:
            return super().losses(images, labels)
        batch = images.shape[0]
        shown = rotate(images, self._views())
        if self.apart:
            features = torch.cat([self.backbone(view) for view in shown.chunk(len(shown) // batch)])
        else:
            features = self.backbone(shown)
        logits, _ = self.head(self.upright(features, batch))
        turned = features[: len(self.angles) * batch]
        which = torch.arange(len(self.angles), device=labels.device).repeat_interleave(batch)
        rotation = F.cross_entropy(self.rotation(turned.mean(dim=(2, 3))), which)
        emotion = self.criterion(logits, labels)
        return {
            "loss": self.rotation_weight * rotation + emotion,
            "emotion": emotion,
            "rotation": rotation,
        }


def relative(maps: Tensor) -> Tensor:
    """Maps (B, s, s) divided by their means over places; one that is zero everywhere stays so."""
    return maps / (maps.mean(dim=(1, 2), keepdim=True) + 1e-6)
