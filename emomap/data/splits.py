"""Splits for data sets without any, by a hash of the ids.

Each id is hashed to a number in [0, 1): below 0.80 is train, below 0.85 is val, the rest is test
(the 80/5/15 of the paper). An image's split depends on its own id alone, so adding or removing
images moves no other image. The proportions hold on average, not exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from emomap.errors import UsageError
from emomap.sample import SPLITS, Dataset, Sample, Split

#: Shares of train, val and test.
FRACTIONS = (0.80, 0.05, 0.15)
#: The remark on a data set with such splits.
NOTE = "splits: 80/5/15 by a hash of the ids, since the data set gives none"


def position(identity: str, seed: int = 0) -> float:
    """The hash of an id as a number in [0, 1), the same on every machine."""
    digest = hashlib.sha256(f"{seed}:{identity}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def split_of(identity: str, *, fractions: Sequence[float] = FRACTIONS, seed: int = 0) -> Split:
    """The split of one id.

    Args:
        identity: the sample's id.
        fractions: of train, val, test; they sum to 1.
        seed: random seed of the hash.

    Raises:
        ValueError: a fraction is negative, or they do not sum to 1.
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
    """The same samples, each with its split by hash of the id."""
    return tuple(replace(sample, split=split_of(sample.id, seed=seed)) for sample in samples)


def fold(dataset: Dataset, part: int, parts: int) -> Dataset:
    """Splits for cross-validation, in place of those that a data set has.

    Each emotion's pictures, ordered by hash, go to the parts in turn. One part is the test split;
    of the others, every 17th picture of an emotion is for validation. Pictures without a label are
    treated as one more emotion.

    Args:
        dataset: with labels.
        part: the part that is the test split, from 1.
        parts: how many there are.

    Raises:
        UsageError: an emotion has fewer pictures than there are parts.
    """
    groups: dict[str | None, list[Sample]] = {}
    for sample in sorted(dataset, key=lambda sample: position(sample.id)):
        groups.setdefault(sample.emotion, []).append(sample)
    chosen: dict[str, Split] = {}
    for emotion, group in groups.items():
        if emotion is not None and len(group) < parts:
            raise UsageError(
                f"--folds {parts}: {dataset.name} has {len(group)} pictures of {emotion}; take "
                f"at most {len(group)} folds"
            )
        rest = [sample for index, sample in enumerate(group) if index % parts != part - 1]
        chosen |= {sample.id: "test" for sample in group}
        chosen |= {s.id: "train" if index % 17 else "val" for index, s in enumerate(rest)}
    samples = tuple(replace(sample, split=chosen[sample.id]) for sample in dataset)
    notes = tuple(note for note in dataset.notes if note != NOTE)
    note = f"splits: fold {part} of {parts}, by emotion and a hash of the ids"
    return replace(dataset, samples=samples, notes=(*notes, note))


def with_validation(dataset: Dataset, *, seed: int = 0) -> Dataset:
    """Take a validation split out of the training split of a data set without one.

    By hash, 5/85 of the training images. A data set with a validation split, or without a training
    split, is returned unchanged.
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
    """Complete the splits of a data set without a test split.

    Authors who publish train and val alone report results on val. So val becomes the test split,
    and a validation split is taken out of the training images.
    """
    if "test" in dataset.splits or not {"train", "val"} <= set(dataset.splits):
        return with_validation(dataset, seed=seed)
    samples = tuple(replace(s, split="test") if s.split == "val" else s for s in dataset)
    note = "test: the authors' val, since they give no test split with answers"
    moved = replace(dataset, samples=samples, notes=(*dataset.notes, note))
    return with_validation(moved, seed=seed)


def undo_hashing(dataset: Dataset) -> Dataset:
    """Remove splits that were made by hash: if nothing is trained, every image can be scored."""
    if NOTE not in dataset.notes:
        return dataset
    samples = tuple(replace(sample, split=None) for sample in dataset)
    notes = tuple(note for note in dataset.notes if note != NOTE)
    return replace(dataset, samples=samples, notes=notes)
