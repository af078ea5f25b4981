"""`emomap methods`: list the methods, one a line; write the card of a model file."""

from __future__ import annotations

import json
from pathlib import Path

import click

from emomap.cli import options

#: Group -> the kinds of methods in it.
GROUPS = {
    "Classical, nothing to learn": ("baseline", "classical"),
    "Learned by others, weights from a file": ("learned",),
    "Trainable on your labels": ("network", "classifier"),
    "From installed packages": ("plug-in",),
}


@click.group(
    invoke_without_command=True,
    epilog=options.examples("emomap methods", "emomap methods card model.onnx -o model.toml"),
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def methods(ctx: click.Context, as_json: bool) -> None:
    """List the methods that `bench`, `train` and `predict` know."""
    if ctx.invoked_subcommand:
        return
    from emomap.explain.kinds import EXPLANATIONS
    from emomap.method import entries
    from emomap.tables import folded

    found = entries().values()
    if as_json:
        lines = [{"name": e.name, "kind": e.kind, "summary": e.summary} for e in found]
        click.echo(json.dumps(lines, indent=2))
        return
    width = max(len(entry.name) for entry in found)
    for title, kinds in GROUPS.items():
        members = [entry for kind in kinds for entry in found if entry.kind == kind]
        if not members:
            continue
        click.echo(f"{title}:")
        for entry in sorted(members, key=lambda e: (kinds.index(e.kind), e.name)):
            click.echo(folded(f"  {entry.name:<{width}}  {entry.summary}"))
        click.echo()
    shown = [
        "Explanation maps of a classifier (--explain):",
        *(f"  {kind:<{width}}  {EXPLANATIONS[kind]}" for kind in EXPLANATIONS),
        "",
        "Your own: --method package.module:Name, NAME=CARD.toml for a model file (see `emomap "
        "methods card`), or NAME=FOLDER for maps that you have.",
    ]
    click.echo(folded("\n".join(shown)))


@methods.command(epilog=options.examples("emomap methods card model.onnx -o model.toml"))
@click.argument("file", type=options.FOLDER)
@click.option(
    "--runtime",
    type=click.Choice(["onnx", "tflite", "torchscript", "pt2"]),
    help="Open FILE with this runtime. Default: by its ending.",
)
@options.trust_option
@options.output_option
def card(file: Path, runtime: str | None, trust: bool, output: Path | None) -> None:
    """Write the card of the model in FILE: how a picture goes in, which tensor is the map.

    Fill in what the file does not say, then give the card to --method.
    """
    from typing import Any

    from emomap.models.skeleton import skeleton

    chosen: Any = runtime
    options.show(skeleton(file, chosen, trust=trust), output)
