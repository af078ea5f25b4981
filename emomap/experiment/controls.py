"""The stage trained network -> controls: the rows NAME@CONTROL, finished like the network's own.

What the controls are is said in `emomap.sanity.controls`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from emomap import io, metrics, predict
from emomap.experiment.finished import Validation, finished_rows, made_and_finished
from emomap.experiment.made import Files, MadeMaps, by_batches, existing
from emomap.experiment.plan import Plan
from emomap.method import Method
from emomap.progress import say
from emomap.runs.folder import Run
from emomap.sample import Sample
from emomap.sanity.controls import KINDS, OTHER_PICTURE, controls, partners


def make_controls(
    plan: Plan,
    folder: Run,
    name: str,
    method: Method,
    samples: Sequence[Sample],
    validation: Validation,
) -> MadeMaps:
    """Make the maps of all controls that a method allows, raw and finished.

    Args:
        name: of the method's row.
        method: trained.
        samples: pictures with gaze, some of which have a map of the method.
        validation: makes the method's maps of the validation split.
    """
    made = MadeMaps()
    raw = existing(folder.maps / name, samples)
    readable = [sample for sample in samples if sample.id in raw]
    if not readable:
        return made
    for kind, control in _of_network(plan, method, readable[0]).items():
        row = f"{name}@{kind}"
        made += made_and_finished(plan, folder, row, control, samples, "control.jsonl")
    missing = [kind for kind in KINDS if f"{name}@{kind}" not in made.rows]
    if missing and plan.show:
        say(
            f"{name}: no controls {', '.join(missing)}: those on f1 need a network with an "
            "attribute `backbone`, random-head needs layers of its own before the map"
        )
    made += _other_picture(plan, folder, name, method, raw, validation)
    return MadeMaps(made.rows, failed=made.failed, controls=list(made.rows))


def _of_network(plan: Plan, method: Method, sample: Sample) -> dict[str, Method]:
    from emomap.nn.network import NetworkMethod

    if not isinstance(method, NetworkMethod):
        return {}
    return controls(method, [sample.image()], plan.seed)


def _other_picture(
    plan: Plan,
    folder: Run,
    name: str,
    method: Method,
    here: Files,
    validation: Validation,
) -> MadeMaps:
    """The rows in which each picture has the network's map of another one."""
    row = f"{name}@{OTHER_PICTURE}"
    everyone = plan.gazed(plan.split)
    other = _partner_of(everyone)
    if not other:
        say(f"{name}: no control {OTHER_PICTURE}, since there is one picture only")
        return MadeMaps()
    # a shard has the maps of its own pictures only
    wanted = {other[image] for image in here}
    elsewhere = [sample for sample in everyone if sample.id in wanted and sample.id not in here]
    home = folder.method(row)
    theirs, failed = by_batches(
        method,
        elsewhere,
        home / "others",
        home / "control.jsonl",
        label=f"maps of {row}",
        show=plan.show,
    )
    raw = _swapped({**theirs, **here}, here, other, folder.maps / row)

    def swapped_validation(pictures: Sequence[Sample]) -> tuple[Files, Sequence[str]]:
        found, unread = validation(pictures)
        return _swapped(found, found, _partner_of(pictures), home / "validation"), unread

    finished = finished_rows(plan, folder, row, raw, swapped_validation)
    return MadeMaps({row: raw}, failed=failed) + finished


def _partner_of(samples: Sequence[Sample]) -> dict[str, str]:
    """Picture -> the one whose map stands in for its own; empty for less than two pictures."""
    if len(samples) < 2:
        return {}
    pairs = zip(samples, partners(len(samples)), strict=True)
    return {sample.id: samples[place].id for sample, place in pairs}


def _swapped(files: Files, own: Files, other: Mapping[str, str], target: Path) -> Files:
    """Write for each picture the map of its partner, at the size of its own map.

    Args:
        files: picture -> map file, of the partners, too.
        own: those of the pictures that get another map.
        other: picture -> partner.
        target: folder of the written maps; those that are there already are kept.
    """
    written = {}
    for image, file in own.items():
        if other.get(image) not in files:
            continue
        written[image] = predict.map_path(target, image)
        if not written[image].exists():
            shape = io.read_map(file).shape
            theirs = io.read_map(files[other[image]])
            io.write_map(written[image], metrics.resize(theirs, shape, method="matlab-bilinear"))
    return written
