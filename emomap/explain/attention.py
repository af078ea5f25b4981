"""Where a vision transformer attends: the last block's attention, and attention rollout."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import UsageError
from emomap.explain.kinds import HEAD
from emomap.nn.tokens import grid, prefix_tokens


def attention_maps(network: nn.Module, images: Tensor, kind: str) -> Tensor:
    """Attention to the patches (B, h, w), not negative.

    It is that of the class token, the first one; in a network without tokens ahead of the patches,
    the mean over all patches.

    Args:
        network: a transformer of timm or torchvision, or one that uses nn.MultiheadAttention.
        images: (B, 3, S, S), normalised.
        kind: "attention" (of the last block, mean over heads), "attention-head0" and so on (one of
            its heads), or "rollout" over all blocks (Abnar & Zuidema 2020, section 3).

    Raises:
        UsageError: no block attends from all tokens to all, or there is no such head.
    """
    with _captured(network) as kept:
        network(images)
    sizes = [one.shape[-1] for one in kept]
    matrices = [one for one in kept if one.ndim == 4 and one.shape[0] == len(images)]
    if not matrices or len(matrices) < len(kept) or len(set(sizes)) > 1:
        raise UsageError(
            "attention and rollout need a transformer whose blocks all attend from all tokens to "
            "all (ViT, DeiT, DINOv2, CLIP); take gradcam or eigencam"
        )
    joint = _joint(matrices, kind)
    side, prefix = grid(joint.shape[-1], prefix_tokens(network))
    seen = joint[:, 0, prefix:] if prefix else joint.mean(dim=1)
    return seen.reshape(len(images), side, side)


def _joint(matrices: Sequence[Tensor], kind: str) -> Tensor:
    """(B, n, n): how much each token attends to each, of the attention of all blocks."""
    if kind == "rollout":
        return rollout([one.mean(dim=1) for one in matrices])
    last = matrices[-1]
    found = HEAD.fullmatch(kind)
    if not found:
        return last.mean(dim=1)
    head = int(found.group(1))
    if head >= last.shape[1]:
        raise UsageError(
            f"{kind}: the last block has the heads 0 to {last.shape[1] - 1} (attention-head0, ...)"
        )
    return last[:, head]


def rollout(attentions: Sequence[Tensor]) -> Tensor:
    """Product over blocks of (A + I) / 2, the rows normalised, from the last block to the first.

    Args:
        attentions: (B, n, n) of each block in their order, the mean over heads.

    Returns:
        (B, n, n): how much each token of the last block is made of each token of the input.
    """
    identity = torch.eye(attentions[0].shape[-1]).to(attentions[0])
    joint = identity.expand_as(attentions[0])
    for one in attentions:
        mixed = (one + identity) / 2
        joint = mixed / mixed.sum(dim=-1, keepdim=True) @ joint
    return joint


@contextmanager
def _captured(network: nn.Module) -> Iterator[list[Tensor]]:
    """The attention (B, heads, n, n) of each block, in the order in which they run."""
    kept: list[Tensor] = []
    handles: list[Any] = []
    fused: list[tuple[nn.Module, bool]] = []

    def ask(_module: nn.Module, arguments: Any, named: dict[str, Any]) -> tuple[Any, Any]:
        return arguments, {**named, "need_weights": True, "average_attn_weights": False}

    def keep_weights(_module: nn.Module, _inputs: Any, output: Any) -> None:
        kept.append(output[1].detach())

    def keep_input(_module: nn.Module, inputs: Any, _output: Any) -> None:
        kept.append(inputs[0].detach())

    try:
        for part in network.modules():
            if isinstance(part, nn.MultiheadAttention):
                handles.append(part.register_forward_pre_hook(ask, with_kwargs=True))
                handles.append(part.register_forward_hook(keep_weights))
            elif hasattr(part, "fused_attn") and isinstance(
                getattr(part, "attn_drop", None), nn.Module
            ):  # timm: the fused kernel does not give its attention away
                fused.append((part, bool(part.fused_attn)))
                part.fused_attn = False  # type: ignore[assignment]
                handles.append(part.attn_drop.register_forward_hook(keep_input))  # type: ignore[union-attr]
        yield kept
    finally:
        for handle in handles:
            handle.remove()
        for part, was in fused:
            part.fused_attn = was  # type: ignore[assignment]
