"""One training loop for every network, on Lightning Fabric; resumes exactly where it was killed.

Nothing random is carried from step to step: order, augmentation and dropout of a step follow from
the seed and the step's number alone. So the state to resume from is weights, momentum and counters.

    FOLDER/state.pt                the state, while training is under way
    FOLDER/best.safetensors        the best epoch so far
    FOLDER/checkpoint.safetensors  the same at the end; a training that has it is finished
    FOLDER/training.jsonl          one line an epoch
    FOLDER/training.png            learning curves
    FOLDER/events.out.*            the same for TensorBoard, if the package tensorboard is installed
"""

from __future__ import annotations

import copy
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

from emomap.errors import EmomapError, UsageError
from emomap.io.checkpoint import NETWORK, OTHER
from emomap.nn.affect import add_affect, affect_of
from emomap.nn.network import EmotionNetwork, NetworkMethod
from emomap.progress import say, track
from emomap.sample import Dataset, Sample
from emomap.training import rehearsal
from emomap.training.answers import Answers, ratings_of, shares_of, unpack
from emomap.training.batches import Pictures, augment, epoch_order, step_seed
from emomap.training.changes import Changes
from emomap.training.gradients import Gradients
from emomap.training.logs import Log
from emomap.training.settings import Settings
from emomap.training.setup import (
    LossStep,
    check_labelled,
    is_compiled,
    labelled,
    make_average,
    make_fabric,
    make_optimizer,
    make_step,
    own_share,
    prepare_network,
)
from emomap.training.state import keep, rank, restore

