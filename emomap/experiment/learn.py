"""The first stage: train the methods that learn, or load what was trained before."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from emomap import io, parallel
from emomap.errors import EmomapError, UsageError
from emomap.experiment.choices import Choices
from emomap.experiment.contender import MethodContender
from emomap.experiment.plan import Plan, make_plan
from emomap.io.checkpoint import NETWORK, checkpoint_in
from emomap.io.schema import read_json
from emomap.method import Method
from emomap.parallel import launched
from emomap.progress import report_problems, track
from emomap.runs.folder import UNREADABLE, Run
from emomap.sample import Dataset, Sample
from emomap.training import rehearse, train


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
        *pictures(plan, folder),
        contender.training_numbers(plan.numbers),
        folder.method(contender.name),
        seed=plan.seed,
        device=plan.device,
        progress=plan.show,
        loggers=plan.loggers,
    )
    return method


def pictures(plan: Plan, folder: Run | None = None) -> tuple[Dataset, Dataset]:
    """The pictures to train and to validate on, without those that cannot be read, if so chosen.

    Args:
        folder: keeps what was left out, so that a training resumes with the same pictures.

    Raises:
        EmomapError: no picture can be read.
    """
    parts = plan.part("train"), plan.part("val")
    if not plan.skip_unreadable:
        return parts
    kept = folder and folder.folder / UNREADABLE
    if kept and kept.exists():
        problems = read_json(kept, dict[str, str])
    else:
        samples = [sample for part in parts for sample in part if sample.emotion is not None]
        problems = dict(_unreadable(samples, plan))
        if kept and not launched().rank:
            io.write_text(kept, json.dumps(problems, indent=1) + "\n")
        report_problems((), [f"left out: {problem}" for problem in problems.values()])
    train_on, validate_on = (without(part, problems) for part in parts)
    return train_on, validate_on


def without(dataset: Dataset, identities: Collection[str]) -> Dataset:
    """A data set without some of its samples."""
    return replace(dataset, samples=tuple(s for s in dataset if s.id not in identities))


def left_out(plan: Plan, folder: Run) -> list[str]:
    """What a table must say of the pictures that no training has seen."""
    kept = folder.folder / UNREADABLE
    if not plan.skip_unreadable or not kept.exists():
        return []
    problems = read_json(kept, dict[str, str])
    if not problems:
        return []
    return [f"{len(problems)} pictures to learn from cannot be read and were left out"]


def _unreadable(samples: Sequence[Sample], plan: Plan) -> Iterator[tuple[str, str]]:
    """Image -> what is wrong, for each picture that cannot be read."""
    found = parallel.ordered(_problem, samples, jobs=plan.jobs, chunk=50)
    tracked = track(found, total=len(samples), label="reading pictures", show=plan.show)
    for sample, problem in zip(samples, tracked, strict=True):
        if problem:
            yield sample.id, problem


def _problem(sample: Sample) -> str:
    try:
        sample.image()
    except EmomapError as error:
        return str(error)
    return ""


def rehearsal(choices: Choices) -> list[str]:
    """What the trainings that were chosen would take, as `emomap train --dry-run` says it.

    Nothing is written.

    Raises:
        UsageError, EmomapError: whatever would end a training in its first minute.
    """
    plan = make_plan(choices)
    _check_trainable(plan)
    parts = pictures(plan)
    return [
        line
        for contender in plan.trainable.values()
        for line in rehearse(
            contender.make(plan.numbers),
            *parts,
            contender.training_numbers(plan.numbers),
            Run(plan.out).method(contender.name),
            device=plan.device,
        )
    ]


def learn(choices: Choices) -> Path:
    """Train the methods that were chosen and do nothing more, as `emomap train` does.

    Returns:
        The checkpoint of the last one.

    Raises:
        UsageError: none of them learns anything; or as `make_plan`.
        EmomapError: as `make_plan`; or the training fails.
    """
    plan = make_plan(choices)
    _check_trainable(plan)
    folder = plan.open()
    for contender in plan.trainable.values():
        learned(plan, folder, contender)
    return checkpoint_in(folder.method(list(plan.trainable)[-1]), NETWORK)


def _check_trainable(plan: Plan) -> None:
    if not plan.trainable:
        raise UsageError(f"{plan.contenders[0].name} has nothing to train")
