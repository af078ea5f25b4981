"""`emomap score`: a folder of maps against gaze."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emomap.cli import options
from emomap.errors import UsageError

if TYPE_CHECKING:
    from emomap.analysis.audit import Audit
    from emomap.analysis.several import Ranked
    from emomap.scoring.emotions.scores import EmotionScores
    from emomap.scoring.scores import Scores


@click.command(
    epilog=options.examples(
        "emomap score maps/ data/osie               # a data set with gaze",
        "emomap score maps/ fixation_maps/ --metrics auc_judd,nss --format json",
        "emomap score map.png fixations.csv          # one map",
        "emomap score ours/ theirs/ --gt data/osie   # ranked, with tests",
        "emomap score maps/ data/osie --audit        # what hangs on how maps are saved",
        "emomap score predictions.csv labels.csv     # emotions, without pictures",
    )
)
@click.argument("paths", type=options.FOLDER, nargs=-1, metavar="PRED [PRED ...] [GT]")
@click.option(
    "--gt",
    type=options.FOLDER,
    metavar="GT",
    help="Score all PRED against the gaze in GT. Default: GT is the second argument.",
)
@click.option(
    "--against",
    metavar="NAME",
    help="Compare the other PRED with this one. Default: the first.",
)
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
    help="Read the values in PRED as a map of any scale, a density (never negative), or a "
    "log-density, whose exponential is scored.",
)
@options.protocol_option
@options.baseline_option
@click.option(
    "--wheel",
    type=options.FOLDER,
    metavar="FILE",
    help="Of emotions, take polarities and distances from this TOML file. Default: Mikels' wheel.",
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
    "--audit",
    is_flag=True,
    help="Score each map also after 8-bit rounding, JPEG, half size, min-max, exponents 2 and 1/2, "
    "and zero for negative values, and tell which metric hangs on which.",
)
@click.option(
    "--explain",
    is_flag=True,
    help="Add the signature in full and in words. Without PRED and GT, print only that.",
)
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Score the images that both sides have, and list the others.",
)
@options.by_options
@options.videos_option
@options.shard_option
@options.jobs_option
@options.seed_option
@options.quiet_option
def score(
    paths: tuple[Path, ...],
    gt: Path | None,
    against: str | None,
    gt_kind: str | None,
    points: str | None,
    marks_threshold: float | None,
    pred_suffix: str,
    wheel: Path | None,
    form: str,
    output: Path | None,
    per_image: Path | None,
    audit: bool,
    explain: bool,
    allow_missing: bool,
    by: str,
    groups: Path | None,
    videos: bool,
    shard: tuple[int, int] | None,
    jobs: int | None,
    seed: int,
    quiet: bool,
    **choices: Any,
) -> int:
    """Score the maps in the folder or zip file PRED, or one map, or emotions, against GT.

    Maps may be png (8 or 16 bit), jpg, tif, bmp, npy, npz or mat. GT is a data set with gaze, or a
    folder of density maps, of fixation maps, or of fixation CSVs (columns x,y in pixels, from 0).
    Files pair by stem. For one map, GT may also be one such file, whatever its name. Several PRED
    and --gt GT make one ranked table, with paired tests.

    PRED may also be a table of predicted emotions (.csv), and GT one of labels, or a data set that
    has labels. Each names the picture in a column (image) and has a label (emotion), a probability
    for each emotion (p_EMOTION), valence and arousal, or several of these. No picture is needed.

    Every output has the signature, which names all choices behind the values. Exit code 3: some
    maps are zero everywhere, or could not be scored by every metric.
    """
    from emomap.analysis.several import Ranked
    from emomap.errors import Interrupted
    from emomap.progress import report_problems
    from emomap.scoring.per_image import check_path
    from emomap.scoring.signature import explain as explained
    from emomap.scoring.signature import of_means

    if not paths and gt is None and explain:
        signature = of_means(options.protocol(**choices).signature())
        options.show("\n".join(explained(signature)) + "\n", output, prose=True)
        return 0
    predictions, truth = _sides(paths, gt)
    shared = _of_emotions(predictions, wheel, **choices) or {
        "protocol": options.protocol(**choices),
        "truth_kind": gt_kind.replace("-", " ") if gt_kind else None,
        "points": points,
        "marks_threshold": marks_threshold,
        "pred_suffix": pred_suffix,
        "jobs": jobs,
        "videos": videos,
        "show": not quiet,
    }
    shared["allow_missing"] = allow_missing
    if per_image:
        check_path(per_image, "--per-image")
    several = len(predictions) > 1
    if audit:
        given = {"--against": against, "--per-image": per_image, "--shard": shard}
        given |= {"--by": by or None, "--groups": groups}
        audited = _audited(predictions, truth, given, shared)
        report_problems([*audited.failed, *audited.incomplete], audited.remarks)
        options.show(audited.render(form, explain=explain), output, prose=form == "table")
        return 3 if audited.failed or audited.blank or audited.incomplete else 0
    try:
        found = _run(predictions, truth, against, **shared, shard=shard, seed=seed, keep=per_image)
    except KeyboardInterrupt as error:
        if per_image:
            raise
        raise Interrupted("interrupted; with --per-image FILE it could be resumed") from error
    sets = found.scores.values() if isinstance(found, Ranked) else [found]
    problems: list[str] = []
    remarks: list[str] = []
    lacking = False
    for scores in sets:
        name = f"{scores.method}: " if several else ""
        # what the table of one set has as notes
        unsaid = scores.incomplete if several or form in {"csv", "json"} else []
        problems += [*scores.failed, *(name + line for line in unsaid)]
        remarks += [line for line in scores.remarks if line not in remarks]
        lacking |= bool(scores.failed or scores.blank or scores.incomplete)
    report_problems(problems, remarks)
    text = found.render(form, explain=explain)
    if by or groups:
        from emomap.analysis.groups import of_scores

        own = found.scores if isinstance(found, Ranked) else {found.method: found}
        text = of_scores(own, truth, by, groups, seed).beside(text, form)
    options.show(text, output, prose=form == "table")
    return 3 if lacking else 0


def _sides(paths: Sequence[Path], truth: Path | None) -> tuple[Sequence[Path], Path]:
    """The predictions and the ground truth."""
    if truth is None and len(paths) == 2:
        return paths[:1], paths[1]
    if truth is None and len(paths) > 2:
        raise UsageError(
            f"{len(paths)} folders: say which one is the ground truth, "
            f"emomap score {' '.join(map(str, paths[:-1]))} --gt {paths[-1]}"
        )
    if truth is None or not paths:
        raise UsageError("score needs two folders: emomap score PRED GT; see emomap score --help")
    return paths, truth


def _audited(
    predictions: Sequence[Path],
    truth: Path,
    given: Mapping[str, Any],
    shared: Mapping[str, Any],
) -> Audit:
    """The audit of one set of maps.

    Args:
        given: options that say nothing here, with their values.
    """
    from emomap.analysis.audit import audit

    if len(predictions) > 1:
        raise UsageError(f"--audit is for one set of maps, and there are {len(predictions)}")
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} does not go with --audit")
    return audit(predictions[0], truth, **shared)


#: Options that tables of emotions have, too.
_OF_TABLES = {
    *("gt", "against", "names", "convention", "wheel", "form", "output", "per_image", "explain"),
    *("allow_missing", "seed", "quiet", "jobs", "engine", "scheduler"),
}


def _of_emotions(
    predictions: Sequence[Path],
    wheel: Path | None,
    names: str | None,
    convention: str | None,
    **others: Any,
) -> dict[str, Any] | None:
    """What tables of emotions are scored by; None where predictions are maps.

    Raises:
        UsageError: tables and maps together, or options that belong to the other kind.
    """
    from emomap.data.emotion_tables import is_table

    tables = [path for path in predictions if is_table(path)]
    if not tables:
        if wheel:
            raise UsageError("--wheel is for tables of emotions, and PRED holds maps")
        return None
    if len(tables) < len(predictions):
        maps = next(path for path in predictions if path not in tables)
        raise UsageError(f"{tables[0]} is a table of emotions and {maps} is not; score each alone")
    options.only_for(f"a table of emotions ({tables[0]})", _OF_TABLES)
    return {"metrics": names, "convention": convention, "wheel": wheel}


def _run(
    predictions: Sequence[Path], truth: Path, against: str | None, **choices: Any
) -> Scores | EmotionScores | Ranked:
    """The scores of one set of maps, or of several, ranked."""
    from emomap.analysis.several import rank
    from emomap.scoring.folders import score as run

    if len(predictions) > 1:
        return rank(predictions, truth, against=against, **choices)
    if against:
        raise UsageError("--against is for several sets of maps, and there is one")
    return run(predictions[0], truth, **choices)
