"""Check everything that can be checked before any work, and open the run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from emomap import method as methods
from emomap import recipes
from emomap.analysis import ranking
from emomap.errors import EmomapError, UsageError
from emomap.experiment import paper
from emomap.experiment.bench import Bench
from emomap.experiment.contender import Contender
from emomap.runs.folder import Run
from emomap.sample import Dataset, Split


def prepare(
    names: Sequence[str] = ("islamnet",),
    *,
    data: str = "demo",
    recipe_name: str | None = None,
    settings: Sequence[str] = (),
    gaze: str | Path | None = None,
    split: str | None = None,
    checkpoints: Mapping[str, Path] | None = None,
    baselines: bool = True,
    paper_table: int | None = None,
    out: str | Path | None = None,
    resume: bool = True,
    seed: int = 0,
    device: str = "auto",
    jobs: int | None = None,
    shard: tuple[int, int] | None = None,
    show: bool = True,
) -> Bench:
    """Check everything that can be checked before any work, and open the run folder.

    Args:
        names: methods, as `Contender.parse` takes them.
        data: an embedded data set, or a folder or archive, see `emomap.data.open_dataset`.
        recipe_name: "demo", "paper" or a TOML file; by default "demo" for the set `demo`.
        settings: changes of the recipe, ``["training.epochs=3"]``.
        gaze: ground truth kept apart from the pictures.
        split: "train", "val", "test" or "all"; by default "test" where there is one.
        checkpoints: method -> file of a trained network, which is then not trained.
        baselines: whether those of the recipe take part.
        paper_table: a table of the paper instead: its methods, metrics and nothing else.
        out: run folder; by default ``runs/DATA-RECIPE-seedN``. An unfinished run there goes on.
        resume: False to refuse a folder that holds a run.
        seed: of everything that is random.
        device: "auto" (the GPU where there is one), "cpu", "cuda", "cuda:1", "mps".
        jobs: processes; None for one a processor.
        shard: (i, n) to do only the i-th of n parts of the images, see `emomap.experiment.merge`.
        show: progress on stderr.

    Raises:
        UsageError: unknown names, a trainable method without labels, another recipe in ``out``.
        EmomapError: the data cannot be read.
    """
    from emomap import data as datasets
    from emomap.data import splits

    chosen = recipe_name or ("demo" if data == "demo" else "paper")
    table = recipes.load(chosen)
    recipes.override(table, settings)
    if paper_table is None:
        names = [*(table["bench"]["baselines"] if baselines else ()), *names]
        contenders = [Contender.parse(spec) for spec in dict.fromkeys(names)]
    else:
        shown = paper.table(paper_table)
        contenders = [Contender.parse(name) for name in shown.baselines] + [
            replace(
                Contender.parse(spec), name=name, base=spec, options=shown.options.get(name, {})
            )
            for name, spec in shown.rows.items()
        ]
        table["score"]["metrics"] = list(shown.metrics)
        table["bench"]["finish"] = False
    _require_names(contenders)
    for contender in contenders:
        if contender.cls is not None:  # a wrong option is refused before hours of work
            options = contender.method_options(table)
            methods.check_options(contender.cls, contender.name, options)
    checkpoints = dict(checkpoints or {})
    trainable = {contender.name: contender for contender in contenders if contender.trainable}
    for name, file in checkpoints.items():
        if name not in trainable:
            raise UsageError(f"--checkpoint {name}=...: '{name}' is not a trainable --method here")
        trainable[name].make(table).load(file, device="cpu")
    dataset = datasets.open_dataset(
        data, gaze=gaze, options=table.get("data", {}) if data in datasets.EMBEDDED else {}
    )
    if split is None and not any(contender.trainable for contender in contenders):
        dataset = splits.undo_hashing(dataset)
    dataset = splits.with_test(dataset)
    part = _choose_split(dataset, split)
    for contender in contenders:
        if contender.trainable and contender.name not in checkpoints:
            _require_labels(dataset, contender.name)
    _require_truth(dataset, part, any(contender.trainable for contender in contenders))
    whole = {
        **table,
        "run": {
            "recipe": chosen,
            "data": data if data in datasets.EMBEDDED else _absolute(data, datasets.LAYOUTS),
            "gaze": "" if gaze is None else str(Path(gaze).resolve()),
            "split": part or "whole",
            "seed": seed,
            **({"shard": f"{shard[0]}/{shard[1]}"} if shard else {}),
            **{f"checkpoint_{n}": str(Path(f).resolve()) for n, f in sorted(checkpoints.items())},
        },
    }
    kind = f"-table{paper_table}" if paper_table else ""
    piece = f"-shard{shard[0]}of{shard[1]}" if shard else ""
    default = Path("runs") / f"{dataset.name}-{Path(chosen).stem}{kind}-seed{seed}{piece}"
    folder = Path(out) if out else default
    if not resume and (folder / "recipe.toml").exists():
        raise UsageError(f"{folder}: holds a run already; choose another folder with --out")
    run = Run.open(folder, whole)
    run.write_environment()
    return Bench(
        dataset, table, contenders, run, part, seed, device, jobs, checkpoints, show, shard
    )


def _absolute(data: str, layouts: Mapping[str, Any]) -> str:
    """The data set as the recipe keeps it: its absolute path, behind the layout if one is named."""
    layout, separator, path = data.partition(":")
    if separator and layout in layouts:
        return f"{layout}:{Path(path).resolve()}"
    return str(Path(data).resolve())


def _choose_split(dataset: Dataset, wanted: str | None) -> Split | None:
    if wanted in {None, "all"}:
        return "test" if "test" in dataset.splits and wanted is None else None
    for split in dataset.splits:
        if split == wanted:
            return split
    there = ", ".join(dataset.splits) or "none"
    raise UsageError(f"--split {wanted}: {dataset.name} has the splits {there}, or say 'all'")


def _require_names(contenders: Sequence[Contender]) -> None:
    """Each row its own name, after which its files are named, within the run folder.

    Raises:
        UsageError: a name that is empty, leads elsewhere, or is another row's.
    """
    seen: dict[str, Contender] = {}
    for contender in contenders:
        parts = {part.strip() for part in contender.name.split("/")}
        if contender.name == ranking.CEILING or parts & {"", ".", ".."}:
            raise UsageError(
                f"--method {contender.name}=...: '{contender.name}' cannot be the name of a row, "
                f"since its files are named after it: neither empty, nor '{ranking.CEILING}', nor "
                "a path that leads elsewhere"
            )
        other = seen.setdefault(contender.name, contender)
        if other is not contender:
            raise UsageError(
                f"two methods are called {contender.name} ({other.source} and "
                f"{contender.source}); call the folder otherwise: --method NAME=FOLDER"
            )


def _require_truth(dataset: Dataset, part: Split | None, classified: bool) -> None:
    samples = [s for s in dataset if part is None or s.split == part]
    if any(s.gaze_source for s in samples) or (classified and any(s.emotion for s in samples)):
        return
    raise EmomapError(
        f"{dataset.name}: no gaze for its {len(samples)} images, so there is nothing to score "
        "against; put it into fixations/ or maps/, or give it with --gaze PATH"
    )


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
