"""Symmetry of an image as numbers: bilateral, rotational, radial.

Bilateral and rotational symmetry after Loy & Eklundh (ECCV 2006): pairs of SIFT keypoints that look
alike (once one is mirrored, or turned) vote for an axis or a centre. Radial symmetry after Loy &
Zelinsky (PAMI 2003): every pixel votes along its gradient for the centre of a round object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emomap.vision.arrays import Array

#: Number of the largest keypoints that are paired; the number of pairs grows with its square.
MOST = 300
#: Number of peaks that are described.
PEAKS = 3
#: Radii in pixels of the votes for radial symmetry.
RADII = (4, 8, 16)
#: Rows and columns of the grid of radial symmetry.
CELLS = 6


@dataclass(frozen=True)
class Keypoints:
    """SIFT keypoints.

    Attributes:
        places: (N, 2), columns x and y, in pixels.
        scales, angles: (N,), angles in radians.
        descriptors: (N, 128), of length one.
    """

    places: Array
    scales: Array
    angles: Array
    descriptors: Array


def keypoints(grey: Array) -> Keypoints:
    """The keypoints of a grey image (H, W) in 0..1; none for a flat image."""
    from skimage.feature import SIFT

    sift: Any = SIFT(upsampling=1)  # type: ignore[no-untyped-call, unused-ignore]
    try:
        sift.detect_and_extract(grey)
    except RuntimeError:  # scikit-image raises it for an image without keypoints
        empty = np.zeros(0)
        return Keypoints(np.zeros((0, 2)), empty, empty, np.zeros((0, 128)))
    first = np.argsort(-sift.sigmas, kind="stable")[:MOST]
    descriptors = sift.descriptors[first].astype(np.float64)
    descriptors /= np.maximum(np.linalg.norm(descriptors, axis=1, keepdims=True), 1e-12)
    return Keypoints(
        sift.positions[first][:, ::-1].astype(np.float64),
        sift.sigmas[first].astype(np.float64),
        # scikit-image measures angles from the row axis, to the end of a bin of 10 degrees
        np.pi / 2 - (sift.orientations[first].astype(np.float64) - np.pi / 36),
        descriptors,
    )


def mirrored(descriptors: Array) -> Array:
    """The descriptors of the same keypoints in the mirrored image, (N, 128).

    A descriptor holds 4x4 histograms of 8 directions, relative to the direction of its keypoint.
    Mirroring reverses the rows across that direction and the sense of the angles.
    """
    bins = descriptors.reshape(-1, 4, 4, 8)
    turned = bins[:, :, ::-1, :][..., (-np.arange(8)) % 8]
    return np.ascontiguousarray(turned.reshape(len(descriptors), 128))


def bilateral(points: Keypoints, shape: tuple[int, int]) -> Array:
    """Mirror symmetry, 12 numbers.

    Number of pairs, their weight, and the entropy of the axes' places; then offset (share of the
    diagonal), angle (share of half a turn) and weight of the three strongest axes.
    """
    one, other = _pairs(points, mirrored(points.descriptors))
    middle = np.array([shape[1] - 1, shape[0] - 1]) / 2
    a, b = points.places[one], points.places[other]
    toward = np.arctan2(b[:, 1] - a[:, 1], b[:, 0] - a[:, 0])
    # symmetric if the angles of the two, measured from the line between them, are opposite
    phase = 1 - np.cos(points.angles[one] + points.angles[other] - 2 * toward)
    weight = np.maximum(phase, 0) / 2 * _alike(points, one, other)
    normal = np.mod(toward, np.pi)
    centre = (a + b) / 2 - middle
    offset = centre[:, 0] * np.cos(normal) + centre[:, 1] * np.sin(normal)
    diagonal = float(np.hypot(*shape))
    votes = _histogram(offset / diagonal + 0.5, normal / np.pi, weight)
    return _describe(votes, len(one), weight)


def rotational(points: Keypoints, shape: tuple[int, int]) -> Array:
    """Rotational symmetry, 12 numbers.

    Number of pairs, their weight, and the entropy of the centres' places; then x, y (shares of the
    sides) and weight of the three strongest centres.
    """
    one, other = _pairs(points, points.descriptors)
    turn = points.angles[other] - points.angles[one]
    a, b = points.places[one], points.places[other]
    half = np.tan(turn / 2)
    usable = np.abs(np.sin(turn / 2)) > 0.05  # otherwise the centre lies at infinity
    one, other, a, b, half = one[usable], other[usable], a[usable], b[usable], half[usable]
    across = np.stack([-(b - a)[:, 1], (b - a)[:, 0]], axis=1)
    centre = (a + b) / 2 + across / (2 * half[:, None])
    x, y = centre[:, 0] / shape[1], centre[:, 1] / shape[0]
    inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
    weight = _alike(points, one, other)[inside]
    return _describe(_histogram(x[inside], y[inside], weight), int(inside.sum()), weight)


def radial(grey: Array) -> Array:
    """Radial symmetry, 36 numbers: its share in each cell of a 6x6 grid, row by row."""
    found = radial_map(grey)
    rows = np.array_split(found, CELLS, axis=0)
    cells = [[cell.sum() for cell in np.array_split(row, CELLS, axis=1)] for row in rows]
    total = found.sum()
    return np.asarray(cells).ravel() / total if total > 0 else np.zeros(CELLS * CELLS)


def radial_map(grey: Array) -> Array:
    """Fast radial symmetry of a grey image in 0..1: (H, W), non-negative."""
    down, across = ndimage.sobel(grey, axis=0), ndimage.sobel(grey, axis=1)
    strength = np.hypot(down, across)
    total = np.zeros(grey.shape)
    strong = strength > max(0.1 * strength.max(), 1e-9)
    if not strong.any():
        return total
    rows, columns = np.nonzero(strong)
    size = strength[strong]
    step = np.stack([down[strong], across[strong]]) / size
    height, width = grey.shape
    for radius in RADII:
        orientation, magnitude = np.zeros(grey.shape), np.zeros(grey.shape)
        for sign in (1, -1):  # bright objects, and dark ones
            to_row = np.rint(rows + sign * radius * step[0]).astype(np.int64)
            to_column = np.rint(columns + sign * radius * step[1]).astype(np.int64)
            hit = (to_row >= 0) & (to_row < height) & (to_column >= 0) & (to_column < width)
            np.add.at(orientation, (to_row[hit], to_column[hit]), sign)
            np.add.at(magnitude, (to_row[hit], to_column[hit]), sign * size[hit])
        limit = 9.9  # on the votes for one pixel, as in the paper for radii above 1
        share = np.minimum(np.abs(orientation), limit) / limit
        total += ndimage.gaussian_filter(np.abs(magnitude) * share**2, radius / 4)
    return total


def _pairs(points: Keypoints, targets: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of each keypoint and the one with the nearest target descriptor, over 2 px away."""
    count = len(points.scales)
    if count < 2:
        none = np.zeros(0, dtype=np.int64)
        return none, none
    likeness = points.descriptors @ targets.T
    apart = np.hypot(*(points.places[:, None] - points.places[None]).transpose(2, 0, 1)) > 2
    likeness = np.where(apart, likeness, -1)
    other = likeness.argmax(axis=1)
    one = np.arange(count)
    good = likeness[one, other] > 0.8
    return one[good], other[good]


