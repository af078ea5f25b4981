"""Figures for a paper: a grid of maps with images in rows and methods in columns, and confusion.

Maps have the colours of the report, which say how many times denser than an even spread they are,
on one scale. Text stays text in vector formats.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import io, method, metrics
from emomap.analysis import ranking
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.kinds import read_made
from emomap.report import heat, pictures
from emomap.runs import results
from emomap.sample import Sample
from emomap.scoring.image import truths
from emomap.scoring.protocol import Protocol

SUFFIXES = (".pdf", ".svg", ".eps", ".png")
#: Width in inches of a text block on A4. The height follows from the pictures.
WIDTH = 7.0
#: Longer side of a picture in pixels: 300 per inch at the width of a quarter of the page.
SIDE = 520
#: Images in a figure where none are named.
ROWS = 4
#: Points in an inch, and the width of a letter as a share of its size, so that titles fit.
POINTS, LETTER = 72, 0.62


def figure(
    run_folder: Path,
    images: Sequence[str] | None,
    output: Path,
    *,
    methods: Sequence[str] = (),
    metric: str | None = None,
    width: float = WIDTH,
) -> Path:
    """Draw a grid of maps: each image, then people's gaze and each method's map over it.

    Args:
        run_folder: of `emomap bench`.
        images: ids, from top to bottom. None for those on which the methods differ most.
        output: .pdf, .svg, .eps or .png (300 dpi).
        methods: from left to right; by default all that have maps.
        metric: write the value of this metric below each map.
        width: of the figure in inches.

    Returns:
        ``output``.

    Raises:
        UsageError: an unknown image, method, metric or format.
        EmomapError: the data set or a map is missing.
    """
    check_output(output)
    run = results.read(run_folder)
    dataset = run.dataset()
    samples = {sample.id: sample for sample in dataset}
    for name in methods:
        if name not in run.summary["methods"]:
            raise UsageError(f"--methods {name}: there are {', '.join(run.rows)}")
    wanted = methods or [name for name in run.compared if name != ranking.CEILING]
    files = {name: run.maps(name) for name in wanted}
    bare = [name for name, paths in files.items() if not paths]
    if methods and bare:
        raise EmomapError(f"{run.folder}: {bare[0]} has no maps to draw; remove it from --methods")
    files = {name: paths for name, paths in files.items() if paths}
    if images is None:
        everywhere = set(samples).intersection(*(set(paths) for paths in files.values()))
        images = [i for i in pictures.choose(run) if i in everywhere][:ROWS]
    _check(run, files, samples, images, metric)
    drawn = _grid([samples[i] for i in images], files, run, run.protocol(dataset), metric, width)
    return save(drawn, output)


def check_output(output: Path) -> None:
    """Refuse a file whose ending names no format.

    Raises:
        UsageError: it names the endings.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise UsageError(f"--output {output}: use one of {', '.join(SUFFIXES)}")


def save(drawn: Any, output: Path) -> Path:
    """Write a figure of matplotlib in the format of the file's ending, a PNG at 300 dpi."""
    from matplotlib import rc_context

    form = output.suffix[1:].lower()
    fonts: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}
    # no date, and a fixed salt for the ids in an SVG, so that the same run makes the same bytes
    dateless = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(form)
    with rc_context({**fonts, "svg.hashsalt": "emomap"}), io.atomic(output) as temporary:
        drawn.savefig(temporary, format=form, dpi=300, metadata=dateless)
    return output


