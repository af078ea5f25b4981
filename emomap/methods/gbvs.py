"""Graph-based visual saliency (Harel, Koch & Perona, NIPS 2006), by the authors' program.

Image -> pyramids of colour and intensity -> feature maps -> a Markov chain on each, whose
equilibrium is high where a map differs from its surroundings -> sum -> blur.

Paper and program differ. The paper weights edges by a log ratio and normalises with a second chain;
the program uses a plain difference and the power 1.5. We follow the program, since published
numbers come from it. ``normalization="graph"`` selects the paper's second chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision import chain
from emomap.vision.arrays import Maps
from emomap.vision.features import (
    CHANNELS,
    TEMPORAL,
    channel_maps,
    check_channels,
    flicker,
    motion,
)
from emomap.vision.filters import (
    attenuate_border,
    flatten_noise,
    gaussian_blur,
    lattice_shape,
    rescale,
)
from emomap.vision.image import check_image
from emomap.vision.options import MapSize, check_shares, check_size, make_settings, several
from emomap.vision.pyramid import Planes, image_pyramid
from emomap.vision.resize import enlarge, resize

#: The least height and width, as in the original.
MIN_SIDE = 128
#: Name of each channel, by its letter.
NAMES = CHANNELS | TEMPORAL
Solver = Literal["exact", "power"]
Normalization = Literal["power1.5", "graph"]


@dataclass(frozen=True)
class GBVSSettings:
    """All parameters, under the names and with the defaults of the original program.

    Attributes:
        solver: "exact" for the equilibrium in closed form; "power" to iterate until a step is no
            longer than ``tol``, as the original does.
        normalization: "power1.5" raises each activation map to the power 1.5 (the program);
            "graph" is the second Markov chain (the paper).
        channels: letters of D (DKL colour), C (colour opponency), I (intensity), O (orientation),
            R (local contrast); for sequences also F (flicker) and M (motion).
        multilevels: pyramid levels of the map whose cells also join the graph, such as (1, 2).
        tol: Euclidean norm of the step at which the power iteration stops.
        levels: pyramid levels of the features; level l is 2^-l of the image.
        salmapmaxsize: longer side of the lattice, in cells.
        sigma_frac_act, sigma_frac_norm: widths of the two chains as shares of the mean side.
        num_norm_iters: how many times the normalisation is applied.
        blurfrac: standard deviation of the last blur as a share of the longer side; 0 for none.
        gaborangles, motionAngles: directions in degrees.
        contrastwidth: side of the window of R as a share of the height.
        flickerNewFrameWt: weight of the newest frame in the memory that F compares frames with.
        colorWeight ... dklcolorWeight: weight of each channel in the sum.
        unCenterBias: multiply the map by the inverse of a centre bias.
        normalizeTopChannelMaps: normalise the maps of the channels too before the sum.
    """

    solver: Solver = "exact"
    normalization: Normalization = "power1.5"
    channels: str = "DIO"
    multilevels: tuple[int, ...] = ()
    tol: float = 1e-4
    levels: tuple[int, ...] = (2, 3, 4)
    salmapmaxsize: int = 32
    sigma_frac_act: float = 0.15
    sigma_frac_norm: float = 0.06
    num_norm_iters: int = 1
    blurfrac: float = 0.02
    gaborangles: tuple[float, ...] = (0, 45, 90, 135)
    motionAngles: tuple[float, ...] = (0, 45, 90, 135)
    contrastwidth: float = 0.1
    flickerNewFrameWt: float = 1.0
    colorWeight: float = 1.0
    intensityWeight: float = 1.0
    orientationWeight: float = 1.0
    contrastWeight: float = 1.0
    flickerWeight: float = 1.0
    motionWeight: float = 1.0
    dklcolorWeight: float = 1.0
    unCenterBias: bool = False
    normalizeTopChannelMaps: bool = False

    def __post_init__(self) -> None:
        for name in ("multilevels", "levels", "gaborangles", "motionAngles"):
            object.__setattr__(self, name, several(getattr(self, name)))
        check_channels(self.channels, temporal=True, method="gbvs")
        if self.solver not in ("exact", "power"):
            raise UsageError(f"gbvs: solver={self.solver!r}; expected 'exact' or 'power'")
        if self.normalization not in ("power1.5", "graph"):
            raise UsageError(
                f"gbvs: normalization={self.normalization!r}; expected 'power1.5' or 'graph'"
            )
        for name in ("levels", "multilevels"):
            if any(level != int(level) or not 1 <= level <= 9 for level in getattr(self, name)):
                raise UsageError(
                    f"gbvs: {name}={getattr(self, name)}; expected integers from 1 to 9"
                )
        if not self.levels:
            raise UsageError("gbvs: levels=() is empty; expected integers from 1 to 9")
        for name in ("tol", "sigma_frac_act", "sigma_frac_norm", "salmapmaxsize"):
            if not getattr(self, name) > 0:
                raise UsageError(f"gbvs: {name}={getattr(self, name)} must be above 0")
        check_shares(
            "gbvs",
            blurfrac=self.blurfrac,
            contrastwidth=self.contrastwidth,
            num_norm_iters=self.num_norm_iters,
            flickerNewFrameWt=self.flickerNewFrameWt,
        )
        if self.num_norm_iters != int(self.num_norm_iters):
            raise UsageError(f"gbvs: num_norm_iters={self.num_norm_iters} must be a whole number")
        if not 4 <= self.salmapmaxsize <= 128:
            raise UsageError(
                f"gbvs: salmapmaxsize={self.salmapmaxsize}; expected 4 to 128 cells "
                "(the work grows with its fourth power)"
            )

    def weight(self, letter: str) -> float:
        """Weight of a channel in the sum."""
        value: float = getattr(self, f"{NAMES[letter]}Weight")
        return value


@dataclass(frozen=True)
class GBVSStages:
    """Intermediate results of GBVS, for n maps of h' x w' cells.

    Attributes:
        labels: (n,) channel, type and pyramid level of each map, as "orientation/1/level2".
        features: (n, h', w') feature maps.
        equilibria: (n, h', w') equilibrium of the activation chain of each map, of sum 1.
        iterations: (n,) int, steps of the power iteration; 0 for the closed form.
        channels: name of a channel -> (h', w') sum of its normalised maps, stretched to 0..1.
        master: (h', w') the saliency map on the lattice, in 0..1.
        map: (H, W) the saliency map at the size of the image, in 0..1.
    """

    labels: tuple[str, ...]
    features: Maps
    equilibria: Maps
    iterations: NDArray[np.int64]
    channels: dict[str, Maps]
    master: Maps
    map: Maps


def gbvs(
    image: ArrayLike,
    *,
    solver: Solver = "exact",
    normalization: Normalization = "power1.5",
    channels: str = "DIO",
    multilevels: Sequence[int] = (),
    size: MapSize = "image",
    tol: float = 1e-4,
    **parameters: Any,
) -> Maps:
    """Saliency of an image by GBVS.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1; sides of at least 128 px.
        solver, normalization, channels, multilevels, tol: see `GBVSSettings`.
        size: "image" for a map of the size of the image, "native" for the lattice (32 cells long).
        **parameters: any other parameter of `GBVSSettings`.

    Returns:
        (H, W) or (h', w') float64 in 0..1. For an image without contrast, a plateau that falls off
        to the border, as in the original.

    Raises:
        EmomapError: the image is refused (see `emomap.vision.image.check_image`).
        UsageError: a parameter is unknown or out of range.
    """
    check_size(size, method="gbvs")
    stages = gbvs_stages(
        image,
        solver=solver,
        normalization=normalization,
        channels=channels,
        multilevels=multilevels,
        tol=tol,
        **parameters,
    )
    return stages.map if size == "image" else stages.master


def gbvs_stages(image: ArrayLike, **parameters: Any) -> GBVSStages:
    """`gbvs` with all intermediate results.

    Args:
        image: as in `gbvs`.
        **parameters: any of `GBVSSettings`.

    Raises:
        EmomapError, UsageError: as in `gbvs`.
    """
    settings = _settings(parameters)
    check_channels(settings.channels, temporal=False, method="gbvs")
    return _sequence([image], settings)[0]


def gbvs_fast(image: ArrayLike, *, size: MapSize = "image") -> Maps:
    """The original's fast variant: colour and two orientations on one level, 24 cells.

    Its result depends on the early stop of the iteration (``tol=0.003``). ``image``, ``size``,
    result and errors are those of `gbvs`.
    """
    return gbvs(
        image,
        solver="power",
        channels="DO",
        size=size,
        tol=0.003,
        gaborangles=(0, 90),
        levels=(3,),
        salmapmaxsize=24,
    )


def gbvs_sequence(
    frames: Sequence[ArrayLike] | NDArray[Any],
    *,
    channels: str = "DIOFM",
    size: MapSize = "image",
    **parameters: Any,
) -> Maps:
    """Saliency of each frame of a sequence, with flicker and motion.

    Args:
        frames: (T, H, W, 3) or (T, H, W) or a list of images of one size.
        channels: as in `gbvs`, with F (flicker) and M (motion).
        size, **parameters: as in `gbvs`.

    Returns:
        (T, H, W) or (T, h', w') float64 in 0..1.

    Raises:
        EmomapError, UsageError: as in `gbvs`, or the frames differ in size.
    """
    check_size(size, method="gbvs")
    stages = gbvs_sequence_stages(frames, channels=channels, **parameters)
    return np.stack([stage.map if size == "image" else stage.master for stage in stages])


def gbvs_sequence_stages(
    frames: Sequence[ArrayLike] | NDArray[Any], *, channels: str = "DIOFM", **parameters: Any
) -> list[GBVSStages]:
    """`gbvs_sequence` with all intermediate results of each frame."""
    return _sequence(list(frames), _settings({"channels": channels, **parameters}))


class GBVS(Method):
    """GBVS as a method of `bench` and `predict`; options are the parameters of `GBVSSettings`.

    The function refuses pictures with a side below 128 px. The method enlarges them by bicubic
    resizing until the shorter side has 128 px (four times at most); the map has their own size.
    """

    def __init__(self, **parameters: Any) -> None:
        self.settings = _settings(parameters)
        check_channels(self.settings.channels, temporal=False, method="gbvs")

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        predictions = []
        for image in images:
            large = enlarge(image, MIN_SIDE, method="gbvs")
            stages = _sequence([large], self.settings)[0]
            own_size = large.shape[:2] == np.shape(image)[:2]
            map_ = stages.map if own_size else rescale(resize(stages.master, np.shape(image)[:2]))
            predictions.append(Prediction(map=map_))
        return predictions


def _settings(parameters: Mapping[str, Any]) -> GBVSSettings:
    return make_settings(GBVSSettings, parameters, method="gbvs")


class _Pyramids(NamedTuple):
    """Pyramids of a frame, of the one before, and of the memory that flicker compares it with."""

    now: list[Planes]
    before: list[Planes] | None
    memory: list[Planes] | None


def _sequence(frames: Sequence[ArrayLike], settings: GBVSSettings) -> list[GBVSStages]:
    if not frames:
        raise UsageError("gbvs: frames is empty; expected at least one image")
    stages: list[GBVSStages] = []
    shape: tuple[int, ...] | None = None
    before: list[Planes] | None = None
    memory: list[Planes] | None = None
    for frame in frames:
        image = check_image(frame, min_side=MIN_SIDE, method="gbvs")
        if shape is not None and image.shape != shape:
            raise UsageError(
                f"gbvs: frame {len(stages)} has shape {image.shape}, the first one {shape}; "
                "expected frames of one size"
            )
        shape = image.shape
        pyramid = image_pyramid(
            image, max(settings.levels), color=bool(set(settings.channels) & set("CD"))
        )
        pyramids = _Pyramids(pyramid, before, memory)
        stages.append(_frame(pyramids, (shape[0], shape[1]), settings))
        memory = _remember(memory, pyramid, settings.flickerNewFrameWt)
        before = pyramid
    return stages


def _remember(memory: list[Planes] | None, now: list[Planes], weight: float) -> list[Planes]:
    if memory is None or weight == 1:
        return now
    return [
        (weight * new + (1 - weight) * old).astype(np.float32)
        for new, old in zip(now, memory, strict=True)
    ]


def _frame(pyramids: _Pyramids, shape: tuple[int, int], settings: GBVSSettings) -> GBVSStages:
    """All stages of a frame of size ``shape``."""
    lattice = lattice_shape(shape, settings.salmapmaxsize)
    labels: list[str] = []
    letters: list[str] = []
    maps: list[Maps] = []
    for letter in settings.channels:
        for label, map_ in _channel(letter, pyramids, lattice, settings):
            labels.append(label)
            letters.append(letter)
            maps.append(map_)
    if not maps:
        raise UsageError(
            f"gbvs: channels={settings.channels!r} are colour channels, but the image is grey; "
            "add 'I' or 'O'"
        )
    features = flatten_noise(np.stack(maps))
    equilibria = _activate(features, settings)
    normalized = _normalize(equilibria.maps, settings)
    sums = {
        letter: normalized[[other == letter for other in letters]].sum(axis=0)
        for letter in dict.fromkeys(letters)
    }
    if settings.normalizeTopChannelMaps:
        sums = {key: _normalize(value[None], settings)[0] for key, value in sums.items()}
    weighted = (settings.weight(key) * value for key, value in sums.items())
    master = _finish(sum(weighted, np.zeros(lattice)), settings)
    return GBVSStages(
        labels=tuple(labels),
        features=features,
        equilibria=equilibria.maps,
        iterations=equilibria.iterations,
        channels={NAMES[key]: rescale(value) for key, value in sums.items()},
        master=master,
        map=rescale(resize(master, shape)),
    )


def _channel(
    letter: str, pyramids: _Pyramids, lattice: tuple[int, int], settings: GBVSSettings
) -> list[tuple[str, Maps]]:
    """Label and feature map of each type and level of a channel, at the size of the lattice.

    Empty for the colour channels of a grey picture.
    """
    levels: list[tuple[int, Maps]] = []
    for level in settings.levels:
        found = _features(letter, level, pyramids, settings)
        if len(found):
            levels.append((level, resize(found, lattice)))
    return [
        (f"{NAMES[letter]}/{kind + 1}/level{level}", found[kind])
        for kind in range(len(levels[0][1]) if levels else 0)
        for level, found in levels
    ]


def _features(letter: str, level: int, pyramids: _Pyramids, settings: GBVSSettings) -> Maps:
    """The maps of a channel on one level, (types, h, w)."""
    planes = pyramids.now[level]
    if letter == "F":
        return flicker(planes, None if pyramids.memory is None else pyramids.memory[level])
    if letter == "M":
        before = None if pyramids.before is None else pyramids.before[level]
        return motion(planes, before, settings.motionAngles)
    return channel_maps(
        letter, planes, angles=settings.gaborangles, contrast_width=settings.contrastwidth
    )


def _activate(features: Maps, settings: GBVSSettings) -> chain.Equilibria:
    sigma = settings.sigma_frac_act * sum(features.shape[1:]) / 2
    if settings.multilevels:
        return chain.activate_multilevel(
            features, sigma, settings.multilevels, solver=settings.solver, tol=settings.tol
        )
    return chain.activate(features, sigma, solver=settings.solver, tol=settings.tol)


def _normalize(maps: Maps, settings: GBVSSettings) -> Maps:
    sigma = settings.sigma_frac_norm * sum(maps.shape[1:]) / 2
    for _ in range(settings.num_norm_iters):
        if settings.normalization == "power1.5":
            maps = maps**1.5
        else:
            maps = chain.normalize_by_graph(
                maps, sigma, solver=settings.solver, tol=settings.tol
            ).maps
    return maps


def _finish(total: Maps, settings: GBVSSettings) -> Maps:
    master = rescale(attenuate_border(total, 4))
    if settings.blurfrac > 0:
        master = rescale(gaussian_blur(master, settings.blurfrac * max(master.shape), 2))
    if settings.unCenterBias:
        with np.load(Path(chain.__file__).with_name("gbvs_constants.npz")) as constants:
            inverse = resize(constants["inv_center_bias"], (master.shape[0], master.shape[1]))
        master = rescale(master * (0.5 + 0.5 * inverse))
    return master
