"""The dyadic pyramid of GBVS and Itti-Koch: six-tap low-pass filter and factor-two subsampling.

Output pixel k lies between inputs 2k and 2k+1 and weights inputs 2k-2..2k+3 by [1 5 10 10 5 1]/32;
kernels cut off by a border are renormalised. Columns are halved first, then rows, and each pass is
stored as float32, as in the original. Sums are in double precision, since the DKL colour space
quantises these values and the last bit matters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.jit import jit

#: A picture with a side of at most this length is not halved.
SMALLEST = 10
Planes = NDArray[np.float32]


def image_pyramid(image: NDArray[Any], levels: int, *, color: bool) -> list[Planes]:
    """Levels 0..``levels`` of an image; level l is 2^-l of the image. Level 0 is left empty.

    Args:
        image: (H, W, 3) or (H, W), from `check_image`: uint8 or float in 0..1.
        levels: the last level.
        color: True for the planes red, green, blue and intensity; False for intensity alone.
            Intensity is the largest of the three colours at full resolution.

    Returns:
        A (P, h, w) float32 array for each level, P = 4 or 1.
    """
    stacked = image if image.ndim == 3 else image[:, :, None]
    pyramid = [np.empty((0, 0, 0), np.float32), _first_level(stacked, color)]
    while len(pyramid) <= levels:
        pyramid.append(halve(pyramid[-1]))
    return pyramid


def halve(planes: Planes) -> Planes:
    """Halve (P, h, w) float32 planes to (P, h//2, w//2); small planes are returned unchanged."""
    if min(planes.shape[1:]) <= SMALLEST:
        return planes
    return np.asarray(_halve_planes(np.ascontiguousarray(planes, dtype=np.float32)))


def _first_level(image: NDArray[Any], color: bool) -> Planes:
    scale = np.float32(255.0 if image.dtype == np.uint8 else 1.0)
    color = color and image.shape[2] == 3
    if min(image.shape[:2]) > SMALLEST:
        return np.asarray(_halve_image(image, scale, color))
    unit = np.asarray(image / scale, dtype=np.float32)
    intensity = unit.max(axis=2)[None]
    return np.concatenate([unit.transpose(2, 0, 1), intensity]) if color else intensity


@jit
def _halve_row(even: Any, odd: Any, last: Any, out: Any) -> None:
    """Halve a row, given as its pixels 0, 2, 4, ... and 1, 3, 5, ... (faster, since contiguous).

    ``last`` holds the last pixel of a row of odd length, and nothing otherwise.
    """
    half = len(odd)
    for k in range(1, half - 1):
        inner = np.float64(even[k]) + np.float64(odd[k])
        middle = np.float64(odd[k - 1]) + np.float64(even[k + 1])
        outer = np.float64(even[k - 1]) + np.float64(odd[k + 1])
        out[k] = (outer + 5.0 * middle + 10.0 * inner) / 32.0
    inner = np.float64(even[0]) + np.float64(odd[0])
    out[0] = (10.0 * inner + 5.0 * np.float64(even[1]) + np.float64(odd[1])) / 26.0
    k = half - 1
    inner = np.float64(even[k]) + np.float64(odd[k])
    near = 10.0 * inner + 5.0 * np.float64(odd[k - 1]) + np.float64(even[k - 1])
    if len(last) == 0:
        out[k] = near / 26.0
    else:
        out[k] = (near + 5.0 * np.float64(last[0])) / 31.0


@jit
def _halve_rows(tall: Any, out: Any) -> None:
    """Halve the height of a plane."""
    height, width = tall.shape
    half = height // 2
    for k in range(1, half - 1):
        for x in range(width):
            inner = np.float64(tall[2 * k, x]) + np.float64(tall[2 * k + 1, x])
            middle = np.float64(tall[2 * k - 1, x]) + np.float64(tall[2 * k + 2, x])
            outer = np.float64(tall[2 * k - 2, x]) + np.float64(tall[2 * k + 3, x])
            out[k, x] = (outer + 5.0 * middle + 10.0 * inner) / 32.0
    top = 2 * half - 4
    for x in range(width):
        inner = np.float64(tall[0, x]) + np.float64(tall[1, x])
        out[0, x] = (10.0 * inner + 5.0 * np.float64(tall[2, x]) + np.float64(tall[3, x])) / 26.0
        inner = np.float64(tall[top + 2, x]) + np.float64(tall[top + 3, x])
        near = 10.0 * inner + 5.0 * np.float64(tall[top + 1, x]) + np.float64(tall[top, x])
        if height % 2 == 0:
            out[half - 1, x] = near / 26.0
        else:
            out[half - 1, x] = (near + 5.0 * np.float64(tall[height - 1, x])) / 31.0


@jit
def _halve_planes(planes: Any) -> Any:
    count, height, width = planes.shape
    half = width // 2
    out = np.empty((count, height // 2, half), np.float32)
    tall = np.empty((height, half), np.float32)
    even, odd = np.empty(half, np.float32), np.empty(half, np.float32)
    for p in range(count):
        for y in range(height):
            for k in range(half):
                even[k] = planes[p, y, 2 * k]
                odd[k] = planes[p, y, 2 * k + 1]
            _halve_row(even, odd, planes[p, y, 2 * half :], tall[y])
        _halve_rows(tall, out[p])
    return out


@jit
def _halve_image(image: Any, scale: Any, color: Any) -> Any:
    """Planes of the first level, row by row, so that the full size is never stored as floats."""
    height, width, bands = image.shape
    half = width // 2
    first = 0 if color else bands
    out = np.empty((bands + 1 - first, height // 2, half), np.float32)
    tall = np.empty((bands + 1 - first, height, half), np.float32)
    even, odd = np.empty((bands + 1, half), np.float32), np.empty((bands + 1, half), np.float32)
    last = np.empty((bands + 1, width % 2), np.float32)
    for y in range(height):
        _split(image, y, scale, even, odd, last)
        for p in range(first, bands + 1):
            _halve_row(even[p], odd[p], last[p], tall[p - first, y])
    for p in range(bands + 1 - first):
        _halve_rows(tall[p], out[p])
    return out


@jit
def _split(image: Any, y: Any, scale: Any, even: Any, odd: Any, last: Any) -> None:
    """The bands of a row in 0..1, then the largest of the bands, in the form of `_halve_row`."""
    width, bands = image.shape[1:]
    if bands == 3:
        for k in range(width // 2):
            red = np.float32(image[y, 2 * k, 0]) / scale
            green = np.float32(image[y, 2 * k, 1]) / scale
            blue = np.float32(image[y, 2 * k, 2]) / scale
            even[0, k], even[1, k], even[2, k] = red, green, blue
            even[3, k] = max(red, max(green, blue))
            red = np.float32(image[y, 2 * k + 1, 0]) / scale
            green = np.float32(image[y, 2 * k + 1, 1]) / scale
            blue = np.float32(image[y, 2 * k + 1, 2]) / scale
            odd[0, k], odd[1, k], odd[2, k] = red, green, blue
            odd[3, k] = max(red, max(green, blue))
    else:
        for k in range(width // 2):
            even[0, k] = even[1, k] = np.float32(image[y, 2 * k, 0]) / scale
            odd[0, k] = odd[1, k] = np.float32(image[y, 2 * k + 1, 0]) / scale
    for k in range(width % 2):
        last[bands, k] = np.float32(0.0)
        for b in range(bands):
            last[b, k] = np.float32(image[y, width - 1, b]) / scale
            last[bands, k] = max(last[bands, k], last[b, k])
