"""The check that every classical method makes of its image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import EmomapError

#: Larger images are refused, since they could fill the memory; 50 megapixels are 8660x5773.
MAX_PIXELS = 50_000_000


def check_image(
    image: ArrayLike, *, min_side: int = 1, max_pixels: int = MAX_PIXELS, method: str = "the method"
) -> NDArray[Any]:
    """Return the image as a C-contiguous array, or refuse it.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1.
        min_side: the least height and width in pixels.
        max_pixels: the largest height times width.
        method: name of the method, for the message.

    Returns:
        The same values, as uint8 or float64.

    Raises:
        EmomapError: wrong shape, type or range; a side below ``min_side``; too many pixels.
    """
    array = np.asarray(image)
    check_shape(array, min_side=min_side, max_pixels=max_pixels, method=method)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if array.dtype.kind != "f":
        advice = {
            "u": "divide by the largest value of its type (65535 for 16 bit) to get floats in 0..1",
            "i": "divide by its largest value to get floats in 0..1",
            "b": "convert it with `image.astype(float)`",
        }.get(array.dtype.kind, "convert it to one of these")
        raise EmomapError(
            f"{method}: image has type {array.dtype}; expected uint8, or float in 0..1; {advice}"
        )
    if not np.isfinite(array).all():
        raise EmomapError(f"{method}: image holds NaN or infinity; expected floats in 0..1")
    low, high = float(array.min()), float(array.max())
    if low < 0 or high > 1:
        advice = (
            "np.clip(image, 0, 1) if this is rounding"
            if low > -0.01 and high < 1.01
            else "divide by 255 if it was read from an 8-bit file"
        )
        raise EmomapError(
            f"{method}: float image has values from {low:.9g} to {high:.9g}; expected 0..1 "
            f"({advice})"
        )
    return np.ascontiguousarray(array, dtype=np.float64)


def check_shape(
    image: ArrayLike, *, min_side: int = 1, max_pixels: int = MAX_PIXELS, method: str = "the method"
) -> tuple[int, int]:
    """Height and width of an image, checked as in `check_image`, without its values.

    Raises:
        EmomapError: wrong shape, a side below ``min_side``, or too many pixels.
    """
    shape = np.shape(image)
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] != 3):
        advice = {4: "; blend or drop the alpha channel first", 1: "; drop the last axis"}
        raise EmomapError(
            f"{method}: image has shape {shape}; expected (H, W, 3) or (H, W)"
            + (advice.get(shape[2], "") if len(shape) == 3 else "")
        )
    height, width = shape[:2]
    if min(height, width) < max(1, min_side):
        raise EmomapError(
            f"{method}: image is {width}x{height} px (width x height); both sides must be "
            f"at least {max(1, min_side)} px; enlarge it first"
        )
    if height * width > max_pixels:
        raise EmomapError(
            f"{method}: image is {width}x{height} px (width x height), more than "
            f"{max_pixels / 1e6:g} megapixels; make it smaller first"
        )
    return height, width


def unit(image: NDArray[Any]) -> NDArray[np.float64]:
    """A checked image as floats in 0..1."""
    if image.dtype == np.uint8:
        return image / 255.0
    return np.asarray(image, dtype=np.float64)
