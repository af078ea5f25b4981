"""Merge the files of per-image values that the shards of a `score` wrote."""

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
        UsageError: a suffix that names no format, parts that were scored in different ways, or an
            ``out`` with images that no part has, which would be lost.
        EmomapError: an image that two parts have, or a damaged part.
    """
    per_image.check_path(out, "OUT")
    read = [per_image.read(path) for path in parts]
    first = read[0]
    values: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    for path, part in zip(parts, read, strict=True):
        if part.metrics != first.metrics:
            raise UsageError(f"{path}: the metrics differ from those of {parts[0]}")
        for metric in first.metrics:
            if part.signed(metric) != first.signed(metric):
                raise UsageError(f"{path}: {metric} was not scored as in {parts[0]}")
        twice = sorted(values.keys() & part.values.keys())
        if twice:
            raise EmomapError(f"{path}: another part also has {listed(twice)}")
        values |= part.values
        facts |= part.facts
    _check_out(out, values)
    method = first.method if first.method != parts[0].stem else out.stem
    whole = PerImage(
        {image: values[image] for image in sorted(values)},
        first.signature,
        method,
        first.dataset,
        first.signatures,
        facts={image: facts[image] for image in sorted(facts)},
    )
    per_image.write(out, whole)
    return whole


def _check_out(out: Path, values: Mapping[str, Any]) -> None:
    """Refuse to replace a file that has more than the parts, since OUT may have been forgotten."""
    if not out.exists():
        return
    try:
        lost = sorted(per_image.read(out).values.keys() - values.keys())
    except EmomapError as error:
        raise UsageError(f"{out}: exists already and is not the result of a merge") from error
    if lost:
        raise UsageError(
            f"{out}: exists already and has {listed(lost)} ({len(lost)} images), which no part "
            "has; the first file is the one that is written, so name a new one"
        )
