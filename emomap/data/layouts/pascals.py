"""PASCAL-S (Li, Hou, Koch, Rehg, Yuille, CVPR 2014): 850 images, 8 people, 2 s each.

``fixations/pascalFix.mat`` (v7.3) holds a cell an image: rows of y, x, person.
"""

from __future__ import annotations

import functools

import numpy as np

from emomap import io
from emomap.data import splits
from emomap.data.geometry import Geometry
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree, base
from emomap.errors import EmomapError
from emomap.io import matlab
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample

SOURCE = "Li et al., The Secrets of Salient Object Segmentation, CVPR 2014"
GEOMETRY = Geometry(order="yx", base=1)
IMAGES = "imgs/pascal"
TABLE = "fixations/pascalFix.mat"


def recognise(tree: Tree) -> str | None:
    """Why this is PASCAL-S, or None."""
    return TABLE if tree.has(TABLE) and tree.images(IMAGES) else None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; cell n belongs to the image n.jpg.

    Raises:
        EmomapError: the mat file cannot be read or is not as expected.
    """
    file = tree.file(TABLE)
    count = len(_cells(file))
    paths = [path[len(IMAGES) + 1 :] for path in tree.images(IMAGES)]
    samples, used = [], 0
    for path, identity in zip(paths, ids(paths, reading), strict=True):
        image, number = tree.file(f"{IMAGES}/{path}"), base(path)
        source = None
        if number.isdecimal() and 1 <= int(number) <= count:
            source = functools.partial(read_cell, file, int(number) - 1, image)
            used += 1
        samples.append(Sample(identity, image, gaze_source=source))
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    if count > used:
        reading.note(f"{count - used} cells of {TABLE} belong to no picture here")
    reading.note(splits.NOTE)
    return Dataset("pascals", splits.assign(samples), source=SOURCE)


def _cells(file: File) -> list[np.ndarray]:
    cells = matlab.read_cached(file).get("fixCell")
    if not isinstance(cells, list) or not all(isinstance(cell, np.ndarray) for cell in cells):
        raise EmomapError(f"{file}: not the cell 'fixCell' of matrices y, x, person")
    return cells


def read_cell(file: File, number: int, image: File) -> Gaze:
    """The fixations of one image."""
    shape, raw = io.image_size(image), _cells(file)[number]
    if raw.size == 0:
        return Gaze(shape, np.zeros((0, 2)))
    if raw.ndim != 2 or raw.shape[1] < 3:
        raise EmomapError(f"{file}: cell {number + 1} has the shape {raw.shape}, not (N, 3)")
    return Gaze(shape, GEOMETRY.points(raw, shape), raw[:, 2].astype(np.int64))
