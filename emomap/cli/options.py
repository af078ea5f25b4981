"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from emomap.errors import UsageError


def examples(*lines: str) -> str:
    """Examples for the end of a help text, one a line. The mark keeps click from wrapping them."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


FOLDER = click.Path(path_type=Path)


def _finite(ctx: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN, which no range does."""
    if value is not None and value != value:
        raise click.BadParameter("it must be a number")
    return value


def metric_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --metrics and everything else that changes a value."""
    for option in reversed(
        [
            click.option(
                "--metrics",
                "names",
                metavar="A,B",
                help="Compute these, or all. Default: auc_judd,auc_borji,cc,sim,kl,emd,nss; of "
                "emotions what papers report.",
            ),
            click.option(
                "--convention",
                type=click.Choice(["mit", "tuebingen", "geng", "styleedl", "ecc"]),
                help="Follow these definitions: mit or tuebingen of maps, the others of emotions. "
                "Default: mit; geng of emotions.",
            ),
            click.option(
                "--resize",
                default="matlab-bicubic",
                show_default=True,
                metavar="METHOD",
                help="Resize maps by matlab-bicubic, matlab-bilinear, bilinear, area or nearest.",
            ),
            click.option(
                "--sigma",
                type=click.FloatRange(min=0, min_open=True, max=10_000),
                callback=_finite,
                metavar="PX",
                help="Blur fixations by PX pixels. Default: the data set's, else MIT's fc=8.",
            ),
            click.option(
                "--emd-downsize",
                type=click.IntRange(min=1),
                default=32,
                show_default=True,
                metavar="N",
                help="Shrink both maps N times before EMD.",
            ),
            click.option(
                "--stretch",
                is_flag=True,
                help="Accept maps whose aspect ratio differs from their picture's.",
            ),
            click.option(
                "--mask",
                metavar="FOLDER|border:N",
                help="Ignore N pixels on each side, or what is not zero in FOLDER's mask of the "
                "same name. Fixations there are left out. Default: ignore nothing.",
            ),
        ]
    ):
        command = option(command)
    return command


protocol_option = click.option(
    "--protocol",
    type=click.Choice(["plain", "metric-specific"]),
    help="Score one map by all metrics, or, of predicted densities, the map that is best for each "
    "metric. Default: plain.",
)
baseline_option = click.option(
    "--baseline",
    type=click.Choice(["auto", "other", "center", "uniform"]),
    help="Measure information gain from the blurred fixations on other images, their centre bias, "
    "or the uniform density. Default: auto, which is other in the plain protocol, else center.",
)


def protocol(names: str | None, resize: str, mask: str | None, **choices: Any) -> Any:
    """The `Protocol` that the metric options describe."""
    from emomap import metrics
    from emomap.scoring.masks import Mask
    from emomap.scoring.protocol import METRICS, Protocol, check_metrics

    chosen = METRICS if names is None else check_metrics(names.split(","))
    if resize not in metrics.RESIZE_METHODS:
        known = ", ".join(metrics.RESIZE_METHODS)
        raise UsageError(f"--resize {resize}: choose one of {known}")
    convention = choices.pop("convention", None) or "mit"
    if convention not in metrics.CATALOGUE["cc"].conventions:
        raise UsageError(f"--convention {convention}: it is of emotions; of maps, mit or tuebingen")
    ignored = None if mask is None else Mask.of(mask)
    said = {key: value for key, value in choices.items() if value is not None}
    return Protocol(metrics=chosen, resize=resize, mask=ignored, convention=convention, **said)


def only_for(what: str, allowed: Collection[str]) -> None:
    """Refuse options that were given and do not belong to this kind of input.

    Args:
        what: the kind, for the message.
        allowed: names of the parameters that belong to it.

    Raises:
        UsageError: names the option.
    """
    from click.core import ParameterSource

    ctx = click.get_current_context()
    for parameter in ctx.command.params:
        name = str(parameter.name)
        given = ctx.get_parameter_source(name) not in (None, ParameterSource.DEFAULT)
        if given and name not in allowed and isinstance(parameter, click.Option):
            raise UsageError(f"{parameter.opts[0]} has no meaning for {what}")


def gaze_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --points and --marks-threshold: how fixations are read."""
    threshold = click.option(
        "--marks-threshold",
        type=click.FloatRange(0, 1),
        callback=_finite,
        metavar="SHARE",
        help="Count marks of a fixation map that have at least this share of the strongest, 0 to "
        "1. Default: 0.5 where lossy compression left weak marks, else all marks.",
    )
    return click.option(
        "--points",
        metavar="UNITS",
        help="Read coordinates of fixations as pixels, normalised (0..1), percent, "
        "screen:WIDTHxHEIGHT (the picture in its middle) or size:WIDTHxHEIGHT (of a copy). "
        "Default: pixels; values that cannot be pixels are refused.",
    )(threshold(command))


def _use_engine(ctx: click.Context, parameter: click.Parameter, name: str) -> None:
    """Run all that the command does on an engine. The other two options are eager: read before."""
    from emomap import parallel

    parallel.keep_memory()  # this process serves the command alone
    ctx.with_resource(parallel.on(name, ctx.meta.get("scheduler"), ctx.meta.get("jobs")))


def _remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    ctx.meta[str(parameter.name)] = value
    return value


