"""The cues of Objectness: multi-scale saliency, colour contrast, superpixels, edge density.

Boxes are (n, 4) integer pixels xmin, ymin, xmax, ymax, 0-based and inclusive; images are checked.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.arrays import Maps, PixelBoxes
from emomap.vision.edges import edges
from emomap.vision.filters import rescale
from emomap.vision.histograms import chi_square, in_box, integral
from emomap.vision.lab import lab_bins
from emomap.vision.residual import spectral_residual
from emomap.vision.resize import resize_planes
from emomap.vision.segments import segment


def ms_maps(image: NDArray[Any], scale: int) -> Maps:
    """Spectral residual saliency of each colour at one scale, (3, scale, scale) in 0..1.

    The image is resized to a square of ``scale`` pixels; the residual is smoothed with a disc of
    radius 3 (zero outside the picture).
    """
    small = resize_planes(image, (scale, scale), "matlab-bilinear")
    smooth = _disc_blur(spectral_residual(small))
    return np.asarray(np.broadcast_to(rescale(smooth), (3, scale, scale)))


def superpixels(image: NDArray[Any], theta: float) -> NDArray[np.int32]:
    """Superpixels of SS; blur and least area scale with the side of the image."""
    growth = float(np.sqrt(image.shape[0] * image.shape[1] / 60_000))
    return segment(image, sigma=0.5 * growth, scale=theta, min_area=int(200 * growth))


def color_contrast(image: NDArray[Any], boxes: PixelBoxes, theta: float) -> Maps:
    """CC: chi-square distance between the Lab histograms of each window and its surround."""
    height, width = image.shape[:2]
    grow = theta / 200 * (boxes[:, 2:] - boxes[:, :2] + 1)
    outer = np.empty_like(boxes)
    outer[:, :2] = np.maximum(np.floor(boxes[:, :2] - grow + 0.5), 0)
    outer[:, 2:] = np.minimum(np.floor(boxes[:, 2:] + grow + 0.5), (width - 1, height - 1))
    return chi_square(lab_bins(image), boxes, outer)


def edge_density(image: NDArray[Any], boxes: PixelBoxes, theta: float) -> Maps:
    """ED: number of edge pixels in a ring inside the border of each window, by its perimeter.

    The ring is (width + height) / (2 theta) wide. The paper names no edge detector; ours is Canny's
    (see `emomap.vision.edges`).
    """
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    ring = np.floor(sides.sum(axis=1) / (2 * theta) + 0.5).astype(np.int64)
    inner = np.concatenate([boxes[:, :2] + ring[:, None], boxes[:, 2:] - ring[:, None]], axis=1)
    hollow = (inner[:, 2:] >= inner[:, :2]).all(axis=1)
    inner[~hollow] = 0
    sums = integral(edges(image).astype(np.float64))
    count = in_box(sums, boxes) - np.where(hollow, in_box(sums, inner), 0)
    return np.asarray(count / (2 * sides.sum(axis=1)))


def _disc_blur(maps: Maps) -> Maps:
    weights = _disc(3)
    padded = np.pad(maps, ((0, 0), (3, 3), (3, 3)))
    total = np.zeros_like(maps)
    height, width = maps.shape[1:]
    for y in range(7):
        for x in range(7):
            total += weights[y, x] * padded[:, y : y + height, x : x + width]
    return total


@cache
def _disc(radius: int) -> Maps:
    """Share of a disc's area in each pixel, (2 radius + 1, 2 radius + 1)."""
    shares = np.empty((2 * radius + 1, 2 * radius + 1))
    for y in range(-radius, radius + 1):
        for x in range(-radius, radius + 1):
            shares[y + radius, x + radius] = _disc_in_pixel(float(radius), abs(x), abs(y))
    return np.asarray(shares / shares.sum())


def _disc_in_pixel(radius: float, x: int, y: int) -> float:
    """Area of a disc at the origin within the pixel around (x, y), for x and y of 0 or more."""
    left, right = max(x - 0.5, 0.0), x + 0.5
    bottom, top = max(y - 0.5, 0.0), y + 0.5
    mirrored = (2 if x == 0 else 1) * (2 if y == 0 else 1)

    def reach(height: float) -> float:
        return math.sqrt(max(radius**2 - height**2, 0.0))

    def under_arc(start: float, stop: float) -> float:
        ends = [
            (t * reach(t) + radius**2 * math.asin(min(t / radius, 1.0))) / 2 for t in (start, stop)
        ]
        return ends[1] - ends[0]

    full = min(max(reach(top), left), right)
    cut = min(max(reach(bottom), full), right)
    area = (full - left) * (top - bottom) + under_arc(full, cut) - (cut - full) * bottom
    return mirrored * area
