"""Write a data set in the neutral layout: `emomap data convert`.

Pictures are copied byte for byte. The tables and dataset.toml are written last. A hidden file says
which data set is being converted, so that an interrupted call can resume.
"""

from __future__ import annotations

import csv
import functools
import io as text_io
import json
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emomap import io, parallel
from emomap.data.annotations import AFFECT, columns
from emomap.data.card import CARD
from emomap.data.opening import open_dataset
from emomap.data.outlines import write_outlines
from emomap.data.tree import nfc, suffix
from emomap.errors import EmomapError, UsageError
from emomap.progress import track
from emomap.sample import Dataset, Gaze, Outline, Sample

#: The hidden file.
MARK = ".emomap-convert"


@dataclass(frozen=True)
class Conversion:
    """What `convert` did.

    Attributes:
        dataset: the data set that was read.
        problems: one line for each sample that could not be written.
    """

    dataset: Dataset
    problems: Sequence[str]


def convert(
    spec: str | Path,
    out: Path,
    *,
    gaze: str | Path | None = None,
    options: dict[str, Any] | None = None,
    jobs: int | None = None,
    show: bool = True,
) -> Conversion:
    """Write a data set in the neutral layout. The same call again resumes.

    Args:
        spec, gaze, options: as for `emomap.data.open_dataset`.
        out: the folder to write.
        jobs: worker processes; None for one per CPU.
        show: progress on stderr.

    Raises:
        UsageError: ``out`` holds something else, or lies within the data set.
        EmomapError: the data set cannot be opened, or ``out`` cannot be written.
    """
    dataset = open_dataset(spec, gaze=gaze, options=options)
    source = Path(str(spec)).expanduser()
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise UsageError(
            f"{out}: lies within the data set that is converted; choose a folder outside"
        )
    claim = {"spec": str(spec), "gaze": str(gaze), "options": dict(options or {})}
    return write_neutral(dataset, out, claim, jobs=jobs, show=show)


def write_neutral(
    dataset: Dataset,
    out: Path,
    claim: dict[str, Any],
    *,
    jobs: int | None = None,
    show: bool = True,
) -> Conversion:
    """Write a data set in the neutral layout. The same call again resumes.

    Args:
        dataset: the data set.
        out: the folder to write.
        claim: what the data set was made of; a folder that was begun with another is refused.
        jobs, show: as for `convert`.

    Raises:
        UsageError: ``out`` holds something else.
        EmomapError: ``out`` cannot be written.
    """
    _claim(out, claim)
    write = functools.partial(_write, out=out)
    results = parallel.ordered(write, dataset.samples, jobs=jobs)
    outcomes = track(results, total=len(dataset), label=f"write {dataset.name}", show=show)
    problems, both = [], False
    for problem, has_both in outcomes:
        both = both or has_both
        if problem:
            problems.append(problem)
    problems += _write_objects(dataset, out)
    _write_tables(dataset, out)
    _write_card(dataset, out, sigma=None if both else dataset.sigma)
    return Conversion(dataset, problems)


def _claim(out: Path, content: dict[str, Any]) -> None:
    """Make sure that ``out`` is new, or holds an earlier conversion of the same data set."""
    text, mark = json.dumps(content, sort_keys=True) + "\n", out / MARK
    try:
        if mark.exists():
            if mark.read_text("utf-8") != text:
                raise UsageError(
                    f"{out}: holds the conversion of another data set; choose a new folder"
                )
            return
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"{out}: is not empty; choose a new folder")
    except OSError as error:
        raise io.write_error(out, error) from error
    io.write_text(mark, text)


def _write(sample: Sample, out: Path) -> tuple[str, bool]:
    """Write one sample. Returns the problem, or "", and whether it has fixations and a density."""
    try:
        ending = suffix(sample.image_file.name)
        picture = out / "images" / f"{sample.id}{ending}"
        if not picture.exists():
            with (
                io.atomic(picture) as temporary,
                sample.image_file.open("rb") as source,
                temporary.open("wb") as target,
            ):
                shutil.copyfileobj(source, target, 2**20)
        gaze = sample.gaze()
        if gaze is None:
            return "", False
        table, density = out / "fixations" / f"{sample.id}.csv", out / "maps" / f"{sample.id}.png"
        if gaze.points is not None and not table.exists():
            io.write_text(table, _fixations(gaze))
        if gaze.density is not None and not density.exists():
            io.write_map(density, gaze.density)
    except EmomapError as error:
        return str(error), False
    return "", gaze.points is not None and gaze.density is not None


