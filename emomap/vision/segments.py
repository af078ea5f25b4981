"""Superpixels by minimum spanning forest (Felzenszwalb & Huttenlocher, IJCV 2004).

Pixels are nodes. Edges join each to its eight neighbours, weighted by the difference of colours.
From light to heavy, an edge merges two regions if it is no heavier than each region's heaviest
inner edge plus k / (size of the region). Regions that are too small then merge along the lightest
edge.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.jit import jit


def segment(image: NDArray[Any], *, sigma: float, scale: float, min_area: int) -> NDArray[np.int32]:
    """Label the superpixels of an image.

    Args:
        image: (H, W, 3) or (H, W), from `check_image`: uint8 or float in 0..1.
        sigma: standard deviation in pixels of the first blur.
        scale: k, larger for larger regions; for colours in 0..255.
        min_area: smallest region in pixels.

    Returns:
        (H, W) int32, labels 0, 1, ... by the order of their first pixels.
    """
    planes = image[:, :, None] if image.ndim == 2 else image
    factor = np.float32(1.0 if image.dtype == np.uint8 else 255.0)
    taps = _taps(sigma)
    smooth = np.empty((*image.shape[:2], 3), np.float32)
    for c in range(3):
        smooth[..., c] = _smooth(planes[..., c % planes.shape[2]] * factor, taps)
    weights = _edge_weights(smooth)
    order = _ascending(weights.view(np.uint32))
    height, width = image.shape[:2]
    return np.asarray(_forest(weights, order, height, width, np.float32(scale), min_area))


def _taps(sigma: float) -> NDArray[np.float32]:
    radius = max(1, math.ceil(4 * sigma))
    half = np.exp(-0.5 * (np.arange(radius + 1) / sigma) ** 2).astype(np.float32)
    half /= 2 * half.sum() - half[0]
    return np.concatenate([half[:0:-1], half])


def _smooth(plane: NDArray[Any], taps: NDArray[np.float32]) -> NDArray[np.float32]:
    radius = len(taps) // 2
    values = np.ascontiguousarray(plane, dtype=np.float32)
    for axis in (1, 0):
        pads = [(0, 0), (0, 0)]
        pads[axis] = (radius, radius)
        padded = np.pad(values, pads, mode="edge")
        length = values.shape[axis]
        total = np.zeros_like(values)
        for offset, tap in enumerate(taps):
            part = slice(offset, offset + length)
            total += tap * (padded[part] if axis == 0 else padded[:, part])
        values = total
    return values


@jit
def _difference(smooth: Any, ya: Any, xa: Any, yb: Any, xb: Any) -> Any:
    total = np.float32(0.0)
    for c in range(3):
        step = smooth[ya, xa, c] - smooth[yb, xb, c]
        total += step * step
    return np.sqrt(total)


@jit
def _edge_weights(smooth: Any) -> Any:
    """(4 H W,) weights of the edges from each pixel to the right, down, down-right and up-right.

    Edges that would leave the image have infinite weight.
    """
    height, width, _ = smooth.shape
    weights = np.full(4 * height * width, np.float32(np.inf), np.float32)
    size = height * width
    for y in range(height):
        for x in range(width):
            pixel = y * width + x
            if x + 1 < width:
                weights[pixel] = _difference(smooth, y, x, y, x + 1)
            if y + 1 < height:
                weights[size + pixel] = _difference(smooth, y, x, y + 1, x)
            if x + 1 < width and y + 1 < height:
                weights[2 * size + pixel] = _difference(smooth, y, x, y + 1, x + 1)
            if x + 1 < width and y > 0:
                weights[3 * size + pixel] = _difference(smooth, y, x, y - 1, x + 1)
    return weights


@jit
def _ascending(keys: Any) -> Any:
    """Stable order of non-negative floats by their bits: radix sort, three passes of 11 bits."""
    count = len(keys)
    order = np.arange(count).astype(np.int32)
    other = np.empty(count, np.int32)
    for turn in range(3):
        shift = np.uint32(11 * turn)
        starts = np.zeros(2049, np.int64)
        for key in keys:
            starts[((key >> shift) & np.uint32(2047)) + 1] += 1
        for k in range(2048):
            starts[k + 1] += starts[k]
        for index in order:
            digit = (keys[index] >> shift) & np.uint32(2047)
            other[starts[digit]] = index
            starts[digit] += 1
        order, other = other, order
    return order


@jit
def _root(parent: Any, node: Any) -> Any:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node


@jit
def _ends(edge: Any, size: Any, width: Any) -> Any:
    direction = edge // size
    pixel = edge - direction * size
    if direction == 0:
        return pixel, pixel + 1
    if direction == 1:
        return pixel, pixel + width
    if direction == 2:
        return pixel, pixel + width + 1
    return pixel, pixel - width + 1


@jit
def _join(parent: Any, area: Any, a: Any, b: Any) -> Any:
    if area[a] < area[b]:
        a, b = b, a
    parent[b] = a
    area[a] += area[b]
    return a


@jit
def _forest(weights: Any, order: Any, height: Any, width: Any, scale: Any, min_area: Any) -> Any:
    size = height * width
    parent = np.arange(size).astype(np.int32)
    area = np.ones(size, np.int32)
    limit = np.full(size, scale, np.float32)
    for edge in order:
        weight = weights[edge]
        if weight == np.inf:
            break
        start, end = _ends(edge, size, width)
        a, b = _root(parent, start), _root(parent, end)
        if a != b and weight <= limit[a] and weight <= limit[b]:
            a = _join(parent, area, a, b)
            limit[a] = weight + scale / np.float32(area[a])
    for edge in order:
        if weights[edge] == np.inf:
            break
        start, end = _ends(edge, size, width)
        a, b = _root(parent, start), _root(parent, end)
        if a != b and (area[a] < min_area or area[b] < min_area):
            _join(parent, area, a, b)
    names = np.full(size, -1, np.int32)
    labels = np.empty((height, width), np.int32)
    count = 0
    for pixel in range(size):
        root = _root(parent, pixel)
        if names[root] < 0:
            names[root] = count
            count += 1
        labels[pixel // width, pixel % width] = names[root]
    return labels
