"""The stage classifier -> explanation maps: the rows NAME@KIND, finished like a network's own."""

from __future__ import annotations

from collections.abc import Sequence

from emomap import predict
from emomap.experiment.contender import MethodContender
from emomap.experiment.finished import made_and_finished
from emomap.experiment.made import MadeMaps, problems
from emomap.experiment.plan import Plan
from emomap.runs.folder import Run
from emomap.sample import Sample


def explained_rows(
    plan: Plan,
    folder: Run,
    contender: MethodContender,
    classifier: object,
    samples: Sequence[Sample],
) -> MadeMaps:
    """Make the explanation maps that were chosen, raw and finished.

    Args:
        classifier: trained or loaded, see `emomap.explain.method.Classifier`.
        samples: pictures with gaze.
    """
    from emomap.explain.method import Explained

    made = MadeMaps()
    for explanation in contender.explain:
        method = Explained(classifier, explanation)  # type: ignore[arg-type]
        row = f"{contender.name}@{explanation.kind}"
        made += made_and_finished(plan, folder, row, method, samples, "explained.jsonl")
    return made


def own_classifier(
    plan: Plan, folder: Run, contender: MethodContender, samples: Sequence[Sample]
) -> MadeMaps:
    """The emotions that somebody's own classifier sees, and the maps that explain it."""
    classifier = contender.make(plan.numbers, plan.device)
    if contender.name in plan.checkpoints:
        classifier.load(plan.checkpoints[contender.name], device=plan.device)
    classifier.check()
    home = folder.method(contender.name)
    table = home / "predictions.jsonl"
    outcomes = predict.predict_classes(
        classifier, plan.mine(), home, table, label=f"classes of {contender.name}", show=plan.show
    )
    made = MadeMaps({}, table, problems(outcomes))
    return made + explained_rows(plan, folder, contender, classifier, samples)
