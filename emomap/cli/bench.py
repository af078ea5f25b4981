"""`emomap bench`: train, extract, score, rank, report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from emomap.cli import options
from emomap.errors import UsageError


def checkpoints(
    ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    """NAME=FILE pairs as a dictionary."""
    found = {}
    for value in values:
        name, separator, file = value.partition("=")
        if not separator:
            raise UsageError(f"--checkpoint {value}: write it as METHOD=FILE")
        if not Path(file).is_file():
            raise UsageError(f"--checkpoint {value}: there is no file {file}")
        found[name] = Path(file)
    return found


@click.command(
    epilog=options.examples(
        "emomap bench --method islamnet                    # demo data, nothing else needed",
        "emomap bench --data photos/ --method gbvs --method itti_koch",
        "emomap bench --data photos/ --method mine=maps/   # maps you have already",
    )
)
@click.option(
    "-m",
    "--method",
    "names",
    multiple=True,
    metavar="NAME",
    help="A method of `emomap methods`, package.module:Name, or NAME=FOLDER of maps. Repeatable.",
)
@click.option(
    "-d",
    "--data",
    default="demo",
    show_default=True,
    metavar="NAME|PATH",
    help="An embedded data set, or a folder (any layout that `emomap data` knows).",
)
@options.recipe_option
@options.set_option
@click.option("--gaze", type=options.FOLDER, help="Ground truth kept apart from the images.")
@click.option(
    "--split", metavar="NAME", help="train, val, test or all. Default: test where there is one."
)
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    callback=checkpoints,
    metavar="METHOD=FILE",
    help="Use a trained network instead of training it. Repeatable.",
)
@click.option(
    "--table",
    "paper_table",
    type=click.IntRange(1, 3),
    metavar="1|2|3",
    help="Run a table of the ISLAMNet paper, with the published numbers beside ours.",
)
@click.option(
    "--seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    metavar="N",
    help="Repeat with N seeds, each in its own folder; mean and standard deviation.",
)
@click.option(
    "--sanity",
    is_flag=True,
    help="Also check that maps depend on the learned weights and say where the network looks.",
)
@click.option("--no-baselines", is_flag=True, help="Only the methods named with --method.")
@click.option(
    "-o",
    "--out",
    type=options.FOLDER,
    help="Run folder. Default: runs/DATA-RECIPE-seedN. An unfinished run there goes on.",
)
@click.option(
    "--resume/--no-resume",
    default=True,
    show_default=True,
    help="Go on with the run in --out, or refuse to touch it.",
)
@options.seed_option
@options.device_option
@options.shard_option
@options.jobs_option
@options.quiet_option
def bench(
    names: tuple[str, ...],
    out: Path | None,
    quiet: bool,
    paper_table: int | None,
    seeds: int,
    seed: int,
    sanity: bool,
    **choices: Any,
) -> int:
    """Train methods, extract their maps, score them against gaze, and rank them.

    Baselines (uniform, centre prior, GBVS, Itti-Koch) always take part. Prints the ranked table
    with 95% intervals; maps, rows, checkpoints and summary.json stay in the run folder. The same
    command goes on where it was stopped. Exit code 3 when some pictures could not be done.
    """
    from emomap.experiment import paper
    from emomap.experiment.prepare import prepare
    from emomap.progress import report_problems, say

    if paper_table and names:
        raise UsageError("--table brings its own methods; leave --method out")
    if not names and choices["no_baselines"]:
        raise UsageError("no method: name one with --method, see `emomap methods`")
    runs = []
    for number in range(seed, seed + seeds):
        run = prepare(
            names or ("islamnet",),
            data=choices["data"],
            recipe_name=choices["recipe"],
            settings=choices["settings"],
            gaze=choices["gaze"],
            split=choices["split"],
            checkpoints=choices["checkpoints"],
            baselines=not choices["no_baselines"],
            paper_table=paper_table,
            out=out / f"seed{number}" if out and seeds > 1 else out,
            resume=choices["resume"],
            seed=number,
            device=choices["device"],
            jobs=choices["jobs"],
            shard=choices["shard"],
            show=not quiet,
        )
        run.run()
        runs.append(run)
    report_problems(list(dict.fromkeys(line for run in runs for line in run.failed)), ())
    summaries = [run.summary for run in runs]
    if paper_table:
        table = paper.table(paper_table)
        first = paper.beside(table, summaries)
        _keep(runs, f"table{paper_table}.md", first)
        shown = [first, *runs[0].confusions(), *paper.beside_confusion(table, summaries)]
    elif seeds > 1:
        shown = [paper.over_seeds(summaries)]
        _keep(runs, "seeds.md", shown[0])
    else:
        shown = runs[0].tables()
    if sanity:
        from emomap.sanity.check import check

        shown = [*shown, *check(runs[0])]
    click.echo("\n".join(table.render("table") for table in shown), nl=False)
    for run in runs:
        say(f"run folder: {run.folder.folder}")
    return 3 if any(run.failed for run in runs) else 0


def _keep(runs: Sequence[Any], name: str, table: Any) -> None:
    """Leave a table over all runs in the folder of each."""
    from emomap import io

    for run in runs:
        io.write_text(run.folder.folder / name, table.render("md"))
