"""The records of a training: JSON lines, learning curves, and the loggers that a user names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emomap import io
from emomap.training.loggers import Logger, open_logger, write_events


class Log:
    """All records of one training.

    Args:
        folder: of the training.
        loggers: names, see `emomap.training.loggers.LOGGERS`.
        identity: what the training is, for the loggers.
    """

    def __init__(self, folder: Path, loggers: Sequence[str], identity: Mapping[str, Any]) -> None:
        self.folder = folder
        self.names = loggers
        self.identity = identity
        self._open: list[Logger] = []

    def epoch(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Record the last epoch; ``training.jsonl`` has all of them."""
        write_log(self.folder, history)
        if not self._open:
            self._open = [open_logger(name, self.folder, self.identity) for name in self.names]
        for logger in self._open:
            logger.record(history[-1])

    def end(self, history: Sequence[Mapping[str, Any]]) -> None:
        """Draw the curves, and close the loggers."""
        draw_curves(self.folder, history)
        if "tensorboard" not in self.names:
            write_events(self.folder, history)
        for logger in self._open:
            logger.close()


def write_log(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write ``training.jsonl``, one line an epoch; the whole file is replaced."""
    io.write_text(
        folder / "training.jsonl", "".join(json.dumps(dict(entry)) + "\n" for entry in history)
    )


def draw_curves(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Draw ``training.png``: losses on the left, validation accuracy on the right."""
    if not history:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [entry["epoch"] for entry in history]
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    for key in history[0]:
        if key == "loss" or key.startswith("loss_") or key == "validation_loss":
            left.plot(epochs, [entry[key] for entry in history], label=key.replace("_", " "))
    left.set(xlabel="epoch", ylabel="loss")
    left.legend()
    if "validation_accuracy" in history[0]:
        right.plot(epochs, [entry["validation_accuracy"] for entry in history])
    right.set(xlabel="epoch", ylabel="validation accuracy", ylim=(0, 1))
    with io.atomic(folder / "training.png") as temporary:
        figure.savefig(temporary, dpi=120, format="png")
