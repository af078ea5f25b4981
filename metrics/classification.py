"""Scores of labels: accuracy and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def accuracy(predicted: ArrayLike, truth: ArrayLike) -> float:
    """Share of labels that are right.

    Parameters
    ----------
    predicted, truth : (N,) array_like
        Labels, numbers or strings.

    Returns
    -------
    float
        0 to 1.

    Raises
    ------
    ValueError
        Different lengths, or no label at all.

    Examples
    --------
    >>> accuracy(["awe", "fear"], ["awe", "awe"])
    0.5
    """
    found, true = _labels(predicted, truth)
    return float(np.mean(found == true))


def confusion_matrix(
    predicted: ArrayLike, truth: ArrayLike, classes: Sequence[Any]
) -> NDArray[np.int64]:
    """Count how often each class was taken for each.

    Parameters
    ----------
    predicted, truth : (N,) array_like
        Labels.
    classes : (C,) sequence
        All labels, in the order of rows and columns.

    Returns
    -------
    (C, C) int64 array
        Rows are the true class, columns the predicted one.

    Raises
    ------
    ValueError
        Different lengths, no label at all, one that is not among the classes, or a class twice.

    Examples
    --------
    >>> confusion_matrix(["awe", "fear"], ["awe", "awe"], ["awe", "fear"])
    array([[1, 1],
           [0, 0]])
    """
    found, true = _labels(predicted, truth)
    place = {label: i for i, label in enumerate(classes)}
    if len(place) != len(classes):
        raise ValueError(f"classes has a label twice: {list(classes)}")
    unknown = sorted({label for label in (*found.tolist(), *true.tolist()) if label not in place})
    if unknown:
        raise ValueError(f"label {unknown[0]!r} is not among the classes {list(classes)}")
    matrix = np.zeros((len(classes), len(classes)), dtype=np.int64)
    rows = [place[label] for label in true.tolist()]
    columns = [place[label] for label in found.tolist()]
    np.add.at(matrix, (rows, columns), 1)
    return matrix


def _labels(predicted: ArrayLike, truth: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    found, true = np.asarray(predicted), np.asarray(truth)
    if found.ndim != 1 or found.shape != true.shape:
        raise ValueError(
            f"predicted and truth must be (N,) alike, not {found.shape} and {true.shape}"
        )
    if found.size == 0:
        raise ValueError("there is no label to score")
    return found, true
