"""Where the work is done: on processes of this machine, or on a Dask cluster."""

from __future__ import annotations

import atexit
import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from emomap._version import __version__
from emomap.errors import EmomapError, UsageError
from emomap.parallel.worker import KEPT, leave, processors

#: Seconds to wait for a cluster to answer and to have a worker.
WAIT = 60

#: The Dask client that everything in this context runs on, or None for this machine.
_client: ContextVar[Any] = ContextVar("client", default=None)


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


def client() -> Any:
    """The Dask client that everything in this context runs on, or None for this machine."""
    return _client.get()


def shared_folder() -> Path | None:
    """Where temporary files must lie so that all workers see them; None for anywhere."""
    return None if client() is None else Path.cwd()


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
            client.run(atexit.register, leave)
        yield client


def _check_versions(client: Any, where: Any) -> None:
    """Refuse a cluster that runs another emomap: the work would wait there for ever."""
    try:
        there = {client.run_on_scheduler(_version), *client.run(_version).values()}
    except Exception as error:  # whatever unpickling there raises
        there = {f"none that fits ({error})"}
    if there != {_version()}:
        raise EmomapError(
            f"--scheduler {where}: this is emomap {_version()}, the cluster has "
            f"{', '.join(sorted(there))}; install the same version for scheduler and workers"
        )


def _version() -> str:
    return __version__
