"""What a batch is to be compared with, as one tensor that can be cut and moved like labels.

Without distributions and ratings these are the labels (B,) themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from emomap.errors import UsageError, listed
from emomap.nn.affect import RATINGS
from emomap.sample import Sample


@dataclass(frozen=True)
class Answers:
    """Labels, and what people said of the pictures.

    Attributes:
        labels: (B,) int64.
        shares: (B, C) distributions over the emotions, NaN in rows without one; or None.
        ratings: (B, 2) valence and arousal, NaN where there is none; or None.
    """

    labels: Tensor
    shares: Tensor | None = None
    ratings: Tensor | None = None


def pack(answers: Answers) -> Tensor:
    """The labels (B,) int64; with shares or ratings, float32 (B, 1 + C + 2) that has all three."""
    if answers.shares is None and answers.ratings is None:
        return answers.labels
    count = len(answers.labels)
    shares = answers.shares if answers.shares is not None else torch.zeros(count, 0)
    ratings = answers.ratings
    if ratings is None:
        ratings = torch.full((count, len(RATINGS)), torch.nan)
    return torch.cat([answers.labels[:, None].float(), shares.float(), ratings.float()], dim=1)


def unpack(packed: Tensor) -> Answers:
    """What was packed; shares are None where there are no columns of them."""
    if packed.dim() == 1:
        return Answers(packed)
    shares, ratings = packed[:, 1 : -len(RATINGS)], packed[:, -len(RATINGS) :]
    return Answers(packed[:, 0].long(), shares if shares.shape[1] else None, ratings)


def labels_of(packed: Tensor) -> Tensor:
    """(B,) int64."""
    return unpack(packed).labels


def shares_of(samples: Sequence[Sample], classes: Sequence[str]) -> Tensor | None:
    """(N, C) distributions over the classes, NaN in rows without one; None if nobody has one.

    Raises:
        UsageError: a distribution is over other emotions.
    """
    if not any(sample.distribution for sample in samples):
        return None
    table = torch.full((len(samples), len(classes)), torch.nan)
    for row, sample in enumerate(samples):
        if sample.distribution:
            if set(sample.distribution) != set(classes):
                raise UsageError(
                    f"{sample.id}: its distribution is over {listed(sample.distribution)}, but the "
                    f"emotions to learn are {listed(classes)}"
                )
            table[row] = torch.tensor([sample.distribution[name] for name in classes])
    return table


def ratings_of(samples: Sequence[Sample]) -> Tensor:
    """(N, 2) valence and arousal, NaN where there is none."""
    rows = [
        [torch.nan if value is None else value for value in (sample.valence, sample.arousal)]
        for sample in samples
    ]
    return torch.tensor(rows, dtype=torch.float32).reshape(-1, len(RATINGS))
