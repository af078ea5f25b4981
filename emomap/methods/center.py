"""The centre prior: people look at the middle of a picture, whatever it shows.

Every method should be compared with it, since much of a saliency score comes from the centre (its
correlation with GBVS is 0.8). It is fixed, or fitted on the gaze of the training split.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import EmomapError, UsageError
from emomap.method import Image, Method, Prediction
from emomap.sample import Dataset, Gaze
from emomap.vision.image import check_image

#: Standard deviation of the fixed prior as a share of the shorter side of the image.
SIGMA = 0.25


class Prior(NamedTuple):
    """A Gaussian in units of the image: x in widths, y in heights, (0.5, 0.5) is the middle.

    Attributes:
        mean: (2,) x and y.
        covariance: (2, 2).
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def center(
    image: ArrayLike, *, sigma: float = SIGMA, prior: Prior | None = None
) -> NDArray[np.float64]:
    """Gaussian in the middle of the image.

    Args:
        image: (H, W, 3) or (H, W); only its size is used.
        sigma: standard deviation in both directions, as a share of the shorter side.
        prior: a fitted Gaussian (see `fit_prior`) to use instead.

    Returns:
        (H, W) float64, at most 1.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: ``sigma`` is not above 0.
    """
    height, width = check_image(image, method="center").shape[:2]
    if prior is None:
        if not (math.isfinite(sigma) and sigma > 0):
            raise UsageError(f"center: sigma={sigma} must be above 0 (share of the shorter side)")
        deviation = sigma * min(height, width)
        mean = np.array([0.5, 0.5])
        covariance = np.diag([(deviation / width) ** 2, (deviation / height) ** 2])
    else:
        mean, covariance = prior
    x = (np.arange(width) + 0.5) / width - mean[0]
    y = (np.arange(height) + 0.5) / height - mean[1]
    inverse = np.linalg.inv(covariance)
    # the exponent is a sum: one term for each axis, and one that couples them
    along_x, along_y = inverse[0, 0] * x**2, inverse[1, 1] * y**2
    coupled = 2 * inverse[0, 1] * y[:, None] * x
    return np.asarray(np.exp(-(along_y[:, None] + along_x + coupled) / 2))


def fit_prior(gazes: Sequence[Gaze]) -> Prior:
    """Mean and covariance of all fixations, in units of the size of each image.

    An image with a density but no fixations counts with its density, as if it had the mean number
    of fixations of the other images (or 1).

    Args:
        gazes: one for each image.

    Raises:
        EmomapError: there is no gaze, or the fixations lie on one point or line.
    """
    moments = [_moments(gaze) for gaze in gazes]
    counts = [count for count, _, _ in moments if count is not None]
    usual = float(np.mean(counts)) if counts else 1.0
    weights = np.array([usual if count is None else count for count, _, _ in moments])
    if not len(weights) or weights.sum() == 0:
        raise EmomapError("center: the training split has no gaze to fit a centre prior on")
    weights = weights / weights.sum()
    first = np.stack([mean for _, mean, _ in moments])
    second = np.stack([square for _, _, square in moments])
    mean = weights @ first
    covariance = np.tensordot(weights, second, 1) - np.outer(mean, mean)
    if np.linalg.eigvalsh(covariance)[0] < 1e-6:
        raise EmomapError(
            "center: the fixations of the training split lie on one point or line; "
            "no Gaussian can be fitted"
        )
    return Prior(mean, covariance)


class Center(Method):
    """The centre prior as a method of `bench` and `predict`.

    Args:
        sigma: standard deviation as a share of the shorter side of the image.
        fit: True to fit a Gaussian on the gaze of the training split instead, by `fit`.
    """

    is_density = True

    def __init__(self, *, sigma: float = SIGMA, fit: bool = False) -> None:
        self.sigma = sigma
        self.prior: Prior | None = None
        self.fitted = fit

    def fit(self, train: Dataset, validation: Dataset) -> None:
        """Fit the Gaussian on the gaze of the training split; does nothing for the fixed prior."""
        if not self.fitted:
            return
        gazes = [gaze for gaze in (sample.gaze() for sample in train) if gaze is not None]
        self.prior = fit_prior(gazes)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """A map of the size of each image."""
        if self.fitted and self.prior is None:
            raise UsageError("center: fit=True needs a call of `fit` with gaze first")
        return [
            Prediction(map=center(image, sigma=self.sigma, prior=self.prior)) for image in images
        ]


def _moments(gaze: Gaze) -> tuple[float | None, NDArray[np.float64], NDArray[np.float64]]:
    """Number of fixations (None for a density), mean (2,) and mean outer product (2, 2)."""
    if gaze.points is not None:
        height, width = gaze.shape
        points = (gaze.points[gaze.inside] + 0.5) / (width, height)
        if not len(points):
            return 0.0, np.zeros(2), np.zeros((2, 2))
        return float(len(points)), points.mean(axis=0), points.T @ points / len(points)
    if gaze.density is None or not gaze.density.sum() > 0:
        return 0.0, np.zeros(2), np.zeros((2, 2))
    mass = gaze.density / gaze.density.sum()
    x = (np.arange(mass.shape[1]) + 0.5) / mass.shape[1]
    y = (np.arange(mass.shape[0]) + 0.5) / mass.shape[0]
    mean = np.array([mass.sum(axis=0) @ x, mass.sum(axis=1) @ y])
    cross = float(y @ mass @ x)
    second = np.array(
        [[mass.sum(axis=0) @ x**2, cross], [cross, mass.sum(axis=1) @ y**2]], dtype=np.float64
    )
    return None, mean, second
