"""`emomap show`: what methods make of one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emomap.cli import options
from emomap.errors import UsageError

if TYPE_CHECKING:
    from emomap.method import Prediction
    from emomap.report.overlay import Panel
    from emomap.sample import Gaze
    from emomap.scoring.protocol import Protocol

#: Emotions that are named below a map.
NAMED = 3


@click.command(
    epilog=options.examples(
        "emomap show photo.jpg",
        "emomap show photo.jpg -m gbvs -m itti_koch --gaze fixations.csv -o overlay.png",
        "emomap show photo.jpg -m islamnet --checkpoint checkpoint.safetensors",
    )
)
@click.argument("photo", type=options.FOLDER)
@click.option(
    "-m",
    "--method",
    "names",
    multiple=True,
    default=("gbvs",),
    show_default="gbvs",
    metavar="NAME",
    help="Show the map of this method: a name of `emomap methods`, package.module:Name, CARD.toml, "
    "or package.module:function that builds your classifier (with --explain). Repeatable.",
)
@click.option(
    "--checkpoint",
    "given",
    multiple=True,
    metavar="METHOD=FILE",
    help="Use this trained network. With one method, FILE alone will do. Repeatable.",
)
@click.option(
    "--gaze",
    type=options.FOLDER,
    metavar="FILE",
    help="Show people's gaze beside the maps: a CSV of fixations (columns x,y), a density map or a "
    "fixation map; or a data set that has the picture.",
)
@click.option(
    "-o",
    "--output",
    type=options.FOLDER,
    metavar="FILE",
    help="Write a .png (300 dpi), .pdf, .svg or .eps. Default: PHOTO-maps.png in this folder.",
)
@options.recipe_option
@options.set_option
@options.explain_options
@options.device_option
@options.trust_option
@options.gaze_options
def show(
    photo: Path,
    names: tuple[str, ...],
    given: tuple[str, ...],
    gaze: Path | None,
    output: Path | None,
    recipe: str | None,
    settings: tuple[str, ...],
    device: str,
    trust: bool,
    points: str | None,
    marks_threshold: float | None,
    **explain: Any,
) -> None:
    """Draw the maps of methods over the picture PHOTO, and print emotions with their probabilities.

    With --gaze, also draw the fixations, and write the NSS below each map.
    """
    from emomap import io, recipes
    from emomap.cli.bench import checkpoints
    from emomap.cli.making import makers, ready
    from emomap.experiment.choices import Choices
    from emomap.experiment.contender import FolderContender, parse
    from emomap.method import title as named
    from emomap.report.figure import check_output
    from emomap.report.overlay import Panel, draw
    from emomap.scoring.image import truths
    from emomap.scoring.protocol import Protocol

    out = output or Path(f"{photo.stem}-maps.png")
    check_output(out)
    if out.resolve() == photo.resolve():
        raise UsageError(f"--output {out}: is the picture itself; name another file")
    picture = io.read_image(photo)
    protocol = Protocol(metrics=("nss", "cc"))
    seen = _gaze(gaze, photo, points=points, marks_threshold=marks_threshold) if gaze else None
    truth = truths(seen, protocol, str(gaze)) if seen else {}
    numbers = recipes.load(recipe or "paper")
    recipes.override(numbers, settings)
    trained = checkpoints(given, names)
    panels = [_people(truth, seen)] if seen else [Panel("picture")]
    for name in names:
        chosen = Choices((name,), **explain)
        contender = parse(
            name, trust=trust, explain=chosen.explanations, classes=chosen.class_names
        )
        if isinstance(contender, FolderContender):
            raise UsageError(f"--method {name}: maps that you have are shown by `emomap figure`")
        if chosen.explain and not contender.explain:
            raise UsageError(f"--explain: {contender.name} is no network that could be explained")
        file = trained.get(contender.name)
        checkpoint = str(file) if file else None
        method = ready(contender, contender.make(numbers, device), checkpoint, device)
        for kind, maker in makers(contender, method):
            made = maker.predict([picture])[0]
            title = f"{contender.name} {kind}".strip()
            values = _density(made, maker.map_kind)
            lines = [*_emotions(made, maker.classes), *_score(values, truth, protocol)]
            panels.append(Panel(f"{named(contender.name)} {kind}".strip(), values, None, lines))
            click.echo(f"{title}: {', '.join(lines)}" if lines else title)
    click.echo(draw(picture, panels, out))


def _gaze(path: Path, photo: Path, **said: Any) -> Gaze:
    """The gaze on the picture, in its pixels."""
    from emomap.data.opening import open_gaze

    found = open_gaze(path, single=path.is_file(), **said)
    if path.is_file() and len(found) == 1:
        return next(iter(found.values()))(image_file=photo)
    where = photo.resolve().with_suffix("").as_posix()
    ids = [identity for identity in found if where.endswith(f"/{identity}")]
    ids = ids or [identity for identity in found if identity.rpartition("/")[2] == photo.stem]
    if len(ids) != 1:
        many = f"several of that name: {', '.join(sorted(ids))}" if ids else "none of that name"
        raise UsageError(f"--gaze {path}: gaze on a picture called {photo.stem}: {many}")
    return found[ids[0]](image_file=photo)


def _people(truth: Mapping[str, Any], gaze: Gaze) -> Panel:
    """Where people looked: the density, and the fixations if they are known."""
    from emomap.report.overlay import Panel

    if gaze.points is None:
        return Panel("gaze", truth["density"])
    inside = gaze.points[gaze.inside]
    return Panel("gaze", truth["density"], inside, [f"{len(inside)} fixations"])


def _emotions(made: Prediction, classes: Sequence[str]) -> list[str]:
    """The likeliest emotions with their probabilities."""
    if made.probabilities is None:
        return []
    order = made.probabilities.argsort()[::-1][:NAMED]
    names = classes or [str(number) for number in range(len(made.probabilities))]
    return [f"{names[at]} {made.probabilities[at]:.2f}" for at in order]


def _density(made: Prediction, kind: str) -> Any:
    """The map as it is drawn: of a log-density, the density."""
    import numpy as np

    if made.map is None or kind != "log-density":
        return made.map
    return np.exp(made.map - np.max(made.map))


def _score(values: Any, truth: Mapping[str, Any], protocol: Protocol) -> list[str]:
    """The NSS of a map, where there are fixations."""
    from emomap import metrics
    from emomap.scoring.image import resize_to_gaze

    if values is None or "fixations" not in truth:
        return []
    counts = truth["fixations"]
    resized = resize_to_gaze(values, counts.shape, protocol, "the map")
    return [f"NSS {float(metrics.nss(resized, counts)):.3f}"]
