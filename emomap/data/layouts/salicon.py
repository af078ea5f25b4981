"""SALICON (Jiang, Huang, Duan, Zhao, CVPR 2015): 15,000 COCO images, gaze stood in for by a mouse.

Either ``annotations/fixations_*.json`` or ``fixations/{train,val}/*.mat``, whose coordinates are
in opposite order; ``maps/{train,val}/*.png`` where they were downloaded.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from emomap import io
from emomap.data.gaze import from_density, read_density_of
from emomap.data.geometry import Geometry
from emomap.data.layouts import cocojson
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree, base, suffix
from emomap.errors import EmomapError
from emomap.io import matlab
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample, Split

SOURCE = "Jiang et al., SALICON: Saliency in Context, CVPR 2015"
#: Pixels, and the width of the pictures (all 640 x 480) that they belong to.
SIGMA, WIDTH = 19.0, 640
JSON = Geometry(order="yx", base=1)
MAT = Geometry(order="xy", base=1)
_PREFIXES: dict[str, Split] = {"COCO_train": "train", "COCO_val": "val", "COCO_test": "test"}


def recognise(tree: Tree) -> str | None:
    """Why this is SALICON, or None."""
    if not _pictures(tree):
        return None
    if _lists(tree):
        return f"COCO images and {_lists(tree)[0]}"
    if tree.with_suffix(".mat", "fixations"):
        return "COCO images and fixations/*.mat"
    if tree.with_suffix(".png", "maps") and not tree.with_suffix(".csv"):
        return "COCO images and maps/*.png"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; the split is that of the file name (COCO_train..., COCO_val...).

    Test images have no public gaze and are left out.

    Raises:
        EmomapError: an annotation file is not as expected.
    """
    sources: dict[str, Callable[..., Gaze]] = {}
    for path in tree.with_suffix(".mat", "fixations"):
        sources[base(path)] = functools.partial(read_mat, tree.file(path))
    for path in _lists(tree):
        file = tree.file(path)
        for name, number in cocojson.images(file).items():
            sources.setdefault(base(name), functools.partial(read_json, file, number))
    maps = {base(p): tree.file(p) for p in tree.files("maps") if suffix(p) in io.MAP_SUFFIXES}
    files = _pictures(tree)
    paths = [path.removeprefix("images/") for path in files]
    samples, withheld = [], []
    for path, identity in zip(files, ids(paths, reading), strict=True):
        stem = base(path)
        split = next((s for start, s in _PREFIXES.items() if stem.startswith(start)), None)
        read, density = sources.pop(stem, None), maps.pop(stem, None)
        if split == "test" and read is None and density is None:
            withheld.append(identity)
            continue
        image = tree.file(path)
        source = None
        if read is not None:
            source = functools.partial(read, image, density)
        elif density is not None:
            source = functools.partial(from_density, density, image_file=image)
        samples.append(Sample(identity, image, split=split, gaze_source=source))
    reading.note_some(withheld, "test images, whose gaze is not public, were left out")
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.note_some(list(sources), "recordings belong to no picture here")
    reading.note_some(list(maps), "maps belong to no picture here")
    reading.note("gaze: mouse movements of crowd workers, not eye tracking")
    width = io.image_size(samples[0].image_file)[1] if samples else WIDTH
    return Dataset("salicon", tuple(samples), sigma=SIGMA * width / WIDTH, source=SOURCE)


def _pictures(tree: Tree) -> list[str]:
    """COCO's pictures, in images/ or beside the annotations."""
    return [
        path
        for path in tree.images()
        if base(path).startswith(tuple(_PREFIXES)) and not path.startswith(("maps/", "fixations/"))
    ]


def _lists(tree: Tree) -> list[str]:
    """The annotation files, in annotations/ or at the top."""
    return [
        path
        for path in tree.with_suffix(".json")
        if base(path).startswith("fixations_") and path.rpartition("/")[0] in {"", "annotations"}
    ]


def read_json(file: File, identity: int, image: File, density: File | None) -> Gaze:
    """The mouse samples of one image from the annotations."""
    shape = io.image_size(image)
    points, observers = [np.zeros((0, 2))], []
    for number, annotation in enumerate(cocojson.read_annotations(file, identity)):
        try:
            raw = np.array(annotation["fixations"], dtype=np.float64).reshape(-1, 2)
        except (KeyError, TypeError, ValueError) as error:
            raise EmomapError(f"{file}: fixations of {image.name} are not [row, column]") from error
        points.append(JSON.points(raw, shape))
        worker = annotation.get("worker_id", number)
        observers.append(np.full(len(raw), worker, dtype=np.int64))
    who = np.concatenate(observers) if observers else np.zeros(0, dtype=np.int64)
    return Gaze(shape, np.concatenate(points), who, density=read_density_of(density))


def read_mat(file: File, image: File, density: File | None) -> Gaze:
    """The fixations of one image from its mat file."""
    shape = io.image_size(image)
    gaze: Any = matlab.read(file).get("gaze")
    people = gaze if isinstance(gaze, list) else [gaze]
    points, observers = [np.zeros((0, 2))], [np.zeros(0, dtype=np.int64)]
    for number, person in enumerate(people):
        raw = person.get("fixations") if isinstance(person, dict) else None
        if not isinstance(raw, np.ndarray) or (raw.size and raw.shape[1] != 2):
            raise EmomapError(f"{file}: not the variable 'gaze' with fields fixations [x, y]")
        converted = MAT.points(raw, shape)
        points.append(converted)
        observers.append(np.full(len(converted), number, dtype=np.int64))
    return Gaze(
        shape,
        np.concatenate(points),
        np.concatenate(observers),
        density=read_density_of(density),
    )
