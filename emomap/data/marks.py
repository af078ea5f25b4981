"""Maps that mark fixations: is a map one, and where are its fixations?

A fixation may be marked by one pixel, by its count, or by a disc or block of pixels; a lossy
format surrounds each mark by weak ones. All of these are read, and what was guessed is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError

Shape = tuple[int, int]

#: A bright pixel of a fixation map stands alone: its neighbours hold less than this share of it.
#: OSIE's and SALICON's true fixations: as marks 0 to .30 (as JPEG .33), as counts up to .60 (7,000
#: mouse samples); as densities with a sigma of 1.5 px at least .81, of 3 px at least .96.
ISOLATED = 0.75
#: Counts of fixations on one pixel stay below this, so a larger value is a brightness.
MOST_COUNTED = 50
#: Marks below this share of the strongest are weak; if they are more than the others, and lie side
#: by side, they are what lossy compression leaves around a mark.
WEAK = 0.25
#: The share of a map that is ground, at least, where marks lie on it.
GROUND = 0.9
#: The largest disc that may stand for a fixation, as a share of the picture.
LARGEST_DISC = 0.005


@dataclass(frozen=True)
class Marks:
    """The fixations of a map.

    Attributes:
        points: (N, 2), x and y in pixels, in raster order of their marks.
        shape: (height, width) of the map.
        note: what was guessed about the marks; "" for one pixel a fixation.
    """

    points: NDArray[np.float64]
    shape: Shape
    note: str = ""


def check_threshold(value: Any) -> float | None:
    """The threshold that an option gives; None if it gives none.

    Raises:
        UsageError: not a number from 0 to 1.
    """
    if value is None:
        return None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise UsageError(
            f"the threshold of marks is '{value}'; it must be a share of the strongest, 0 to 1"
        )
    return float(value)


def read_marks(
    values: NDArray[Any],
    *,
    lossy: bool = False,
    discs: bool = True,
    threshold: float | None = None,
) -> Marks:
    """The fixations that a map marks.

    The values are counts where they are small whole numbers; multiples of the smallest one (255 and
    510, or 127.5 scaled) count as one, two, ... Otherwise every mark is one fixation. A lossy map
    is cut at half of its maximum. Discs and blocks of one size are taken by their centres.

    Args:
        values: (H, W), not negative.
        lossy: the file's format is lossy, so weak marks are none, whether many or few.
        discs: whether marks may be discs.
        threshold: share of the strongest mark, 0 to 1, from which on a mark counts; None to decide
            by ``lossy`` and by the marks themselves.
    """
    values = np.asarray(values)
    height, width = values.shape
    (places,) = np.nonzero(values.ravel() > 0)  # few, so nothing else is done to the whole map
    marks = values.ravel()[places].astype(np.float64)
    if not len(marks):
        return Marks(np.zeros((0, 2)), (height, width))
    note = ""
    if threshold is not None:
        strong = marks >= threshold * marks.max()
        places, marks = places[strong], marks[strong]
    elif lossy or _weak(values, places, marks):
        strong = marks >= marks.max() / 2
        if not strong.all():
            note = (
                f"{len(marks)} marks, of which {int((~strong).sum())} are weaker than half of the "
                f"strongest: traces of lossy compression, left out; {int(strong.sum())} marks "
                "remain; --marks-threshold SHARE sets another limit"
            )
        places = places[strong]
        marks = np.ones(len(places))
    centres = _discs(places, marks, (height, width)) if discs else None
    if centres is not None:
        points, side = centres
        words = f"marks of {side} pixels, taken by their centres: {len(points)} fixations"
        return Marks(points, (height, width), f"{note}; {words}" if note else words)
    y, x = np.divmod(np.repeat(places, _counts(marks)), width)
    return Marks(np.column_stack([x, y]).astype(np.float64), (height, width), note)


def kind_of(values: NDArray[Any]) -> Literal["fixation maps", "density"] | None:
    """What a map holds: "fixation maps" or "density"; None for an empty one, which says nothing.

    Args:
        values: (H, W).
    """
    values = np.asarray(values)
    (places,) = np.nonzero(values.ravel() > 0)
    if not len(places):
        return None
    marks = values.ravel()[places].astype(np.float64)
    if isolation(values) < ISOLATED or _discs(places, marks, values.shape) is not None:
        return "fixation maps"
    return "density"


def inverted(values: NDArray[Any]) -> bool:
    """Whether a map has dark marks on a bright ground, so that its negative is a fixation map.

    Args:
        values: (H, W).
    """
    values = np.asarray(values, dtype=np.float64)
    top = float(values.max(initial=0))
    if top <= 0 or np.count_nonzero(values >= ISOLATED * top) < GROUND * values.size:
        return False
    return kind_of(top - values) == "fixation maps"


def isolation(values: NDArray[Any]) -> float:
    """How much of a bright pixel's value its four neighbours hold, on average: 1 in a smooth map.

    Bright is at least half of the maximum; 1 for a map without any.
    """
    values = np.asarray(values, dtype=np.float64)
    bright = values >= max(float(values.max(initial=0)) / 2, np.finfo(np.float64).tiny)
    if not bright.any():
        return 1.0
    padded = np.pad(values, 1, mode="edge")
    around = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return float((around[bright] / (4 * values[bright])).mean())


def _counts(marks: NDArray[np.float64]) -> NDArray[np.int64]:
    """How many fixations each mark stands for."""
    top = float(marks.max())
    whole = np.array_equal(marks, np.rint(marks))
    unit = 1.0 if top < MOST_COUNTED and whole else float(marks.min())
    multiples = marks / unit
    if top / unit < MOST_COUNTED and np.abs(multiples - np.rint(multiples)).max() < 1e-6:
        return np.rint(multiples).astype(np.int64)
    return np.ones(len(marks), np.int64)


def _weak(values: NDArray[Any], places: NDArray[np.intp], marks: NDArray[np.float64]) -> bool:
    """Whether most marks are weak and lie side by side, as compression leaves them."""
    top = float(marks.max())
    weak = marks < WEAK * top
    if top < MOST_COUNTED or weak.sum() <= len(marks) / 2:
        return False
    row, column = np.divmod(places[weak], values.shape[1])
    padded = np.pad(values > 0, 1)
    beside = padded[row, column + 1] | padded[row + 2, column + 1]
    beside |= padded[row + 1, column] | padded[row + 1, column + 2]
    return bool(beside.mean() > 0.5)


def _discs(
    places: NDArray[np.intp], marks: NDArray[np.float64], shape: Shape
) -> tuple[NDArray[np.float64], int] | None:
    """Centres of marks that are discs or blocks of one size, and how many pixels one has.

    None where marks are single pixels, differ in strength, or form anything else: a region that
    somebody drew, for example. The size is that of the marks that stand alone, of which there must
    be two of the same form. Where marks overlap, every place that such a mark fits is a centre.
    """
    from scipy import ndimage

    beside = np.count_nonzero(np.diff(places) == 1)
    if beside < len(places) / 3 or marks.min() < marks.max() / 2:
        return None
    mask = np.zeros(shape, bool)
    mask.ravel()[places] = True
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    boxes = ndimage.find_objects(labels)
    forms = [mask[box] for box in boxes]
    alone: dict[tuple[Shape, bytes], int] = {}
    for form in forms:
        key = (form.shape, form.tobytes())
        alone[key] = alone.get(key, 0) + 1
    (size, data), often = max(alone.items(), key=lambda entry: (entry[1], -entry[0][0][0]))
    area = sum(data)
    height, width = size
    squarish = max(size) <= 2 * min(size) and area >= 0.5 * height * width
    if often < 2 or often * 4 < count or not squarish or not 4 <= area <= LARGEST_DISC * mask.size:
        return None
    edges = (0, shape[0]), (0, shape[1])
    for form, box in zip(forms, boxes, strict=True):
        cut = any(
            part.start == low or part.stop == high
            for part, (low, high) in zip(box, edges, strict=True)
        )
        if form.sum() < area and not cut:
            return None  # pieces of other sizes, so not marks
    form = np.frombuffer(data, bool).reshape(size)
    return _fits(mask, form, labels, boxes), int(area)


def _fits(
    mask: NDArray[np.bool_], form: NDArray[np.bool_], labels: NDArray[Any], boxes: list[Any]
) -> NDArray[np.float64]:
    """The centres of all copies of a form in a mask; of pieces that hold none, their middle.

    Where copies overlap, the form also fits between them. Of places that touch each other, those
    count that hold a pixel of their own; if none does, their middle.
    """
    from scipy import ndimage

    size = np.array(form.shape)
    fits = ndimage.binary_erosion(mask, form)
    clusters, _ = ndimage.label(fits, np.ones((3, 3)))
    places = np.argwhere(fits)
    covered = np.zeros(mask.shape, np.int64)
    parts = [
        (slice(y, y + size[0]), slice(x, x + size[1])) for y, x in places - size // 2
    ]  # fits are at the middle of the form, or just after it
    for part in parts:
        covered[part] += form
    members: dict[int, list[tuple[NDArray[Any], bool]]] = {}
    for place, part in zip(places, parts, strict=True):
        own = bool((covered[part][form] == 1).any())
        members.setdefault(int(clusters[tuple(place)]), []).append((place, own))
    found = []
    for cluster in members.values():
        kept = [place for place, own in cluster if own]
        found += kept or [np.mean([place for place, _ in cluster], axis=0)]
    found = [place - size // 2 + (size - 1) / 2 for place in found]
    held = set(np.unique(labels[fits]).tolist())
    found += [
        np.array([box[0].start + box[0].stop - 1, box[1].start + box[1].stop - 1]) / 2
        for number, box in enumerate(boxes, 1)
        if number not in held
    ]
    y, x = np.array(sorted(map(tuple, found))).T
    return np.column_stack([x, y])
