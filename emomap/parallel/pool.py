"""One function over many items: chunks go to workers, results come back in the items' order.

A pool is anything with the interface of concurrent.futures.
"""

from __future__ import annotations

import os
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from pathlib import Path
from typing import Any, TypeVar

from emomap.errors import EmomapError
from emomap.parallel import cluster
from emomap.parallel.worker import Heard, begin, processors, run_chunk
from emomap.progress import say

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Items below which another process costs more (about a second to start) than it saves.
WORTH_A_PROCESS = 40
#: How often in a row workers may die without any progress before the run is given up.
PATIENCE = 3
#: Chunks that go to a cluster as one, since a message costs more there.
TOGETHER = 3
#: Chunks for each process that may be sent, or be done and wait for an earlier one.
AHEAD = 8
#: The processes of this machine, if some were started.
_started: list[Any] = []
#: What limits the threads of numerical libraries.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


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
        jobs: as in `processes`.
        chunk: items sent to a process at once.

    Raises:
        EmomapError: worker processes keep dying at the same place, usually for want of memory.
    """
    client = cluster.client()
    jobs = processes(len(items), jobs)
    if client is None and jobs == 1:
        yield from map(function, items)
        return
    done, deaths = 0, 0
    while done < len(items):
        before = done
        try:
            for results in _pool(function, items, done, jobs, chunk):
                yield from results
                done += len(results)
        except _worker_lost(client) as error:
            deaths = deaths + 1 if done == before else 1
            if deaths >= PATIENCE:
                raise EmomapError(
                    f"worker processes died {deaths} times at item {done + 1} of {len(items)}, "
                    "usually for want of memory; results so far are kept, run again with --jobs 1"
                ) from error
            say(f"a worker process was lost at item {done + 1} of {len(items)}; continuing")


def processes(count: int, jobs: int | None = None) -> int:
    """How many processes work on so many items; on a cluster, the number of its threads.

    Args:
        count: items.
        jobs: processes of this machine; None for one per processor, fewer for few items.
    """
    client = cluster.client()
    if client is not None:
        return max(1, int(sum(client.nthreads().values())))
    if jobs is None:
        jobs = min(processors(), count // WORTH_A_PROCESS)
    return max(1, min(jobs, count))


def shard(items: Sequence[Item], part: tuple[int, int] | None, block: int = 1) -> list[Item]:
    """The i-th of n parts of a list (i from 1): every n-th block of items.

    Args:
        part: (i, n), or None for the whole.
        block: items that stay together.

    >>> shard("abcdefg", (2, 3), block=2)
    ['c', 'd']
    """
    if part is None:
        return list(items)
    index, count = part
    return [item for at, item in enumerate(items) if at // block % count == index - 1]


def _pool(
    function: Callable[[Item], Result], items: Sequence[Item], start: int, jobs: int, chunk: int
) -> Iterator[list[Result]]:
    """The results of chunk after chunk, from item ``start`` on."""
    client = cluster.client()
    here = None if client is None else Path.cwd()
    pool = _local_pool(jobs) if client is None else client.get_executor()
    chunks = _chunks(len(items), start, jobs, chunk * TOGETHER if client else chunk)
    sent: deque[Future[tuple[list[Result], list[Heard]]]] = deque()
    try:
        while True:
            running = [future for future in sent if not future.done()]
            while len(running) < 2 * jobs and len(sent) < AHEAD * jobs:
                at, end = next(chunks, (0, 0))
                if at == end:
                    break
                running.append(pool.submit(run_chunk, function, items[at:end], here))
                sent.append(running[-1])
            if not sent:
                return
            if not sent[0].done():
                wait(running, return_when=FIRST_COMPLETED)
            while sent and sent[0].done():
                results, heard = sent.popleft().result()
                for text, category in heard:  # workers repeat each other; this says it once
                    warnings.warn(text, category, stacklevel=2)
                yield results
    except KeyboardInterrupt:
        end_workers()
        raise
    finally:
        for future in sent:
            future.cancel()


def _local_pool(jobs: int) -> Any:
    """Processes of this machine; their numerical libraries share its processors."""
    from loky import get_reusable_executor

    share = str(max(1, processors() // jobs))
    limits = {name: os.environ.get(name, share) for name in THREADS}
    pool = get_reusable_executor(
        max_workers=jobs, env=limits, timeout=300, initializer=begin, initargs=(os.getpid(),)
    )
    _started[:] = [pool]  # the same as before, or in its place
    return pool


def end_workers() -> None:
    """End the processes of this machine at once, whatever they do, if there are any."""
    while _started:
        _started.pop().shutdown(kill_workers=True)


def _chunks(count: int, start: int, jobs: int, most: int) -> Iterator[tuple[int, int]]:
    """Where chunks begin and end. They get smaller, so that all processes end together."""
    while start < count:
        end = start + max(1, min(most, (count - start) // (2 * jobs)))
        yield start, end
        start = end


def _worker_lost(client: Any) -> type[BaseException]:
    """The error that says that a worker has died."""
    from concurrent.futures.process import BrokenProcessPool

    if client is not None:  # Dask hands the work of a lost worker on, but not for ever
        from distributed import KilledWorker

        lost: Any = KilledWorker
        return lost  # type: ignore[no-any-return]
    found: Any = BrokenProcessPool  # the error of loky derives from it
    return found  # type: ignore[no-any-return]
