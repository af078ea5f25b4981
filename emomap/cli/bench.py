"""`emomap bench`: train, extract, score, rank, report."""

from __future__ import annotations

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
    epilog="Examples:  emomap bench --method islamnet                (demo data, nothing else "
    "needed)\n\nemomap bench --data my_photos/ --method gbvs --method itti_koch\n\n"
    "emomap bench --data my_photos/ --method mine=my_maps/     (maps you have already)"
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
@options.jobs_option
@options.quiet_option
def bench(names: tuple[str, ...], out: Path | None, quiet: bool, **choices: Any) -> int:
    """Train methods, extract their maps, score them against gaze, and rank them.

    Baselines (uniform, centre prior, GBVS, Itti-Koch) always take part. Prints the ranked table
    with 95% intervals; maps, rows, checkpoints and summary.json stay in the run folder. The same
    command goes on where it was stopped. Exit code 3 when some pictures could not be done.
    """
    from emomap import benchmark
    from emomap.progress import say
    from emomap.scores import report_problems

    if not names and choices["no_baselines"]:
        raise UsageError("no method: name one with --method, see `emomap methods`")
    run = benchmark.prepare(
        names or ("islamnet",),
        data=choices["data"],
        recipe_name=choices["recipe"],
        settings=choices["settings"],
        gaze=choices["gaze"],
        split=choices["split"],
        checkpoints=choices["checkpoints"],
        baselines=not choices["no_baselines"],
        out=out,
        resume=choices["resume"],
        seed=choices["seed"],
        device=choices["device"],
        jobs=choices["jobs"],
        show=not quiet,
    )
    run.run()
    report_problems(run.failed, ())
    click.echo("\n".join(table.render("table") for table in run.tables()), nl=False)
    say(f"run folder: {run.folder.folder}")
    return 3 if run.failed else 0
