"""`emomap merge`: the results of shards become one."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap merge all.csv part1.csv part2.csv   # of `emomap score --shard 1/2 ...`",
        "emomap merge runs/all runs/part*           # of `emomap bench --shard 1/9 ...`",
    )
)
@click.argument("out", type=options.FOLDER)
@click.argument("parts", type=options.FOLDER, nargs=-1, required=True, metavar="PART...")
@options.format_option
@options.seed_option
def merge(out: Path, parts: tuple[Path, ...], form: str, seed: int) -> None:
    """Merge the PARTs that `--shard` made into OUT, and print the table of the whole.

    PARTs are files of `emomap score --per-image`, or run folders of `emomap bench`; OUT is the
    same. Nothing is computed anew. An image that is there twice is refused, and so is a run folder
    of which a shard is missing, and an OUT that is there and has images which no part has.
    """
    import json

    from emomap.experiment.merge import merge_runs
    from emomap.scoring.merge import merge_files
    from emomap.scoring.summary import Summary

    if parts[0].is_dir():
        run = merge_runs(parts, out)
        text = (
            json.dumps(run.summary, indent=1) + "\n"
            if form == "json"
            else "\n".join(table.render(form) for table in run.tables())
        )
    else:
        text = Summary.of(merge_files(parts, out), seed).render(form)
    options.show(text, None)
