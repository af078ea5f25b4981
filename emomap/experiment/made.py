"""What the stages that make maps pass on: map files, and the pictures that failed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emomap import predict
from emomap.sample import Sample

#: Image -> map file.
Files = Mapping[str, Path]


@dataclass(frozen=True)
class MadeMaps:
    """What a contender has made.

    Attributes:
        rows: row name -> image -> map file.
        predictions: file with the predicted emotions, or None.
        failed: a line for each picture that could not be done.
    """

    rows: Mapping[str, Files] = field(default_factory=dict)
    predictions: Path | None = None
    failed: Sequence[str] = ()


def existing(folder: Path, samples: Iterable[Sample]) -> dict[str, Path]:
    """The map files below a folder, for the samples that have one."""
    paths = {s.id: predict.map_path(folder, s.id) for s in samples}
    return {image: path for image, path in paths.items() if path.exists()}


def problems(outcomes: Iterable[predict.Outcome]) -> list[str]:
    """The problem of each picture that failed."""
    return [outcome.problem or "" for outcome in outcomes]
