"""Gaze from files: fixation tables, density maps, fixation maps; and folders of any of these.

The functions `from_csv`, `from_density` and `from_points` become a sample's ``gaze_source`` by
`functools.partial`, so that nothing is read before it is needed and a sample can be sent to
another process.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.data.table import MAX_BYTES, read_table
from emomap.data.tree import Tree, nfc, read_tree, some, stem, suffix
from emomap.errors import EmomapError
from emomap.sample import File, Gaze

Kind = Literal["data set", "neutral", "density", "fixation maps", "csv"]
Shape = tuple[int, int]
#: A bright pixel of a fixation map stands alone: its neighbours hold less than this share of it.
#: OSIE's and SALICON's true fixations: as marks 0 to .30 (as JPEG .33), as counts up to .60 (7,000
#: mouse samples); as densities with a sigma of 1.5 px at least .81, of 3 px at least .96.
ISOLATED = 0.75
#: Said where only tables are given.
SIZELESS = "the size of the pictures is not known, so that of the prediction is taken"
CARD = "dataset.toml"
#: Maps looked at to tell what a folder holds.
TRIALS = 5


# ------------------------------------------------------------------------------------ one file


def read_fixations_csv(
    file: File,
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, NDArray[np.float64] | None]:
    """Read a fixation table: header x,y[,observer][,duration], rows in viewing order.

    Returns:
        points (N, 2), 0-based pixels, x right and y down; observers (N,) or None; durations (N,)
        in milliseconds or None. Observers that are not whole numbers are numbered as they appear.

    Raises:
        EmomapError: unreadable, a column is missing, or a value is no number (names the line).
    """
    plain = _plain_table(file)
    if plain is not None:
        return plain
    rows = list(read_table(file, ("x", "y")))
    points = np.array([(row.number("x"), row.number("y")) for row in rows], dtype=np.float64)
    observers = durations = None
    if rows and "observer" in rows[0].cells:
        names = [row["observer"] for row in rows]
        for row in rows:
            if not row["observer"]:
                raise EmomapError(f"{row.where}: the observer is missing")
        order = {name: index for index, name in enumerate(dict.fromkeys(names))}
        numbered = all(name.isdecimal() for name in names)
        observers = np.array([int(n) if numbered else order[n] for n in names], dtype=np.int64)
    if rows and "duration" in rows[0].cells:
        durations = np.array([row.number("duration") for row in rows], dtype=np.float64)
        if durations.min() < 0:
            row = rows[int(durations.argmin())]
            raise EmomapError(f"{row.where}: duration {row['duration']} is negative")
    return points.reshape(-1, 2), observers, durations


def _plain_table(
    file: File,
) -> tuple[NDArray[np.float64], NDArray[np.int64] | None, NDArray[np.float64] | None] | None:
    """What most fixation tables are, nothing but numbers between commas, read in one go.

    None for anything else, which is then read line by line, and complained about if need be.
    """
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        head, _, body = data.partition(b"\n")
        columns = head.decode("ascii").strip().split(",")
        known = columns in (["x", "y"], ["x", "y", "observer"], ["x", "y", "observer", "duration"])
        if not known or len(data) > MAX_BYTES or not body.strip() or not set(body) <= _PLAIN:
            return None
        table = np.loadtxt(body.decode("ascii").splitlines(), delimiter=",", ndmin=2)
    except (OSError, ValueError):
        return None
    whole = len(columns) < 3 or bool((table[:, 2] == np.floor(table[:, 2])).all())
    if table.shape[1] != len(columns) or not whole or (table[:, 3:] < 0).any():
        return None
    observers = table[:, 2].astype(np.int64) if len(columns) > 2 else None
    return table[:, :2].copy(), observers, table[:, 3].copy() if len(columns) > 3 else None


#: Bytes of numbers without exponents, commas and line ends.
_PLAIN = frozenset(b"0123456789.-,\r\n")


def from_csv(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze of a fixation table; the size of the picture comes from the picture, or from ``shape``.

    Raises:
        EmomapError: neither is given, or the table cannot be read.
    """
    points, observers, durations = read_fixations_csv(file)
    if image_file is not None:
        shape = io.image_size(image_file)
    if shape is None:
        raise EmomapError(
            f"{file}: fixations alone do not say how large the picture is; "
            "put the pictures beside them in a folder images/"
        )
    return Gaze(shape, points, observers, durations)


def read_density(file: File) -> NDArray[Any]:
    """A density map: (H, W), non-negative, not zero everywhere, any scale, in the type of the file.

    Bytes stay bytes, since the metrics are many times faster on a pair of 8-bit maps.

    Raises:
        EmomapError: unreadable, or not such a map.
    """
    values = io.read_map(file)
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.min() < 0:
        raise EmomapError(f"{file}: a density map with negative values (down to {values.min():g})")
    if values.max() == 0:
        raise EmomapError(f"{file}: zero everywhere, so it says nothing about gaze")
    return values


def read_density_of(file: File | None) -> NDArray[Any] | None:
    """`read_density`, or None without a file."""
    return None if file is None else read_density(file)


