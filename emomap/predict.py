"""The stage method x pictures -> map files, in parallel, resumable.

Methods that look at one picture at a time run in several processes. Networks run here, batch by
batch, and also write `predictions.jsonl`: for each picture the likeliest emotion, and the
probabilities of all in the order that the checkpoint has them. `predictions.csv` has the same with
the names of the emotions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NotRequired

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, parallel
from emomap.errors import EmomapError
from emomap.io.schema import STRICT, can_be_made_again, read_json_lines
from emomap.method import Map, Method
from emomap.progress import track
from emomap.sample import Sample
from emomap.tables import Table

#: How maps are written: 16-bit PNG, scaled to its maximum, or float32.
FORMS = ("png", "npy")
#: What a network with a head for it predicts besides emotions.
AFFECT = ("valence", "arousal")
#: Pictures given to a network at once. Part of the result: another size rounds differently.
BATCH = 16


@dataclass(frozen=True)
class Outcome:
    """What became of one picture.

    Attributes:
        id: of the picture.
        problem: in one line, or None where it is done.
    """

    id: str
    problem: str | None = None


def map_path(folder: Path, identity: str, form: str = "png") -> Path:
    """Where the map of a picture is written. Ids may hold dots, so the suffix is appended."""
    return folder / f"{identity}.{form}"


def predict_maps(
    method: Method,
    samples: Sequence[Sample],
    folder: Path,
    *,
    form: str = "png",
    jobs: int | None = None,
    label: str = "predict",
    show: bool = True,
) -> list[Outcome]:
    """Write the map of each sample below ``folder``; maps that are there already are kept.

    Args:
        method: one that predicts each picture by itself.
        samples: the pictures; a map is called as its sample's id.
        form: "png" (16-bit) or "npy" (float32).
        jobs: worker processes, for methods that take one picture at a time; None for one per CPU.
        label, show: of the progress on stderr.

    Returns:
        The pictures that failed. Their maps do not exist; all others do.

    Raises:
        EmomapError: the folder cannot be made.
    """
    io.make_folder(folder)  # before hours of work
    todo = [s for s in samples if not map_path(folder, s.id, form).exists()]
    groups = [todo[at : at + method.at_once] for at in range(0, len(todo), method.at_once)]
    if method.alone:
        jobs = 1
    elif jobs is None and method.slow:
        jobs = parallel.processors()
    work = partial(_together, method=method, folder=folder, form=form)
    found = parallel.ordered(work, groups, jobs=jobs, chunk=1 if method.slow else 8)
    outcomes = (outcome for group in found for outcome in group)
    done = len(samples) - len(todo)
    tracked = track(outcomes, total=len(samples), label=label, done=done, show=show)
    return [outcome for outcome in tracked if outcome.problem]


def made_map(folder: Path, identity: str) -> Path | None:
    """The map of a picture, in whichever form it was written; None if there is none."""
    paths = (map_path(folder, identity, form) for form in FORMS)
    return next((path for path in paths if path.exists()), None)


def form_of(method: Method) -> str:
    """How a run keeps the maps of a method."""
    return "npy" if method.spans_decades or method.map_kind != "map" else "png"


def _together(
    samples: Sequence[Sample], *, method: Method, folder: Path, form: str
) -> list[Outcome]:
    """Pictures that a method takes at once. If it fails, each is tried alone, to name the one."""
    try:
        images = [sample.image() for sample in samples]
        predictions = method.predict(images)
    except (EmomapError, ValueError) as error:
        if len(samples) > 1:
            alone = partial(_together, method=method, folder=folder, form=form)
            return [outcome for sample in samples for outcome in alone([sample])]
        file = str(samples[0].image_file)  # a method does not know the file
        words = str(error) if str(error).startswith(file) else f"{file}: {error}"
        return [Outcome(samples[0].id, words)]
    return [
        _written(method, sample, prediction.map, folder, form)
        for sample, prediction in zip(samples, predictions, strict=True)
    ]


def _written(
    method: Method, sample: Sample, values: Map | None, folder: Path, form: str
) -> Outcome:
    try:
        if values is None:
            raise EmomapError(f"{type(method).__name__} makes no maps, only predicts emotions")
        io.write_map(
            map_path(folder, sample.id, form), values, logarithm=method.map_kind == "log-density"
        )
    except EmomapError as error:
        return Outcome(sample.id, str(error))
    return Outcome(sample.id)


# ------------------------------------------------------------------- networks and classifiers


def predict_batches(
    method: Method,
    samples: Sequence[Sample],
    folder: Path,
    table: Path,
    *,
    form: str = "png",
    label: str = "predict",
    show: bool = True,
) -> list[Outcome]:
    """Run a network over the samples: maps below ``folder``, probabilities into ``table``.

    A batch is done when all its lines are in the table; an interrupted one is computed again as a
    whole, so that every value comes from the same batch however often the run was interrupted.

    Args:
        method: trained or loaded.
        samples: the pictures.
        form: "png" (16-bit) or "npy" (float32).
        label, show: of the progress on stderr.

    Returns:
        The pictures that failed.
    """
    batches = [samples[at : at + BATCH] for at in range(0, len(samples), BATCH)]
    lines = read_predictions(table) if table.exists() else []
    done = _complete_batches([line["image"] for line in lines], batches)
    kept = lines[: sum(len(batch) for batch in batches[:done])]
    io.write_text(table, "".join(json.dumps(line) + "\n" for line in kept))
    failed = [Outcome(line["image"], line["problem"]) for line in kept if line["problem"]]
    entries = _run_batches(method, batches[done:], folder, table, form)
    tracked = track(entries, total=len(samples), done=len(kept), label=label, show=show)
    return failed + [Outcome(e["image"], e["problem"]) for e in tracked if e["problem"]]


def predict_classes(
    method: Method,
    samples: Sequence[Sample],
    folder: Path,
    table: Path,
    *,
    form: str = "png",
    label: str = "predict",
    show: bool = True,
) -> list[Outcome]:
    """`predict_batches`, and beside its table the same as CSV, with the names of the classes."""
    outcomes = predict_batches(method, samples, folder, table, form=form, label=label, show=show)
    write_table(table, table.with_suffix(".csv"), samples, method.classes)
    return outcomes


def _complete_batches(images: Sequence[str], batches: Sequence[Sequence[Sample]]) -> int:
    """How many batches all pictures of which are there."""
    at = 0
    for number, batch in enumerate(batches):
        if list(images[at : at + len(batch)]) != [s.id for s in batch]:
            return number
        at += len(batch)
    return len(batches)


def _run_batches(
    method: Method, batches: Sequence[Sequence[Sample]], folder: Path, table: Path, form: str
) -> Iterator[dict[str, Any]]:
    """The line of each picture, once the lines of its batch are in the table."""
    for batch, read in zip(batches, _prefetched(_read, batches), strict=True):
        entries = _run_batch(method, batch, read, folder, form)
        io.append_text(table, "".join(json.dumps(entry) + "\n" for entry in entries))
        yield from entries


def _run_batch(
    method: Method,
    batch: Sequence[Sample],
    read: Sequence[NDArray[np.uint8] | str],
    folder: Path,
    form: str,
) -> list[dict[str, Any]]:
    images = [image for image in read if not isinstance(image, str)]
    labels = [s.emotion for s, image in zip(batch, read, strict=True) if not isinstance(image, str)]
    predictions = iter(method.predict_labelled(images, labels) if images else [])
    ratings = method.ratings(images) if images else None
    rated = iter(() if ratings is None else ratings)
    entries: list[dict[str, Any]] = []
    for sample, image in zip(batch, read, strict=True):
        entry: dict[str, Any] = dict.fromkeys(("image", "emotion", "probabilities", "problem"))
        entry["image"] = sample.id
        if isinstance(image, str):
            entry["problem"] = image
        else:
            prediction = next(predictions)
            if prediction.map is not None:
                io.write_map(map_path(folder, sample.id, form), prediction.map)
            if prediction.probabilities is not None:
                entry["probabilities"] = [float(p) for p in prediction.probabilities]
                if method.classes:
                    entry["emotion"] = method.classes[int(np.argmax(prediction.probabilities))]
            entry |= dict(zip(AFFECT, map(float, next(rated, ())), strict=False))
        entries.append(entry)
    return entries


def _read(sample: Sample) -> NDArray[np.uint8] | str:
    try:
        return sample.image()
    except EmomapError as error:
        return str(error)


def _prefetched(
    function: Callable[[Sample], Any], batches: Sequence[Sequence[Sample]]
) -> Iterator[list[Any]]:
    """Read the next batch in threads while the caller works on this one."""
    with ThreadPoolExecutor(max_workers=parallel.processors()) as pool:
        following = [pool.submit(function, sample) for sample in batches[0]] if batches else []
        for at in range(len(batches)):
            current = following
            if at + 1 < len(batches):
                following = [pool.submit(function, sample) for sample in batches[at + 1]]
            yield [future.result() for future in current]


class PredictionLine(TypedDict):
    """A line of `predictions.jsonl`. A picture that could not be read has nothing but a problem."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    image: str
    emotion: str | None
    probabilities: list[Annotated[float, Ge(0), Le(1 + 1e-6)]] | None
    problem: str | None
    valence: NotRequired[float]
    arousal: NotRequired[float]


