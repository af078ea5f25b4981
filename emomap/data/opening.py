"""Open a data set by name or path, or gaze alone: find the layout, load it, join its gaze."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from emomap import io
from emomap.data import splits
from emomap.data.card import CARD
from emomap.data.gaze_folder import (
    GazeFolder,
    Kind,
    read_gaze_file,
    read_gaze_folder,
    read_gaze_table,
)
from emomap.data.marks import check_threshold
from emomap.data.reading import Reading
from emomap.data.registry import EMBEDDED, LAYOUTS, Layout, layout_called
from emomap.data.tree import ARCHIVES, Tree, read_tree, suffix
from emomap.data.units import Units
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.cache import cache_folder
from emomap.sample import Dataset, Gaze

#: How deep in the named folder or archive a data set may begin. Toronto's zip archive has it in
#: set/eyetrackingdata/fixdens.
DEPTH = 3
#: Options that say how fixations are read.
GAZE_OPTIONS = ("points", "marks_threshold")
#: Kinds of layout that can be recognised.
KINDS = frozenset({"any", "emotion", "gaze", "both", "images"})


def open_dataset(
    spec: str | Path,
    *,
    gaze: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Dataset:
    """Open a data set.

    Args:
        spec: the name of an embedded set ("demo"), a folder or zip archive whose layout is
            recognised, or "layout:path" to force a layout.
        gaze: gaze for a set without any, joined by id or stem; a path as for `open_gaze`.
        options: of the embedded set or the layout, as in ``--set data.NAME=VALUE``.

    Returns:
        The samples in the order of their ids. `Dataset.layout` says which layout was taken and
        why. `Dataset.notes` says what was guessed or left out, with counts.

    Raises:
        UsageError: nothing at this path, no layout recognised, or an option that does not exist.
        EmomapError: a file is wrong (the message names it).
    """
    return inspect_dataset(spec, gaze=gaze, reading=Reading(dict(options or {})))


def inspect_dataset(
    spec: str | Path, *, gaze: str | Path | None = None, reading: Reading
) -> Dataset:
    """`open_dataset` with the caller's `Reading`, which may collect faults instead of raising."""
    if str(spec) in EMBEDDED and not Path(spec).exists():
        from emomap.data import demo

        known = [name for name in inspect.signature(demo.load).parameters if name != "folder"]
        for name in reading.options:
            if name not in known:
                raise UsageError(f"data.{name} is not an option of demo ({', '.join(known)})")
        return demo.load(cache_folder() / "demo", **reading.options)
    forced, path = _parse(str(spec))
    tree = read_tree(path)
    if not tree.folders or not any(True for _ in tree.files()):
        raise EmomapError(f"{path}: empty; a data set needs at least pictures")
    if forced is None:
        layout, tree, reason = recognise(tree)
    else:
        layout, reason = forced, "as asked"
        tree = _base_for(layout, tree)
    dataset = layout.loader().load(tree, reading)
    if gaze is not None:  # these are about the gaze, wherever it is
        for name in GAZE_OPTIONS:
            reading.option(name, None)
    reading.refuse_unused(layout.name)
    if not dataset.samples:
        raise EmomapError(f"{tree}: no pictures found as {layout.name}; looked for {layout.signs}")
    dataset = replace(
        dataset,
        name=dataset.name or layout.name,
        samples=tuple(sorted(dataset.samples, key=lambda sample: sample.id)),
        layout=f"{layout.name} ({reason})",
        notes=(*tree.notes, *dataset.notes, *reading.notes),
    )
    return dataset if gaze is None else join_gaze(dataset, gaze, reading)


def _parse(spec: str) -> tuple[Layout | None, Path]:
    path = Path(spec).expanduser()
    name, colon, rest = spec.partition(":")
    if path.exists() or not colon or len(name) < 2:
        if not path.exists() and path.name == spec:
            names = ", ".join(EMBEDDED)
            raise UsageError(
                f"{spec}: neither a data set that comes with emomap ({names}) nor a folder here"
            )
        return None, path
    layout = layout_called(name)
    if layout is None:
        raise UsageError(
            f"{spec}: no layout is called '{name}'; there are {', '.join(sorted(LAYOUTS))}"
        )
    if not rest:
        raise UsageError(f"{spec}: write the path after the colon, {name}:PATH")
    return layout, Path(rest).expanduser()


def recognise(tree: Tree) -> tuple[Layout, Tree, str]:
    """The layout of a tree, the folder in it where the set begins, and the reason.

    Looks at the tree itself, then at its folders, level by level, `DEPTH` levels deep.

    Raises:
        UsageError: no data set found, or several side by side.
    """
    level = [""]
    for depth in range(DEPTH + 1):
        found = [(folder, *match) for folder in level if (match := _match(tree.sub(folder)))]
        if len(found) > 1:
            names = [f"{folder} ({layout.name})" for folder, layout, _ in found]
            raise UsageError(f"{tree}: holds several data sets; name one: {listed(names, 20)}")
        if found:
            folder, layout, reason = found[0]
            where = f"in {folder}/: " if folder else ""
            return layout, tree.sub(folder), where + reason
        if depth < DEPTH:
            level = [
                f"{folder}/{child}".lstrip("/")
                for folder in level
                for child in tree.children(folder)
            ]
    if tree.images():
        return LAYOUTS["pictures"], tree, "no known layout, so pictures alone"
    looked = "; ".join(f"{layout.name}: {layout.signs}" for layout in LAYOUTS.values())
    archives = sorted(path for path in tree.files() if path.lower().endswith(ARCHIVES))
    packed = f"; it holds archives, which are not unpacked: {listed(archives)}" if archives else ""
    raise UsageError(f"{tree}: no known layout and no pictures{packed}; looked for {looked}")


