"""Simple saliency, "simpsal": Itti-Koch reduced to blurs (J. Harel's program of 2013).

Colour, intensity and orientation on three scales. Each feature map is compared with a blurred copy
of itself, and maps whose highest peak stands out count more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import EmomapError, UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.arrays import Maps
from emomap.vision.filters import (
    flatten_noise,
    gaussian_blur,
    rescale,
    round_half_up,
    squared_difference,
)
from emomap.vision.gabor import orientation_energy
from emomap.vision.image import check_image
from emomap.vision.maxima import local_maxima
from emomap.vision.opponent import dkl_colors, opponent_colors
from emomap.vision.options import MapSize, check_shares, check_size, make_settings, several
from emomap.vision.resize import resize, resize_planes

#: Largest ratio of height to width. The width of the map is fixed, so a taller image would need a
#: huge map.
TALLEST = 16
_NAMES = {"C": "color", "I": "intensity", "O": "orientation", "D": "dklcolor"}


@dataclass(frozen=True)
class SimpsalSettings:
    """All parameters of `simpsal`, under the names and with the defaults of the original.

    Attributes:
        channels: letters of C (colour opponency), I (intensity), O (orientation), D (DKL colour).
        mapWidth: width of the map in cells.
        useMultipleCenterScales: True for features at 2, 1 and 0.5 times the size of the map.
        surroundSig: standard deviations of the surround in cells.
        useNormWeights: weight maps by how much their highest peak stands out.
        nGaborAngles: number of orientations, evenly spaced from 0 to 180 degrees.
        blurRadius: standard deviation of the last blur as a share of the map's height; 0 for none.
    """

    channels: str = "CIO"
    mapWidth: int = 64
    useMultipleCenterScales: bool = True
    surroundSig: tuple[float, ...] | float = (2, 8)
    useNormWeights: bool = True
    nGaborAngles: int = 4
    blurRadius: float = 0.04

    def __post_init__(self) -> None:
        sigmas = self.sigmas
        unknown = [letter for letter in self.channels if letter not in _NAMES]
        if unknown or not self.channels or len(set(self.channels)) != len(self.channels):
            known = ", ".join(f"{key} ({name})" for key, name in _NAMES.items())
            raise UsageError(
                f"simpsal: channels={self.channels!r}; expected some of {known}, each once"
            )
        if not sigmas or min(sigmas) <= 0:
            raise UsageError(f"simpsal: surroundSig={sigmas} must be above 0")
        check_shares("simpsal", blurRadius=self.blurRadius)
        if not 8 <= self.mapWidth <= 1024 or self.nGaborAngles < 1:
            raise UsageError(
                f"simpsal: mapWidth={self.mapWidth} (8 to 1024) or "
                f"nGaborAngles={self.nGaborAngles} (1 or more) is out of range"
            )

    @property
    def sigmas(self) -> tuple[float, ...]:
        """`surroundSig` as a tuple."""
        return several(self.surroundSig)


@dataclass(frozen=True)
class SimpsalStages:
    """Intermediate results of `simpsal`.

    Attributes:
        labels: (n,) channel, type and scale of each map, as "color/1/scale2".
        maps: n maps at the size of their scale, in 0..1.
        channels: name of a channel -> (h, w) the weighted mean of its maps.
        master: (h, w) the saliency map at its own size, in 0..1.
        map: (H, W) the saliency map at the size of the image, in 0..1.
    """

    labels: tuple[str, ...]
    maps: tuple[Maps, ...]
    channels: dict[str, Maps]
    master: Maps
    map: Maps


def simpsal(image: ArrayLike, *, size: MapSize = "image", **parameters: Any) -> Maps:
    """Saliency of an image by simpsal.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1; at most 16 times as high as wide.
        size: "image" for a map of the size of the image, "native" for a map 64 cells wide.
        **parameters: any parameter of `SimpsalSettings`.

    Returns:
        (H, W) or (h, 64) float64 in 0..1; zero everywhere for an image without contrast.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is unknown or out of range.
    """
    check_size(size, method="simpsal")
    stages = simpsal_stages(image, **parameters)
    return stages.map if size == "image" else stages.master


def simpsal_fast(image: ArrayLike, *, size: MapSize = "image") -> Maps:
    """The original's fast variant: DKL colour, intensity, one scale, one surround, no weights.

    ``image``, ``size``, result and errors are those of `simpsal`.
    """
    return simpsal(
        image,
        size=size,
        channels="DI",
        useMultipleCenterScales=False,
        surroundSig=(5,),
        useNormWeights=False,
    )


def simpsal_stages(image: ArrayLike, **parameters: Any) -> SimpsalStages:
    """`simpsal` with all intermediate results; ``parameters`` are those of `SimpsalSettings`."""
    return _stages(image, make_settings(SimpsalSettings, parameters, method="simpsal"))


class Simpsal(Method):
    """simpsal as a method of `bench` and `predict`; its options are those of `SimpsalSettings`."""

    def __init__(self, **parameters: Any) -> None:
        self.settings = make_settings(SimpsalSettings, parameters, method="simpsal")

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        return [Prediction(map=_stages(image, self.settings).map) for image in images]


def _stages(image: ArrayLike, settings: SimpsalSettings) -> SimpsalStages:
    checked = check_image(image, method="simpsal")
    height, width = checked.shape[:2]
    if height > TALLEST * width:
        raise EmomapError(
            f"simpsal: image is {width}x{height} px (width x height), more than {TALLEST} times as "
            "high as wide; crop it or turn it"
        )
    base = (max(1, round_half_up(settings.mapWidth * height / width)), settings.mapWidth)
    pictures = {scale: _picture(checked, base, scale) for scale in _scales(settings)}
    labels: list[str] = []
    maps: list[Maps] = []
    channels: dict[str, Maps] = {}
    for letter in settings.channels:
        mine = []
        for scale, picture in pictures.items():
            for kind, feature in enumerate(_features(letter, picture, settings)):
                mine.append(_contrast(feature, settings))
                labels.append(f"{_NAMES[letter]}/{kind + 1}/scale{scale:g}")
        if not mine:
            continue
        weights = [_weight(map_, settings) for map_ in mine]
        total = sum(
            (weight * resize(map_, base) for weight, map_ in zip(weights, mine, strict=True)),
            np.zeros(base),
        )
        channels[_NAMES[letter]] = total / sum(weights) if sum(weights) > 0 else total
        maps.extend(mine)
    if not channels:
        raise UsageError(
            f"simpsal: channels={settings.channels!r} are colour channels, but the image is grey; "
            "add 'I' or 'O'"
        )
    total = sum((_weight(one, settings) * one for one in channels.values()), np.zeros(base))
    master = total
    if settings.blurRadius > 0:
        master = gaussian_blur(total, settings.blurRadius * base[0], 1.5)
    master = rescale(master)
    return SimpsalStages(
        labels=tuple(labels),
        maps=tuple(maps),
        channels=channels,
        master=master,
        map=rescale(resize(master, (height, width))),
    )


def _scales(settings: SimpsalSettings) -> tuple[float, ...]:
    return (2.0, 1.0, 0.5) if settings.useMultipleCenterScales else (1.0,)


def _picture(image: NDArray[Any], base: tuple[int, int], scale: float) -> Maps:
    """The image at one scale, (3, h, w) or (1, h, w) in about 0..1 (bicubic overshoot stays)."""
    shape = (max(1, round_half_up(base[0] * scale)), max(1, round_half_up(base[1] * scale)))
    return flatten_noise(resize_planes(image, shape))


def _features(letter: str, picture: Maps, settings: SimpsalSettings) -> Maps:
    intensity = picture.mean(axis=0)
    if letter == "I":
        return np.asarray(intensity[None])
    if letter == "O":
        step = 180 / settings.nGaborAngles
        return orientation_energy(intensity, tuple(step * k for k in range(settings.nGaborAngles)))
    if len(picture) == 1:
        return picture[:0]
    if letter == "C":
        return opponent_colors(picture, intensity, 0.01)
    return dkl_colors(picture)


def _contrast(feature: Maps, settings: SimpsalSettings) -> Maps:
    """(feature - surround)^2 over all surrounds, weighted and stretched to 0..1."""
    total = np.zeros_like(feature)
    for sigma in settings.sigmas:
        difference = rescale(squared_difference(feature, gaussian_blur(feature, sigma, 2)))
        total += _weight(difference, settings) * difference
    return rescale(total)


def _weight(map_: Maps, settings: SimpsalSettings) -> float:
    """(1 - mean of the local maxima)^2 of the stretched map; 1 with fewer than two of them."""
    if not settings.useNormWeights:
        return 1.0
    peaks = local_maxima(rescale(map_), 0.1)
    return float((1 - peaks.mean()) ** 2) if len(peaks) > 1 else 1.0
