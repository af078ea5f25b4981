"""Progress with remaining time on stderr: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

Tracked = TypeVar("Tracked")

#: Seconds between two lines where stderr is not a terminal (a log file, a batch queue).
LINE_EVERY = 10.0
#: How many problems are named before they are only counted.
LISTED = 10


def say(message: str) -> None:
    """One line of message on stderr."""
    print(message, file=sys.stderr, flush=True)


def report_problems(failed: Sequence[str], remarks: Sequence[str]) -> None:
    """Failures and remarks on stderr, the first ten of each, the others counted."""
    for kind, lines in (("not done", failed), ("note", remarks)):
        for line in lines[:LISTED]:
            say(f"emomap: {kind}: {line}")
        if len(lines) > LISTED:
            say(f"emomap: {kind}: {len(lines) - LISTED} more like these")


def track(
    items: Iterable[Tracked], *, total: int, label: str, done: int = 0, show: bool = True
) -> Iterator[Tracked]:
    """Pass items through, reporting how many of ``total`` are through and the time that is left.

    Args:
        items: what to iterate over; ``done`` of the ``total`` were finished in an earlier run.
        label: what is being done, "score gbvs".
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
            # the first items pay for starting the processes, so they foretell nothing
            say(f"{label}: {done}/{total}" + (f", {clock(left)} left" if done - first > 9 else ""))
    say(f"{label}: {done}/{total}, took {clock(time.monotonic() - start)}")


def clock(seconds: float) -> str:
    """3725 -> "1:02:05", 65 -> "1:05"."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}" if hours else f"{minute}:{second:02d}"
