"""What emomap knows of a column of values: a metric of maps, or a measure of emotions.

The measures of a scale carry its name (``valence_ccc``), since a table may have several.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from emomap import metrics
from emomap.errors import UsageError

SCALES = ("valence", "arousal", "dominance")
#: The measures that a scale has.
OF_SCALES = ("ccc", "pearson", "rmse", "mae")

#: Columns that measures of a whole set need -> whether each belongs to the prediction: names of
#: emotions, and numbers.
NAMES = {"label": False, "predicted": True}
NUMBERS = {"confidence": True}
NUMBERS |= {f"{scale}_true": False for scale in SCALES}
NUMBERS |= {f"{scale}_predicted": True for scale in SCALES}

#: What a line of a file says of a picture: column -> name or number, None where there is none.
Facts = Mapping[str, str | float | None]


def is_measure(name: str) -> bool:
    """Whether a column of this name holds values of a metric."""
    return name in metrics.CATALOGUE or is_of_emotions(name)


def is_of_emotions(name: str) -> bool:
    """Whether a column of this name holds values of a measure of emotions."""
    scale, _, rest = name.partition("_")
    if scale in SCALES and rest in OF_SCALES:
        return True
    return name in metrics.emotion.CATALOGUE and name not in OF_SCALES


def measure(name: str) -> metrics.Metric:
    """The entry of the catalogue; of a scale, with the scale in its name.

    Raises:
        UsageError: no metric has this name.
    """
    if name in metrics.CATALOGUE:
        return metrics.CATALOGUE[name]
    if not is_of_emotions(name):
        raise UsageError(f"no metric is called '{name}'; there are {', '.join(metrics.CATALOGUE)}")
    own = metrics.emotion.CATALOGUE[signed_name(name)]
    scale = name.partition("_")[0]
    if scale not in SCALES:
        return own
    return replace(own, name=name, long_name=f"{scale} {own.long_name}")


def signed_name(name: str) -> str:
    """How signatures call it: without its scale, since how it is computed is the same for all."""
    scale, _, rest = name.partition("_")
    return rest if scale in SCALES and rest in OF_SCALES else name


def all_of_emotions() -> list[str]:
    """The names of all measures of emotions, in the order of tables."""
    own = [name for name in metrics.emotion.CATALOGUE if name not in OF_SCALES]
    return own + [f"{scale}_{name}" for scale in SCALES for name in OF_SCALES]
