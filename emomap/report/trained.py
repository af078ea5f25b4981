"""How a network was trained, in a sentence for the methods section of a paper.

What changes no result beyond rounding (processes, threads, memory, how often states are kept) is
left to the recipe, and so is what is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
_SCHEDULES = {
    "constant": "",
    "cosine": "a cosine schedule",
    "onecycle": "a one-cycle schedule",
    "step": "a step schedule",
}


def training_sentence(name: str, numbers: Mapping[str, Any], seed: int) -> str:
    """The sentence.

    Args:
        name: of the network.
        numbers: of its training, as in `emomap.training.Settings`; those that an old recipe lacks
            are left out.
        seed: of the run.
    """
    parts = [_optimiser(numbers), _rates(numbers), _schedule(numbers), *_extras(numbers)]
    said = ", ".join(part for part in parts if part)
    length = f"for {numbers['epochs']} epochs in batches of {numbers['batch']} images"
    if numbers.get("patience"):
        length = (
            f"for at most {numbers['epochs']} epochs in batches of {numbers['batch']} images, "
            f"ended after {numbers['patience']} without a better one"
        )
    return f"{name} was trained {length} with {said} (seed {seed})."


def _optimiser(numbers: Mapping[str, Any]) -> str:
    text = _OPTIMISERS.get(numbers["optimizer"], str(numbers["optimizer"]))
    if numbers["optimizer"] == "sgd" and numbers.get("momentum"):
        kind = "Nesterov momentum" if numbers.get("nesterov") else "momentum"
        text += f" ({kind} {numbers['momentum']:g})"
    if numbers.get("weight_decay"):
        text += f", weight decay {numbers['weight_decay']:g}"
    return text


def _rates(numbers: Mapping[str, Any]) -> str:
    rate, backbone = numbers["learning_rate"], numbers.get("backbone_learning_rate")
    gates = numbers.get("gate_learning_rate")
    text = f"a learning rate of {rate:g}"
    others = []
    if backbone == 0:
        others.append("the backbone fixed")
    elif backbone not in (None, rate):
        others.append(f"{backbone:g} for the backbone")
    if gates and gates != rate:
        others.append(f"{gates:g} for attention gates")
    return f"{text} ({', '.join(others)})" if others else text


def _schedule(numbers: Mapping[str, Any]) -> str:
    schedule = numbers["schedule"]
    text = _SCHEDULES.get(schedule, str(schedule))
    if schedule == "step":
        text += f" (times {numbers['gamma']:g} every {numbers['step_epochs']} epochs)"
    if schedule in ("cosine", "onecycle") and numbers.get("warmup"):
        text += f" ({numbers['warmup']:.0%} warm-up)"
    return text


def _extras(numbers: Mapping[str, Any]) -> list[str]:
    """What is switched on besides."""
    crop = numbers.get("crop") or [1, 1]
    told = [
        (numbers.get("class_weights") == "balanced", "balanced class weights"),
        (numbers.get("label_smoothing"), "label smoothing {label_smoothing:g}"),
        (numbers.get("ema"), "a moving average of the weights (decay {ema:g})"),
        (numbers.get("clip"), "gradients clipped at norm {clip:g}"),
        (numbers.get("flip"), "horizontal flips"),
        (numbers.get("shift"), "random shifts up to {shift:.0%} of the side"),
        (list(crop) != [1, 1], f"random crops of {crop[0]:.0%} to {crop[1]:.0%} of the area"),
        (numbers.get("rand_augment"), "RandAugment of magnitude {rand_augment}"),
        (numbers.get("erase"), "random erasing in {erase:.0%} of the images"),
        (numbers.get("frozen_batchnorm"), "the batch norm of the backbone fixed"),
    ]
    return [text.format(**numbers) for on, text in told if on]
