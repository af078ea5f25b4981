"""Training: one loop for every network, on labelled pictures.

It knows networks, methods, samples and files, never gaze, scores or `bench`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emomap.errors import UsageError
from emomap.io.checkpoint import NETWORK, OTHER, checkpoint_in
from emomap.method import Method
from emomap.nn.network import NetworkMethod, fixed_threads
from emomap.parallel import launched
from emomap.sample import Dataset
from emomap.training.loop import Training
from emomap.training.settings import Settings
from emomap.training.setup import check_labelled, labelled

__all__ = ["Settings", "Training", "rehearse", "train"]


def train(
    method: Method,
    train: Dataset,
    validation: Dataset,
    settings: Mapping[str, Any],
    folder: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    loggers: Sequence[str] = (),
) -> None:
    """Train a method and leave it trained: a network with the weights of its best epoch.

    The best epoch is the one with the highest validation accuracy; among equals, the lowest loss.
    An interrupted training resumes (on the same CPU, bit for bit); a finished one is only loaded.
    Only labels are used, never gaze. A method that is not a network is fitted by its own `fit`,
    which ignores ``settings`` and ``seed``.

    Args:
        train, validation: labelled pictures. Without a validation split the last epoch is kept.
        settings: see `Settings`.
        folder: where checkpoint and logs go; one folder for one training.
        device: "auto", "cpu", "cuda", "cuda:1". Under ``torchrun``, ``fabric run`` or SLURM, all
            processes take part, and ``batch`` is divided among them.
        seed: random seed of weights, order, augmentation and dropout.
        progress: report on stderr.
        loggers: names of loggers to report to, see `emomap.training.loggers.LOGGERS`.

    Raises:
        EmomapError: no labels, a picture that cannot be read, a loss that is not finite, a folder
            that holds another training, or a full disk.
        UsageError: a setting that does not exist or has an impossible value.
    """
    if not isinstance(method, NetworkMethod):
        final = folder / OTHER
        _fit(method, train, validation, final, progress)
        method.load(final, device=device)
        method.classes = method.classes or train.classes
        return
    numbers = Settings.parse(settings)
    if not checkpoint_in(folder, NETWORK).exists():
        parts = {"seed": seed, "device": device, "show": progress, "loggers": loggers}
        with fixed_threads(numbers.threads):
            Training(method, train, validation, numbers, folder, **parts).run()  # type: ignore[arg-type]
    (folder / "state.pt").unlink(missing_ok=True)
    method.load(checkpoint_in(folder, NETWORK), device=device)


def rehearse(
    method: Method,
    train: Dataset,
    validation: Dataset,
    settings: Mapping[str, Any],
    folder: Path,
    *,
    device: str = "auto",
) -> list[str]:
    """What `train` would take, in lines of words, found with one batch. Nothing is written.

    Args:
        method, train, validation, settings, folder, device: as for `train`.

    Raises:
        EmomapError, UsageError: whatever would end the training in its first minute.
    """
    numbers = Settings.parse(settings)
    if not isinstance(method, NetworkMethod):
        check_labelled(labelled(train, show=False), train, type(method).__name__)
        return [f"{type(method).__name__}: not a network; its `fit` says how far it is"]
    with fixed_threads(numbers.threads):
        prepared = Training(
            method, train, validation, numbers, folder, seed=0, device=device, show=True
        )
        return prepared.rehearse().lines()


def _fit(method: Method, train: Dataset, validation: Dataset, final: Path, progress: bool) -> None:
    """Fit a method that is not a network and save it, unless that is done already.

    Raises:
        UsageError: it was started in several processes.
    """
    if launched().processes > 1:
        raise UsageError(f"{type(method).__name__} trains in one process; leave torchrun out")
    if not final.exists():
        method.show = progress
        method.scratch = final.parent
        method.fit(train, validation)
        method.save(final)
