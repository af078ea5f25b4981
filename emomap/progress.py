"""Progress and messages on stderr: a bar on a terminal; elsewhere a line every few seconds."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from emomap.errors import grouped, printable

Tracked = TypeVar("Tracked")

#: Seconds between two lines where stderr is not a terminal (a log file, a batch queue).
LINE_EVERY = 10.0
#: Problems that are named; the others are counted.
LISTED = 10


def say(message: str) -> None:
    """Print a message on stderr."""
    print(printable(message), file=sys.stderr, flush=True)


@contextlib.contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Print Python's warnings in the block as `say` prints: one line, without file and source."""
    kept = warnings.showwarning
    warnings.showwarning = _note
    try:
        yield
    finally:
        warnings.showwarning = kept


def _note(message: Warning | str, *details: Any, **more: Any) -> None:
    say(f"emomap: note: {' '.join(str(message).split())}")


def report_problems(failed: Sequence[str], remarks: Sequence[str]) -> None:
    """Print failures and remarks on stderr, the first ten of each, and the number of the others.

    What is said of several files is one line.
    """
    for kind, lines in (("not done", grouped(failed)), ("note", grouped(remarks))):
        for line in lines[:LISTED]:
            say(f"emomap: {kind}: {line}")
        if len(lines) > LISTED:
            say(f"emomap: {kind}: {len(lines) - LISTED} more like these")


def track(
    items: Iterable[Tracked], *, total: int, label: str, done: int = 0, show: bool = True
) -> Iterator[Tracked]:
    """Yield the items and report how many of ``total`` are done, and the remaining time.

    Args:
        items: those that are not done yet.
        total: all items, those of an earlier run included.
        label: what is being done, "score gbvs".
        done: items that an earlier run has done.
        show: False to be silent.
    """
    if not show or total <= done:
        yield from items
    elif sys.stderr.isatty():
        from tqdm import tqdm

        bar: Any = tqdm(
            items, total=total, initial=done, desc=label, unit="", dynamic_ncols=True, leave=False
        )
        yield from bar
    else:
        yield from _lines(items, total, label, done)


def _lines(items: Iterable[Tracked], total: int, label: str, done: int) -> Iterator[Tracked]:
    start = last = time.monotonic()
    first = done
    for item in items:
        yield item
        done += 1
        now = time.monotonic()
        if now - last >= LINE_EVERY and done < total:
            last = now
            left = (now - start) / (done - first) * (total - done)
            # the first items also wait for processes to start, so they predict nothing
            say(f"{label}: {done}/{total}" + (f", {clock(left)} left" if done - first > 9 else ""))
    say(f"{label}: {done}/{total}, took {clock(time.monotonic() - start)}")


def clock(seconds: float) -> str:
    """Seconds as a clock shows them: 3725 is "1:02:05", 65 is "1:05"."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
