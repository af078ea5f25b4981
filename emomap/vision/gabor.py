"""Orientation energy: intensity filtered by a Gabor pair, for GBVS, Itti-Koch and simpsal."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.vision.filters import attenuate_border

#: Radius of the filters, which have 27x27 pixels.
RADIUS = 13

#: Largest picture, in pixels, for which spectra are cached.
_LARGEST_CACHED = 512 * 512

#: Responses below this to intensities in 0..1 are rounding noise of the transform.
_NOISE = 1e-12


def gabor_pair(angle: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The even and the odd filter of an orientation in degrees, (27, 27), zero mean, unit norm.

    Wavelength pi pixels, envelope of standard deviation 2 across and 4 along the wave.
    """
    theta = np.deg2rad(angle)
    y, x = np.mgrid[-RADIUS : RADIUS + 1, -RADIUS : RADIUS + 1].astype(np.float64)
    across = y * np.cos(theta) - x * np.sin(theta)
    along = -y * np.sin(theta) - x * np.cos(theta)
    envelope = np.exp(-(across**2) / 8 - along**2 / 32)
    pair = []
    for phase in (0.0, np.pi / 2):
        filter_ = envelope * np.cos(2 * across + phase)
        filter_ -= filter_.mean()
        pair.append(filter_ / np.sqrt((filter_**2).sum()))
    return pair[0], pair[1]


def orientation_energy(
    intensity: NDArray[np.floating[Any]], angles: tuple[float, ...]
) -> NDArray[np.float64]:
    """|even response| + |odd response| of each orientation, its border attenuated.

    Args:
        intensity: (h, w), values in 0..1; extended by replicating its border.
        angles: orientations in degrees.

    Returns:
        (len(angles), h, w) float64.
    """
    height, width = intensity.shape
    padded = np.pad(intensity.astype(np.float64), RADIUS, mode="edge")
    size = (_fast_length(padded.shape[0]), _fast_length(padded.shape[1]))
    spectrum = np.fft.fft2(padded, s=size)
    energy = np.empty((len(angles), height, width))
    # the convolution is circular, so its first 26 rows and columns are invalid and cut off
    rows, columns = slice(2 * RADIUS, 2 * RADIUS + height), slice(2 * RADIUS, 2 * RADIUS + width)
    for k, angle in enumerate(angles):
        response = np.fft.ifft2(spectrum * _pair_spectrum(float(angle), size))[rows, columns]
        energy[k] = np.abs(response.real) + np.abs(response.imag)
    energy[energy < _NOISE] = 0.0
    return attenuate_border(energy, RADIUS)


def _pair_spectrum(angle: float, size: tuple[int, int]) -> NDArray[np.complex128]:
    if size[0] * size[1] > _LARGEST_CACHED:
        return _transform(angle, size)
    return _cached_transform(angle, size)


def _transform(angle: float, size: tuple[int, int]) -> NDArray[np.complex128]:
    """Spectrum of even + i odd, so that one inverse transform yields both responses."""
    even, odd = gabor_pair(angle)
    return np.fft.fft2(even + 1j * odd, s=size)


@lru_cache(maxsize=64)
def _cached_transform(angle: float, size: tuple[int, int]) -> NDArray[np.complex128]:
    return _transform(angle, size)


def _fast_length(length: int) -> int:
    """The next length whose only prime factors are 2, 3 and 5."""
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 1
