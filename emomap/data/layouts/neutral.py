"""The neutral layout: images/, fixations/*.csv, maps/*, labels.csv, split.csv, dataset.toml.

Also what people said of the pictures: distributions.csv, affect.csv, attributes.csv, objects/.

Fixations win where both they and a map exist: the map is then a check. It serves as density only
where dataset.toml states no sigma by which the density could be made of the fixations.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from emomap import io
from emomap.data import labels, splits
from emomap.data.annotations import (
    Opinions,
    by_picture,
    read_affect,
    read_attributes,
    read_opinions,
)
from emomap.data.card import CARD, Card, read_card
from emomap.data.gaze_folder import fault_of_sources, files_by_id, gaze_sources
from emomap.data.gaze_tables import readers
from emomap.data.outlines import outline_sources
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import TableRow
from emomap.data.tree import Tree
from emomap.data.units import Units
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.sample import EMOTIONS, SPLITS, Dataset, Gaze, Sample, Split

Found = TypeVar("Found")
GAZE_FOLDERS = ("fixations", "maps")
#: Tables that show the layout beside images/, or beside pictures.
TABLES = ("labels.csv", "split.csv", "distributions.csv", "affect.csv", "attributes.csv")


def recognise(tree: Tree) -> str | None:
    """Why this is the neutral layout, or None."""
    if tree.has(CARD):
        return f"it has a {CARD}"
    found = [name for name in TABLES if tree.has(name)]
    if "images" not in tree.children():
        return f"it has pictures and {', '.join(found)}" if found and tree.images() else None
    if "fixations" in tree.children() and tree.with_suffix(".csv", "fixations"):
        found.append("fixations/*.csv")
    if "maps" in tree.children():
        found.append("maps/")
    if "objects" in tree.children() and tree.with_suffix(".json", "objects"):
        found.append("objects/*.json")
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

    opinions = _opinions(tree, card, finder, reading)
    classes = card.classes or (opinions.classes if opinions else EMOTIONS)
    emotions = _labels(tree, classes, finder, reading)
    if opinions and not tree.has("labels.csv"):
        emotions = labels.by_majority(opinions.shares, reading)
    affect = _affect(tree, card, finder, reading)
    attributes = _attributes(tree, finder, reading)
    objects = outline_sources(tree, finder, reading)
    given = _splits(tree, finder, reading)
    said = reading.option("points", "")
    units = Units.parse(str(said)) if said else card.units
    gaze = _gaze(tree, card, files, units, reading)
    doubt = "" if units else fault_of_sources(gaze)
    if doubt and not reading.strict:
        reading.fault(doubt)
    if not emotions and labels.class_folders(tree.children(under)):
        reading.note("folders are named by emotions, but labels are only taken from labels.csv")
    if emotions:
        without = [identity for identity in identities if identity not in emotions]
        reading.note_some(without, "images have no label")
    if given:
        without = [identity for identity in identities if identity not in given]
        reading.note_some(without, "images are in no split")
    samples = tuple(
        Sample(
            i,
            file,
            emotions.get(i),
            given.get(i),
            gaze.get(i),
            opinions.shares.get(i) if opinions else None,
            opinions.votes.get(i) if opinions else None,
            affect.get(i, {}).get("valence"),
            affect.get(i, {}).get("arousal"),
            attributes.get(i),
            objects.get(i),
        )
        for i, file in files.items()
    )
    if not given:
        samples = splits.assign(samples)
        reading.note(splits.NOTE)
    return Dataset(
        name=card.name or tree.name,
        samples=samples,
        classes=classes if emotions or opinions else (),
        synthetic=card.synthetic,
        sigma=card.sigma,
        source=card.source,
        licence=card.licence,
        doubt=doubt,
        affect_range=card.affect_range,
    )


# ------------------------------------------------------------------------------ labels and splits


def _labels(tree: Tree, classes: Sequence[str], finder: Finder, reading: Reading) -> dict[str, str]:
    file = tree.get("labels.csv")
    if file is None:
        return {}
    allowed = {name.lower(): name for name in classes}

    def label(row: TableRow) -> str | None:
        text = row["emotion"]
        emotion = allowed.get(text.lower())
        if emotion is None:
            reading.fault(
                f"{row.where}: '{text}' is not one of the emotions {', '.join(classes)}; "
                f"correct it, or declare classes = [...] in {CARD}"
            )
        return emotion

    return by_picture(file, ("emotion",), "emotion", label, finder, reading)


def _splits(tree: Tree, finder: Finder, reading: Reading) -> dict[str, Split]:
    file = tree.get("split.csv")
    if file is None:
        return {}
    allowed: dict[str, Split] = {name: name for name in SPLITS}

    def split(row: TableRow) -> Split | None:
        text = row["split"]
        found = allowed.get(text.lower())
        if found is None:
            reading.fault(f"{row.where}: '{text}' is not one of the splits {', '.join(SPLITS)}")
        return found

    return by_picture(file, ("split",), "split", split, finder, reading)


# ------------------------------------------------------------------------- what people said of them


def _opinions(tree: Tree, card: Card, finder: Finder, reading: Reading) -> Opinions | None:
    file = tree.get("distributions.csv")
    return None if file is None else read_opinions(file, card.classes, finder, reading)


def _affect(
    tree: Tree, card: Card, finder: Finder, reading: Reading
) -> dict[str, dict[str, float]]:
    file = tree.get("affect.csv")
    return {} if file is None else read_affect(file, card.affect_range, finder, reading)


def _attributes(tree: Tree, finder: Finder, reading: Reading) -> dict[str, dict[str, str]]:
    file = tree.get("attributes.csv")
    return {} if file is None else read_attributes(file, finder, reading)


# ------------------------------------------------------------------------------------------ gaze


def _gaze(
    tree: Tree,
    card: Card,
    files: Mapping[str, File],
    units: Units | None,
    reading: Reading,
) -> dict[str, Callable[[], Gaze]]:
    tables = files_by_id(tree, {".csv"}, "fixations")
    maps = _paired(files_by_id(tree, io.MAP_SUFFIXES, "maps"), files, "maps/", reading)
    # a check wants to compare maps and fixations
    use_maps = card.sigma is None or not reading.strict
    several = readers(tables, units, files)
    if several is None:
        tables = _paired(tables, files, "fixations/", reading)
        found = gaze_sources(tables, maps, files, use_maps=use_maps, units=units)
    else:
        sources, what = several
        reading.note(f"fixations: {what}")
        found = gaze_sources({}, maps, files, use_maps=use_maps)
        for identity, source in _paired(sources, files, "fixations/", reading).items():
            found[identity] = functools.partial(source, image_file=files[identity])
    if found:
        reading.note_some([i for i in files if i not in found], "images have no gaze")
    return found


def _paired(
    gaze: Mapping[str, Found], images: Mapping[str, File], where: str, reading: Reading
) -> dict[str, Found]:
    pairs = io.pair(gaze, images)
    used = set(pairs.values())
    reading.missing([i for i in gaze if i not in used], f"files in {where} belong to no picture")
    return {identity: gaze[name] for identity, name in pairs.items()}
