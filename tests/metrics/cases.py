"""The reference cases, and made-up scenes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import metrics
from tests.conftest import shared

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "metrics"
MIT: dict[str, Any] = json.loads((REFERENCE / "mit.json").read_text())["cases"]
PYSALIENCY: dict[str, Any] = json.loads((REFERENCE / "pysaliency.json").read_text())


class Case(NamedTuple):
    """Input of a reference case."""

    prediction: Any
    fixations: Any  # counts
    binary: Any  # what the MIT code saw
    density: Any
    other: Any  # counts
    other_binary: Any
    baseline: Any


def case(name: str) -> Case:
    """A reference case; skips the test where its input is not at hand."""
    here = REFERENCE / f"{name}.npz"
    data = np.load(here if here.exists() else shared(f"fixtures/metrics/{name}.npz"))
    shape = data["density"].shape
    fixations, other = (
        metrics.fixation_map(data[key][:, ::-1], shape) for key in ("fixations", "other_fixations")
    )
    maps = (data[key] for key in ("fixation_map", "density"))
    binary, density = maps
    return Case(
        data["prediction"], fixations, binary, density, other, data["other_map"], data["baseline"]
    )


def scene(
    shape: tuple[int, int] = (24, 32), batch: tuple[int, ...] = (), seed: int = 0
) -> dict[str, Any]:
    """Random maps by the names of `metrics.evaluate`."""
    rng = np.random.default_rng(seed)
    size = (*batch, *shape)
    fixations = (rng.random(size) < 0.05) * rng.integers(1, 3, size)
    fixations[..., 1, 2] = 1  # at least one
    return {
        "prediction": rng.random(size),
        "fixations": fixations,
        "density": rng.random(size) ** 2,
        "other": ((rng.random(size) < 0.1) | (fixations > 1)) * rng.integers(1, 4, size),
        "baseline": rng.random(size),
    }


def score(entry: Any, maps: dict[str, Any], **options: Any) -> Any:
    """A metric of the catalogue on maps by name."""
    return entry.function(maps["prediction"], *(maps[name] for name in entry.inputs), **options)


#: Thresholds of AUC-Borji and shuffled AUC.
STEPS = np.arange(11) * 0.1


def unit(values: Any) -> Any:
    """A map brought to 0..1."""
    return (values - values.min()) / (values.max() - values.min())


def stepped_area(positive: Any, negative: Any) -> float:
    """The area of one split as the MIT code draws its curve, of values in 0..1."""
    thresholds = STEPS[max(positive.max(), negative.max()) >= STEPS][::-1]
    tp = [0.0, *((positive >= t).mean() for t in thresholds), 1]
    fp = [0.0, *((negative >= t).mean() for t in thresholds), 1]
    return float(np.trapezoid(tp, fp))
