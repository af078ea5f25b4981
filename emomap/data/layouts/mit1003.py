"""MIT1003 (Judd, Ehinger, Durand, Torralba, ICCV 2009): 1,003 images, 15 people, 3 s each.

``DATA/<person>/<image>.mat`` holds samples of the tracker at 240 Hz, not fixations. They are
found here by velocity (I-VT, Salvucci & Goldberg 2000): samples, smoothed by a running median of
five, that move less than 30 degrees a second, for at least 50 ms. The first fixation of each
person, which is where the cross before the image was, is dropped unless ``data.first=keep``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.data import marks as marking
from emomap.data import splits
from emomap.data.gaze import from_density, from_marks, read_density_of
from emomap.data.geometry import Geometry
from emomap.data.reading import Reading, ids
from emomap.data.tree import Tree, base
from emomap.errors import EmomapError
from emomap.io import matlab
from emomap.io.files import File
from emomap.sample import Dataset, Gaze, Sample

SOURCE = "Judd et al., Learning to predict where humans look, ICCV 2009"
#: Cut-off of the authors' blur (antonioGaussian) in cycles an image: 24 px for their 1,024 px.
CUT_OFF = 8.0
GEOMETRY = Geometry(order="xy", base=1)
HERTZ = 240.0
#: One degree of visual angle, from the paper.
PIXELS_PER_DEGREE = 35.0
_FASTEST = 30.0 * PIXELS_PER_DEGREE / HERTZ
_SHORTEST = 12
_MEDIAN = 5


def recognise(tree: Tree) -> str | None:
    """Why this is MIT1003, or None."""
    inside = set(tree.children())
    if "ALLSTIMULI" in inside and {"DATA", "ALLFIXATIONMAPS"} & inside:
        return f"ALLSTIMULI/ and {', '.join(sorted(inside & {'DATA', 'ALLFIXATIONMAPS'}))}/"
    return None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set; fixations of each person from DATA/, density and, without DATA/, fixations
    from ALLFIXATIONMAPS/.
    """
    first = reading.option("first", "drop", ("drop", "keep"))
    threshold = marking.check_threshold(reading.option("marks_threshold", None))
    people = tree.children("DATA")
    recordings: dict[str, list[File]] = {}
    for person in people:
        for path in tree.with_suffix(".mat", f"DATA/{person}"):
            recordings.setdefault(base(path), []).append(tree.file(path))
    maps = {base(path): tree.file(path) for path in tree.images("ALLFIXATIONMAPS")}
    paths = [path[len("ALLSTIMULI/") :] for path in tree.images("ALLSTIMULI")]
    samples = []
    for path, identity in zip(paths, ids(paths, reading), strict=True):
        image, stem = tree.file("ALLSTIMULI/" + path), base(path)
        density, marks = maps.pop(f"{stem}_fixMap", None), maps.pop(f"{stem}_fixPts", None)
        files = tuple(recordings.pop(stem, ()))
        source: Callable[[], Gaze] | None = None
        if files:
            source = functools.partial(read_samples, files, image, density, first == "drop")
        elif marks:
            source = functools.partial(read_marks, marks, density, threshold)
        elif density:
            source = functools.partial(from_density, density, image_file=image)
        samples.append(Sample(identity, image, gaze_source=source))
    reading.note_some([s.id for s in samples if s.gaze_source is None], "images have no gaze")
    reading.note_some(list(recordings), "recordings belong to no picture here")
    reading.note_some(list(maps), "maps belong to no picture here")
    if people:
        reading.note(f"fixations found in the tracker's samples by velocity; first one: {first}")
    reading.note(splits.NOTE)
    return Dataset("mit1003", splits.assign(samples), sigma=_sigma(samples), source=SOURCE)


def _sigma(samples: list[Sample]) -> float | None:
    from emomap import metrics

    if not samples:
        return None
    return float(metrics.sigma_from_fc(CUT_OFF, io.image_size(samples[0].image_file)))


def read_marks(marks: File, density: File | None, threshold: float | None = None) -> Gaze:
    """Fixations of all people from the map that marks them."""
    found = marking.read_marks(io.read_map(marks), lossy=True, discs=False, threshold=threshold)
    return from_marks(found, density)


def read_samples(
    files: tuple[File, ...], image: File, density: File | None, drop_first: bool
) -> Gaze:
    """Fixations of each person from the tracker's samples, and the authors' density."""
    shape = io.image_size(image)
    points, observers, durations = [np.zeros((0, 2))], [], []
    for observer, file in enumerate(files):
        found, lasted = fixations(GEOMETRY.points(_samples(file), shape))
        skip = 1 if drop_first else 0
        points.append(found[skip:])
        durations.append(lasted[skip:])
        observers.append(np.full(len(found[skip:]), observer, dtype=np.int64))
    return Gaze(
        shape,
        np.concatenate(points),
        np.concatenate(observers),
        np.concatenate(durations),
        read_density_of(density),
    )


def _samples(file: File) -> NDArray[np.float64]:
    """The samples of a recording: the variable has the image's name, cut to 63 characters."""
    for value in matlab.read(file).values():
        data: Any = value.get("DATA") if isinstance(value, dict) else None
        data = data[0] if isinstance(data, list) and data else data
        samples = data.get("eyeData") if isinstance(data, dict) else None
        if isinstance(samples, np.ndarray) and samples.ndim == 2 and samples.shape[1] >= 2:
            return samples[:, :2].astype(np.float64)
    raise EmomapError(f"{file}: no variable with DATA.eyeData of two columns or more")


def fixations(samples: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fixations in samples of the tracker.

    Args:
        samples: (N, 2) pixels at `HERTZ`; NaN or below zero where the eye was not seen.

    Returns:
        (M, 2) means of the samples of each fixation, and (M,) durations in milliseconds.
    """
    seen = np.array([bool(np.isfinite(s).all() and (s > -1).all()) for s in samples], dtype=bool)
    gapped = np.where(seen.reshape(-1, 1), samples, np.nan)
    ends = _MEDIAN // 2
    padded = np.concatenate([gapped[:1]] * ends + [gapped] + [gapped[-1:]] * ends)
    if len(padded) < _MEDIAN:
        return np.zeros((0, 2)), np.zeros(0)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN, axis=0)
    smooth = np.median(windows, axis=2)
    step = np.hypot(*np.diff(smooth, axis=0).T)
    still = np.concatenate([[False], step < _FASTEST, [False]])  # NaN compares as moving
    edges = np.flatnonzero(np.diff(still.astype(np.int8)))
    runs = [(a, b + 1) for a, b in edges.reshape(-1, 2) if b + 1 - a >= _SHORTEST]
    points = [samples[a:b][seen[a:b]].mean(axis=0) for a, b in runs]
    lasted = [(b - a) * 1000 / HERTZ for a, b in runs]
    return np.array(points).reshape(-1, 2), np.array(lasted, dtype=np.float64)