def _fixations(gaze: Gaze) -> str:
    if gaze.points is None:
        return ""
    columns: dict[str, Iterable[object]] = {
        "x": map(repr, gaze.points[:, 0].tolist()),
        "y": map(repr, gaze.points[:, 1].tolist()),
    }
    if gaze.observers is not None:
        columns["observer"] = gaze.observers.tolist()
    if gaze.durations is not None:
        columns["duration"] = map(repr, gaze.durations.tolist())
    return _csv(tuple(columns), zip(*columns.values(), strict=True))


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = text_io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _write_tables(dataset: Dataset, out: Path) -> None:
    if dataset.labelled:
        rows = [(sample.id, sample.emotion) for sample in dataset if sample.emotion]
        io.write_text(out / "labels.csv", _csv(("image", "emotion"), rows))
    if dataset.splits:
        given = [(sample.id, sample.split) for sample in dataset if sample.split]
        io.write_text(out / "split.csv", _csv(("image", "split"), given))
    _write_opinions(dataset, out)
    rated = [s for s in dataset if s.valence is not None or s.arousal is not None]
    if rated:
        ratings = [(s.id, *(map(_number, (s.valence, s.arousal)))) for s in rated]
        io.write_text(out / "affect.csv", _csv(("image", *AFFECT), ratings))
    names = columns([sample.attributes for sample in dataset])
    if names:
        cells = [
            (sample.id, *(sample.attributes.get(name, "") for name in names))
            for sample in dataset
            if sample.attributes
        ]
        io.write_text(out / "attributes.csv", _csv(("image", *names), cells))


def _write_opinions(dataset: Dataset, out: Path) -> None:
    """Write distributions.csv: votes where every distribution was counted, else shares."""
    asked = [sample for sample in dataset if sample.distribution]
    if not asked:
        return
    rows: list[Sequence[object]]
    if all(sample.votes for sample in asked):
        rows = [
            (s.id, *(s.votes.get(name, 0) for name in dataset.classes)) for s in asked if s.votes
        ]
    else:
        rows = [
            (s.id, *(repr(float(s.distribution.get(name, 0.0))) for name in dataset.classes))
            for s in asked
            if s.distribution
        ]
    io.write_text(out / "distributions.csv", _csv(("image", *dataset.classes), rows))


def _number(value: float | None) -> str:
    return "" if value is None else repr(float(value))


def _write_objects(dataset: Dataset, out: Path) -> list[str]:
    """Write objects/objects.json. Returns the problems."""
    outlines: dict[str, tuple[Outline, ...]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    problems = []
    for sample in dataset:
        if sample.objects_source is None:
            continue
        name = sample.id + suffix(sample.image_file.name)
        try:
            found = sample.objects() or ()
            sizes[name] = found[0].shape if found else io.image_size(sample.image_file)
            outlines[name] = found
        except EmomapError as error:
            problems.append(str(error))
    if outlines:
        write_outlines(out / "objects" / "objects.json", outlines, sizes)
    return problems


def _write_card(dataset: Dataset, out: Path, *, sigma: float | None) -> None:
    """Write dataset.toml. Without a sigma the authors' maps stay the density."""
    card: dict[str, Any] = {
        "name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "synthetic": dataset.synthetic,
        "sigma": sigma,
        "classes": list(dataset.classes),
        "affect_range": list(dataset.affect_range or ()),
    }
    kept = {key: value for key, value in card.items() if value not in (None, "", [])}
    # strings, numbers, lists and booleans look the same in JSON and TOML
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in kept.items()]
    io.write_text(out / CARD, nfc("".join(lines)))
