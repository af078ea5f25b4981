"""The wheel of emotions: which are neighbours, which are positive, how far two lie apart."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._inputs import class_names, fold

_KEYS = {"name", "wheel", "positive", "negative"}


@dataclass(frozen=True)
class Wheel:
    """Emotions of two polarities, and their order on a circle.

    Names match in any case. Distances follow Zhao et al. ("To Err Like Human", NeurIPS 2024): an
    emotion is 1 from itself; one of the same polarity is 1 + the steps between them on the circle;
    one of the other polarity is the largest distance within a polarity + the steps. So no error
    within a polarity weighs as much as one across.

    Attributes:
        positive, negative: the emotions of each polarity.
        circle: all of them, in their order on the circle; () if there is none, and then only
            polarities are known.
        name: for signatures.

    Raises:
        ValueError: an emotion twice, a polarity without emotion, or a circle of other emotions.

    Examples:
        >>> MIKELS.distances(["amusement", "contentment", "excitement", "anger"])[0].tolist()
        [1, 2, 4, 5]
    """

    positive: tuple[str, ...]
    negative: tuple[str, ...]
    circle: tuple[str, ...] = ()
    name: str = "own"

    def __post_init__(self) -> None:
        for key in ("positive", "negative", "circle"):
            object.__setattr__(self, key, tuple(fold(name) for name in getattr(self, key)))
            if key != "circle" and not getattr(self, key):
                raise ValueError(f"the wheel has no {key} emotion")
        both = class_names((*self.positive, *self.negative))
        if self.circle and set(class_names(self.circle)) != set(both):
            odd = sorted(set(self.circle) ^ set(both))
            raise ValueError(
                f"'{odd[0]}' is "
                + ("on the wheel without a polarity" if odd[0] in self.circle else "not on it")
                + "; an emotion on the wheel is either positive or negative"
            )

    @classmethod
    def from_toml(cls, file: str | PathLike[str]) -> Wheel:
        """Read a wheel, or polarities alone.

        The file has ``positive`` and ``negative``, lists of emotions; ``wheel``, all of them in
        their order on the circle, if there is one; and ``name``, if it shall have one::

            name = "mine"
            wheel = ["joy", "surprise", "fear", "sadness", "disgust", "anger"]
            positive = ["joy", "surprise"]
            negative = ["fear", "sadness", "disgust", "anger"]

        Raises:
            ValueError: not such a file; the message begins with its path.
            OSError: it cannot be read.
        """
        data = Path(file).read_bytes()
        try:
            content = tomllib.loads(data.decode("utf-8"))
            unknown = sorted(set(content) - _KEYS)
            if unknown:
                raise ValueError(f"'{unknown[0]}' is unknown; there are {', '.join(sorted(_KEYS))}")
            lists = {key: _names(content, key) for key in ("positive", "negative", "wheel")}
            name = content.get("name", Path(file).stem)
            if not isinstance(name, str) or not name.strip():
                raise ValueError("name must be a word in quotes")
            return cls(lists["positive"], lists["negative"], lists["wheel"], name.strip())
        except ValueError as error:
            raise ValueError(f"{file}: {error}") from error

    @property
    def emotions(self) -> tuple[str, ...]:
        """All emotions, in their order on the circle, or the positive ones first."""
        return self.circle or (*self.positive, *self.negative)

    @property
    def signed(self) -> str:
        """The name for a signature, with digits of its content, since names are chosen freely."""
        if self == MIKELS:
            return self.name
        content = repr((sorted(self.positive), sorted(self.negative), self.circle))
        return f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"

    def missing(self, classes: Sequence[str]) -> list[str]:
        """The classes that are not on the wheel."""
        return [name for name in classes if fold(name) not in self.emotions]

    def is_positive(self, classes: Sequence[str]) -> NDArray[np.bool_]:
        """(C,) which classes are positive emotions.

        Raises:
            ValueError: one is not on the wheel.
        """
        self._check(classes)
        return np.array([fold(name) in self.positive for name in classes], dtype=bool)

    def distances(self, classes: Sequence[str] | None = None) -> NDArray[np.int64]:
        """(C, C) distances of classes; of all emotions by default.

        Raises:
            ValueError: one is not on the wheel, or the wheel has no circle.
        """
        names = self.emotions if classes is None else classes
        self._check(names)
        if not self.circle:
            raise ValueError(f"{self.name} has polarities and no circle, so there are no distances")
        positive = self.is_positive(self.circle)
        same = positive[:, None] == positive[None]
        place = np.arange(len(self.circle))
        apart = np.abs(place[:, None] - place[None])
        steps = np.minimum(apart, len(self.circle) - apart)  # the shorter way round
        farthest = int((1 + steps)[same].max())
        at = [self.circle.index(fold(name)) for name in names]
        whole = np.where(same, 1 + steps, farthest + steps)
        return np.asarray(whole[np.ix_(at, at)], dtype=np.int64)

    def distance(self, first: ArrayLike, second: ArrayLike) -> NDArray[np.int64]:
        """Distances of emotions, name by name; arrays of names broadcast.

        Raises:
            ValueError: as `distances`.
        """
        one, two = np.asarray(first, dtype=str), np.asarray(second, dtype=str)
        names = sorted({fold(name) for name in (*one.ravel(), *two.ravel())})
        found = self.distances(names)
        places = [
            np.array([names.index(fold(name)) for name in a.ravel()], dtype=np.int64)
            for a in (one, two)
        ]
        apart = found[places[0].reshape(one.shape), places[1].reshape(two.shape)]
        return np.asarray(apart, dtype=np.int64)

    def _check(self, classes: Sequence[str]) -> None:
        if odd := self.missing(classes):
            raise ValueError(
                f"'{odd[0]}' is not on the wheel {self.name}, which has {', '.join(self.emotions)}"
            )


def _names(content: dict[str, Any], key: str) -> tuple[str, ...]:
    found = content.get(key, [])
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ValueError(f"{key} must be a list of emotions")
    return tuple(found)


_POSITIVE = ("amusement", "contentment", "awe", "excitement")
_NEGATIVE = ("fear", "sadness", "disgust", "anger")

#: The eight emotions of Mikels et al. (Behavior Research Methods 2005) on their circle.
MIKELS = Wheel(_POSITIVE, _NEGATIVE, (*_POSITIVE, *_NEGATIVE), "mikels")
