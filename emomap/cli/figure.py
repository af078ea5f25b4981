"""`emomap figure`: a grid of maps for a paper."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(
    epilog=options.examples(
        "emomap figure runs/a",
        "emomap figure runs/a --images 1009,1021 --metric nss -o maps.pdf",
    )
)
@click.argument("run", type=options.FOLDER)
@click.option(
    "--images",
    metavar="A,B",
    help="Draw these images, from top to bottom. Default: four on which the methods differ most.",
)
@click.option(
    "-o",
    "--output",
    type=options.FOLDER,
    default="figure.pdf",
    show_default=True,
    metavar="FILE",
    help="Write a .pdf, .svg, .eps (text stays text), or a .png at 300 dpi.",
)
@click.option(
    "--methods",
    metavar="A,B",
    help="Draw these methods, from left to right. Default: all with maps.",
)
@click.option("--metric", metavar="NAME", help="Write this metric's value below each map.")
@click.option(
    "--width",
    type=click.FloatRange(min=1, max=40),
    default=7.0,
    show_default=True,
    help="Make the figure this wide, in inches.",
)
def figure(
    run: Path,
    images: str | None,
    output: Path,
    methods: str | None,
    metric: str | None,
    width: float,
) -> None:
    """Draw images of the run folder RUN with the maps of its methods, and print the file's path.

    Each row is an image, each column a method. Gaze and maps share one colour scale, shown below
    them.
    """
    from emomap.report import figure as figures
    from emomap.scoring.protocol import check_metrics

    click.echo(
        figures.figure(
            run,
            images.split(",") if images else None,
            output,
            methods=methods.split(",") if methods else (),
            metric=check_metrics([metric])[0] if metric else None,
            width=width,
        )
    )
