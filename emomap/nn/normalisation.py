"""What a network expects of its input: mean, standard deviation, and how pictures are resized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal, get_args

import torch
from annotated_types import Gt, Len
from PIL import Image as Pillow
from torch import Tensor

from emomap.io.resampling import RESAMPLING
from emomap.io.schema import STRICT

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos"]
Three = Annotated[list[float], Len(3, 3)]


@dataclass(frozen=True)
class Normalisation:
    """What a network was trained with, so that its weights mean what they should.

    Attributes:
        mean, std: of pictures in 0..1, for red, green and blue.
        interpolation: of the resizing, with antialiasing.
    """

    mean: Three
    std: Annotated[list[Annotated[float, Gt(0)]], Len(3, 3)]
    interpolation: Interpolation = "bilinear"
    __pydantic_config__ = STRICT

    @property
    def resampling(self) -> Pillow.Resampling:
        """Pillow's name of the interpolation."""
        return RESAMPLING[self.interpolation]

    def __call__(self, images: Tensor) -> Tensor:
        """(B, S, S, 3) uint8 to (B, 3, S, S) float32, normalised.

        The result is in the memory format channels last: pixels keep their order in memory.
        """
        mean = torch.tensor(self.mean, device=images.device)
        std = torch.tensor(self.std, device=images.device)
        return ((images.float() / 255.0 - mean) / std).permute(0, 3, 1, 2)

    def record(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return asdict(self)


#: That of ImageNet, which nearly all weights of torchvision expect.
IMAGENET = Normalisation([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def normalisation_of(
    mean: Sequence[float], std: Sequence[float], interpolation: str
) -> Normalisation:
    """That of published weights. An interpolation that Pillow does not have is bilinear."""
    known: Any = interpolation if interpolation in get_args(Interpolation) else "bilinear"
    return Normalisation([float(v) for v in mean], [float(v) for v in std], known)


def of_timm(config: Mapping[str, Any]) -> Normalisation:
    """That of a model of timm, from its ``pretrained_cfg``."""
    return normalisation_of(
        config.get("mean") or IMAGENET.mean,
        config.get("std") or IMAGENET.std,
        config.get("interpolation") or "bilinear",
    )


def of_torchvision(weights: Any) -> Normalisation:
    """That of a set of torchvision's weights, from its transforms."""
    preset = weights.transforms()
    interpolation = getattr(preset, "interpolation", None)
    return normalisation_of(preset.mean, preset.std, getattr(interpolation, "value", "bilinear"))
