"""What the measures of emotions take: distributions, labels and numbers, checked.

A CPU tensor that needs no gradient is computed by NumPy on the same memory, as with maps; what came
as a tensor goes back as one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _arrays as arrays
from .._types import Array

#: How far a distribution may be from summing to 1, and one of 16-bit numbers.
ROUNDING, ROUNDING_16 = 1e-3, 1e-2


def fold(name: object) -> str:
    """The name of an emotion as it is compared: without case and outer blanks."""
    return str(name).strip().casefold()


def numbers(array: Array, name: str) -> Array:
    """The argument as an array of real numbers with at least one axis.

    Raises:
        TypeError: not numeric.
        ValueError: None, masked, without an axis, or empty.
    """
    if array is None:
        raise ValueError(f"{name} is None; it must be an array of numbers")
    if not arrays.is_foreign(array):
        if np.ma.isMaskedArray(array) and np.ma.getmaskarray(array).any():
            raise ValueError(f"{name} has masked values; leave these pictures out")
        try:
            array = np.asarray(array)
        except ValueError as error:
            raise ValueError(f"{name} is ragged: {error}") from error
        if array.dtype.kind not in "buif":
            raise TypeError(f"{name} must hold numbers, not {array.dtype}")
    elif "complex" in str(array.dtype):
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    if array.ndim == 0:
        raise ValueError(f"{name} is a single number; it must be an array")
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {tuple(array.shape)}: it is empty")
    return array


def run(
    kernel: Callable[[Any, Array, Array], Array],
    given: dict[str, Array],
    check: Callable[[Any, Array, str, float], None],
) -> Any:
    """A kernel of (namespace, prediction, label) on two arrays of numbers.

    Args:
        kernel: reduces the last axis.
        given: the two arguments by name.
        check: raises ValueError for values that an argument may not have; it is given the
            namespace, the values, the name, and how far they may be off by rounding.

    Returns:
        A float for a single NumPy result, else an array; a tensor where one came in.

    Raises:
        TypeError, ValueError: see `numbers`; shapes that do not fit.
    """
    given = {name: numbers(array, name) for name, array in given.items()}
    (first, one), (second, two) = given.items()
    if one.shape[-1] != two.shape[-1]:
        raise ValueError(
            f"{first} has shape {tuple(one.shape)} but {second} has {tuple(two.shape)}; "
            "the last axis must be the same"
        )
    batch(given, 1)
    slack = {
        name: ROUNDING_16 if "float16" in str(a.dtype) else ROUNDING for name, a in given.items()
    }
    xp = arrays.namespace(*given.values())
    like = None
    if xp is not np:
        like = next(a for a in given.values() if arrays.is_foreign(a))
        host = {name: arrays.as_host(a) for name, a in given.items()}
        if all(a is not None for a in host.values()):
            xp, given = np, host
        else:
            given = {n: a if arrays.is_foreign(a) else arrays.beside(like, a)
                     for n, a in given.items()}  # fmt: skip
    wide = {name: arrays.float64(xp, a) for name, a in given.items()}
    for name, array in wide.items():
        arrays.check_finite(xp, array, (xp.sum(array),), name)
        check(xp, array, name, slack[name])
    value = kernel(xp, *wide.values())
    if xp is not np:
        return value
    return given_back(like, value)


def given_back(like: Array | None, value: Any) -> Any:
    """A NumPy value as the caller's kind: beside his tensor, or as float or array."""
    if like is not None:
        return arrays.beside(like, value)
    return float(value) if np.ndim(value) == 0 else value


def batch(given: dict[str, Array], axes: int) -> tuple[int, ...]:
    """The shape of the batch, before the last axes.

    Raises:
        ValueError: the arguments do not broadcast.
    """
    try:
        return np.broadcast_shapes(*(tuple(a.shape[: a.ndim - axes]) for a in given.values()))
    except ValueError:
        shapes = " and ".join(f"{name} {tuple(a.shape)}" for name, a in given.items())
        raise ValueError(f"these shapes do not go together: {shapes}") from None


def check_distribution(xp: Any, array: Array, name: str, slack: float) -> None:
    """Refuse what is no distribution over at least two classes.

    Raises:
        ValueError: names the first picture that is wrong.
    """
    if array.shape[-1] < 2:
        raise ValueError(f"{name} has shape {tuple(array.shape)}: a distribution has 2 classes up")
    if bool(xp.any(array < 0)):
        values = arrays.to_numpy(array)
        at = tuple(int(i) for i in np.argwhere(values < 0)[0])
        raise ValueError(
            f"{name} has {int((values < 0).sum())} negative value(s), the first at {at}; "
            "a distribution has none (of logits, take the softmax)"
        )
    total = xp.sum(array, axis=-1)
    if bool(xp.any(xp.abs(total - 1.0) > slack)):
        sums = np.atleast_1d(arrays.to_numpy(total))
        at = tuple(int(i) for i in np.argwhere(np.abs(sums - 1) > slack)[0])
        where = f" of picture {at}" if array.ndim > 1 else ""
        raise ValueError(
            f"{name}{where} sums to {sums[at]:g}; a distribution sums to 1 "
            "(divide votes by their number)"
        )


