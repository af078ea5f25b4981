"""`emomap train`: train one method on one data set."""

from __future__ import annotations

from typing import Any

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap train --method islamnet --data photos/ --recipe paper -o trained/"
    )
)
@click.option(
    "-m",
    "--method",
    "name",
    default="islamnet",
    show_default=True,
    metavar="NAME",
    help="Train this method: a name of `emomap methods`, or package.module:Name.",
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
    "-o",
    "--out",
    type=options.FOLDER,
    help="Write the run to this folder. Default: as in `emomap bench`.",
)
@options.skip_unreadable_option
@options.logger_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check weights, labels and disk, try one batch, print what the training will take, and "
    "write nothing.",
)
@options.seed_option
@options.device_option
@options.quiet_option
def train(
    name: str,
    recipe: str | None,
    quiet: bool,
    dry_run: bool,
    **choices: Any,
) -> None:
    """Train a method, keep its best checkpoint, and print the path of the checkpoint.

    This is the first stage of `emomap bench`: with the same recipe and folder, bench starts from
    this checkpoint, with or without --gaze. Rerun an interrupted training to resume.
    """
    from emomap.experiment.choices import Choices
    from emomap.experiment.learn import learn, rehearsal
    from emomap.parallel import launched

    chosen = Choices([name], recipe_name=recipe, baselines=False, show=not quiet, **choices)
    if dry_run:
        click.echo("\n".join(rehearsal(chosen)))
        return
    checkpoint = learn(chosen)
    if launched().rank == 0:
        click.echo(checkpoint)
