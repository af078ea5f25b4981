"""The neutral layout: images/, fixations/*.csv, maps/*, labels.csv, split.csv, dataset.toml.

Fixations win where both they and a map exist: the map is then a check. It serves as density only
where dataset.toml states no sigma by which the density could be made of the fixations.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from emomap import io
from emomap.data import labels, splits
from emomap.data.gaze import CARD, files_by_id, from_csv, from_density, from_neutral
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import Row, read_table, read_text
from emomap.data.tree import Tree
from emomap.errors import EmomapError
from emomap.sample import EMOTIONS, SPLITS, Dataset, File, Gaze, Sample, Split

T = TypeVar("T", bound=str)
GAZE_FOLDERS = ("fixations", "maps")


def recognise(tree: Tree) -> str | None:
    """Why this is the neutral layout, or None."""
    if tree.has(CARD):
        return f"it has a {CARD}"
    found = [name for name in ("labels.csv", "split.csv") if tree.has(name)]
    if "images" not in tree.children():
        return f"it has pictures and {', '.join(found)}" if found and tree.images() else None
    if "fixations" in tree.children() and tree.with_suffix(".csv", "fixations"):
        found.append("fixations/*.csv")
    if "maps" in tree.children():
        found.append("maps/")
    return f"it has images/ and {', '.join(found)}" if found else None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open a set in the neutral layout.

    Raises:
        EmomapError: no pictures, a label that is not one of the emotions, a table that cannot be
            read, or an image that has two labels or two splits.
    """
    card = read_card(tree)
    reading.note_some(card.unknown, f"keys of {CARD} are not known and were not used")
    under = "images" if "images" in tree.children() else ""
    paths = [path[len(under) + 1 if under else 0 :] for path in tree.images(under)]
    if not under:
        skip = tuple(name + "/" for name in GAZE_FOLDERS)
        paths = [path for path in paths if not path.startswith(skip)]
    if not paths:
        raise EmomapError(f"{tree}: no pictures in {under or 'it'}")
    identities = ids(paths, reading)
    finder = Finder(paths, identities)
    lead = under + "/" if under else ""
    files = {i: tree.file(lead + path) for i, path in zip(identities, paths, strict=True)}

    emotions = _labels(tree, card, finder, reading)
    given = _splits(tree, finder, reading)
    gaze = _gaze(tree, card, files, reading)
    if not emotions and labels.class_folders(tree.children(under)):
        reading.note("folders are named by emotions, but labels are only taken from labels.csv")
    if emotions:
        without = [identity for identity in identities if identity not in emotions]
        reading.note_some(without, "images have no label")
    if given:
        without = [identity for identity in identities if identity not in given]
        reading.note_some(without, "images are in no split")
    samples = tuple(
        Sample(i, file, emotions.get(i), given.get(i), gaze.get(i)) for i, file in files.items()
    )
    if not given:
        samples = splits.assign(samples)
        reading.note(splits.NOTE)
    return Dataset(
        name=card.name or tree.name,
        samples=samples,
        classes=card.classes if emotions else (),
        synthetic=card.synthetic,
        sigma=card.sigma,
        source=card.source,
        licence=card.licence,
    )


# ---------------------------------------------------------------------------------- dataset.toml


@dataclass(frozen=True)
class Card:
    """What dataset.toml says."""

    name: str = ""
    source: str = ""
    licence: str = ""
    synthetic: bool = False
    sigma: float | None = None
    classes: tuple[str, ...] = EMOTIONS
    unknown: tuple[str, ...] = ()


_TYPES: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "source": (str,),
    "licence": (str,),
    "license": (str,),
    "synthetic": (bool,),
    "sigma": (int, float),
    "pixels_per_degree": (int, float),
    "classes": (list,),
}


