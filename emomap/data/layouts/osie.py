"""OSIE (Xu, Jiang, Wang, Kankanhalli, Zhao, JoV 2014): 700 images, 15 people, 3 s of free viewing.

``eye/fixations.mat`` holds the fixations of all images. The mouse recordings beside it
(``mouse_lab/``, ``mouse_amt/``: one file an image) are taken by ``data.gaze=mouse_lab``.
"""

from __future__ import annotations

import functools
from typing import Any

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

SOURCE = "Xu et al., Predicting human gaze beyond pixels, JoV 2014"
#: Pixels: the authors' params.eye.radius, one degree.
SIGMA = 24.0
EYE = Geometry(order="xy", base=1)
#: Rows first in both mouse sets: so read, their density follows that of the eyes (CC .63 to .84).
MOUSE = Geometry(order="yx", base=1)
#: As the authors have it, or moved up.
EYE_FILES = ("eye/fixations.mat", "fixations.mat")
RECORDINGS = ("eye", "mouse_amt", "mouse_lab")


def recognise(tree: Tree) -> str | None:
    """Why this is OSIE, or None."""
    inside = tree.children()
    for place in EYE_FILES if "stimuli" in inside else ():
        if tree.has(place):
            return f"stimuli/ and {place}"
    if "stimuli" in inside and {"mouse_amt", "mouse_lab"} & set(inside):
        return "stimuli/ and mouse recordings"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set.

    Raises:
        EmomapError: fixations.mat cannot be read or is not as expected.
    """
    eye = next((place for place in EYE_FILES if tree.has(place)), None)
    there = [name for name in RECORDINGS if (eye if name == "eye" else name in tree.children())]
    if not there:
        raise EmomapError(f"{tree}: none of the folders {', '.join(RECORDINGS)} is here")
    recording = reading.option("gaze", there[0], there)
    paths = [path[len("stimuli/") :] for path in tree.images("stimuli")]
    identities = ids(paths, reading)
    sources: dict[str, Any] = {}
    if recording == "eye" and eye:
        file = tree.file(eye)
        for number, name in enumerate(_names(file)):
            sources[base(name)] = functools.partial(read_eye, file, number)
    else:
        for path in tree.with_suffix(".mat", recording):
            sources[base(path)] = functools.partial(read_mouse, tree.file(path))
    samples = []
    for path, identity in zip(paths, identities, strict=True):
        image, source = tree.file("stimuli/" + path), sources.pop(base(path), None)
        read = functools.partial(source, image) if source else None
        samples.append(Sample(identity, image, gaze_source=read))
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.note_some(list(sources), f"images of {recording}/ are not here")
    reading.note(splits.NOTE)
    return Dataset(
        name="osie" if recording == "eye" else f"osie-{recording}",
        samples=splits.assign(samples),
        sigma=SIGMA,
        source=SOURCE,
        licence="MIT (as in the authors' repository)",
    )


def _entries(file: File) -> list[dict[str, Any]]:
    entries = matlab.read_cached(file).get("fixations")
    if isinstance(entries, dict):
        entries = [entries]
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and {"img", "subjects"} <= set(entry) for entry in entries
    ):
        raise EmomapError(f"{file}: not the variable 'fixations' with fields img and subjects")
    return entries


def _names(file: File) -> list[str]:
    return [str(entry["img"]) for entry in _entries(file)]


def read_eye(file: File, number: int, image: File) -> Gaze:
    """The fixations of one image."""
    shape = io.image_size(image)
    subjects = _entries(file)[number]["subjects"]
    points, observers, durations = [], [], []
    for observer, subject in enumerate(subjects if isinstance(subjects, list) else [subjects]):
        try:
            columns = [np.ravel(subject[name]) for name in ("fix_x", "fix_y", "fix_duration")]
            raw = np.column_stack(columns).astype(np.float64)
        except (KeyError, TypeError, ValueError) as error:
            raise EmomapError(
                f"{file}: fixations of {image.name} are not x, y, duration"
            ) from error
        points.append(EYE.points(raw, shape))
        durations.append(raw[:, 2])
        observers.append(np.full(len(raw), observer, dtype=np.int64))
    return Gaze(
        shape,
        np.concatenate(points) if points else np.zeros((0, 2)),
        np.concatenate(observers) if observers else None,
        np.concatenate(durations) if durations else None,
    )


def read_mouse(file: File, image: File) -> Gaze:
    """The mouse samples of one image."""
    shape = io.image_size(image)
    content = matlab.read(file).get("fixations")
    if not isinstance(content, dict) or not {"subj", "coord"} <= set(content):
        raise EmomapError(f"{file}: not the variable 'fixations' with fields subj and coord")
    points = MOUSE.points(content["coord"], shape)
    return Gaze(shape, points, np.ravel(content["subj"]).astype(np.int64))
