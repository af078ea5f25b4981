"""Activation checkpointing: blocks of a backbone are computed again in the backward pass.

Only what enters a block is kept, so a training takes less memory and about a third more time. The
result is the same (Chen 2016).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


def checkpointed(body: nn.Module, x: Tensor) -> Tensor:
    """What ``body(x)`` returns, with the activations within its `blocks` computed twice."""
    for block in blocks(body):
        contexts = partial(_contexts, block)
        x = checkpoint(partial(_through, block), x, use_reentrant=False, context_fn=contexts)
    return x


def _through(block: Sequence[nn.Module], x: Tensor) -> Tensor:
    for layer in block:
        x = layer(x)
    return x


def _contexts(
    block: Sequence[nn.Module],
) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Those of the first pass and of the second."""
    return contextlib.nullcontext(), _statistics_kept(block)


def blocks(body: nn.Module) -> list[list[nn.Module]]:
    """A network as blocks of layers, all in a row; one block if it is no sequence.

    A block begins with a module that does not change its input in place: a convolution, or a module
    of several layers.
    """
    found: list[list[nn.Module]] = []
    for layer in _layers(body):
        begins = isinstance(layer, nn.Conv2d) or next(layer.children(), None) is not None
        if begins or not found:
            found.append([])
        found[-1].append(layer)
    return found


def _layers(body: nn.Module) -> Iterator[nn.Module]:
    if type(body) is not nn.Sequential:
        yield body
        return
    for child in body:
        yield from _layers(child)


@contextlib.contextmanager
def _statistics_kept(block: Sequence[nn.Module]) -> Iterator[None]:
    """Keep the running statistics of batch norm, which the first pass has updated already."""
    parts = (part for layer in block for part in layer.modules())
    norms = [part for part in parts if isinstance(part, nn.modules.batchnorm._BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    counts = [norm.num_batches_tracked for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        norm.num_batches_tracked = None
    try:
        yield
    finally:
        for norm, momentum, count in zip(norms, momenta, counts, strict=True):
            norm.momentum = momentum
            norm.num_batches_tracked = count
