"""`emomap predict`: maps of a method for a folder of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emomap.cli import options
from emomap.cli.making import makers, ready
from emomap.errors import EmomapError, UsageError

if TYPE_CHECKING:
    from emomap.predict import Outcome


@click.command(
    epilog=options.examples(
        "emomap predict photos/ --method gbvs -o maps/",
        "emomap predict photos/ --method islamnet --checkpoint checkpoint.safetensors -o maps/",
        "emomap predict photos/ --method my:build --checkpoint FILE --explain gradcam -o maps/",
    )
)
@click.argument("images", type=options.FOLDER)
@click.option(
    "-m",
    "--method",
    "name",
    required=True,
    metavar="NAME",
    help="Use a name of `emomap methods`, package.module:Name, CARD.toml of a model file, or "
    "package.module:function that builds your classifier (with --explain).",
)
@click.option(
    "-o", "--out", type=options.FOLDER, required=True, help="Write the maps to this folder."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["png", "npy"]),
    help="Write 16-bit PNG (scaled to its maximum) or float32 npy. Default: npy for learned models "
    "and densities, whose values span more than 16 bits; else png.",
)
@click.option(
    "--checkpoint",
    metavar="FILE",
    help="Load this trained network: a path, a URL, or hf://USER/REPO/FILE.",
)
@options.recipe_option
@options.set_option
@options.explain_options
@options.device_option
@options.trust_option
@options.jobs_option
@options.quiet_option
def predict(
    images: Path,
    name: str,
    out: Path,
    form: str | None,
    checkpoint: str | None,
    recipe: str | None,
    settings: tuple[str, ...],
    device: str,
    trust: bool,
    jobs: int | None,
    quiet: bool,
    **explain: Any,
) -> int:
    """Write the map of every picture below the folder IMAGES to --out.

    IMAGES may also be a data set, or one picture.

    Existing maps are kept: rerun an interrupted command to resume. A
    network also writes its emotions with their probabilities: predictions.csv and
    predictions.jsonl. With several kinds of --explain, each has its own folder in --out. Exit code
    3 when some pictures could not be read.
    """
    from emomap import predict as stage
    from emomap import recipes
    from emomap.data.pictures import find_pictures
    from emomap.experiment.choices import Choices
    from emomap.experiment.contender import FolderContender, parse
    from emomap.progress import report_problems, say

    chosen = Choices((name,), **explain)
    contender = parse(name, trust=trust, explain=chosen.explanations, classes=chosen.class_names)
    if isinstance(contender, FolderContender):
        raise UsageError(f"--method {name}: these are maps already")
    if chosen.explain and not contender.explain:
        raise UsageError(f"--explain: {contender.name} is no network that could be explained")
    numbers = recipes.load(recipe or "paper")
    recipes.override(numbers, settings)
    method = ready(contender, contender.make(numbers, device), checkpoint, device)
    samples = find_pictures(images, out).samples
    outcomes: list[Outcome] = []
    made = makers(contender, method)
    for kind, maker in made:
        folder = out / kind if len(made) > 1 else out
        if contender.trainable or contender.own:
            outcomes += stage.predict_classes(
                maker,
                samples,
                folder,
                folder / "predictions.jsonl",
                form=form or "png",
                label=contender.name,
                show=not quiet,
            )
        else:
            outcomes += stage.predict_maps(
                maker,
                samples,
                folder,
                form=form or stage.form_of(maker),
                jobs=jobs,
                label=contender.name,
                show=not quiet,
            )
    report_problems(list(dict.fromkeys(outcome.problem or "" for outcome in outcomes)), ())
    failed = {outcome.id for outcome in outcomes}
    if len(failed) == len(samples):
        raise EmomapError(f"{images}: none of the {len(samples)} pictures could be done")
    say(f"{len(samples) - len(failed)} maps in {out}")
    return 3 if outcomes else 0
