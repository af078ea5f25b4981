"""The backbone "small": a residual network of our own that trains in minutes."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def small() -> nn.Module:
    """The network, for pictures of about 48 pixels: (B, 3, S, S) to (B, 64, S / 4, S / 4)."""
    return nn.Sequential(
        nn.Conv2d(3, 48, 7, 4, 3, bias=False),
        nn.BatchNorm2d(48),
        nn.ReLU(inplace=True),
        Block(48, 48),
        Block(48, 48),
        Block(48, 64),
    )


class Block(nn.Module):
    """Residual block of two 3x3 convolutions (He 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, s, s) to (B, outputs, s / stride, s / stride)."""
        inner = torch.relu(self.first_norm(self.first(x)))
        return torch.relu(self.shortcut(x) + self.second_norm(self.second(inner)))
