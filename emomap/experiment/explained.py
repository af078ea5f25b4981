"""The stage classifier -> explanation maps: the rows NAME@KIND, finished like a network's own."""

from __future__ import annotations

from functools import partial

from emomap import predict
from emomap.experiment.contender import MethodContender
from emomap.experiment.finished import finished_rows, validation_maps
from emomap.experiment.made import MadeMaps, by_batches, problems
from emomap.experiment.plan import Plan
from emomap.runs.folder import Run


def explained_rows(
    plan: Plan, folder: Run, contender: MethodContender, classifier: object
) -> MadeMaps:
    """Make the explanation maps that were chosen, raw and finished.

    Args:
        classifier: trained or loaded, see `emomap.explain.method.Classifier`.
    """
    from emomap.explain.method import Explained

    made = MadeMaps()
    for explanation in contender.explain:
        row = f"{contender.name}@{explanation.kind}"
        method = Explained(classifier, explanation)  # type: ignore[arg-type]
        samples = [sample for sample in plan.mine() if sample.gaze_source is not None]
        raw, failed = by_batches(
            method,
            samples,
            folder.maps / row,
            folder.method(row) / "explained.jsonl",
            label=f"maps of {row}",
            show=plan.show,
        )
        made += MadeMaps({row: raw}, failed=failed)
        if samples:
            validation = partial(validation_maps, plan, folder, row, method)
            made += finished_rows(plan, folder, row, raw, validation)
    return made


def own_classifier(plan: Plan, folder: Run, contender: MethodContender) -> MadeMaps:
    """The emotions that somebody's own classifier sees, and the maps that explain it."""
    classifier = contender.make(plan.numbers, plan.device)
    if contender.name in plan.checkpoints:
        classifier.load(plan.checkpoints[contender.name], device=plan.device)
    classifier.check()
    home = folder.method(contender.name)
    table = home / "predictions.jsonl"
    outcomes = predict.predict_batches(
        classifier, plan.mine(), home, table, label=f"classes of {contender.name}", show=plan.show
    )
    predict.write_table(table, table.with_suffix(".csv"), plan.mine(), classifier.classes)
    made = MadeMaps({}, table, problems(outcomes))
    return made + explained_rows(plan, folder, contender, classifier)
