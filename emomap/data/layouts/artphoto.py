"""ArtPhoto (Machajdik & Hanbury, ACM MM 2010): 806 photographs, named ``<emotion>_*``."""

from __future__ import annotations

from emomap.data import labels, splits
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree
from emomap.sample import EMOTIONS, Dataset, Sample

SOURCE = "Machajdik & Hanbury, Affective Image Classification, ACM MM 2010"
FOLDER = "testImages_artphoto"


def recognise(tree: Tree) -> str | None:
    """Why this is ArtPhoto, or None."""
    if "artphoto" not in tree.name.lower() or not any(
        labels.prefix(name) for name in tree.folders.get("", ())
    ):
        return f"{FOLDER}/<emotion>_*" if FOLDER in tree.children() else None
    return f"<emotion>_* in a folder called {tree.name}"


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; the prefixes ``sad`` and ``content`` stand for sadness and contentment."""
    inner = tree.sub(FOLDER) if FOLDER in tree.children() else tree
    found = {path: labels.prefix(path) for path in inner.images()}
    kept = labels.drop_unlabelled(found, reading, "pictures without an emotion in their name")
    paths = list(kept)
    samples = [
        Sample(identity, inner.file(path), kept[path])
        for path, identity in zip(paths, ids(paths, reading), strict=True)
    ]
    reading.note(splits.NOTE)
    return Dataset("artphoto", splits.assign(samples), EMOTIONS, source=SOURCE)
