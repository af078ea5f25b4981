"""Features of transformers as maps: tokens into a grid, channels to the front."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from emomap.errors import UsageError


class TimmFeatures(nn.Module):
    """The last features of a transformer of timm as a map, by timm's own feature interface.

    Args:
        model: with ``forward_intermediates``.
        norm: with the normalisation that follows the last block.
    """

    def __init__(self, model: nn.Module, *, norm: bool) -> None:
        super().__init__()
        self.model = model
        self.options = {"norm": True} if norm else {}

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, C, h, w)."""
        found: list[Tensor] = self.model.forward_intermediates(  # type: ignore[operator]
            images, indices=1, output_fmt="NCHW", intermediates_only=True, **self.options
        )
        return found[-1]


class TorchvisionTokens(nn.Module):
    """A vision transformer of torchvision without its classifier: patch tokens as a map.

    Args:
        model: `torchvision.models.VisionTransformer`.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.conv_proj = model.conv_proj
        self.class_token = model.class_token
        self.encoder = model.encoder

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, C, h, w)."""
        patches: Tensor = self.conv_proj(images)  # type: ignore[operator]
        tokens = patches.flatten(2).transpose(1, 2)
        first = self.class_token.expand(len(images), -1, -1)  # type: ignore[operator]
        encoded: Tensor = self.encoder(torch.cat([first, tokens], dim=1))  # type: ignore[operator]
        return as_feature_maps(encoded, 1)


def is_map(features: Tensor, size: int) -> bool:
    """Whether features are (B, C, h, w) and not (B, h, w, C) or tokens. Inputs are square."""
    return (
        features.ndim == 4
        and features.shape[2] == features.shape[3] <= size
        and not channels_last(features.shape)
    )


def as_feature_maps(output: Tensor, prefix: int | None = None) -> Tensor:
    """The output of a layer as (B, C, h, w).

    Args:
        output: (B, C, h, w), (B, h, w, C), or (B, tokens, C).
        prefix: tokens ahead of the patches; None to tell by the number of tokens.

    Raises:
        UsageError: the tokens are no square grid.
    """
    if output.ndim == 4:
        return output.permute(0, 3, 1, 2) if channels_last(output.shape) else output
    side, prefix = grid(output.shape[1], prefix)
    patches = output[:, prefix:].transpose(1, 2)
    return patches.reshape(output.shape[0], output.shape[2], side, side)


def channels_last(shape: torch.Size) -> bool:
    """Whether a four-dimensional output is (B, h, w, C), as Swin has it. Inputs are square."""
    return shape[1] == shape[2] != shape[3]


def grid(tokens: int, prefix: int | None = None) -> tuple[int, int]:
    """Side of the square grid of patches, and the number of tokens ahead of them.

    Raises:
        UsageError: no square grid.
    """
    side = math.isqrt(tokens - (prefix or 0))
    ahead = tokens - side * side
    if prefix is not None and ahead != prefix:
        raise UsageError(
            f"{tokens - prefix} patches do not form a square grid; choose another input size"
        )
    return side, ahead


def prefix_tokens(network: nn.Module) -> int | None:
    """How many tokens a transformer has ahead of its patches, where it says so (timm)."""
    said = (getattr(part, "num_prefix_tokens", None) for part in network.modules())
    return next((count for count in said if isinstance(count, int)), None)
