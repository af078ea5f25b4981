"""One training loop for every network, on Lightning Fabric; resumes exactly where it was killed.

Nothing random is carried from step to step: order, augmentation and dropout of a step follow from
the seed and the step's number alone. So the state to resume from is weights, momentum and counters.

    FOLDER/state.pt         the state, while training goes on
    FOLDER/best.pt          the best epoch so far
    FOLDER/checkpoint.pt    the best epoch; written last, so its existence says "finished"
    FOLDER/training.jsonl   one line an epoch
    FOLDER/training.png     learning curves
    FOLDER/events.out.*     the same for TensorBoard, if the package tensorboard is installed
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from emomap.errors import EmomapError, UsageError
from emomap.nn.backbone import read_state
from emomap.nn.network import (
    EmotionNetwork,
    NetworkMethod,
    fixed_threads,
    normalise,
    pick_device,
    write_state,
)
from emomap.parallel import launched
from emomap.progress import say, track
from emomap.sample import Dataset
from emomap.training.batches import Pictures, augment, epoch_order, step_seed
from emomap.training.logs import draw_curves, write_events, write_log
from emomap.training.settings import Settings

#: On a GPU the loss is looked at only now and then, since looking makes it wait.
LOOK_EVERY = 20


@dataclass
class Progress:
    """How far a training is: everything but weights and momentum."""

    step: int = 0
    sums: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    best: list[float] = field(default_factory=lambda: [-1.0, -math.inf])


class Training:
    """One training: what `train` does, step by step."""

    def __init__(
        self,
        method: NetworkMethod,
        train: Dataset,
        validation: Dataset,
        settings: Settings,
        folder: Path,
        seed: int,
        device: str,
    ) -> None:
        self.method = method
        self.name = type(method).__name__
        self.settings = settings
        self.folder = folder
        self.seed = seed
        self.device = device
        self.train = train
        self.validation = validation
        self.identity = {
            "method": self.name,
            "options": method.options,
            "classes": list(train.classes),
            "pictures": [len(train), len(validation)],
            "seed": seed,
            **{f"training.{key}": value for key, value in asdict(settings).items()},
        }

    def run(self, show: bool) -> None:
        """Train, unless that is done already, and load the best epoch."""
        final = self.folder / "checkpoint.pt"
        if not final.exists():
            with fixed_threads(self.settings.threads):
                self._train(show)
        (self.folder / "state.pt").unlink(missing_ok=True)
        self.method.load(final, device=self.device)

    # ------------------------------------------------------------------------------- preparing

    def _train(self, show: bool) -> None:
        settings = self.settings
        self.fabric = self._fabric()
        self.show = show and self.fabric.is_global_zero
        self.pictures = self._pictures(self.train, settings.crop)
        self.judges = self._pictures(self.validation, (1.0, 1.0))
        if self.show and not len(self.judges):
            say("no labelled pictures to validate on: the last epoch will be kept, not the best")
        share, rest = divmod(settings.batch, self.fabric.world_size)
        if rest:
            raise UsageError(
                f"training.batch={settings.batch} cannot be divided among "
                f"{self.fabric.world_size} processes"
            )
        self.first = self.fabric.global_rank * share
        self.mine = slice(self.first, self.first + share)
        self.steps = len(epoch_order(self.seed, 0, len(self.pictures), settings.batch))
        self.total = self.steps * settings.epochs
        torch.manual_seed(self.seed)
        self.method.classes = self.train.classes
        self.network = self.method.build(self.train.classes)
        self.network.to(self.fabric.device).to(memory_format=torch.channels_last)
        optimizer = self._optimizer()
        step: Any = Step(self.network)
        if self._compiles():
            step = torch.compile(step)
        self.runner, self.optimizer = self.fabric.setup(step, optimizer)
        self._loop(self._resume())

    def _fabric(self) -> Any:
        """One device, or all that the launcher (torchrun, fabric run, SLURM) has given us."""
        from lightning_fabric import Fabric
        from lightning_fabric.plugins.environments.lightning import LightningEnvironment

        device = pick_device(self.device)
        place = launched()
        precision = self.settings.precision
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
                # a SLURM batch script that trains by itself is not to wait for its other tasks
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

    def _pictures(self, dataset: Dataset, crop: tuple[float, float]) -> Pictures:
        """The labelled pictures of a split, ready to be shown.

        Raises:
            EmomapError: there are none, though the data set must be trained on.
        """
        labelled = [sample for sample in dataset if sample.emotion is not None]
        if dataset is self.train and not labelled:
            raise EmomapError(
                f"{self.name} learns from labelled pictures, and {dataset.name or 'the data set'} "
                "has none to train on: add labels.csv (image,emotion), or give --checkpoint"
            )
        if self.show and len(labelled) < len(dataset):
            say(f"{dataset.name}: {len(dataset) - len(labelled)} pictures have no label, left out")
        classes = {emotion: number for number, emotion in enumerate(self.train.classes)}
        return Pictures(
            labelled,
            [classes[sample.emotion or ""] for sample in labelled],
            self.method.size,
            crop=crop,
            seed=self.seed,
            memory=self.settings.memory,
        )

    def _optimizer(self) -> torch.optim.Optimizer:
        """Three groups: the backbone, the gates, and what else is new."""
        settings = self.settings
        parts: dict[str, list[nn.Parameter]] = {"backbone": [], "gates": [], "new": []}
        for name, parameter in self.network.named_parameters():
            own = "gates" if name.startswith(self.network.gates) else "new"
            parts["backbone" if name.startswith("backbone.") else own].append(parameter)
        groups: list[dict[str, Any]] = [
            {"params": parts["backbone"], "lr": settings.backbone_learning_rate},
            {"params": parts["gates"], "lr": settings.gate_learning_rate or settings.learning_rate},
            {"params": parts["new"], "lr": settings.learning_rate},
        ]
        groups = [{**group, "base": group["lr"]} for group in groups if group["params"]]
        fused = self.fabric.device.type == "cuda"
        if settings.optimizer == "adamw":
            return torch.optim.AdamW(groups, weight_decay=settings.weight_decay, fused=fused)
        return torch.optim.SGD(
            groups,
            momentum=settings.momentum,
            nesterov=settings.nesterov,
            weight_decay=settings.weight_decay,
            fused=fused,
        )

    def _compiles(self) -> bool:
        wanted = self.settings.compile
        worth = self.fabric.device.type == "cuda" and self.total >= 200
        return wanted == "yes" or (wanted == "auto" and worth)

    # ------------------------------------------------------------------------- state on the disk

    def _resume(self) -> Progress:
        """The state that an interrupted training left, or a fresh one.

        Raises:
            EmomapError: the folder holds a training with other numbers.
        """
        file = self.folder / "state.pt"
        if not file.exists():
            return Progress()
        state = read_state(file)
        there = state.get("identity", {})
        for key, value in self.identity.items():
            if there.get(key) != value:
                raise EmomapError(
                    f"{file}: begun with {key}={there.get(key)}, now it is {value}; go on with the "
                    "old numbers, or train in another folder"
                )
        self.network.load_state_dict(state["weights"])
        self.optimizer.load_state_dict(state["optimizer"])
        return Progress(**state["progress"])

    def _save(self, state: Progress) -> None:
        if not self.fabric.is_global_zero:
            return
        sums = {key: float(value) for key, value in state.sums.items()}
        write_state(
            self.folder / "state.pt",
            {
                "identity": self.identity,
                "weights": self.network.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "progress": {**vars(state), "sums": sums},
            },
        )

    # ---------------------------------------------------------------------------------- the loop

    def _loop(self, state: Progress) -> None:
        settings = self.settings
        ticks = track(
            range(state.step, self.total),
            total=self.total,
            done=state.step,
            label=f"train {self.name.lower()}",
            show=self.show,
        )
        batches: Iterator[tuple[Tensor, Tensor]] = iter(())
        saved = self.epoch_began = time.monotonic()
        for step in ticks:
            epoch, within = divmod(step, self.steps)
            if within == 0 or step == state.step:
                order = epoch_order(self.seed, epoch, len(self.pictures), settings.batch)
                mine = [indices[self.mine] for indices in order[within:]]
                batches = self.pictures.batches(mine, epoch, settings.workers)
            for key, value in self._step(step, *next(batches)).items():
                state.sums[key] = state.sums.get(key, 0.0) + value.detach().double()
            if self.fabric.device.type == "cpu" or within % LOOK_EVERY == 0:
                self._check(state.sums["loss"], step)
            state.step = step + 1
            if state.step % self.steps == 0:
                self._end_epoch(state, epoch)
            if state.step % self.steps == 0 or time.monotonic() - saved > settings.save_every:
                self._save(state)
                saved = time.monotonic()
        self._finish(state)

    def _step(self, step: int, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """One update of the weights; the losses of it."""
        settings, device = self.settings, self.fabric.device
        seed = step_seed(self.seed, step, 1)
        torch.manual_seed(seed + self.fabric.global_rank)  # dropout
        images = augment(
            images.to(device, non_blocking=True),
            flip=settings.flip,
            shift=settings.shift,
            seed=seed,
            first=self.first,
        )
        factor = settings.factor(step, self.total, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group["base"] * factor
        self.network.train()
        losses: dict[str, Tensor] = self.runner(images, labels.to(device, non_blocking=True))
        self.optimizer.zero_grad()
        self.fabric.backward(losses["loss"])
        if settings.clip:
            self.fabric.clip_gradients(self.runner, self.optimizer, max_norm=settings.clip)
        self.optimizer.step()
        return losses

    def _check(self, total_loss: Tensor, step: int) -> None:
        """Stop early, with a word of advice, when the loss is no number any more."""
        if not math.isfinite(float(total_loss)):
            raise EmomapError(
                f"training of {self.name}: the loss is {float(total_loss)} at step {step + 1} of "
                f"{self.total}; lower training.learning_rate (now {self.settings.learning_rate}) "
                "or set training.clip=1"
            )

    def _end_epoch(self, state: Progress, epoch: int) -> None:
        """Judge the epoch on the validation split, and write it down."""
        self._check(state.sums["loss"], state.step - 1)
        names = {key: "loss" if key == "loss" else f"loss_{key}" for key in state.sums}
        entry: dict[str, Any] = {"epoch": epoch + 1}
        for key, value in state.sums.items():
            shared = self.fabric.all_reduce(torch.as_tensor(value), reduce_op="mean")
            entry[names[key]] = float(shared) / self.steps
        entry |= self._judge()
        now = time.monotonic()
        entry["seconds"] = round(now - self.epoch_began, 1)
        self.epoch_began = now
        state.sums = {}
        state.history.append(entry)
        rank = _rank(entry)
        if rank > state.best or not len(self.judges):
            state.best = rank
            if self.fabric.is_global_zero:
                self.method.module = self.network
                numbers = {**asdict(self.settings), "seed": self.seed, "epoch": epoch + 1}
                self.method.save(self.folder / "best.pt", numbers)
        if self.fabric.is_global_zero:
            write_log(self.folder, state.history)
        if self.show:
            words = [f"{key.replace('_', ' ')} {value:.3f}" for key, value in entry.items()
                     if key not in {"epoch", "seconds"}]  # fmt: skip
            say(f"epoch {epoch + 1}/{self.settings.epochs}: {', '.join(words)}")

    def _judge(self) -> dict[str, float]:
        """Accuracy and loss on the validation split, empty without one."""
        if not len(self.judges):
            return {}
        fabric = self.fabric
        places = np.arange(len(self.judges))[fabric.global_rank :: fabric.world_size]
        chosen = [places[at : at + 100] for at in range(0, len(places), 100)]
        sums = torch.zeros(3, dtype=torch.float64, device=fabric.device)
        self.network.eval()
        with torch.no_grad(), fabric.autocast():
            for images, labels in self.judges.batches(chosen, workers=self.settings.workers):
                labels = labels.to(fabric.device)
                logits = self.network(normalise(images.to(fabric.device)))[0].float()
                sums[0] += (logits.argmax(dim=1) == labels).sum()
                sums[1] += F.cross_entropy(logits, labels, reduction="sum")
                sums[2] += len(labels)
        right, loss, count = fabric.all_reduce(sums, reduce_op="sum").tolist()
        return {"validation_loss": loss / count, "validation_accuracy": right / count}

    def _finish(self, state: Progress) -> None:
        """Logs first, the checkpoint last: its existence says that all is done."""
        if self.fabric.is_global_zero:
            write_log(self.folder, state.history)
            draw_curves(self.folder, state.history)
            write_events(self.folder, state.history)
            (self.folder / "best.pt").replace(self.folder / "checkpoint.pt")
        if self.show and len(self.judges):
            best = max(state.history, key=_rank)
            say(
                f"best epoch {best['epoch']}: validation accuracy {best['validation_accuracy']:.3f}"
            )
        self.fabric.barrier()


def _rank(epoch: Mapping[str, Any]) -> list[float]:
    """The better epoch has the larger one: accuracy, then loss."""
    return [epoch.get("validation_accuracy", 0.0), -epoch.get("validation_loss", 0.0)]


class Step(nn.Module):
    """What is compiled and shared among processes: pixels and labels in, losses out."""

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """(B, S, S, 3) uint8 and (B,) int64 to scalars."""
        return self.network.losses(normalise(images), labels)
