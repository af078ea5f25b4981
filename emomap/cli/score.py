"""`emomap score`: a folder of maps against gaze."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap score maps/ data/osie               # a data set with gaze",
        "emomap score maps/ fixation_maps/ --metrics auc_judd,nss --format json",
    )
)
@click.argument("pred", type=options.FOLDER, required=False)
@click.argument("gt", type=options.FOLDER, required=False)
@options.metric_options
@click.option(
    "--gt-kind",
    type=click.Choice(["neutral", "density", "fixation-maps", "csv"]),
    help="Read GT as this kind. Default: recognise it.",
)
@options.gaze_options
@click.option(
    "--pred-suffix",
    default="",
    metavar="TEXT",
    help="Pair photo_TEXT.png in PRED with photo in GT: _gradcam for photo_gradcam.png.",
)
@click.option(
    "--prediction",
    type=click.Choice(["map", "density", "log-density"]),
    default="map",
    show_default=True,
    help="Say what the values in PRED are. A density has no negative values. Of a log-density, the "
    "exponential is scored.",
)
@options.format_option
@options.output_option
@click.option(
    "--per-image",
    type=options.FOLDER,
    metavar="FILE",
    help="Write the values of each image to a .csv, .json, .jsonl (rows) or .parquet file. If "
    "interrupted, the same command resumes.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Explain the signature in words. Without PRED and GT, do only that.",
)
@click.option(
    "--allow-missing", is_flag=True, help="Score the images that both have, and list the others."
)
@options.shard_option
@options.jobs_option
@options.seed_option
@options.quiet_option
def score(
    pred: Path | None,
    gt: Path | None,
    gt_kind: str | None,
    points: str | None,
    marks_threshold: float | None,
    pred_suffix: str,
    form: str,
    output: Path | None,
    per_image: Path | None,
    explain: bool,
    allow_missing: bool,
    shard: tuple[int, int] | None,
    jobs: int | None,
    seed: int,
    quiet: bool,
    **choices: Any,
) -> int:
    """Score the maps in the folder PRED against the gaze in GT.

    Maps may be png (8 or 16 bit), jpg, tif, bmp, npy, npz or mat. GT is a data set with gaze, or a
    folder of density maps, of fixation maps, or of fixation CSVs (columns x,y in pixels, from 0).
    Files pair by stem. Every output has the signature, which names all choices behind the values.
    Exit code 3 if some maps could not be scored by every metric, or are zero everywhere.
    """
    from emomap.errors import Interrupted, UsageError
    from emomap.progress import report_problems
    from emomap.scoring.folders import score as run
    from emomap.scoring.per_image import check_path
    from emomap.scoring.signature import explain as explained

    chosen = options.protocol(**choices)
    if pred is None and gt is None and explain:
        options.show("\n".join(explained(chosen.signature(seed=seed))) + "\n", output, prose=True)
        return 0
    if pred is None or gt is None:
        raise UsageError("score needs two folders: emomap score PRED GT; see emomap score --help")
    if per_image:
        check_path(per_image, "--per-image")
    try:
        found = run(
            pred,
            gt,
            protocol=chosen,
            allow_missing=allow_missing,
            truth_kind=gt_kind.replace("-", " ") if gt_kind else None,
            points=points,
            marks_threshold=marks_threshold,
            pred_suffix=pred_suffix,
            jobs=jobs,
            shard=shard,
            seed=seed,
            show=not quiet,
            keep=per_image,
        )
    except KeyboardInterrupt as error:
        if per_image:
            raise
        raise Interrupted("interrupted; with --per-image FILE it could be resumed") from error
    unsaid = found.incomplete if form in {"csv", "json"} else []  # else a note of the table
    report_problems([*found.failed, *unsaid], found.remarks)
    options.show(found.render(form, explain=explain), output, prose=form == "table")
    return 3 if found.failed or found.blank or found.incomplete else 0