def _match(tree: Tree, kinds: Container[str] = KINDS) -> tuple[Layout, str] | None:
    own = [LAYOUTS["neutral"]] if tree.has(CARD) else LAYOUTS.values()
    for layout in own:
        if layout.kind in kinds and (reason := layout.loader().recognise(tree)):
            return layout, reason
    return None


def _base_for(layout: Layout, tree: Tree) -> Tree:
    """Where a forced layout begins: the topmost folder that it recognises, or the top."""
    level = [""]
    for _ in range(DEPTH + 1):
        for folder in level:
            if layout.loader().recognise(tree.sub(folder)):
                return tree.sub(folder)
        level = [
            f"{folder}/{child}".lstrip("/") for folder in level for child in tree.children(folder)
        ]
    return tree


def open_gaze(
    path: str | Path,
    *,
    kind: Kind | None = None,
    points: str | None = None,
    marks_threshold: float | None = None,
    single: bool = False,
) -> GazeFolder:
    """Open ground truth: the gaze of a data set in any layout, or a folder of gaze files alone.

    Tried in this order: a data set with gaze; the neutral layout with or without its pictures;
    fixation tables, density maps or fixation maps alone (a few maps are read to tell which).

    Args:
        path: the name of an embedded set, a folder, a zip archive, or "layout:path".
        kind: take the folder as this, without looking.
        points: what the coordinates of fixation tables are: "pixels", "normalised", "percent",
            "screen:WIDTHxHEIGHT" or "size:WIDTHxHEIGHT", see `emomap.data.units.Units`.
        marks_threshold: share of the strongest mark of a fixation map, 0 to 1, from which on a mark
            is a fixation. By default .5 where lossy compression left weak marks, else all count.
        single: it is the file of the gaze on one picture, see `read_gaze_file`.

    Raises:
        UsageError: there is no such folder, ``points`` is none of these, or ``marks_threshold`` is
            given for gaze that is not in fixation maps.
        EmomapError: it holds no gaze, several files for one id, a broken data set, or coordinates
            that can hardly be pixels where ``points`` is not given.
    """
    units = Units.parse(points) if points else None
    threshold = check_threshold(marks_threshold)
    if single:
        return read_gaze_file(Path(path), kind, units, threshold)
    if threshold is None and Path(path).is_file() and suffix(Path(path).name) == ".csv":
        return read_gaze_table(Path(path), units)
    said = {"points": points, "marks_threshold": threshold}
    options = {name: value for name, value in said.items() if value is not None}
    dataset = _dataset_with_gaze(path, options) if kind is None else None
    if dataset is None:
        return read_gaze_folder(Path(path), kind, units, threshold)
    if dataset.doubt:
        raise EmomapError(f"{path}: {dataset.doubt}")
    return GazeFolder(
        "data set",
        {s.id: functools.partial(_sized, s.gaze_source) for s in dataset if s.gaze_source},
        dataset.layout,
        sigma=dataset.sigma,
        synthetic=dataset.synthetic,
        notes=tuple(note for note in dataset.notes if note != splits.NOTE),
    )


def _sized(source: Callable[[], Gaze], **known: Any) -> Gaze:
    """Read the gaze of a sample, which knows the size of its picture already."""
    del known
    return source()


def _dataset_with_gaze(path: str | Path, options: Mapping[str, Any]) -> Dataset | None:
    """The data set at a path, or None where there is none or it has no gaze."""
    # a neutral set is read file by file: it may have gaze without pictures
    apart = any(Path(path, name).exists() for name in ("fixations", "maps"))
    if apart and not _recognised_by_gaze(path):
        return None
    try:
        dataset = open_dataset(path, options=options)
    except EmomapError:
        if _recognised_by_gaze(path):
            raise
        return None
    return dataset if any(sample.gaze_source for sample in dataset) else None


def _recognised_by_gaze(path: str | Path) -> bool:
    """Whether a path must be a data set: by its name, or by the signs of a layout with gaze."""
    if str(path) in EMBEDDED and not Path(path).exists():
        return True
    forced, folder = _parse(str(path))
    return forced is not None or _match(read_tree(folder), {"gaze", "both"}) is not None


def join_gaze(dataset: Dataset, path: str | Path, reading: Reading) -> Dataset:
    """Give the samples of a data set the gaze at another path.

    Raises:
        UsageError: no gaze file has the name of a picture.
        EmomapError: the gaze cannot be read, or a stem is not unique.
    """
    said = {name: reading.options[name] for name in GAZE_OPTIONS if name in reading.options}
    folder = open_gaze(path, **said)
    pairs = io.pair(folder.sources, (sample.id for sample in dataset))
    if not pairs:
        raise UsageError(
            f"{path}: none of its {len(folder)} gaze files ({listed(folder, 3)}) has the name of a "
            f"picture ({listed((sample.id for sample in dataset), 3)})"
        )
    samples = tuple(
        replace(
            sample,
            gaze_source=functools.partial(
                folder.sources[pairs[sample.id]], image_file=sample.image_file
            ),
        )
        if sample.id in pairs
        else replace(sample, gaze_source=None)
        for sample in dataset
    )
    kept = len(reading.notes)
    used = set(pairs.values())
    lost = [identity for identity in folder.sources if identity not in used]
    reading.note(f"gaze from {path}: {folder.kind} ({folder.reason})")
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.missing(lost, f"gaze files in {path} belong to no picture")
    return replace(
        dataset,
        samples=samples,
        sigma=folder.sigma or dataset.sigma,
        synthetic=dataset.synthetic or folder.synthetic,
        notes=(*dataset.notes, *folder.notes, *reading.notes[kept:]),
    )
