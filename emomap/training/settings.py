"""The numbers of a training (table ``[training]`` of a recipe), and their check."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from emomap.errors import UsageError
from emomap.parallel import MAX_THREADS

#: The smallest float above 0, for numbers that must not be 0.
_ABOVE_0 = math.ulp(0.0)
#: The least value of each number, and the limit that it must stay below.
_RANGES = {
    **dict.fromkeys(("epochs", "batch", "step_epochs", "accumulate"), (1, math.inf)),
    "threads": (1, MAX_THREADS + 1),
    **dict.fromkeys(("learning_rate", "gamma"), (_ABOVE_0, math.inf)),
    **dict.fromkeys(("backbone_learning_rate", "gate_learning_rate"), (0, math.inf)),
    **dict.fromkeys(("weight_decay", "clip", "workers", "memory", "save_every"), (0, math.inf)),
    "affect_weight": (0, math.inf),
    **dict.fromkeys(("momentum", "warmup", "label_smoothing", "ema"), (0, 1)),
    "erase": (0, 1.000001),
    "rand_augment": (0, 31),
    "patience": (0, math.inf),
    "shift": (0, 0.5),
}

#: The values of each word.
_CHOICES = {
    "optimizer": ("sgd", "adamw"),
    "schedule": ("constant", "cosine", "onecycle", "step"),
    "class_weights": ("none", "balanced"),
    "loss": ("cross_entropy", "kl"),
    "compile": ("auto", "yes", "no"),
}


@dataclass(frozen=True)
class Settings:
    """The numbers of a training, as a recipe lists them under ``[training]``.

    Attributes:
        epochs: over the training split.
        batch: source pictures a step, over all processes; an incomplete last batch is dropped.
        optimizer: "sgd" or "adamw".
        learning_rate, backbone_learning_rate: of new layers, and of the backbone.
        gate_learning_rate: of the layers that a network names in `EmotionNetwork.gates`; 0 for
            the rate of the other new layers.
        momentum, nesterov, weight_decay: of the optimiser.
        schedule: "constant", "onecycle" (cosine up over ``warmup``, then down to 1e-4
            of the rate), "cosine" (straight up over ``warmup``, then a cosine down to 0) or "step"
            (times ``gamma`` every ``step_epochs``).
        clip: largest norm of the gradient; 0 for no limit.
        class_weights: "none", or "balanced": each emotion weighs as much in the loss as every
            other, however many pictures it has.
        loss: "cross_entropy" with the label, or "kl": the divergence from the distribution of
            people's answers, see `EmotionNetwork.criterion`.
        affect: also learn valence and arousal, by a head on the pooled features of the backbone.
        affect_weight: of its mean squared error in squared standard deviations, in the loss.
        label_smoothing: share of the label that is spread over all emotions.
        ema: decay of the exponential moving average of the weights, which is validated and kept
            instead of the weights; 0 for none.
        patience: epochs without a better one after which the training ends; 0 to train to the end.
        flip: mirror half of the pictures.
        shift: largest random shift, as a share of the side; the border is repeated.
        crop: [low, high] share of the area that a random crop keeps; [1, 1] takes the whole.
        rand_augment: magnitude, up to 30, of two random changes of each picture (RandAugment,
            Cubuk 2020); 0 for none.
        erase: share of the pictures in which a rectangle is erased (Zhong 2020).
        accumulate: parts in which a batch is computed one after the other, so that a large one fits
            into the memory. Batch norm sees each part by itself.
        checkpoint_blocks: compute each block of the backbone again in the backward pass instead of
            keeping its activations: less memory for a third more time, the same result.
        sync_batchnorm: with several processes, batch norm over the pictures of all of them.
        frozen_batchnorm: the batch norm of the backbone keeps the statistics of the pretrained
            weights. Needed where these were folded into the convolutions; usual for small batches.
        precision: "auto" (bf16-mixed on a GPU, else 32-true) or one of Lightning Fabric's.
        compile: "auto" (on a GPU, when there are 200 steps or more), "yes" or "no".
        threads: of the CPU; they change the last digits of the result.
        workers: processes that decode pictures that do not fit in ``memory``.
        memory: megabytes of decoded pictures to keep at most.
        save_every: seconds between two states.
    """

    epochs: int = 25
    batch: int = 32
    optimizer: str = "sgd"
    learning_rate: float = 1e-3
    backbone_learning_rate: float = 1e-4
    gate_learning_rate: float = 0.0
    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 5e-4
    schedule: str = "step"
    warmup: float = 0.25
    step_epochs: int = 7
    gamma: float = 0.1
    clip: float = 0.0
    flip: bool = True
    shift: float = 0.0
    crop: tuple[float, float] = (0.08, 1.0)
    precision: str = "auto"
    compile: str = "auto"
    threads: int = 2
    workers: int = 4
    memory: int = 2048
    save_every: float = 60.0
    class_weights: str = "none"
    label_smoothing: float = 0.0
    ema: float = 0.0
    patience: int = 0
    rand_augment: int = 0
    erase: float = 0.0
    accumulate: int = 1
    checkpoint_blocks: bool = False
    sync_batchnorm: bool = False
    frozen_batchnorm: bool = False
    loss: str = "cross_entropy"
    affect: bool = False
    affect_weight: float = 1.0

    @classmethod
    def parse(cls, numbers: Mapping[str, Any]) -> Settings:
        """Check the numbers of a recipe.

        Raises:
            UsageError: unknown or out of range; names the number, its value and its range.
        """
        known = {entry.name: entry for entry in fields(cls)}
        for key in numbers:
            if key not in known:
                raise UsageError(f"training.{key}: unknown number; there are {', '.join(known)}")
        values = dict(numbers)
        if "crop" in values:
            values["crop"] = tuple(values["crop"])
        made = cls(**values)
        for name, (least, below) in _RANGES.items():
            value = getattr(made, name)
            if isinstance(value, str) or not least <= value < below:
                top = "" if below == math.inf else f", below {below:g}"
                wanted = "above 0" if least == _ABOVE_0 else f"{least} or more"
                raise UsageError(f"training.{name}={value}: it must be {wanted}{top}")
        for name, choices in _CHOICES.items():
            if getattr(made, name) not in choices:
                raise UsageError(
                    f"training.{name}={getattr(made, name)}: expected {' or '.join(choices)}"
                )
        if made.nesterov and not made.momentum:
            raise UsageError("training.nesterov=true: it needs a training.momentum above 0")
        if len(made.crop) != 2 or not 0 < made.crop[0] <= made.crop[1] <= 1:
            raise UsageError(
                f"training.crop={list(made.crop)}: expected two shares, 0 < low <= high <= 1"
            )
        return made

    def factor(self, step: int, total: int, steps_per_epoch: int) -> float:
        """The factor of all learning rates at a step (0-based, of ``total``)."""
        if self.schedule == "constant":
            return 1.0
        if self.schedule == "step":
            return float(self.gamma ** (step // steps_per_epoch // self.step_epochs))
        top = self.warmup * total
        if self.schedule == "cosine":
            if step < top:
                return (step + 1) / (top + 1)
            return (1 + math.cos(math.pi * (step - top) / (total - top))) / 2
        if step < top:
            return 0.04 + 0.96 * (1 - math.cos(math.pi * step / top)) / 2
        return 1e-4 + (1 - 1e-4) * (1 + math.cos(math.pi * (step - top) / (total - top))) / 2
