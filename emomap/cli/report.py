"""`emomap report`: a run as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(epilog=options.examples("emomap report runs/demo-demo-seed0 -o report.html"))
@click.argument("run", type=options.FOLDER)
@click.option(
    "-o",
    "--output",
    type=options.FOLDER,
    metavar="FILE",
    help="Write to this file. Default: report.html in the run folder.",
)
@options.by_options
def report(run: Path, output: Path | None, by: str, groups: Path | None) -> None:
    """Show the run folder RUN as one HTML page with pictures, and print the page's path.

    The page is a single file that opens from disk and loads nothing. It has the ranked table,
    pictures with the maps of all methods on one scale, distributions, learning curves, confusion
    matrices, the recipe, and a text for a paper. `emomap bench` writes it when it ends.
    """
    from emomap.report import write

    click.echo(write(run, output, by, groups))
