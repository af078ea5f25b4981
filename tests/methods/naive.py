"""GBVS, Itti-Koch and simpsal as slow, plain code, to test against.

One pixel, one pair of cells, one matrix at a time: nothing here is shared with the package.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Map = NDArray[Any]


def half_up(value: float) -> int:
    return int(np.floor(value + 0.5))


def mat2gray(a: Map) -> Map:
    low, high = a.min(), a.max()
    return np.clip(a, 0, 1) if low == high else (a - low) / (high - low)


def keys(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x <= 2 else 0.0


def resize_rows(a: Map, size: int) -> Map:
    length = len(a)
    scale = size / length
    shrink = min(scale, 1.0)
    out = np.zeros((size, a.shape[1]))
    for i in range(1, size + 1):
        centre = (i - 0.5) / scale + 0.5
        taps = range(int(np.floor(centre - 2 / shrink)) - 1, int(np.ceil(centre + 2 / shrink)) + 2)
        weights = [keys(shrink * (centre - t)) for t in taps]
        for t, weight in zip(taps, weights, strict=True):
            mirrored = (t - 1) % (2 * length)
            source = mirrored if mirrored < length else 2 * length - 1 - mirrored
            out[i - 1] += weight / sum(weights) * a[source]
    return out


def resize(a: Map, shape: tuple[int, int]) -> Map:
    return resize_rows(resize_rows(a, shape[0]).T, shape[1]).T


def halve_rows(a: Map) -> Map:
    """Six taps, cut off at the border and renormalised; an odd last row has no output."""
    taps = np.array([1.0, 5, 10, 10, 5, 1])
    length = len(a)
    out = np.zeros((length // 2, a.shape[1]), np.float32)
    for k in range(length // 2):
        inside = [(t, 2 * k - 2 + t) for t in range(6) if 0 <= 2 * k - 2 + t < length]
        total = sum(taps[t] for t, _ in inside)
        out[k] = sum(taps[t] * a[source].astype(np.float64) for t, source in inside) / total
    return out


def halve(a: Map) -> Map:
    a = a.astype(np.float32)
    return a if min(a.shape) <= 10 else halve_rows(halve_rows(a.T).T)


def attenuate(a: Map, border: int) -> Map:
    for side in a.shape:
        if 2 * border > side:
            border = side // 2
    a = a.copy()
    for i in range(border):
        for line in (a[i], a[-1 - i], a[:, i], a[:, -1 - i]):
            line *= (i + 1) / (border + 1)
    return a


def blur(a: Map, sigma: float, truncate: float) -> Map:
    radius = half_up(sigma * truncate)
    x = np.arange(-radius, radius + 1)
    taps = np.exp(-(x**2) / (2 * sigma**2)) if radius else np.ones(1)
    taps = taps / taps.sum()
    padded = np.pad(a, radius, mode="edge")
    rows = np.array([np.convolve(row, taps, "valid") for row in padded])
    return np.array([np.convolve(column, taps, "valid") for column in rows.T]).T


def orientation(intensity: Map, angle: float) -> Map:
    theta = np.deg2rad(angle)
    y, x = np.mgrid[-13:14, -13:14].astype(float)
    across = y * np.cos(theta) - x * np.sin(theta)
    along = -y * np.sin(theta) - x * np.cos(theta)
    padded = np.pad(intensity.astype(np.float64), 13, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (27, 27))
    energy = np.zeros(intensity.shape)
    for phase in (0, np.pi / 2):
        kernel = np.cos(2 * across + phase) * np.exp(-(across**2) / 8 - along**2 / 32)
        kernel -= kernel.mean()
        kernel /= np.sqrt((kernel**2).sum())
        energy += np.abs((windows * kernel[::-1, ::-1]).sum(axis=(2, 3)))
    return attenuate(energy, 13)


def local_variance(intensity: Map, radius: int) -> Map:
    out = np.zeros(intensity.shape)
    for y, x in np.ndindex(intensity.shape):
        top, left = max(0, y - radius), max(0, x - radius)
        out[y, x] = intensity[top : y + radius + 1, left : x + radius + 1].astype(float).var()
    return out


def opponents(r: Map, g: Map, b: Map, intensity: Map) -> list[Map]:
    safe = np.where(intensity == 0, 1, intensity)
    pair = [np.abs(b - np.minimum(r, g)), np.abs(r - g)]
    return [np.where(intensity == 0, 0, one / safe) for one in pair]


def features(image: Map, channels: str, levels: list[int]) -> dict[str, list[dict[int, Map]]]:
    """Channel -> a dictionary (level -> map) for each type."""
    planes = [(image[..., k] / 255.0).astype(np.float32) for k in range(3)]
    planes.append((image.max(axis=2) / 255.0).astype(np.float32))
    pyramid = {0: planes}
    for level in range(1, max(levels) + 1):
        pyramid[level] = [halve(plane) for plane in pyramid[level - 1]]
    found: dict[str, list[dict[int, Map]]] = {}
    for letter in channels:
        by_level = {}
        for level in levels:
            r, g, b, i = (plane.astype(np.float64) for plane in pyramid[level])
            by_level[level] = {
                "C": lambda r=r, g=g, b=b, i=i: opponents(r, g, b, i),
                "I": lambda i=i: [i],
                "O": lambda i=i: [orientation(i, angle) for angle in (0, 45, 90, 135)],
                "R": lambda i=i: [local_variance(i, half_up(0.1 * len(i)) // 2)],
            }[letter]()
        found[letter] = [
            {level: by_level[level][kind] for level in levels}
            for kind in range(len(by_level[levels[0]]))
        ]
    return found


def chain(a: Map, sigma: float, tol: float) -> tuple[Map, int]:
    """Equilibrium and iterations of the activation chain, by its full matrix."""
    y, x = (axis.ravel() for axis in np.mgrid[: a.shape[0], : a.shape[1]])
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    values = a.ravel()
    weights = np.exp(-squared / (2 * sigma**2)) * np.abs(values[:, None] - values)
    return iterate(weights, a.shape, tol)


def second_chain(a: Map, sigma: float, tol: float) -> Map:
    y, x = (axis.ravel() for axis in np.mgrid[: a.shape[0], : a.shape[1]])
    squared = (y[:, None] - y) ** 2 + (x[:, None] - x) ** 2
    return iterate(np.exp(-squared / (2 * sigma**2)) * a.ravel()[:, None], a.shape, tol)[0]


def iterate(weights: Map, shape: tuple[int, ...], tol: float) -> tuple[Map, int]:
    if not weights.any():  # a constant map: no chain
        return np.full(shape, 1 / len(weights)), 0
    transition = weights / weights.sum(axis=0)
    state = np.full(len(weights), 1 / len(weights))
    count = 0
    while True:
        before, state = state, transition @ state
        count += 1
        if np.linalg.norm(state - before) <= tol:
            return (state / state.sum()).reshape(shape), count


def finish(total: Map, fraction: float) -> Map:
    master = mat2gray(attenuate(total, 4))
    return mat2gray(blur(master, fraction * max(total.shape), 2))


def gbvs(
    image: Map, channels: str = "IO", tol: float = 1e-4, graph: bool = False
) -> tuple[Map, list[Map], list[Map], list[int]]:
    """Master map, feature maps, equilibria, iterations."""
    shape = tuple(half_up(side * 32 / max(image.shape[:2])) for side in image.shape[:2])
    maps, equilibria, iterations = [], [], []
    total = np.zeros(shape)
    for kinds in features(image, channels, [2, 3, 4]).values():
        for kind in kinds:
            for map_ in kind.values():
                maps.append(resize(map_, shape))
                found, count = chain(maps[-1], 0.15 * sum(shape) / 2, tol)
                equilibria.append(found)
                iterations.append(count)
                total += second_chain(found, 0.06 * sum(shape) / 2, tol) if graph else found**1.5
    return finish(total, 0.02), maps, equilibria, iterations


def peaks(a: Map, threshold: float) -> list[float]:
    found = []
    for y in range(1, a.shape[0] - 1):
        for x in range(1, a.shape[1] - 1):
            near = (a[y - 1, x], a[y + 1, x], a[y, x - 1], a[y, x + 1])
            if a[y, x] >= threshold and a[y, x] >= max(near):
                found.append(a[y, x])
    return found


def normalize(a: Map) -> Map:
    a = 10 * mat2gray(a)
    found = peaks(a, 1)
    if len(found) > 1:
        return a * (10 - np.mean(found)) ** 2
    return a * 100 if found else a


def itti_koch(image: Map) -> Map:
    size = half_up(max(image.shape[:2]) / 8)
    shape = tuple(half_up(side * size / max(image.shape[:2])) for side in image.shape[:2])
    master = np.zeros(shape)
    for kinds in features(image, "CIO", [2, 3, 4, 5]).values():
        total = np.zeros(shape)
        for kind in kinds:
            for centre in (2, 3):
                surround = resize(kind[centre + 2], kind[centre].shape)
                total += normalize(mat2gray(resize((kind[centre] - surround) ** 2, shape)))
        master += normalize(total)
    return finish(master, 0.03)


def simpsal_weight(a: Map) -> float:
    found = peaks(mat2gray(a), 0.1)
    return float((1 - np.mean(found)) ** 2) if len(found) > 1 else 1.0


def simpsal(image: Map) -> Map:
    """With the channels I and O."""
    base = (half_up(64 * image.shape[0] / image.shape[1]), 64)
    scales = []
    for scale in (2, 1, 0.5):
        shape = (half_up(base[0] * scale), half_up(base[1] * scale))
        scales.append(sum(resize(image[..., k] / 255.0, shape) for k in range(3)) / 3)
    master = np.zeros(base)
    for letter in "IO":
        maps = []
        for picture in scales:
            kinds = [orientation(picture, a) for a in (0, 45, 90, 135)]
            for feature in [picture] if letter == "I" else kinds:
                total = np.zeros(picture.shape)
                for sigma in (2, 8):
                    difference = mat2gray((feature - blur(feature, sigma, 2)) ** 2)
                    total += simpsal_weight(difference) * difference
                maps.append(mat2gray(total))
        weights = [simpsal_weight(one) for one in maps]
        resized = [w * resize(one, base) for w, one in zip(weights, maps, strict=True)]
        channel = sum(resized) / sum(weights)
        master += simpsal_weight(channel) * channel
    return mat2gray(blur(master, 0.04 * base[0], 1.5))
