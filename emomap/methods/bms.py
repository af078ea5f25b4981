"""Boolean map saliency (Zhang & Sclaroff, ICCV 2013, TPAMI 2016): surrounded regions stand out.

The whitened colours are thresholded at many levels. In each boolean map, regions that do not touch
the border of the picture are figures. The figures are widened, divided by the root of their area,
and added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emomap.errors import UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.arrays import Maps
from emomap.vision.filters import gaussian_blur, lattice_shape, rescale
from emomap.vision.image import check_image
from emomap.vision.jit import jit
from emomap.vision.lab import lab
from emomap.vision.resize import resize, resize_image


@dataclass(frozen=True)
class BMSSettings:
    """Parameters of `bms`; lengths are in pixels of the picture resized to ``longest``.

    The default widths and blur are our choice, for fixations on a picture of 400 px.

    Attributes:
        longest: longer side to which the picture is resized first.
        step: distance between thresholds; each channel spans 0..255.
        spread: side of the square by which the figures of each boolean map are widened.
        last_spread: side of the square by which the sum of all is widened.
        sigma: standard deviation of the last blur.
        whiten: True to decorrelate the colours (2016), False to use L, a and b directly (2013).
    """

    longest: int = 400
    step: float = 8.0
    spread: int = 7
    last_spread: int = 9
    sigma: float = 9.0
    whiten: bool = True

    def __post_init__(self) -> None:
        good = 16 <= self.longest <= 2048 and 1 <= self.step <= 128 and 0 <= self.sigma <= 200
        if not good:
            raise UsageError(
                f"bms: longest={self.longest} (16 to 2048), step={self.step} (1 to 128) or "
                f"sigma={self.sigma} (0 to 200) is out of range"
            )
        for name in ("spread", "last_spread"):
            width = getattr(self, name)
            if width != int(width) or width < 1 or width % 2 == 0:
                raise UsageError(f"bms: {name}={width}; expected an odd number of pixels")


def bms(
    image: ArrayLike,
    *,
    longest: int = 400,
    step: float = 8.0,
    spread: int = 7,
    last_spread: int = 9,
    sigma: float = 9.0,
    whiten: bool = True,
) -> Maps:
    """Boolean map saliency of an image.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1.
        longest, step, spread, last_spread, sigma, whiten: see `BMSSettings`.

    Returns:
        (H, W) float64 in 0..1; zero everywhere if nothing is surrounded.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is out of range.
    """
    return _map(image, BMSSettings(longest, step, spread, last_spread, sigma, whiten))


class BMS(Method):
    """`bms` as a method of `bench` and `predict`, with its options."""

    def __init__(
        self,
        *,
        longest: int = 400,
        step: float = 8.0,
        spread: int = 7,
        last_spread: int = 9,
        sigma: float = 9.0,
        whiten: bool = True,
    ) -> None:
        self.settings = BMSSettings(longest, step, spread, last_spread, sigma, whiten)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        return [Prediction(map=_map(image, self.settings)) for image in images]


def _map(image: ArrayLike, settings: BMSSettings) -> Maps:
    checked = check_image(image, method="bms")
    shape = (checked.shape[0], checked.shape[1])
    small = resize_image(checked, lattice_shape(shape, settings.longest))
    total = np.zeros(small.shape[:2])
    for channel in _channels(small, settings.whiten):
        for threshold in np.arange(settings.step / 2, 255.0, settings.step):
            _add_figures(channel, threshold, settings.spread // 2, total)
    if not total.any():
        return np.zeros(shape)
    widened = np.empty_like(total)
    _widen(total, settings.last_spread // 2, np.empty_like(total), widened)
    smooth = gaussian_blur(widened, settings.sigma, 3) if settings.sigma > 0 else widened
    return rescale(resize(rescale(smooth), shape))


def _channels(picture: Maps, whiten: bool) -> list[Maps]:
    """L, a and b, decorrelated or not, each in 0..255; without those that have no contrast."""
    colours = lab(picture, linear=True)
    pixels = colours.reshape(-1, 3)
    pixels = pixels - pixels.mean(axis=0)
    if whiten:
        # einsum adds in a fixed order for any number of threads
        variances, axes = np.linalg.eigh(np.einsum("ni,nj->ij", pixels, pixels) / len(pixels))
        # colours that hardly vary (in a grey picture) are not stretched to full contrast
        scales = np.where(variances > 1e-6, 1 / np.sqrt(np.maximum(variances, 1e-6)), 0.0)
        pixels = np.einsum("ni,ij->nj", pixels, np.einsum("ik,k,jk->ij", axes, scales, axes))
    planes = pixels.T.reshape(3, *picture.shape[:2])
    return [255 * rescale(plane) for plane in planes if np.ptp(plane) > 1e-6]


@jit
def _add_figures(channel: Any, threshold: Any, radius: Any, total: Any) -> None:
    """Threshold a channel, and add its surrounded white and black regions to ``total``."""
    height, width = channel.shape
    boolean = np.empty((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            boolean[y, x] = channel[y, x] > threshold
    reached = np.zeros((height, width), np.uint8)
    _flood_from_border(boolean, reached)
    figures = np.empty((height, width), np.uint8)
    rows = np.empty((height, width), np.uint8)
    widened = np.empty((height, width), np.uint8)
    for side in range(2):
        count = 0
        for y in range(height):
            for x in range(width):
                figures[y, x] = boolean[y, x] == side and reached[y, x] == 0
                count += figures[y, x]
        if count == 0:
            continue
        _widen(figures, radius, rows, widened)
        area = 0
        for y in range(height):
            for x in range(width):
                area += widened[y, x]
        weight = 1.0 / np.sqrt(float(area))
        for y in range(height):
            for x in range(width):
                total[y, x] += weight * widened[y, x]


@jit
def _flood_from_border(boolean: Any, reached: Any) -> None:
    """Mark all pixels that are 4-connected to the border through pixels of their own value."""
    height, width = boolean.shape
    stack = np.empty(height * width, np.int64)
    top = 0
    for y in range(height):
        for x in range(width):
            if y in (0, height - 1) or x in (0, width - 1):
                reached[y, x] = 1
                stack[top] = y * width + x
                top += 1
    values, marks = boolean.ravel(), reached.ravel()
    while top > 0:
        top -= 1
        pixel = stack[top]
        value = values[pixel]
        x = pixel % width
        # the border is already marked, so every unmarked pixel has neighbours above and below
        for near in (pixel - width, pixel + width, pixel - 1, pixel + 1):
            if near < 0 or near >= height * width or marks[near] or values[near] != value:
                continue
            if (near == pixel - 1 and x == 0) or (near == pixel + 1 and x == width - 1):
                continue
            marks[near] = 1
            stack[top] = near
            top += 1


@jit
def _widen(values: Any, radius: Any, rows: Any, out: Any) -> None:
    """Maximum over a square of (2 radius + 1)^2 pixels; ``rows`` is scratch memory."""
    height, width = values.shape
    for y in range(height):
        rows[y] = values[y]
        for step in range(1, radius + 1):
            for x in range(width - step):
                rows[y, x] = max(rows[y, x], values[y, x + step])
                rows[y, x + step] = max(rows[y, x + step], values[y, x])
    for y in range(height):
        out[y] = rows[y]
        for near in range(max(0, y - radius), min(height, y + radius + 1)):
            for x in range(width):
                out[y, x] = max(out[y, x], rows[near, x])
