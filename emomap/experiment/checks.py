"""What is refused before any work, each with the remedy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emomap import method as methods
from emomap.analysis import limits, ranking
from emomap.errors import EmomapError, UsageError
from emomap.experiment.contender import Contender, FolderContender, MethodContender
from emomap.explain.kinds import LIBRARY
from emomap.io.kinds import MapKind
from emomap.sample import Dataset, Split


def check_names(contenders: Sequence[Contender]) -> None:
    """Each row has its own name. Files are named after it, so it stays within the run folder.

    Raises:
        UsageError: a name that is empty, leads elsewhere, or belongs to another row.
    """
    seen: dict[str, Contender] = {}
    for contender in contenders:
        parts = {part.strip() for part in contender.name.split("/")}
        taken = (ranking.CEILING, limits.FLOOR, limits.TOP)
        if contender.name in taken or parts & {"", ".", ".."}:
            raise UsageError(
                f"--method {contender.name}=...: '{contender.name}' cannot be the name of a row, "
                "because files are named after it: it may not be empty, nor "
                f"{', '.join(taken)}, nor a path that leads elsewhere"
            )
        other = seen.setdefault(contender.name, contender)
        if other is not contender:
            raise UsageError(
                f"two methods are called {contender.name} ({other.source} and "
                f"{contender.source}); give the folder another name: --method NAME=FOLDER"
            )


def check_predictions(contenders: Sequence[Contender], predictions: Mapping[str, MapKind]) -> None:
    """Refuse to be told what maps are that are not in a folder; a method knows what it makes.

    Raises:
        UsageError: names the folders of maps that take part.
    """
    folders = [c.name for c in contenders if isinstance(c, FolderContender)]
    for name, kind in predictions.items():
        if name not in folders:
            there = f"those here are {', '.join(folders)}" if folders else "there is none here"
            raise UsageError(
                f"--prediction {name}={kind}: names no folder of maps (--method NAME=FOLDER); "
                f"{there}"
            )


def check_options(contenders: Sequence[Contender], numbers: Mapping[str, Any]) -> None:
    """Refuse constructor options that a method does not have.

    Raises:
        UsageError: names the option and those that exist.
    """
    for contender in contenders:
        if isinstance(contender, MethodContender):
            options = contender.method_options(numbers)
            methods.check_options(contender.cls, contender.name, options)


def check_methods(contenders: Sequence[Contender], numbers: Mapping[str, Any]) -> None:
    """Let each method that does not learn refuse what would end it later.

    The library of explanations is looked for as well.

    Raises:
        UsageError, EmomapError: a file or a package is missing, or a card is wrong.
    """
    for contender in contenders:
        if not isinstance(contender, MethodContender):
            continue
        if not contender.trainable:
            contender.make(numbers).check()
        if any(explanation.kind in LIBRARY for explanation in contender.explain):
            from emomap.explain.maps import load_library

            load_library()


def check_checkpoints(
    checkpoints: Mapping[str, Path],
    learners: Mapping[str, MethodContender],
    numbers: Mapping[str, Any],
) -> None:
    """Load every checkpoint once.

    Raises:
        UsageError: it is for a method that does not learn or does not take part.
        EmomapError: it cannot be read.
    """
    for name, file in checkpoints.items():
        if name not in learners:
            raise UsageError(
                f"--checkpoint {name}=...: '{name}' is no --method here that has weights to load"
            )
        learners[name].make(numbers).load(file, device="cpu")


def require_labels(dataset: Dataset, name: str) -> None:
    """Refuse a data set on which a method cannot be trained.

    Raises:
        UsageError: no image, or none of the train split, has an emotion.
    """
    if not dataset.labelled:
        raise UsageError(
            f"{name} learns from emotion labels, and {dataset.name} has none: add a labels.csv "
            f"(image,emotion), or give a trained network with --checkpoint {name}=FILE"
        )
    if not any(s.split == "train" and s.emotion for s in dataset):
        raise UsageError(
            f"{name} needs labelled images in the train split, and {dataset.name} has none: "
            "check split.csv (image,split) and labels.csv"
        )


def require_truth(dataset: Dataset, split: Split | None, *, classified: bool) -> None:
    """Refuse a split without anything to compare with.

    Args:
        classified: whether emotions are predicted, so that labels will do.

    Raises:
        EmomapError: no image of the split has gaze.
    """
    samples = [s for s in dataset if split is None or s.split == split]
    if any(s.gaze_source for s in samples) or (classified and any(s.emotion for s in samples)):
        return
    raise EmomapError(
        f"{dataset.name}: no gaze for its {len(samples)} images, so there is nothing to score "
        "against; put it into fixations/ or maps/, or give it with --gaze PATH"
    )
