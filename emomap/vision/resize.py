"""Resizing of images and maps by the weights of the metric library.

Each pass sums over the few pixels that count, in order, one at a time. `metrics.resize` sums four
at a time, which is faster for large maps; the last digits of the two differ, and those of the
methods' maps are fixed.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap import metrics
from emomap.vision.filters import round_half_up
from emomap.vision.image import check_image, unit
from emomap.vision.jit import jit


def resize(
    maps: NDArray[Any], shape: tuple[int, int], method: str = "matlab-bicubic"
) -> NDArray[np.float64]:
    """Resize (..., h, w) maps by a method of `metrics.resize`; bicubic overshoot is kept."""
    height, width = maps.shape[-2:]
    planes = np.ascontiguousarray(maps, dtype=np.float64).reshape(-1, height, width)
    rows = metrics.resize_bands(height, shape[0], method)
    columns = metrics.resize_bands(width, shape[1], method)
    if shape[0] * width <= height * shape[1]:  # the cheaper order
        resized = _along_columns(_along_rows(planes, *rows), *columns)
    else:
        resized = _along_rows(_along_columns(planes, *columns), *rows)
    return np.asarray(resized.reshape(*maps.shape[:-2], *shape))


def resize_planes(
    image: NDArray[Any], shape: tuple[int, int], method: str = "matlab-bicubic"
) -> NDArray[np.float64]:
    """Colours of a checked image at another size, (3, h, w) or (1, h, w), in about 0..1."""
    planes = image[:, :, None] if image.ndim == 2 else image
    # One after the other: a large image as floats would take eight times its memory.
    small = [resize(unit(planes[..., k]), shape, method) for k in range(planes.shape[2])]
    return np.stack(small)


def resize_image(image: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float64]:
    """A checked image at another size, (h, w, 3) or (h, w), clipped to 0..1."""
    planes = np.clip(resize_planes(image, shape), 0.0, 1.0)
    return planes[0] if image.ndim == 2 else np.ascontiguousarray(planes.transpose(1, 2, 0))


def enlarge(image: ArrayLike, shortest: int, *, method: str) -> NDArray[Any]:
    """Check an image and, if a side is below ``shortest``, enlarge it to that.

    Raises:
        EmomapError: as `check_image`; also where more than four times the size would be needed.
    """
    checked = check_image(image, min_side=math.ceil(shortest / 4), method=method)
    factor = shortest / min(checked.shape[:2])
    if factor <= 1:
        return checked
    height, width = (max(shortest, round_half_up(side * factor)) for side in checked.shape[:2])
    return resize_image(checked, (height, width))


@jit
def _along_rows(planes: Any, first: Any, weights: Any) -> Any:
    count, _, width = planes.shape
    out = np.zeros((count, len(first), width))
    for p in range(count):
        for i in range(len(first)):
            for t in range(weights.shape[1]):
                weight = weights[i, t]
                source = first[i] + t
                for x in range(width):
                    out[p, i, x] += weight * planes[p, source, x]
    return out


@jit
def _along_columns(planes: Any, first: Any, weights: Any) -> Any:
    count, height, _ = planes.shape
    out = np.empty((count, height, len(first)))
    for p in range(count):
        for y in range(height):
            for i in range(len(first)):
                total = 0.0
                for t in range(weights.shape[1]):
                    total += weights[i, t] * planes[p, y, first[i] + t]
                out[p, y, i] = total
    return out
