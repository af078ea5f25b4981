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
@click.option("--methods", metavar="A,B", help="Methods of run folders. Default: all.")
@click.option("--metrics", "metric_names", metavar="A,B", help="Metrics to compare. Default: all.")
@click.option("--against", metavar="NAME", help="Compare with this method. Default: the first.")
@click.option("--all-pairs", is_flag=True, help="Compare all pairs, not only with the reference.")
@click.option("--force", is_flag=True, help="Compare values even if their signatures differ.")
@click.option(
    "--allow-missing",
    is_flag=True,
    help="Compare on the images that all methods have, and list the others.",
)
@click.option("--explain", is_flag=True, help="Add the signature in full and in words.")
@options.videos_option
@options.format_option
@options.output_option
@options.seed_option
def compare(
    paths: tuple[Path, ...],
    methods: str | None,
    metric_names: str | None,
    explain: bool,
    form: str,
    output: Path | None,
    **choices: Any,
) -> None:
    """Compare methods image by image: which is better, by how much, and is it chance?

    A, B, C are run folders of `emomap bench`, or files with the values of each image. For each
    metric the output has the paired permutation test (Holm over the pairs), the effect size d_z,
    the number of images on which each method is better, and the ranks; also the share of the gap
    between centre prior and human agreement that a method closes, if both are there. Files with
    different signatures are refused.
    """
    from emomap.analysis.compare import compare as run
    from emomap.scoring.emotions.protocol import check_any

    found = run(
        paths,
        methods=methods.split(",") if methods else (),
        metric_names=check_any(metric_names.split(",")) if metric_names else (),
        **choices,
    )
    options.show(found.render(form, in_words=explain), output, prose=form == "table")
