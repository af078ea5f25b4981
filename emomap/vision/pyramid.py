"""The dyadic pyramid of GBVS and Itti-Koch: six-tap low-pass filter and factor-two subsampling.

An output pixel k lies between inputs 2k and 2k+1 and weighs inputs 2k-2..2k+3 with
[1 5 10 10 5 1]/32; kernels cut off at a border are renormalised. Columns are halved first, then
rows, and each pass is stored as float32, as in the original (sums are taken in double precision:
the DKL colour space quantises these values, so the last bit matters).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.jit import jit

#: Sides up to this length are not halved any further.
SMALLEST = 10

Planes = NDArray[np.float32]


def image_pyramid(image: NDArray[Any], levels: int, *, color: bool) -> list[Planes]:
    """Levels 0..``levels`` of an image; level l is 2^-l of the image. Level 0 is left out (empty).

    Args:
        image: (H, W, 3) or (H, W), uint8 or float in 0..1, as `check_image` returns it.
        levels: the last level.
        color: True for the planes red, green, blue, intensity; False for intensity alone. The
            intensity is the largest of the three at full resolution.

    Returns:
        one (P, h, w) float32 array a level, P = 4 or 1.
    """
    stacked = image if image.ndim == 3 else image[:, :, None]
    pyramid = [np.empty((0, 0, 0), np.float32), _first_level(stacked, color)]
    while len(pyramid) <= levels:
        pyramid.append(halve(pyramid[-1]))
    return pyramid


def _first_level(image: NDArray[Any], color: bool) -> Planes:
    scale = np.float32(255.0 if image.dtype == np.uint8 else 1.0)
    if image.shape[2] == 1:
        color = False
    if min(image.shape[:2]) > SMALLEST:
        return np.asarray(_halve_image(image, scale, color))
    unit = np.asarray(image / scale, dtype=np.float32)
    intensity = unit.max(axis=2)[None]
    return np.concatenate([unit.transpose(2, 0, 1), intensity]) if color else intensity


def halve(planes: Planes) -> Planes:
    """Halve (P, h, w) float32 planes to (P, h//2, w//2); small ones stay as they are."""
    if min(planes.shape[1:]) <= SMALLEST:
        return planes
    return np.asarray(_halve_planes(np.ascontiguousarray(planes, dtype=np.float32)))


@jit
def _halve_row(row: Any, even: Any, odd: Any, out: Any) -> None:
    length = row.shape[0]
    half = length // 2
    for k in range(half):
        even[k] = row[2 * k]
        odd[k] = row[2 * k + 1]
    for k in range(1, half - 1):
        inner = 10.0 * (even[k] + odd[k])
        middle = 5.0 * (odd[k - 1] + even[k + 1])
        out[k] = (even[k - 1] + odd[k + 1] + middle + inner) / 32.0
    out[0] = (10.0 * (even[0] + odd[0]) + 5.0 * even[1] + odd[1]) / 26.0
    k = half - 1
    near = even[k - 1] + 5.0 * odd[k - 1] + 10.0 * (even[k] + odd[k])
    if length % 2 == 0:
        out[k] = near / 26.0
    else:
        out[k] = (near + 5.0 * np.float64(row[length - 1])) / 31.0


@jit
def _halve_rows(tall: Any, out: Any) -> None:
    height, width = tall.shape
    half = height // 2
    for k in range(1, half - 1):
        for x in range(width):
            inner = 10.0 * (np.float64(tall[2 * k, x]) + np.float64(tall[2 * k + 1, x]))
            middle = 5.0 * (np.float64(tall[2 * k - 1, x]) + np.float64(tall[2 * k + 2, x]))
            outer = np.float64(tall[2 * k - 2, x]) + np.float64(tall[2 * k + 3, x])
            out[k, x] = (outer + middle + inner) / 32.0
    for x in range(width):
        first = 10.0 * (np.float64(tall[0, x]) + np.float64(tall[1, x]))
        out[0, x] = (first + 5.0 * np.float64(tall[2, x]) + np.float64(tall[3, x])) / 26.0
        top = 2 * half - 4
        near = np.float64(tall[top, x]) + 5.0 * np.float64(tall[top + 1, x])
        near += 10.0 * (np.float64(tall[top + 2, x]) + np.float64(tall[top + 3, x]))
        if height % 2 == 0:
            out[half - 1, x] = near / 26.0
        else:
            out[half - 1, x] = (near + 5.0 * np.float64(tall[height - 1, x])) / 31.0


@jit
def _halve_planes(planes: Any) -> Any:
    count, height, width = planes.shape
    out = np.empty((count, height // 2, width // 2), np.float32)
    tall = np.empty((height, width // 2), np.float32)
    even = np.empty(width // 2)
    odd = np.empty(width // 2)
    for p in range(count):
        for y in range(height):
            _halve_row(planes[p, y], even, odd, tall[y])
        _halve_rows(tall, out[p])
    return out


@jit
def _halve_image(image: Any, scale: Any, color: Any) -> Any:
    height, width, bands = image.shape
    count = bands + 1 if color else 1
    out = np.empty((count, height // 2, width // 2), np.float32)
    tall = np.empty((count, height, width // 2), np.float32)
    even = np.empty(width // 2)
    odd = np.empty(width // 2)
    row = np.empty((bands + 1, width), np.float32)
    for y in range(height):
        for x in range(width):
            most = np.float32(0.0)
            for b in range(bands):
                value = np.float32(image[y, x, b]) / scale
                row[b, x] = value
                most = max(most, value)
            row[bands, x] = most
        for p in range(count):
            _halve_row(row[bands + 1 - count + p], even, odd, tall[p, y])
    for p in range(count):
        _halve_rows(tall[p], out[p])
    return out
