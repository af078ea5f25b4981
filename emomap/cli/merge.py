"""`emomap merge`: join the results of shards."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options
from emomap.errors import UsageError


@click.command(
    epilog=options.examples(
        "emomap merge all.csv part1.csv part2.csv   # from `emomap score --shard 1/2 ...`",
        "emomap merge runs/all runs/part*           # from `emomap bench --shard 1/9 ...`",
    )
)
@click.argument("out", type=options.FOLDER)
@click.argument("parts", type=options.FOLDER, nargs=-1, required=True, metavar="PART...")
@options.format_option
@options.videos_option
@options.seed_option
def merge(out: Path, parts: tuple[Path, ...], form: str, videos: bool, seed: int) -> None:
    """Merge the PARTs that `--shard` made into OUT, and print the table of all images.

    PARTs are files of `emomap score --per-image` or run folders of `emomap bench`; OUT becomes one
    of the same kind. No value is computed again. Refused are an image in two parts, run folders of
    which a shard is missing, and an existing OUT with images that no part has.
    """
    import json

    from emomap.experiment.merge import merge_runs
    from emomap.scoring.merge import merge_files
    from emomap.scoring.summary import Summary

    if parts[0].is_dir():
        if videos:
            raise UsageError("--videos is for files of `emomap score --per-image`")
        run = merge_runs(parts, out)
        text = (
            json.dumps(run.summary, indent=1) + "\n"
            if form == "json"
            else "\n".join(table.render(form) for table in run.tables())
        )
    else:
        text = Summary.of(merge_files(parts, out), seed, videos=videos).render(form)
    options.show(text, None)