def by_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --by and --groups."""
    command = click.option(
        "--groups",
        type=FOLDER,
        metavar="FILE",
        help="Take groups from this CSV (columns image, ...). Default: from the data set.",
    )(command)
    return click.option(
        "--by",
        default="",
        metavar="NAME",
        help="Also show groups of images: by emotion, polarity, category, or a column of --groups "
        "or of the data set.",
    )(command)


videos_option = click.option(
    "--videos",
    is_flag=True,
    help="Treat images as frames of videos, VIDEO/FRAME: average over each video's frames first.",
)


def jobs_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --jobs, and where the jobs run: --engine and --scheduler."""
    for option in reversed(
        [
            click.option(
                "-j",
                "--jobs",
                type=click.IntRange(min=1),
                metavar="N",
                is_eager=True,
                callback=_remember,
                help="Worker processes. Default: one per CPU.",
            ),
            click.option(
                "--scheduler",
                metavar="ADDRESS",
                is_eager=True,
                callback=_remember,
                expose_value=False,
                help="Use the Dask scheduler at tcp://HOST:8786. Default: start a cluster here.",
            ),
            click.option(
                "--engine",
                type=click.Choice(["local", "dask"]),
                default="local",
                show_default=True,
                callback=_use_engine,
                expose_value=False,
                help="Work on processes of this machine or on a Dask cluster.",
            ),
        ]
    ):
        command = option(command)
    return command


def _part(
    ctx: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    if value is None:
        return None
    index, _, count = value.partition("/")
    if not (index.isdecimal() and count.isdecimal() and 1 <= int(index) <= int(count)):
        raise UsageError(f"--shard {value}: write it as I/N, from 1/N to N/N")
    return int(index), int(count)


shard_option = click.option(
    "--shard",
    metavar="I/N",
    callback=_part,
    help="Do only the I-th of N parts of the images. `emomap merge` joins the parts.",
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Show no progress on stderr.")
seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**63 - 1),
    default=0,
    show_default=True,
    help="Random seed.",
)
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a number of the recipe, e.g. training.epochs=3. Repeatable.",
)
recipe_option = click.option(
    "--recipe",
    metavar="NAME|FILE",
    help="Use the recipe demo, paper, modern or a TOML file. Default: paper; demo for demo data.",
)


def explain_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --explain, --layer, --explained and --classes: explanation maps of a classifier."""
    for option in reversed(
        [
            click.option(
                "--explain",
                multiple=True,
                metavar="KIND",
                help="Make explanation maps of each network: gradcam, gradcam++, layercam, "
                "eigencam, hirescam, xgradcam, scorecam, ablationcam, cam, attention, "
                "attention-headN, rollout; several with commas.",
            ),
            click.option(
                "--layer",
                default="",
                metavar="NAME",
                help="Explain the output of this layer. Default: the last feature map.",
            ),
            click.option(
                "--explained",
                default="predicted",
                show_default=True,
                metavar="CLASS",
                help="Explain the predicted class, the true one, or the one of this name.",
            ),
            click.option(
                "--classes",
                "class_names",
                default="",
                callback=_class_names,
                metavar="A,B|FILE",
                help="Name the classes of your own classifier, in the order of its logits; a file "
                "has one per line. Default: their numbers.",
            ),
        ]
    ):
        command = option(command)
    return command


def _class_names(ctx: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    if not value:
        return ()
    text = value.replace(",", "\n")
    if Path(value).is_file():
        from emomap.io.files import read_bytes

        text = read_bytes(Path(value), 2**20, "a list of classes").decode("utf-8", "replace")
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice or len(names) < 2:
        wrong = f"'{twice}' is there twice" if twice else "name two classes or more"
        raise UsageError(f"--classes {value}: {wrong}")
    return names


trust_option = click.option(
    "--trust",
    is_flag=True,
    help="Run TorchScript and torch.export files. They are programs and can do anything on this "
    "machine.",
)
skip_unreadable_option = click.option(
    "--skip-unreadable",
    is_flag=True,
    help="Leave out training pictures that cannot be read, and list them. Default: stop.",
)
logger_option = click.option(
    "--logger",
    "loggers",
    multiple=True,
    metavar="NAME",
    help="Log trainings to tensorboard, wandb or mlflow, too, in files below the run folder. "
    "Repeatable.",
)
device_option = click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Run networks on auto (the GPU if there is one), cpu, cuda, cuda:1 or mps.",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "md", "latex"]),
    default="table",
    show_default=True,
    help="Print the result in this format.",
)
output_option = click.option(
    "-o", "--output", type=FOLDER, metavar="FILE", help="Write the result here. Default: to stdout."
)


def data_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Options of a data set by name, from ``--set data.NAME=VALUE``."""
    from emomap import recipes

    found = dict(recipes.parse_setting(setting, "data.NAME=VALUE") for setting in settings)
    return {name.removeprefix("data."): value for name, value in found.items()}


def show(text: str, output: Path | None, *, prose: bool = False) -> None:
    """Print a result, or write it to the file that ``--output`` names.

    Args:
        text: the result.
        output: the file, or None.
        prose: wrap long lines for a terminal.
    """
    from emomap import io
    from emomap.tables import folded

    if output:
        io.write_text(output, text)
    else:
        click.echo(folded(text) if prose else text, nl=False)