def from_density(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze known only as a density; its shape is that of the picture, if that is known."""
    density = read_density(file)
    if image_file is not None:
        shape = io.image_size(image_file)
    return Gaze(shape or (density.shape[0], density.shape[1]), density=density)


def from_points(file: File, *, image_file: File | None = None, shape: Shape | None = None) -> Gaze:
    """Gaze of a fixation map; its shape is the map's own, to which its coordinates belong."""
    del image_file, shape
    values = io.read_map(file)
    if values.min() < 0:
        raise EmomapError(f"{file}: a fixation map with negative values ({values.min():g})")
    points, size = points_of_map(values, lossy=suffix(file.name) in {".jpg", ".jpeg"})
    return Gaze(size, points)


def from_neutral(
    fixations: File, map_file: File, *, image_file: File | None = None, shape: Shape | None = None
) -> Gaze:
    """Gaze of a fixation table and the map beside it, which is as large as the picture."""
    density = read_density(map_file)
    if image_file is None:
        shape = (density.shape[0], density.shape[1])
    return replace(from_csv(fixations, image_file=image_file, shape=shape), density=density)


def points_of_map(
    values: NDArray[Any], *, lossy: bool = False
) -> tuple[NDArray[np.float64], Shape]:
    """Fixations of a map that marks them: (N, 2) points in raster order, and the map's shape.

    The values are counts where they are whole numbers; multiples of the smallest one (255 and 510,
    or 127.5 scaled) count as one, two, ...; a lossy map is cut at half of its maximum.
    """
    values = np.asarray(values)
    height, width = values.shape
    (places,) = np.nonzero(values.ravel() > 0)  # few, so nothing else is done to the whole map
    marks = values.ravel()[places].astype(np.float64)
    if not len(marks):
        return np.zeros((0, 2)), (height, width)
    top = float(marks.max())
    if lossy:
        counts = (marks >= top / 2).astype(np.int64)
    else:
        unit = 1.0 if top < 50 and np.array_equal(marks, np.rint(marks)) else float(marks.min())
        multiples = marks / unit
        whole = np.abs(multiples - np.rint(multiples)).max() < 1e-6
        counts = np.rint(multiples).astype(np.int64) if whole else np.ones(len(marks), np.int64)
    y, x = np.divmod(np.repeat(places, counts), width)
    return np.column_stack([x, y]).astype(np.float64), (height, width)


def isolation(values: NDArray[Any]) -> float:
    """How much of a bright pixel's value its four neighbours hold, on average: 1 in a smooth map.

    Bright is at least half of the maximum; 1 for a map without any.
    """
    values = np.asarray(values, dtype=np.float64)
    bright = values >= max(float(values.max(initial=0)) / 2, np.finfo(np.float64).tiny)
    if not bright.any():
        return 1.0
    padded = np.pad(values, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return float((around[bright] / (4 * values[bright])).mean())


# ---------------------------------------------------------------------------------- one folder


@dataclass(frozen=True)
class GazeFolder(Mapping[str, Callable[..., Gaze]]):
    """The gaze of many pictures: id -> picklable function that reads it.

    The functions take the keyword arguments ``image_file`` (whose size is the shape) or ``shape``;
    without either they use the size of the map, or fail for fixation tables without pictures.

    Attributes:
        kind: what the files are.
        sources: the mapping itself.
        reason: how the kind was decided.
        sigma: pixels, or None when nothing says it.
        needs_shape: True when for some ids nothing says how large the picture is.
        synthetic: True when the folder says so.
        notes: what was left out.
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
        """A picklable function that reads one gaze, sized as the prediction where nothing says."""
        source = self.sources[identity]
        return functools.partial(_read_sized, source, prediction) if self.needs_shape else source


def _read_sized(source: Callable[..., Gaze], prediction: File) -> Gaze:
    height, width = io.read_map(prediction).shape
    return source(shape=(height, width))


def open_gaze(path: Path | str, *, kind: Kind | None = None) -> GazeFolder:
    """Find out which kind of gaze a folder (or zip archive) holds.

    A data set with gaze in any layout, the neutral layout with or without its pictures, fixation
    tables, density maps, or fixation maps; the latter two are told apart by looking at a few.

    Args:
        path: the folder.
        kind: take it as this, without looking.

    Raises:
        UsageError: there is no such folder.
        EmomapError: it holds nothing of these, or several files for one id.
    """
    from emomap.data import opening

    dataset = opening.gaze_dataset(path) if kind is None else None
    if dataset is not None:
        found = {s.id: functools.partial(_ready, s.gaze_source) for s in dataset if s.gaze_source}
        notes = dataset.notes
        return GazeFolder(
            "data set", found, f"the data set {dataset.layout}", dataset.sigma, notes=notes
        )
    tree = read_tree(Path(path))
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
    """A folder of nothing but tables or maps."""
    if kind == "csv":
        tables = files_by_id(tree, {".csv"})
        readers = {identity: functools.partial(from_csv, file) for identity, file in tables.items()}
        reason = f"{reason}; {SIZELESS}"
        return GazeFolder(kind, readers, reason, needs_shape=True, notes=tree.notes)
    read = from_points if kind == "fixation maps" else from_density
    maps = files_by_id(tree, io.MAP_SUFFIXES)
    sources = {identity: functools.partial(read, file) for identity, file in maps.items()}
    return GazeFolder(kind, sources, reason, notes=tree.notes)


def _ready(source: Callable[[], Gaze], **known: Any) -> Gaze:
    """Read a sample's gaze, which knows the size of its picture already."""
    del known
    return source()


def files_by_id(
    tree: Tree, suffixes: frozenset[str] | set[str], under: str = ""
) -> dict[str, File]:
    """Files with one of these suffixes by their path below a folder, without suffix.

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
            f"{tree}: holds both tables ({some(tables, 1)}) and maps ({some(maps, 1)}); "
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
    from emomap.data import folder

    card = folder.read_card(tree)
    tables = files_by_id(tree, {".csv"}, "fixations")
    maps = files_by_id(tree, io.MAP_SUFFIXES, "maps")
    images = [path for path in tree.images() if path.startswith("images/")]
    by_id = {nfc(stem(path))[len("images/") :]: tree.file(path) for path in images}
    sources = folder.gaze_sources(tables, maps, by_id, use_maps=card.sigma is None)
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
