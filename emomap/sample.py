"""What a data set yields: samples with their picture, emotion and gaze, all read lazily.

Coordinates of fixations are 0-based pixels, columns x (right) and y (down), pixel centres on
integers. Every loader in `emomap.data` converts to this once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from emomap.io.files import File

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

#: The eight emotions of FI (Mikels et al. 2005), in the order used everywhere.
EMOTIONS = (
    "amusement",
    "anger",
    "awe",
    "contentment",
    "disgust",
    "excitement",
    "fear",
    "sadness",
)


@dataclass(frozen=True)
class Window:
    """The part of a picture that a mask leaves.

    Attributes:
        picture: (height, width) of the whole picture.
        top, left: where the smallest rectangle around the part begins.
        shape: (height, width) of that rectangle.
        mask: of that shape, True where a pixel is ignored, or None.
    """

    picture: tuple[int, int]
    top: int
    left: int
    shape: tuple[int, int]
    mask: NDArray[np.bool_] | None = None

    def of(self, values: NDArray[Any]) -> NDArray[Any]:
        """A map of the whole picture, cropped to the rectangle."""
        bottom, right = self.top + self.shape[0], self.left + self.shape[1]
        return values[self.top : bottom, self.left : right]


@dataclass(frozen=True)
class Gaze:
    """Where people looked in one picture: fixations, a density, or both.

    Attributes:
        shape: (height, width) of the picture that the coordinates belong to, in pixels.
        points: (N, 2) float, columns x and y, or None if only a density is known. Points may lie
            outside the picture (measured so); whoever rasters them drops and counts these.
        observers: (N,) int, who made each fixation, or None.
        durations: (N,) float, milliseconds, or None.
        density: (H', W') map, non-negative, any type and scale, or None. Its size may differ from
            ``shape`` when the authors ship maps of another size.
        notes: what was guessed when the gaze was read.
        window: where a mask left something out, what it left: shape, points and density are then
            those of this part alone.
    """

    shape: tuple[int, int]
    points: NDArray[np.float64] | None = None
    observers: NDArray[np.int64] | None = None
    durations: NDArray[np.float64] | None = None
    density: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()
    window: Window | None = None

    @property
    def inside(self) -> NDArray[np.bool_]:
        """(N,) which fixations lie within the picture once rounded to their pixel."""
        if self.points is None:
            return np.zeros(0, dtype=bool)
        cells = np.floor(self.points + 0.5)
        height, width = self.shape
        inside = (cells[:, 0] >= 0) & (cells[:, 0] < width)
        inside &= (cells[:, 1] >= 0) & (cells[:, 1] < height)
        return np.asarray(inside, dtype=bool)


Sentiment = Literal["neutral", "emotional", "positive", "negative"]
#: What an outlined object can be. "emotional" leaves open which way.
SENTIMENTS: tuple[Sentiment, ...] = ("neutral", "emotional", "positive", "negative")


@dataclass(frozen=True, eq=False)
class Outline:
    """An outlined object in a picture.

    Attributes:
        shape: (height, width) of the picture that the outline belongs to, in pixels.
        polygons: each (N, 2) float, columns x and y in pixels, pixel centres on integers. The
            object is what lies in at least one of them.
        runs: instead of polygons, lengths of runs of pixels outside and inside the object in turn,
            column by column, beginning outside; or None.
        name: what the object is ("face"), or "".
        sentiment: one of `SENTIMENTS`, or None where the set does not say.
    """

    shape: tuple[int, int]
    polygons: tuple[NDArray[np.float64], ...] = ()
    runs: NDArray[np.int64] | None = None
    name: str = ""
    sentiment: Sentiment | None = None

    @property
    def emotional(self) -> bool | None:
        """Whether the object is emotional, in whatever way; None where the set does not say."""
        return None if self.sentiment is None else self.sentiment != "neutral"

    def mask(self) -> NDArray[np.bool_]:
        """The pixels of the object: (height, width). Those whose centre lies in a polygon."""
        if self.runs is not None:
            inside = np.arange(len(self.runs)) % 2 == 1
            return np.repeat(inside, self.runs).reshape(self.shape[::-1]).T
        from skimage.draw import polygon

        found = np.zeros(self.shape, dtype=bool)
        for points in self.polygons:
            found[polygon(points[:, 1], points[:, 0], self.shape)] = True  # type: ignore[no-untyped-call]
        return found


@dataclass(frozen=True)
class Sample:
    """One picture of a data set. What the set does not say of it is None.

    Attributes:
        id: unique within the data set, path-like ("anger/012"), also the stem of every file that
            is made from it.
        image_file: where the picture is, read by `emomap.io.read_image`.
        emotion: the label, or None.
        split: "train", "val", "test", or None where the data set has no splits.
        gaze_source: a picklable function of no arguments that reads the gaze, or None.
        distribution: emotion -> share of the people who saw it, 0 to 1, in sum 1, over all
            `Dataset.classes`; or None.
        votes: emotion -> number of people, where the distribution was counted; or None.
        valence, arousal: mean ratings on the scale `Dataset.affect_range`, or None.
        attributes: column -> value ("scene" -> "beach"); or None.
        objects_source: a picklable function of no arguments that reads the outlines, or None.
    """

    id: str
    image_file: File
    emotion: str | None = None
    split: Split | None = None
    gaze_source: Callable[[], Gaze] | None = field(default=None, repr=False)
    distribution: Mapping[str, float] | None = field(default=None, repr=False, hash=False)
    votes: Mapping[str, int] | None = field(default=None, repr=False, hash=False)
    valence: float | None = None
    arousal: float | None = None
    attributes: Mapping[str, str] | None = field(default=None, repr=False, hash=False)
    objects_source: Callable[[], tuple[Outline, ...]] | None = field(default=None, repr=False)

    def image(self) -> NDArray[np.uint8]:
        """Read the picture: (H, W, 3) uint8, upright."""
        from emomap import io

        return io.read_image(self.image_file)

    def gaze(self) -> Gaze | None:
        """Read the gaze, or None where the data set has none for this picture."""
        return None if self.gaze_source is None else self.gaze_source()

    def objects(self) -> tuple[Outline, ...] | None:
        """Read the outlines of the objects, or None where the data set has none for it."""
        return None if self.objects_source is None else self.objects_source()


@dataclass(frozen=True)
class Dataset:
    """A named, ordered set of samples.

    Attributes:
        name: short name shown in tables ("demo", "osie").
        samples: in the order of their ids.
        classes: the emotions that labels are taken from, in order; empty without labels.
        synthetic: True when pictures or gaze are made up; every table then says so.
        sigma: standard deviation in pixels of the Gaussian that turns fixations into a density,
            or None when the data set does not say.
        layout: name of the loader that opened it, with the reason when it was recognised.
        source, licence: free text for reports.
        notes: remarks that a table must show (guesses of the loader, skipped files).
        doubt: why the gaze can hardly be right, in the words of an error; "" for none.
        affect_range: least and greatest value of the scale of valence and arousal, or None when
            the data set does not say.
    """

    name: str
    samples: tuple[Sample, ...]
    classes: tuple[str, ...] = ()
    synthetic: bool = False
    sigma: float | None = None
    layout: str = ""
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = ()
    doubt: str = ""
    affect_range: tuple[float, float] | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self.samples)

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that have at least one sample."""
        present = {sample.split for sample in self.samples}
        return tuple(split for split in SPLITS if split in present)

    @property
    def labelled(self) -> bool:
        """True when at least one sample has an emotion."""
        return any(sample.emotion is not None for sample in self.samples)

    def split(self, name: Split) -> Dataset:
        """The samples of one split."""
        return replace(self, samples=tuple(s for s in self.samples if s.split == name))
