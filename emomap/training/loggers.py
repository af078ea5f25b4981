"""Loggers of other projects that a training reports to: TensorBoard, Weights & Biases, MLflow.

All write to files on this machine, unless their own settings name a server (``WANDB_MODE``,
``MLFLOW_TRACKING_URI``).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from emomap.errors import UsageError


class Logger(Protocol):
    """What a training tells a logger."""

    def record(self, epoch: Mapping[str, Any]) -> None:
        """The numbers of an epoch; its own number is under "epoch"."""

    def close(self) -> None:
        """The training has ended."""


def check_loggers(names: Iterable[str]) -> None:
    """Refuse a logger that does not exist or whose package is missing.

    Raises:
        UsageError: names those that exist, or the extra.
    """
    for name in names:
        if name not in LOGGERS:
            raise UsageError(f"--logger {name}: there are {', '.join(LOGGERS)}")
        if importlib.util.find_spec(name) is None:
            raise UsageError(f"--logger {name} needs a package: pip install 'emomap[{name}]'")


def open_logger(name: str, folder: Path, identity: Mapping[str, Any]) -> Logger:
    """Open a logger; one of the same training is continued.

    Args:
        name: one of `LOGGERS`.
        folder: of the training; the files go there.
        identity: what the training is: method, options, numbers, seed.
    """
    return LOGGERS[name](folder, identity)


def write_events(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write a finished history for TensorBoard, if its package is installed."""
    if importlib.util.find_spec("tensorboard") is None:
        return
    for old in folder.glob("events.out.*"):
        old.unlink()
    logger = _TensorBoard(folder, {})
    for epoch in history:
        logger.record(epoch)
    logger.close()


def _numbers(epoch: Mapping[str, Any]) -> dict[str, float]:
    return {key: value for key, value in epoch.items() if key != "epoch"}


def _name(identity: Mapping[str, Any]) -> str:
    """A short name of a training that is the same whenever it is resumed."""
    text = repr(sorted(identity.items(), key=str))
    return f"{str(identity['method']).lower()}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


class _TensorBoard:
    """Event files ``events.out.*`` in the folder of the training."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.writer = SummaryWriter(str(folder))

    def record(self, epoch: Mapping[str, Any]) -> None:
        for key, value in _numbers(epoch).items():
            self.writer.add_scalar(key, value, epoch["epoch"])
        self.writer.flush()

    def close(self) -> None:
        self.writer.close()


class _Wandb:
    """A run in ``wandb/`` of the folder; `wandb sync` sends it to a server later."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        import wandb

        name = _name(identity)
        mode: Any = os.environ.get("WANDB_MODE", "offline")
        self.run = wandb.init(
            project="emomap",
            id=name,
            name=name,
            dir=str(folder),
            config=dict(identity),
            mode=mode,
            resume="allow",
        )

    def record(self, epoch: Mapping[str, Any]) -> None:
        self.run.log(_numbers(epoch), step=epoch["epoch"])

    def close(self) -> None:
        self.run.finish()


class _MLflow:
    """A run in ``mlflow.db`` of the folder: `mlflow ui --backend-store-uri sqlite:///FILE`."""

    def __init__(self, folder: Path, identity: Mapping[str, Any]) -> None:
        from mlflow.tracking import MlflowClient

        uri = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{folder.resolve() / 'mlflow.db'}")
        self.client = MlflowClient(tracking_uri=uri)
        experiment = self.client.get_experiment_by_name("emomap")
        home = experiment.experiment_id if experiment else self.client.create_experiment("emomap")
        name = _name(identity)
        found = self.client.search_runs([home], f"tags.training = '{name}'", max_results=1)
        if found:
            self.run = found[0].info.run_id
            return
        made = self.client.create_run(home, tags={"training": name}, run_name=name)
        self.run = made.info.run_id
        for key, value in identity.items():
            self.client.log_param(self.run, key, str(value)[:500])

    def record(self, epoch: Mapping[str, Any]) -> None:
        for key, value in _numbers(epoch).items():
            self.client.log_metric(self.run, key, value, step=epoch["epoch"])

    def close(self) -> None:
        self.client.set_terminated(self.run)


#: The loggers by the name of the package that each needs; the extra has that name, too.
LOGGERS: dict[str, Callable[[Path, Mapping[str, Any]], Logger]] = {
    "tensorboard": _TensorBoard,
    "wandb": _Wandb,
    "mlflow": _MLflow,
}
