"""`emomap train`: train one method on one data set."""

from __future__ import annotations

from pathlib import Path

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
    help="Keep the run in this folder. Default: as in `emomap bench`.",
)
@options.seed_option
@options.device_option
@options.quiet_option
def train(
    name: str,
    data: str,
    recipe: str | None,
    settings: tuple[str, ...],
    out: Path | None,
    seed: int,
    device: str,
    quiet: bool,
) -> None:
    """Train a method, keep its best checkpoint, and print the path of the checkpoint.

    This is the first stage of `emomap bench`, which resumes from here when it is given the same
    recipe and folder. An interrupted training resumes when the same command is given again.
    """
    from emomap.experiment.choices import Choices
    from emomap.experiment.learn import learn
    from emomap.parallel import launched

    checkpoint = learn(
        Choices(
            [name],
            data=data,
            recipe_name=recipe,
            settings=settings,
            baselines=False,
            out=out,
            seed=seed,
            device=device,
            show=not quiet,
        )
    )
    if launched().rank == 0:
        click.echo(checkpoint)
