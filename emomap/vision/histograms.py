"""Sums and histograms within rectangular windows, by integral images.

Boxes are (n, 4) integer pixels xmin, ymin, xmax, ymax, 0-based and inclusive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.arrays import PixelBoxes, WindowScores
from emomap.vision.jit import jit

#: Histogram bins that are integrated at once: 32 bytes a pixel, half a cache line. All bins at once
#: would be faster on small pictures, but take a hundred times the memory of the image.
_BLOCK = 8


def integral(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(H + 1, W + 1) sums of all values above and to the left."""
    return np.pad(values, ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)


def in_box(sums: NDArray[np.float64], boxes: PixelBoxes) -> WindowScores:
    """(n,) sum within each box, from the `integral` of the values."""
    left, top, right, bottom = boxes.T
    return np.asarray(
        sums[bottom + 1, right + 1]
        - sums[top, right + 1]
        - sums[bottom + 1, left]
        + sums[top, left]
    )


def areas(boxes: PixelBoxes) -> NDArray[np.int64]:
    """(n,) pixels in each box."""
    return np.asarray((boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1))


def chi_square(labels: NDArray[np.uint8], inside: PixelBoxes, outside: PixelBoxes) -> WindowScores:
    """Chi-square distance between the label histograms of each window and of its frame.

    Args:
        labels: (H, W), the colour bin of each pixel.
        inside: (n, 4) windows.
        outside: (n, 4) boxes that contain them; the frame is the box without the window.

    Returns:
        (n,) sum of (p - q)^2 / (p + q) over the bins, 0 where the frame is empty.
    """
    used = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    dense = np.zeros(256, np.int32)
    dense[used] = np.arange(len(used))
    return np.asarray(_chi_square(dense[labels], len(used), inside, outside))


def straddling(segments: NDArray[np.int32], boxes: PixelBoxes) -> WindowScores:
    """1 - (smaller part, inside or outside, of every superpixel) / area, for each window."""
    totals = np.bincount(segments.ravel())
    return 1 - np.asarray(_smaller_parts(segments, totals, boxes)) / areas(boxes)


@jit
def _chi_square(labels: Any, used: Any, inside: Any, outside: Any) -> Any:
    height, width = labels.shape
    scores = np.zeros(len(inside))
    table = np.zeros((height + 1, width + 1, _BLOCK), np.int32)
    for first in range(0, used, _BLOCK):
        _integrate(labels, first, table)
        for n in range(len(inside)):
            left, top, right, bottom = inside[n]
            area = (right - left + 1) * (bottom - top + 1)
            wide_left, wide_top, wide_right, wide_bottom = outside[n]
            frame = (wide_right - wide_left + 1) * (wide_bottom - wide_top + 1) - area
            if frame == 0:
                continue
            for b in range(_BLOCK):
                held = (
                    table[bottom + 1, right + 1, b]
                    - table[top, right + 1, b]
                    - table[bottom + 1, left, b]
                    + table[top, left, b]
                )
                around = (
                    table[wide_bottom + 1, wide_right + 1, b]
                    - table[wide_top, wide_right + 1, b]
                    - table[wide_bottom + 1, wide_left, b]
                    + table[wide_top, wide_left, b]
                    - held
                )
                p = held / area
                q = around / frame
                if p + q > 0.0:
                    scores[n] += (p - q) * (p - q) / (p + q)
    return scores


@jit
def _smaller_parts(labels: Any, totals: Any, boxes: Any) -> Any:
    height, width = labels.shape
    areas = np.zeros(len(boxes), np.int64)
    table = np.zeros((height + 1, width + 1, _BLOCK), np.int32)
    for first in range(0, len(totals), _BLOCK):
        _integrate(labels, first, table)
        for n in range(len(boxes)):
            left, top, right, bottom = boxes[n]
            for b in range(min(_BLOCK, len(totals) - first)):
                held = (
                    table[bottom + 1, right + 1, b]
                    - table[top, right + 1, b]
                    - table[bottom + 1, left, b]
                    + table[top, left, b]
                )
                areas[n] += min(held, totals[first + b] - held)
    return areas


@jit
def _integrate(labels: Any, first: Any, table: Any) -> None:
    """Integral images of the labels first..first + 7; table[y, x, b] counts above and left."""
    height, width = labels.shape
    row = np.empty(_BLOCK, np.int32)
    for y in range(height):
        row[:] = 0
        for x in range(width):
            label = labels[y, x] - first
            if 0 <= label < _BLOCK:
                row[label] += 1
            for b in range(_BLOCK):
                table[y + 1, x + 1, b] = table[y, x + 1, b] + row[b]
