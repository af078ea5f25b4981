"""Commands that are killed or asked to end: nothing is left behind, and the next run finishes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import io
from emomap.io import temporary

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
ROOT = Path(__file__).resolve().parents[2]
MANY = 250


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Enough maps with fixations that a command can be stopped in the middle."""
    root = tmp_path_factory.mktemp("many")
    rng = np.random.default_rng(0)
    for name in ("maps", "gaze"):
        (root / name).mkdir()
    for number in range(MANY):
        values = rng.integers(0, 255, (120, 160), dtype=np.uint8)
        Image.fromarray(values).save(root / f"maps/{number:04d}.png")
        points = rng.integers(0, 120, (20, 2))
        lines = "".join(f"{x},{y}\n" for x, y in points)
        (root / f"gaze/{number:04d}.csv").write_text(f"x,y\n{lines}")
    return root


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `emomap ARGUMENTS` in a session of its own, of which nothing is left at the end."""
    started: list[subprocess.Popen[str]] = []

    def run(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "emomap", *map(str, arguments)]
        started.append(
            subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        )
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(what: Callable[[], object], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return True
        time.sleep(0.02)
    return False


def living(session: int) -> list[str]:
    """The processes of a session that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.parametrize(
    ("number", "code", "jobs"),
    [(signal.SIGTERM, 143, 2), (signal.SIGHUP, 129, 1), (signal.SIGINT, 130, 2)],
)
def test_a_score_that_is_asked_to_end_leaves_nothing_and_resumes(
    many: Path, tmp_path: Path, start: Start, number: int, code: int, jobs: int
) -> None:
    out = tmp_path / "values.csv"
    arguments = ("score", many / "maps", many / "gaze", "--per-image", out, "--metrics", "all")
    arguments = (*arguments, "--jobs", jobs, "-q")
    running = start(*arguments)
    part = tmp_path / "values.csv.part"
    assert wait_for(lambda: part.exists() and part.read_text().count("\n") > 20)
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert running.returncode == code
    assert "the same command resumes" in err
    assert "Traceback" not in err
    assert "resource_tracker" not in err
    assert wait_for(lambda: not living(running.pid), 10)
    assert [path.name for path in tmp_path.iterdir()] == ["values.csv.part"]
    again = start(*arguments)
    again.communicate()
    assert again.returncode == 0
    assert out.read_text().count("\n") == MANY + 1
    assert [path.name for path in tmp_path.iterdir()] == ["values.csv"]


def test_a_computation_that_does_not_hear_signals_is_ended(tmp_path: Path, start: Start) -> None:
    script = (
        "import ctypes\n"
        "from emomap.cli.ending import asked_to_end\n"
        "with asked_to_end():\n"
        "    print('ready', flush=True)\n"
        "    while True:\n"
        "        try:\n"
        "            ctypes.CDLL(None).sleep(1000)\n"
        "        except KeyboardInterrupt:\n"
        "            pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=-1, text=True) as deaf:
        assert deaf.stdout
        assert deaf.stdout.readline() == "ready\n"
        deaf.terminate()
        assert deaf.wait(timeout=60) == 143


def test_workers_without_work_follow_a_parent_that_was_killed() -> None:
    script = (
        "import time\n"
        "from emomap.parallel import pool\n"
        "pool._local_pool(2).submit(int).result()\n"
        "print('ready', flush=True)\n"
        "time.sleep(1000)\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=-1, stderr=-1, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == "ready\n"
        assert len(living(parent.pid)) > 2
        parent.kill()
        parent.wait()
        assert wait_for(lambda: not living(parent.pid), 20)


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


@pytest.mark.parametrize("folder", [False, True])
def test_what_a_killed_process_left_goes_with_the_next_file(tmp_path: Path, folder: bool) -> None:
    system = temporary._system()
    name = ".{}.emomap-{}.{}.abc.png"
    left = tmp_path / name.format("a", system, dead_process())
    living_one = tmp_path / name.format("b", system, os.getpid())
    elsewhere = tmp_path / name.format("c", "0" * 8, 1)
    long_ago = tmp_path / name.format("d", "0" * 8, 1)
    own = tmp_path / ".emomap-notes.png"
    for path in (left, living_one, elsewhere, long_ago):
        path.mkdir() if folder else path.touch()
    own.touch()
    then = time.time() - temporary.ABANDONED - 60
    os.utime(long_ago, (then, then))
    io.write_text(tmp_path / "new.txt", "new")
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {living_one.name, elsewhere.name, own.name, "new.txt"}


def test_a_file_that_a_kill_interrupted_is_written_by_the_next_run(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from emomap.io.files import atomic\n"
        "with atomic(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    target = tmp_path / "map.csv"
    subprocess.run([sys.executable, "-c", script, str(target)], cwd=ROOT, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    assert not target.exists()
    io.write_text(target, "whole")
    assert [path.name for path in tmp_path.iterdir()] == ["map.csv"]


def test_signals_that_the_caller_ignores_stay_ignored() -> None:
    """As under `nohup`: the closed terminal does not end the command."""
    script = (
        "import os, signal\n"
        "from emomap.cli.ending import asked_to_end\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "with asked_to_end():\n"
        "    os.kill(os.getpid(), signal.SIGHUP)\n"
        "    print('goes on', flush=True)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "goes on\n"


def test_a_worker_that_outlived_its_parent_is_swept_after_once_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as worker:
        left = tmp_path / f".a.emomap-{temporary._system()}.{worker.pid}.abc.png"
        left.touch()
        io.write_text(tmp_path / "1.txt", "while it lives")
        assert left.exists()
        worker.communicate(b"\n")
    io.write_text(tmp_path / "2.txt", "too soon to look again")
    assert left.exists()
    monkeypatch.setattr(temporary, "_next", {})
    io.write_text(tmp_path / "3.txt", "later")
    assert not left.exists()
