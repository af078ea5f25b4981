"""Random numbers for a batch that several processes share, the same as one process would draw."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform_like(x: Tensor) -> Tensor:
    """Uniform numbers in [0, 1) of the shape of a batch.

    Where several processes train with one seed, each draws the numbers of the whole batch and
    takes those of its own pictures. So they compute what one process does.

    Args:
        x: (B, ...), this process's part of the batch.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return torch.rand_like(x)
    batch, processes = x.shape[0], torch.distributed.get_world_size()
    whole = torch.rand(processes * batch, *x.shape[1:], dtype=x.dtype, device=x.device)
    return whole[batch * torch.distributed.get_rank() :][:batch]
