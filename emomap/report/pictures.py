"""Pictures of the report: which images are shown, as small WebP pictures inside the page."""

from __future__ import annotations

import base64
import io as byte_io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.analysis.ranking import CEILING
from emomap.errors import EmomapError
from emomap.report import heat
from emomap.runs.results import Results
from emomap.sample import Gaze, Sample
from emomap.scoring.image import truths
from emomap.scoring.protocol import Protocol

#: Longer side of a picture in the page, in pixels.
SIDE = 320
#: How many images of each kind; an image may be of several kinds.
DIFFER, BEST, WORST, SAMPLE = 12, 8, 8, 8
#: Fixations up to which their dots leave enough of the density to be seen.
FEW = 60
#: The metric that says best and worst: the first of these that the run has, else its first one.
PREFERRED = ("cc", "nss", "auc_judd")


@dataclass(frozen=True)
class Overlay:
    """A map over the picture: a data URI, what it shows, and its values on the metrics."""

    title: str
    uri: str
    alt: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """One image of the report with everything below it.

    Attributes:
        kinds: why it is shown: "differ", "best", "worst", "sample".
        photo: data URI.
        ratio: width over height.
    """

    id: str
    kinds: tuple[str, ...]
    photo: str
    alt: str
    ratio: float
    emotion: str
    overlays: tuple[Overlay, ...]


def leading_metric(run: Results) -> str | None:
    """The metric by which images are chosen, or None in a run that scored no maps."""
    return next((name for name in PREFERRED if name in run.metrics), next(iter(run.metrics), None))


def choose(run: Results) -> dict[str, tuple[str, ...]]:
    """Image -> why it is shown: where the methods differ most, best and worst of the first, some.

    The even spread of a uniform map is left out of the differences: it is as far from every method
    as that method is good.
    """
    metric = leading_metric(run)
    if metric is None:
        return {}
    columns = {n: t[metric] for n, t in run.values.items() if n != CEILING and metric in t}
    if not columns:
        return {}
    order = sorted(set.intersection(*(set(column) for column in columns.values())))
    varied = [column for name, column in columns.items() if name != "uniform"]
    spread = {i: float(np.std([column[i] for column in varied or columns.values()])) for i in order}
    first = next(column for name, column in columns.items())
    sign = metrics.CATALOGUE[metric].direction
    goodness = sorted(order, key=lambda image: -sign * first[image])
    step = max(1, len(order) // SAMPLE)
    groups = {
        "differ": sorted(order, key=lambda image: -spread[image])[:DIFFER],
        "best": goodness[:BEST],
        "worst": goodness[::-1][:WORST],
        "sample": order[::step][:SAMPLE],
    }
    shown = dict.fromkeys(image for group in groups.values() for image in group)
    return {i: tuple(kind for kind, group in groups.items() if i in group) for i in shown}


def draw(run: Results, samples: Mapping[str, Sample], protocol: Protocol) -> list[Shown]:
    """The chosen images with gaze and maps.

    Raises:
        EmomapError: a picture, its gaze or a map cannot be read any more.
    """
    files = {name: run.maps(name) for name in run.methods if name in run.values}
    found = []
    for image, kinds in choose(run).items():
        if image not in samples:
            raise EmomapError(f"{image}: no longer in the data set")
        found.append(_shown(run, samples[image], kinds, files, protocol))
    return found


def _shown(
    run: Results,
    sample: Sample,
    kinds: tuple[str, ...],
    files: Mapping[str, Mapping[str, Path]],
    protocol: Protocol,
) -> Shown:
    picture = io.read_image(sample.image_file, at_least=SIDE)
    ratio = picture.shape[1] / picture.shape[0]
    small = heat.photo(picture, SIDE)
    size = (small.shape[1], small.shape[0])
    overlays = [*_gaze(sample, protocol, size)]
    for name, paths in files.items():
        values = {metric: column[sample.id] for metric, column in run.values[name].items()}
        if sample.id in paths:
            uri = encode(heat.colours(heat.spread(io.read_map(paths[sample.id]), size)))
            overlays.append(Overlay(name, uri, f"Map of {name} over image {sample.id}", values))
    emotion = sample.emotion or ""
    alt = f"Image {sample.id}" + (f", emotion {emotion}" if emotion else "")
    photo = encode(small, quality=72)
    return Shown(sample.id, kinds, photo, alt, ratio, emotion, tuple(overlays))


def _gaze(sample: Sample, protocol: Protocol, size: tuple[int, int]) -> list[Overlay]:
    gaze = sample.gaze()
    if gaze is None:
        return []
    density = truths(gaze, protocol, sample.id)["density"]
    canvas = heat.colours(heat.spread(density, size))
    words = f"Where people looked in image {sample.id}"
    if gaze.points is not None:
        canvas = _dots(canvas, gaze, size)
        words += f": {int(gaze.inside.sum())} fixations"
        if gaze.observers is not None:
            words += f" of {len(np.unique(gaze.observers))} observers"
    return [Overlay("people's gaze", encode(canvas), words)]


def _dots(canvas: heat.Colours, gaze: Gaze, size: tuple[int, int]) -> heat.Colours:
    """Each fixation as a white dot with a dark rim, smaller where there are many."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(canvas, "RGBA")
    brush = ImageDraw.Draw(picture)
    assert gaze.points is not None
    height, width = gaze.shape
    places = (gaze.points[gaze.inside] + 0.5) * (size[0] / width, size[1] / height)
    dot, rim = (1.0, 1.9) if len(places) <= FEW else (0.5, 1.0)
    for x, y in places:
        brush.ellipse((x - rim, y - rim, x + rim, y + rim), fill=(20, 20, 20, 190))
        brush.ellipse((x - dot, y - dot, x + dot, y + dot), fill=(255, 255, 255, 255))
    return np.asarray(picture)


def css_scale() -> str:
    """The scale as the stops of a CSS gradient."""
    stops = heat.scale()[:: 255 // 15]
    return ", ".join(f"rgb({r} {g} {b} / {a / 255:.2f})" for r, g, b, a in stops.tolist())


def encode(pixels: NDArray[np.uint8], quality: int = 60) -> str:
    """Pixels as a WebP data URI."""
    from PIL import Image

    buffer = byte_io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=4, alpha_quality=90)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def names(shown: Sequence[Shown]) -> list[str]:
    """The kinds that occur, in the order in which they are offered."""
    return [k for k in ("differ", "best", "worst", "sample") if any(k in s.kinds for s in shown)]
