"""`emomap table`: print the numbers of a run in any format."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options
from emomap.errors import UsageError

FORMATS = ["table", "json", "csv", "md", "latex", "parquet"]


@click.command(
    epilog=options.examples(
        "emomap table runs/a --format latex", "emomap table runs/a --format parquet -o rows.parquet"
    )
)
@click.argument("run", type=options.FOLDER)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="Print the table in this format.",
)
@options.output_option
@click.option(
    "--intervals/--no-intervals",
    default=True,
    show_default=True,
    help="Show 95% intervals below the means.",
)
@click.option(
    "--metrics", "metric_names", metavar="A,B", help="Show these metrics. Default: all of the run."
)
@options.by_options
@click.option("--label", default="", metavar="NAME", help="Label of a LaTeX table, for \\ref.")
@click.option("--explain", is_flag=True, help="Add the signature in full and in words.")
def table(
    run: Path,
    form: str,
    output: Path | None,
    intervals: bool,
    metric_names: str | None,
    by: str,
    groups: Path | None,
    label: str,
    explain: bool,
) -> None:
    """Print the ranked table of the run folder RUN in any format.

    csv holds the means of all methods and metrics in full precision, json the whole summary.
    parquet holds the value of every image; it needs -o and the extra "parquet". A wide LaTeX table
    spans both columns of a two-column page and is scaled down to fit; --no-intervals or fewer
    --metrics keep its letters large.
    """
    import json

    from emomap.analysis import controls, emotions, limits, ranking
    from emomap.analysis import groups as by_groups
    from emomap.runs import results
    from emomap.scoring import per_image
    from emomap.scoring.protocol import check_metrics
    from emomap.scoring.signature import explain as in_words
    from emomap.tables import latex

    found = results.read(run)
    if form == "parquet":
        if output is None:
            raise UsageError("--format parquet: name a file with -o FILE.parquet")
        per_image.write_parquet(output, found.to_pandas)
    elif form == "json":
        options.show(json.dumps(found.summary, indent=1) + "\n", output)
    elif form == "csv":
        options.show(found.means().render("csv"), output)
    else:
        chosen = check_metrics(metric_names.split(",")) if metric_names else ()
        shown = [ranking.ranked_table(found.summary, intervals=intervals, only=chosen)]
        shown += limits.tables(found.summary, only=chosen)
        shown += controls.tables(found.summary, only=chosen)
        parts = by_groups.of_run(found, by, groups)
        shown += parts.tables() if parts else []
        shown += emotions.tables(found.summary, intervals=intervals)
        shown += ranking.confusion_tables(found.summary)
        lines = [
            latex(one, f"{label}-{number}" if number and label else label)
            if form == "latex"
            else one.render(form)
            for number, one in enumerate(shown)
        ]
        signature = found.summary["signature"]
        words = [signature, *in_words(signature), ""] if explain and signature else []
        options.show("\n".join([*lines, *words]), output, prose=form == "table")
