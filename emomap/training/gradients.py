"""The gradients of a batch: in parts, compiled where that works, with advice where memory ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from emomap.errors import EmomapError, printable
from emomap.progress import say
from emomap.training.settings import Settings

#: What torch says when the memory of the CPU ends; it has no type of its own.
NO_MEMORY = "can't allocate memory"


@dataclass
class Gradients:
    """Gradients of the losses of a batch, one batch after the other.

    Attributes:
        fabric: Lightning Fabric.
        runner: pixels, labels -> losses, as Fabric has set it up.
        optimizer: whose gradients are computed.
        settings: of the training.
        name: of the method, for messages.
        size: side of the pictures, for messages.
        untried: whether the runner is compiled and has not run yet.
        gave_up: whether compiling has failed.
    """

    fabric: Any
    runner: Any
    optimizer: Any
    settings: Settings
    name: str
    size: int
    untried: bool = False
    gave_up: bool = field(default=False, init=False)

    def __call__(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Leave the gradients of the mean loss in the parameters, and return the losses.

        Args:
            images: (B, S, S, 3) uint8, this process's part of the batch.
            labels: (B,) int64.

        Raises:
            EmomapError: out of memory; says what fits and which number to lower.
        """
        try:
            found = self._all_parts(images, labels)
        except Exception as error:
            if out_of_memory(error):
                raise self._too_large(images, labels) from error
            if not self.untried or isinstance(error, EmomapError):
                raise
            self._give_up_compiling(error)
            found = self._all_parts(images, labels)
        self.untried = False
        return found

    def _all_parts(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        parts = self.settings.accumulate
        self.optimizer.zero_grad()
        sums: dict[str, Tensor] = {}
        pairs = zip(images.chunk(parts), labels.chunk(parts), strict=True)
        for number, (shown, named) in enumerate(pairs, 1):
            later = number < parts and self.fabric.world_size > 1
            with self.fabric.no_backward_sync(self.runner, enabled=later):
                losses: dict[str, Tensor] = self.runner(shown, named)
                self.fabric.backward(losses["loss"] / parts)
            for key, value in losses.items():
                sums[key] = sums.get(key, 0.0) + value.detach() / parts
        return sums

    def _give_up_compiling(self, error: Exception) -> None:
        """From here on, run without compiling; one line says so."""
        reason = printable(" ".join(str(error).split()), 120)
        say(
            f"emomap: note: {self.name} trains without torch.compile, which failed here "
            f"({type(error).__name__}: {reason}); training.compile=no leaves it out"
        )
        torch.compiler.set_stance("force_eager")
        self.gave_up = True

    def close(self) -> None:
        """Let others compile again."""
        if self.gave_up:
            torch.compiler.set_stance("default")

    def _too_large(self, images: Tensor, labels: Tensor) -> EmomapError:
        """The error for a batch that does not fit into the memory."""
        device, batch = self.fabric.device, self.settings.batch
        tried = images.chunk(self.settings.accumulate)[0].shape[0]
        fits = self._largest(images, labels, tried // 2)
        if fits:
            parts = next(n for n in range(1, len(images) + 1) if len(images) / n <= fits
                         and len(images) % n == 0)  # fmt: skip
            way = f"{fits} fit; set training.accumulate={parts} for the same batch in parts of them"
        else:
            way = "one does not fit either"
        return EmomapError(
            f"training of {self.name}: out of memory on {device} with {tried} pictures of "
            f"{self.size} x {self.size} at once; {way}, or training.checkpoint_blocks=true, or "
            f"lower training.batch (now {batch}) or method.{self.name.lower()}.size "
            f"(now {self.size})"
        )

    def _largest(self, images: Tensor, labels: Tensor, size: int) -> int:
        """How many pictures fit, by halves; 0 for none."""
        while size:
            self.optimizer.zero_grad()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            try:
                losses = self.runner(images[:size], labels[:size])
                self.fabric.backward(losses["loss"])
            except Exception as error:
                if not out_of_memory(error):
                    raise
                size //= 2
            else:
                return size
        return 0


def out_of_memory(error: BaseException) -> bool:
    """Whether torch raised this because the memory of a GPU or of the CPU has ended."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and NO_MEMORY in str(error)
    )
