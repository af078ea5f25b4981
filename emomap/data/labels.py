"""Names of emotions as data sets spell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from emomap.data.reading import Reading
from emomap.sample import EMOTIONS

#: The six emotions of Emotion6 and EmotionROI (Ekman).
SIX = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
#: Short names in ArtPhoto and Abstract.
_SHORT = {"sad": "sadness", "content": "contentment"}


def named(text: str, classes: Sequence[str] = EMOTIONS) -> str | None:
    """The emotion that a text names (of a folder, file or header), or None."""
    plain = text.strip().strip("'\"").lower()
    plain = _SHORT.get(plain, plain)
    return plain if plain in classes else None


def class_folders(names: Iterable[str], classes: Sequence[str] = EMOTIONS) -> bool:
    """Whether folders are named by ``classes``: at least two of them, and at least half.

    Four emotions are in both sets, of six and of eight. A name of the other set alone rules out
    this one: joy or surprise means the six.
    """
    names = list(names)
    found = {emotion for name in names if (emotion := named(name, classes))}
    others = {emotion for name in names if (emotion := named(name, (*EMOTIONS, *SIX)))} - found
    return len(found) >= 2 and not others and 2 * len(found) >= len(names)


def prefix(name: str, classes: Sequence[str] = EMOTIONS) -> str | None:
    """The emotion before the first underscore of a file name ("fear_0012.jpg"), or None."""
    head, underscore, _ = name.rsplit("/", 1)[-1].partition("_")
    return named(head, classes) if underscore else None


def most(votes: Mapping[str, float]) -> str | None:
    """The name with the most votes, or None if several have as many or nobody voted."""
    top = max(votes.values(), default=0.0)
    first = [name for name, count in votes.items() if count == top]
    return first[0] if len(first) == 1 and top > 0 else None


def by_majority(shares: Mapping[str, Mapping[str, float]], reading: Reading) -> dict[str, str]:
    """The commonest emotion of each distribution. One with a tie has none, with a remark."""
    found = {identity: most(line) for identity, line in shares.items()}
    why = "pictures have two emotions of equal probability, so no label"
    return drop_unlabelled(found, reading, why)


def drop_unlabelled(labels: dict[str, str | None], reading: Reading, why: str) -> dict[str, str]:
    """The items with a label. The others are left out, with a remark that says why."""
    reading.note_some([name for name, label in labels.items() if label is None], why)
    return {name: label for name, label in labels.items() if label is not None}