#: Steps between two looks at the loss on a GPU, which must wait for each look.
LOOK_EVERY = 20
#: Name of the file with the best epoch so far.
BEST = "best.safetensors"
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
        loggers: names of loggers to report to, see `emomap.training.logs.LOGGERS`.

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
        loggers: Sequence[str] = (),
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
        self.announced = show
        self.show = show and self.fabric.is_global_zero
        samples = labelled(train, self.show)
        check_labelled(samples, train, self.name)
        torch.manual_seed(seed)
        method.classes = train.classes
        network = method.build(train.classes)
        self.told = network.learns_distributions or settings.loss == "kl"
        self._add_affect(network, samples, train)
        self.expects = network.normalisation
        changes = Changes(settings.rand_augment, settings.erase)
        self.pictures = self._pictures(samples, train.classes, settings.crop, changes)
        self.judges = self._pictures(labelled(validation, self.show), train.classes, (1.0, 1.0))
        if self.show and not len(self.judges):
            say("no labelled pictures to validate on: the last epoch will be kept, not the best")
        fabric = self.fabric
        shares = (fabric.global_rank, fabric.world_size, settings.accumulate)
        self.mine = own_share(settings.batch, *shares)
        self.steps = len(epoch_order(seed, 0, len(self.pictures), settings.batch))
        self.total = self.steps * settings.epochs
        self.network = prepare_network(
            network, settings, self.pictures.labels, fabric.device, shared=fabric.world_size > 1
        )
        self.average = make_average(self.network, settings.ema)
        optimizer = make_optimizer(self.network, settings, fabric.device)
        step = make_step(self.network, settings, fabric.device, self.total)
        self.runner, self.optimizer = fabric.setup(step, optimizer)
        self.gradients = self._gradients(self.runner, self.optimizer, is_compiled(step))
        self.norms = torch.zeros((), device=fabric.device)
        self.log = Log(folder, loggers, self.identity)
        self.state = restore(
            folder / "state.pt",
            self.identity,
            self.network,
            self.optimizer,
            self.average,
            defaults=method.defaults(),
        )

    @property
    def kept(self) -> EmotionNetwork:
        """The network that is validated and kept: the average of the weights, if there is one."""
        kept: EmotionNetwork = self.network
        if self.average is not None:
            kept = self.average.module  # type: ignore[assignment]
        return kept

    def _gradients(self, runner: Any, optimizer: Any, compiled: bool = False) -> Gradients:
        return Gradients(
            self.fabric,
            runner,
            optimizer,
            self.settings,
            self.name,
            self.method.size,
            untried=compiled,
        )

    def _pictures(
        self,
        samples: Sequence[Sample],
        classes: Sequence[str],
        crop: tuple[float, float],
        changes: Changes | None = None,
    ) -> Pictures:
        number = {emotion: place for place, emotion in enumerate(classes)}
        return Pictures(
            samples,
            [number[sample.emotion or ""] for sample in samples],
            self.method.size,
            crop=crop,
            seed=self.seed,
            memory=self.settings.memory,
            changes=changes,
            resampling=self.expects.resampling,
            shares=shares_of(samples, classes) if self.told else None,
            ratings=ratings_of(samples) if self.settings.affect else None,
        )

    def _add_affect(
        self, network: EmotionNetwork, samples: Sequence[Sample], train: Dataset
    ) -> None:
        """Give the network its head for valence and arousal, if the settings ask for it."""
        if self.settings.loss == "kl" and self.show and not any(s.distribution for s in samples):
            say(f"{train.name} has no distributions: training.loss=kl compares with the labels")
        if not self.settings.affect:
            return
        ratings = ratings_of(samples)
        if not (~ratings.isnan()).any():
            raise UsageError(
                f"training.affect=true: no training picture of {train.name} has valence or "
                "arousal; add affect.csv (image,valence,arousal)"
            )
        add_affect(network, size=self.method.size).learn_scale(ratings, train.affect_range)

    # ---------------------------------------------------------------------------- before the loop

    def rehearse(self) -> rehearsal.Forecast:
        """Try one batch on a copy of the network, and say what the training will take.

        Raises:
            EmomapError: not enough room on the disk; or a picture, the memory, or the network fails
                as it would in the training.
        """
        device = self.fabric.device
        weights = sum(p.numel() * p.element_size() for p in self.network.state_dict().values())
        # state: weights, momentum (two with AdamW) and average; beside it the best epoch
        copies = 3 + (self.settings.optimizer == "adamw") + (self.average is not None)
        disk = 2 * copies * weights  # a file is complete before it replaces the old one
        free = rehearsal.room(self.folder, disk, self.name)
        some = range(min(len(self.pictures), rehearsal.DECODED))
        decoding = 0.0
        if not self.pictures.in_memory:
            decode = rehearsal.clocked(lambda: [self.pictures.shown(i, 0) for i in some], times=1)
            decoding = decode / len(some) / rehearsal.decoders(self.settings.workers)
        share = self.mine.stop - self.mine.start
        return rehearsal.Forecast(
            name=self.name,
            counts=self.pictures.counts(self.method.classes),
            validated=len(self.judges),
            steps=self.total - self.state.step,
            seconds=max(self._try_batch(share), decoding * share),
            memory=rehearsal.peak_memory(device),
            disk=disk,
            free=free,
            place=str(device),
        )

    def _try_batch(self, share: int) -> float:
        """Seconds of one batch, forward and backward, on a copy of the network."""
        places = np.arange(share) % len(self.pictures)
        images, labels = next(self.pictures.batches([places]))
        images, labels = images.to(self.fabric.device), labels.to(self.fabric.device)
        network = copy.deepcopy(self.network)
        trained = LossStep(network.train(), self.settings.affect_weight)
        step = self.fabric.setup_module(trained, move_to_device=False)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
        trial = self._gradients(step, optimizer)

        def once() -> None:
            trial(images, labels)
            if self.fabric.device.type == "cuda":
                torch.cuda.synchronize(self.fabric.device)

        return rehearsal.clocked(once)

    # ---------------------------------------------------------------------------------- the loop

    def run(self) -> None:
        """Train to the last epoch, and leave logs and ``checkpoint.safetensors``.

        Raises:
            EmomapError: a loss that is not finite, a picture that cannot be read, or a full disk.
        """
        state = self.state
        if self.announced:
            lines = self.rehearse().lines()
            for line in lines if self.show else ():
                say(line)
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
            if within == 0 and self._waited_enough():
                break
            if within == 0 or step == state.step:
                batches = self._batches(epoch, within)
            for key, value in self._step(step, *next(batches)).items():
                state.sums[key] = state.sums.get(key, 0.0) + value.double()
            if self.fabric.device.type == "cpu" or within % LOOK_EVERY == 0:
                self._check(state.sums["loss"], step)
            state.step = step + 1
            if state.step % self.steps == 0:
                self._end_epoch(epoch, epoch_began)
                epoch_began = time.monotonic()
            if state.step % self.steps == 0 or time.monotonic() - saved > self.settings.save_every:
                self._check(state.sums.get("loss", 0.0), step)
                self._save()
                saved = time.monotonic()
        self.gradients.close()
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
        torch.manual_seed(seed)  # dropout; the same in all processes, see `emomap.nn.noise`
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
        losses = self.gradients(images, labels.to(device, non_blocking=True))
        if settings.clip:
            norm = self.fabric.clip_gradients(
                self.runner, self.optimizer, max_norm=settings.clip, error_if_nonfinite=False
            )
            # in half precision the first steps overflow, and the scaler skips them
            if settings.precision != "16-mixed":
                self.norms += norm
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return losses

    def _check(self, total_loss: Tensor | float, step: int) -> None:
        """Stop early, with advice, when the loss or a gradient is no longer finite."""
        loss, norm = float(total_loss), float(self.norms)
        if math.isfinite(loss) and math.isfinite(norm):
            return
        what = f"loss is {loss}" if not math.isfinite(loss) else f"norm of the gradient is {norm}"
        clip = "" if self.settings.clip else " or set training.clip=1"
        raise EmomapError(
            f"training of {self.name}: the {what} at step {step + 1} of {self.total}; lower "
            f"training.learning_rate (now {self.settings.learning_rate}){clip}, and train in "
            "another folder"
        )

    def _waited_enough(self) -> bool:
        """Whether so many epochs have not been better that the training ends."""
        patience, history = self.settings.patience, self.state.history
        if not patience or not len(self.judges) or not history:
            return False
        best = max(history, key=rank)
        if history[-1]["epoch"] - best["epoch"] < patience:
            return False
        if self.show:
            say(f"no better epoch in {patience}: ended after {len(history)}")
        return True

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
            self.log.epoch(state.history)
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
        sums = torch.zeros(5, dtype=torch.float64, device=fabric.device)
        judged = self.kept.eval()
        head = affect_of(judged)
        with torch.no_grad(), fabric.autocast():
            for images, packed in self.judges.batches(chosen, workers=self.settings.workers):
                told = unpack(packed.to(fabric.device))
                if head is not None:
                    head.active = True
                logits = judged(self.expects(images.to(fabric.device)))[0].float()
                sums[0] += (logits.argmax(dim=1) == told.labels).sum()
                sums[1] += self._loss(judged, logits, told) * len(told.labels)
                sums[2] += len(told.labels)
                if head is not None and told.ratings is not None:
                    known = ~told.ratings.isnan()
                    errors = head(torch.cat(head.seen)[: len(images)]) - told.ratings
                    head.active = False
                    head.seen.clear()
                    sums[3] += (errors[known].double() ** 2).sum()
                    sums[4] += known.sum()
        right, loss, count, squares, rated = fabric.all_reduce(sums, reduce_op="sum").tolist()
        found = {"validation_loss": loss / count, "validation_accuracy": right / count}
        if rated:
            found["validation_affect_rmse"] = math.sqrt(squares / rated)
        return found

    def _loss(self, judged: EmotionNetwork, logits: Tensor, told: Answers) -> Tensor:
        """Mean cross entropy, or divergence where the training minimises that; never weighted."""
        if self.settings.loss != "kl":
            return F.cross_entropy(logits, told.labels)
        judged.shares = told.shares
        answers = judged.answers(told.labels, F.one_hot(told.labels, logits.shape[1]).float())
        return F.kl_div(logits.log_softmax(dim=1), answers, reduction="batchmean")

    # ------------------------------------------------------------------------------ on the disk

    def _save(self) -> None:
        if self.fabric.is_global_zero:
            file = self.folder / "state.pt"
            keep(file, self.identity, self.network, self.optimizer, self.state, self.average)

    def _save_best(self, epoch: int) -> None:
        if self.fabric.is_global_zero:
            self.method.module = self.kept
            numbers = {**asdict(self.settings), "seed": self.seed, "epoch": epoch + 1}
            self.method.save(self.folder / BEST, numbers)

    def _finish(self) -> None:
        """Write the logs, then the checkpoint: a folder that has one is complete."""
        history = self.state.history
        if self.fabric.is_global_zero:
            self.log.end(history)
            old = self.folder / "best.pt"  # release 0.1 began this training
            if (self.folder / BEST).exists():
                (self.folder / BEST).replace(self.folder / NETWORK)
                old.unlink(missing_ok=True)
            else:
                old.replace(self.folder / OTHER)
        if self.show and len(self.judges):
            best = max(history, key=rank)
            say(
                f"best epoch {best['epoch']}: validation accuracy {best['validation_accuracy']:.3f}"
            )
        self.fabric.barrier()
