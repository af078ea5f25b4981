"""The parts of a training, built before its first step: device, pictures, optimiser, compiled step.

Each function builds one part from the settings. `emomap.training.loop.Training` joins them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import EmomapError, UsageError
from emomap.nn.network import EmotionNetwork, normalise, pick_device
from emomap.parallel import launched
from emomap.progress import say
from emomap.sample import Dataset, Sample
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


def own_share(batch: int, rank: int, processes: int) -> slice:
    """The places in a batch that this process trains on.

    Raises:
        UsageError: the batch cannot be divided.
    """
    share, rest = divmod(batch, processes)
    if rest:
        raise UsageError(
            f"training.batch={batch} cannot be divided equally among {processes} processes"
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


class LossStep(nn.Module):
    """The part of a step that is compiled and shared among processes: pixels, labels -> losses."""

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """(B, S, S, 3) uint8 and (B,) int64 to scalars."""
        return self.network.losses(normalise(images), labels)


def make_step(network: EmotionNetwork, wanted: str, device: torch.device, steps: int) -> Any:
    """`LossStep` of a network, compiled where ``wanted`` ("yes", "no", "auto") asks for it.

    Args:
        steps: of the whole training; "auto" compiles on a GPU from `WORTH_COMPILING` on.
    """
    step = LossStep(network)
    worth = device.type == "cuda" and steps >= WORTH_COMPILING
    return torch.compile(step) if wanted == "yes" or (wanted == "auto" and worth) else step
