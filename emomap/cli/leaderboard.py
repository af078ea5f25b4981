"""`emomap leaderboard`: several runs as a static site."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap leaderboard runs/osie runs/mit -o site/    # then open site/index.html",
        "emomap bench --data photos/ --method mine=maps.zip --out runs/mine    # an entry",
    )
)
@click.argument("runs", type=options.FOLDER, nargs=-1, required=True, metavar="RUN...")
@click.option(
    "-o",
    "--output",
    type=options.FOLDER,
    default=Path("site"),
    show_default=True,
    metavar="FOLDER",
    help="Write the pages to this folder.",
)
@options.seed_option
@options.quiet_option
def leaderboard(runs: tuple[Path, ...], output: Path, seed: int, quiet: bool) -> None:
    """Rank the methods of the run folders RUN on each data set and over all, as a static site.

    Prints the path of index.html, which opens from disk. Ranks have 95% intervals (paired bootstrap
    over images). Each entry shows its signature, recipe, command, and the checksum of its rows.
    Entries with another signature are listed apart. Entries whose rows were edited after the run
    are marked and have no rank. leaderboard.json holds the numbers for programs.
    """
    from emomap.analysis.leaderboard import gather
    from emomap.progress import say
    from emomap.report.leaderboard import check_output, write

    check_output(output)
    found = gather(runs, seed=seed)
    path = write(found, output)
    notes = [*found.notes, *(f"{b.title}: {note}" for b in found.sets for note in b.notes)]
    for note in () if quiet else notes:
        say(f"emomap: note: {note}")
    click.echo(path)
