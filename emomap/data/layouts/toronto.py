"""Toronto (Bruce & Tsotsos, NIPS 2005): 120 images, 20 people, 4 s each.

``origfixdata.mat`` holds a cell ``white`` of binary matrices, pooled over people. The folder of
density maps and its file names (``d<N>.jpg``) are as loaders expect them.
"""

from __future__ import annotations

import functools

import numpy as np

from emomap.data import splits
from emomap.data.gaze import from_marks
from emomap.data.marks import read_marks
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree, base
from emomap.errors import EmomapError
from emomap.io import matlab
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample

SOURCE = "Bruce & Tsotsos, Saliency Based on Information Maximization, NIPS 2005"
IMAGES = "Original Image Set"
TABLE = "origfixdata.mat"


def recognise(tree: Tree) -> str | None:
    """Why this is the Toronto set, or None."""
    if tree.has(TABLE) and IMAGES in tree.children():
        return f"{IMAGES}/ and {TABLE}"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; matrix n belongs to the image n.jpg.

    Raises:
        EmomapError: the mat file cannot be read or is not as expected.
    """
    file = tree.file(TABLE)
    count = len(_cells(file))
    maps = {}
    for folder in tree.children():
        if folder.lower().startswith("density maps"):
            maps = {base(path).removeprefix("d"): path for path in tree.images(folder)}
    paths = [path[len(IMAGES) + 1 :] for path in tree.images(IMAGES)]
    samples, used = [], 0
    for path, identity in zip(paths, ids(paths, reading), strict=True):
        number, source = base(path), None
        if number.isdecimal() and 1 <= int(number) <= count:
            density = maps.pop(number, None)
            smooth = tree.file(density) if density else None
            source = functools.partial(read_cell, file, int(number) - 1, smooth)
            used += 1
        samples.append(Sample(identity, tree.file(f"{IMAGES}/{path}"), gaze_source=source))
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.note_some(list(maps.values()), "maps belong to no picture here")
    if count > used:
        reading.note(f"{count - used} cells of {TABLE} belong to no picture here")
    reading.note(splits.NOTE)
    return Dataset("toronto", splits.assign(samples), source=SOURCE)


def _cells(file: File) -> list[np.ndarray]:
    cells = matlab.read_cached(file).get("white")
    if not isinstance(cells, list) or not all(isinstance(cell, np.ndarray) for cell in cells):
        raise EmomapError(f"{file}: not the cell 'white' of binary matrices")
    return cells


def read_cell(file: File, number: int, density: File | None) -> Gaze:
    """The fixations of one image, all people together, and the authors' density."""
    return from_marks(read_marks(_cells(file)[number]), density)
