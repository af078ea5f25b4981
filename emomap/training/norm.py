"""Batch norm over the pictures of all processes (`training.sync_batchnorm`), or with the statistics
of the pretrained weights (`training.frozen_batchnorm`)."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.distributed import nn as distributed
from torch.nn import functional

from emomap.nn.network import EmotionNetwork

Network = TypeVar("Network", bound=nn.Module)


class SharedBatchNorm(nn.BatchNorm2d):
    """Batch norm whose means and variances are over the pictures of all processes, on any device.

    torch's own SyncBatchNorm needs GPUs. All processes must have equally many pictures.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        if not self.training:
            return super().forward(x)
        processes = torch.distributed.get_world_size()
        shape = (1, -1, 1, 1)
        # all-reduces with gradients: each process's loss depends on the pictures of all
        mean = _sum(x.mean(dim=(0, 2, 3))) / processes
        centred = x - mean.view(shape)
        spread = centred.square().mean(dim=(0, 2, 3))
        variance = _sum(spread) / processes
        self._remember(mean, variance, processes * x.numel() // x.shape[1])
        result = centred * torch.rsqrt(variance + self.eps).view(shape)
        if not self.affine:
            return result
        return result * self.weight.view(shape) + self.bias.view(shape)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Update the running statistics as torch does, with the unbiased variance."""
        if self.running_mean is None or self.running_var is None:
            return
        share = self.momentum if self.momentum is not None else 0.1
        unbiased = variance * (count / max(1, count - 1))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), share)
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)


class FrozenBatchNorm(nn.BatchNorm2d):
    """Batch norm that keeps its means and variances while its other parameters learn."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same."""
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, self.eps
        )


def freeze_batch_norm(network: EmotionNetwork) -> bool:
    """Let the batch norm of a network's backbone keep its statistics.

    Returns:
        False where the backbone has no batch norm.
    """
    found = False
    for name, part in network.named_modules():
        if type(part) is nn.BatchNorm2d and "backbone" in name.split("."):
            part.__class__ = FrozenBatchNorm
            found = True
    return found


def _sum(values: Tensor) -> Tensor:
    """The sum over all processes; gradients flow back to each."""
    total: Tensor = distributed.functional.all_reduce(values)  # type: ignore[no-untyped-call]
    return total


def share_batch_norm(network: Network, device: torch.device) -> Network:
    """A network whose batch norm is over all processes; it has the same parameters and names."""
    if device.type == "cuda":
        shared: Network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        return shared
    for part in network.modules():
        if type(part) is nn.BatchNorm2d:
            part.__class__ = SharedBatchNorm
    return network