def draw_confusion(
    confusion: Sequence[Sequence[int]], classes: Sequence[str], title: str, output: Path
) -> None:
    """Draw a confusion matrix: true emotions in rows, with the share of the row as colour and text.

    Args:
        confusion: (C, C) counts.
        classes: names of the emotions.
        title: of the figure.
        output: the .png file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    counts = np.asarray(confusion, dtype=np.float64)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.45 * len(classes)
    drawn = Figure(figsize=(side + 0.6, side), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots()
    shown = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 60 else "black"
        axes.text(column, row, f"{share:.0f}", ha="center", va="center", color=colour, fontsize=8)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(places, classes, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_title(title, fontsize=9)
    drawn.colorbar(shown, label="% of the row", shrink=0.8)
    with io.atomic(output) as temporary:
        drawn.savefig(temporary, dpi=150, format="png")


def _check(
    run: results.Results,
    files: dict[str, dict[str, io.File]],
    samples: dict[str, Sample],
    images: Sequence[str],
    metric: str | None,
) -> None:
    """Refuse images, maps and metrics that do not exist."""
    if not images:
        raise UsageError("--images: name at least one image of which all --methods have a map")
    for image in images:
        if image not in samples:
            raise UsageError(
                f"--images {image}: no such image in {run.folder}; there are "
                f"{listed(sorted(samples), 5)}"
            )
        for name, paths in files.items():
            if image not in paths:
                raise EmomapError(f"{name} has no map for {image}; choose another image or method")
    if metric is not None and metric not in run.metrics:
        raise UsageError(f"--metric {metric}: the run has {', '.join(run.metrics)}")


def _grid(
    samples: Sequence[Sample],
    files: dict[str, dict[str, io.File]],
    run: results.Results,
    protocol: Protocol,
    metric: str | None,
    width: float,
) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = ["image", "gaze", *files]
    titles = [method.title(name) for name in names]
    rows = [_row(sample, files, run, protocol) for sample in samples]
    ratios = [row[0].shape[0] / row[0].shape[1] for row in rows]
    each = width / len(titles)
    size = min(8.0, *(fitting(each, title) for title in titles))
    below = 0.16 if metric else 0.04
    height = sum(ratio * each + below for ratio in ratios) + 0.75
    drawn = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(drawn)
    layout: Any = drawn.get_layout_engine()
    layout.set(w_pad=0.02, h_pad=0.05, wspace=0.02, hspace=0.02)
    grid = drawn.subplots(len(rows), len(titles), squeeze=False, height_ratios=ratios)
    for line, sample, row in zip(grid, samples, rows, strict=True):
        for axes, name, title, picture in zip(line, names, titles, row, strict=True):
            axes.imshow(row[0])
            if picture is not row[0]:
                axes.imshow(picture)
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)
            if sample is samples[0]:
                axes.set_title(title, fontsize=size, parse_math=False)
            value = run.values.get(name, {}).get(metric, {}).get(sample.id) if metric else None
            if metric and value is not None:
                words = f"{metrics.CATALOGUE[metric].long_name} {value:.3f}"
                axes.set_xlabel(words, fontsize=min(7.0, fitting(each, words)), labelpad=2)
    draw_scale(drawn, grid)
    return drawn


def fitting(width: float, words: str) -> float:
    """The font size in points at which a line of text fills a width in inches."""
    return POINTS * width / (LETTER * len(words))


def _row(
    sample: Sample,
    files: dict[str, dict[str, io.File]],
    run: results.Results,
    protocol: Protocol,
) -> list[NDArray[np.uint8]]:
    """The picture, then the colours of gaze and maps, all of the same size."""
    picture = heat.photo(io.read_image(sample.image_file), SIDE)
    size = (picture.shape[1], picture.shape[0])
    gaze = sample.gaze()
    if gaze is None:
        raise EmomapError(f"{sample.id}: this image has no gaze")
    density = truths(gaze, protocol, sample.id)["density"]
    maps = [read_made(paths[sample.id], run.kind(name)) for name, paths in files.items()]
    return [picture, *(heat.colours(heat.spread(values, size)) for values in [density, *maps])]


def draw_scale(drawn: Any, grid: Any) -> None:
    """Draw the colour bar below the grid, in multiples of an even spread, over a grey ground."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    table = heat.scale() / 255.0
    opaque = table[:, :3] * table[:, 3:] + 0.75 * (1 - table[:, 3:])
    shown = ScalarMappable(LogNorm(1, heat.DENSEST), ListedColormap(opaque))
    bar = drawn.colorbar(shown, ax=grid, location="bottom", shrink=0.4, aspect=40, pad=0.02)
    ticks = [2**k for k in range(int(np.log2(heat.DENSEST)) + 1)]
    bar.set_ticks(ticks, labels=[f"{tick}×" for tick in ticks], fontsize=7)
    bar.minorticks_off()
    bar.set_label("times denser than an even spread", fontsize=7)
