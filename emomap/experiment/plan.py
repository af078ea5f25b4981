"""What a run will do. Everything that can be checked is checked here, before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emomap import data as datasets
from emomap import method as methods
from emomap import metrics, parallel, predict, recipes
from emomap.analysis.grouping import Grouping, grouping
from emomap.data import splits
from emomap.errors import EmomapError, UsageError
from emomap.experiment import checks, paper
from emomap.experiment.choices import Choices
from emomap.experiment.contender import Contender, FolderContender, MethodContender, parse
from emomap.runs.folder import Run
from emomap.sample import Dataset, Sample, Split
from emomap.scoring.masks import Mask
from emomap.scoring.protocol import Protocol, check_metrics

#: The benchmarks whose definitions the metrics can follow.
CONVENTIONS = ("mit", "tuebingen")


@dataclass(frozen=True)
class Plan:
    """What a run will do, checked; nothing is computed or written yet.

    Attributes:
        dataset: all its samples, with train, val and test where it has splits.
        numbers: those of the recipe, with the changes that were chosen.
        contenders: the rows of the table, baselines first.
        protocol: how maps are scored, with all metrics that were chosen, see `rows.fit_protocol`.
        split: the split that is shown and scored; None for all samples.
        out: the run folder.
        record: what `recipe.toml` keeps: the numbers and the choices that change a result.
        checkpoints: method -> file of a trained network.
        grouping: groups of the images for a table of its own, or None.
        seed, device, jobs, shard, show, controls, skip_unreadable, loggers: as in `Choices`.
    """

    dataset: Dataset
    numbers: Mapping[str, Any]
    contenders: Sequence[Contender]
    protocol: Protocol
    split: Split | None
    out: Path
    record: Mapping[str, Any]
    checkpoints: Mapping[str, Path] = field(default_factory=dict)
    grouping: Grouping | None = None
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    shard: tuple[int, int] | None = None
    show: bool = True
    controls: bool = False
    skip_unreadable: bool = False
    loggers: Sequence[str] = ()

    @property
    def finish(self) -> bool:
        """Whether each network's map gets rows that are smoothed and have the centre prior."""
        # controls are compared with the network's map finished alike, whatever a table shows
        return bool(self.numbers["bench"]["finish"]) or self.controls

    @property
    def ready(self) -> dict[str, Path]:
        """The folders of the contenders whose maps were made elsewhere, by name."""
        return {c.name: c.folder for c in self.contenders if isinstance(c, FolderContender)}

    @property
    def trainable(self) -> dict[str, MethodContender]:
        """The contenders that learn, by name."""
        return _trainable(self.contenders)

    def open(self) -> Run:
        """Open the run folder and lock it for as long as the `Run` lives.

        Raises:
            UsageError: the folder holds a run with another recipe, or other files.
            EmomapError: another process works in it, or it cannot be written.
        """
        folder = Run.open(self.out, self.record, self._unused())
        folder.write_environment()
        return folder

    def _unused(self) -> tuple[str, ...]:
        """Beginnings of the numbers of methods and trainings that do not take part."""
        used = {c.base for c in self.contenders if isinstance(c, MethodContender)}
        idle = [f"method.{name}." for name in self.numbers["method"] if name not in used]
        return (*idle, *(() if self.trainable else ("training.",)))

    def part(self, split: Split | None) -> Dataset:
        """The samples of a split; all samples for None."""
        return self.dataset.split(split) if split else self.dataset

    def gazed(self, split: Split | None) -> list[Sample]:
        """The samples of a split that have gaze."""
        return [s for s in self.part(split) if s.gaze_source is not None]

    def mine(self) -> list[Sample]:
        """The samples that this run shows and scores: the split, or this shard of it.

        A shard has whole batches, so that networks see the same batches as in one run.
        """
        return parallel.shard(list(self.part(self.split)), self.shard, predict.BATCH)


def make_plan(choices: Choices) -> Plan:
    """Check what was chosen and plan the run. Nothing is computed or written.

    Raises:
        UsageError: an unknown name or number, a trainable method without labels, or a run in
            ``out`` that must not be resumed.
        EmomapError: the data or a checkpoint cannot be read, there is nothing to score against, or
            the shard has no pictures.
    """
    numbers, contenders = _numbers_and_contenders(choices)
    checks.check_names(contenders)
    checks.check_options(contenders, numbers)
    checks.check_methods(contenders, numbers)
    learners = _trainable(contenders)
    checkpoints = dict(choices.checkpoints or {})
    if choices.loggers:
        from emomap.training.loggers import check_loggers

        check_loggers(choices.loggers)
    own = {c.name: c for c in contenders if isinstance(c, MethodContender) and c.own}
    checks.check_checkpoints(checkpoints, {**learners, **own}, numbers)
    dataset = _open_dataset(choices, numbers, hashed=bool(learners))
    split = _choose_split(dataset, choices.split)
    for name in learners:
        if name not in checkpoints:
            checks.require_labels(dataset, name)
    checks.require_truth(dataset, split, classified=bool(learners or own))
    plan = Plan(
        dataset=dataset,
        numbers=numbers,
        contenders=contenders,
        protocol=protocol_of(numbers["score"], dataset),
        split=split,
        out=choices.run_folder(dataset.name),
        record={**_with_cards(numbers, contenders), "run": choices.record(split)},
        checkpoints=checkpoints,
        grouping=_grouping(choices, dataset, split),
        seed=choices.seed,
        device=choices.device,
        jobs=choices.jobs,
        shard=choices.shard,
        show=choices.show,
        controls=choices.controls or choices.paper_table == 3,
        skip_unreadable=choices.skip_unreadable,
        loggers=choices.loggers,
    )
    _require_pictures(plan)
    if not choices.resume and (plan.out / "recipe.toml").exists():
        raise UsageError(f"{plan.out}: holds a run already; choose another folder with --out")
    return plan


