"""Attention gates: which channels and which places of a feature map matter (Woo 2018, CBAM)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def channel_gate(
    x: Tensor, hidden_weight: Tensor, hidden_bias: Tensor, weight: Tensor, bias: Tensor
) -> Tensor:
    """How much each channel matters: sigmoid(MLP(average) + MLP(maximum)), one shared MLP.

    Args:
        x: (B, C, H, W) features.
        hidden_weight, hidden_bias: (C / r, C) and (C / r,), the hidden layer, followed by ReLU.
        weight, bias: (C, C / r) and (C,), the output layer.

    Returns:
        (B, C, 1, 1), in 0..1. ISLAMNet equations 9 and 10; CBAM equation 2.
    """

    def mlp(pooled: Tensor) -> Tensor:
        return F.linear(F.relu(F.linear(pooled, hidden_weight, hidden_bias)), weight, bias)

    gate = torch.sigmoid(mlp(x.mean(dim=(2, 3))) + mlp(x.amax(dim=(2, 3))))
    return gate[:, :, None, None]


def spatial_gate(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """How much each place matters: sigmoid(convolution of the channels' maximum and mean).

    Args:
        x: (B, C, H, W) features.
        weight: (1, 2, k, k), k odd; the first input channel is the maximum, the second the mean.
        bias: (1,) or None.

    Returns:
        (B, 1, H, W), in 0..1. ISLAMNet equation 11; CBAM equation 3.

    Raises:
        ValueError: k is even.
    """
    if weight.shape[-1] % 2 == 0:
        raise ValueError(
            f"a kernel of {weight.shape[-2]} x {weight.shape[-1]}: its side must be odd"
        )
    summary = torch.cat([x.amax(dim=1, keepdim=True), x.mean(dim=1, keepdim=True)], dim=1)
    return torch.sigmoid(F.conv2d(summary, weight, bias, padding=weight.shape[-1] // 2))


class ChannelGate(nn.Module):
    """`channel_gate` with its weights."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.hidden = nn.Linear(channels, max(1, channels // reduction))
        self.out = nn.Linear(self.hidden.out_features, channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 1, 1)."""
        hidden, out = self.hidden, self.out
        return channel_gate(x, hidden.weight, hidden.bias, out.weight, out.bias)


class SpatialGate(nn.Module):
    """`spatial_gate` with its weights; no bias, no batch norm."""

    def __init__(self, size: int = 7) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(2, 1, size, padding=size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, 1, H, W)."""
        return spatial_gate(x, self.convolution.weight)
