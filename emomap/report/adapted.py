"""The curve of an adaptation, drawn: how much denser gaze is at each value of a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from emomap.analysis.adapting import MapAdaptation
from emomap.report.figure import check_output, save

#: The middle level below which the axis of the values is logarithmic.
SQUEEZED = 0.05


def draw(found: MapAdaptation, output: Path) -> Path:
    """Draw the curve: the density at each value, in multiples of that at the lowest.

    Args:
        found: the adaptation.
        output: .pdf, .svg, .eps or .png (300 dpi).

    Returns:
        ``output``.

    Raises:
        UsageError: another format.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    check_output(output)
    levels, curve = np.array(found.adaptation.levels), np.array(found.adaptation.curve)
    drawn = Figure(figsize=(3.5, 2.6), layout="constrained")
    FigureCanvasAgg(drawn)
    axes = drawn.subplots()
    squeezed = levels[len(levels) // 2] < SQUEEZED
    even = np.geomspace(levels[1], 1, 400) if squeezed else np.linspace(0, 1, 400)
    fine = np.unique(np.concatenate([even, levels]))
    axes.plot(fine, np.exp(np.interp(fine, levels, curve)), linewidth=1.2)
    axes.plot(levels, np.exp(curve), "o", markersize=3)
    axes.set_yscale("log")
    if squeezed:  # most values are far below the largest
        axes.set_xscale("symlog", linthresh=levels[1])
    axes.set(xlabel="value of the map", ylabel="density, lowest = 1")
    axes.set_title(f"{found.maps}, {len(found.images)} pictures", fontsize=8, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    return save(drawn, output)
