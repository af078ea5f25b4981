"""The schemas of a run folder's JSON files: ``summary.json`` and ``environment.json``.

A value that a schema refuses is never shown: `table`, `compare` and `report` read through here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Le
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import metrics
from emomap.errors import EmomapError, printable
from emomap.io.kinds import MapKind
from emomap.io.schema import STRICT, read_json
from emomap.scoring.protocol import ProtocolKind

Count = Annotated[int, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]


class Mean(TypedDict):
    """The mean of a metric over images, with the ends of its interval; a single image has none."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    mean: float
    low: float | None
    high: float | None
    n: Annotated[int, Ge(1)]


class Difference(TypedDict):
    """A method against the centre prior, or a network's row against a control."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    difference: float
    p: Share
    p_holm: Share


class MethodEntry(TypedDict):
    """What a run found about a method; no metrics where it makes no maps."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    accuracy: Share | None
    metrics: dict[str, Mean]
    accuracy_interval: NotRequired[list[Share]]
    confusion: NotRequired[list[list[Count]]]
    maps: NotRequired[str]
    control_of: NotRequired[str]
    prediction: NotRequired[MapKind]
    protocol: NotRequired[ProtocolKind]


class MeasuredEntry(TypedDict):
    """A measure of emotions, with the ends of its interval; None where there is none."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    mean: float | None
    low: float | None
    high: float | None
    n: Count


class ClassEntry(TypedDict):
    """How a classifier does on one emotion."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    recall: Share | None
    low: Share | None
    high: Share | None
    precision: Share | None
    f1: Share
    n: Count
    predicted: Count


class BinEntry(TypedDict):
    """A bin of the reliability diagram."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    low: float
    high: float
    confidence: float
    accuracy: Share
    n: Annotated[int, Ge(1)]


class ClassifierEntry(TypedDict):
    """What a run found about the predictions of a classifier."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    n: Count
    measures: dict[str, MeasuredEntry]
    per_class: NotRequired[dict[str, ClassEntry]]
    reliability: NotRequired[list[BinEntry]]
    omitted: NotRequired[dict[str, str]]


class EmotionsEntry(TypedDict):
    """The classifiers of a run beside each other."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    signature: str
    methods: dict[str, ClassifierEntry]
    against: NotRequired[str]
    tests: NotRequired[dict[str, dict[str, Difference]]]


class LimitsEntry(TypedDict):
    """Floor and ceiling of each metric, and how far each method gets between them."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    center_bias: dict[str, Mean]
    gold_standard: dict[str, Mean]
    share: dict[str, dict[str, float]]
    group_sizes: list[int]


class GroupEntry(TypedDict):
    """A method on one group of images by one metric."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    metric: str
    method: str
    group: str
    n: Count
    mean: float | None
    low: float | None
    high: float | None
    difference: float | None
    p: Share | None
    p_holm: Share | None


class GroupsEntry(TypedDict):
    """The table broken down by groups of images."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    by: str
    table: NotRequired[str]
    signatures: dict[str, str]
    images: dict[str, Count]
    seed: Count
    resamples: Annotated[int, Ge(1)]
    notes: list[str]
    unit: str
    cells: list[GroupEntry]
    of_image: dict[str, str]


class RunSummary(TypedDict):
    """``summary.json``, from which every table and report is made."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    dataset: str
    synthetic: bool
    split: str
    n_images: Count
    seed: Count
    emomap: str
    signature: str
    protocol: NotRequired[ProtocolKind]
    classes: list[str]
    methods: dict[str, MethodEntry]
    ranks: dict[str, Annotated[float, Ge(1)]]
    tests: NotRequired[dict[str, dict[str, Difference]]]
    control_tests: NotRequired[dict[str, dict[str, Difference]]]
    emotions: NotRequired[EmotionsEntry]
    groups: NotRequired[GroupsEntry]
    ceiling_share: NotRequired[dict[str, dict[str, float]]]
    limits: NotRequired[LimitsEntry]
    remarks: NotRequired[list[str]]
    intervals: NotRequired[Literal["t"]]
    fold: NotRequired[str]
    checksums: NotRequired[dict[str, str]]
    failed: list[str]


class Environment(TypedDict):
    """``environment.json``: what the run ran on."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    emomap: str
    python: str
    platform: str
    machine: str
    versions: dict[str, str | None]
    command: list[str]


def read_summary(path: Path) -> dict[str, Any]:
    """``summary.json``, with every name and number in its place.

    Raises:
        EmomapError: ``FILE: key: what is wrong``.
    """
    summary: dict[str, Any] = read_json(path, RunSummary)
    for name, entry in summary["methods"].items():
        where = f"{path}: methods.{name}"
        _check_means(entry["metrics"], where)
        rows = entry.get("confusion", [])
        side = len(summary["classes"])
        if rows and [len(row) for row in rows] != [side] * side:
            raise EmomapError(f"{where}.confusion: not a table of {side} x {side} classes")
    if any(entry["metrics"] for entry in summary["methods"].values()):
        try:
            metrics.Signature.parse(summary["signature"])
        except ValueError as error:
            raise EmomapError(f"{path}: signature: {printable(str(error), 200)}") from error
    for key in ("center_bias", "gold_standard"):
        _check_means(summary.get("limits", {}).get(key, {}), f"{path}: limits.{key}")
    entries = summary["methods"].values()
    named = {key: list(summary.get(key, {})) for key in ("ranks", "tests", "control_tests")}
    named["control_of"] = [entry["control_of"] for entry in entries if "control_of" in entry]
    for key, names in named.items():
        for name in names:
            if name not in summary["methods"]:
                raise EmomapError(f"{path}: {key}.{name}: no such method in this run")
    return summary


def _check_means(means: dict[str, Any], where: str) -> None:
    for metric, cell in means.items():
        if metric not in metrics.CATALOGUE:
            raise EmomapError(f"{where}.metrics.{metric}: emomap knows no such metric")
        if cell["n"] == 1:  # 0.1 wrote the mean itself
            cell["low"] = cell["high"] = None
            continue
        for end in ("low", "high"):
            if cell[end] is None:
                raise EmomapError(
                    f"{where}.metrics.{metric}.{end}: missing; the mean of {cell['n']} images has "
                    "an interval"
                )
        if not cell["low"] <= cell["mean"] <= cell["high"]:
            raise EmomapError(
                f"{where}.metrics.{metric}: the mean {cell['mean']:g} lies outside its interval "
                f"{cell['low']:g} to {cell['high']:g}"
            )


def read_environment(path: Path) -> dict[str, Any]:
    """``environment.json``.

    Raises:
        EmomapError: ``FILE: key: what is wrong``.
    """
    found: dict[str, Any] = read_json(path, Environment)
    return found
