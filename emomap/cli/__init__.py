"""The command line: `emomap COMMAND`. Each command is one thin file, imported when it is called.

The room knows options, exit codes and every stage, which it imports inside its functions. No other
room knows it.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import Any

import click

from emomap._version import __version__
from emomap.cli.ending import asked_to_end, end_workers
from emomap.errors import EmomapError, Interrupted, did_you_mean, printable
from emomap.progress import warnings_as_notes

#: Command -> one line of help. `emomap --help` prints them without importing any command.
COMMANDS = {
    "bench": "Train, extract, score and rank methods on a data set.",
    "score": "Score a folder of maps against gaze.",
    "report": "Show a run as one HTML page with pictures.",
    "merge": "Put the results of shards together.",
    "table": "Print the table of a run in any format.",
    "figure": "Draw a grid of maps for a paper.",
    "compare": "Compare methods image by image: tests, effect sizes, ranks.",
    "leaderboard": "Rank several runs on several data sets, as a static site.",
    "objects": "Measure attention on emotional and neutral objects.",
    "show": "Show one picture with the maps of methods, and people's gaze, over it.",
    "adapt": "Turn maps into densities with numbers fitted on gaze.",
    "predict": "Write the maps of a method for a folder of pictures.",
    "train": "Train a method, without scoring it.",
    "export": "Write a trained network as an ONNX or torch.export file.",
    "methods": "List the methods; write the card of a model file.",
    "data": "List, check, show and convert data sets.",
}


#: Characters of a message that quotes what the user typed.
LONGEST = 500


class Lazy(click.Group):
    """A group that imports a command's file only when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(importlib.import_module(f"emomap.cli.{cmd_name}"), cmd_name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            known = self.list_commands(ctx)
            hint = did_you_mean(args[0], known) or f"; there are {', '.join(known)}"
            raise click.UsageError(f"{error.message.rstrip('.')}{hint}", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=Lazy,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="\b\nExample:\n  emomap bench --method islamnet    # a first run; needs nothing else",
)
@click.version_option(__version__, "-V", "--version", prog_name="emomap")
def cli() -> None:
    """emomap: does this map show where people look?

    Train emotion and saliency models, extract their maps, and score any maps against human gaze.
    `emomap COMMAND --help` explains each command, with an example.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. An error that the user can mend is one line on stderr.

    Exit codes: 0 done, 1 failed, 2 wrong use, 3 done but some items failed, 130 interrupted,
    143 ended by SIGTERM.
    """
    # On a shared machine, training is several times slower when threads wait busily for one
    # another. The variable is read once, when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with asked_to_end(), warnings_as_notes():
            code = _run(arguments)
        sys.exit(code)
    except BrokenPipeError:  # the reader of a pipe has closed it: `emomap score ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


def _run(arguments: list[str] | None) -> int:
    try:
        code: Any = cli.main(args=arguments, prog_name="emomap", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        for line in shown.getvalue().splitlines():
            click.echo(printable(line, LONGEST), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt, Interrupted) as error:
        end_workers()
        _complain(str(error) or "interrupted; what is done is kept, and the same command resumes")
        return Interrupted.exit_code
    except EmomapError as error:
        _complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:
        full = error.errno in {errno.ENOSPC, errno.EDQUOT}
        remedy = "make room and run the same command again" if full else "check the path"
        _complain(f"{error.filename or 'a file'}: {error.strerror or error}; {remedy}")
        return 1
    return code if isinstance(code, int) else 0


def _complain(message: str) -> None:
    click.echo(printable("emomap: " + " ".join(message.splitlines())), err=True)
