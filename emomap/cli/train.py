"""`emomap train`: one method on one data set."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap train --method islamnet --data photos/ --recipe paper -o trained/"
    )
)
@click.option("-m", "--method", "name", default="islamnet", show_default=True, metavar="NAME")
@click.option("-d", "--data", default="demo", show_default=True, metavar="NAME|PATH")
@options.recipe_option
@options.set_option
@click.option(
    "-o", "--out", type=options.FOLDER, help="Run folder. Default: as for `emomap bench`."
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
    """Train a method and keep its best checkpoint; the first stage of `bench` by itself.

    Prints the path of the checkpoint. The same command goes on where it was stopped, and
    `emomap bench` with the same recipe and folder goes on from it.
    """
    from emomap.experiment.learn import learn
    from emomap.experiment.plan import Choices
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
