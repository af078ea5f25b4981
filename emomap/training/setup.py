"""The parts of a training, built before its first step: device, pictures, optimiser, compiled step.

Each function builds one part from the settings. `emomap.training.loop.Training` joins them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from emomap.errors import EmomapError, UsageError
from emomap.nn.affect import affect_of
from emomap.nn.backbone import checkpoint_blocks
from emomap.nn.network import EmotionNetwork, pick_device
from emomap.parallel import launched
from emomap.progress import say
from emomap.sample import Dataset, Sample
from emomap.training.answers import unpack
from emomap.training.norm import freeze_batch_norm, share_batch_norm
from emomap.training.settings import Settings

#: Steps from which on compiling (about a minute) pays on a GPU.
WORTH_COMPILING = 200


def make_fabric(device_name: str, precision: str) -> Any:
    """Lightning Fabric on one device, or on all that torchrun, fabric run or SLURM provides.

    Raises:
        EmomapError: this machine has no such device.
        UsageError: Fabric refuses the precision or cannot start.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment

    device = pick_device(device_name)
    place = launched()
    if precision == "auto":
        precision = "bf16-mixed" if device.type == "cuda" else "32-true"
    devices: Any = place.processes // place.machines
    if place.processes == 1 and device.type == "cuda":
        devices = [device.index or 0]
    try:
        fabric = Fabric(
            accelerator=device.type,
            devices=devices,
            num_nodes=place.machines,
            strategy="ddp" if place.processes > 1 else "auto",
            precision=precision,  # type: ignore[arg-type]
            # a SLURM batch script that trains by itself must not wait for its other tasks
            plugins=[LightningEnvironment()] if place.processes == 1 else None,
        )
        if "LT_CLI_USED" not in os.environ:  # `fabric run` has launched already
            fabric.launch()
    except (ValueError, RuntimeError) as error:
        raise UsageError(f"training cannot start on {device}: {error}") from error
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
        torch.set_float32_matmul_precision("high")
    return fabric


def labelled(dataset: Dataset, show: bool) -> list[Sample]:
    """The pictures of a split that have a label; ``show`` says on stderr how many have none."""
    found = [sample for sample in dataset if sample.emotion is not None]
    if show and 0 < len(found) < len(dataset):
        say(f"{dataset.name}: {len(dataset) - len(found)} pictures without a label are left out")
    return found


def check_labelled(samples: Sequence[Sample], dataset: Dataset, method: str) -> None:
    """Refuse a training split without labels.

    Raises:
        EmomapError: there is no sample.
    """
    if not samples:
        raise EmomapError(
            f"{method} learns from labelled pictures, and {dataset.name or 'the data set'} "
            "has none to train on: add labels.csv (image,emotion), or give --checkpoint"
        )


def class_weights(labels: Tensor) -> Tensor:
    """(C,) float32 weights with which each emotion has the same part in the mean loss.

    The weight of an emotion is N / (C' n) for its n of the N pictures, and C' emotions that have
    pictures; so the mean over the pictures is 1. C is one more than the largest label.

    Args:
        labels: (N,) int64, of the training pictures.
    """
    counts = torch.bincount(labels).double()
    weights = len(labels) / (counts.clamp(min=1) * (counts > 0).sum())
    return weights.float()


def own_share(batch: int, rank: int, processes: int, parts: int = 1) -> slice:
    """The places in a batch that this process trains on, in so many parts.

    Raises:
        UsageError: the batch cannot be divided.
    """
    share, rest = divmod(batch, processes)
    if rest:
        raise UsageError(
            f"training.batch={batch} cannot be divided equally among {processes} processes"
        )
    if share % parts:
        raise UsageError(
            f"training.accumulate={parts}: the {share} pictures of a batch cannot be divided "
            "equally among so many parts"
        )
    return slice(rank * share, (rank + 1) * share)


