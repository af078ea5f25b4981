"""Arrays instead of files: a map and its gaze that are in memory are scored as if from files."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from emomap.errors import UsageError
from emomap.io.temporary import temporary_folder
from emomap.scoring.masks import Mask

Result = TypeVar("Result")
Score = Callable[..., Result]


def or_arrays(function: Score[Result]) -> Score[Result]:
    """Let a function of two paths take arrays, too: a map (H, W), and its gaze.

    Gaze is a density or fixation map (H, W), or points (N, 2), x and y in pixels from 0. A choice
    ``mask`` may be an array (H, W), too.
    """

    @functools.wraps(function)
    def wrapped(predictions: Any, truth: Any, **choices: Any) -> Result:
        mask = choices.get("mask")
        paths = [isinstance(given, str | Path) for given in (predictions, truth)]
        if all(paths) and (mask is None or isinstance(mask, str | Path | Mask)):
            return function(predictions, truth, **choices)
        if isinstance(predictions, str | Path) and Path(predictions).is_dir():
            raise UsageError(f"{predictions}: a folder of maps needs a folder of gaze")
        with temporary_folder(None) as folder:
            if not (mask is None or isinstance(mask, str | Mask)):
                choices["mask"] = _written(mask, folder / "mask", points=False)
            return function(
                _written(predictions, folder / "map", points=False),
                _written(truth, folder / "gaze", points=True),
                **choices,
            )

    return wrapped


def _written(given: Any, file: Path, *, points: bool) -> str | Path:
    """The file of an array; a path stays as it is.

    Raises:
        UsageError: it is not an array of these shapes.
    """
    if isinstance(given, str | Path):
        return given
    values = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise UsageError(
            f"{file.name}: an array of shape {values.shape} and type {values.dtype}; expected "
            f"numbers (H, W){', or points (N, 2)' * points}"
        )
    if points and values.shape[1] == 2:
        file = file.with_suffix(".csv")
        lines = [f"{x!r},{y!r}" for x, y in values.astype(float).tolist()]
        file.write_text("\n".join(["x,y", *lines]) + "\n")
        return file
    file = file.with_suffix(".npy")
    np.save(file, values)
    return file