def check_nothing(xp: Any, array: Array, name: str, slack: float) -> None:
    """Any finite number will do."""


class Codes:
    """Labels as numbers of classes.

    Attributes:
        prediction, label: (..., N) int64, of one shape.
        classes: the names, or the numbers where labels are numbers without names.
        like: a tensor that came in, or None.
    """

    def __init__(self, prediction: Array, label: Array, classes: Sequence[Any] | None) -> None:
        given = {"prediction": prediction, "label": label}
        self.like = next((a for a in given.values() if arrays.is_foreign(a)), None)
        found = {name: labels(array, name) for name, array in given.items()}
        kinds = {name: a.dtype.kind == "U" for name, a in found.items()}
        if classes is None:
            if len(set(kinds.values())) > 1:
                raise ValueError(
                    "one of prediction and label has names, the other numbers; give classes, the "
                    "names in the order of the numbers"
                )
            known = np.unique(np.concatenate([a.ravel() for a in found.values()]))
            self.classes = tuple(known.tolist())
            coded = {name: np.searchsorted(known, a) for name, a in found.items()}
        else:
            self.classes = class_names(classes)
            coded = {name: code(a, self.classes, name) for name, a in found.items()}
        one, two = coded.values()
        if one.shape[-1] != two.shape[-1]:
            raise ValueError(f"{one.shape[-1]} predictions, but {two.shape[-1]} labels")
        shape = batch(coded, 1)
        self.prediction = np.broadcast_to(one, (*shape, one.shape[-1]))
        self.label = np.broadcast_to(two, (*shape, two.shape[-1]))

    @property
    def named(self) -> bool:
        """Whether the classes have names."""
        return all(isinstance(name, str) for name in self.classes)

    def confusion(self) -> NDArray[np.int64]:
        """(..., C, C) counts; rows are the label, columns the prediction."""
        return confusions(self.prediction, self.label, len(self.classes))


def class_names(classes: Sequence[Any]) -> tuple[str, ...]:
    """Names of classes as they are compared.

    Raises:
        ValueError: none, or one twice.
    """
    found = tuple(fold(name) for name in classes)
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None or not found:
        wrong = "is empty" if twice is None else f"has '{twice}' twice"
        raise ValueError(f"classes {wrong}: {list(classes)}")
    return found


def code(found: NDArray[Any], classes: Sequence[str], name: str) -> NDArray[np.int64]:
    """Labels as places in a list of classes.

    Raises:
        ValueError: one that is not among them.
    """
    if found.dtype.kind == "U":
        place = {text: at for at, text in enumerate(classes)}
        unknown = sorted(set(found.ravel().tolist()) - set(place))
        if unknown:
            raise ValueError(f"{name} has '{unknown[0]}', which is not among {', '.join(classes)}")
        flat = [place[text] for text in found.ravel().tolist()]
        return np.array(flat, dtype=np.int64).reshape(found.shape)
    if int(found.max()) >= len(classes):
        raise ValueError(f"{name} has class {int(found.max())} of {len(classes)} (from 0)")
    return found


def confusions(prediction: NDArray[Any], label: NDArray[Any], n: int) -> NDArray[np.int64]:
    """(..., n, n) counts of labels (rows) and predictions (columns), of codes (..., N)."""
    shape = prediction.shape[:-1]
    cells = label.astype(np.int64) * n + prediction
    rows = cells.reshape(-1, cells.shape[-1]) if shape else cells[None]
    moved = rows + np.arange(len(rows), dtype=np.int64)[:, None] * (n * n)
    counts = np.bincount(moved.ravel(), minlength=len(rows) * n * n)
    return counts.reshape(*shape, n, n).astype(np.int64, copy=False)


def labels(array: Array, name: str) -> NDArray[Any]:
    """(..., N) folded names, or whole numbers from 0.

    Raises:
        ValueError: None, empty, neither of these, or negative.
    """
    if array is None:
        raise ValueError(f"{name} is None; it must be labels (..., N)")
    found = arrays.to_numpy(array)
    if found.ndim == 0 or found.size == 0:
        raise ValueError(f"{name} has shape {found.shape}: there is no label to score")
    if found.dtype.kind in "UO" and all(isinstance(text, str) for text in found.ravel().tolist()):
        folded = [fold(text) for text in found.ravel().tolist()]
        return np.array(folded, dtype=str).reshape(found.shape)
    if found.dtype.kind not in "bui":
        raise ValueError(
            f"{name} has type {found.dtype}; labels are names or whole numbers (of probabilities, "
            "take the argmax of the last axis)"
        )
    if int(found.min()) < 0:
        raise ValueError(f"{name} has the negative class {int(found.min())}")
    return found.astype(np.int64)
