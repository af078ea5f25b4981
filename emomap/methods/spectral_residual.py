"""Spectral residual saliency (Hou & Zhang, CVPR 2007): what stands out from the mean spectrum.

The image is resized to 64 px. The local mean is subtracted from the log amplitude of its spectrum;
the result, transformed back, is squared and smoothed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.arrays import Maps
from emomap.vision.filters import gaussian_blur, lattice_shape, rescale
from emomap.vision.image import check_image
from emomap.vision.options import MapSize, check_size
from emomap.vision.residual import spectral_residual as residual
from emomap.vision.resize import resize


def spectral_residual(
    image: ArrayLike,
    *,
    longest: int = 64,
    sigma: float = 2.5,
    size: MapSize = "image",
) -> Maps:
    """Spectral residual saliency of an image.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1.
        longest: longer side in pixels to which the picture is resized first.
        sigma: standard deviation of the last blur, in these pixels.
        size: "image" for a map of the size of the image, "native" for the small map.

    Returns:
        (H, W) or (h, w) float64 in 0..1; zero everywhere for an image without contrast.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is out of range.
    """
    check_size(size, method="spectral_residual")
    if not 8 <= longest <= 1024 or not 0 <= sigma <= 100:
        raise UsageError(
            f"spectral_residual: longest={longest} (8 to 1024) or sigma={sigma} (0 to 100) is out "
            "of range"
        )
    checked = check_image(image, method="spectral_residual")
    shape = (checked.shape[0], checked.shape[1])
    small = resize(_grey(checked), lattice_shape(shape, longest))
    energy = residual(small)
    if sigma > 0:
        energy = gaussian_blur(energy, sigma, 4)
    native = rescale(energy)
    return native if size == "native" else rescale(resize(native, shape))


class SpectralResidual(Method):
    """`spectral_residual` as a method of `bench` and `predict`, with its options."""

    def __init__(self, *, longest: int = 64, sigma: float = 2.5) -> None:
        self.longest = longest
        self.sigma = sigma
        spectral_residual(np.zeros((8, 8)), longest=longest, sigma=sigma)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        return [
            Prediction(map=spectral_residual(image, longest=self.longest, sigma=self.sigma))
            for image in images
        ]


def _grey(image: NDArray[Any]) -> Maps:
    """Mean of the colours in 0..1."""
    full = 255.0 if image.dtype == np.uint8 else 1.0
    if image.ndim == 2:
        return np.asarray(image / full)
    total = image[..., 0].astype(np.float64)
    total += image[..., 1]
    total += image[..., 2]
    total /= 3 * full
    return total