def _alike(points: Keypoints, one: NDArray[np.int64], other: NDArray[np.int64]) -> Array:
    """Similarity of the sizes of the keypoints of each pair, in 0..1."""
    a, b = points.scales[one], points.scales[other]
    return np.exp(-((np.abs(a - b) / np.maximum(a + b, 1e-12)) ** 2))


def _histogram(u: Array, v: Array, weight: Array) -> Array:
    """Smoothed votes on a 32x32 grid over the unit square."""
    votes, _, _ = np.histogram2d(u, v, bins=32, range=((0, 1), (0, 1)), weights=weight)
    return np.asarray(ndimage.gaussian_filter(votes, 1.0))


def _describe(votes: Array, count: int, weight: Array) -> Array:
    total = votes.sum()
    if total <= 0:
        return np.zeros(3 + 3 * PEAKS)
    share = votes / total
    entropy = -(share[share > 0] * np.log(share[share > 0])).sum() / np.log(votes.size)
    numbers = [float(count), float(weight.sum()), float(entropy)]
    left = votes.copy()
    for _ in range(PEAKS):
        row, column = np.unravel_index(left.argmax(), left.shape)
        numbers += [(row + 0.5) / 32, (column + 0.5) / 32, left[row, column] / total]
        left[max(row - 3, 0) : row + 4, max(column - 3, 0) : column + 4] = 0
    return np.array(numbers, dtype=np.float64)
