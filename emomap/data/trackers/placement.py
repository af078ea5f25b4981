"""Where a picture was on the screen: coordinates of an export -> pixels of the picture."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError

Points = NDArray[np.float64]
Size = tuple[int, int]

#: What coordinates can be. All but the first three need the size of the screen.
FRAMES = {
    "picture": "pixels of the picture, from its upper left corner",
    "picture-share": "0..1 of the picture, from its upper left corner",
    "picture-share-up": "0..1 of the picture, from its lower left corner",
    "screen": "pixels of the screen, from its upper left corner",
    "screen-share": "0..1 of the screen, from its upper left corner",
    "screen-share-up": "0..1 of the screen, from its lower left corner",
    "pix": "pixels from the middle of the screen, y upwards (PsychoPy)",
    "norm": "-1..1 from the middle of the screen, y upwards (PsychoPy)",
    "height": "heights of the screen from its middle, y upwards (PsychoPy)",
}


@dataclass(frozen=True)
class Placement:
    """How pictures were shown.

    Attributes:
        frame: one of `FRAMES`.
        screen: (width, height) in pixels, or None if coordinates are of the picture.
        corner: (x, y) of the picture's upper left corner on the screen; None for its middle.
        shown: "own" for the picture's own size, "fit" for the largest that fits the screen with
            its aspect ratio, or (width, height) in pixels of the screen.
    """

    frame: str
    screen: Size | None = None
    corner: tuple[float, float] | None = None
    shown: str | Size = "own"

    def in_picture(self, points: Points, picture: Size) -> Points:
        """Points (N, 2) of the export, in pixels of a picture of this (width, height)."""
        own = np.asarray(picture, dtype=np.float64)
        if self.frame == "picture":
            return points
        if self.frame.startswith("picture-share"):
            return self._upright(points) * own
        at, size = self._on_screen(picture)
        return (self._screen_pixels(points) - at) * (own / size)

    def _upright(self, points: Points) -> Points:
        if not self.frame.endswith("-up"):
            return points
        return np.column_stack([points[:, 0], 1 - points[:, 1]])

    def _screen_pixels(self, points: Points) -> Points:
        assert self.screen is not None
        screen = np.asarray(self.screen, dtype=np.float64)
        if self.frame == "screen":
            return points
        if self.frame.startswith("screen-share"):
            return self._upright(points) * screen
        unit = {"pix": np.ones(2), "norm": screen / 2, "height": screen[[1, 1]]}[self.frame]
        return screen / 2 + points * unit * (1, -1)

    def _on_screen(self, picture: Size) -> tuple[Points, Points]:
        """Upper left corner and size of the picture, in pixels of the screen."""
        assert self.screen is not None
        screen, own = np.asarray(self.screen, float), np.asarray(picture, float)
        if self.shown == "own":
            size = own
        elif self.shown == "fit":
            size = own * (screen / own).min()
        else:
            size = np.asarray(self.shown, float)
        at = (screen - size) / 2 if self.corner is None else np.asarray(self.corner, float)
        return at, size


def parse_size(text: str, option: str) -> Size:
    """Read "1920x1080".

    Raises:
        UsageError: it is no such text.
    """
    match = re.fullmatch(r"(\d{1,5})\s*[x×]\s*(\d{1,5})", text.strip().lower())
    if not match or "0" in {match[1].lstrip("0") or "0", match[2].lstrip("0") or "0"}:
        raise UsageError(f"{option} {text}: write width and height in pixels, as in 1920x1080")
    return int(match[1]), int(match[2])


def parse_corner(text: str, option: str) -> tuple[float, float] | None:
    """Read "100,50", the upper left corner of the picture; "center" gives None.

    Raises:
        UsageError: it is neither.
    """
    if text.strip().lower() in {"center", "centre"}:
        return None
    match = re.fullmatch(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*", text)
    if not match:
        raise UsageError(
            f"{option} {text}: write center, or X,Y of the picture's upper left corner"
        )
    return float(match[1]), float(match[2])
