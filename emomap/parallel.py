"""One function over many items in several processes, in order, surviving a lost worker.

`score`, `predict`, `bench` and the check of data sets all run on this, through the interface of
concurrent.futures: on processes of this machine, or, within ``with on("dask", scheduler)``, on a
Dask cluster. Items travel in chunks, results come back in the order of the items, and memory stays
bounded, since only a few chunks are under way at a time.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from emomap._version import __version__
from emomap.errors import EmomapError, UsageError
from emomap.progress import say

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Items below which another process costs more (about a second to start) than it saves.
WORTH_A_PROCESS = 40
#: How often in a row, without any progress, workers may die before the run is given up.
PATIENCE = 3
#: Chunks of this machine that go to a cluster as one, since a message costs more there.
TOGETHER = 3
#: Chunks a process that may be sent, or done and waiting for an earlier one.
AHEAD = 8
#: What limits the threads of numerical libraries.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
#: Seconds to wait for a cluster to answer and to have a worker.
WAIT = 60
#: Bytes of freed memory that a worker keeps instead of giving them back after each picture.
KEPT = 128 * 2**20

#: The Dask client that everything in this context runs on, or None for this machine.
_client: ContextVar[Any] = ContextVar("client", default=None)


def processors() -> int:
    """The processors that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


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


@contextlib.contextmanager
def on(name: str, scheduler: str | None = None, jobs: int | None = None) -> Iterator[None]:
    """Run everything within on "local" processes, or on a "dask" cluster.

    Args:
        scheduler: address of the cluster's scheduler ("tcp://host:8786"); without one, a cluster
            of ``jobs`` workers is started on this machine for as long as the block lasts.

    Raises:
        UsageError: no such engine, a scheduler for the local one, or Dask is not installed.
        EmomapError: the scheduler does not answer, or has no worker.
    """
    if name == "local":
        if scheduler:
            raise UsageError(f"--scheduler {scheduler}: is for --engine dask")
        with _running_on(None):
            yield
        return
    if name != "dask":
        raise UsageError(f"--engine {name}: there are local and dask")
    with _connected(scheduler, jobs) as client, _running_on(client):
        yield


@contextlib.contextmanager
def _running_on(client: Any) -> Iterator[None]:
    token = _client.set(client)
    try:
        yield
    finally:
        _client.reset(token)


@contextlib.contextmanager
def _connected(scheduler: str | None, jobs: int | None) -> Iterator[Any]:
    try:
        import dask
        import distributed
    except ImportError as error:
        raise UsageError("--engine dask needs Dask: pip install 'emomap[dask]'") from error
    connect: Any = distributed.Client
    cluster: Any = distributed.LocalCluster
    environment = {"distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": str(KEPT)}
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(environment))
        where: Any = scheduler
        if where is None:
            where = cluster(
                n_workers=jobs or processors(), threads_per_worker=1, dashboard_address=None
            )
            stack.enter_context(where)
        try:
            client = connect(where, timeout=WAIT, set_as_default=False)
            stack.enter_context(client)
            client.wait_for_workers(1, timeout=WAIT)
        except (OSError, TimeoutError, ValueError) as error:
            raise EmomapError(
                f"--scheduler {scheduler}: no worker there within {WAIT} seconds ({error}); start "
                "`dask scheduler` and `dask worker ADDRESS`, see docs/cluster.md"
            ) from error
        _check_versions(client, where)
        if scheduler is None:
            client.run(atexit.register, _leave)
        yield client


def _check_versions(client: Any, where: Any) -> None:
    """Refuse a cluster that runs another emomap, on which the work would wait for ever."""
    try:
        there = {client.run_on_scheduler(_version), *client.run(_version).values()}
    except Exception as error:  # whatever unpickling there raises
        there = {f"none that fits ({error})"}
    if there != {_version()}:
        raise EmomapError(
            f"--scheduler {where}: emomap {_version()} is here, on the cluster "
            f"{', '.join(sorted(there))}; install the same version for scheduler and workers"
        )


def _version() -> str:
    return __version__


def shared_folder() -> Path | None:
    """Where temporary files must lie so that all workers see them; None for anywhere."""
    return Path.cwd() if _client.get() is not None else None


