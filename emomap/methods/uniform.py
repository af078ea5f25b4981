"""Chance: the same value everywhere, for which every metric has a known score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.method import Image, Method, Prediction
from emomap.vision.image import check_image


def uniform(image: ArrayLike) -> NDArray[np.float64]:
    """A map with the same value everywhere.

    Args:
        image: (H, W, 3) or (H, W); only its size is used.

    Returns:
        (H, W) float64, 1 everywhere.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
    """
    return np.ones(check_image(image, method="uniform").shape[:2])


class Uniform(Method):
    """`uniform` as a method of `bench` and `predict`; it has no options."""

    is_density = True

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """A map of ones of the size of each image."""
        return [Prediction(map=uniform(image)) for image in images]
