"""`emomap export`: a trained network as an ONNX or torch.export file."""

from __future__ import annotations

from pathlib import Path

import click

from emomap.cli import options


@click.command(epilog=options.examples("emomap export checkpoint.safetensors -o islamnet.onnx"))
@click.argument("checkpoint")
@click.option(
    "-o", "--out", type=options.FOLDER, required=True, help="Write this file: .onnx or .pt2."
)
@click.option(
    "-m",
    "--method",
    "name",
    default="",
    metavar="NAME",
    help="Name the network of the checkpoint: package.module:Name. Default: one of emomap's own.",
)
def export(checkpoint: str, out: Path, name: str) -> None:
    """Export the network in CHECKPOINT, and write its card beside it.

    With the card, the file is a method: `emomap bench --method NAME=CARD.toml`. Prints the path of
    the card.
    """
    from emomap.io.cache import local_file
    from emomap.models.export import export as write

    click.echo(write(local_file(checkpoint), out, name))
