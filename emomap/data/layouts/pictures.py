"""A folder of pictures in no known layout: no labels and no gaze, so predict only."""

from __future__ import annotations

from emomap.data import splits
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree, suffix
from emomap.sample import Dataset, Sample

#: Suffixes of files that hold gaze or labels, for programs or for people.
TABLES = frozenset({".csv", ".tsv", ".txt", ".mat", ".json", ".xlsx", ".xls", ".asc", ".edf"})


def recognise(tree: Tree) -> str | None:
    """Never by itself: it is what remains when no layout is recognised."""
    del tree
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open every picture at any depth."""
    paths = tree.images()
    samples = tuple(
        Sample(identity, tree.file(path))
        for identity, path in zip(ids(paths, reading), paths, strict=True)
    )
    unread = [path for path in sorted(tree.files()) if "/" in path and suffix(path) in TABLES]
    reading.missing(unread, "files of data are not read: no layout that emomap knows has them")
    reading.note("no labels and no gaze: none of the known layouts was recognised")
    reading.note(splits.NOTE)
    return Dataset(name=tree.name, samples=splits.assign(samples))
