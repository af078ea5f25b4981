"""Draw a contact sheet of a data set, with gaze over the pictures: `emomap data show`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from emomap import io, parallel
from emomap.errors import EmomapError
from emomap.progress import track
from emomap.sample import Dataset, Gaze, Outline, Sample

if TYPE_CHECKING:
    from PIL.Image import Image

#: Pixels: width and height of a picture's box, height of the line below it, gap around both.
BOX, CAPTION, GAP = (240, 180), 18, 8
PAPER, INK, FAINT = (255, 255, 255), (30, 30, 30), (200, 200, 200)
HEAT, DOT, RIM = (255, 60, 0), (255, 225, 40), (0, 0, 0)
#: Edges of objects.
EMOTIONAL, OTHER = (230, 0, 160), (0, 200, 230)


def contact_sheet(
    dataset: Dataset,
    out: Path,
    *,
    count: int = 24,
    columns: int = 4,
    jobs: int | None = None,
    show: bool = True,
) -> list[str]:
    """Draw pictures spread evenly over the data set: density as heat, fixations as dots.

    Outlined objects have an edge, emotional ones in magenta, others in cyan. The line below each
    picture has its label and, without one, its valence and arousal.

    Args:
        dataset: the data set.
        out: picture to write, in the format of its suffix.
        count: number of pictures.
        columns: pictures in a row.
        jobs: worker processes; None for one per CPU.
        show: progress on stderr.

    Returns:
        One line for each picture that could not be drawn.

    Raises:
        EmomapError: the sheet cannot be written.
    """
    from PIL import Image

    chosen = choose(dataset.samples, count)
    cells = parallel.ordered(draw, chosen, jobs=jobs)
    columns = max(1, min(columns, len(chosen)))
    rows = math.ceil(len(chosen) / columns)
    step = (BOX[0] + GAP, BOX[1] + CAPTION + GAP)
    sheet = Image.new("RGB", (columns * step[0] + GAP, rows * step[1] + GAP), PAPER)
    problems = []
    for number, (cell, problem) in enumerate(
        track(cells, total=len(chosen), label="show", show=show)
    ):
        row, column = divmod(number, columns)
        sheet.paste(Image.fromarray(cell), (GAP + column * step[0], GAP + row * step[1]))
        if problem:
            problems.append(problem)
    with io.atomic(out) as temporary:
        try:
            sheet.save(temporary)
        except (ValueError, KeyError) as error:
            raise EmomapError(f"{out}: not the suffix of a picture format; use .png") from error
    return problems


def choose(samples: Sequence[Sample], count: int) -> list[Sample]:
    """At most ``count`` samples, evenly spread; only such with gaze if any has gaze."""
    with_gaze = [sample for sample in samples if sample.gaze_source is not None]
    pool = with_gaze or list(samples)
    places = np.linspace(0, len(pool) - 1, min(count, len(pool))).round().astype(int)
    return [pool[place] for place in places]


def draw(sample: Sample) -> tuple[np.ndarray[Any, Any], str]:
    """One cell of the sheet (H, W, 3), and the problem, or ""."""
    from PIL import Image, ImageDraw

    cell = Image.new("RGB", (BOX[0], BOX[1] + CAPTION), PAPER)
    pen, problem = ImageDraw.Draw(cell), ""
    try:
        picture = Image.fromarray(sample.image())
        size = picture.size
        picture.thumbnail(BOX, Image.Resampling.BOX)
        corner = ((BOX[0] - picture.width) // 2, (BOX[1] - picture.height) // 2)
        gaze = sample.gaze()
        if gaze is not None:
            picture = overlay(picture, gaze)
        outline(picture, sample.objects() or ())
        cell.paste(picture, corner)
        details = f"{size[0]}x{size[1]}"
    except EmomapError as error:
        problem = str(error)
        pen.rectangle((0, 0, BOX[0] - 1, BOX[1] - 1), outline=FAINT)
        pen.line((0, 0, *BOX), fill=FAINT)
        details = "unreadable"
    said = [sample.emotion] if sample.emotion else []
    if not said:
        rated = {"valence": sample.valence, "arousal": sample.arousal}
        said = [f"{name} {value:.3g}" for name, value in rated.items() if value is not None]
    words = [sample.id, *said, details]
    pen.text((2, BOX[1] + 3), _fit(pen, "  ".join(words)), fill=INK)
    return np.asarray(cell), problem


def overlay(picture: Image, gaze: Gaze) -> Image:
    """Draw gaze over a picture, scaled from the gaze's shape to the picture's size."""
    from PIL import Image, ImageDraw

    if gaze.density is not None:
        top = gaze.density.max()
        heat = Image.fromarray((gaze.density / top * 190).astype(np.uint8))
        mask = heat.resize(picture.size, Image.Resampling.BILINEAR)
        picture = Image.composite(Image.new("RGB", picture.size, HEAT), picture, mask)
    if gaze.points is not None:
        pen = ImageDraw.Draw(picture)
        scale = np.array([picture.width / gaze.shape[1], picture.height / gaze.shape[0]])
        radius = 2 if len(gaze.points) < 1000 else 1
        for x, y in (gaze.points[gaze.inside] + 0.5) * scale:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=DOT, outline=RIM)
    return picture


def outline(picture: Image, objects: Sequence[Outline]) -> None:
    """Draw the edges of objects into a picture: emotional ones in one colour, others in another."""
    from PIL import Image

    for one in objects:
        mask = one.mask()
        inner = mask.copy()
        inner[1:-1, 1:-1] &= mask[:-2, 1:-1] & mask[2:, 1:-1] & mask[1:-1, :-2] & mask[1:-1, 2:]
        inner[[0, -1]] = inner[:, [0, -1]] = False
        edge = Image.fromarray((mask & ~inner).astype(np.uint8) * 255)
        size = picture.size
        # the mean over a pixel of the small picture, made visible where any of it is edge
        thin = edge.resize(size, Image.Resampling.BOX).point(lambda value: 255 if value else 0)
        picture.paste(EMOTIONAL if one.emotional else OTHER, (0, 0), thin)


def _fit(pen: Any, text: str) -> str:
    """A text that fits in a cell: of a long one the end, since ids differ there."""
    if pen.textlength(text) <= BOX[0] - 4:
        return text
    while text and pen.textlength("..." + text) > BOX[0] - 4:
        text = text[1:]
    return "..." + text
