"""`emomap predict`: maps of a method for a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options
from emomap.errors import EmomapError


@click.command(
    epilog=options.examples(
        "emomap predict photos/ --method gbvs -o maps/",
        "emomap predict photos/ --method islamnet --checkpoint checkpoint.pt -o maps/",
    )
)
@click.argument("images", type=options.FOLDER)
@click.option(
    "-m",
    "--method",
    "name",
    required=True,
    metavar="NAME",
    help="Use a name of `emomap methods`, package.module:Name, or CARD.toml of a model file.",
)
@click.option("-o", "--out", type=options.FOLDER, required=True, help="Folder for the maps.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["png", "npy"]),
    help="Write 16-bit PNG (scaled to its maximum) or float32 npy. Default: npy for learned models "
    "and densities, whose values span more than 16 bits; else png.",
)
@click.option(
    "--checkpoint", type=options.FOLDER, help="Trained network, for methods that need one."
)
@options.recipe_option
@options.set_option
@options.device_option
@options.trust_option
@options.jobs_option
@options.quiet_option
def predict(
    images: Path,
    name: str,
    out: Path,
    form: str | None,
    checkpoint: Path | None,
    recipe: str | None,
    settings: tuple[str, ...],
    device: str,
    trust: bool,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Write the map of every picture below the folder IMAGES to --out.

    IMAGES may also be a data set, or one picture.

    Maps that are there already are kept, so an interrupted command resumes. A
    network also writes predictions.jsonl with its emotion probabilities. Exit code 3 when some
    pictures could not be read.
    """
    from emomap import predict as stage
    from emomap import recipes
    from emomap.data.pictures import find_pictures
    from emomap.errors import UsageError
    from emomap.experiment.contender import FolderContender, parse
    from emomap.progress import report_problems, say

    contender = parse(name, trust=trust)
    if isinstance(contender, FolderContender):
        raise UsageError(f"--method {name}: these are maps already")
    numbers = recipes.load(recipe or "paper")
    recipes.override(numbers, settings)
    method = contender.make(numbers, device)
    if not contender.trainable and checkpoint is not None:
        raise UsageError(f"--checkpoint: {contender.name} has nothing to load")
    samples = find_pictures(images, out).samples
    if contender.trainable:
        if checkpoint is None:
            raise UsageError(
                f"{contender.name} must be trained first: `emomap train --method {name}`, "
                "then give its checkpoint with --checkpoint FILE"
            )
        method.load(checkpoint, device=device)
        outcomes = stage.predict_batches(
            method,
            samples,
            out,
            out / "predictions.jsonl",
            form=form or "png",
            label=name,
            show=not quiet,
        )
    else:
        method.check()
        outcomes = stage.predict_maps(
            method,
            samples,
            out,
            form=form or stage.form_of(method),
            jobs=jobs,
            label=contender.name,
            show=not quiet,
        )
    report_problems([outcome.problem or "" for outcome in outcomes], ())
    if len(outcomes) == len(samples):
        raise EmomapError(f"{images}: none of the {len(samples)} pictures could be done")
    say(f"{len(samples) - len(outcomes)} maps in {out}")
    return 3 if outcomes else 0
