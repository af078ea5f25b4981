"""What happens within a worker process: how it starts, what it keeps, how it ends."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: A warning: its text and category.
Heard = tuple[str, type[Warning]]

#: Threads of the CPU that a recipe may ask for; a million end the interpreter.
MAX_THREADS = 4096
#: Bytes of freed memory that a process keeps for its next picture.
KEPT = 128 * 2**20


def processors() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


@cache
def keep_memory() -> None:
    """Let this process keep `KEPT` bytes of freed memory.

    Otherwise the C library returns an array of a few megabytes to the system at once, and gets it
    back page by page, which takes longer than what the metrics do with it.
    """
    import ctypes

    try:
        option = ctypes.CDLL(None).mallopt  # only the GNU library has it
    except (AttributeError, OSError, TypeError):
        return
    trim_threshold, mmap_threshold = -1, -3
    option(trim_threshold, KEPT)
    option(mmap_threshold, KEPT)


def run_chunk(
    function: Callable[[Item], Result], items: Sequence[Item], folder: Path | None
) -> tuple[list[Result], list[Heard]]:
    """Apply a function to each item, within a worker.

    Args:
        folder: where relative paths start, for a worker of a cluster; None for this machine.

    Returns:
        The results, and the warnings that the work gave.
    """
    if folder is not None:
        keep_memory()
        if Path.cwd() != folder:
            os.chdir(folder)
    with warnings.catch_warnings(record=True) as heard:
        results = [function(item) for item in items]
    return results, [(str(warning.message), warning.category) for warning in heard]


def leave() -> None:
    """End this process without unloading its modules, which would take a sixth of a second.

    Results were sent long ago, and files are written by renaming.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def begin(parent: int) -> None:
    """Prepare this process, which another one of this machine has started for its items.

    Args:
        parent: the number of that process. It may have been killed already.
    """
    keep_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent has it, too, and ends its workers
    atexit.register(leave)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    """End this worker when its parent was killed; otherwise it would wait for items for ever."""
    while os.getppid() == parent:
        time.sleep(0.25)
    os._exit(1)
