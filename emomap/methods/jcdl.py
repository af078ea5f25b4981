"""JCDL: joint classification and label distribution learning (Yang 2017). Gives no map."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emomap.nn.backbone import BackboneOptions
from emomap.nn.network import BackboneMethod, EmotionNetwork

#: Mikels' wheel: neighbours are next to each other, the first four are positive.
WHEEL = ("amusement", "contentment", "awe", "excitement", "fear", "sadness", "disgust", "anger")


def label_distribution(classes: Sequence[str], sigma: float = 0.45) -> Tensor:
    """How much of each emotion a picture of one emotion shows.

    A Gaussian over the distance on Mikels' wheel among emotions of the same polarity, zero across
    polarities. An emotion that is not on the wheel has no neighbours.

    Args:
        classes: C emotions.
        sigma: standard deviation of the Gaussian, in steps of the wheel.

    Returns:
        (C, C) float64; each row sums to 1.
    """
    table = torch.eye(len(classes), dtype=torch.float64)
    for i, one in enumerate(classes):
        for j, other in enumerate(classes):
            if one in WHEEL and other in WHEEL:
                a, b = WHEEL.index(one), WHEEL.index(other)
                same = (a < 4) == (b < 4)
                distance = torch.tensor(float(a - b), dtype=torch.float64)
                table[i, j] = torch.exp(-(distance**2) / (2 * sigma**2)) if same else 0.0
    return table / table.sum(dim=1, keepdim=True)


def joint_loss(
    logits: Tensor,
    labels: Tensor,
    distribution: Tensor,
    weight: float,
    criterion: Callable[[Tensor, Tensor, Tensor | None], Tensor] | None = None,
    answers: Tensor | None = None,
) -> dict[str, Tensor]:
    """Cross entropy with the label, and with the label distribution.

    Args:
        logits: (B, C).
        labels: (B,) int64.
        distribution: (C, C), see `label_distribution`.
        weight: lambda, the share of the distribution loss.
        criterion: compares logits with labels or targets, see `EmotionNetwork.criterion`; None
            for the plain cross entropy.
        answers: (B, C) distributions to learn instead of those of the labels; or None.

    Returns:
        "loss", "label" and "distribution". Yang et al. 2017, equation 4.
    """
    compare = criterion or _cross_entropy
    hard = compare(logits, labels, None)
    each = distribution[labels] if answers is None else answers
    soft = compare(logits, labels, each.to(logits.dtype))
    return {"loss": (1 - weight) * hard + weight * soft, "label": hard, "distribution": soft}


def _cross_entropy(logits: Tensor, labels: Tensor, targets: Tensor | None) -> Tensor:
    return F.cross_entropy(logits, labels if targets is None else targets)


class JCDL(BackboneMethod):
    """Classifier that learns label distributions.

    Args:
        backbone, weights, sha256: see `emomap.nn.backbone.make_trunk`.
        size: side of the input in pixels.
        distribution_weight: lambda, the share of the distribution loss.
        sigma: standard deviation of the label distribution, in steps of Mikels' wheel.
    """

    gives_map: ClassVar[bool] = False

    def __init__(
        self,
        backbone: str = "vgg16",
        weights: str = "default",
        sha256: str = "",
        size: int = 224,
        distribution_weight: float = 0.8,
        sigma: float = 0.45,
    ) -> None:
        super().__init__(size, BackboneOptions(backbone, weights, sha256))
        if not 0 <= distribution_weight <= 1:
            raise ValueError(f"distribution_weight={distribution_weight}: expected 0..1")
        if sigma <= 0:
            raise ValueError(f"sigma={sigma}: expected a number above 0")
        self.distribution_weight = float(distribution_weight)
        self.sigma = float(sigma)

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The network, with random weights except for those of the trunk."""
        return JCDLModule(self, classes)


class JCDLModule(EmotionNetwork):
    """A known network with a new last layer (fc8).

    A picture that people gave a distribution is learned with that; any other with the one that its
    label stands for.
    """

    learns_distributions = True
    distribution: Tensor

    def __init__(self, method: JCDL, classes: Sequence[str]) -> None:
        super().__init__()
        self.backbone, wide = method.chosen.make_trunk(size=method.size)
        self.classifier = nn.Linear(wide, len(classes))
        self.weight = method.distribution_weight
        self.register_buffer(
            "distribution", label_distribution(classes, method.sigma), persistent=False
        )

    def forward(self, images: Tensor) -> tuple[Tensor, None]:
        """Logits (B, C), and no map."""
        return self.classifier(self.backbone(images)), None

    def losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The joint loss of label and distribution."""
        logits = self(images)[0]
        answers = self.answers(labels, self.distribution[labels].to(logits.dtype))
        return joint_loss(logits, labels, self.distribution, self.weight, self.criterion, answers)
