"""Rectangular windows: random draws by score, non-maximum suppression, heat.

Boxes are (n, 4) columns xmin, ymin, xmax, ymax. Pixel boxes are integers, 0-based and inclusive.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.arrays import PixelBoxes, WindowScores
from emomap.vision.histograms import areas, in_box, integral
from emomap.vision.jit import jit


def window_scores(map_: NDArray[np.float64], threshold: float, boxes: PixelBoxes) -> WindowScores:
    """Score of each window: sum of the values >= threshold, times the density of such pixels.

    Args:
        map_: (h, w).
        boxes: (n, 4) pixel boxes within the map.
    """
    kept = np.where(map_ >= threshold, map_, 0.0)
    total, count = integral(kept), integral((map_ >= threshold).astype(np.float64))
    return in_box(total, boxes) * in_box(count, boxes) / areas(boxes)


def sample_windows(
    map_: NDArray[np.float64],
    threshold: float,
    smallest: tuple[int, int],
    count: int,
    rng: np.random.Generator,
) -> tuple[PixelBoxes, WindowScores]:
    """Draw windows with replacement, with probabilities proportional to `window_scores`.

    Args:
        map_: (h, w).
        smallest: least height and width of a window.
        count: number of windows to draw.

    Returns:
        (count, 4) pixel boxes of the map and their scores (count,); none if all scores are zero.
    """
    kept = np.where(map_ >= threshold, map_, 0.0)
    total, number = integral(kept), integral((map_ >= threshold).astype(np.float64))
    strips = _strip_sums(total, number, *smallest)
    cumulated = np.cumsum(strips)
    if not len(cumulated) or not cumulated[-1] > 0:
        return np.empty((0, 4), np.int64), np.empty(0)
    drawn = np.sort(rng.random(count)) * cumulated[-1]
    strip = np.minimum(np.searchsorted(cumulated, drawn, side="right"), len(strips) - 1)
    rest = drawn - (cumulated[strip] - strips[strip])
    boxes, scores = _pick(total, number, *smallest, strip, rest)
    return np.asarray(boxes), np.asarray(scores)


def suppress(boxes: NDArray[np.float64], scores: WindowScores, overlap: float, count: int) -> Any:
    """Non-maximum suppression: indices of at most ``count`` boxes, best first, ties in their order.

    A box is dropped if its intersection over union with a better one exceeds ``overlap``.
    Coordinates are inclusive: a box is xmax - xmin + 1 wide.
    """
    order = np.argsort(-scores, kind="stable")
    return np.asarray(_suppress(np.ascontiguousarray(boxes[order]), order, overlap, count))


def add_up(boxes: PixelBoxes, scores: WindowScores, shape: tuple[int, int]) -> NDArray[np.float64]:
    """(H, W) sum of the scores of the windows that contain each pixel."""
    corners = np.zeros((shape[0] + 1, shape[1] + 1))
    left, top, right, bottom = boxes.T
    np.add.at(corners, (top, left), scores)
    np.add.at(corners, (bottom + 1, right + 1), scores)
    np.add.at(corners, (top, right + 1), -scores)
    np.add.at(corners, (bottom + 1, left), -scores)
    summed = corners.cumsum(axis=0).cumsum(axis=1)[:-1, :-1]
    return np.asarray(np.maximum(summed, 0.0))


@jit
def _strip(total: Any, number: Any, top: Any, bottom: Any, values: Any, counts: Any) -> None:
    """Prefix sums along x over the rows top..bottom - 1, of the map and of the pixel count."""
    for x in range(len(values)):
        values[x] = total[bottom, x] - total[top, x]
        counts[x] = number[bottom, x] - number[top, x]


@jit
def _size_masses(values: Any, counts: Any, least: Any, masses: Any) -> None:
    """Sum of value x count / width over the windows of each width in a strip of rows."""
    width = len(values) - 1
    for size in range(least, width + 1):
        mass = 0.0
        for left in range(width + 1 - size):
            right = left + size
            mass += (values[right] - values[left]) * (counts[right] - counts[left])
        masses[size] = mass / size


@jit
def _strip_sums(total: Any, number: Any, least_height: Any, least_width: Any) -> Any:
    """Sum of the scores of all windows of each strip of rows; strips by top, then bottom row."""
    height, width = total.shape[0] - 1, total.shape[1] - 1
    rows = max(0, height - least_height + 1)
    sums = np.zeros(rows * (rows + 1) // 2)
    values, counts, masses = np.empty(width + 1), np.empty(width + 1), np.zeros(width + 1)
    strip = 0
    for top in range(rows):
        for bottom in range(top + least_height, height + 1):
            _strip(total, number, top, bottom, values, counts)
            _size_masses(values, counts, least_width, masses)
            sums[strip] = masses.sum() / (bottom - top)
            strip += 1
    return sums


@jit
def _pick(
    total: Any, number: Any, least_height: Any, least_width: Any, strips: Any, rests: Any
) -> Any:
    """The window of each draw, (n, 4), and its score; strips ascend.

    The rest of a draw is its place in the cumulated scores of its strip, where windows are ordered
    by width, then by left edge. If rounding puts it beyond the end, the last window with a score is
    taken.
    """
    height, width = total.shape[0] - 1, total.shape[1] - 1
    boxes, scores = np.empty((len(strips), 4), np.int64), np.empty(len(strips))
    values, counts, masses = np.empty(width + 1), np.empty(width + 1), np.zeros(width + 1)
    strip, k = 0, 0
    for top in range(max(0, height - least_height + 1)):
        for bottom in range(top + least_height, height + 1):
            if k < len(strips) and strips[k] == strip:
                _strip(total, number, top, bottom, values, counts)
                _size_masses(values, counts, least_width, masses)
            while k < len(strips) and strips[k] == strip:
                left, size, mass = _find(values, counts, masses, rests[k] * (bottom - top))
                scores[k] = mass / (size * (bottom - top))
                boxes[k, 0], boxes[k, 1] = left, top
                boxes[k, 2], boxes[k, 3] = left + size - 1, bottom - 1
                k += 1
            strip += 1
    return boxes, scores


@jit
def _find(values: Any, counts: Any, masses: Any, rest: Any) -> Any:
    """Left edge, width and value x count of the window of a strip into which ``rest`` falls."""
    size = _reach(masses, rest)
    for smaller in range(size):
        rest -= masses[smaller]
    rest *= size
    left = 0
    for place in range(len(values) - size):
        score = (values[place + size] - values[place]) * (counts[place + size] - counts[place])
        if score > 0.0:
            left = place
            if rest < score:
                break
            rest -= score
    mass = (values[left + size] - values[left]) * (counts[left + size] - counts[left])
    return left, size, mass


@jit
def _reach(masses: Any, rest: Any) -> Any:
    """Index of the mass into which ``rest`` falls; the last positive one if it falls beyond."""
    found = 0
    for k in range(len(masses)):
        if masses[k] > 0.0:
            found = k
            if rest < masses[k]:
                break
            rest -= masses[k]
    return found


@jit
def _suppress(boxes: Any, order: Any, overlap: Any, count: Any) -> Any:
    kept = np.empty(min(count, len(boxes)), np.int64)
    areas = np.empty(len(boxes))
    found = 0
    for n in range(len(boxes)):
        if found == len(kept):
            break
        left, top, right, bottom = boxes[n]
        areas[n] = (right - left + 1) * (bottom - top + 1)
        good = True
        for k in range(found):
            other = kept[k]
            wide = min(right, boxes[other, 2]) - max(left, boxes[other, 0]) + 1
            if wide <= 0:
                continue
            high = min(bottom, boxes[other, 3]) - max(top, boxes[other, 1]) + 1
            if high <= 0:
                continue
            shared = wide * high
            if shared > overlap * (areas[n] + areas[other] - shared):
                good = False
                break
        if good:
            kept[found] = n
            found += 1
    return order[kept[:found]]
