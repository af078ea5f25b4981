"""`emomap adapt`: maps of any scale become densities of fixations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emomap.cli import options
from emomap.errors import UsageError

if TYPE_CHECKING:
    from emomap.io.kinds import MapKind

#: Options of the fit, which a file of numbers has behind it.
OF_FIT = ("pictures", "figure", "points", "marks_threshold", "stretch")


@click.command(
    epilog=options.examples(
        "emomap adapt maps/ data/osie -o ours.json --figure ours.pdf",
        "emomap adapt maps/ --with ours.json -o densities/",
        "emomap score densities/ data/osie --prediction density",
    )
)
@click.argument("maps", type=options.FOLDER, metavar="MAPS")
@click.argument("gaze", type=options.FOLDER, metavar="[GAZE]", required=False)
@click.option(
    "-o",
    "--out",
    type=options.FOLDER,
    required=True,
    metavar="PATH",
    help="Write the numbers to this .json file; with --with, the densities to this folder.",
)
@click.option(
    "--with",
    "numbers",
    type=options.FOLDER,
    metavar="FILE",
    help="Turn MAPS into densities with the numbers in FILE. Default: fit them on GAZE.",
)
@click.option(
    "-n",
    "--pictures",
    type=click.IntRange(min=1),
    metavar="N",
    help="Fit on N pictures, drawn at random. Default: all that have a map and gaze.",
)
@click.option(
    "--others",
    is_flag=True,
    help="With --with, leave out the pictures that FILE was fitted on.",
)
@click.option(
    "--figure",
    type=options.FOLDER,
    metavar="FILE",
    help="Draw the curve as .pdf, .svg, .eps or .png.",
)
@click.option(
    "--prediction",
    type=click.Choice(["map", "density", "log-density"]),
    help="Say what the values in MAPS are. Default: map; with --with, as in FILE.",
)
@click.option(
    "--pred-suffix",
    default="",
    metavar="TEXT",
    help="Pair photo_TEXT.png in MAPS with photo in GAZE: _gradcam for photo_gradcam.png.",
)
@click.option(
    "--stretch",
    is_flag=True,
    help="Accept maps whose aspect ratio differs from their picture's.",
)
@options.gaze_options
@options.jobs_option
@options.seed_option
@options.quiet_option
def adapt(
    maps: Path,
    gaze: Path | None,
    out: Path,
    numbers: Path | None,
    others: bool,
    figure: Path | None,
    prediction: MapKind | None,
    quiet: bool,
    seed: int,
    **choices: Any,
) -> int:
    """Turn the maps in MAPS into densities, with a few numbers fitted on the fixations in GAZE.

    The numbers are a blur, an increasing function of the map's values, the weight of the centre
    bias and a uniform floor, under which the fixations are most likely. They are printed, with
    their cross-validated likelihood. With --with FILE, they are read instead, and densities
    written as float32 npy; those that are there already are kept, so an interrupted command
    resumes. Exit code 3 when some maps could not be read.
    """
    if numbers is None:
        if others:
            raise UsageError("--others goes with --with FILE")
        if gaze is None:
            raise UsageError(
                "adapt needs gaze to be fitted on, emomap adapt MAPS GAZE -o FILE.json; or the "
                "numbers of an earlier fit, emomap adapt MAPS --with FILE.json -o FOLDER"
            )
        return _fit(maps, gaze, out, figure, prediction, seed, quiet, choices)
    if gaze is not None:
        raise UsageError(f"{gaze}: no gaze is needed where the numbers are read from {numbers}")
    given = {**choices, "figure": figure}
    for name in OF_FIT:
        if given[name] not in (None, False):
            raise UsageError(f"--{name.replace('_', '-')} does not go with --with")
    return _apply(maps, numbers, out, others, prediction, quiet, choices)


def _fit(
    maps: Path,
    gaze: Path,
    out: Path,
    figure: Path | None,
    prediction: MapKind | None,
    seed: int,
    quiet: bool,
    choices: dict[str, Any],
) -> int:
    from emomap.analysis import adapting
    from emomap.progress import report_problems, say

    if out.suffix.lower() != ".json":
        raise UsageError(f"-o {out}: the numbers go into a .json file")
    if figure:
        from emomap.report.figure import check_output

        check_output(figure)
    found = adapting.adapt(
        maps, gaze, prediction=prediction or "map", seed=seed, show=not quiet, **choices
    )
    found.write(out)
    report_problems(found.failed, found.remarks)
    options.show(found.table().render("table"), None, prose=True)
    if figure:
        from emomap.report.adapted import draw

        draw(found, figure)
        say(f"the curve: {figure}")
    return 3 if found.failed else 0


def _apply(
    maps: Path,
    numbers: Path,
    out: Path,
    others: bool,
    prediction: MapKind | None,
    quiet: bool,
    choices: dict[str, Any],
) -> int:
    from emomap.analysis import adapting
    from emomap.errors import EmomapError
    from emomap.progress import report_problems, say

    chosen = adapting.read(numbers)
    if prediction not in (None, chosen.prediction):
        raise UsageError(
            f"--prediction {prediction}: {numbers} was fitted on maps that are read as "
            f"{chosen.prediction}"
        )
    failed, count = adapting.apply(
        maps,
        chosen,
        out,
        others=others,
        pred_suffix=choices["pred_suffix"],
        jobs=choices["jobs"],
        show=not quiet,
    )
    report_problems([outcome.problem or "" for outcome in failed], ())
    if len(failed) == count:
        raise EmomapError(f"{maps}: none of the {count} maps could be read")
    say(f"{count - len(failed)} densities in {out}; score them with --prediction density")
    return 3 if failed else 0
