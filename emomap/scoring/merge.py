"""Merge files of per-image values that the shards of a `score` left behind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from emomap.errors import EmomapError, UsageError, listed
from emomap.scoring import per_image
from emomap.scoring.per_image import PerImage


def merge_files(parts: Sequence[Path], out: Path) -> PerImage:
    """Merge files of per-image values into one, in the order of the images.

    Args:
        parts: files that `emomap.scoring.per_image.write` wrote.
        out: the file to write; its suffix is the format.

    Raises:
        UsageError: a suffix that is no format, parts that were scored in different ways, or an
            ``out`` that has images which no part has (it would lose them).
        EmomapError: an image that two parts have, or a damaged part.
    """
    per_image.check_path(out, "OUT")
    read = [per_image.read(path) for path in parts]
    first = read[0]
    values: dict[str, Any] = {}
    for path, part in zip(parts, read, strict=True):
        if part.metrics != first.metrics:
            raise UsageError(f"{path}: has other metrics than {parts[0]}")
        for metric in first.metrics:
            if part.signed(metric) != first.signed(metric):
                raise UsageError(f"{path}: {metric} was scored in another way than in {parts[0]}")
        twice = sorted(values.keys() & part.values.keys())
        if twice:
            raise EmomapError(f"{path}: another part has {listed(twice)} too")
        values |= part.values
    _check_out(out, values)
    method = first.method if first.method != parts[0].stem else out.stem
    whole = PerImage(
        {image: values[image] for image in sorted(values)},
        first.signature,
        method,
        first.dataset,
        first.signatures,
    )
    per_image.write(out, whole)
    return whole


def _check_out(out: Path, values: Mapping[str, Any]) -> None:
    """Refuse to write over a file that has more than the parts: perhaps OUT was left out."""
    if not out.exists():
        return
    try:
        lost = sorted(per_image.read(out).values.keys() - values.keys())
    except EmomapError as error:
        raise UsageError(f"{out}: exists already and is no earlier result of a merge") from error
    if lost:
        raise UsageError(
            f"{out}: exists already and has {listed(lost)} ({len(lost)} images), which "
            "no part has; the first file is the one to write, so name a new one"
        )
