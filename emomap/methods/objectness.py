"""Objectness (Alexe, Deselaers & Ferrari, PAMI 2012): where objects of any kind are.

Windows are drawn where the spectral residual is strong on several scales (MS). Colour contrast with
the surround (CC) and superpixels cut by the border (SS) tell how well a window frames an object. A
naive Bayes classifier combines the cues. The best windows, without those that overlap better ones,
are added up to a map.

The likelihoods of the cues are learnt (`benchmarks/fit_objectness.py`). Those of the original are
for research only and are not shipped; pass them as ``parameters`` if you have them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from emomap.errors import EmomapError, UsageError
from emomap.method import Image, Method, Prediction
from emomap.vision.arrays import Maps
from emomap.vision.bayes import Parameters, Source, posterior
from emomap.vision.cues import color_contrast, edge_density, ms_maps, superpixels
from emomap.vision.filters import lattice_shape, rescale, round_half_up
from emomap.vision.histograms import straddling
from emomap.vision.image import check_image
from emomap.vision.resize import resize, resize_image
from emomap.vision.windows import add_up, sample_windows, suppress

__all__ = [
    "Objectness",
    "Parameters",
    "objectness",
    "objectness_stages",
    "posterior",
    "score_windows",
]

Cue = Literal["MS", "CC", "SS", "ED"]
#: Largest image that the functions accept; superpixels and histograms would take minutes.
MAX_PIXELS = 8_000_000


@dataclass(frozen=True)
class ObjectnessStages:
    """Intermediate results of Objectness. Pixels are 0-based, boxes inclusive.

    Attributes:
        ms_maps: scale -> (3, scale, scale) saliency of red, green and blue, in 0..1.
        segments: (H, W) int32 superpixels; None without the cue SS.
        windows: (n, 4) float, the windows drawn: xmin, ymin, xmax, ymax in pixels.
        scores: cue -> (n,) score of each window.
        posteriors: (n,) probability that each window frames an object.
        boxes: (k, 4) float, the windows that remain after the suppression, best first.
        box_scores: (k,) their probabilities.
        heat: (H, W) sum of the probabilities of the boxes over each pixel.
        map: (H, W) the heat, stretched to 0..1.
    """

    ms_maps: dict[int, Maps]
    segments: NDArray[np.int32] | None
    windows: Maps
    scores: dict[str, Maps]
    posteriors: Maps
    boxes: Maps
    box_scores: Maps
    heat: Maps
    map: Maps


def objectness(
    image: ArrayLike,
    *,
    parameters: Source = None,
    windows: int = 1000,
    rng: np.random.Generator | int = 0,
    cues: Sequence[Cue] = ("MS", "CC", "SS"),
    drawn: int = 100_000,
) -> Maps:
    """Map of how likely each pixel is to belong to an object.

    Args:
        image: (H, W, 3) or (H, W); uint8, or float in 0..1; sides of at least 10 px.
        parameters: learnt values, see `Parameters.load`; None for those of the package.
        windows: number of windows to add up.
        rng: random seed or generator for drawing the windows.
        cues: the cues to combine; MS must be among them.
        drawn: number of windows to draw and score.

    Returns:
        (H, W) float64 in 0..1; zero everywhere for an image without contrast.

    Raises:
        EmomapError: the image or the parameters are refused.
        UsageError: an option is out of range.
    """
    return objectness_stages(
        image, parameters=parameters, windows=windows, rng=rng, cues=cues, drawn=drawn
    ).map


def objectness_stages(
    image: ArrayLike,
    *,
    parameters: Source = None,
    windows: int = 1000,
    rng: np.random.Generator | int = 0,
    cues: Sequence[Cue] = ("MS", "CC", "SS"),
    drawn: int = 100_000,
) -> ObjectnessStages:
    """`objectness` with all intermediate results; arguments and errors are the same."""
    options = _Options(Parameters.load(parameters), windows, tuple(cues), drawn)
    return _stages(image, options, np.random.default_rng(rng))


def score_windows(
    image: ArrayLike,
    windows: ArrayLike,
    *,
    parameters: Source = None,
    cues: Sequence[Cue] = ("CC", "SS"),
    segments: NDArray[np.int32] | None = None,
) -> dict[str, Maps]:
    """Score given windows.

    Args:
        image: as in `objectness`.
        windows: (n, 4) xmin, ymin, xmax, ymax, 0-based inclusive pixels; rounded.
        parameters: learnt values, of which the thresholds are used.
        cues: any of "CC", "SS", "ED". MS is defined for windows on its own lattice; use
            `emomap.vision.windows.window_scores` on one of the `ms_maps`.
        segments: superpixels of the image, if known already.

    Returns:
        cue -> (n,) scores. CC in 0..2, SS in 0..1, ED 0 or more.

    Raises:
        EmomapError: the image, the windows or the parameters are refused.
        UsageError: another cue.
    """
    checked = check_image(image, max_pixels=MAX_PIXELS, method="objectness")
    learnt = Parameters.load(parameters)
    given = np.atleast_2d(np.asarray(windows, dtype=np.float64))
    if given.shape[1:] != (4,) or not (given[:, 2:] >= given[:, :2]).all():
        raise EmomapError(
            "objectness: windows must be (n, 4): xmin, ymin, xmax, ymax with xmin <= xmax and "
            "ymin <= ymax"
        )
    boxes = _pixels(given, checked.shape)
    scores: dict[str, Maps] = {}
    for cue in cues:
        if cue == "CC":
            scores[cue] = color_contrast(checked, boxes, learnt.theta_CC)
        elif cue == "SS":
            if segments is None:
                segments = superpixels(checked, learnt.theta_SS)
            scores[cue] = straddling(segments, boxes)
        elif cue == "ED":
            scores[cue] = edge_density(checked, boxes, learnt.theta_ED)
        else:
            raise UsageError(f"objectness: cue {cue!r} cannot be scored; there are CC, SS, ED")
    return scores


class Objectness(Method):
    """Objectness as a method of `bench` and `predict`; options as in `objectness`.

    Windows are drawn with the same seed for each image, so a map does not depend on other images. A
    picture with a side above ``longest`` pixels would take minutes and gigabytes. It is resized to
    ``longest`` first (bicubic); the map has the size of the picture.
    """

    def __init__(
        self,
        *,
        parameters: str | None = None,
        windows: int = 1000,
        seed: int = 0,
        cues: Sequence[Cue] = ("MS", "CC", "SS"),
        drawn: int = 100_000,
        longest: int = 1024,
    ) -> None:
        self.options = _Options(Parameters.load(parameters), windows, tuple(cues), drawn)
        self.seed = seed
        if longest < 64:
            raise UsageError(f"objectness: longest={longest}; expected 64 px or more")
        self.longest = longest

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps of the size of each image, in 0..1."""
        return [Prediction(map=self._map(image)) for image in images]

    def _map(self, image: ArrayLike) -> Maps:
        checked = check_image(image, min_side=self.options.min_side, method="objectness")
        shape = (checked.shape[0], checked.shape[1])
        large = max(shape) > self.longest
        small = resize_image(checked, lattice_shape(shape, self.longest)) if large else checked
        found = _stages(small, self.options, np.random.default_rng(self.seed)).map
        return rescale(resize(found, shape)) if large else found


