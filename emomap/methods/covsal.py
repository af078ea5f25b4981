"""CovSal (Erdem & Erdem, JoV 2013): patches with unusual statistics of colour and edges stand out.

Each square patch is described by the mean and the covariance of seven features of its pixels (L, a,
b, gradients across and down, x, y). Its saliency is its mean distance to the most similar patches,
where near patches weigh more. The maps of several patch sizes are multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.arrays import Maps
from emomap.vision.filters import gaussian_blur, rescale
from emomap.vision.image import check_image
from emomap.vision.jit import jit
from emomap.vision.lab import lab
from emomap.vision.resize import resize, resize_image

#: Rows of the table of distances that are computed at once.
_CHUNK = 256


@dataclass(frozen=True)
class CovSalSettings:
    """Parameters of `covsal`; the default of the last blur is our choice.

    Attributes:
        side: side in pixels of the square to which the image is resized first.
        patches: sides of the patches in pixels of that square; each must divide ``side``.
        quantile: share of the other patches that each is compared with: the most similar ones.
        means: True to use the means of the features as well as their covariances.
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
                "and cut it into 2x2 to 64x64 patches"
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
    """CovSal saliency of an image, without the optional centre bias of the authors' program.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1.
        side, patches, quantile, means, sigma: see `CovSalSettings`.

    Returns:
        (H, W) float64 in 0..1; zero everywhere for an image without contrast.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is out of range.
    """
    return _map(image, CovSalSettings(side, tuple(patches), quantile, means, sigma))


class CovSal(Method):
    """`covsal` as a method of `bench` and `predict`, with its options."""

    def __init__(
        self,
        *,
        side: int = 512,
        patches: Sequence[int] = (8, 16, 32, 64, 128),
        quantile: float = 0.1,
        means: bool = True,
        sigma: float = 0.03,
    ) -> None:
        self.settings = CovSalSettings(side, tuple(patches), quantile, means, sigma)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        return [Prediction(map=_map(image, self.settings)) for image in images]


def _map(image: ArrayLike, settings: CovSalSettings) -> Maps:
    checked = check_image(image, method="covsal")
    shape = (checked.shape[0], checked.shape[1])
    features = _features(checked, settings.side)
    square = (settings.side, settings.side)
    product = np.ones(square)
    for patch in settings.patches:
        unlike = _unlikeness(_describe(features, patch, settings.means), settings.quantile)
        if unlike.max() <= 1e-9:  # all patches are the same up to rounding
            return np.zeros(shape)
        strength = np.maximum(resize(unlike, square), 0.0)
        # the least value is not set to 0: it would veto the other patch sizes
        product *= strength / strength.max()
    if settings.sigma > 0:
        product = gaussian_blur(product, settings.sigma * settings.side, 3)
    if np.ptp(product) <= 1e-12:
        return np.zeros(shape)
    return rescale(resize(rescale(product), shape))


def _features(image: NDArray[np.generic], side: int) -> Maps:
    """(7, side, side): L, a, b, |dL/dx|, |dL/dy|, x, y, each centred and of a range of about 1."""
    colours = lab(resize_image(image, (side, side)), linear=True) / 100
    dy, dx = np.gradient(colours[..., 0])
    y, x = np.mgrid[:side, :side] / side
    planes = np.stack([*colours.transpose(2, 0, 1), np.abs(dx), np.abs(dy), x, y])
    # centred, so that the mean product minus the product of means is accurate enough
    return np.asarray(planes - planes.mean(axis=(1, 2), keepdims=True))


def _describe(features: Maps, patch: int, means: bool) -> Maps:
    """(length, rows, columns) description of each patch, to be compared by Euclidean distance.

    Sigma points stand for the covariance (Hong et al. 2009): the columns of its Cholesky factor
    times sqrt(2 d), on both sides of the mean. In the distance between two sets of these 2 d + 1
    points, the means count 2 d + 1 times and the factors twice, so the points are not stored.
    """
    depth = len(features)
    mean = _patch_means(features, patch)
    covariance = np.empty((*mean.shape[1:], depth, depth))
    for i in range(depth):
        for j in range(i + 1):
            product = _patch_means((features[i] * features[j])[None], patch)[0]
            covariance[..., i, j] = covariance[..., j, i] = product - mean[i] * mean[j]
    covariance *= patch**2 / (patch**2 - 1)
    factor = np.linalg.cholesky(covariance + 1e-8 * np.eye(depth))
    rows, columns = np.tril_indices(depth)
    described = np.sqrt(2 * 2.0 * depth) * factor[..., rows, columns].transpose(2, 0, 1)
    if not means:
        return np.asarray(described)
    # without the means of x and y: its position must not make a patch salient
    return np.concatenate([np.sqrt(2 * depth + 1) * mean[:-2], described])


def _patch_means(planes: Maps, patch: int) -> Maps:
    count = planes.shape[1] // patch
    return np.asarray(planes.reshape(-1, count, patch, count, patch).mean(axis=(2, 4)))


def _unlikeness(described: Maps, quantile: float) -> Maps:
    """(rows, columns) mean distance of each patch to the most similar share of all others.

    The distance of two descriptions is divided by 1 + the distance of the patches, in patches.
    """
    length, rows, columns = described.shape
    vectors = np.ascontiguousarray(described.reshape(length, -1))
    count = rows * columns
    most = max(1, round(quantile * (count - 1)))
    unlike = np.empty(count)
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        distances = _distances(vectors, columns, start, stop)
        unlike[start:stop] = np.partition(distances, most - 1, axis=1)[:, :most].mean(axis=1)
    return unlike.reshape(rows, columns)


@jit
def _distances(vectors: Any, columns: Any, start: Any, stop: Any) -> Any:
    """Distances of the patches start..stop - 1 to all patches; infinite to themselves."""
    length, count = vectors.shape
    out = np.zeros((stop - start, count))
    for n in range(start, stop):
        row = out[n - start]
        for k in range(length):
            own = vectors[k, n]
            for j in range(count):
                difference = vectors[k, j] - own
                row[j] += difference * difference
        y, x = divmod(n, columns)
        for j in range(count):
            near_y, near_x = divmod(j, columns)
            apart = np.sqrt(float((near_y - y) ** 2 + (near_x - x) ** 2))
            row[j] = np.sqrt(row[j]) / (1.0 + apart)
        row[n] = np.inf
    return out
