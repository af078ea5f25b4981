"""The files of an export and a folder of pictures -> a data set: `emomap data import`."""

from __future__ import annotations

import csv
import functools
import io as text_io
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emomap import io
from emomap.data.convert import write_neutral
from emomap.data.show import contact_sheet
from emomap.data.table import read_table
from emomap.data.trackers.asc import read_asc
from emomap.data.trackers.columns import read_columns
from emomap.data.trackers.fixation import Export, Fixation
from emomap.data.trackers.kinds import FIELDS, TRACKERS, Tracker
from emomap.data.trackers.placement import FRAMES, Placement, Size
from emomap.data.tree import nfc
from emomap.errors import EmomapError, UsageError, listed
from emomap.progress import say
from emomap.sample import Dataset, Gaze, Sample

#: Endings of exports in a folder.
SUFFIXES = frozenset({".txt", ".tsv", ".csv", ".asc", ".xls", ".dat"})
#: The plot to check by eye, and the names of the observers.
SHEET, OBSERVERS = "check.png", "observers.csv"


@dataclass(frozen=True)
class ExportChoices:
    """How an export is read.

    Attributes:
        frame: what coordinates are, one of `FRAMES`; "" for what the tracker writes.
        screen: (width, height); None for what the export says.
        corner, shown: see `Placement`; None for what the export says, else the middle at its own
            size.
        columns: field -> name of its column.
        trials: table with the columns trial and image, and observer where the order differs.
        eye: "L" or "R"; "" for the one with more fixations of each observer.
        skip_first: number of fixations of each trial to leave out.
    """

    frame: str = ""
    screen: Size | None = None
    corner: tuple[float, float] | None = None
    shown: str | Size | None = None
    columns: Mapping[str, str] | None = None
    trials: Path | None = None
    eye: str = ""
    skip_first: int = 0


@dataclass(frozen=True)
class Imported:
    """What was written.

    Attributes:
        dataset: in the neutral layout.
        fixations, outside: number of all, and of those outside their picture.
        observers: number of them.
        notes: what was guessed, found in the export, or left out, with counts.
        problems: pictures that could not be written.
    """

    dataset: Dataset
    fixations: int
    outside: int
    observers: int
    notes: Sequence[str]
    problems: Sequence[str]


def import_export(
    tracker: str,
    exports: Sequence[Path],
    images: Path,
    out: Path,
    choices: ExportChoices | None = None,
    *,
    jobs: int | None = None,
    show: bool = True,
) -> Imported:
    """Write an export in the neutral layout, with a plot to check by eye.

    Args:
        tracker: one of `TRACKERS`.
        exports: files, or folders of them.
        images: folder of the pictures.
        out: folder to write; the same call again resumes.
        choices: how to read it.
        jobs: worker processes; None for one per CPU.
        show: progress on stderr.

    Raises:
        UsageError: an option is missing or wrong.
        EmomapError: a file cannot be read, or no fixation is on any of the pictures.
    """
    kind, chosen = TRACKERS[tracker], choices or ExportChoices()
    for what in chosen.columns or {}:
        if what not in FIELDS:
            raise UsageError(f"--columns {what}=...: choose from {', '.join(FIELDS)}")
    if out.resolve().is_relative_to(images.resolve()):
        raise UsageError(f"{out}: lies within the folder of the pictures; choose one outside")
    files = _files(exports)
    export = _read(kind, files, chosen)
    pictures = _pictures(images)
    placement = _placement(kind, export, chosen)
    kept, notes = _kept(export, chosen, pictures)
    names = _observers(kept)
    dataset = _dataset(out.name or tracker, kept, names, pictures, placement, export)
    claim = {"tracker": tracker, "files": [str(f) for f in files], "choices": repr(chosen)}
    done = write_neutral(dataset, out, claim, jobs=jobs, show=show)
    _write_observers(names, out)
    contact_sheet(dataset, out / SHEET, jobs=jobs, show=False)
    gazes = [gaze for sample in dataset if (gaze := sample.gaze())]
    total = sum(len(gaze.inside) for gaze in gazes)
    outside = total - sum(int(gaze.inside.sum()) for gaze in gazes)
    if outside:
        notes.append(
            f"{outside} of {total} fixations lie outside their picture; they are kept in the "
            "tables, and metrics leave them out"
        )
    if total and outside > total / 3:
        notes.append(
            "so many outside: check --screen, --position, --size and --units, and look at "
            f"{out / SHEET}"
        )
    return Imported(dataset, total, outside, len(names), notes, done.problems)


