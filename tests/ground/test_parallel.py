"""Parallel work: results keep their order, and none is lost or doubled when a worker dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import pytest

from emomap import parallel
from emomap.errors import EmomapError
from emomap.parallel import pool


def double(item: int) -> int:
    return 2 * item


def die_once(item: int, marker: Path) -> int:
    if item == 13 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def die_always(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_come_in_order(jobs: int) -> None:
    assert list(parallel.ordered(double, range(50), jobs=jobs, chunk=3)) == [
        2 * i for i in range(50)
    ]


@pytest.mark.parametrize(("count", "start", "jobs", "most"), [(2000, 0, 2, 25), (7, 3, 4, 25)])
def test_chunks_cover_all_items_and_get_smaller(
    count: int, start: int, jobs: int, most: int
) -> None:
    chunks = list(pool._chunks(count, start, jobs, most))
    assert [item for at, end in chunks for item in range(at, end)] == list(range(start, count))
    sizes = [end - at for at, end in chunks]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] <= most
    assert sizes[-1] == 1


def test_nothing_to_do() -> None:
    assert list(parallel.ordered(double, [], jobs=2)) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_worker_loses_no_result(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    work = partial(die_once, marker=tmp_path / "dead")
    assert list(parallel.ordered(work, range(40), jobs=2, chunk=3)) == [2 * i for i in range(40)]
    assert "a worker process was lost" in capfd.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_workers_that_keep_dying_end_the_run() -> None:
    with pytest.raises(EmomapError, match="died 3 times at item 1 of 4"):
        list(parallel.ordered(die_always, range(4), jobs=2))


def pid_then_sleep(item: int) -> int:
    time.sleep(0.2)
    return os.getpid()


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_workers_end_when_their_command_is_killed() -> None:
    script = (
        "from emomap import parallel\n"
        "from tests.ground.test_parallel import pid_then_sleep\n"
        "for pid in parallel.ordered(pid_then_sleep, range(10_000), jobs=2, chunk=1):\n"
        "    print(pid, flush=True)\n"
    )
    command = [sys.executable, "-c", script]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=root
    ) as running:
        assert running.stdout
        workers = {int(running.stdout.readline()) for _ in range(4)}
        running.kill()
    assert running.pid not in workers
    for _ in range(300):
        if not any(alive(pid) for pid in workers):
            return
        time.sleep(0.1)
    pytest.fail(f"workers {workers} go on")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def warn_of_it(item: int) -> int:
    warnings.warn("the same everywhere", RuntimeWarning, stacklevel=1)
    return item


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_warning_of_many_workers_is_given_once(jobs: int) -> None:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("default")
        assert list(parallel.ordered(warn_of_it, range(40), jobs=jobs, chunk=3)) == list(range(40))
    assert [str(warning.message) for warning in heard] == ["the same everywhere"]
