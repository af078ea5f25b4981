"""One picture with the maps of several methods over it, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.report import heat
from emomap.report.figure import SIDE, draw_scale, fitting, save

#: Inches of a panel's width; panels in a row.
PANEL, ROW = 3.2, 4


@dataclass(frozen=True)
class Panel:
    """One panel: the picture, and what lies over it.

    Attributes:
        title: above it.
        map: (h, w), not negative; None for the bare picture.
        points: (N, 2) fixations, in pixels of the picture; None for none.
        lines: of text below it, a few.
    """

    title: str
    map: NDArray[Any] | None = None
    points: NDArray[np.float64] | None = None
    lines: Sequence[str] = ()


def draw(
    picture: NDArray[np.uint8], panels: Sequence[Panel], output: Path, *, scale: bool = True
) -> Path:
    """Draw panels of one picture, up to four in a row, with the scale of the maps below.

    Args:
        picture: (H, W, 3).
        panels: from left to right.
        output: .pdf, .svg, .eps or .png (300 dpi).
        scale: draw the scale.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = heat.photo(picture, SIDE)
    size = (shown.shape[1], shown.shape[0])
    columns = min(ROW, len(panels))
    rows = math.ceil(len(panels) / columns)
    most = max(len(panel.lines) for panel in panels)
    tall = PANEL * size[1] / size[0] + 0.3 + 0.16 * most
    drawn = Figure(figsize=(PANEL * columns, tall * rows + 0.6 * scale), layout="constrained")
    FigureCanvasAgg(drawn)
    grid = drawn.subplots(rows, columns, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        axes.imshow(shown)
        if panel.map is not None:
            axes.imshow(heat.colours(heat.spread(panel.map, size)))
        if panel.points is not None:
            scaled = panel.points * (np.array(size) / (picture.shape[1], picture.shape[0]))
            axes.plot(*scaled.T, "o", color="#ffe128", markeredgecolor="black", markersize=3,
                      markeredgewidth=0.4, linestyle="none")  # fmt: skip
            axes.set(xlim=(-0.5, size[0] - 0.5), ylim=(size[1] - 0.5, -0.5))
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_visible(False)
        axes.set_title(
            panel.title, fontsize=min(9.0, fitting(PANEL, panel.title)), parse_math=False
        )
        words = "\n".join(panel.lines)
        axes.set_xlabel(words, fontsize=8, labelpad=3, parse_math=False)
    if scale and any(panel.map is not None for panel in panels):
        draw_scale(drawn, grid)
    return save(drawn, output)
