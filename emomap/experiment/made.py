"""What the stages that make maps pass on: map files, and the pictures that failed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emomap import predict
from emomap.io import File
from emomap.io.kinds import MapKind
from emomap.method import Method
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
        controls: which of the rows are controls of the contender's map.
        kinds: what the values of the maps of a row are, where they are no plain maps.
    """

    rows: Mapping[str, Mapping[str, File]] = field(default_factory=dict)
    predictions: Path | None = None
    failed: Sequence[str] = ()
    controls: Collection[str] = ()
    kinds: Mapping[str, MapKind] = field(default_factory=dict)

    def __add__(self, other: MadeMaps) -> MadeMaps:
        """Both together."""
        return MadeMaps(
            {**self.rows, **other.rows},
            self.predictions or other.predictions,
            [*self.failed, *other.failed],
            [*self.controls, *other.controls],
            {**self.kinds, **other.kinds},
        )


def by_batches(
    method: Method,
    samples: Sequence[Sample],
    folder: Path,
    table: Path,
    *,
    label: str,
    show: bool,
) -> tuple[Files, Sequence[str]]:
    """The maps of samples by a network, and a line for each picture that failed.

    Arguments are those of `emomap.predict.predict_batches`.
    """
    outcomes = predict.predict_batches(method, samples, folder, table, label=label, show=show)
    return existing(folder, samples), problems(outcomes)


def existing(folder: Path, samples: Iterable[Sample]) -> dict[str, Path]:
    """The map files below a folder, for the samples that have one."""
    return {s.id: path for s in samples if (path := predict.made_map(folder, s.id))}


def problems(outcomes: Iterable[predict.Outcome]) -> list[str]:
    """The problem of each picture that failed."""
    return [outcome.problem or "" for outcome in outcomes]
