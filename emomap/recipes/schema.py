"""The numbers of a recipe that scoring and `bench` depend on, with their ranges.

The numbers of training and of methods are checked by those who know them: `emomap.training` and
each method's constructor.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Gt, Le
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap.errors import EmomapError, UsageError
from emomap.io.schema import STRICT, check


class ScoreNumbers(TypedDict):
    """The section ``[score]``."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    metrics: list[str]  # none in the kept recipe of a table of accuracies
    convention: Literal["mit", "tuebingen"]
    resize: str
    sigma: Literal["auto"] | Annotated[float, Gt(0), Le(10_000)]
    emd_downsize: Annotated[int, Ge(1), Le(100_000)]
    stretch: bool
    mask: NotRequired[str]  # recipes kept by 0.1 have none
    protocol: NotRequired[Literal["plain", "metric-specific"]]  # not in recipes of 0.1
    baseline: NotRequired[Literal["auto", "other", "center", "uniform"]]


class BenchNumbers(TypedDict):
    """The section ``[bench]``."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    baselines: list[str]
    report: bool
    ceiling: bool
    finish: bool


class Numbers(TypedDict):
    """A recipe."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    score: ScoreNumbers
    bench: BenchNumbers
    training: dict[str, Any]
    method: dict[str, dict[str, Any]]


class RunChoices(TypedDict):
    """The section ``run`` of the recipe that a run folder keeps."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    data: str
    seed: Annotated[int, Ge(0)]
    split: str
    gaze: NotRequired[str]
    points: NotRequired[str]
    marks_threshold: NotRequired[float]
    shard: NotRequired[str]
    fold: NotRequired[str]


class KeptRecipe(Numbers):
    """``recipe.toml`` of a run folder."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    run: RunChoices


def check_numbers(numbers: Mapping[str, Any], where: str) -> None:
    """Refuse a recipe with a number of the wrong type or out of range.

    Raises:
        UsageError: ``where: score.sigma: what is wrong``.
    """
    try:
        check(dict(numbers), Numbers, where)
    except EmomapError as error:
        raise UsageError(str(error)) from error
    if not numbers["score"]["metrics"]:
        raise UsageError(f"{where}: score.metrics: name at least one")
