"""What a training will take, found before it begins: one batch forward and backward on a copy.

A long training should fail in its first minute, not in its third hour: without weights, labels,
memory or room on the disk.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from emomap.errors import EmomapError

#: Pictures that are decoded to find out how long one takes.
DECODED = 8


@dataclass(frozen=True)
class Forecast:
    """What a training will take.

    Attributes:
        name: of the method.
        counts: emotion -> number of training pictures, each emotion of the data set.
        validated: number of pictures to validate on.
        steps: that are left.
        seconds: of a step.
        memory: bytes at the peak: of the GPU, or of this process.
        disk: bytes that checkpoint and state take; free: bytes that are free.
        place: the device.
    """

    name: str
    counts: dict[str, int]
    validated: int
    steps: int
    seconds: float
    memory: int
    disk: int
    free: int
    place: str

    def lines(self) -> list[str]:
        """The forecast in words, a line each."""
        total = sum(self.counts.values())
        labels = ", ".join(f"{emotion} {count:,}" for emotion, count in self.counts.items())
        found = [
            f"{self.name}: {total:,} pictures to train on ({labels}), {self.validated:,} to "
            "validate on",
            f"{self.name}: {self.steps:,} steps of about {_seconds(self.seconds)} on {self.place}, "
            f"about {duration(self.steps * self.seconds)}; {_size(self.memory)} of memory, "
            f"{_size(self.disk)} on disk ({_size(self.free)} free)",
        ]
        if absent := [emotion for emotion, count in self.counts.items() if not count]:
            found.append(f"{self.name}: no training picture shows {', '.join(absent)}")
        return found


def room(folder: Path, needed: int, name: str) -> int:
    """The bytes that are free where a folder is or will be.

    Raises:
        EmomapError: fewer than are needed.
    """
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        raise EmomapError(
            f"{folder}: the training of {name} writes {_size(needed)}, and {_size(free)} are free; "
            "make room, or choose another folder with --out"
        )
    return free


def peak_memory(device: torch.device) -> int:
    """Bytes at the peak so far: of the GPU, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def clocked(function: Callable[[], object], times: int = 2) -> float:
    """Seconds of the last of some calls; the first ones warm up."""
    seconds = 0.0
    for _ in range(times):
        start = time.perf_counter()
        function()
        seconds = time.perf_counter() - start
    return seconds


def decoders(workers: int) -> int:
    """How many pictures are decoded at the same time."""
    return max(1, min(workers, os.cpu_count() or 1))


def duration(seconds: float) -> str:
    """A duration for people: "40 s", "12 min", "7.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.0f} ms"


def _size(size: int) -> str:
    """Bytes for people: "12 MB", "3.4 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"
