"""The spectral residual of an image (Hou & Zhang, CVPR 2007)."""

from __future__ import annotations

import numpy as np

from emomap.vision.arrays import Maps


def spectral_residual(planes: Maps) -> Maps:
    """Energy of the part of the spectrum that exceeds its local mean; not smoothed.

    The 3x3 mean (border replicated) is subtracted from the log amplitude. The spectrum with this
    amplitude and the old phase is transformed back; the result is its squared modulus.

    Args:
        planes: (..., h, w). The result of a constant plane is zero.

    Returns:
        (..., h, w) float64, non-negative.
    """
    spectrum = np.fft.fft2(planes)
    amplitude = np.abs(spectrum)
    # the logarithm of a coefficient that is zero up to rounding means nothing
    floor = np.finfo(np.float64).eps * amplitude.max(axis=(-2, -1), keepdims=True)
    level = np.log(np.maximum(amplitude, np.maximum(floor, np.finfo(np.float64).tiny)))
    phase = np.angle(spectrum)
    residual = np.abs(np.fft.ifft2(np.exp(level - _mean3(level) + 1j * phase))) ** 2
    low, high = planes.min(axis=(-2, -1), keepdims=True), planes.max(axis=(-2, -1), keepdims=True)
    return np.asarray(np.where(high - low > 1e-12, residual, 0.0))


def _mean3(planes: Maps) -> Maps:
    pads = [(0, 0)] * (planes.ndim - 2) + [(1, 1), (1, 1)]
    padded = np.pad(planes, pads, mode="edge")
    height, width = planes.shape[-2:]
    rows = padded[..., :height, :] + padded[..., 1 : 1 + height, :] + padded[..., 2:, :]
    total = rows[..., :width] + rows[..., 1 : 1 + width] + rows[..., 2:]
    return np.asarray(total / 9)
