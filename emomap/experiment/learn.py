"""The first stage: train the methods that learn, or load what was trained before."""

from __future__ import annotations

from pathlib import Path

from emomap import recipes
from emomap.errors import UsageError
from emomap.experiment.choices import Choices
from emomap.experiment.contender import MethodContender
from emomap.experiment.plan import Plan, make_plan
from emomap.method import Method
from emomap.runs.folder import Run
from emomap.training import train


def learned(plan: Plan, folder: Run, contender: MethodContender) -> Method:
    """A trained method. It is loaded from its checkpoint if it has one, else trained or resumed."""
    from emomap.nn.network import device_name

    method = contender.make(plan.numbers)
    folder.write_environment(device=device_name(plan.device))
    if contender.name in plan.checkpoints:
        method.load(plan.checkpoints[contender.name], device=plan.device)
        return method
    train(
        method,
        plan.part("train"),
        plan.part("val"),
        recipes.training(plan.numbers, contender.base),
        folder.method(contender.name),
        seed=plan.seed,
        device=plan.device,
        progress=plan.show,
    )
    return method


def learn(choices: Choices) -> Path:
    """Train the methods that were chosen and do nothing more, as `emomap train` does.

    Returns:
        The checkpoint of the last one.

    Raises:
        UsageError: none of them learns anything; or as `make_plan`.
        EmomapError: as `make_plan`; or the training fails.
    """
    plan = make_plan(choices)
    if not plan.trainable:
        raise UsageError(f"{plan.contenders[0].name} has nothing to train")
    folder = plan.open()
    for contender in plan.trainable.values():
        learned(plan, folder, contender)
    return folder.method(list(plan.trainable)[-1]) / "checkpoint.pt"
