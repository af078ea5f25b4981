"""The stage pictures -> map files: by a method, by a network, or from a folder made elsewhere.

Maps that are in the run folder already are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from emomap import io, predict
from emomap.errors import EmomapError, listed
from emomap.experiment.contender import Contender, FolderContender, MethodContender
from emomap.experiment.controls import make_controls
from emomap.experiment.explained import explained_rows, own_classifier
from emomap.experiment.finished import finished_rows, validation_maps
from emomap.experiment.learn import learned
from emomap.experiment.made import Files, MadeMaps, existing, problems
from emomap.experiment.plan import Plan
from emomap.io.kinds import MapKind
from emomap.runs.folder import Run
from emomap.sample import Sample


def make_maps(plan: Plan, folder: Run, contender: Contender) -> MadeMaps:
    """Make the maps of a contender that are missing. A method that learns is trained first.

    Only pictures with gaze get into the rows.

    Raises:
        EmomapError: a folder of maps lacks some, or the training fails.
    """
    samples = [sample for sample in plan.mine() if sample.gaze_source is not None]
    if isinstance(contender, FolderContender):
        maps = _from_folder(contender, samples)
        return MadeMaps({contender.name: maps}, kinds={contender.name: contender.kind})
    if contender.own:
        return own_classifier(plan, folder, contender, samples)
    if contender.trainable:
        return _by_network(plan, folder, contender, samples)
    return _by_method(plan, folder, contender, samples)


def _from_folder(contender: FolderContender, samples: Sequence[Sample]) -> Mapping[str, io.File]:
    found = io.maps_by_id(contender.folder)
    pairs = io.pair(found, [s.id for s in samples])
    missing = [s.id for s in samples if s.id not in pairs]
    if missing:
        raise EmomapError(f"{contender.folder}: no map for {listed(missing)}")
    return {image: found[stem] for image, stem in pairs.items()}


def _by_method(
    plan: Plan, folder: Run, contender: MethodContender, samples: Sequence[Sample]
) -> MadeMaps:
    name = contender.name
    method = contender.make(plan.numbers, plan.device)
    method.fit(plan.part("train"), plan.part("val"))

    def make(wanted: Sequence[Sample], target: Path, label: str) -> tuple[Files, Sequence[str]]:
        form = predict.form_of(method)
        outcomes = predict.predict_maps(
            method, wanted, target, form=form, jobs=plan.jobs, label=label, show=plan.show
        )
        return existing(target, wanted), problems(outcomes)

    raw, failed = make(samples, folder.maps / name, f"maps of {name}")
    scaled = plan.protocol.metric_specific and method.is_density
    kind: MapKind = "density" if scaled else method.map_kind
    made = MadeMaps({name: raw}, failed=failed, kinds={name: kind})
    if not method.finishes or not samples:
        return made

    def validation(wanted: Sequence[Sample]) -> tuple[Files, Sequence[str]]:
        return make(wanted, folder.method(name) / "validation", f"validation maps of {name}")

    return made + finished_rows(plan, folder, name, raw, validation, method.map_kind)


def _by_network(
    plan: Plan, folder: Run, contender: MethodContender, samples: Sequence[Sample]
) -> MadeMaps:
    """Emotions of all pictures; where the network makes maps, their rows and those of controls."""
    method = learned(plan, folder, contender)
    name = contender.name
    target = folder.maps / name
    predictions = folder.method(name) / "predictions.jsonl"
    outcomes = predict.predict_classes(
        method, plan.mine(), target, predictions, label=f"maps of {name}", show=plan.show
    )
    made = MadeMaps({}, predictions, problems(outcomes))
    if contender.explain:
        made += explained_rows(plan, folder, contender, method, samples)
    if not method.gives_map:
        return made
    raw = existing(target, samples)
    made += MadeMaps({name: raw})
    validation = partial(validation_maps, plan, folder, name, method)
    made += finished_rows(plan, folder, name, raw, validation)
    if plan.controls and samples:
        made += make_controls(plan, folder, name, method, samples, validation)
    return made
