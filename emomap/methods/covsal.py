"""CovSal (Erdem & Erdem, JoV 2013): patches whose colour and edge statistics are unlike all others.

Each square patch is described by the mean and the covariance of seven features of its pixels (L, a,
b, gradients across and down, x, y). Its saliency is how unlike it is to the patches most like it,
near ones first. The maps of several patch sizes are multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.filters import gaussian_blur, rescale, resize
from emomap.vision.image import check_image, unit
from emomap.vision.lab import lab

Maps = NDArray[np.float64]

#: Rows of the table of distances that are held at once.
_CHUNK = 256


@dataclass(frozen=True)
class Settings:
    """Parameters of `covsal`.

    Attributes:
        side: the image is brought to a square of this many pixels.
        patches: sides of the patches in pixels of that square; each must divide it.
        quantile: share of all patches that each is compared with: those most like it.
        means: True for the means of the features beside their covariances (sigma points).
        sigma: standard deviation of the last blur as a share of the side.
    """

    side: int = 512
    patches: tuple[int, ...] = (8, 16, 32, 64, 128)
    quantile: float = 0.1
    means: bool = True
    sigma: float = 0.03

    def __post_init__(self) -> None:
        object.__setattr__(self, "patches", tuple(self.patches))
        good = self.patches and all(
            patch >= 2 and self.side % patch == 0 and 4 <= (self.side // patch) ** 2 <= 4096
            for patch in self.patches
        )
        if not good:
            raise UsageError(
                f"covsal: patches={self.patches} must be at least 2 px, divide side={self.side} "
                "and cut it in 2x2 to 64x64 patches"
            )
        if not 0 < self.quantile <= 1 or not 0 <= self.sigma <= 1:
            raise UsageError(
                f"covsal: quantile={self.quantile} (above 0, at most 1) or sigma={self.sigma} "
                "(0 to 1) is out of range"
            )


def covsal(
    image: ArrayLike,
    *,
    side: int = 512,
    patches: Sequence[int] = (8, 16, 32, 64, 128),
    quantile: float = 0.1,
    means: bool = True,
    sigma: float = 0.03,
) -> Maps:
    """CovSal saliency of an image, without the centre bias that the authors' program may add.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1.
        side, patches, quantile, means, sigma: see `Settings`.

    Returns:
        (H, W) float64 in 0..1; zero everywhere for an image without contrast.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is out of range.
    """
    return _map(image, Settings(side, tuple(patches), quantile, means, sigma))


def _map(image: ArrayLike, settings: Settings) -> Maps:
    checked = check_image(image, method="covsal")
    shape = (checked.shape[0], checked.shape[1])
    features = _features(checked, settings.side)
    square = (settings.side, settings.side)
    product = np.ones(square)
    for patch in settings.patches:
        unlike = _unlikeness(_describe(features, patch, settings.means), settings.quantile)
        # Stretched by its largest value only: a patch that is like others must not veto all scales.
        strength = np.maximum(resize(unlike, square), 0.0)
        product *= strength / max(float(strength.max()), np.finfo(float).tiny)
    if settings.sigma > 0:
        product = gaussian_blur(product, settings.sigma * settings.side, 3)
    if np.ptp(product) <= 1e-12:
        return np.zeros(shape)
    return rescale(resize(rescale(product), shape))


def _features(image: NDArray[np.generic], side: int) -> Maps:
    """(side, side, 7): L, a, b, |dL/dx|, |dL/dy|, x, y, each in about 0..1."""
    planes = unit(image[:, :, None] if image.ndim == 2 else image)
    small = np.stack(
        [resize(planes[..., k], (side, side)) for k in range(planes.shape[2])], axis=-1
    )
    small = np.clip(small, 0.0, 1.0)
    colours = lab(small if small.shape[2] == 3 else small[..., 0], linear=True) / 100
    dy, dx = np.gradient(colours[..., 0])
    y, x = np.mgrid[:side, :side] / side
    return np.concatenate([colours, np.abs(np.stack([dx, dy, x, y], axis=-1))], axis=-1)


def _describe(features: Maps, patch: int, means: bool) -> Maps:
    """(rows, columns, length) description of each patch, to be compared by Euclidean distance.

    The covariance is given by sigma points (Hong et al. 2009): the columns of its Cholesky factor,
    scaled and on either side of the mean. On both sides of nothing, without means.
    """
    count, depth = len(features) // patch, features.shape[2]
    cells = features.reshape(count, patch, count, patch, depth).transpose(0, 2, 1, 3, 4)
    cells = cells.reshape(count, count, patch * patch, depth)
    mean = cells.mean(axis=2)
    # Positions count within the patch: where it lies must not make it salient.
    mean[..., -2:] = 0.0
    centred = cells - cells.mean(axis=2, keepdims=True)
    covariance = np.matmul(centred.swapaxes(2, 3), centred) / (patch * patch - 1)
    factor = np.linalg.cholesky(covariance + 1e-8 * np.eye(depth))
    points = np.sqrt(2.0 * depth) * factor.swapaxes(2, 3)
    origin = mean[:, :, None, :] if means else np.zeros((count, count, 1, depth))
    described = np.concatenate([origin, origin + points, origin - points], axis=2)
    return described.reshape(count, count, -1)


def _unlikeness(described: Maps, quantile: float) -> Maps:
    """(rows, columns) mean distance of each patch to the share of all others most like it.

    The distance of two descriptions is divided by 1 + their distance in patches.
    """
    rows, columns, length = described.shape
    vectors = described.reshape(-1, length)
    squares = (vectors**2).sum(axis=1)
    y, x = (axis.ravel().astype(np.float64) for axis in np.mgrid[:rows, :columns])
    most = max(1, round(quantile * (len(vectors) - 1)))
    unlike = np.empty(len(vectors))
    for start in range(0, len(vectors), _CHUNK):
        part = slice(start, start + _CHUNK)
        sums = squares[part, None] + squares
        squared = sums - 2 * vectors[part] @ vectors.T
        squared[squared <= 1e-12 * sums] = 0.0  # equal but for rounding
        apart = np.hypot(y[part, None] - y, x[part, None] - x)
        distance = np.sqrt(squared) / (1 + apart)
        # A patch is not compared with itself.
        distance[np.arange(len(distance)), np.arange(start, start + len(distance))] = np.inf
        unlike[part] = np.partition(distance, most - 1, axis=1)[:, :most].mean(axis=1)
    return unlike.reshape(rows, columns)


class CovSal(Method):
    """CovSal as a method of `bench` and `predict`; options as in `covsal`."""

    def __init__(
        self,
        *,
        side: int = 512,
        patches: Sequence[int] = (8, 16, 32, 64, 128),
        quantile: float = 0.1,
        means: bool = True,
        sigma: float = 0.03,
    ) -> None:
        self.settings = Settings(side, tuple(patches), quantile, means, sigma)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        return [Prediction(map=_map(image, self.settings)) for image in images]
