"""The predictions of a run's classifier x what the data set says of the images -> their scores."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from emomap.data.emotion_tables import of_dataset, read_emotions
from emomap.errors import EmomapError
from emomap.experiment.plan import Plan
from emomap.scoring.emotions.judged import judge
from emomap.scoring.emotions.scores import EmotionScores, score_judged


def recognised(plan: Plan, name: str, table: Path) -> EmotionScores | str:
    """Score predictions on the images of the split; or say why they cannot be.

    Args:
        plan: of the run.
        name: of the classifier.
        table: its `predictions.csv`.
    """
    part = replace(plan.dataset, samples=tuple(plan.part(plan.split)))
    try:
        labels = of_dataset(part)
        judged = judge(read_emotions(table, "prediction", part.classes), labels, allow_missing=True)
        # that a shard has a part of the images is no remark
        return score_judged(
            replace(judged, remarks=()), seed=plan.seed, method=name, dataset=part.name
        )
    except EmomapError as error:
        return f"{name}: no measures of emotions: {error}"
