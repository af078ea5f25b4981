"""One function over many items in several processes, in order, surviving a lost worker.

`score`, `predict` and the check of data sets all run on this, through joblib's interface. Items
travel in chunks, results come back in the order of the items, and memory stays bounded, since only
a few chunks are under way at a time.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from emomap.errors import EmomapError
from emomap.progress import say

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Items below which another process costs more (about a second to start) than it saves.
WORTH_A_PROCESS = 40
#: How often in a row, without any progress, workers may die before the run is given up.
PATIENCE = 3


def processors() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def ordered(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int | None = None,
    chunk: int = 25,
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item, in order.

    Args:
        function: picklable; should return its failures as values, since an exception ends the run.
        jobs: processes; None for one a processor, fewer when there is little to do.
        chunk: items sent to a process at once.

    Raises:
        EmomapError: worker processes keep dying at the same place (usually for want of memory).
    """
    if jobs is None:
        jobs = max(1, min(processors(), len(items) // WORTH_A_PROCESS))
    if jobs == 1 or len(items) <= 1:
        yield from map(function, items)
        return
    chunk = max(1, min(chunk, -(-len(items) // (2 * jobs))))
    done, deaths = 0, 0
    while done < len(items):
        before = done
        try:
            for results in _pool(function, items, done, jobs, chunk):
                yield from results
                done += len(results)
        except _worker_lost() as error:
            deaths = deaths + 1 if done == before else 1
            if deaths >= PATIENCE:
                raise EmomapError(
                    f"worker processes died {deaths} times at item {done + 1} of {len(items)}, "
                    "usually for want of memory; results so far are kept, run again with --jobs 1"
                ) from error
            say(f"a worker process was lost at item {done + 1} of {len(items)}; going on")


def _pool(
    function: Callable[[Item], Result], items: Sequence[Item], start: int, jobs: int, chunk: int
) -> Iterator[list[Result]]:
    import joblib

    # we say ourselves that a worker was lost
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
    chunks = (items[at : at + chunk] for at in range(start, len(items), chunk))
    pool = joblib.Parallel(n_jobs=jobs, return_as="generator", pre_dispatch=2 * jobs, batch_size=1)
    results: Iterator[list[Result]] = pool(joblib.delayed(_run)(function, part) for part in chunks)
    return results


def _run(function: Callable[[Item], Result], part: Sequence[Item]) -> list[Result]:
    return [function(item) for item in part]


def _worker_lost() -> type[BaseException]:
    from concurrent.futures.process import BrokenProcessPool

    found: Any = BrokenProcessPool  # loky's own error derives from it
    return found  # type: ignore[no-any-return]