def processes(count: int, jobs: int | None = None) -> int:
    """Processes for so many items: ``jobs``, or one a processor, fewer when there is little to do.

    On a cluster, its threads.
    """
    client = _client.get()
    if client is not None:
        return max(1, int(sum(client.nthreads().values())))
    if jobs is None:
        jobs = min(processors(), count // WORTH_A_PROCESS)
    return max(1, min(jobs, count))


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
        jobs: processes of this machine; None for one a processor, fewer when there is little to do.
        chunk: items sent to a process at once.

    Raises:
        EmomapError: worker processes keep dying at the same place (usually for want of memory).
    """
    client = _client.get()
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
            say(f"a worker process was lost at item {done + 1} of {len(items)}; going on")


def _pool(
    function: Callable[[Item], Result], items: Sequence[Item], start: int, jobs: int, chunk: int
) -> Iterator[list[Result]]:
    """The results of chunk after chunk; a few are under way, a few more wait for their turn."""
    client = _client.get()
    here = None if client is None else Path.cwd()
    pool = _local_pool(jobs) if client is None else client.get_executor()
    chunks = _chunks(len(items), start, jobs, chunk * TOGETHER if client else chunk)
    sent: deque[Future[list[Result]]] = deque()
    try:
        while True:
            running = [future for future in sent if not future.done()]
            while len(running) < 2 * jobs and len(sent) < AHEAD * jobs:
                at, end = next(chunks, (0, 0))
                if at == end:
                    break
                running.append(pool.submit(_run, function, items[at:end], here))
                sent.append(running[-1])
            if not sent:
                return
            if not sent[0].done():
                wait(running, return_when=FIRST_COMPLETED)
            while sent and sent[0].done():
                yield sent.popleft().result()
    except KeyboardInterrupt:
        if client is None:
            pool.shutdown(kill_workers=True)  # instead of waiting for what they are at
        raise
    finally:
        for future in sent:
            future.cancel()


def _local_pool(jobs: int) -> Any:
    """Processes of this machine, among which numerical libraries share its processors."""
    from loky import get_reusable_executor

    share = str(max(1, processors() // jobs))
    limits = {name: os.environ.get(name, share) for name in THREADS}
    return get_reusable_executor(max_workers=jobs, env=limits, timeout=300)


def _chunks(count: int, start: int, jobs: int, most: int) -> Iterator[tuple[int, int]]:
    """Where chunks begin and end: they get smaller, so that all processes end together."""
    while start < count:
        end = start + max(1, min(most, (count - start) // (2 * jobs)))
        yield start, end
        start = end


def _run(
    function: Callable[[Item], Result], part: Sequence[Item], folder: Path | None
) -> list[Result]:
    _settle(own=folder is None)
    if folder is not None and Path.cwd() != folder:
        os.chdir(folder)  # a worker of a cluster was started elsewhere, and paths may be relative
    return [function(item) for item in part]


@lru_cache(maxsize=1)
def _settle(*, own: bool) -> None:
    """What a worker does once. ``own``: it works for nobody else."""
    keep_memory()
    if own:
        atexit.register(_leave)
        threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()


def _follow(parent: int) -> None:
    """End this worker when the process that it works for was killed, instead of waiting for it."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _leave() -> None:
    """End this worker without taking apart all that it imported, which takes a sixth of a second.

    Its results were sent long ago, and files are written by renaming.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def keep_memory() -> None:
    """Let this process keep `KEPT` bytes of freed memory for its next picture.

    The C library otherwise gives an array of a few megabytes back to the system at once, and gets
    it again page by page, which takes longer than what the metrics do with it.
    """
    import ctypes

    try:
        option = ctypes.CDLL(None).mallopt  # GNU's and no other's
    except (AttributeError, OSError, TypeError):
        return
    trim_threshold, mmap_threshold = -1, -3
    option(trim_threshold, KEPT)
    option(mmap_threshold, KEPT)


def _worker_lost(client: Any) -> type[BaseException]:
    from concurrent.futures.process import BrokenProcessPool

    if client is not None:  # Dask itself hands on the work of a lost worker, but not for ever
        from distributed import KilledWorker

        lost: Any = KilledWorker
        return lost  # type: ignore[no-any-return]
    found: Any = BrokenProcessPool  # loky's own error derives from it
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Launched:
    """How many processes a launcher has started for one training, and which of them this is."""

    rank: int = 0
    processes: int = 1
    machines: int = 1


def launched() -> Launched:
    """What torchrun, `fabric run` or srun say; one process by itself without them."""
    value = os.environ
    if "WORLD_SIZE" in value:  # torchrun's, which `fabric run` uses, too
        processes = int(value["WORLD_SIZE"])
        machines = processes // int(value.get("LOCAL_WORLD_SIZE", processes))
        return Launched(int(value.get("RANK", 0)), processes, machines)
    if "SLURM_STEP_NUM_TASKS" in value:  # srun's; a batch script by itself has SLURM_NTASKS alone
        processes = int(value["SLURM_STEP_NUM_TASKS"])
        machines = int(value.get("SLURM_STEP_NUM_NODES", 1))
        return Launched(int(value.get("SLURM_PROCID", 0)), processes, machines)
    return Launched()
