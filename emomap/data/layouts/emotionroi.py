"""EmotionROI (Peng, Sadovnik, Gallagher, Chen, ICIP 2016): 1,980 images, six emotions.

Its maps show where 15 annotators drew rectangles around what evokes the emotion: ground truth for
emotion maps, but no gaze. Split 1,386 to 594 by the authors.
"""

from __future__ import annotations

import functools

from emomap.data import labels, splits
from emomap.data.gaze import from_density
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import read_text
from emomap.data.tree import Tree, base
from emomap.sample import Dataset, Sample, Split

SOURCE = "Peng et al., Where Do Emotions Come From? Predicting the Emotion Stimuli Map, ICIP 2016"
_LISTS: dict[str, Split] = {"training.txt": "train", "testing.txt": "test"}


def recognise(tree: Tree) -> str | None:
    """Why this is EmotionROI, or None."""
    if {"images", "ground_truth"} <= set(tree.children()):
        for place in ("images", "ground_truth"):
            if not labels.class_folders(tree.children(place), labels.SIX):
                return None
        return "images/<emotion>/ and ground_truth/<emotion>/"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; the class of an image is its folder."""
    paths = [path[len("images/") :] for path in tree.images("images")]
    paths = [path for path in paths if labels.named(path.split("/")[0], labels.SIX)]
    maps = {f"{p.split('/')[1]}/{base(p)}": p for p in tree.images("ground_truth") if "/" in p}
    identities = ids(paths, reading)
    given = _splits(tree, Finder(paths, identities), reading)
    samples = []
    for path, identity in zip(paths, identities, strict=True):
        image, density = tree.file("images/" + path), maps.pop(identity, None)
        source = (
            functools.partial(from_density, tree.file(density), image_file=image)
            if density
            else None
        )
        emotion = labels.named(path.split("/")[0], labels.SIX)
        samples.append(Sample(identity, image, emotion, given.get(identity), source))
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no map")
    reading.missing(list(maps), "maps belong to no picture")
    reading.note("ground truth: rectangles drawn by 15 annotators (emotion stimuli maps), not gaze")
    if not given:
        samples = list(splits.assign(samples))
        reading.note(splits.NOTE)
    return Dataset("emotionroi", tuple(samples), labels.SIX, source=SOURCE)


def _splits(tree: Tree, finder: Finder, reading: Reading) -> dict[str, Split]:
    found: dict[str, Split] = {}
    lost = []
    for name, split in _LISTS.items():
        path = tree.find_file(name)
        for line in read_text(tree.file(path)).splitlines() if path else ():
            if not line.strip():
                continue
            identity = finder(line)
            if identity is None:
                lost.append(line.strip())
            elif found.setdefault(identity, split) != split:
                reading.fault(f"{tree}: '{line.strip()}' is in both training.txt and testing.txt")
    reading.note_some(lost, "entries of the split lists have no picture here")
    return found