def _files(exports: Sequence[Path]) -> list[Path]:
    """The files of the export.

    Raises:
        EmomapError: there is none.
    """
    found: list[Path] = []
    for path in exports:
        if path.is_dir():
            inner = io.list_files(path, SUFFIXES)
            if not inner:
                raise EmomapError(f"{path}: no export in it ({', '.join(sorted(SUFFIXES))})")
            found += inner
        else:
            found.append(path)
    return found


def _read(tracker: Tracker, files: Sequence[Path], choices: ExportChoices) -> Export:
    export = Export(choices.frame or tracker.frame)
    for file in files:
        if file.suffix.lower() == ".edf":
            raise EmomapError(f"{file}: a binary recording; make an .asc of it with edf2asc")
        if file.suffix.lower() == ".asc" and tracker.name == "eyelink":
            read_asc(file, export)
        else:
            read_columns(file, tracker, choices.columns or {}, export)
    if choices.frame:
        export.frame = choices.frame
    if not export.fixations:
        raise EmomapError(f"{listed(files, 2)}: no fixation in it; {_counts(export) or 'empty'}")
    return export


def _counts(export: Export) -> str:
    return ", ".join(f"{count} {what}" for what, count in export.left_out.items())


def _pictures(folder: Path) -> dict[str, Path]:
    """The pictures by id: their path below the folder, without ending."""
    found: dict[str, Path] = {}
    for file in io.list_files(folder, io.IMAGE_SUFFIXES):
        identity = nfc(file.relative_to(folder).with_suffix("").as_posix())
        if identity in found:
            raise EmomapError(f"{file} and {found[identity].name} have one name; remove one")
        found[identity] = file
    if not found:
        raise EmomapError(f"{folder}: no pictures in it")
    return found


def _placement(tracker: Tracker, export: Export, choices: ExportChoices) -> Placement:
    """Where pictures were, by what the user says, else by what the export says."""
    frame = export.frame
    if choices.screen and frame == "picture-share-up" and not choices.frame:
        frame = "screen-share-up"  # the surface of Pupil is the screen
    screen = choices.screen or export.screen
    if frame.startswith("picture"):
        screen = None
    elif screen is None:
        raise UsageError(
            f"the export of {tracker.title} does not say how large the screen was: say --screen "
            "1920x1080; or, if coordinates are pixels of the picture, --units picture"
        )
    elif choices.screen is None:
        export.notes.append(f"the export says that the screen has {screen[0]} x {screen[1]} pixels")
    return Placement(frame, screen, choices.corner, choices.shown or "own")


def _kept(
    export: Export, choices: ExportChoices, pictures: Mapping[str, Path]
) -> tuple[dict[str, list[Fixation]], list[str]]:
    """The fixations of each picture, by the picture's id; and notes with counts of all others."""
    fixations = _one_eye(export, choices.eye)
    if choices.trials:
        fixations = _named(fixations, choices.trials)
    fixations = _without_first(fixations, choices.skip_first)
    ids = _lookup(pictures)
    found: dict[str, list[Fixation]] = defaultdict(list)
    nameless, unknown = 0, Counter[str]()
    for one in fixations:
        key = _key(one.picture)
        identity = ids.get(key) or ids.get(key.rpartition("/")[2])
        if not one.picture:
            nameless += 1
        elif identity is None:
            unknown[one.picture] += 1
        else:
            found[identity].append(one)
    notes = [*export.notes, *(f"left out: {count} {why}" for why, count in export.left_out.items())]
    if nameless:
        notes.append(
            f"left out: {nameless} fixations whose picture the export does not name; say "
            "--columns image=NAME, or --trials FILE"
        )
    if unknown:
        names = listed(sorted(unknown), 3)
        notes.append(f"left out: {unknown.total()} fixations on what is no picture here: {names}")
    if not found:
        raise EmomapError(
            "no fixation of the export is on one of the pictures ("
            f"{listed(sorted(pictures), 3)}): {'; '.join(notes)}"
        )
    lacking = sorted(set(pictures) - set(found))
    if lacking:
        notes.append(f"{len(lacking)} pictures have no fixation: {listed(lacking, 3)}")
    return dict(found), notes


def _key(name: str) -> str:
    """How names are compared: path with slashes, without ending, in lower case."""
    path = nfc(name.strip().replace("\\", "/")).lower()
    stem, dot, ending = path.rpartition(".")
    return stem if dot and f".{ending}" in io.IMAGE_SUFFIXES else path


def _lookup(pictures: Mapping[str, Path]) -> dict[str, str]:
    """Compared name -> id: the whole path, and the last part where only one picture has it."""
    lasts = Counter(identity.lower().rpartition("/")[2] for identity in pictures)
    found = {}
    for identity in pictures:
        last = identity.lower().rpartition("/")[2]
        if lasts[last] == 1:
            found[last] = identity
    return {**found, **{identity.lower(): identity for identity in pictures}}


