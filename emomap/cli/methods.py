"""`emomap methods`: list the methods, one a line."""

from __future__ import annotations

import json

import click

from emomap.cli import options


@click.command(epilog=options.examples("emomap methods"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def methods(as_json: bool) -> None:
    """List the methods that `bench`, `train` and `predict` know."""
    from emomap.method import entries

    found = entries().values()
    if as_json:
        lines = [{"name": e.name, "kind": e.kind, "summary": e.summary} for e in found]
        click.echo(json.dumps(lines, indent=2))
        return
    kinds = {"baseline": 0, "classical": 1, "classifier": 2, "network": 3}
    ordered = sorted(found, key=lambda e: (kinds.get(e.kind, 9), e.name))
    width = max(len(entry.name) for entry in ordered)
    kind_width = max(len(entry.kind) for entry in ordered)
    for entry in ordered:
        click.echo(f"{entry.name:<{width}}  {entry.kind:<{kind_width}}  {entry.summary}")
    click.echo("\nYour own: --method package.module:Name, or NAME=FOLDER for maps that you have.")
