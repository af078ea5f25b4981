"""Folders of gaze files: what kind they hold, and a function that reads each picture's gaze."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from emomap import io
from emomap.data.card import CARD, read_card
from emomap.data.gaze import (
    ISOLATED,
    from_csv,
    from_density,
    from_neutral,
    from_points,
    isolation,
)
from emomap.data.tree import Tree, nfc, read_tree, stem, suffix
from emomap.errors import EmomapError, listed
from emomap.io.files import File
from emomap.sample import Gaze


def gaze_sources(
    tables: Mapping[str, File],
    maps: Mapping[str, File],
    images: Mapping[str, File],
    *,
    use_maps: bool,
) -> dict[str, Callable[..., Gaze]]:
    """Id -> function that reads the gaze, for each id with a table or a map.

    Args:
        tables, maps, images: files by id.
        use_maps: read the map as the density beside the fixations. Without a picture this is done
            in any case, since the map then says how large the picture is.
    """
    found: dict[str, Callable[..., Gaze]] = {}
    for identity in {**tables, **maps}:
        picture, density = images.get(identity), maps.get(identity)
        if identity not in tables:
            source = functools.partial(from_density, maps[identity], image_file=picture)
        elif density is None or (picture and not use_maps):
            source = functools.partial(from_csv, tables[identity], image_file=picture)
        else:
            source = functools.partial(from_neutral, tables[identity], density, image_file=picture)
        found[identity] = source
    return found


Kind = Literal["data set", "neutral", "density", "fixation maps", "csv"]

#: The remark where there are only tables.
SIZELESS = "the size of the pictures is not known, so the size of the prediction is taken"

#: Maps read to tell what a folder holds.
TRIALS = 5


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
    height, width = io.read_map(prediction).shape
    return source(shape=(height, width))


def read_gaze_folder(path: Path, kind: Kind | None = None) -> GazeFolder:
    """Read a folder or zip archive of gaze files.

    It may hold the neutral layout with or without its pictures, fixation tables, density maps, or
    fixation maps. A few maps are read to tell the last two apart.

    Args:
        path: the folder or archive.
        kind: take it as this kind, without looking.

    Raises:
        UsageError: there is no such folder.
        EmomapError: it holds none of these, or several files for one id.
    """
    tree = read_tree(path)
    if kind is not None:
        reason = f"taken as {kind}, as asked"
    elif tree.with_suffix(".csv", "fixations") or any(tree.files("maps")) or tree.has(CARD):
        kind, reason = "neutral", "the neutral layout"
    else:
        kind, reason = _recognise(tree)
    folder = _neutral(tree, reason) if kind == "neutral" else _plain(tree, kind, reason)
    if not folder.sources:
        raise EmomapError(f"{tree}: no gaze in it ({reason})")
    return folder


def _plain(tree: Tree, kind: Kind, reason: str) -> GazeFolder:
    """A folder of tables alone, or of maps alone."""
    if kind == "csv":
        tables = files_by_id(tree, {".csv"})
        readers = {identity: functools.partial(from_csv, file) for identity, file in tables.items()}
        reason = f"{reason}; {SIZELESS}"
        return GazeFolder(kind, readers, reason, needs_shape=True, notes=tree.notes)
    read = from_points if kind == "fixation maps" else from_density
    maps = files_by_id(tree, io.MAP_SUFFIXES)
    sources = {identity: functools.partial(read, file) for identity, file in maps.items()}
    return GazeFolder(kind, sources, reason, notes=tree.notes)


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
    tables = tree.with_suffix(".csv")
    maps = [path for path in sorted(tree.files()) if suffix(path) in io.MAP_SUFFIXES]
    if tables and not maps:
        return "csv", f"{len(tables)} fixation tables and no maps"
    if tables and maps:
        raise EmomapError(
            f"{tree}: holds both tables ({listed(tables, 1)}) and maps ({listed(maps, 1)}); "
            "put the tables into fixations/ and the maps into maps/"
        )
    if not maps:
        raise EmomapError(
            f"{tree}: no gaze in it; looked for fixations/*.csv, maps/*, *.csv and maps "
            f"({', '.join(sorted(io.MAP_SUFFIXES))}) at any depth"
        )
    trial = maps[:: max(1, len(maps) // TRIALS)][:TRIALS]
    value = float(np.median([isolation(io.read_map(tree.file(path))) for path in trial]))
    kind: Kind = "fixation maps" if value < ISOLATED else "density"
    which = "isolated points" if kind == "fixation maps" else "smooth"
    return kind, f"{which}: around bright pixels the maps hold {value:.0%} of their value"


def _neutral(tree: Tree, reason: str) -> GazeFolder:
    card = read_card(tree)
    tables = files_by_id(tree, {".csv"}, "fixations")
    maps = files_by_id(tree, io.MAP_SUFFIXES, "maps")
    images = [path for path in tree.images() if path.startswith("images/")]
    by_id = {nfc(stem(path))[len("images/") :]: tree.file(path) for path in images}
    sources = gaze_sources(tables, maps, by_id, use_maps=card.sigma is None)
    sized = all(i in by_id or i in maps for i in tables)
    return GazeFolder(
        "neutral",
        sources,
        reason if sized else f"{reason}; {SIZELESS}",
        sigma=card.sigma,
        needs_shape=not sized,
        synthetic=card.synthetic,
        notes=tree.notes,
    )
