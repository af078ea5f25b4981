"""The stage outlines x gaze, maps -> attention on objects: who looks at what is emotional?

People's density is made of their fixations as for every metric, or is the one of the data set.
With the order of the fixations known, the first of each observer and the later ones are also taken
apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics, parallel
from emomap.errors import EmomapError
from emomap.io.files import File
from emomap.io.kinds import MapKind, as_map
from emomap.sample import Gaze, Outline, Sample
from emomap.scoring.image import resize_to_gaze
from emomap.scoring.protocol import Protocol

#: The viewers that are made of people's gaze.
PEOPLE, FIRST, LATER = "people", "people, first", "people, later"


@dataclass(frozen=True)
class ObjectProtocol:
    """How attention on objects is measured.

    Attributes:
        statistic: "max" or "mean" of the map over an object.
        first: how many fixations of each observer are the first.
        protocol: blur of the fixations, resizing of maps.
    """

    protocol: Protocol
    statistic: str = "max"
    first: int = 1


@dataclass(frozen=True)
class PictureToMeasure:
    """One picture with its objects, and the maps that models made of it: name -> file, kind."""

    id: str
    gaze: Callable[[], Gaze | None]
    objects: Callable[[], tuple[Outline, ...] | None]
    maps: Mapping[str, tuple[File, MapKind]]


@dataclass(frozen=True)
class Viewed:
    """How one viewer shares attention among the objects of a picture.

    Attributes:
        attention: of each object, see `metrics.objects.object_attention`.
        emotional, neutral: mean attention of the objects of the kind; None without any.
        atti_emotional, atti_neutral: AttI of all objects of the kind; None without any.
    """

    attention: tuple[float, ...]
    emotional: float | None
    neutral: float | None
    atti_emotional: float | None
    atti_neutral: float | None

    @property
    def prioritisation(self) -> float | None:
        """Emotional minus neutral; None where the picture lacks one of them."""
        if self.emotional is None or self.neutral is None:
            return None
        return self.emotional - self.neutral


@dataclass(frozen=True)
class Measured:
    """What was measured in one picture.

    Attributes:
        id: of the picture.
        objects: name, sentiment and share of the area of each object.
        viewers: viewer -> how it shares its attention.
        problem: why there is nothing, or "".
        lacking: viewer -> why it has no value here.
    """

    id: str
    objects: tuple[tuple[str, str, float], ...] = ()
    viewers: Mapping[str, Viewed] | None = None
    problem: str = ""
    lacking: Mapping[str, str] | None = None


def to_measure(
    samples: Sequence[Sample], maps: Mapping[str, tuple[Mapping[str, File], MapKind]]
) -> list[PictureToMeasure]:
    """The pictures with outlines, each with the maps that there are of it.

    Args:
        samples: of a data set.
        maps: model -> its map files by id, and what their values are.
    """
    return [
        PictureToMeasure(
            sample.id,
            sample.gaze,
            sample.objects,
            {
                name: (files[sample.id], kind)
                for name, (files, kind) in maps.items()
                if sample.id in files
            },
        )
        for sample in samples
        if sample.objects_source is not None
    ]


def measure_all(
    items: Sequence[PictureToMeasure], how: ObjectProtocol, *, jobs: int | None = None
) -> Iterator[Measured]:
    """Measure pictures in parallel. Results come in the order of the items."""
    return parallel.ordered(partial(measure, how=how), items, jobs=jobs, chunk=25)


def measure(item: PictureToMeasure, how: ObjectProtocol) -> Measured:
    """Measure one picture. A failure is returned as a problem, which names the file or the picture.

    A model whose map fails leaves the others their values.
    """
    try:
        outlines = item.objects() or ()
        if not outlines:
            return Measured(item.id, problem=f"{item.id}: no object is outlined")
        masks = _masks(outlines, item.id)
        densities = _people(item, outlines[0].shape, how)
    except EmomapError as error:
        return Measured(item.id, problem=str(error))
    lacking = {}
    for name, (file, kind) in item.maps.items():
        try:
            found = as_map(io.read_map(file, logarithm=kind == "log-density"), kind, str(file))
            densities[name] = resize_to_gaze(found, outlines[0].shape, how.protocol, str(file))
        except EmomapError as error:
            lacking[name] = str(error)
    kinds = [outline.emotional for outline in outlines]
    viewers = {}
    for name, density in densities.items():
        try:
            viewers[name] = _viewed(density, masks, kinds, how.statistic)
        except ValueError as error:
            where = item.maps[name][0] if name in item.maps else item.id
            lacking[name] = f"{where}: {error}"
    objects = tuple(
        (outline.name, outline.sentiment or "", float(mask.mean()))
        for outline, mask in zip(outlines, masks, strict=True)
    )
    return Measured(item.id, objects, viewers, lacking=lacking)


def _masks(outlines: Sequence[Outline], identity: str) -> NDArray[np.bool_]:
    masks = np.stack([outline.mask() for outline in outlines])
    empty = np.flatnonzero(~masks.any(axis=(1, 2)))
    if len(empty):
        name = outlines[int(empty[0])].name or "without a name"
        raise EmomapError(f"{identity}: object {int(empty[0]) + 1} ({name}) covers no pixel")
    return masks


def _people(
    item: PictureToMeasure, shape: tuple[int, int], how: ObjectProtocol
) -> dict[str, NDArray[Any]]:
    """People's densities: of all fixations, and of the first and the later ones where known."""
    gaze = item.gaze()
    if gaze is None:
        return {}
    if gaze.points is None:
        if gaze.density is None:
            return {}
        return {PEOPLE: resize_to_gaze(gaze.density, shape, how.protocol, item.id)}
    if gaze.shape != shape:
        sizes = [f"{size[1]} x {size[0]}" for size in (shape, gaze.shape)]
        raise EmomapError(
            f"{item.id}: its objects are outlined on a picture of {sizes[0]}, but the fixations "
            f"are on one of {sizes[1]}"
        )
    parts = {PEOPLE: np.ones(len(gaze.points), dtype=bool)}
    if gaze.observers is not None:
        early = order_of(gaze.observers) < how.first
        parts |= {FIRST: early, LATER: ~early}
    found = {}
    for name, chosen in parts.items():
        counts = metrics.fixation_map(gaze.points[chosen & gaze.inside], shape)
        if counts.any():
            found[name] = metrics.density(counts, how.protocol.sigma_for(shape))
    if PEOPLE not in found:
        raise EmomapError(f"{item.id}: no fixation lies inside the picture")
    return found


def order_of(observers: NDArray[np.int64]) -> NDArray[np.int64]:
    """(N,) place of each fixation among those of its observer, from 0.

    Args:
        observers: (N,) who made each, in viewing order.
    """
    order = np.empty(len(observers), dtype=np.int64)
    for observer in np.unique(observers):
        own = np.flatnonzero(observers == observer)
        order[own] = np.arange(len(own))
    return order


def _viewed(
    density: NDArray[Any],
    masks: NDArray[np.bool_],
    kinds: Sequence[bool | None],
    statistic: str,
) -> Viewed:
    attention = metrics.objects.object_attention(density, masks, statistic=statistic)
    means: list[float | None] = []
    indices: list[float | None] = []
    for kind in (True, False):
        own = [number for number, found in enumerate(kinds) if found is kind]
        means.append(float(attention[own].mean()) if own else None)
        indices.append(float(metrics.objects.atti(density, masks[own])) if own else None)
    return Viewed(tuple(map(float, attention)), *means, *indices)
