"""Principles of art as numbers: emphasis, harmony, variety, gradation, movement.

After Zhao et al. (ACM MM 2014), who describe 165 features in words. Balance is in
`emomap.vision.symmetry`. Where the words leave a choice, the functions say what they measure.
Colour names, focused attention and movement are surrogates: colour names use prototypes of our own
choice, the other two a saliency map of our own (spectral residual).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from emomap.vision.arrays import Array
from emomap.vision.filters import gaussian_blur, rescale
from emomap.vision.lab import lab
from emomap.vision.residual import spectral_residual

#: A typical colour, in CIELAB, of each of the eleven basic colour terms.
NAMES = {
    "black": (10, 0, 0),
    "blue": (35, 15, -50),
    "brown": (35, 18, 28),
    "grey": (55, 0, 0),
    "green": (48, -45, 38),
    "orange": (66, 38, 66),
    "pink": (74, 36, 4),
    "purple": (38, 42, -38),
    "red": (44, 62, 42),
    "white": (96, 0, 0),
    "yellow": (86, -4, 78),
}
#: Number of superpixels between which colour contrasts are measured.
SEGMENTS = 60
#: Number of places of a scan path.
STEPS = 8


def saliency(image: NDArray[np.uint8]) -> Array:
    """Spectral residual of the three CIELAB channels together, (H, W) in 0..1."""
    planes = np.moveaxis(lab(image, linear=True), -1, 0)
    energy = spectral_residual(planes).sum(axis=0)
    return np.asarray(rescale(gaussian_blur(energy, 0.03 * max(energy.shape), 4)))


# --- emphasis -----------------------------------------------------------------------------------


def contrasts(image: NDArray[np.uint8], hsv: Array) -> Array:
    """Itten's contrasts between superpixels, 15 numbers.

    Lightness and saturation (deviation and range of each), hue (spread, entropy), complements
    (share of opposite pairs, mean opposition), warm and cold (shares, deviation), extension
    (deviation of the areas of hues, share of hues in use), simultaneous contrast (grey next to
    colour: area, strength).
    """
    from skimage.segmentation import slic

    labels = slic(image, n_segments=SEGMENTS, compactness=10, start_label=0, channel_axis=2)
    count = int(labels.max()) + 1
    index = np.arange(count)
    area = np.bincount(labels.ravel(), minlength=count) / labels.size
    saturation, value = (ndimage.mean(hsv[..., k], labels, index) for k in (1, 2))
    turn = 2 * np.pi * hsv[..., 0]
    vector = np.exp(1j * turn) * hsv[..., 1]
    mean = ndimage.mean(vector.real, labels, index) + 1j * ndimage.mean(vector.imag, labels, index)
    hue, colour = np.angle(mean), np.abs(mean) * area
    total = max(float(colour.sum()), 1e-12)
    families = np.bincount(((hue + np.pi) / (2 * np.pi) * 12).astype(int) % 12, colour, 12) / total
    opposition = (1 - np.cos(hue[:, None] - hue[None])) / 2
    pairs = np.outer(colour, colour) / total**2
    warmth = np.cos(hue - np.pi / 6) * np.abs(mean)  # orange is warm, the opposite hue cold
    grey = saturation < 0.15
    vivid = float(saturation[~grey].max()) if (~grey).any() else 0.0
    return np.array(
        [
            value.std(),
            np.ptp(value),
            saturation.std(),
            np.ptp(saturation),
            1 - abs((colour * np.exp(1j * hue)).sum()) / total,
            _entropy(families),
            (pairs * (opposition > np.cos(np.pi / 12) ** 2)).sum(),
            (pairs * opposition).sum(),
            (area * (warmth > 0.05)).sum(),
            (area * (warmth < -0.05)).sum(),
            warmth.std(),
            families.std(),
            (families > 0.05).mean(),
            area[grey].sum(),
            area[grey].sum() * vivid,
        ]
    )


def focus(attention: Array) -> Array:
    """Rate of focused attention, 3 numbers: share of the saliency within each of three masks.

    The masks are discs around the points of the rule of thirds, around the points of the golden
    section, and around the centre.
    """
    height, width = attention.shape
    rows, columns = np.mgrid[:height, :width]
    y, x = rows / height, columns / width
    total = max(float(attention.sum()), 1e-12)
    shares = []
    for offsets in ((1 / 3, 2 / 3), (0.382, 0.618), (0.5,)):
        near = np.min([np.hypot(y - a, x - b) for a in offsets for b in offsets], axis=0)
        shares.append(float(attention[near < 0.12].sum()) / total)
    return np.array(shares)


# --- harmony, variety, gradation ----------------------------------------------------------------


def harmony(hsv: Array, grey: Array) -> Array:
    """Harmony of hues and of gradient directions, 2 numbers.

    At each place, exp(-|w_1 - w_2|) times the distance of the two strongest of 8 bins in a window,
    where w_1 and w_2 are their weights; then the mean over all places.
    """
    down, across = ndimage.sobel(grey, axis=0), ndimage.sobel(grey, axis=1)
    direction = np.mod(np.arctan2(down, across), 2 * np.pi) / (2 * np.pi)
    numbers = []
    for turn, weight in ((hsv[..., 0], hsv[..., 1]), (direction, np.hypot(down, across))):
        bins = np.minimum((turn * 8).astype(int), 7)
        planes = np.stack([np.where(bins == k, weight, 0.0) for k in range(8)])
        local = ndimage.uniform_filter(planes, (0, 15, 15))
        local /= np.maximum(local.sum(axis=0), 1e-9)
        order = np.argsort(local, axis=0)
        first, second = order[-1], order[-2]
        gap = np.take_along_axis(local, first[None], 0) - np.take_along_axis(local, second[None], 0)
        apart = np.abs(first - second)
        apart = np.minimum(apart, 8 - apart) / 4
        numbers.append(float((np.exp(-gap[0]) * apart).mean()))
    return np.array(numbers)


def colour_names(image: NDArray[np.uint8]) -> Array:
    """Shares of the eleven basic colours, and the share of names in use (above 1%): 12 numbers."""
    flat = lab(image, linear=True).reshape(-1, 3)
    prototypes = np.array(list(NAMES.values()), dtype=np.float64)
    squared = (flat**2).sum(axis=1)[:, None] - 2 * flat @ prototypes.T
    nearest = (squared + (prototypes**2).sum(axis=1)).argmin(axis=1)
    shares = np.bincount(nearest, minlength=len(NAMES)) / len(flat)
    return np.append(shares, (shares > 0.01).mean())


def gradients(grey: Array) -> Array:
    """Directions of edges, 48 numbers: at each of six scales, 8 bins over half a turn of sum 1."""
    found = []
    for scale in range(6):
        smooth = ndimage.gaussian_filter(grey, 0.7 * 1.6**scale)
        down, across = ndimage.sobel(smooth, axis=0), ndimage.sobel(smooth, axis=1)
        bins = (np.mod(np.arctan2(down, across), np.pi) / np.pi * 8).astype(int) % 8
        counts = np.bincount(bins.ravel(), np.hypot(down, across).ravel(), 8)
        found.append(counts / max(float(counts.sum()), 1e-12))
    return np.concatenate(found)


def gradation(grey: Array) -> Array:
    """Windowed total and inherent variation (Xu 2012), 9 numbers.

    First across, then down: mean total variation D, mean inherent variation L, mean and deviation
    of D / (L + eps). Last, the sum of the two mean ratios.
    """
    numbers: list[float] = []
    ratios = []
    for axis in (1, 0):
        step = np.diff(grey, axis=axis)
        total = ndimage.gaussian_filter(np.abs(step), 3.0)
        inherent = np.abs(ndimage.gaussian_filter(step, 3.0))
        ratio = total / (inherent + 1e-3)
        ratios.append(ratio.mean())
        numbers += [total.mean(), inherent.mean(), ratio.mean(), ratio.std()]
    return np.array([*numbers, sum(ratios)], dtype=np.float64)


# --- movement -----------------------------------------------------------------------------------


def scan_path(attention: Array) -> Array:
    """Eight places that a winner-take-all process visits in turn, 16 numbers: x and y in 0..1.

    The winner is the place of largest saliency; a disc around it (a tenth of the diagonal) is then
    inhibited. If no saliency is left, the path stays at its last place, or at the centre.
    """
    left = attention.astype(np.float64).copy()
    height, width = left.shape
    rows, columns = np.mgrid[:height, :width]
    reach = 0.1 * np.hypot(height, width)
    row, column = (height - 1) / 2, (width - 1) / 2
    path = []
    for _ in range(STEPS):
        if left.max() > 0:
            row, column = divmod(int(left.argmax()), width)
            left[np.hypot(rows - row, columns - column) < reach] = 0
        path += [column / max(width - 1, 1), row / max(height - 1, 1)]
    return np.array(path, dtype=np.float64)


def _entropy(shares: Array) -> float:
    positive = shares[shares > 0]
    return float(-(positive * np.log(positive)).sum())
