"""`emomap bench`: train, extract, score, rank, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emomap.cli import options
from emomap.errors import EmomapError, UsageError

if TYPE_CHECKING:
    from emomap.experiment.result import Bench
    from emomap.io.kinds import MapKind
    from emomap.tables import Table


def checkpoints(values: Sequence[str], names: Sequence[str]) -> dict[str, Path]:
    """Method -> file, from METHOD=FILE, or FILE where there is one method."""
    from emomap.experiment.contender import name_of
    from emomap.io.cache import REMOTE, local_file
    from emomap.io.checkpoint import checkpoint_named

    found = {}
    for value in values:
        name, separator, file = value.partition("=")
        if not separator:
            if len(names) != 1:
                raise UsageError(f"--checkpoint {value}: write it as METHOD=FILE")
            name, file = name_of(names[0]), value
        if not REMOTE.match(file) and not checkpoint_named(Path(file)).is_file():
            raise UsageError(f"--checkpoint {value}: there is no file {file}")
        try:
            found[name] = local_file(file)
        except EmomapError as error:
            raise UsageError(f"--checkpoint {value}: {error}") from error
    return found


def predictions(values: Sequence[str]) -> dict[str, MapKind]:
    """Name of a folder of maps -> what their values are, from NAME=KIND."""
    from emomap.io.kinds import MAP_KINDS

    found = {}
    for value in values:
        name, _, said = value.partition("=")
        kind = next((known for known in MAP_KINDS if known == said), None)
        if not name or kind is None:
            raise UsageError(f"--prediction {value}: write it as NAME={'|'.join(MAP_KINDS)}")
        found[name] = kind
    return found


@click.command(
    epilog=options.examples(
        "emomap bench --method islamnet                    # demo data; needs nothing else",
        "emomap bench --data photos/ --method gbvs --method itti_koch",
        "emomap bench --data photos/ --method mine=maps/   # maps that you have",
        "emomap bench --data photos/ --method my.module:build --checkpoint FILE --explain gradcam",
    )
)
@click.option(
    "-m",
    "--method",
    "names",
    multiple=True,
    metavar="NAME",
    help="Add a method: a name of `emomap methods`, package.module:Name, NAME=FOLDER or "
    "NAME=FILE.zip of maps, NAME=CARD.toml of a model file, or NAME=package.module:function that "
    "builds your classifier (with --explain). Repeatable. Default: islamnet.",
)
@click.option(
    "-d",
    "--data",
    default="demo",
    show_default=True,
    metavar="NAME|PATH",
    help="Use an embedded data set, or a folder or zip in a layout that `emomap data` lists.",
)
@options.recipe_option
@options.set_option
@click.option(
    "--gaze", type=options.FOLDER, help="Take the gaze from here. Default: from the data set."
)
@click.option(
    "--split",
    metavar="NAME",
    help="Score this split: train, val, test or all. Default: test if there is one, else all.",
)
@click.option(
    "--checkpoint",
    "given",
    multiple=True,
    metavar="[METHOD=]FILE",
    help="Use a trained network instead of training it: a path, a URL, or hf://USER/REPO/FILE. "
    "Repeatable as METHOD=FILE.",
)
@click.option(
    "--table",
    "paper_table",
    type=click.IntRange(1, 3),
    metavar="1|2|3",
    help="Make a table of the ISLAMNet paper, with the published numbers beside ours.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Repeat with N seeds, each in its own folder; show mean and standard deviation.",
)
@click.option(
    "--folds",
    type=click.IntRange(min=2),
    metavar="N",
    help="Cross-validate: train on all but one of N parts of the labelled pictures and test on "
    "that one, each in its own folder; show mean and standard deviation.",
)
@click.option(
    "--sanity",
    is_flag=True,
    help="Also check that maps depend on learned weights and show where the network looks.",
)
@click.option(
    "--controls",
    is_flag=True,
    help="Also score control maps of the same network, which lack what it learned: rows "
    "NAME@f1-mean, NAME@f1-energy, NAME@cam, NAME@random-head, NAME@other-picture. On with "
    "--sanity and --table 3.",
)
@options.protocol_option
@options.baseline_option
@click.option(
    "--prediction",
    "kinds",
    multiple=True,
    metavar="NAME=KIND",
    help="Read the maps of a folder as density or log-density. Repeatable. "
    "Default: maps of any scale.",
)
@click.option("--no-baselines", is_flag=True, help="Leave out the baselines of the recipe.")
@click.option(
    "-o",
    "--out",
    type=options.FOLDER,
    help="Write the run to this folder. Default: runs/DATA-RECIPE-seedN.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Resume the run in --out, or refuse if there is one.",
)
@options.explain_options
@options.trust_option
@options.skip_unreadable_option
@options.logger_option
@options.gaze_options
@options.seed_option
@options.device_option
@options.by_options
@options.shard_option
@options.jobs_option
@options.quiet_option
def bench(
    names: tuple[str, ...],
    given: tuple[str, ...],
    kinds: tuple[str, ...],
    out: Path | None,
    quiet: bool,
    paper_table: int | None,
    seeds: int,
    folds: int | None,
    seed: int,
    sanity: bool,
    controls: bool,
    recipe: str | None,
    no_baselines: bool,
    **choices: Any,
) -> int:
    """Train methods, extract their maps, score them against gaze, and rank them.

    The baselines of the recipe (uniform, centre prior, GBVS, Itti-Koch) are included. Prints the
    ranked table with 95% intervals. The run folder keeps maps, rows, checkpoints and summary.json.
    Rerun an interrupted command to resume. Exit code 3: some pictures failed.
    """
    from emomap.experiment.bench import bench as run_bench
    from emomap.progress import report_problems, say

    if paper_table and names:
        raise UsageError("--table brings its own methods; leave --method out")
    if not names and no_baselines:
        raise UsageError("no method: name one with --method, see `emomap methods`")
    if folds and seeds > 1:
        raise UsageError("--folds and --seeds: give one of them")
    if folds and choices["split"]:
        raise UsageError("--folds makes its own splits; leave --split out")
    names = names or ("islamnet",)
    loaded = checkpoints(given, names)
    turns: list[tuple[str, dict[str, Any]]] = [
        (f"seed{number}", {"seed": number}) for number in range(seed, seed + seeds)
    ]
    if folds:
        turns = [
            (f"fold{part}", {"seed": seed, "fold": (part, folds)}) for part in range(1, folds + 1)
        ]
    runs = [
        run_bench(
            names,
            checkpoints=loaded,
            predictions=predictions(kinds),
            recipe_name=recipe,
            baselines=not no_baselines,
            paper_table=paper_table,
            controls=controls or sanity,
            out=out / turn if out and len(turns) > 1 else out,
            show=not quiet,
            **own,
            **choices,
        )
        for turn, own in turns
    ]
    report_problems(list(dict.fromkeys(line for run in runs for line in run.failed)), ())
    shown = _tables(runs, paper_table)
    if sanity:
        from emomap.experiment.sanity import check_networks

        shown += check_networks(runs[0])
    click.echo("\n".join(table.render("table") for table in shown), nl=False)
    if not (quiet and out):
        for run in runs:
            say(f"run folder: {run.folder.folder}")
    return 3 if any(run.failed or run.incomplete for run in runs) else 0


def _tables(runs: Sequence[Bench], paper_table: int | None) -> list[Table]:
    """The tables of one run, or one table over all seeds."""
    from emomap.experiment import paper

    summaries = [run.summary for run in runs]
    if paper_table:
        table = paper.table(paper_table)
        first = paper.beside(table, summaries)
        _keep(runs, f"table{paper_table}.md", first)
        more = paper.controls_over_seeds(summaries) if len(runs) > 1 else runs[0].controls()
        confusions = [*runs[0].confusions(), *paper.beside_confusion(table, summaries)]
        return [first, *more, *confusions]
    if len(runs) > 1:
        first = paper.over_seeds(summaries)
        _keep(runs, "folds.md" if "fold" in summaries[0] else "seeds.md", first)
        return [first, *paper.controls_over_seeds(summaries)]
    return runs[0].tables()


def _keep(runs: Sequence[Bench], name: str, table: Table) -> None:
    """Write a table over all runs into the folder of each."""
    from emomap import io

    for run in runs:
        io.write_text(run.folder.folder / name, table.render("md"))