def make_optimizer(
    network: EmotionNetwork, settings: Settings, device: torch.device
) -> torch.optim.Optimizer:
    """Three groups with learning rates of their own: backbone, gates, and the other new layers."""
    parts: dict[str, list[nn.Parameter]] = {"backbone": [], "gates": [], "new": []}
    for name, parameter in network.named_parameters():
        own = "gates" if name.startswith(network.gates) else "new"
        parts["backbone" if name.startswith("backbone.") else own].append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parts["backbone"], "lr": settings.backbone_learning_rate},
        {"params": parts["gates"], "lr": settings.gate_learning_rate or settings.learning_rate},
        {"params": parts["new"], "lr": settings.learning_rate},
    ]
    groups = [{**group, "base": group["lr"]} for group in groups if group["params"]]
    fused = device.type == "cuda"
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=fused)
    return torch.optim.SGD(
        groups,
        momentum=settings.momentum,
        nesterov=settings.nesterov,
        weight_decay=settings.weight_decay,
        fused=fused,
    )


def prepare_network(
    network: EmotionNetwork, settings: Settings, labels: Tensor, device: torch.device, shared: bool
) -> EmotionNetwork:
    """Set up a fresh network for its training: on the device, with what the settings ask for.

    Args:
        network: changed.
        labels: (N,) int64, of the training pictures.
        shared: whether several processes train.

    Raises:
        UsageError: its backbone has no blocks to compute again, or no batch norm to freeze.
    """
    network.label_smoothing = settings.label_smoothing
    network.loss = settings.loss
    if settings.class_weights == "balanced":
        network.class_weights = class_weights(labels)
    if settings.checkpoint_blocks and not checkpoint_blocks(network):
        raise UsageError(
            f"training.checkpoint_blocks=true: {type(network).__name__} has no backbone of several "
            "blocks; leave it false"
        )
    if settings.frozen_batchnorm and not freeze_batch_norm(network):
        raise UsageError(
            f"training.frozen_batchnorm=true: {type(network).__name__} has no batch norm in its "
            "backbone; leave it false"
        )
    if settings.sync_batchnorm and shared:
        network = share_batch_norm(network, device)
    return network.to(device).to(memory_format=torch.channels_last)


def make_average(network: EmotionNetwork, decay: float) -> AveragedModel | None:
    """The exponential moving average of a network, buffers included; None for a decay of 0."""
    if not decay:
        return None
    step = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=step, use_buffers=True)


class LossStep(nn.Module):
    """The part of a step that is compiled and shared among processes: pixels, answers -> losses."""

    def __init__(self, network: EmotionNetwork, affect_weight: float = 1.0) -> None:
        super().__init__()
        self.network = network
        self.normalise = network.normalisation
        self.affect_weight = affect_weight

    def forward(self, images: Tensor, packed: Tensor) -> dict[str, Tensor]:
        """(B, S, S, 3) uint8, and labels (B,) or packed answers (`answers.pack`), to scalars."""
        told = unpack(packed)
        self.network.shares = told.shares
        head = affect_of(self.network)
        if head is None or told.ratings is None:
            return self.network.losses(self.normalise(images), told.labels)
        head.active = True
        losses = self.network.losses(self.normalise(images), told.labels)
        head.active = False
        features = self.network.upright(torch.cat(head.seen), len(images))
        head.seen.clear()
        affect = head.loss(features, told.ratings)
        return {**losses, "loss": losses["loss"] + self.affect_weight * affect, "affect": affect}


def make_step(network: EmotionNetwork, settings: Settings, device: torch.device, steps: int) -> Any:
    """`LossStep` of a network, compiled where the settings ("yes", "no", "auto") ask for it.

    Args:
        steps: of the whole training; "auto" compiles on a GPU from `WORTH_COMPILING` on.
    """
    step = LossStep(network, settings.affect_weight)
    wanted = settings.compile
    worth = device.type == "cuda" and steps >= WORTH_COMPILING
    return torch.compile(step) if wanted == "yes" or (wanted == "auto" and worth) else step


def is_compiled(step: Any) -> bool:
    """Whether `make_step` has compiled a step."""
    return not isinstance(step, LossStep)
