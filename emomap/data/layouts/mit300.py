"""MIT300 (Judd, Durand, Torralba 2012): 300 images whose gaze is kept by the benchmark.

Predict only; the maps are scored by the benchmark's keepers.
"""

from __future__ import annotations

from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree
from emomap.sample import Dataset, Sample

SOURCE = "Judd et al., A Benchmark of Computational Models of Saliency, 2012"
FOLDER = "BenchmarkIMAGES"


def recognise(tree: Tree) -> str | None:
    """Why this is MIT300, or None."""
    if FOLDER in tree.children() and tree.images(FOLDER):
        return f"{FOLDER}/"
    return f"a folder called {FOLDER}" if tree.name == FOLDER and tree.folders.get("") else None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the images; each is of the split "test"."""
    inner = tree.sub(FOLDER) if FOLDER in tree.children() else tree
    paths = inner.images()
    samples = [
        Sample(identity, inner.file(path), split="test")
        for path, identity in zip(paths, ids(paths, reading), strict=True)
    ]
    reading.note("no gaze: the benchmark keeps it, so maps can be predicted but not scored here")
    return Dataset("mit300", tuple(samples), source=SOURCE)
