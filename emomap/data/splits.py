"""Splits where the authors gave none: by the content of the ids, so that they never reshuffle.

Each id is hashed to a number in [0, 1): below 0.80 it trains, below 0.85 it validates, the rest
tests (the 80/5/15 of the paper). An image's split depends on its own id alone, hence adding or
removing images moves no other; the proportions hold on average, not exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from emomap.sample import SPLITS, Dataset, Sample, Split

#: train, val, test.
FRACTIONS = (0.80, 0.05, 0.15)
#: The remark that a data set with such splits carries.
NOTE = "splits: 80/5/15 by a hash of the ids, since the data set gives none"


def position(identity: str, seed: int = 0) -> float:
    """Where an id falls in [0, 1); the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_of(identity: str, *, fractions: Sequence[float] = FRACTIONS, seed: int = 0) -> Split:
    """The split of one id.

    Args:
        identity: the sample's id.
        fractions: of train, val, test; they sum to 1.
        seed: another seed gives other splits.

    Raises:
        ValueError: fractions that are negative or do not sum to 1.
    """
    if len(fractions) != len(SPLITS) or min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        raise ValueError(f"fractions of train, val, test must sum to 1, not {list(fractions)}")
    where = position(identity, seed)
    bounds = list(accumulate(fractions))
    for split, bound in zip(SPLITS[:-1], bounds, strict=False):
        if where < bound:
            return split
    return SPLITS[-1]


def assign(samples: Sequence[Sample], *, seed: int = 0) -> tuple[Sample, ...]:
    """The same samples, each with its split by hash."""
    return tuple(replace(sample, split=split_of(sample.id, seed=seed)) for sample in samples)


def with_validation(dataset: Dataset, *, seed: int = 0) -> Dataset:
    """Take a validation split out of the training split where the authors gave only two.

    5/85 of the training images by hash; a data set that has a validation split is returned as
    it is.
    """
    if "val" in dataset.splits or "train" not in dataset.splits:
        return dataset
    share = FRACTIONS[1] / (FRACTIONS[0] + FRACTIONS[1])
    samples = tuple(
        replace(sample, split="val")
        if sample.split == "train" and position(sample.id, seed) < share
        else sample
        for sample in dataset
    )
    note = "val: 1/17 of the authors' training images by a hash of the ids"
    return replace(dataset, samples=samples, notes=(*dataset.notes, note))


def with_test(dataset: Dataset, *, seed: int = 0) -> Dataset:
    """Train, val and test where the authors gave only some of them.

    Authors who gave train and val alone report on val: it becomes the test split, and a validation
    split is taken out of the training images.
    """
    if "test" in dataset.splits or not {"train", "val"} <= set(dataset.splits):
        return with_validation(dataset, seed=seed)
    samples = tuple(replace(s, split="test") if s.split == "val" else s for s in dataset)
    note = "test: the authors' val, since they give no test split with answers"
    moved = replace(dataset, samples=samples, notes=(*dataset.notes, note))
    return with_validation(moved, seed=seed)


def undo_hashing(dataset: Dataset) -> Dataset:
    """The data set without splits, where these are only ours: when nothing is trained, every image
    can be scored."""
    if NOTE not in dataset.notes:
        return dataset
    samples = tuple(replace(sample, split=None) for sample in dataset)
    notes = tuple(note for note in dataset.notes if note != NOTE)
    return replace(dataset, samples=samples, notes=notes)