@dataclass(frozen=True)
class _Options:
    parameters: Parameters
    windows: int = 1000
    cues: tuple[str, ...] = ("MS", "CC", "SS")
    drawn: int = 100_000
    overlap: float = 0.5
    min_side: int = 10

    def __post_init__(self) -> None:
        if any(n != int(n) or n < 1 for n in (self.windows, self.drawn)):
            raise UsageError(
                f"objectness: windows={self.windows} and drawn={self.drawn} must be whole "
                "numbers, 1 or more"
            )
        if "MS" not in self.cues or len(set(self.cues)) != len(self.cues):
            raise UsageError(
                f"objectness: cues={self.cues}; expected MS, which draws the windows, and any of "
                "CC, SS, ED, each once"
            )
        for cue in self.cues:
            if cue not in self.parameters.likelihoods:
                raise UsageError(
                    f"objectness: the parameters hold no likelihood of the cue {cue!r}; "
                    f"there are {', '.join(self.parameters.likelihoods)}"
                )


def _stages(image: ArrayLike, options: _Options, rng: np.random.Generator) -> ObjectnessStages:
    checked = check_image(
        image, min_side=options.min_side, max_pixels=MAX_PIXELS, method="objectness"
    )
    learnt = options.parameters
    shape = (checked.shape[0], checked.shape[1])
    maps = {scale: ms_maps(checked, scale) for scale in learnt.scales}
    windows, strength = _draw(maps, shape, options, rng)
    scores = {"MS": strength}
    pixels = _pixels(windows, shape)
    segments = None
    if "SS" in options.cues:
        segments = superpixels(checked, learnt.theta_SS)
        scores["SS"] = straddling(segments, pixels)
    if "CC" in options.cues:
        scores["CC"] = color_contrast(checked, pixels, learnt.theta_CC)
    if "ED" in options.cues:
        scores["ED"] = edge_density(checked, pixels, learnt.theta_ED)
    posteriors = posterior(scores, learnt)
    best = suppress(windows, posteriors, options.overlap, options.windows)
    heat = add_up(pixels[best], posteriors[best], shape)
    return ObjectnessStages(
        ms_maps=maps,
        segments=segments,
        windows=windows,
        scores=scores,
        posteriors=posteriors,
        boxes=windows[best],
        box_scores=posteriors[best],
        heat=heat,
        map=rescale(heat),
    )


def _draw(
    maps: Mapping[int, Maps], shape: tuple[int, int], options: _Options, rng: np.random.Generator
) -> tuple[Maps, Maps]:
    """Windows (n, 4) in pixels and their MS scores, equally many from each map and colour."""
    height, width = shape
    learnt = options.parameters
    share = -(-options.drawn // (3 * len(learnt.scales)))
    boxes, scores = [], []
    for scale, threshold in zip(learnt.scales, learnt.theta_MS, strict=True):
        smallest = (
            max(2, round_half_up(options.min_side * scale / height)),
            max(2, round_half_up(options.min_side * scale / width)),
        )
        step = np.array([width, height, width, height]) / scale
        for map_ in maps[scale]:
            found, strength = sample_windows(map_, threshold, smallest, share, rng)
            # the scaling is of 1-based places on the lattice to 1-based pixels
            boxes.append((found + 1) * step - 1)
            scores.append(strength)
    return np.concatenate(boxes)[: options.drawn], np.concatenate(scores)[: options.drawn]


def _pixels(windows: Maps, shape: Sequence[int]) -> NDArray[np.int64]:
    """Windows rounded to pixels within the image."""
    rounded = np.floor(windows + 0.5)
    limits = np.array([shape[1], shape[0], shape[1], shape[0]]) - 1
    return np.clip(rounded, 0, limits).astype(np.int64)
