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
def table(run: Path, form: str, output: Path | None, intervals: bool) -> None:
    """Print the ranked table of the run folder RUN in any format.

    csv holds the means of all methods and metrics in full precision, json the whole summary.
    parquet holds the value of every image; it needs -o and the extra "parquet".
    """
    import json

    from emomap.analysis import controls, ranking
    from emomap.runs import results
    from emomap.scoring import per_image

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
        shown = [ranking.ranked_table(found.summary, intervals=intervals)]
        shown += controls.tables(found.summary)
        shown += ranking.confusion_tables(found.summary)
        options.show("\n".join(one.render(form) for one in shown), output)