def read_card(tree: Tree) -> Card:
    """Read dataset.toml; a sigma given as pixels per degree is that of one degree.

    Raises:
        EmomapError: not TOML, or a value of a wrong type or range.
    """
    file = tree.get(CARD)
    if file is None:
        return Card()
    try:
        content: dict[str, Any] = tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise EmomapError(f"{file}: not valid TOML: {error}") from error
    for key, value in content.items():
        types = _TYPES.get(key)
        if types and (not isinstance(value, types) or (bool not in types and value is True)):
            raise EmomapError(f"{file}: {key} = {value!r} must be a {types[0].__name__}")
    for key in ("sigma", "pixels_per_degree"):
        if key in content and not 0 < content[key] < 1e6:
            raise EmomapError(f"{file}: {key} = {content[key]} must be a positive number of pixels")
    classes = content.get("classes", list(EMOTIONS))
    if not classes or not all(isinstance(name, str) and name.strip() for name in classes):
        raise EmomapError(f"{file}: classes = {classes!r} must be a list of names")
    sigma = content.get("sigma", content.get("pixels_per_degree"))
    return Card(
        name=content.get("name", ""),
        source=content.get("source", ""),
        licence=content.get("licence", content.get("license", "")),
        synthetic=content.get("synthetic", False),
        sigma=None if sigma is None else float(sigma),
        classes=tuple(sorted({name.strip() for name in classes})),
        unknown=tuple(key for key in content if key not in _TYPES),
    )


# ------------------------------------------------------------------------------ labels and splits


def _labels(tree: Tree, card: Card, finder: Finder, reading: Reading) -> dict[str, str]:
    file = tree.get("labels.csv")
    if file is None:
        return {}
    allowed = {name.lower(): name for name in card.classes}

    def label(text: str, row: Row) -> str | None:
        emotion = allowed.get(text.lower())
        if emotion is None:
            reading.fault(
                f"{row.where}: '{text}' is not one of the emotions {', '.join(card.classes)}; "
                f"correct it, or declare classes = [...] in {CARD}"
            )
        return emotion

    return _assignments(file, "emotion", label, finder, reading)


def _splits(tree: Tree, finder: Finder, reading: Reading) -> dict[str, Split]:
    file = tree.get("split.csv")
    if file is None:
        return {}
    allowed: dict[str, Split] = {name: name for name in SPLITS}

    def split(text: str, row: Row) -> Split | None:
        found = allowed.get(text.lower())
        if found is None:
            reading.fault(f"{row.where}: '{text}' is not one of the splits {', '.join(SPLITS)}")
        return found

    return _assignments(file, "split", split, finder, reading)


def _assignments(
    file: File,
    column: str,
    parse: Callable[[str, Row], T | None],
    finder: Finder,
    reading: Reading,
) -> dict[str, T]:
    """What a table with the columns image and ``column`` says of each id."""
    found: dict[str, T] = {}
    first: dict[str, int] = {}
    lost: list[str] = []
    for row in read_table(file, ("image", column)):
        value = parse(row[column], row)
        identity = finder(row["image"])
        if identity is None:
            lost.append(row["image"])
        elif value is not None and found.setdefault(identity, value) != value:
            reading.fault(
                f"{row.where}: '{row['image']}' has the {column} '{value}', but on line "
                f"{first[identity]} it has '{found[identity]}'; keep one"
            )
        if identity is not None:
            first.setdefault(identity, row.line)
    reading.missing(lost, f"lines of {file.name} name no picture that is here")
    return found


# ------------------------------------------------------------------------------------------ gaze


def _gaze(
    tree: Tree, card: Card, files: Mapping[str, File], reading: Reading
) -> dict[str, Callable[[], Gaze]]:
    tables = _paired(files_by_id(tree, {".csv"}, "fixations"), files, "fixations/", reading)
    maps = _paired(files_by_id(tree, io.MAP_SUFFIXES, "maps"), files, "maps/", reading)
    # a check wants to compare maps and fixations
    use_maps = card.sigma is None or not reading.strict
    found = gaze_sources(tables, maps, files, use_maps=use_maps)
    if found:
        reading.note_some([i for i in files if i not in found], "images have no gaze")
    return found


def _paired(
    gaze: Mapping[str, File], images: Mapping[str, File], where: str, reading: Reading
) -> dict[str, File]:
    pairs = io.pair(gaze, images)
    used = set(pairs.values())
    reading.missing([i for i in gaze if i not in used], f"files in {where} belong to no picture")
    return {identity: gaze[name] for identity, name in pairs.items()}


def gaze_sources(
    tables: Mapping[str, File],
    maps: Mapping[str, File],
    images: Mapping[str, File],
    *,
    use_maps: bool,
) -> dict[str, Callable[..., Gaze]]:
    """Id -> function that reads the gaze, for what has a table or a map.

    Args:
        tables, maps, images: files by id.
        use_maps: give the map as density beside the fixations. Where there is no picture that is
            done in any case, since the map then says how large it is.
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
