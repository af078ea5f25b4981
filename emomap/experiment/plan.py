"""What a run will do. Everything that can be checked is checked here, before any work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emomap import data as datasets
from emomap import method as methods
from emomap import metrics, parallel, predict, recipes
from emomap.analysis import ranking
from emomap.data import splits
from emomap.errors import EmomapError, UsageError
from emomap.experiment import paper
from emomap.experiment.contender import Contender, FolderContender, MethodContender, parse
from emomap.runs.folder import Run
from emomap.sample import Dataset, Sample, Split
from emomap.scoring.protocol import Protocol, check_metrics

#: The benchmarks whose definitions the metrics can follow.
CONVENTIONS = ("mit", "tuebingen")


@dataclass(frozen=True)
class Choices:
    """What may be chosen about a run: the keyword arguments of `emomap.bench`.

    Attributes:
        names: methods, as `contender.parse` takes them.
        data: an embedded data set, or a folder or archive, see `emomap.data.open_dataset`.
        recipe_name: "demo", "paper" or a TOML file; by default "demo" for the set `demo`.
        settings: changes of the recipe, ``["training.epochs=3"]``.
        gaze: ground truth kept apart from the pictures.
        split: "train", "val", "test" or "all"; by default "test" where there is one.
        checkpoints: method -> file of a trained network, which is then not trained.
        baselines: whether those of the recipe take part.
        paper_table: a table of the paper (1 to 3): its methods, its metrics and nothing else.
        out: run folder; by default ``runs/DATA-RECIPE-seedN``. An unfinished run there is resumed.
        resume: False to refuse a folder that holds a run.
        seed: random seed.
        device: "auto" (the GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
        jobs: processes; None for one a processor.
        shard: (i, n) to do only the i-th of n parts of the images, see `emomap.experiment.merge`.
        show: report progress on stderr.
    """

    names: Sequence[str] = ("islamnet",)
    data: str = "demo"
    recipe_name: str | None = None
    settings: Sequence[str] = ()
    gaze: str | Path | None = None
    split: str | None = None
    checkpoints: Mapping[str, Path] | None = None
    baselines: bool = True
    paper_table: int | None = None
    out: str | Path | None = None
    resume: bool = True
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    shard: tuple[int, int] | None = None
    show: bool = True

    @property
    def recipe(self) -> str:
        """The name or file of the recipe."""
        return self.recipe_name or ("demo" if self.data == "demo" else "paper")

    @property
    def embedded(self) -> bool:
        """True for a data set that comes with emomap."""
        return self.data in datasets.EMBEDDED


@dataclass(frozen=True)
class Plan:
    """What a run will do, checked; nothing is computed or written yet.

    Attributes:
        dataset: all its samples, with train, val and test where it has splits.
        numbers: of the recipe, with the changes that were chosen.
        contenders: the rows of the table, baselines first.
        protocol: how maps are scored; `rows.fit_protocol` leaves out what the gaze cannot feed.
        split: the split that is shown and scored; None for all samples.
        out: the run folder.
        record: what `recipe.toml` keeps: the numbers and the choices that change a result.
        checkpoints: method -> file of a trained network.
        seed, device, jobs, shard, show: as in `Choices`.
    """

    dataset: Dataset
    numbers: Mapping[str, Any]
    contenders: Sequence[Contender]
    protocol: Protocol
    split: Split | None
    out: Path
    record: Mapping[str, Any]
    checkpoints: Mapping[str, Path] = field(default_factory=dict)
    seed: int = 0
    device: str = "auto"
    jobs: int | None = None
    shard: tuple[int, int] | None = None
    show: bool = True

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
        folder = Run.open(self.out, self.record)
        folder.write_environment()
        return folder

    def part(self, split: Split | None) -> Dataset:
        """The samples of a split; all of them for None."""
        return self.dataset.split(split) if split else self.dataset

    def gazed(self, split: Split | None) -> list[Sample]:
        """The samples of a split that have gaze."""
        return [s for s in self.part(split) if s.gaze_source is not None]

    def mine(self) -> list[Sample]:
        """The samples that are shown and scored: those of the split, or of this shard of it.

        Whole batches go to a shard, so that networks see the same batches as in one run.
        """
        return parallel.shard(list(self.part(self.split)), self.shard, predict.BATCH)


def make_plan(choices: Choices) -> Plan:
    """Check what was chosen and plan the run. Nothing is computed or written.

    Raises:
        UsageError: an unknown name or number, a trainable method without labels, a shard without
            pictures, or a run in ``out`` that must not be resumed.
        EmomapError: the data or a checkpoint cannot be read, or there is nothing to score against.
    """
    numbers, contenders = _numbers_and_contenders(choices)
    _check_names(contenders)
    for contender in contenders:
        if isinstance(contender, MethodContender):  # refuse a wrong option before hours of work
            options = contender.method_options(numbers)
            methods.check_options(contender.cls, contender.name, options)
    checkpoints = dict(choices.checkpoints or {})
    _check_checkpoints(checkpoints, contenders, numbers)
    learners = _trainable(contenders)
    dataset = _open_dataset(choices, numbers, hashed=bool(learners))
    split = _choose_split(dataset, choices.split)
    for name in learners:
        if name not in checkpoints:
            _require_labels(dataset, name)
    _require_truth(dataset, split, classified=bool(learners))
    plan = Plan(
        dataset=dataset,
        numbers=numbers,
        contenders=contenders,
        protocol=protocol_of(numbers["score"], dataset),
        split=split,
        out=_out(choices, dataset),
        record={**numbers, "run": _record(choices, split)},
        checkpoints=checkpoints,
        seed=choices.seed,
        device=choices.device,
        jobs=choices.jobs,
        shard=choices.shard,
        show=choices.show,
    )
    _require_pictures(plan)
    if not choices.resume and (plan.out / "recipe.toml").exists():
        raise UsageError(f"{plan.out}: holds a run already; choose another folder with --out")
    return plan


def _numbers_and_contenders(choices: Choices) -> tuple[recipes.Recipe, list[Contender]]:
    """The numbers of the recipe and the rows of the table; a table of the paper sets both."""
    numbers = recipes.load(choices.recipe)
    recipes.override(numbers, choices.settings)
    if choices.paper_table is None:
        baselines = numbers["bench"]["baselines"] if choices.baselines else ()
        return numbers, [parse(spec) for spec in dict.fromkeys([*baselines, *choices.names])]
    shown = paper.table(choices.paper_table)
    numbers["score"]["metrics"] = list(shown.metrics)
    numbers["bench"]["finish"] = False
    rows = [
        MethodContender(name, methods.load(spec), spec, shown.options.get(name, {}))
        for name, spec in shown.rows.items()
    ]
    return numbers, [*map(parse, shown.baselines), *rows]


def _trainable(contenders: Sequence[Contender]) -> dict[str, MethodContender]:
    return {c.name: c for c in contenders if isinstance(c, MethodContender) and c.trainable}


def _check_names(contenders: Sequence[Contender]) -> None:
    """Each row has its own name. Files are named after it, so it stays within the run folder.

    Raises:
        UsageError: a name that is empty, leads elsewhere, or belongs to another row.
    """
    seen: dict[str, Contender] = {}
    for contender in contenders:
        parts = {part.strip() for part in contender.name.split("/")}
        if contender.name == ranking.CEILING or parts & {"", ".", ".."}:
            raise UsageError(
                f"--method {contender.name}=...: '{contender.name}' cannot be the name of a row, "
                "because files are named after it: it may not be empty, nor "
                f"'{ranking.CEILING}', nor a path that leads elsewhere"
            )
        other = seen.setdefault(contender.name, contender)
        if other is not contender:
            raise UsageError(
                f"two methods are called {contender.name} ({other.source} and "
                f"{contender.source}); give the folder another name: --method NAME=FOLDER"
            )


def _check_checkpoints(
    checkpoints: Mapping[str, Path], contenders: Sequence[Contender], numbers: Mapping[str, Any]
) -> None:
    learners = _trainable(contenders)
    for name, file in checkpoints.items():
        if name not in learners:
            raise UsageError(f"--checkpoint {name}=...: '{name}' is not a trainable --method here")
        learners[name].make(numbers).load(file, device="cpu")


def _open_dataset(choices: Choices, numbers: Mapping[str, Any], *, hashed: bool) -> Dataset:
    """The data set with a test split where it has splits.

    Args:
        hashed: keep splits by a hash of the ids where the authors gave none.
    """
    options = numbers.get("data", {}) if choices.embedded else {}
    dataset = datasets.open_dataset(choices.data, gaze=choices.gaze, options=options)
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


def _require_labels(dataset: Dataset, name: str) -> None:
    if not dataset.labelled:
        raise UsageError(
            f"{name} learns from emotion labels, and {dataset.name} has none: add a labels.csv "
            f"(image,emotion), or give a trained network with --checkpoint {name}=FILE"
        )
    if not any(s.split == "train" and s.emotion for s in dataset):
        raise UsageError(
            f"{name} needs labelled images in the train split, and {dataset.name} has none: "
            "check split.csv (image,split) and labels.csv"
        )


def _require_truth(dataset: Dataset, split: Split | None, *, classified: bool) -> None:
    samples = [s for s in dataset if split is None or s.split == split]
    if any(s.gaze_source for s in samples) or (classified and any(s.emotion for s in samples)):
        return
    raise EmomapError(
        f"{dataset.name}: no gaze for its {len(samples)} images, so there is nothing to score "
        "against; put it into fixations/ or maps/, or give it with --gaze PATH"
    )


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
        UsageError: an unknown metric, convention or way to resize, or a blur that is not a number.
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
    )


def _out(choices: Choices, dataset: Dataset) -> Path:
    if choices.out:
        return Path(choices.out)
    kind = f"-table{choices.paper_table}" if choices.paper_table else ""
    piece = f"-shard{choices.shard[0]}of{choices.shard[1]}" if choices.shard else ""
    recipe = Path(choices.recipe).stem
    return Path("runs") / f"{dataset.name}-{recipe}{kind}-seed{choices.seed}{piece}"


def _record(choices: Choices, split: Split | None) -> dict[str, Any]:
    """What `recipe.toml` keeps below ``run``: with other values, the results would differ."""
    checkpoints = sorted((choices.checkpoints or {}).items())
    return {
        "recipe": choices.recipe,
        "data": choices.data if choices.embedded else _absolute(choices.data),
        "gaze": "" if choices.gaze is None else str(Path(choices.gaze).resolve()),
        "split": split or "whole",
        "seed": choices.seed,
        **({"shard": f"{choices.shard[0]}/{choices.shard[1]}"} if choices.shard else {}),
        **{f"checkpoint_{name}": str(Path(file).resolve()) for name, file in checkpoints},
    }


def _absolute(data: str) -> str:
    """The absolute path of a data set, behind its layout if one is named."""
    layout, separator, path = data.partition(":")
    if separator and layout in datasets.LAYOUTS:
        return f"{layout}:{Path(path).resolve()}"
    return str(Path(data).resolve())
