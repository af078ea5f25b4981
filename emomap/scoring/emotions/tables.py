"""`score` of tables: anybody's predicted emotions against labels, without pictures or maps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from emomap.data.emotion_tables import SUFFIXES, EmotionTable, is_table, of_dataset, read_emotions
from emomap.data.opening import open_dataset
from emomap.errors import EmomapError, UsageError
from emomap.scoring import per_image
from emomap.scoring.emotions.judged import judge
from emomap.scoring.emotions.protocol import EmotionProtocol
from emomap.scoring.emotions.scores import EmotionScores, score_judged


def score_tables(
    predictions: str | Path,
    truth: str | Path,
    *,
    metrics: Any = None,
    convention: str | None = None,
    wheel: Any = None,
    allow_missing: bool = False,
    seed: int = 0,
    keep: str | Path | None = None,
    **others: Any,
) -> EmotionScores:
    """Score a table of predicted emotions against labels.

    Args:
        predictions: CSV file with a column for the picture and a label, a probability for each
            emotion, valence and arousal, or several of these; ``predictions.csv`` of a run is one.
        truth: such a table, or a data set that says something of emotions.
        metrics: names of measures, or "all"; by default those that papers report.
        convention: of measures between distributions: "geng", "styleedl" or "ecc".
        wheel: file of a wheel, or a `metrics.emotion.Wheel`; Mikels' by default.
        allow_missing: score the images that both sides have, and say which are missing.
        seed: of the bootstrap.
        keep: file for the values of each image (.csv, .json, .parquet).
        **others: what `emomap.score` takes for maps; refused where it says something.

    Raises:
        UsageError: a measure or convention that does not exist, or a choice that is for maps.
        EmomapError: see `read_emotions` and `judge`.
    """
    for name, value in others.items():
        if value not in (None, False, "") and name not in {"jobs", "show"}:
            raise UsageError(f"{name} is for maps, and {predictions} is a table of emotions")
    protocol = EmotionProtocol.of(metrics, convention, wheel)
    if keep is not None:
        check_path(Path(keep))
    known = protocol.used.emotions
    labels = _labels(truth, known)
    table = read_emotions(predictions, "prediction", {*known, *labels.classes, *_named(labels)})
    judged = judge(table, labels, allow_missing=allow_missing, wheel=protocol.wheel)
    found = score_judged(
        judged,
        protocol,
        seed=seed,
        method=Path(predictions).resolve().stem,
        dataset=Path(truth).resolve().stem,
    )
    if keep is not None:
        per_image.write(Path(keep), found.per_image())
    return found


def check_path(path: Path) -> None:
    """Refuse a file for the values of each image whose suffix names no format that they have.

    Raises:
        UsageError: it names the suffixes that exist.
    """
    if path.suffix.lower() == ".jsonl":
        raise UsageError(
            f"{path}: rows hold values of maps; for those of emotions use .csv, .json or .parquet"
        )
    per_image.check_path(path, "per-image values")


def _labels(truth: str | Path, known: tuple[str, ...]) -> EmotionTable:
    if is_table(truth):
        return read_emotions(truth, "label", known)
    if Path(truth).suffix.lower() in SUFFIXES:
        raise EmomapError(f"{truth}: no such file")
    if Path(truth).is_file() and Path(truth).suffix.lower() != ".zip":
        raise EmomapError(f"{truth}: not a table; labels come as .csv, or in a data set")
    return of_dataset(open_dataset(truth))


def _named(table: EmotionTable) -> set[str]:
    return {name for name in table.labels if name}
