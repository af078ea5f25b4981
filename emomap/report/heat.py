"""Maps as colours over their picture, on one scale for all methods and for people.

A colour says how many times denser than an even spread a map is at a place: from 1 (transparent) to
`DENSEST` (full colour), on a logarithmic scale. The scale of the map's own values plays no role, as
in the metrics.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: A map that is this many times denser than an even spread has the strongest colour.
DENSEST = 16

Colours = NDArray[np.uint8]


def spread(values: NDArray[Any], size: tuple[int, int]) -> NDArray[np.float64]:
    """A map at (width, height), in multiples of an even spread (its mean is 1)."""
    from PIL import Image

    resample = Image.Resampling.BILINEAR  # averages when it shrinks, interpolates when it enlarges
    small = Image.fromarray(np.asarray(values, dtype=np.float32)).resize(size, resample)
    found = np.clip(np.asarray(small, dtype=np.float64), 0, None)
    mean = float(found.mean())
    return found / mean if mean > 0 else np.ones_like(found)


def colours(density: NDArray[np.float64]) -> Colours:
    """(H, W, 4) colours for multiples of an even spread: transparent at 1, full at `DENSEST`."""
    level = np.log2(np.clip(density, 1, DENSEST)) / np.log2(DENSEST)
    found: Colours = scale()[np.rint(level * 255).astype(np.intp)]
    return found


@lru_cache(maxsize=1)
def scale() -> Colours:
    """The colours of the scale, (256, 4)."""
    from matplotlib import colormaps

    level = np.linspace(0, 1, 256)
    table = np.asarray(colormaps["inferno"](0.25 + 0.72 * level))
    table[:, 3] = 0.88 * level**0.6
    return np.asarray(np.rint(table * 255), dtype=np.uint8)


def photo(picture: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """A picture resized so that its longer side has ``side`` pixels."""
    from PIL import Image

    size = fitted(picture, side)
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def fitted(picture: NDArray[np.uint8], side: int) -> tuple[int, int]:
    """Width and height of a picture once its longer side has ``side`` pixels."""
    factor = side / max(picture.shape[:2])
    height, width = (max(1, round(length * factor)) for length in picture.shape[:2])
    return width, height
