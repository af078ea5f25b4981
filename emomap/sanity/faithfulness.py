"""Does a map show what its classifier looks at? Insertion and deletion curves (Petsiuk 2018).

Deletion removes the pixels of an image, the most salient first, while the probability of the
emotion is watched; insertion adds them to a blurred image. With a faithful map the probability
falls fast under deletion (small area under the curve) and rises fast under insertion (large area).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError
from emomap.method import Image, Map, Method


@dataclass(frozen=True)
class Curve:
    """Probability of an emotion while pixels are removed or added.

    Attributes:
        shares: (S + 1,), share of the pixels that have changed, from 0 to 1.
        probabilities: (S + 1,), in 0..1.
    """

    shares: NDArray[np.float64]
    probabilities: NDArray[np.float64]

    @property
    def area(self) -> float:
        """Area under the curve, in 0..1 (trapezoids)."""
        return float(np.trapezoid(self.probabilities, self.shares))


def deletion(
    method: Method, image: Image, shown: Map, *, emotion: int | None = None, steps: int = 20
) -> Curve:
    """Remove pixels, the most salient first: they become the image's mean colour.

    Args:
        method: one that predicts probabilities.
        image: (H, W, 3) uint8.
        shown: (H, W), the map that is judged; equal values keep the order of their pixels.
        emotion: index of the emotion that is watched; None for the predicted one.
        steps: S, in how many steps all pixels are removed.

    Raises:
        EmomapError: the method predicts no probabilities, or the map is not of the image's size.
    """
    mean = np.broadcast_to(np.rint(image.mean(axis=(0, 1))).astype(np.uint8), image.shape)
    return _curve(method, image, mean, shown, image, emotion, steps)


def insertion(
    method: Method, image: Image, shown: Map, *, emotion: int | None = None, steps: int = 20
) -> Curve:
    """Add pixels to a blurred image, the most salient first.

    Arguments and errors are those of `deletion`. The standard deviation of the blur is a tenth of
    the longer side.
    """
    from scipy.ndimage import gaussian_filter

    sigma = 0.1 * max(image.shape[:2])
    blurred = gaussian_filter(image.astype(np.float32), (sigma, sigma, 0), mode="nearest")
    start = np.rint(blurred).astype(np.uint8)
    return _curve(method, start, image, shown, image, emotion, steps)


def _curve(
    method: Method,
    start: Image,
    end: Image,
    shown: Map,
    image: Image,
    emotion: int | None,
    steps: int,
) -> Curve:
    if shown.shape != image.shape[:2]:
        raise EmomapError(
            f"the map is {shown.shape}, its image is {image.shape[:2]}; resize the map"
        )
    order = np.argsort(-np.asarray(shown, dtype=np.float64), axis=None, kind="stable")
    stages = [order[: round(order.size * step / steps)] for step in range(steps + 1)]
    pictures = []
    for changed in stages:
        picture = start.copy().reshape(-1, 3)
        picture[changed] = end.reshape(-1, 3)[changed]
        pictures.append(picture.reshape(image.shape))
    found = method.predict([image, *pictures])
    probabilities = [prediction.probabilities for prediction in found]
    if any(one is None for one in probabilities):
        raise EmomapError(f"{type(method).__name__} predicts no probabilities")
    values = np.array(probabilities, dtype=np.float64)
    watched = int(values[0].argmax()) if emotion is None else emotion
    shares = np.array([len(changed) / order.size for changed in stages])
    return Curve(shares, values[1:, watched])
