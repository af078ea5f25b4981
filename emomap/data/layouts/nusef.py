"""NUSEF (Ramanathan, Katti, Sebe, Kankanhalli, Chua, ECCV 2010): 758 images, many affective.

``fix_data/<image>/*.fix`` are text files of the tracker, one a person. Its unit is a 260 by 280
grid over a screen of 1,024 by 768 on which the picture was shown as large as it fits.
"""

from __future__ import annotations

import functools

import numpy as np

from emomap import io
from emomap.data import splits
from emomap.data.geometry import Geometry
from emomap.data.reading import Reading, ids
from emomap.data.table import read_text
from emomap.data.tree import Tree, base
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample

SOURCE = "Ramanathan et al., An Eye Fixation Database for Saliency Detection in Images, ECCV 2010"
GEOMETRY = Geometry(order="xy", base=0, unit="screen", screen=(1024, 768), units=(260.0, 280.0))
#: Columns of a line: four numbers, time, duration in seconds, two numbers, x, y, ...
_DURATION, _X, _Y = 5, 8, 9


def recognise(tree: Tree) -> str | None:
    """Why this is NUSEF, or None."""
    if {"stimuli", "fix_data"} <= set(tree.children()):
        return "stimuli/ and fix_data/"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set."""
    recordings: dict[str, list[File]] = {}
    for path in tree.with_suffix(".fix", "fix_data"):
        recordings.setdefault(path.split("/")[-2], []).append(tree.file(path))
    paths = [path[len("stimuli/") :] for path in tree.images("stimuli")]
    samples = []
    for path, identity in zip(paths, ids(paths, reading), strict=True):
        image, files = tree.file("stimuli/" + path), tuple(recordings.pop(base(path), ()))
        source = functools.partial(read_recordings, files, image) if files else None
        samples.append(Sample(identity, image, gaze_source=source))
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.note_some(list(recordings), "images of fix_data/ are not here")
    reading.note(splits.NOTE)
    return Dataset("nusef", splits.assign(samples), source=SOURCE)


def read_recordings(files: tuple[File, ...], image: File) -> Gaze:
    """The fixations of one image, person by person."""
    shape = io.image_size(image)
    raw, observers = [], []
    for observer, file in enumerate(files):
        rows = _rows(file)
        raw += rows
        observers += [observer] * len(rows)
    table = np.array(raw, dtype=np.float64).reshape(-1, 3)
    points = GEOMETRY.points(table, shape)
    return Gaze(shape, points, np.array(observers, dtype=np.int64), table[:, 2] * 1000)


def _rows(file: File) -> list[tuple[float, float, float]]:
    """x, y and duration of each fixation: the lines between ``COLS=`` and the next ``[``."""
    found, begun = [], False
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if line.startswith("COLS="):
            begun = True
            continue
        if not begun or not line.strip():
            continue
        if line.startswith("["):
            break
        cells = line.split()
        try:
            found.append((float(cells[_X]), float(cells[_Y]), float(cells[_DURATION])))
        except (IndexError, ValueError) as error:
            raise EmomapError(f"{file}, line {number}: no fixation as NUSEF writes it") from error
    if not begun:
        raise EmomapError(f"{file}: has no line COLS=..., so it is not a fixation file of NUSEF")
    return found
