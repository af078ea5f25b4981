"""Find the layer whose output is explained; leave a network as it was."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import UsageError
from emomap.nn.tokens import channels_last


def find_layer(network: nn.Module, images: Tensor, name: str = "") -> str:
    """The name of the layer whose output is explained.

    By default that is the last part of the network whose output is a feature map, or for a
    transformer the first normalisation in its last block.

    Args:
        network: returns logits.
        images: (B, 3, S, S); the network is run on it.
        name: as in ``network.named_modules()``; "" to look for it.

    Raises:
        UsageError: there is no such layer, it does not take part, or no layer gives feature maps.
    """
    names = [known for known, _ in network.named_modules() if known]
    if name and name not in names:
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[-5:]
        raise UsageError(f"--layer {name}: the network has no such layer; near it are "
                         f"{', '.join(near)}")  # fmt: skip
    shapes = _outputs(network, images)
    if name:
        if name not in shapes:
            raise UsageError(f"--layer {name}: this layer takes no part in the network's output")
        if not _spatial(shapes[name]):
            raise UsageError(
                f"--layer {name}: its output {tuple(shapes[name])} is no feature map; name one "
                "whose output is (B, C, h, w), (B, h, w, C) or (B, tokens, C)"
            )
        return name
    if tokens := _last_block(network, shapes):
        return tokens
    classes = shapes[""][1] if len(shapes[""]) == 2 else 0
    found = _last_map(network, shapes, "", classes) or _last_map(network, shapes, "", 0)
    if not found:
        raise UsageError("no layer of the network gives feature maps; name one with --layer")
    return found


def _last_map(network: nn.Module, shapes: dict[str, torch.Size], inside: str, classes: int) -> str:
    """The last part with weights and a feature map as output; parts without one are looked into.

    Args:
        classes: number of classes; a map of each class is no feature map, as in SqueezeNet.
    """
    parent = network.get_submodule(inside)
    order = list(shapes)
    parts = [f"{inside}.{n}" if inside else n for n, _ in parent.named_children()]
    for part in sorted((p for p in parts if p in shapes), key=order.index, reverse=True):
        weighted = any(True for _ in network.get_submodule(part).parameters())
        shape = shapes[part]
        if weighted and len(shape) == 4 and _spatial(shape) and _channels(shape) != classes:
            return part
        if deeper := _last_map(network, shapes, part, classes):
            return deeper
    return ""


def _last_block(network: nn.Module, shapes: dict[str, torch.Size]) -> str:
    """The first normalisation of the last block that works on tokens; "" where there is none."""
    norms = [
        name
        for name in shapes
        if len(shapes[name]) == 3
        and isinstance(network.get_submodule(name), nn.LayerNorm)
        and name.rpartition(".")[2] in {"norm1", "ln_1", "layernorm_before", "norm_1"}
    ]
    return norms[-1] if norms else ""


def _outputs(network: nn.Module, images: Tensor) -> dict[str, torch.Size]:
    """Layer -> shape of its output, in the order in which the layers end; "" is the network."""
    shapes: dict[str, torch.Size] = {}
    handles = []

    def keeper(name: str) -> Any:
        def keep(_module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                shapes.pop(name, None)  # a layer that is used twice counts where it is used last
                shapes[name] = output.shape

        return keep

    try:
        for name, part in network.named_modules():
            handles.append(part.register_forward_hook(keeper(name)))
        with torch.no_grad():
            network(images)
    finally:
        for handle in handles:
            handle.remove()
    return shapes


def _spatial(shape: torch.Size) -> bool:
    if len(shape) == 4:
        height, width = (shape[1], shape[2]) if channels_last(shape) else (shape[2], shape[3])
        return min(height, width) > 1
    return len(shape) == 3 and shape[1] > 3


def _channels(shape: torch.Size) -> int:
    return shape[3] if channels_last(shape) else shape[1]


@contextmanager
def left_alone(network: nn.Module) -> Iterator[None]:
    """Put mode, gradients and what needs them back as they were."""
    modes = {part: part.training for part in network.modules()}
    kept = [(p, p.requires_grad, p.grad) for p in network.parameters()]
    for parameter, _, _ in kept:
        parameter.grad = None
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode
        for parameter, needs, gradient in kept:
            parameter.requires_grad_(needs)
            parameter.grad = gradient
