"""Pictures of the report: which images are shown, and their maps as small pictures in the page."""

from __future__ import annotations

import base64
import io as byte_io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.analysis.ranking import CEILING
from emomap.errors import EmomapError
from emomap.io.kinds import read_made
from emomap.method import title
from emomap.report import heat
from emomap.runs.results import Results
from emomap.sample import Gaze, Sample
from emomap.scoring.image import truths
from emomap.scoring.protocol import Protocol

#: Longer side of a map in the page, in pixels; and of a photograph, which is opened large.
SIDE, LARGE = 320, 640
#: How many images are shown of each kind. An image may be of several kinds.
DIFFER, BEST, WORST, SAMPLE = 12, 8, 8, 8
#: Up to this many fixations, large dots leave enough of the density visible.
FEW = 60
#: The metric that tells best from worst: the first of these that the run has, or else its first.
PREFERRED = ("cc", "nss", "auc_judd")


@dataclass(frozen=True)
class Overlay:
    """A map over the picture: its title, a data URI, a text for it, and its values by metric."""

    title: str
    uri: str
    alt: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """One image of the report with its overlays.

    Attributes:
        kinds: why it is shown: "differ", "best", "worst", "sample".
        photo: data URI of the picture; alt: a text for it.
        ratio: width over height.
        emotion: "" for an image without a label.
        overlays: people's gaze, then the map of each method.
    """

    id: str
    kinds: tuple[str, ...]
    photo: str
    alt: str
    ratio: float
    emotion: str
    overlays: tuple[Overlay, ...]


def leading_metric(run: Results) -> str | None:
    """The metric by which images are chosen; None for a run that scored no maps."""
    return next((name for name in PREFERRED if name in run.metrics), next(iter(run.metrics), None))


def choose(run: Results) -> dict[str, tuple[str, ...]]:
    """Image -> why it is shown.

    "differ": the methods differ most. "best" and "worst": of the first method. "sample": evenly
    spaced in the data set. The uniform map does not count as a difference, since it differs most
    where the other methods are good.
    """
    metric = leading_metric(run)
    if metric is None:
        return {}
    columns = {n: t[metric] for n, t in run.compared.items() if n != CEILING and metric in t}
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
        EmomapError: a picture, its gaze or a map can no longer be read.
    """
    files = {name: run.maps(name) for name in run.compared}
    found = []
    for image, kinds in choose(run).items():
        if image not in samples:
            raise EmomapError(f"{image}: this image is no longer in the data set")
        found.append(_shown(run, samples[image], kinds, files, protocol))
    return found


def names(shown: Sequence[Shown]) -> list[str]:
    """The kinds that occur, in the order of the page's menu."""
    return [k for k in ("differ", "best", "worst", "sample") if any(k in s.kinds for s in shown)]


def css_scale() -> str:
    """The colour scale as the stops of a CSS gradient."""
    stops = heat.scale()[:: 255 // 15]
    return ", ".join(f"rgb({r} {g} {b} / {a / 255:.2f})" for r, g, b, a in stops.tolist())


def _shown(
    run: Results,
    sample: Sample,
    kinds: tuple[str, ...],
    files: Mapping[str, Mapping[str, io.File]],
    protocol: Protocol,
) -> Shown:
    picture = io.read_image(sample.image_file, at_least=LARGE)
    ratio = picture.shape[1] / picture.shape[0]
    photo = heat.photo(picture, min(LARGE, max(SIDE, *picture.shape[:2])))
    overlays = [*_gaze(sample, protocol, (photo.shape[1], photo.shape[0]))]
    size = heat.fitted(picture, SIDE)
    for name, paths in files.items():
        columns = run.values[name].items()
        values = {metric: column[sample.id] for metric, column in columns if sample.id in column}
        if sample.id in paths:
            found = read_made(paths[sample.id], run.kind(name))
            uri = _encode(heat.colours(heat.spread(found, size)))
            words = f"Map of {title(name)} over image {sample.id}"
            overlays.append(Overlay(title(name), uri, words, values))
    emotion = sample.emotion or ""
    alt = f"Image {sample.id}" + (f", emotion {emotion}" if emotion else "")
    uri = _encode(photo, quality=72)
    return Shown(sample.id, kinds, uri, alt, ratio, emotion, tuple(overlays))


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
    return [Overlay("people's gaze", _encode(canvas), words)]


def _dots(canvas: heat.Colours, gaze: Gaze, size: tuple[int, int]) -> heat.Colours:
    """The canvas with a white dot for each fixation, dark at the rim, smaller if there are many."""
    from PIL import Image, ImageDraw

    picture = Image.fromarray(canvas, "RGBA")
    brush = ImageDraw.Draw(picture)
    assert gaze.points is not None
    height, width = gaze.shape
    places = (gaze.points[gaze.inside] + 0.5) * (size[0] / width, size[1] / height)
    scale = max(size) / SIDE
    dot, rim = (1.0 * scale, 1.9 * scale) if len(places) <= FEW else (0.5 * scale, 1.0 * scale)
    for x, y in places:
        brush.ellipse((x - rim, y - rim, x + rim, y + rim), fill=(20, 20, 20, 190))
        brush.ellipse((x - dot, y - dot, x + dot, y + dot), fill=(255, 255, 255, 255))
    return np.asarray(picture)


def _encode(pixels: NDArray[np.uint8], quality: int = 60) -> str:
    """Pixels as a WebP data URI."""
    from PIL import Image

    buffer = byte_io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", quality=quality, method=4, alpha_quality=90)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
