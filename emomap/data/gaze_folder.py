"""Folders of gaze files: what kind they hold, and a function that reads each picture's gaze."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from emomap import io
from emomap.data.card import CARD, read_card
from emomap.data.gaze import from_csv, from_density, from_neutral, from_points
from emomap.data.gaze_tables import IMAGE_COLUMNS, image_column, readers
from emomap.data.marks import inverted, kind_of
from emomap.data.tree import Tree, nfc, read_tree, stem, suffix
from emomap.data.units import Units, fault_of_set
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.files import File
from emomap.sample import Gaze


def gaze_sources(
    tables: Mapping[str, File],
    maps: Mapping[str, File],
    images: Mapping[str, File],
    *,
    use_maps: bool,
    units: Units | None = None,
) -> dict[str, Callable[..., Gaze]]:
    """Id -> function that reads the gaze, for each id with a table or a map.

    Args:
        tables, maps, images: files by id.
        use_maps: read the map as the density beside the fixations. Without a picture this is done
            in any case, since the map then says how large the picture is.
        units: of the coordinates in the tables, as of `emomap.data.gaze.from_csv`.
    """
    found: dict[str, Callable[..., Gaze]] = {}
    for identity in {**tables, **maps}:
        picture, density = images.get(identity), maps.get(identity)
        if identity not in tables:
            source = functools.partial(from_density, maps[identity], image_file=picture)
        elif density is None or (picture and not use_maps):
            source = functools.partial(from_csv, tables[identity], image_file=picture, units=units)
        else:
            source = functools.partial(
                from_neutral, tables[identity], density, image_file=picture, units=units
            )
        found[identity] = source
    return found


Kind = Literal["data set", "neutral", "density", "fixation maps", "csv"]

#: The remark where there are only tables.
SIZELESS = "the size of the pictures is not known, so the size of the prediction is taken"

#: Maps read to tell what a folder holds: all of a small one.
TRIALS = 24
#: Folders that hold pictures, whatever else lies beside them.
PICTURES = ("images", "stimuli", "pictures", "photos")


@dataclass(frozen=True)
class GazeFolder(Mapping[str, Callable[..., Gaze]]):
    """The gaze of many pictures: id -> picklable function that reads it.

    The functions take the keyword arguments ``image_file`` (whose size is the shape) or ``shape``.
    Without either they use the size of the map, and fail for a fixation table without a picture.

    Attributes:
        kind: what the files are.
        sources: the mapping itself.
        reason: how the kind was decided.
        sigma: of the blur, in pixels, or None if unknown.
        needs_shape: True if the size of some picture is unknown.
        synthetic: True if the gaze is declared to be made up.
        notes: what was guessed or left out.
    """

    kind: Kind
    sources: Mapping[str, Callable[..., Gaze]]
    reason: str
    sigma: float | None = None
    needs_shape: bool = False
    synthetic: bool = False
    notes: tuple[str, ...] = ()

    def __getitem__(self, identity: str) -> Callable[..., Gaze]:
        return self.sources[identity]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sources)

    def __len__(self) -> int:
        return len(self.sources)

    def reader(self, identity: str, prediction: File) -> Callable[[], Gaze]:
        """A picklable function without arguments that reads one picture's gaze.

        Where the size of the picture is unknown, that of the prediction is taken.
        """
        source = self.sources[identity]
        return functools.partial(_read_sized, source, prediction) if self.needs_shape else source


def _read_sized(source: Callable[..., Gaze], prediction: File) -> Gaze:
    height, width = io.map_shape(prediction)
    return source(shape=(height, width))


def read_gaze_folder(
    path: Path,
    kind: Kind | None = None,
    units: Units | None = None,
    threshold: float | None = None,
) -> GazeFolder:
    """Read a folder or zip archive of gaze files.

    It may hold the neutral layout with or without its pictures, fixation tables, density maps, or
    fixation maps. A few maps are read to tell the last two apart.

    Args:
        path: the folder or archive.
        kind: take it as this kind, without looking.
        units: of the coordinates in tables, as of `emomap.data.gaze.from_csv`.
        threshold: from which on a mark of a fixation map counts, as of `emomap.data.gaze`.

    Raises:
        UsageError: there is no such folder, or ``threshold`` is given and there are no fixation
            maps in it.
        EmomapError: it holds none of these, or several files for one id.
    """
    tree = read_tree(path)
    if kind is None and (frames := _frames(tree, threshold)):
        return frames
    if kind is not None:
        reason = f"taken as {kind}, as asked"
    elif tree.with_suffix(".csv", "fixations") or any(tree.files("maps")) or tree.has(CARD):
        kind, reason = "neutral", "the neutral layout"
    else:
        kind, reason = _recognise(tree)
    if kind == "neutral":
        folder = _neutral(tree, reason, units)
    elif kind == "csv":
        folder = _tables(tree, files_by_id(tree, {".csv"}), reason, units)
    else:
        folder = _maps(tree, kind, reason, threshold)
    if threshold is not None and folder.kind != "fixation maps":
        raise UsageError(
            f"{tree}: --marks-threshold is for fixation maps, this is {folder.kind} ({reason})"
        )
    if not folder.sources:
        raise EmomapError(f"{tree}: no gaze in it ({reason})")
    in_doubt = units is None and not folder.needs_shape and kind != "density"
    if in_doubt and (fault := fault_of_sources(folder.sources)):
        raise EmomapError(f"{tree}: {fault}")
    return folder


def fault_of_sources(sources: Mapping[str, Callable[..., Gaze]]) -> str:
    """Why fixations can hardly be pixels of their pictures; "" if they can.

    Some pictures are judged together; those whose gaze cannot be read are left to the reader.
    """
    names = list(sources)
    gazes = []
    for name in names[:: max(1, len(names) // TRIALS)][:TRIALS]:
        with contextlib.suppress(EmomapError):
            gaze = sources[name]()
            if gaze.points is not None:
                gazes.append((gaze.points, gaze.shape))
    return fault_of_set(gazes)


def read_gaze_table(path: Path, units: Units | None = None) -> GazeFolder:
    """Read one table of the fixations on several pictures, which it names in a column.

    Raises:
        EmomapError: it cannot be read, or has no such column.
    """
    if not image_column(path):
        raise EmomapError(
            f"{path}: one table for all pictures needs a column {' or '.join(IMAGE_COLUMNS[:3])}; "
            "tables of one picture each are given as their folder"
        )
    tree = read_tree(path.parent)
    return _tables(tree, {path.stem: path}, "one fixation table", units)


def read_gaze_file(
    path: Path,
    kind: Kind | None = None,
    units: Units | None = None,
    threshold: float | None = None,
) -> GazeFolder:
    """Read the gaze on one picture: a fixation table, a density map or a fixation map.

    A table that names its pictures in a column is read as `read_gaze_table` does.

    Args:
        path: the file; its stem is the id.
        kind, units, threshold: as for `read_gaze_folder`.

    Raises:
        UsageError: ``threshold`` is given and it is no fixation map.
        EmomapError: it cannot be read, or is zero everywhere.
    """
    if suffix(path.name) == ".csv":
        if image_column(path):
            return read_gaze_table(path, units)
        read: Callable[..., Gaze] = functools.partial(from_csv, path, units=units)
        found: Kind = "csv"
        reason = f"one fixation table; {SIZELESS}"
    else:
        judged = kind_of(io.read_map(path)) if kind is None else None
        if kind is None and judged is None:
            raise EmomapError(f"{path}: zero everywhere, so it says nothing about gaze")
        found = kind or judged or "density"
        marks = found == "fixation maps"
        reason = f"one map, {'of isolated points' if marks else 'smooth'}"
        read = functools.partial(from_density, path)
        if marks:
            read = functools.partial(from_points, path, threshold=threshold)
            reason += _marks_from(threshold)
    if threshold is not None and found != "fixation maps":
        raise UsageError(f"{path}: --marks-threshold is for fixation maps, this is {found}")
    return GazeFolder(found, {nfc(path.stem): read}, reason, needs_shape=found == "csv")


def _tables(tree: Tree, tables: Mapping[str, File], reason: str, units: Units | None) -> GazeFolder:
    """A folder of fixation tables alone: one a picture, one an observer, or one for all."""
    notes = tree.notes
    several = readers(tables, units)
    if several is not None:
        sources, what = several
        reason = f"{reason}, {what}"
    else:
        sources = {i: functools.partial(from_csv, file, units=units) for i, file in tables.items()}
    return GazeFolder("csv", sources, f"{reason}; {SIZELESS}", needs_shape=True, notes=notes)


def _maps(tree: Tree, kind: Kind, reason: str, threshold: float | None) -> GazeFolder:
    """A folder of maps alone."""
    read: Callable[..., Gaze] = from_density
    if kind == "fixation maps":
        read = functools.partial(from_points, threshold=threshold)
    maps = files_by_id(tree, io.MAP_SUFFIXES)
    sources = {identity: functools.partial(read, file) for identity, file in maps.items()}
    return GazeFolder(kind, sources, reason + _marks_from(threshold), notes=tree.notes)


def _marks_from(threshold: float | None) -> str:
    return "" if threshold is None else f"; marks from {threshold:g} of the strongest on"


def files_by_id(
    tree: Tree, suffixes: frozenset[str] | set[str], under: str = ""
) -> dict[str, File]:
    """Files with one of these suffixes by id: their path below a folder, without suffix.

    Raises:
        EmomapError: two files with one id.
    """
    found: dict[str, str] = {}
    skip = len(under) + 1 if under else 0
    for path in sorted(tree.files(under)):
        if suffix(path) not in suffixes:
            continue
        identity = nfc(stem(path[skip:]))
        if identity in found:
            raise EmomapError(f"{tree}: {found[identity]} and {path} are for the same image")
        found[identity] = path
    return {identity: tree.file(path) for identity, path in found.items()}


def _recognise(tree: Tree) -> tuple[Kind, str]:
    """What a folder without the signs of a layout holds, and how that was decided."""
    tables = tree.with_suffix(".csv")
    pictures = tuple(f"{name}/" for name in PICTURES)
    maps = [
        path
        for path in sorted(tree.files())
        if suffix(path) in io.MAP_SUFFIXES and not path.lower().startswith(pictures)
    ]
    if tables and not maps:
        return "csv", f"{len(tables)} fixation tables and no maps"
    if tables and maps:
        raise EmomapError(
            f"{tree}: holds both tables ({listed(tables, 1)}) and maps ({listed(maps, 1)}); "
            "put the tables into fixations/ and the maps into maps/"
        )
    if not maps:
        others = sorted(path for path in tree.files() if suffix(path) not in io.MAP_SUFFIXES)
        unread = f"; not read: {listed(others, 3)}" if others else ""
        raise EmomapError(
            f"{tree}: no gaze in it; looked for fixations/*.csv, maps/*, *.csv and maps "
            f"({', '.join(sorted(io.MAP_SUFFIXES))}) at any depth outside images/{unread}"
        )
    files_by_id(tree, io.MAP_SUFFIXES)  # refuses two files of one image
    kind = _kind_of(tree, maps)
    which = "isolated points" if kind == "fixation maps" else "smooth"
    return kind, f"{which} in the maps that were looked at"


def _kind_of(tree: Tree, maps: Sequence[str]) -> Kind:
    """What maps are, by looking at `TRIALS` of them that are neither empty nor damaged.

    Raises:
        EmomapError: some are fixation maps and some densities, or none can be judged.
    """
    found: dict[Kind, list[str]] = {"fixation maps": [], "density": []}
    empty: list[str] = []
    damaged: EmomapError | None = None
    step = max(1, len(maps) // TRIALS)
    order = [path for start in range(step) for path in maps[start::step]]  # spread first, then all
    for path in order:
        try:
            values = io.read_map(tree.file(path))
        except EmomapError as error:
            damaged = damaged or error
            continue
        kind = kind_of(values)
        if kind == "density" and inverted(values):
            raise EmomapError(
                f"{tree}: {path} has dark marks on a bright ground; invert the maps, so that "
                "fixations are bright, or say --gt-kind density if it is one"
            )
        if kind is None:
            empty.append(path)
            continue
        found[kind].append(path)
        if sum(map(len, found.values())) == TRIALS:
            break
    marks, densities = found["fixation maps"], found["density"]
    if marks and densities:
        raise EmomapError(
            f"{tree}: holds fixation maps ({listed(sorted(marks), 3)}) and densities "
            f"({listed(sorted(densities), 3)}); put each kind into a folder of its own, or say "
            "--gt-kind fixation-maps or density if all are of one kind"
        )
    if not marks and not densities:
        if damaged:
            raise damaged
        raise EmomapError(
            f"{tree}: all {len(empty)} maps are zero everywhere, so they say nothing about gaze"
        )
    return "fixation maps" if marks else "density"


def _neutral(tree: Tree, reason: str, units: Units | None) -> GazeFolder:
    card = read_card(tree)
    units = units or card.units
    tables = files_by_id(tree, {".csv"}, "fixations")
    maps = files_by_id(tree, io.MAP_SUFFIXES, "maps")
    images = [path for path in tree.images() if path.startswith("images/")]
    by_id = {nfc(stem(path))[len("images/") :]: tree.file(path) for path in images}
    sources, what = _neutral_sources(tables, maps, by_id, use_maps=card.sigma is None, units=units)
    reason = f"{reason}, {what}" if what else reason
    sized = all(i in by_id or i in maps for i in sources)
    return GazeFolder(
        "neutral",
        sources,
        reason if sized else f"{reason}; {SIZELESS}",
        sigma=card.sigma,
        needs_shape=not sized,
        synthetic=card.synthetic,
        notes=tree.notes,
    )


def _frames(tree: Tree, threshold: float | None) -> GazeFolder | None:
    """Frames of videos as DHF1K has them, VIDEO/fixation/* and VIDEO/maps/*; None for other trees.

    The id of a frame is VIDEO/FRAME.
    """
    videos = [v for v in ("", *tree.children()) if {"fixation", "maps"} <= set(tree.children(v))]
    sources: dict[str, Callable[..., Gaze]] = {}
    for video in videos:
        lead = f"{video}/" if video else ""
        marks, maps = (
            {
                stem(name): tree.file(f"{lead}{folder}/{name}")
                for name in tree.folders[f"{lead}{folder}"]
                if suffix(name) in io.MAP_SUFFIXES
            }
            for folder in ("fixation", "maps")
        )
        for frame, file in marks.items():
            sources[lead + frame] = functools.partial(
                from_points, file, map_file=maps.get(frame), threshold=threshold
            )
    if not sources:
        return None
    reason = f"frames of {len(videos)} videos, from their folders fixation/ and maps/"
    reason += _marks_from(threshold)
    return GazeFolder("fixation maps", sources, reason, notes=tree.notes)


def _neutral_sources(
    tables: Mapping[str, File],
    maps: Mapping[str, File],
    images: Mapping[str, File],
    *,
    use_maps: bool,
    units: Units | None,
) -> tuple[dict[str, Callable[..., Gaze]], str]:
    """As `gaze_sources`, also of tables that are not one per picture; and what those are, or "".

    Raises:
        EmomapError: a table of several pictures cannot be read.
    """
    several = readers(tables, units, images)
    if several is None:
        return gaze_sources(tables, maps, images, use_maps=use_maps, units=units), ""
    sources, what = several
    paired = io.pair(images, sources)
    sources = {
        identity: functools.partial(source, image_file=images[paired[identity]])
        if identity in paired
        else source
        for identity, source in sources.items()
    }
    return {**gaze_sources({}, maps, images, use_maps=use_maps), **sources}, what
