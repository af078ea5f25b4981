"""The stage pictures -> map files: by a method, by a network, or from a folder made elsewhere.

Maps that are in the run folder already are kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from emomap import io, predict
from emomap.errors import EmomapError, listed
from emomap.experiment.contender import Contender, FolderContender, MethodContender
from emomap.experiment.finished import finished_rows
from emomap.experiment.learn import learned
from emomap.experiment.made import Files, MadeMaps, existing, problems
from emomap.experiment.plan import Plan
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
        return MadeMaps({contender.name: _from_folder(contender, samples)})
    if contender.trainable:
        return _by_network(plan, folder, contender, samples)
    return _by_method(plan, folder, contender, samples)


def _from_folder(contender: FolderContender, samples: Sequence[Sample]) -> Files:
    found = io.maps_by_id(contender.folder)
    pairs = io.pair(found, [s.id for s in samples])
    missing = [s.id for s in samples if s.id not in pairs]
    if missing:
        raise EmomapError(f"{contender.folder}: no map for {listed(missing)}")
    return {image: found[stem] for image, stem in pairs.items()}


def _by_method(
    plan: Plan, folder: Run, contender: MethodContender, samples: Sequence[Sample]
) -> MadeMaps:
    method = contender.make(plan.numbers)
    method.fit(plan.part("train"), plan.part("val"))
    target = folder.maps / contender.name
    outcomes = predict.predict_maps(
        method,
        samples,
        target,
        jobs=plan.jobs,
        label=f"maps of {contender.name}",
        show=plan.show,
    )
    return MadeMaps({contender.name: existing(target, samples)}, failed=problems(outcomes))


def _by_network(
    plan: Plan, folder: Run, contender: MethodContender, samples: Sequence[Sample]
) -> MadeMaps:
    """Emotions of all pictures; where the network makes maps, also up to three rows of maps."""
    method = learned(plan, folder, contender)
    target = folder.maps / contender.name
    predictions = folder.method(contender.name) / "predictions.jsonl"
    outcomes = predict.predict_batches(
        method,
        plan.mine(),
        target,
        predictions,
        label=f"maps of {contender.name}",
        show=plan.show,
    )
    failed = problems(outcomes)
    if not method.gives_map:
        return MadeMaps({}, predictions, failed)
    raw = existing(target, samples)
    made = MadeMaps({contender.name: raw}, predictions, failed)
    if not plan.numbers["bench"]["finish"]:
        return made
    finished = finished_rows(plan, folder, contender.name, method, raw)
    return MadeMaps({**made.rows, **finished.rows}, predictions, [*made.failed, *finished.failed])
