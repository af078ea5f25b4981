"""What an interrupted training leaves behind to resume from: ``FOLDER/state.pt``.

Nothing random is carried from step to step, so weights, momentum and counters are the whole state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, NotRequired

import torch
from annotated_types import Ge, Len
from torch import nn
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap.errors import EmomapError
from emomap.io.schema import STRICT, check
from emomap.nn.checkpoint import write_state
from emomap.nn.weights import read_state
from emomap.training.settings import Settings


@dataclass
class TrainingState:
    """How far a training is: everything but weights and momentum.

    Attributes:
        step: steps done.
        sums: sums of the losses since the epoch began, by name.
        history: one entry an epoch, as in ``training.jsonl``.
        best: `rank` of the best epoch so far.
    """

    step: int = 0
    sums: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    best: list[float] = field(default_factory=lambda: [-1.0, -math.inf])


class _Progress(TypedDict):
    """`TrainingState` as a file has it."""

    __pydantic_config__ = STRICT | {"extra": "forbid", "allow_inf_nan": True}  # type: ignore[misc]
    step: Annotated[int, Ge(0)]
    sums: dict[str, float]
    history: list[dict[str, Any]]
    best: Annotated[list[float], Len(2, 2)]


class _StateFile(TypedDict):
    """``state.pt``."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    identity: dict[str, Any]
    weights: dict[str, Any]
    optimizer: dict[str, Any]
    progress: _Progress
    average: NotRequired[dict[str, Any]]


def rank(epoch: Mapping[str, Any]) -> list[float]:
    """Accuracy, then loss: the better epoch has the larger rank."""
    return [epoch.get("validation_accuracy", 0.0), -epoch.get("validation_loss", 0.0)]


def restore(
    file: Path,
    identity: Mapping[str, Any],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    average: nn.Module | None = None,
    defaults: Mapping[str, Any] = MappingProxyType({}),
) -> TrainingState:
    """The state in a file, with its weights and momentum loaded; a fresh one without the file.

    A number that the file does not know has the value there that it has in `Settings` by default,
    and an option of the method that in ``defaults``: an older version wrote the file.

    Raises:
        EmomapError: the file is damaged, or belongs to a training with other numbers.
    """
    if not file.exists():
        return TrainingState()
    state = check(read_state(file), _StateFile, str(file))
    found = state["identity"]
    unsaid = {f"training.{key}": value for key, value in asdict(Settings()).items()}
    for key, value in identity.items():
        old = found.get(key, unsaid.get(key))
        if key == "options" and isinstance(old, dict):
            old = {**defaults, **old}
        if old != value:
            raise EmomapError(
                f"{file}: begun with {key}={old}, now it is {value}; resume with the "
                "old numbers, or train in another folder"
            )
    try:
        network.load_state_dict(state["weights"])
        optimizer.load_state_dict(state["optimizer"])
        if average is not None:
            average.load_state_dict(state["average"])
        return TrainingState(**state["progress"])
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise EmomapError(f"{file}: does not fit this training: {reason}") from error


def keep(
    file: Path,
    identity: Mapping[str, Any],
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    state: TrainingState,
    average: nn.Module | None = None,
) -> None:
    """Write the state atomically, for `restore`."""
    sums = {key: float(value) for key, value in state.sums.items()}
    write_state(
        file,
        {
            "identity": dict(identity),
            "weights": network.state_dict(),
            "optimizer": optimizer.state_dict(),
            "progress": {**vars(state), "sums": sums},
            **({"average": average.state_dict()} if average is not None else {}),
        },
    )
