"""Pictures as batches for training: decoded once if they fit in memory, else by worker processes.

Order, crops, mirroring and shifts follow from the random seed and the number of the step alone. So
a training can resume at any step, and several processes share one order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor
from torch.utils.data import DataLoader

from emomap import io
from emomap.errors import EmomapError
from emomap.sample import Sample
from emomap.training.answers import Answers, pack
from emomap.training.changes import Changes


def step_seed(seed: int, *path: int) -> int:
    """A seed for one step (or one picture in one epoch) that depends on nothing else."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1, np.uint64)[0] >> 1)


class Pictures:
    """Labelled pictures as (size, size, 3) uint8.

    Args:
        samples, labels: the pictures, and the number of each one's emotion.
        shares, ratings: what people said of each, see `Answers`; or None.
        size: side in pixels of the pictures that come out.
        crop: [low, high] share of the area that a random crop keeps; (1, 1) for the whole picture
            squeezed into the square, which is always the same and may be kept in memory.
        seed: random seed of the crops.
        memory: megabytes of decoded pictures to keep at most; 0 to keep none.
        changes: random changes of each picture in each epoch, or None.
        resampling: how pictures are resized.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        labels: Sequence[int],
        size: int,
        *,
        crop: tuple[float, float] = (1.0, 1.0),
        seed: int = 0,
        memory: int = 0,
        changes: Changes | None = None,
        resampling: Pillow.Resampling = Pillow.Resampling.BILINEAR,
        shares: Tensor | None = None,
        ratings: Tensor | None = None,
    ) -> None:
        self.samples = samples
        self.labels = torch.tensor(labels, dtype=torch.int64)
        self.answers = pack(Answers(self.labels, shares, ratings))
        self.size = size
        self.crop = crop
        self.seed = seed
        self.changes = changes
        self.resampling = resampling
        self._kept: Tensor | None = None
        if samples and crop == (1.0, 1.0) and len(samples) * size * size * 3 <= memory * 2**20:
            with ThreadPoolExecutor() as pool:
                decoded = list(pool.map(partial(self.picture, epoch=0), range(len(samples))))
            self._kept = torch.from_numpy(np.stack(decoded))

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def in_memory(self) -> bool:
        """Whether all pictures are decoded and kept."""
        return self._kept is not None

    def counts(self, classes: Sequence[str]) -> dict[str, int]:
        """Emotion -> number of pictures, for all ``classes``, which the labels number."""
        found = torch.bincount(self.labels, minlength=len(classes)).tolist()
        return dict(zip(classes, found, strict=True))

    def shown(self, index: int, epoch: int) -> NDArray[np.uint8]:
        """A picture as an epoch shows it: (size, size, 3), cropped and changed.

        Raises:
            EmomapError: it cannot be read.
        """
        kept = self._kept
        picture = self.picture(index, epoch) if kept is None else kept[index].numpy()
        if not self.changes:
            return picture
        return self.changes(picture, step_seed(self.seed, epoch, index, 2))

    def picture(self, index: int, epoch: int) -> NDArray[np.uint8]:
        """A picture as an epoch crops it: (size, size, 3).

        Raises:
            EmomapError: it cannot be read.
        """
        try:
            return self._picture(index, epoch)
        except EmomapError as error:
            raise EmomapError(
                f"{error}, or leave out all that cannot be read with --skip-unreadable"
            ) from error

    def _picture(self, index: int, epoch: int) -> NDArray[np.uint8]:
        file = self.samples[index].image_file
        if self.crop == (1.0, 1.0):
            whole = Pillow.fromarray(io.read_image(file, at_least=self.size))
            return np.asarray(whole.resize((self.size, self.size), self.resampling))
        rng = np.random.default_rng(step_seed(self.seed, epoch, index))
        share = rng.uniform(*self.crop)
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        at_least = math.ceil(self.size / math.sqrt(share))
        whole = Pillow.fromarray(io.read_image(file, at_least=at_least))
        width = min(math.sqrt(share * whole.width * whole.height * ratio), whole.width)
        height = min(math.sqrt(share * whole.width * whole.height / ratio), whole.height)
        left = rng.uniform(0, whole.width - width)
        top = rng.uniform(0, whole.height - height)
        box = (left, top, left + width, top + height)
        size = (self.size, self.size)
        return np.asarray(whole.resize(size, self.resampling, box))

    def batches(
        self, chosen: Sequence[NDArray[np.int64]], epoch: int = 0, workers: int = 0
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of these indices: (B, size, size, 3) uint8, and labels or packed `Answers`.

        Raises:
            EmomapError: a picture cannot be read.
        """
        if self._kept is not None and not self.changes:
            for indices in chosen:
                yield self._kept[indices], self.answers[indices]
            return
        loader: DataLoader[Tensor | str] = DataLoader(
            _Numbered(self, epoch),  # type: ignore[arg-type]
            batch_sampler=[indices.tolist() for indices in chosen],
            num_workers=min(workers, len(chosen)),
            collate_fn=_collate,
            pin_memory=torch.cuda.is_available(),
        )
        for indices, images in zip(chosen, loader, strict=True):
            if isinstance(images, str):  # an exception from a worker would lose its type
                raise EmomapError(images)
            yield images, self.answers[indices]


def epoch_order(seed: int, epoch: int, count: int, batch: int) -> list[NDArray[np.int64]]:
    """The batches of an epoch: every picture at most once, an incomplete last batch dropped.

    If there are fewer pictures than a batch needs, the only batch repeats some of them.
    """
    rng = np.random.default_rng(step_seed(seed, epoch))
    order = np.concatenate([rng.permutation(count) for _ in range(-(-batch // count))])
    steps = len(order) // batch
    return list(order[: steps * batch].reshape(steps, batch))


def augment(images: Tensor, *, flip: bool, shift: float, seed: int, first: int = 0) -> Tensor:
    """Mirror and shift each picture at random; the border is repeated.

    Args:
        images: (B, S, S, 3), all pictures of a step or some of them.
        flip: mirror half of them.
        shift: largest shift, as a share of the side.
        seed: random seed of this step.
        first: place of the first of these pictures in the step's batch. Processes that share a
            batch thus treat its pictures as one process would.

    Returns:
        (B, S, S, 3).
    """
    if not flip and not shift:
        return images
    batch, size = images.shape[0], images.shape[1]
    draws = np.random.default_rng(seed).random((first + batch, 3))[first:]
    limit = int(shift * size)
    moves = np.floor(draws[:, 1:] * (2 * limit + 1)).astype(np.int64) - limit
    places = np.arange(size)
    rows = np.clip(places + moves[:, :1], 0, size - 1)
    columns = np.clip(places + moves[:, 1:], 0, size - 1)
    mirrored = flip & (draws[:, :1] < 0.5)
    columns = np.where(mirrored, columns[:, ::-1], columns)
    which = torch.arange(batch, device=images.device)[:, None, None]
    down = torch.from_numpy(rows).to(images.device)[:, :, None]
    across = torch.from_numpy(columns).to(images.device)[:, None, :]
    return images[which, down, across]


class _Numbered:
    """The data set of the loader's workers: index -> picture of this epoch, or what is wrong."""

    def __init__(self, pictures: Pictures, epoch: int) -> None:
        self.pictures = pictures
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> NDArray[np.uint8] | str:
        try:
            return self.pictures.shown(index, self.epoch)
        except EmomapError as error:
            return str(error)


def _collate(items: list[NDArray[np.uint8] | str]) -> Tensor | str:
    for item in items:
        if isinstance(item, str):
            return item
    return torch.from_numpy(np.stack(items))
