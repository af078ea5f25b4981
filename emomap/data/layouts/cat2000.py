"""CAT2000 (Borji & Itti, 2015): 20 categories, 24 people, 5 s each.

``trainSet/{Stimuli,FIXATIONLOCS,FIXATIONMAPS}/<Category>/NNN``; fixations are a binary matrix. The
gaze of ``testSet/`` is kept by the benchmark, so that its images are left out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from emomap import io
from emomap.data.gaze import from_density, from_marks
from emomap.data.marks import read_marks
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree, stem
from emomap.errors import EmomapError
from emomap.io import matlab
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample

SOURCE = "Borji & Itti, CAT2000: A Large Scale Fixation Dataset, 2015"
#: Cut-off of the blur in cycles an image: about 48 px for 1,920 x 1,080.
CUT_OFF = 8.0


def recognise(tree: Tree) -> str | None:
    """Why this is CAT2000, or None."""
    place = "trainSet/" if "trainSet" in tree.children() else ""
    inside = set(tree.children(place.rstrip("/")))
    if "Stimuli" in inside and {"FIXATIONLOCS", "FIXATIONMAPS"} & inside:
        return (
            f"{place}Stimuli/ and {', '.join(sorted(inside & {'FIXATIONLOCS', 'FIXATIONMAPS'}))}/"
        )
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the training images, the only ones with public gaze; their split is "train"."""
    inner = tree.sub("trainSet") if "trainSet" in tree.children() else tree
    paths = [path[len("Stimuli/") :] for path in inner.images("Stimuli")]
    paths = [path for path in paths if "/Output/" not in f"/{path}"]
    marks = {stem(p)[len("FIXATIONLOCS/") :]: p for p in inner.with_suffix(".mat", "FIXATIONLOCS")}
    maps = {stem(p)[len("FIXATIONMAPS/") :]: p for p in inner.images("FIXATIONMAPS")}
    samples = []
    for path, identity in zip(paths, ids(paths, reading), strict=True):
        image, key = inner.file("Stimuli/" + path), stem(path)
        located, density = marks.pop(key, None), maps.pop(key, None)
        smooth = inner.file(density) if density else None
        source: Callable[[], Gaze] | None = None
        if located:
            source = functools.partial(read_locations, inner.file(located), smooth)
        elif smooth:
            source = functools.partial(from_density, smooth, image_file=image)
        category = {"category": path.split("/")[0]} if "/" in path else None
        samples.append(
            Sample(identity, image, split="train", gaze_source=source, attributes=category)
        )
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.note_some([*marks.values(), *maps.values()], "gaze files belong to no picture here")
    withheld = tree.images("testSet/Stimuli") if "testSet" in tree.children() else []
    withheld = [path for path in withheld if "/Output/" not in path]
    reading.note_some(withheld, "images of testSet/, whose gaze is not public, were left out")
    return Dataset("cat2000", tuple(samples), sigma=_sigma(samples), source=SOURCE)


def _sigma(samples: list[Sample]) -> float | None:
    from emomap import metrics

    if not samples:
        return None
    return float(metrics.sigma_from_fc(CUT_OFF, io.image_size(samples[0].image_file)))


def read_locations(file: File, density: File | None) -> Gaze:
    """Fixations of all people from the matrix that marks them, and the authors' density."""
    marks = matlab.read(file).get("fixLocs")
    if not isinstance(marks, np.ndarray) or marks.ndim != 2:
        raise EmomapError(f"{file}: not the matrix 'fixLocs'")
    return from_marks(read_marks(marks), density)
