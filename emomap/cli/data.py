"""`emomap data`: list the data sets and layouts; check, show and convert a data set."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emomap.cli import options
from emomap.errors import UsageError

if TYPE_CHECKING:
    from emomap.data.check import Report

#: Problems of a kind that are printed; the others are counted (--json has all).
LISTED = 10
#: How each kind of problem is put in words.
WORDS = {
    "unreadable": "pictures cannot be read",
    "unreadable_gaze": "pictures have gaze that cannot be used",
    "unusable_annotations": "pictures have attributes or outlines that cannot be used",
    "outside": "pictures have fixations outside",
    "placeholders": "groups of five and more pictures are the same (placeholders of dead links?)",
    "duplicates": "groups of pictures are the same",
    "in_two_splits": "groups of the same picture are in several splits",
    "two_labels": "groups of the same picture have several labels",
    "map_and_fixations_disagree": "maps do not fit the fixations beside them (x and y swapped?)",
    "other": "other faults",
}


@click.group(
    invoke_without_command=True,
    epilog=options.examples("emomap data", "emomap data check photos/"),
)
@click.pass_context
def data(context: click.Context) -> None:
    """List, check, show and convert data sets.

    A data set is the name of an embedded one, a folder or zip archive whose layout is recognised,
    or LAYOUT:PATH to force a layout.
    """
    if context.invoked_subcommand is None:
        context.invoke(listing)


def _source(command: Callable[..., Any]) -> Callable[..., Any]:
    """The data set, and what changes how it is read."""
    added: list[Callable[..., Any]] = [
        click.argument("path"),
        click.option(
            "--gaze",
            type=options.FOLDER,
            metavar="PATH",
            help="Take the gaze from here, paired by file name. Default: from the data set.",
        ),
        click.option(
            "--set",
            "settings",
            multiple=True,
            metavar="data.NAME=VALUE",
            help="Set an option of the layout, see docs/datasets.md. Repeatable.",
        ),
        options.gaze_options,
        options.jobs_option,
        options.quiet_option,
    ]
    for option in reversed(added):
        command = option(command)
    return command


def _options(
    settings: tuple[str, ...], points: str | None, marks_threshold: float | None
) -> dict[str, Any]:
    named = options.data_settings(settings)
    said = {"points": points, "marks_threshold": marks_threshold}
    return named | {name: value for name, value in said.items() if value is not None}


@data.command("list", epilog=options.examples("emomap data list --json"))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def listing(as_json: bool = False) -> None:
    """List the embedded data sets and the layouts that are recognised."""
    from emomap import data as datasets
    from emomap.tables import folded

    layouts = datasets.LAYOUTS.values()
    if as_json:
        lines = [
            {"name": n, "kind": "embedded", "summary": s} for n, s in datasets.EMBEDDED.items()
        ]
        lines += [
            {"name": e.name, "kind": e.kind, "summary": e.summary, "signs": e.signs}
            for e in layouts
        ]
        click.echo(json.dumps(lines, indent=2))
        return
    shown = [
        "Data sets that come with emomap:",
        *(f"  {name:<11}  {summary}" for name, summary in datasets.EMBEDDED.items()),
        "\nLayouts of folders and zip archives that are recognised:",
        *(f"  {entry.name:<11}  {entry.summary}" for entry in layouts),
        "\n--data PATH recognises the layout and says why; --data NAME:PATH forces one.",
    ]
    click.echo(folded("\n".join(shown)))


@data.command(
    epilog=options.examples("emomap data check photos/", "emomap data check fi:FI.zip --json")
)
@_source
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def check(
    path: str,
    gaze: Path | None,
    settings: tuple[str, ...],
    points: str | None,
    marks_threshold: float | None,
    jobs: int | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Read every file of the data set at PATH and say what it holds and what is wrong.

    Exit code 3 when something is wrong: unreadable files, fixations outside the picture, the same
    picture twice or in two splits, lists that do not fit the files.
    """
    from emomap.data.check import check as run

    report = run(
        path,
        gaze=gaze,
        options=_options(settings, points, marks_threshold),
        jobs=jobs,
        show=not quiet,
    )
    if as_json:
        click.echo(json.dumps(report.summary(), indent=2, ensure_ascii=False))
    else:
        click.echo(_table(report), nl=False)
    return 0 if report.ok else 3