def _one_eye(export: Export, eye: str) -> list[Fixation]:
    """The fixations of one eye of each observer, where the export has both."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in export.fixations:
        counts[one.observer][one.eye] += 1
    both = {name for name, eyes in counts.items() if {"L", "R"} <= set(eyes)}
    if not both and not eye:
        return export.fixations
    taken = {
        name: eye or (max("LR", key=lambda side: eyes[side]) if name in both else "")
        for name, eyes in counts.items()
    }
    kept = [f for f in export.fixations if taken[f.observer] in {"", f.eye or taken[f.observer]}]
    dropped = len(export.fixations) - len(kept)
    if dropped:
        export.left_out["fixations of the other eye (--eye chooses)"] += dropped
    return kept


def _named(fixations: Sequence[Fixation], table: Path) -> list[Fixation]:
    """Fixations with the pictures that a table of trials gives them.

    Raises:
        EmomapError: the table cannot be read, or lacks the columns trial and image.
    """
    rows = list(read_table(table, ("trial", "image")))
    by_observer = bool(rows) and "observer" in rows[0].cells
    known = {(row["observer"] if by_observer else "", row["trial"]): row["image"] for row in rows}
    return [
        replace(
            one, picture=known.get((one.observer if by_observer else "", one.trial), one.picture)
        )
        for one in fixations
    ]


def _without_first(fixations: Sequence[Fixation], count: int) -> list[Fixation]:
    """Each trial without its first fixations."""
    if not count:
        return list(fixations)
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, one in enumerate(fixations):
        places[one.observer, one.trial, one.picture].append(at)
    dropped = {
        at
        for group in places.values()
        for at in sorted(group, key=lambda index: fixations[index].start)[:count]
    }
    return [one for at, one in enumerate(fixations) if at not in dropped]


def _observers(kept: Mapping[str, Sequence[Fixation]]) -> dict[str, int]:
    """Observer -> number. Names that are whole numbers keep them."""
    names = sorted({one.observer for group in kept.values() for one in group})
    if all(name.isdecimal() for name in names):
        return {name: int(name) for name in sorted(names, key=int)}
    return {name: number for number, name in enumerate(names)}


def _dataset(
    name: str,
    kept: Mapping[str, Sequence[Fixation]],
    observers: Mapping[str, int],
    pictures: Mapping[str, Path],
    placement: Placement,
    export: Export,
) -> Dataset:
    samples = []
    for identity, file in sorted(pictures.items()):
        group = sorted(kept.get(identity, ()), key=lambda f: (observers[f.observer], f.start))
        place = placement
        told = export.placed.get(group[0].picture) if group else None
        if told and placement.corner is None and placement.shown == "own" and placement.screen:
            size = (round(told[2]), round(told[3]))
            place = replace(placement, corner=(told[0], told[1]), shown=size)
        samples.append(Sample(identity, file, gaze_source=_source(group, observers, file, place)))
    return Dataset(name, tuple(samples), layout=f"export, {FRAMES[placement.frame]}")


def _source(
    group: Sequence[Fixation], observers: Mapping[str, int], file: Path, placement: Placement
) -> functools.partial[Gaze] | None:
    if not group:
        return None
    return functools.partial(
        _gaze,
        np.array([(one.x, one.y) for one in group]),
        np.array([observers[one.observer] for one in group]),
        [one.duration for one in group],
        file,
        placement,
    )


def _gaze(
    points: np.ndarray,
    observers: np.ndarray,
    durations: Sequence[float | None],
    file: Path,
    placement: Placement,
) -> Gaze:
    height, width = io.image_size(file)
    known = all(duration is not None for duration in durations)
    lasting = np.array(durations, dtype=np.float64) if known else None
    placed = placement.in_picture(points, (width, height))
    return Gaze((height, width), np.round(placed, 3), observers, lasting)


def _write_observers(names: Mapping[str, int], out: Path) -> None:
    """The names of the observers beside their numbers."""
    text = text_io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("observer", "name"), *((number, name) for name, number in names.items())])
    io.write_text(out / OBSERVERS, text.getvalue())


def tell(done: Imported, out: Path) -> None:
    """Say what was written, on stderr."""
    for note in done.notes:
        say(f"note: {note}")
    for problem in done.problems:
        say(f"emomap: {problem}")
    with_gaze = sum(1 for sample in done.dataset if sample.gaze_source)
    say(
        f"{done.fixations} fixations of {done.observers} observers on {with_gaze} pictures in "
        f"{out}; look at {out / SHEET}"
    )
