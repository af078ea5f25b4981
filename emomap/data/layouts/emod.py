"""EMOd (Fan, Shen, Jiang et al., CVPR 2018): 1,019 images seen by 16 people, with emotion ratings.

``allfindata1019_renamed.mat`` rates nine emotions, but nothing public says which column is which,
so that no labels are made unless ``data.emotions=[nine names]`` says the order. Valence and arousal
are its columns 3 and 4. Outlines of objects are read from ``objects/*.json`` in COCO's format.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.data import labels, splits
from emomap.data.gaze import from_density, from_marks
from emomap.data.marks import check_threshold, read_marks
from emomap.data.outlines import outline_sources
from emomap.data.reading import Finder, Reading, ids
from emomap.data.tree import Tree, base
from emomap.errors import EmomapError, UsageError
from emomap.io import matlab
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample

SOURCE = (
    "Fan et al., Emotional Attention: A Study of Image Sentiment and Visual Attention, CVPR 2018"
)
#: Columns of the matrix: id, two unknown ones, valence, arousal, dominance, nine emotions.
EMOTION_COLUMNS = slice(6, 15)
VALENCE, AROUSAL = 3, 4
_VARIABLE = "allfindata1019"


def recognise(tree: Tree) -> str | None:
    """Why this is EMOd, or None."""
    for name in tree.children():
        if name.lower().startswith("emodimages"):
            return f"{name}/"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; the density is the authors' map.

    Raises:
        EmomapError: the mat file is not as expected.
    """
    folder = next(name for name in tree.children() if name.lower().startswith("emodimages"))
    smooth = _maps(tree, "conti", "gt_fixation_con")
    binary = _maps(tree, "binary", "gt_fixation_bin")
    paths = [path[len(folder) + 1 :] for path in tree.images(folder)]
    identities = ids(paths, reading)
    ratings = _ratings(tree)
    emotions = _labels(ratings, reading)
    objects = outline_sources(tree, Finder(paths, identities), reading)
    threshold = check_threshold(reading.option("marks_threshold", None))
    samples = []
    for path, identity in zip(paths, identities, strict=True):
        image, stem = tree.file(f"{folder}/{path}"), base(path)
        source = _source(tree, image, smooth.pop(stem, None), binary.pop(stem, None), threshold)
        rated = ratings.get(stem)
        samples.append(
            Sample(
                identity,
                image,
                emotions.get(stem),
                gaze_source=source,
                valence=None if rated is None else float(rated[VALENCE]),
                arousal=None if rated is None else float(rated[AROUSAL]),
                objects_source=objects.get(identity),
            )
        )
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.missing([*smooth.values(), *binary.values()], "maps belong to no picture")
    reading.note(splits.NOTE)
    classes = tuple(sorted(set(reading.option("emotions", ()))))
    return Dataset("emod", splits.assign(samples), classes, source=SOURCE)


def _maps(tree: Tree, *beginnings: str) -> dict[str, str]:
    """Maps by stem, of the folder whose name begins so (the authors write "Continous_map")."""
    for folder in tree.folders:
        if folder.rsplit("/", 1)[-1].lower().startswith(beginnings):
            return {base(path): path for path in tree.images(folder)}
    return {}


def _source(
    tree: Tree, image: File, smooth: str | None, binary: str | None, threshold: float | None
) -> Callable[[], Gaze] | None:
    if smooth and not binary:
        return functools.partial(from_density, tree.file(smooth), image_file=image)
    if binary:
        density = tree.file(smooth) if smooth else None
        return functools.partial(_gaze, tree.file(binary), density, threshold)
    return None


def _gaze(binary: File, smooth: File | None, threshold: float | None) -> Gaze:
    marks = read_marks(io.read_map(binary), lossy=True, discs=False, threshold=threshold)
    return from_marks(marks, smooth)


def _ratings(tree: Tree) -> dict[str, NDArray[np.float64]]:
    """The row of the matrix of each picture, by stem."""
    path = tree.find_file(f"{_VARIABLE}_renamed.mat") or tree.find_file(f"{_VARIABLE}.mat")
    if path is None:
        return {}
    file = tree.file(path)
    table = matlab.read(file).get(_VARIABLE)
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.shape[1] < 15:
        raise EmomapError(f"{file}: the variable {_VARIABLE} is not a matrix of 15 columns")
    rows = table.astype(np.float64)
    broken = ~np.isfinite(rows[:, [0, VALENCE, AROUSAL]]).all(axis=1)
    if broken.any():
        row = int(np.flatnonzero(broken)[0])
        raise EmomapError(f"{file}: row {row + 1}: id, valence or arousal is not a number")
    return {f"{row[0]:.0f}": row for row in rows}


def _labels(ratings: Mapping[str, NDArray[np.float64]], reading: Reading) -> dict[str, str]:
    names: Any = reading.option("emotions", None)
    if not ratings or names is None:
        if ratings:
            reading.note(
                "no labels: nothing public names the nine emotion columns of its mat file; "
                "data.emotions=[nine names] says their order"
            )
        return {}
    width = EMOTION_COLUMNS.stop - EMOTION_COLUMNS.start
    if not isinstance(names, list | tuple) or len(names) != width:
        raise UsageError(f"data.emotions must be a list of {width} names, not {names!r}")
    found = {
        identity: labels.most(
            dict(zip(map(str, names), row[EMOTION_COLUMNS].tolist(), strict=True))
        )
        for identity, row in ratings.items()
    }
    return labels.drop_unlabelled(found, reading, "images have two emotions rated alike, no label")