def _table(report: Report) -> str:
    from emomap.tables import Table

    facts = report.summary()
    gaze, sizes = facts["gaze"], facts["sizes"]
    rows = [("images", f"{facts['n_images']}, {facts['readable']} readable")]
    if facts["surviving"] != facts["readable"]:
        rows.append(("surviving", f"{facts['surviving']} without placeholders"))
    if sizes:
        named = ("smallest", "commonest", "largest")
        shown = ", ".join(f"{name} {sizes[name][0]}x{sizes[name][1]}" for name in named)
        rows.append(("sizes", f"{sizes['distinct']}: {shown}"))
    rows += [(f"split {name}", str(count)) for name, count in facts["splits"].items()]
    rows += [(f"label {name}", str(count)) for name, count in facts["labels"].items()]
    if facts["labels"]:
        rows.append(("no label", str(facts["unlabelled"])))
    rows += _annotations(facts["annotations"])
    rows.append(("with gaze", str(gaze["images"])))
    if gaze["fixations"] is not None:
        rows.append(("fixations", f"{gaze['fixations']}, an image {_range(gaze, 'fixations')}"))
    if gaze["observers"]:
        rows.append(("observers", f"{gaze['observers']}, an image {_range(gaze, 'observers')}"))
    if gaze["densities"]:
        rows.append(("density maps", str(gaze["densities"])))
    if gaze["agreement"]:
        fit = gaze["agreement"]
        text = f"CC {fit['median']:.3f} (median), {fit['min']:.3f} (least)"
        rows.append(("map and fixations", text))
    if gaze["sigma"]:
        rows.append(("sigma", f"{gaze['sigma']:g} px"))
    kind = " (synthetic)" if facts["synthetic"] else ""
    notes = [f"note: {note}" for note in facts["notes"]]
    title = f"{facts['dataset']}{kind}: {facts['layout']}"
    return Table(("what", "how many"), rows, title, [*notes, *_problem_lines(report)]).render(
        "table"
    )


