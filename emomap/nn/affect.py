"""A head that predicts valence and arousal from the pooled features of a network's backbone.

It watches the backbone, so that a network needs no change to have one: during a pass it keeps the
features, and reads them when asked. `emomap.training` adds it where a recipe says
``training.affect = true``.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import UsageError

#: What the head predicts, in this order.
RATINGS = ("valence", "arousal")
#: Name of the head in a network, and of a weight that shows that a checkpoint has one.
NAME = "affect"
WEIGHT = f"{NAME}.linear.weight"


class AffectHead(nn.Module):
    """A linear layer on pooled features, to ratings in standard deviations from their mean.

    Args:
        width: number of features.
    """

    centre: Tensor
    spread: Tensor
    least: Tensor
    greatest: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, len(RATINGS))
        for name, value in (("centre", 0.0), ("spread", 1.0)):
            self.register_buffer(name, torch.full((len(RATINGS),), value))
        self.register_buffer("least", torch.tensor(-torch.inf))
        self.register_buffer("greatest", torch.tensor(torch.inf))
        self.seen: list[Tensor] = []

    def learn_scale(self, ratings: Tensor, scale: tuple[float, float] | None) -> None:
        """Take mean and deviation from the ratings of the training pictures.

        Args:
            ratings: (N, 2), NaN where there is none.
            scale: least and greatest rating; predictions stay within.
        """
        for column in range(len(RATINGS)):
            known = ratings[:, column][~ratings[:, column].isnan()].double()
            if len(known):
                self.centre[column] = known.mean()
                self.spread[column] = known.std(correction=0).clamp(min=1e-6)
        if scale is not None:
            self.least.fill_(scale[0])
            self.greatest.fill_(scale[1])

    def watch(self, backbone: nn.Module) -> None:
        """Keep the features of each pass through a backbone, until they are read."""
        backbone.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, given: Any, features: Any) -> None:
        if self.active:
            self.seen.append(pooled(features))

    #: Whether a pass is to be read. Other passes (explanations) leave nothing behind.
    active = False

    def standard(self, features: Tensor) -> Tensor:
        """(B, width) to (B, 2), in standard deviations from the mean."""
        weight = self.linear.weight
        found: Tensor = self.linear(features.to(weight.dtype))
        return found

    def forward(self, features: Tensor) -> Tensor:
        """(B, width) to ratings (B, 2) on the scale of the training pictures."""
        ratings = self.standard(features) * self.spread + self.centre
        return ratings.clamp(self.least, self.greatest)

    def loss(self, features: Tensor, ratings: Tensor) -> Tensor:
        """Mean squared error in squared standard deviations, over the ratings that there are.

        Args:
            features: (B, width).
            ratings: (B, 2), NaN where there is none.
        """
        wanted = (ratings - self.centre) / self.spread
        known = ~wanted.isnan()
        errors = (self.standard(features) - torch.where(known, wanted, 0.0)) ** 2 * known
        return errors.sum() / known.sum().clamp(min=1)


def pooled(features: Any) -> Tensor:
    """Features (B, K, h, w) averaged over places; (B, K) as they are.

    Raises:
        UsageError: neither.
    """
    if isinstance(features, Tensor) and features.dim() == 4:
        return features.mean(dim=(2, 3))
    if isinstance(features, Tensor) and features.dim() == 2:
        return features
    raise UsageError("training.affect=true: the backbone gives no features (B, K, h, w) or (B, K)")


def add_affect(network: nn.Module, *, width: int = 0, size: int = 0) -> AffectHead:
    """Give a network a head for valence and arousal, as its part `NAME`.

    Args:
        network: with a part ``backbone``; changed.
        width: number of features; 0 to find it with a blank picture.
        size: side of that picture.

    Raises:
        UsageError: the network has no backbone, or one without features to pool.
    """
    backbone = getattr(network, "backbone", None)
    if not isinstance(backbone, nn.Module):
        raise UsageError(
            f"training.affect=true: {type(network).__name__} has no part called backbone"
        )
    if not width:
        was = backbone.training
        with torch.no_grad():
            width = pooled(backbone.eval()(torch.zeros(1, 3, size, size))).shape[1]
        backbone.train(was)
    head = AffectHead(width)
    network.add_module(NAME, head)
    head.watch(backbone)
    return head


def affect_of(network: nn.Module) -> AffectHead | None:
    """The head of a network, or None."""
    found = getattr(network, NAME, None)
    return found if isinstance(found, AffectHead) else None
