"""One training loop for every network, on Lightning Fabric; resumes exactly where it was killed.

Nothing random is carried from step to step: order, augmentation and dropout of a step follow from
the seed and the step's number alone. So the state to resume from is weights, momentum and counters.

    FOLDER/state.pt         the state, while training is under way
    FOLDER/best.pt          the best epoch so far
    FOLDER/checkpoint.pt    the best epoch; written last, so a training that has it is finished
    FOLDER/training.jsonl   one line an epoch
    FOLDER/training.png     learning curves
    FOLDER/events.out.*     the same for TensorBoard, if the package tensorboard is installed
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from emomap.errors import EmomapError
from emomap.nn.network import NetworkMethod, normalise
from emomap.progress import say, track
from emomap.sample import Dataset, Sample
from emomap.training.batches import Pictures, augment, epoch_order, step_seed
from emomap.training.logs import draw_curves, write_events, write_log
from emomap.training.settings import Settings
from emomap.training.setup import (
    check_labelled,
    labelled,
    make_fabric,
    make_optimizer,
    make_step,
    own_share,
)
from emomap.training.state import keep, rank, restore

#: Steps between two looks at the loss on a GPU, which must wait for each look.
LOOK_EVERY = 20
#: Validation pictures in a batch.
VALIDATION_BATCH = 100


class Training:
    """One training, set up when constructed and resumed from the state in its folder.

    The caller fixes the number of CPU threads, since `Settings.threads` holds for all of it.

    Args:
        method: it is built here; `run` writes its best epoch to ``folder``.
        train, validation: labelled pictures.
        settings: numbers of the training.
        folder: see the head of this module.
        seed: random seed of weights, order, augmentation and dropout.
        device: "auto", "cpu", "cuda", "cuda:1".
        show: report on stderr.

    Raises:
        EmomapError: no labels, a picture that cannot be read, no such device, or a state of a
            training with other numbers.
        UsageError: the batch cannot be divided among the processes.
    """

    def __init__(
        self,
        method: NetworkMethod,
        train: Dataset,
        validation: Dataset,
        settings: Settings,
        folder: Path,
        *,
        seed: int,
        device: str,
        show: bool,
    ) -> None:
        self.method = method
        self.name = type(method).__name__
        self.settings = settings
        self.folder = folder
        self.seed = seed
        self.identity = {
            "method": self.name,
            "options": method.options,
            "classes": list(train.classes),
            "pictures": [len(train), len(validation)],
            "seed": seed,
            **{f"training.{key}": value for key, value in asdict(settings).items()},
        }
        self.fabric = make_fabric(device, settings.precision)
        self.show = show and self.fabric.is_global_zero
        samples = labelled(train, self.show)
        check_labelled(samples, train, self.name)
        self.pictures = self._pictures(samples, train.classes, settings.crop)
        self.judges = self._pictures(labelled(validation, self.show), train.classes, (1.0, 1.0))
        if self.show and not len(self.judges):
            say("no labelled pictures to validate on: the last epoch will be kept, not the best")
        self.mine = own_share(settings.batch, self.fabric.global_rank, self.fabric.world_size)
        self.steps = len(epoch_order(seed, 0, len(self.pictures), settings.batch))
        self.total = self.steps * settings.epochs
        torch.manual_seed(seed)
        method.classes = train.classes
        self.network = method.build(train.classes)
        self.network.to(self.fabric.device).to(memory_format=torch.channels_last)
        optimizer = make_optimizer(self.network, settings, self.fabric.device)
        step = make_step(self.network, settings.compile, self.fabric.device, self.total)
        self.runner, self.optimizer = self.fabric.setup(step, optimizer)
        self.state = restore(folder / "state.pt", self.identity, self.network, self.optimizer)

    def _pictures(
        self, samples: Sequence[Sample], classes: Sequence[str], crop: tuple[float, float]
    ) -> Pictures:
        number = {emotion: place for place, emotion in enumerate(classes)}
        return Pictures(
            samples,
            [number[sample.emotion or ""] for sample in samples],
            self.method.size,
            crop=crop,
            seed=self.seed,
            memory=self.settings.memory,
        )

    # ---------------------------------------------------------------------------------- the loop

    def run(self) -> None:
        """Train to the last epoch, and leave logs and ``checkpoint.pt``.

        Raises:
            EmomapError: a loss that is not finite, a picture that cannot be read, or a full disk.
        """
        state = self.state
        ticks = track(
            range(state.step, self.total),
            total=self.total,
            done=state.step,
            label=f"train {self.name.lower()}",
            show=self.show,
        )
        batches: Iterator[tuple[Tensor, Tensor]] = iter(())
        saved = epoch_began = time.monotonic()
        for step in ticks:
            epoch, within = divmod(step, self.steps)
            if within == 0 or step == state.step:
                batches = self._batches(epoch, within)
            for key, value in self._step(step, *next(batches)).items():
                state.sums[key] = state.sums.get(key, 0.0) + value.detach().double()
            if self.fabric.device.type == "cpu" or within % LOOK_EVERY == 0:
                self._check(state.sums["loss"], step)
            state.step = step + 1
            if state.step % self.steps == 0:
                self._end_epoch(epoch, epoch_began)
                epoch_began = time.monotonic()
            if state.step % self.steps == 0 or time.monotonic() - saved > self.settings.save_every:
                self._save()
                saved = time.monotonic()
        self._finish()

    def _batches(self, epoch: int, first: int) -> Iterator[tuple[Tensor, Tensor]]:
        """This process's part of the batches of an epoch, from the batch ``first`` on."""
        order = epoch_order(self.seed, epoch, len(self.pictures), self.settings.batch)
        mine = [indices[self.mine] for indices in order[first:]]
        return self.pictures.batches(mine, epoch, self.settings.workers)

    def _step(self, step: int, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Update the weights once; returns the losses before the update."""
        settings, device = self.settings, self.fabric.device
        seed = step_seed(self.seed, step, 1)
        torch.manual_seed(seed + self.fabric.global_rank)  # dropout
        images = augment(
            images.to(device, non_blocking=True),
            flip=settings.flip,
            shift=settings.shift,
            seed=seed,
            first=self.mine.start,
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
        """Stop early, with advice, when the loss is no longer finite."""
        if not math.isfinite(float(total_loss)):
            raise EmomapError(
                f"training of {self.name}: the loss is {float(total_loss)} at step {step + 1} of "
                f"{self.total}; lower training.learning_rate (now {self.settings.learning_rate}) "
                "or set training.clip=1"
            )

    # ------------------------------------------------------------------------- after each epoch

    def _end_epoch(self, epoch: int, began: float) -> None:
        """Validate, keep the weights if they are the best so far, and log the epoch."""
        state = self.state
        self._check(state.sums["loss"], state.step - 1)
        names = {key: "loss" if key == "loss" else f"loss_{key}" for key in state.sums}
        entry: dict[str, Any] = {"epoch": epoch + 1}
        for key, value in state.sums.items():
            shared = self.fabric.all_reduce(torch.as_tensor(value), reduce_op="mean")
            entry[names[key]] = float(shared) / self.steps
        entry |= self._judge()
        entry["seconds"] = round(time.monotonic() - began, 1)
        state.sums = {}
        state.history.append(entry)
        if rank(entry) > state.best or not len(self.judges):
            state.best = rank(entry)
            self._save_best(epoch)
        if self.fabric.is_global_zero:
            write_log(self.folder, state.history)
        if self.show:
            words = [f"{key.replace('_', ' ')} {value:.3f}" for key, value in entry.items()
                     if key not in {"epoch", "seconds"}]  # fmt: skip
            say(f"epoch {epoch + 1}/{self.settings.epochs}: {', '.join(words)}")

    def _judge(self) -> dict[str, float]:
        """Loss and accuracy on the validation split; empty without one."""
        if not len(self.judges):
            return {}
        fabric = self.fabric
        places = np.arange(len(self.judges))[fabric.global_rank :: fabric.world_size]
        chosen = [
            places[at : at + VALIDATION_BATCH] for at in range(0, len(places), VALIDATION_BATCH)
        ]
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

    # ------------------------------------------------------------------------------ on the disk

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            file = self.folder / "state.pt"
            keep(file, self.identity, self.network, self.optimizer, self.state)

    def _save_best(self, epoch: int) -> None:
        if self.fabric.is_global_zero:
            self.method.module = self.network
            numbers = {**asdict(self.settings), "seed": self.seed, "epoch": epoch + 1}
            self.method.save(self.folder / "best.pt", numbers)

    def _finish(self) -> None:
        """Write the logs, then the checkpoint: a folder that has one is complete."""
        history = self.state.history
        if self.fabric.is_global_zero:
            write_log(self.folder, history)
            draw_curves(self.folder, history)
            write_events(self.folder, history)
            (self.folder / "best.pt").replace(self.folder / "checkpoint.pt")
        if self.show and len(self.judges):
            best = max(history, key=rank)
            say(
                f"best epoch {best['epoch']}: validation accuracy {best['validation_accuracy']:.3f}"
            )
        self.fabric.barrier()