def _annotations(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """Rows on what people said of the pictures, of what the set has."""
    rows = []
    if facts["distributions"]:
        votes = facts["votes_per_image"]
        spread = f", of {votes['min']:g} to {votes['max']:g} votes" if votes else ""
        rows.append(("distributions", f"{facts['distributions']}{spread}"))
    scale = facts["affect_range"]
    for name in ("valence", "arousal"):
        if facts[name]:
            on = f", on {scale[0]:g} to {scale[1]:g}" if scale else ""
            rows.append((name, f"{facts[name]}{on}"))
    for column, found in facts["attributes"].items():
        rows.append((f"attribute {column}", f"{found['images']}, {found['values']} values"))
    if facts["images_with_objects"]:
        kinds = ", ".join(f"{count} {kind}" for kind, count in facts["objects"].items())
        rows.append(("with objects", f"{facts['images_with_objects']}: {kinds or 'none'}"))
    return rows


def _range(gaze: dict[str, Any], name: str) -> str:
    spread = gaze[f"{name}_per_image"]
    return f"{spread['min']:g} to {spread['max']:g}, median {spread['median']:g}"


def _problem_lines(report: Report) -> list[str]:
    if report.ok:
        return ["nothing is wrong"]
    lines = []
    for kind, items in report.problems.items():
        lines.append(f"WRONG: {len(items)} {WORDS[kind]}")
        texts = [" = ".join(item[:LISTED]) if isinstance(item, list) else item for item in items]
        lines += [f"  {text}" for text in _first(texts)]
    return lines


def _first(lines: Sequence[str]) -> list[str]:
    """The first lines, and how many more there are."""
    more = [f"and {len(lines) - LISTED} more"] if len(lines) > LISTED else []
    return [*lines[:LISTED], *more]


@data.command(epilog=options.examples("emomap data show photos/", "emomap data show demo -n 60"))
@_source
@click.option(
    "-o",
    "--output",
    type=options.FOLDER,
    metavar="FILE",
    help="Write this .png. Default: NAME-sheet.png in the current folder.",
)
@click.option(
    "-n",
    "--count",
    type=click.IntRange(1, 1000),
    default=24,
    show_default=True,
    help="Draw this many pictures.",
)
@click.option(
    "--columns",
    type=click.IntRange(1, 50),
    default=4,
    show_default=True,
    help="Put this many pictures in a row.",
)
def show(
    path: str,
    gaze: Path | None,
    settings: tuple[str, ...],
    points: str | None,
    marks_threshold: float | None,
    jobs: int | None,
    quiet: bool,
    output: Path | None,
    count: int,
    columns: int,
) -> int:
    """Draw a contact sheet of the data set at PATH with its gaze over the pictures.

    The pictures are spread evenly over the set. Exit code 3 when some could not be read.
    """
    from emomap import data as datasets
    from emomap.data.show import contact_sheet
    from emomap.progress import say

    dataset = datasets.open_dataset(
        path, gaze=gaze, options=_options(settings, points, marks_threshold)
    )
    out = output or Path(f"{dataset.name}-sheet.png")
    problems = contact_sheet(dataset, out, count=count, columns=columns, jobs=jobs, show=not quiet)
    for problem in problems:
        say(f"emomap: {problem}")
    say(f"{dataset.name}, {dataset.layout}: {out}")
    return 3 if problems else 0


@data.command(epilog=options.examples("emomap data convert CAT2000.zip cat2000/"))
@_source
@click.argument("out", type=options.FOLDER)
def convert(
    path: str,
    out: Path,
    gaze: Path | None,
    settings: tuple[str, ...],
    points: str | None,
    marks_threshold: float | None,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Write the data set at PATH to the folder OUT in emomap's neutral layout.

    Pictures are copied unchanged. An interrupted command resumes when it is given again. Exit code
    3 when some pictures could not be written.
    """
    from emomap.data.convert import convert as run
    from emomap.progress import say

    done = run(
        path,
        out,
        gaze=gaze,
        options=_options(settings, points, marks_threshold),
        jobs=jobs,
        show=not quiet,
    )
    for problem in _first(done.problems):
        say(f"emomap: {problem}")
    written = len(done.dataset) - len(done.problems)
    say(f"{written} of {len(done.dataset)} images of {done.dataset.name} in {out}")
    return 3 if done.problems else 0


def _screen(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    from emomap.data.trackers.placement import parse_size

    return parse_size(value, "--screen") if value else None


@data.command(
    "import",
    epilog=options.examples(
        "emomap data import eyelink report.txt --images photos/ --screen 1920x1080 -o my_set/",
        "emomap data import tobii export.tsv --images photos/ --out my_set/",
        "emomap data import psychopy p1.csv p2.csv --images photos/ --screen 1920x1080 "
        "--units height --out my_set/",
    ),
)
@click.argument("tracker", type=click.Choice(["eyelink", "tobii", "pupil", "smi", "psychopy"]))
@click.argument("exports", type=options.FOLDER, nargs=-1, required=True, metavar="EXPORT ...")
@click.option(
    "--images",
    type=options.FOLDER,
    required=True,
    metavar="DIR",
    help="Take the pictures from this folder.",
)
@click.option(
    "--out",
    "-o",
    type=options.FOLDER,
    required=True,
    metavar="DIR",
    help="Write the data set to this folder.",
)
@click.option(
    "--screen",
    metavar="WxH",
    callback=_screen,
    help="Set the size of the screen in pixels. Default: what the export says.",
)
@click.option(
    "--position",
    default="center",
    show_default=True,
    metavar="X,Y",
    help="Set where the picture was: center, or its upper left corner in pixels of the screen.",
)
@click.option(
    "--size",
    default="own",
    show_default=True,
    metavar="WxH",
    help="Set how large the picture was shown: own (a pixel for a pixel), fit (as large as the "
    "screen allows), or a size in pixels.",
)
@click.option(
    "--units",
    default="",
    metavar="UNITS",
    help="Read coordinates as screen (pixels), screen-share or screen-share-up (0..1, y "
    "upwards), picture, picture-share, picture-share-up, or PsychoPy's pix, norm, height. "
    "Default: what the tracker writes.",
)
@click.option(
    "--columns",
    default="",
    metavar="FIELD=NAME,...",
    help="Name columns that are not recognised: image=MyPicture,observer=VP. Fields: x, y, "
    "image, observer, trial, start, duration, eye.",
)
@click.option(
    "--trials",
    type=options.FOLDER,
    metavar="FILE",
    help="Take the pictures of trials from this CSV with the columns trial,image (and observer, if "
    "the order differs), where the export does not name them.",
)
@click.option(
    "--eye",
    type=click.Choice(["left", "right"]),
    help="Take this eye of a binocular recording. Default: the one with more fixations.",
)
@click.option(
    "--skip-first",
    type=click.IntRange(0, 10),
    default=0,
    show_default=True,
    help="Leave out the first N fixations of each trial, such as those on a fixation cross.",
)
@options.jobs_option
@options.quiet_option
def import_(
    tracker: str,
    exports: tuple[Path, ...],
    images: Path,
    out: Path,
    screen: tuple[int, int] | None,
    position: str,
    size: str,
    units: str,
    columns: str,
    trials: Path | None,
    eye: str | None,
    skip_first: int,
    jobs: int | None,
    quiet: bool,
) -> int:
    """Write the fixations in the EXPORT of an eye tracker as a data set.

    \b
    eyelink   fixation report of Data Viewer, or .asc of edf2asc
    tobii     TSV of Tobii Pro Lab or Tobii Studio
    pupil     fixations.csv or fixations_on_surface_NAME.csv of Pupil Player
    smi       event statistics of BeGaze, or text of the IDF event detector
    psychopy  CSV with a line for each fixation

    EXPORT is a file or a folder of files, of one or more observers. Fixations and pictures pair by
    the name of the picture. The set is in the neutral layout, which all commands open, with
    observers.csv and a plot to check by eye, check.png. What is left out is counted.
    """
    from emomap.data.trackers.importing import ExportChoices, import_export, tell
    from emomap.data.trackers.placement import FRAMES, parse_corner, parse_size

    if units and units not in FRAMES:
        raise UsageError(f"--units {units}: choose from {', '.join(FRAMES)}")
    named = [part.partition("=") for part in columns.split(",") if part]
    wrong = next((what for what, equals, name in named if not (equals and name)), None)
    if wrong is not None:
        raise UsageError(f"--columns {wrong}: write FIELD=NAME, as in image=MyPicture")
    chosen = ExportChoices(
        units,
        screen,
        parse_corner(position, "--position"),
        size if size in {"own", "fit"} else parse_size(size, "--size"),
        {what.strip(): name.strip() for what, _, name in named},
        trials,
        (eye or "")[:1].upper(),
        skip_first,
    )
    done = import_export(tracker, exports, images, out, chosen, jobs=jobs, show=not quiet)
    tell(done, out)
    return 3 if done.problems else 0
