"""The stage raw maps -> finished maps: the rows NAME-smooth and NAME-center of a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, metrics, predict
from emomap import method as methods
from emomap.analysis.smoothing import shrink, unit
from emomap.experiment import finish
from emomap.experiment.made import Files, MadeMaps, by_batches
from emomap.experiment.plan import Plan
from emomap.io.kinds import MapKind, read_made
from emomap.io.schema import STRICT, read_json
from emomap.method import Method
from emomap.progress import say
from emomap.runs.folder import Run
from emomap.sample import Sample
from emomap.scoring.image import truths
from emomap.scoring.protocol import Protocol

#: Makes the maps of validation pictures: pictures -> map files, and the pictures that failed.
Validation = Callable[[Sequence[Sample]], tuple[Files, Sequence[str]]]


class Finishes(TypedDict):
    """`finish.json`: the two numbers of each row."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    smooth: finish.Finish
    center: finish.Finish


def finished_rows(
    plan: Plan,
    folder: Run,
    name: str,
    raw: Files,
    validation: Validation,
    kind: MapKind = "map",
) -> MadeMaps:
    """Smooth the raw maps of a network or a control, without and with the centre prior.

    The two numbers are chosen on the validation split, and kept in `finish.json`. Without gaze in
    that split, no row is made, nor where the plan has no finished rows.

    Args:
        name: name of the raw row.
        raw: image -> raw map.
        validation: makes the maps of the validation split.
        kind: what the values of its maps are; those of the finished rows are plain maps.
    """
    if not plan.finish:
        return MadeMaps()
    chosen = folder.method(name) / "finish.json"
    failed: Sequence[str] = ()
    if not chosen.exists():
        samples = plan.gazed("val") if plan.dataset.splits else []
        files, failed = validation(samples) if samples else ({}, ())
        if not files:
            say(f"{name}: no validation split with gaze, so no smoothed rows")
            return MadeMaps(failed=failed)
        fitted = _choose(plan, samples, files, kind)
        io.write_text(chosen, json.dumps(fitted) + "\n")
    numbers = read_json(chosen, Finishes)
    rows: dict[str, Files] = {}
    for ending, how in (("smooth", numbers["smooth"]), ("center", numbers["center"])):
        row = f"{name}-{ending}"
        rows[row] = {image: predict.map_path(folder.maps / row, image) for image in raw}
        _write(how, raw, rows[row], kind)
    return MadeMaps(rows, failed=failed)


def made_and_finished(
    plan: Plan, folder: Run, row: str, method: Method, samples: Sequence[Sample], table: str
) -> MadeMaps:
    """The raw and finished rows of a method that makes its map from the picture by itself.

    Args:
        samples: pictures with gaze.
        table: name of the file that keeps which pictures are done.
    """
    raw, failed = by_batches(
        method,
        samples,
        folder.maps / row,
        folder.method(row) / table,
        label=f"maps of {row}",
        show=plan.show,
    )
    made = MadeMaps({row: raw}, failed=failed)
    if not samples:
        return made
    validation = partial(validation_maps, plan, folder, row, method)
    return made + finished_rows(plan, folder, row, raw, validation)


def validation_maps(
    plan: Plan, folder: Run, name: str, method: Method, samples: Sequence[Sample]
) -> tuple[Files, Sequence[str]]:
    """The maps of validation pictures by a method, and a line for each picture that failed."""
    home = folder.method(name)
    return by_batches(
        method,
        samples,
        home / "validation",
        home / "validation.jsonl",
        label=f"validation maps of {name}",
        show=plan.show,
    )


def _write(chosen: finish.Finish, raw: Files, targets: Files, kind: MapKind) -> None:
    """Finish the maps that are missing."""
    for image, target in targets.items():
        if not target.exists():
            values = shrink(read_made(raw[image], kind))
            io.write_map(target, chosen.apply(values, center_prior(values.shape)))


def _choose(plan: Plan, samples: Sequence[Sample], files: Files, kind: MapKind) -> dict[str, Any]:
    """The numbers of both rows, from the maps of validation pictures."""
    protocol = Protocol(metrics=("cc",), sigma=plan.dataset.sigma, stretch=True)
    by_id = {sample.id: sample for sample in samples}
    maps, centers, densities = [], [], []
    for image, path in files.items():
        gaze = by_id[image].gaze()
        assert gaze is not None
        density = truths(gaze, protocol, image)["density"]
        maps.append(shrink(read_made(path, kind)))
        centers.append(center_prior(maps[-1].shape))
        densities.append(metrics.resize(density, maps[-1].shape, method="area"))
    smooth, center = finish.choose(maps, centers, densities)
    return {"smooth": vars(smooth), "center": vars(center)}


def center_prior(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The centre prior of the row `center`, scaled to 0..1."""
    blank = np.zeros((*shape, 3), dtype=np.uint8)
    prior = methods.load("center")().predict([blank])[0].map
    return unit(np.asarray(prior, dtype=np.float64))
