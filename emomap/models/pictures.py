"""A picture -> the tensor of a model, and its output -> the map of the picture, as a card says."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from emomap.errors import EmomapError
from emomap.io.kinds import MapKind, is_log
from emomap.io.resampling import RESAMPLING
from emomap.method import Image
from emomap.models.card import ModelInput, ModelOutput

#: Left, top, right, bottom of the picture within the model's input, as shares of its sides.
Box = tuple[float, float, float, float]
WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def to_tensor(image: Image, wanted: ModelInput) -> tuple[NDArray[np.float32], Box]:
    """What a model takes, without the batch axis, and where in it the picture lies.

    Args:
        image: (H, W, 3) uint8.
        wanted: of the card.

    Returns:
        (C, h, w) or (h, w, C) float32.
    """
    canvas, box = _placed(Pillow.fromarray(image), wanted)
    pixels = np.asarray(canvas.convert("L" if wanted.colour == "grey" else "RGB"), np.float32)
    planes = pixels.reshape(*pixels.shape[:2], -1)
    if wanted.colour == "BGR":
        planes = planes[..., ::-1]
    low, high = wanted.range
    mean, std = np.array(wanted.mean, np.float32), np.array(wanted.std, np.float32)
    scaled = planes * np.float32((high - low) / 255) + np.float32(low)
    scaled = (scaled - mean) / std
    if not wanted.layout.endswith("C"):
        scaled = scaled.transpose(2, 0, 1)
    return np.ascontiguousarray(scaled), box


def _placed(picture: Pillow.Image, wanted: ModelInput) -> tuple[Pillow.Image, Box]:
    """The picture at the size of the model."""
    if wanted.shape is None:
        return picture, WHOLE
    height, width = wanted.shape
    resampling = RESAMPLING[wanted.interpolation]
    if wanted.fit == "stretch":
        if picture.size == (width, height):
            return picture, WHOLE
        return picture.resize((width, height), resampling), WHOLE
    factor = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    canvas = Pillow.new("RGB", (width, height), (wanted.pad,) * 3)
    canvas.paste(picture.resize(size, resampling), (left, top))
    box = (left / width, top / height, (left + size[0]) / width, (top + size[1]) / height)
    return canvas, box


def to_map(
    values: NDArray[Any], layout: str, wanted: ModelOutput, box: Box, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """The map of a picture out of what a model returns for it.

    Its size is the model's, so that `score` resizes it by its own named method. Where the model saw
    the picture stretched or padded, or the card says so, it has the picture's size instead, resized
    bilinearly.

    Args:
        values: of one picture, without the batch axis.
        layout: of the input, which tells where channels are.
        wanted: of the card.
        box: where the picture lies in the input.
        shape: (height, width) of the picture.

    Returns:
        (h, w) float32: not negative for a map, with the sum 1 for a density, or its logarithm.

    Raises:
        EmomapError: the values are no map, not finite, or not what the card says.
    """
    plane = _plane(values, layout, wanted).astype(np.float64)
    kept = _checked(plane, wanted.kind)
    if wanted.resize or box != WHOLE or not _same_aspect(kept.shape, shape):
        kept = resized(kept, shape, box)
    if wanted.kind == "map":
        return np.asarray(kept, np.float32)
    density = kept / kept.sum()
    if wanted.kind == "density":
        return np.asarray(density, np.float32)
    with np.errstate(divide="ignore"):  # a place without any probability
        return np.asarray(np.log(density), np.float32)


def resized(values: NDArray[Any], shape: tuple[int, int], box: Box = WHOLE) -> NDArray[np.float64]:
    """A map at another size, bilinear with antialiasing.

    Args:
        values: (h, w).
        shape: (height, width).
        box: the part of the map that is taken, in shares of its sides.
    """
    height, width = values.shape
    edges = (box[0] * width, box[1] * height, box[2] * width, box[3] * height)
    plane = Pillow.fromarray(values.astype(np.float32))
    return np.asarray(plane.resize(shape[::-1], Pillow.Resampling.BILINEAR, box=edges), np.float64)


def _plane(values: NDArray[Any], layout: str, wanted: ModelOutput) -> NDArray[Any]:
    """The (h, w) array of the channel that is the map."""
    if wanted.channel is not None and values.ndim == 3:
        axis = 2 if layout.endswith("C") else 0
        if wanted.channel >= values.shape[axis]:
            raise EmomapError(
                f"output.channel: {wanted.channel}, and the output has {values.shape[axis]} "
                f"channels, counted from 0: {values.shape}"
            )
        values = np.take(values, wanted.channel, axis)
    found = np.squeeze(values)
    if found.ndim == 3:
        raise EmomapError(
            f"an output of {values.shape} has several channels; output.channel must say which is "
            "the map"
        )
    if found.ndim != 2 or min(found.shape) < 2:
        raise EmomapError(
            f"an output of {values.shape} is not a map (height, width); output.name must name one"
        )
    return found


def _checked(plane: NDArray[np.float64], kind: MapKind) -> NDArray[np.float64]:
    """A map that is not negative, or a density up to its scale."""
    if kind == "log-density":
        high = plane.max()
        if np.isnan(plane).any() or not np.isfinite(high):
            raise EmomapError("the output holds NaN, or no place has a probability")
        return np.asarray(np.exp(plane - high))
    if not np.isfinite(plane).all():
        raise EmomapError("the output holds NaN or infinite values")
    low = float(plane.min())
    if kind == "density" and (low < 0 or plane.sum() <= 0):
        raise EmomapError(
            f"the output is no density, with a least value of {low:g} and a sum of "
            f"{plane.sum():g}; output.kind may be map or log-density"
        )
    if low >= 0:
        return plane
    if is_log(plane):
        raise EmomapError(
            "the output looks like the logarithm of a density: all values are negative; say "
            'output.kind = "log-density"'
        )
    return plane - low  # only the order of the values counts


def _same_aspect(size: tuple[int, ...], shape: tuple[int, int]) -> bool:
    """Whether the aspect ratios differ by no more than rounding to whole pixels can explain."""
    off = abs(size[0] - shape[0] * size[1] / shape[1]), abs(size[1] - shape[1] * size[0] / shape[0])
    return min(off) <= 1