def read_predictions(table: Path) -> list[dict[str, Any]]:
    """The lines of the file that `predict_batches` writes, without one that a kill cut short.

    Raises:
        EmomapError: unreadable, or a line is damaged.
    """
    with can_be_made_again():
        return [line for line, _ in read_json_lines(table, PredictionLine)]


def write_table(
    predictions: Path, out: Path, samples: Sequence[Sample], classes: Sequence[str]
) -> None:
    """Write predictions as CSV: image, label, predicted emotion, the probability of each emotion.

    A network with a head for them adds valence and arousal.

    Args:
        predictions: the file that `predict_batches` has written.
        out: the CSV file; the columns of probabilities are called ``p_EMOTION``.
        samples: the pictures in question, with their labels.
        classes: the emotions in the order of the probabilities.
    """
    labels = {sample.id: sample.emotion or "" for sample in samples}
    lines = read_predictions(predictions)
    rated = [name for name in AFFECT if any(name in line for line in lines)]
    rows = [
        [line["image"], labels.get(line["image"], ""), line["emotion"] or "",
         *(map(repr, line["probabilities"]) if line["probabilities"] else [""] * len(classes)),
         *(repr(line[name]) if name in line else "" for name in rated)]
        for line in lines
    ]  # fmt: skip
    header = ["image", "label", "predicted", *(f"p_{emotion}" for emotion in classes), *rated]
    io.write_text(out, Table(header, rows).render("csv"))


def read_emotions(table: Path) -> dict[str, str]:
    """The likeliest emotion by image, from the file that `predict_batches` writes."""
    return {line["image"]: line["emotion"] for line in read_predictions(table) if line["emotion"]}
