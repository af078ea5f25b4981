"""The feature maps of GBVS and Itti-Koch: the maps of each channel on one level of the pyramid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError
from emomap.vision.arrays import Maps
from emomap.vision.filters import round_half_up
from emomap.vision.gabor import orientation_energy
from emomap.vision.opponent import dkl_colors, opponent_colors
from emomap.vision.pyramid import Planes

#: Name of each channel of a picture, by its letter.
CHANNELS = {"C": "color", "I": "intensity", "O": "orientation", "R": "contrast", "D": "dklcolor"}
#: Name of each channel that compares a frame with the one before.
TEMPORAL = {"F": "flicker", "M": "motion"}


def check_channels(channels: str, *, temporal: bool, method: str) -> str:
    """Return ``channels`` if each letter is known and named once.

    Raises:
        UsageError: a letter is unknown, repeated, or needs a sequence of frames.
    """
    known = CHANNELS | TEMPORAL if temporal else CHANNELS
    for letter in channels:
        if letter in TEMPORAL and not temporal:
            raise UsageError(
                f"{method}: channel '{letter}' ({TEMPORAL[letter]}) needs several frames; "
                "use gbvs_sequence"
            )
        if letter not in known:
            names = ", ".join(f"{key} ({name})" for key, name in known.items())
            raise UsageError(f"{method}: channels={channels!r} holds '{letter}'; there are {names}")
    if not channels or len(set(channels)) != len(channels):
        raise UsageError(
            f"{method}: channels={channels!r} must name one channel or more, each once"
        )
    return channels


def channel_maps(
    letter: str, planes: Planes, *, angles: tuple[float, ...], contrast_width: float = 0.1
) -> Maps:
    """The maps of one channel on one level of the pyramid.

    Args:
        letter: "C", "D", "I", "O" or "R".
        planes: (4, h, w) or (1, h, w), from `image_pyramid`.
        angles: orientations of "O" in degrees.
        contrast_width: side of the window of "R" as a share of the height.

    Returns:
        (types, h, w) float64; (0, h, w) for the colour channels of a grey picture.
    """
    intensity = planes[-1]
    if letter == "I":
        return np.asarray(intensity[None], dtype=np.float64)
    if letter == "O":
        return orientation_energy(intensity, angles)
    if letter == "R":
        return local_variance(intensity, round_half_up(contrast_width * len(intensity)) // 2)[None]
    if len(planes) == 1:
        return np.empty((0, *intensity.shape))
    if letter == "C":
        return opponent_colors(planes[:3], intensity)
    return dkl_colors(planes[:3])


def local_variance(intensity: NDArray[np.floating[Any]], radius: int) -> Maps:
    """Population variance in a window of (2 radius + 1)^2, clipped at the border."""
    values = intensity.astype(np.float64)
    values -= values.mean()  # makes the difference of squares below accurate
    count = _window_sum(np.ones_like(values), radius)
    mean = _window_sum(values, radius) / count
    variance = _window_sum(values**2, radius) / count - mean**2
    # less than the square of the resolution of float32 is rounding error of the sums
    return np.where(variance > 1e-14, variance, 0.0)


def flicker(now: Planes, before: Planes | None) -> Maps:
    """|I_t - I_(t-1)| on one level, (1, h, w); zero in the first frame."""
    if before is None:
        return np.zeros((1, *now.shape[1:]))
    return np.abs(now[-1:].astype(np.float64) - before[-1:])


def motion(now: Planes, before: Planes | None, angles: Sequence[float]) -> Maps:
    """Reichardt detectors on one level: |I_t S_(t-1) - I_(t-1) S_t|, S shifted by a pixel.

    In the first frame the previous picture is the picture itself and its shift is zero.

    Returns:
        (len(angles), h, w) float64.
    """
    intensity = now[-1].astype(np.float64)
    maps = []
    for angle in angles:
        shifted = _shift(intensity, angle)
        if before is None:
            maps.append(np.abs(intensity * shifted))
        else:
            last = before[-1].astype(np.float64)
            maps.append(np.abs(intensity * _shift(last, angle) - last * shifted))
    return np.stack(maps)


def _window_sum(values: Maps, radius: int) -> Maps:
    for axis in (0, 1):
        length = values.shape[axis]
        pads = [(0, 0), (0, 0)]
        pads[axis] = (1, 0)
        total = np.pad(values.cumsum(axis=axis), pads)
        stop = np.minimum(np.arange(length) + radius + 1, length)
        start = np.maximum(np.arange(length) - radius, 0)
        values = total.take(stop, axis=axis) - total.take(start, axis=axis)
    return values


def _shift(intensity: Maps, angle: float) -> Maps:
    """Sample at (x + cos, y - sin), bilinear, border replicated."""
    theta = np.deg2rad(angle)
    padded = np.pad(intensity, 2, mode="edge")
    return _fraction(_fraction(padded, float(np.cos(theta)), 1), float(-np.sin(theta)), 0)


def _fraction(padded: Maps, offset: float, axis: int) -> Maps:
    whole = int(np.floor(offset))
    part = offset - whole
    length = padded.shape[axis] - 4
    near = padded.take(np.arange(2 + whole, 2 + whole + length), axis=axis)
    far = padded.take(np.arange(3 + whole, 3 + whole + length), axis=axis)
    return (1 - part) * near + part * far
