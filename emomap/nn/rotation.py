"""Turned views of a batch, for the self-supervised rotation task (Gidaris 2018)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def rotate(images: Tensor, angles: Sequence[float]) -> Tensor:
    """Turn a batch of images clockwise by each angle.

    Multiples of 90 degrees are exact (transposes and flips). If any angle is not such a multiple,
    all views, even the one at 0 degrees, are cropped to the largest upright square that lies within
    every turned image, and resized bilinearly. Otherwise black corners or a change of scale would
    give the angle away.

    Args:
        images: (B, C, H, W); square, unless all views have one shape (only 0 and 180, or only 90
            and 270).
        angles: R angles in degrees, clockwise for a viewer of the picture (row 0 at the top).

    Returns:
        (R * B, C, H', W'): all images at the first angle, then all at the second, ..., in the
        memory format of ``images``.

    Raises:
        ValueError: not a batch of images, no angle, or views of different shapes.
    """
    if images.ndim != 4:
        raise ValueError(f"rotate takes images (B, C, H, W), not {tuple(images.shape)}")
    if not angles:
        raise ValueError("rotate needs at least one angle")
    shapes = {images.shape[2:] if angle % 180 == 0 else images.shape[:1:-1] for angle in angles}
    scale = crop_scale(angles)
    if len(shapes) > 1 or (scale != 1.0 and images.shape[2] != images.shape[3]):
        raise ValueError(
            f"images of {images.shape[2]} x {images.shape[3]} pixels turned by {list(angles)} "
            "have different shapes; resize them to squares first"
        )
    channels_last = images.is_contiguous(memory_format=torch.channels_last)
    form = torch.channels_last if channels_last else torch.contiguous_format
    batch = images.shape[0]
    views = torch.empty(
        (len(angles) * batch, images.shape[1], *shapes.pop()),
        dtype=images.dtype,
        device=images.device,
        memory_format=form,
    )
    for index, angle in enumerate(angles):
        if scale == 1.0:
            turned = torch.rot90(images, -round(angle / 90) % 4, (2, 3))
        else:
            turned = _turn(images, angle, scale)
        views[index * batch : (index + 1) * batch] = turned
    return views


def crop_scale(angles: Sequence[float]) -> float:
    """Side of the largest upright square within every turned image, relative to the image's side.

    It is 1 if all ``angles`` (in degrees) are multiples of 90.
    """
    if all(angle % 90 == 0 for angle in angles):
        return 1.0
    return min(
        1.0 / (abs(math.cos(math.radians(a))) + abs(math.sin(math.radians(a)))) for a in angles
    )


def _turn(images: Tensor, angle: float, scale: float) -> Tensor:
    """Turn clockwise, crop to ``scale`` and resize, in one bilinear sampling."""
    cos = scale * math.cos(math.radians(angle))
    sin = scale * math.sin(math.radians(angle))
    # maps output places to input places: the inverse turn, y pointing down
    matrix = torch.tensor([[cos, sin, 0.0], [-sin, cos, 0.0]], dtype=images.dtype)
    matrix = matrix.to(images.device).expand(images.shape[0], 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False, padding_mode="border")