def _grouping(choices: Choices, dataset: Dataset, split: Split | None) -> Grouping | None:
    """The groups of the images, before anything is computed."""
    if not (choices.by or choices.groups):
        return None
    part = dataset.split(split) if split else dataset
    return grouping(choices.by, part.samples, choices.groups)


def _numbers_and_contenders(choices: Choices) -> tuple[recipes.Recipe, list[Contender]]:
    """The numbers of the recipe and the rows of the table; a table of the paper sets both."""
    numbers = recipes.load(choices.recipe)
    recipes.override(numbers, choices.settings)
    numbers["score"] |= choices.score_numbers
    if choices.paper_table is None:
        baselines = numbers["bench"]["baselines"] if choices.baselines else ()
        specs = dict.fromkeys([*baselines, *choices.names])
        explain = choices.explanations
        found = [
            parse(
                spec,
                trust=choices.trust,
                explain=explain,
                classes=choices.class_names,
                predictions=choices.predictions or {},
            )
            for spec in specs
        ]
        checks.check_predictions(found, choices.predictions or {})
        if explain and not any(isinstance(c, MethodContender) and c.explain for c in found):
            raise UsageError("--explain: none of the methods is a network that could be explained")
        return numbers, found
    shown = paper.table(choices.paper_table)
    numbers["score"]["metrics"] = list(shown.metrics)
    numbers["bench"]["finish"] = False
    rows = [
        MethodContender(
            name,
            methods.load(spec),
            spec,
            shown.options.get(name, {}),
            shown.training.get(name, {}),
        )
        for name, spec in shown.rows.items()
    ]
    return numbers, [*map(parse, shown.baselines), *rows]


def _with_cards(numbers: Mapping[str, Any], contenders: Sequence[Contender]) -> Mapping[str, Any]:
    """The numbers of a recipe with those of the cards and own classifiers that take part."""
    cards = {
        c.base: c.method_options(numbers)
        for c in contenders
        if isinstance(c, MethodContender) and (c.card or c.own)
    }
    return recipes.merged(numbers, {"method": cards})


def _trainable(contenders: Sequence[Contender]) -> dict[str, MethodContender]:
    return {c.name: c for c in contenders if isinstance(c, MethodContender) and c.trainable}


def _open_dataset(choices: Choices, numbers: Mapping[str, Any], *, hashed: bool) -> Dataset:
    """The data set with a test split where it has splits.

    Args:
        hashed: keep splits by a hash of the ids where the authors gave none.
    """
    own = {"progress": choices.show, **numbers.get("data", {})}
    options = own if choices.embedded else {}
    options |= choices.gaze_options
    dataset = datasets.open_dataset(choices.data, gaze=choices.gaze, options=options)
    if dataset.doubt and choices.gaze is None:
        raise EmomapError(f"{choices.data}: {dataset.doubt}")
    if choices.fold:
        return splits.fold(dataset, *choices.fold)
    if choices.split is None and not hashed:
        dataset = splits.undo_hashing(dataset)
    return splits.with_test(dataset)


def _choose_split(dataset: Dataset, wanted: str | None) -> Split | None:
    if wanted in {None, "all"}:
        return "test" if "test" in dataset.splits and wanted is None else None
    for split in dataset.splits:
        if split == wanted:
            return split
    there = ", ".join(dataset.splits) or "none"
    raise UsageError(f"--split {wanted}: {dataset.name} has the splits {there}, or say 'all'")


def _require_pictures(plan: Plan) -> None:
    if plan.shard and not plan.mine():
        raise EmomapError(
            f"shard {plan.shard[0]}/{plan.shard[1]} has no pictures: the "
            f"{len(plan.part(plan.split))} pictures go to the shards in batches of "
            f"{predict.BATCH}, so take fewer shards"
        )


def protocol_of(numbers: Mapping[str, Any], dataset: Dataset) -> Protocol:
    """How maps are scored.

    Args:
        numbers: the section ``score`` of a recipe.

    Raises:
        UsageError: an unknown metric, convention or way to resize, a blur that is not a number, or
            a mask that is neither a folder nor a border.
    """
    sigma = None
    if numbers["sigma"] != "auto":
        try:
            sigma = float(numbers["sigma"])
        except ValueError as error:
            raise UsageError(
                f"score.sigma: expected pixels or 'auto', not '{numbers['sigma']}'"
            ) from error
    for key, known in (("resize", metrics.RESIZE_METHODS), ("convention", CONVENTIONS)):
        if numbers[key] not in known:
            raise UsageError(f"score.{key}: expected {', '.join(known)}, not '{numbers[key]}'")
    return Protocol(
        metrics=check_metrics(map(str, numbers["metrics"])),
        convention=numbers["convention"],
        resize=numbers["resize"],
        sigma=sigma or dataset.sigma,
        emd_downsize=numbers["emd_downsize"],
        stretch=numbers["stretch"],
        mask=Mask.of(numbers["mask"]) if numbers.get("mask") else None,
        protocol=numbers.get("protocol", "plain"),
        baseline=numbers.get("baseline", "auto"),
    )
