"""`emomap compare`: is one method better than another?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap compare runs/a --against gbvs    # the methods of a run",
        "emomap compare ours.csv theirs.csv      # of `emomap score --per-image FILE`",
    )
)
@click.argument("paths", type=options.FOLDER, nargs=-1, required=True, metavar="A B [C ...]")
@click.option("--methods", metavar="A,B", help="Of run folders, only these methods.")
@click.option("--metrics", "metric_names", metavar="A,B", help="Only these metrics.")
@click.option("--against", metavar="NAME", help="The reference. Default: the first method.")
@click.option("--all-pairs", is_flag=True, help="Each with each, not each with the reference.")
@click.option("--force", is_flag=True, help="Compare what was scored in different ways.")
@click.option(
    "--allow-missing", is_flag=True, help="Compare on the images that all have, and say how many."
)
@options.format_option
@options.output_option
@options.seed_option
def compare(
    paths: tuple[Path, ...],
    methods: str | None,
    metric_names: str | None,
    form: str,
    output: Path | None,
    **choices: Any,
) -> None:
    """Compare methods image by image: which is better, by how much, and is it chance?

    A, B, C are run folders of `emomap bench`, or files with the values of each image. For each
    metric: the paired permutation test (Holm over the methods), the effect size d_z, on how many
    images each is better, the ranks, and the way from the centre prior to the agreement of people
    where both rows are there. Files with different signatures are refused.
    """
    from emomap.analysis.compare import compare as run
    from emomap.scoring.protocol import check_metrics

    found = run(
        paths,
        methods=methods.split(",") if methods else (),
        metric_names=check_metrics(metric_names.split(",")) if metric_names else (),
        **choices,
    )
    options.show(found.render(form), output)
