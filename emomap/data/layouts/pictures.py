"""A folder of pictures in no known layout: no labels and no gaze, so predict only."""

from __future__ import annotations

from emomap.data import splits
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree
from emomap.sample import Dataset, Sample


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
    reading.note("no labels and no gaze: none of the known layouts was recognised")
    reading.note(splits.NOTE)
    return Dataset(name=tree.name, samples=splits.assign(samples))
