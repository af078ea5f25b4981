"""`emomap score`: a folder of maps against gaze."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emomap.cli import options


@click.command(
    epilog="Examples:  emomap score my_maps/ data/osie          (a data set with gaze)\n\n"
    "emomap score my_maps/ fixation_maps/ --metrics auc_judd,nss --format json -o scores.json"
)
@click.argument("pred", type=options.FOLDER)
@click.argument("gt", type=options.FOLDER)
@options.metric_options
@click.option(
    "--gt-kind",
    type=click.Choice(["neutral", "density", "fixation-maps", "csv"]),
    help="Read GT as this instead of recognising it.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "md", "latex"]),
    default="table",
    show_default=True,
)
@click.option(
    "-o", "--output", type=options.FOLDER, metavar="FILE", help="Write here, not to stdout."
)
@click.option("--per-image", type=options.FOLDER, metavar="FILE.csv", help="Each image's values.")
@click.option(
    "--allow-missing", is_flag=True, help="Score what both sides have, and say what they lack."
)
@options.jobs_option
@options.seed_option
@options.quiet_option
def score(
    pred: Path,
    gt: Path,
    gt_kind: str | None,
    form: str,
    output: Path | None,
    per_image: Path | None,
    allow_missing: bool,
    jobs: int | None,
    seed: int,
    quiet: bool,
    **choices: Any,
) -> int:
    """Score the maps in the folder PRED against the gaze in GT.

    Maps may be png (8 or 16 bit), jpg, tif, bmp, npy, npz or mat. GT is a data set with gaze, or a
    folder of density maps, of fixation maps, or of fixation CSVs (columns x,y in pixels, from 0).
    Files pair by stem. Exit code 3 when some maps could not be scored, or are all zero.
    """
    from emomap import io, scores

    found = scores.score(
        pred,
        gt,
        protocol=options.protocol(**choices),
        allow_missing=allow_missing,
        truth_kind=gt_kind.replace("-", " ") if gt_kind else None,
        jobs=jobs,
        seed=seed,
        show=not quiet,
    )
    scores.report_problems(found.failed, found.remarks)
    if per_image:
        io.write_text(per_image, found.per_image().render("csv"))
    shown = found.render(form)
    if output:
        io.write_text(output, shown)
    else:
        click.echo(shown, nl=False)
    return 3 if found.failed or found.blank else 0
