"""The records of a training: JSON lines, learning curves, TensorBoard events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emomap import io


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


def write_events(folder: Path, history: Sequence[Mapping[str, Any]]) -> None:
    """Write the history for TensorBoard, if its package is installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return
    for old in folder.glob("events.out.*"):
        old.unlink()
    with SummaryWriter(str(folder)) as writer:
        for entry in history:
            for key, value in entry.items():
                if key != "epoch":
                    writer.add_scalar(key, value, entry["epoch"])
