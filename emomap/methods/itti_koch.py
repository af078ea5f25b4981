"""Itti, Koch & Niebur 1998, as "ittikochmap" of the GBVS program computes it.

Centre-surround differences between levels of a pyramid; each map is weighted by how much its
highest peak stands out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from emomap.errors import UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.arrays import Maps
from emomap.vision.features import (
    CHANNELS,
    channel_maps,
    check_channels,
)
from emomap.vision.filters import (
    attenuate_border,
    gaussian_blur,
    lattice_shape,
    rescale,
    round_half_up,
    squared_difference,
)
from emomap.vision.image import check_image
from emomap.vision.maxima import local_maxima
from emomap.vision.options import MapSize, check_shares, check_size, make_settings, several
from emomap.vision.pyramid import image_pyramid
from emomap.vision.resize import enlarge, resize

#: The least height and width, as in the original.
MIN_SIDE = 128


@dataclass(frozen=True)
class IttiKochSettings:
    """All parameters of `itti_koch`, under the names and with the defaults of the original.

    Attributes:
        channels: letters of C (colour opponency), I (intensity), O (orientation), D (DKL colour),
            R (local contrast).
        salmapmaxsize: longer side of the map in cells; None for an eighth of the image.
        ittiCenterLevels: pyramid levels of the centre; level l is 2^-l of the image.
        ittiDeltaLevels: how many levels the surround lies above the centre.
        ittiblurfrac: standard deviation of the last blur as a share of the longer side; 0 for none.
        gaborangles: orientations in degrees.
        contrastwidth: side of the window of R as a share of the height.
    """

    channels: str = "CIO"
    salmapmaxsize: int | None = None
    ittiCenterLevels: tuple[int, ...] = (2, 3)
    ittiDeltaLevels: tuple[int, ...] = (2,)
    ittiblurfrac: float = 0.03
    gaborangles: tuple[float, ...] = (0, 45, 90, 135)
    contrastwidth: float = 0.1

    def __post_init__(self) -> None:
        for name in ("ittiCenterLevels", "ittiDeltaLevels", "gaborangles"):
            object.__setattr__(self, name, several(getattr(self, name)))
        check_channels(self.channels, temporal=False, method="itti_koch")
        for name in ("ittiCenterLevels", "ittiDeltaLevels"):
            levels = getattr(self, name)
            if not levels or any(level != int(level) or not 1 <= level <= 9 for level in levels):
                raise UsageError(f"itti_koch: {name}={levels}; expected integers from 1 to 9")
        check_shares("itti_koch", ittiblurfrac=self.ittiblurfrac, contrastwidth=self.contrastwidth)
        if self.salmapmaxsize is not None and self.salmapmaxsize < 4:
            raise UsageError(f"itti_koch: salmapmaxsize={self.salmapmaxsize}; expected 4 or more")


@dataclass(frozen=True)
class IttiKochStages:
    """Intermediate results of `itti_koch`.

    Attributes:
        labels: (n,) channel, type, centre and surround of each map, as "color/1/level2-4".
        norm_maps: (n, h', w') centre-surround maps after the normalisation N.
        channels: name of a channel -> (h', w') N of the sum of its maps, stretched to 0..1.
        master: (h', w') the saliency map at its own size, in 0..1.
        map: (H, W) the saliency map at the size of the image, in 0..1.
    """

    labels: tuple[str, ...]
    norm_maps: Maps
    channels: dict[str, Maps]
    master: Maps
    map: Maps


def itti_koch(image: ArrayLike, *, size: MapSize = "image", **parameters: Any) -> Maps:
    """Saliency of an image by Itti, Koch & Niebur.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1; sides of at least 128 px.
        size: "image" for a map of the size of the image, "native" for an eighth of it.
        **parameters: any parameter of `IttiKochSettings`.

    Returns:
        (H, W) or (h', w') float64 in 0..1; zero everywhere for an image without contrast.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is unknown or out of range.
    """
    check_size(size, method="itti_koch")
    stages = itti_koch_stages(image, **parameters)
    return stages.map if size == "image" else stages.master


def itti_koch_stages(image: ArrayLike, **parameters: Any) -> IttiKochStages:
    """`itti_koch` with all intermediate results; ``parameters`` are those of `IttiKochSettings`."""
    return _stages(image, make_settings(IttiKochSettings, parameters, method="itti_koch"))


def normalize_peaks(map_: Maps) -> Maps:
    """Itti's operator N, which favours maps whose highest peak stands out.

    The map is multiplied by 10. With several local maxima it is also multiplied by
    (10 - their mean)^2, with one by 100.

    Args:
        map_: (h, w) in 0..1.

    Returns:
        (h, w); only the factor 10 if no maximum inside the map reaches 0.1.
    """
    stretched = 10 * map_
    peaks = local_maxima(stretched, 1.0)
    if len(peaks) > 1:
        return np.asarray(stretched * (10 - peaks.mean()) ** 2)
    return stretched * 100 if len(peaks) else stretched


class IttiKoch(Method):
    """Itti-Koch as a method of `bench` and `predict`; its options are those of `IttiKochSettings`.

    The function refuses pictures with a side below 128 px. The method enlarges them by bicubic
    resizing until the shorter side has 128 px (four times at most); the map has their own size.
    """

    def __init__(self, **parameters: Any) -> None:
        self.settings = make_settings(IttiKochSettings, parameters, method="itti_koch")

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        predictions = []
        for image in images:
            large = enlarge(image, MIN_SIDE, method="itti_koch")
            stages = _stages(large, self.settings)
            own_size = large.shape[:2] == np.shape(image)[:2]
            map_ = stages.map if own_size else rescale(resize(stages.master, np.shape(image)[:2]))
            predictions.append(Prediction(map=map_))
        return predictions


def _stages(image: ArrayLike, settings: IttiKochSettings) -> IttiKochStages:
    checked = check_image(image, min_side=MIN_SIDE, method="itti_koch")
    shape = (checked.shape[0], checked.shape[1])
    size = settings.salmapmaxsize or round_half_up(max(shape) / 8)
    native = lattice_shape(shape, size)
    pairs = [(c, c + d) for c in settings.ittiCenterLevels for d in settings.ittiDeltaLevels]
    pyramid = image_pyramid(
        checked, max(max(pair) for pair in pairs), color=bool(set(settings.channels) & set("CD"))
    )
    labels: list[str] = []
    norm_maps: list[Maps] = []
    channels: dict[str, Maps] = {}
    for letter in settings.channels:
        used = sorted({level for pair in pairs for level in pair})
        features = {
            level: channel_maps(
                letter,
                pyramid[level],
                angles=settings.gaborangles,
                contrast_width=settings.contrastwidth,
            )
            for level in used
        }
        if not len(features[used[0]]):
            continue
        found = {pair: _differences(features, pair, native) for pair in pairs}
        mine = []
        for kind in range(len(features[used[0]])):
            for pair in pairs:
                mine.append(normalize_peaks(found[pair][kind]))
                labels.append(f"{CHANNELS[letter]}/{kind + 1}/level{pair[0]}-{pair[1]}")
        channels[CHANNELS[letter]] = normalize_peaks(rescale(np.sum(mine, axis=0)))
        norm_maps.extend(mine)
    if not channels:
        raise UsageError(
            f"itti_koch: channels={settings.channels!r} are colour channels, but the image is "
            "grey; add 'I' or 'O'"
        )
    master = rescale(attenuate_border(np.sum(list(channels.values()), axis=0), 4))
    if settings.ittiblurfrac > 0:
        master = rescale(gaussian_blur(master, settings.ittiblurfrac * max(native), 2))
    return IttiKochStages(
        labels=tuple(labels),
        norm_maps=np.stack(norm_maps),
        channels={name: rescale(value) for name, value in channels.items()},
        master=master,
        map=rescale(resize(master, shape)),
    )


def _differences(features: dict[int, Maps], pair: tuple[int, int], native: tuple[int, int]) -> Maps:
    """(centre - surround)^2 of all maps of a channel, at the size of the result, in 0..1."""
    centre, surround = features[pair[0]], features[pair[1]]
    beside = resize(surround, (centre.shape[1], centre.shape[2]))
    return rescale(resize(squared_difference(centre, beside), native))
