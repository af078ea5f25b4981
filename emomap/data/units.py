"""Units of fixation coordinates: pixels of the picture, unless somebody says otherwise.

Coordinates that can hardly be pixels of the picture are refused, since every metric would be
computed from them without complaint.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError

Points = NDArray[np.float64]
Shape = tuple[int, int]

#: What ``--points`` takes.
FORMS = "pixels, normalised, percent, screen:WIDTHxHEIGHT or size:WIDTHxHEIGHT"

#: Above this share of fixations outside their pictures, a set's coordinates are no pixels of them.
MOST_OUTSIDE = 1 / 3
#: Above this share, they are suspicious where another reading leaves none outside.
SOME_OUTSIDE = 0.02
#: A set is judged from this many fixations on.
ENOUGH = 40
#: Pictures with sides below this are too small to tell percent from pixels.
LARGER_THAN_PERCENT = 250
#: People look at more of their pictures than this share of width and height.
SMALL_CORNER = 0.6


@dataclass(frozen=True)
class Units:
    """What the coordinates of a fixation table mean.

    Attributes:
        kind: "pixels" of the picture; "normalised", 0..1 from its left and upper edge; "percent" of
            its width and height; "screen", pixels of a screen in whose middle the picture was shown
            at its own size; "size", pixels of a copy of the picture that had another size.
        width, height: of the screen or the copy.
    """

    kind: Literal["pixels", "normalised", "percent", "screen", "size"] = "pixels"
    width: int = 0
    height: int = 0

    @classmethod
    def parse(cls, text: str) -> Units:
        """Read what the option ``--points`` or a data set's card says.

        Raises:
            UsageError: none of `FORMS`.
        """
        word = text.strip().lower().replace("normalized", "normalised")
        if word in {"pixels", "normalised", "percent"}:
            return cls(word)  # type: ignore[arg-type]
        found = re.fullmatch(r"(screen|size):([1-9]\d{0,5})x([1-9]\d{0,5})", word)
        if not found:
            raise UsageError(f"points '{text}': write {FORMS}")
        return cls(found[1], int(found[2]), int(found[3]))  # type: ignore[arg-type]

    def in_pixels(self, points: Points, shape: Shape) -> Points:
        """Points as pixels of a picture: x right, y down, pixel centres on whole numbers.

        Args:
            points: (N, 2) x and y in these units.
            shape: (height, width) of the picture.
        """
        size = np.array(shape[::-1], dtype=np.float64)
        if self.kind == "pixels":
            return points
        if self.kind == "screen":
            moved: Points = points - (np.array([self.width, self.height]) - size) / 2
            return moved
        if self.kind == "size":  # centres of pixels lie half a pixel from their edges
            points = (points + 0.5) / np.array([self.width, self.height])
        elif self.kind == "percent":
            points = points / 100
        found: Points = points * size - 0.5
        return found


def fault_of(points: Points, shape: Shape) -> str:
    """Why the points of one picture cannot be its pixels; "" where they can.

    Args:
        points: (N, 2) x and y.
        shape: (height, width) of the picture.
    """
    if not len(points):
        return ""
    if _unit_square(points):
        return (
            f"all {len(points)} coordinates lie in 0..1, so they cannot be pixels; if they are "
            "shares of the picture's width and height, say --points normalised"
        )
    outside = int(_outside(points, shape).sum())
    if 1 < outside > len(points) / 2:
        swapped = not _outside(points[:, ::-1], shape).any()
        return "are x and y exchanged? " * swapped + (
            f"{outside} of {len(points)} fixations lie outside the picture of "
            f"{shape[1]} x {shape[0]} pixels; if they are pixels of the screen or of another size "
            "of the picture, say --points screen:WIDTHxHEIGHT or size:WIDTHxHEIGHT; if they are "
            "right, say --points pixels"
        )
    return ""


def fault_of_set(gazes: Sequence[tuple[Points, Shape]]) -> str:
    """Why the points of several pictures, taken together, cannot be their pixels; "" if they can.

    Args:
        gazes: points (N, 2) and (height, width) of some pictures of a set.
    """
    gazes = [(points, shape) for points, shape in gazes if len(points)]
    count = sum(len(points) for points, _ in gazes)
    if count < ENOUGH:
        return ""
    points = np.concatenate([points for points, _ in gazes])
    if _unit_square(points):
        return fault_of(points, gazes[0][1])
    outside = sum(int(_outside(p, shape).sum()) for p, shape in gazes)
    if outside > SOME_OUTSIDE * count and not any(
        _outside(p[:, ::-1], shape).any() for p, shape in gazes
    ):
        return (
            f"{outside} of {count} fixations lie outside their pictures, and none if x and y are "
            "exchanged; exchange the columns; if they are right, say --points pixels"
        )
    if outside > MOST_OUTSIDE * count:
        return (
            f"{outside} of {count} fixations lie outside their pictures; if they are pixels of the "
            "screen or of another size of the pictures, say --points screen:WIDTHxHEIGHT or "
            "size:WIDTHxHEIGHT; if they are right, say --points pixels"
        )
    sides = np.array([shape[::-1] for _, shape in gazes])
    if points.min() >= 0 and points.max() <= 100 and sides.min() > LARGER_THAN_PERCENT:
        return (
            f"all {count} coordinates lie in 0..100, on pictures of at least {sides.min()} pixels; "
            "if they are percent of width and height, say --points percent; if they are right, say "
            "--points pixels"
        )
    reach = np.max([(p / shape[::-1]).max(axis=0) for p, shape in gazes], axis=0)
    if len(gazes) > 2 and (reach < SMALL_CORNER).all():
        return (
            f"all {count} fixations lie in the upper left {reach[0]:.0%} x {reach[1]:.0%} of their "
            "pictures; if they belong to smaller copies of them, say --points size:WIDTHxHEIGHT; "
            "if they are right, say --points pixels"
        )
    return ""


def _unit_square(points: Points) -> bool:
    inside = points.min() >= 0 and points.max() <= 1
    return bool(inside and (len(points) > 2 or (points != np.rint(points)).any()))


def _outside(points: Points, shape: Shape) -> NDArray[np.bool_]:
    height, width = shape
    x, y = points.T
    found: NDArray[np.bool_] = (x < -0.5) | (y < -0.5) | (x >= width - 0.5) | (y >= height - 0.5)
    return found
