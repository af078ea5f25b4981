"""Small files that would take gigabytes: no command takes more than 1 GiB over them, or 20 s."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile import inputs
from tests.hostile.conftest import PATIENCE, Lab

MEMORY = 1 << 30


#: Runs the command line and then says how much memory this process took at most, in KiB.
MEASURED = """
import atexit, sys

def peak():
    lines = open("/proc/self/status").read().splitlines()
    print([line for line in lines if line.startswith("VmHWM")][0], file=sys.stderr)

atexit.register(peak)
from emomap.cli import main
main()
"""


def emomap(*words: object) -> tuple[int, str, int]:
    """Run a command in a process of its own: exit code, messages, bytes of memory."""
    ran = subprocess.run(
        [sys.executable, "-c", MEASURED, *map(str, words)],
        capture_output=True, text=True, check=False, timeout=PATIENCE + 40,
    )  # fmt: skip
    said, _, peak = ran.stderr.rpartition("VmHWM:")
    return ran.returncode, said, 1024 * int(peak.split()[0])


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """Made once, since they take seconds."""
    return {name: inputs.bomb(name) for name in inputs.BOMBS}


@pytest.mark.slow
@pytest.mark.parametrize("name", inputs.BOMBS)
@pytest.mark.parametrize("side", ["map", "truth", "picture"])
def test_a_bomb_is_refused_or_read_small(
    lab: Lab, bombs: dict[str, bytes], name: str, side: str
) -> None:
    suffix = Path(name).suffix
    folder = {"map": lab.maps, "truth": lab.pictures / "maps", "picture": lab.pictures / "images"}
    folder[side].mkdir(exist_ok=True)
    for old in folder[side].glob("p0.*"):
        old.unlink()
    (folder[side] / f"p0{suffix}").write_bytes(bombs[name])
    if side == "picture":
        code, said, memory = emomap(
            "predict", "--method", "center", lab.pictures, "--out", lab.run.parent / "out"
        )
    else:
        code, said, memory = emomap(
            "score", lab.maps, lab.pictures, "--metrics", "nss,cc", "--allow-missing", "-j", 1
        )
    assert memory < MEMORY, f"{memory / 2**20:.0f} MiB: {said}"
    assert "Traceback" not in said
    assert code in {0, 1, 3}


def test_a_table_of_one_field_is_refused(lab: Lab) -> None:
    file: Path = lab.pictures / "fixations" / "p0.csv"
    with file.open("w") as stream:
        stream.write("x,y\n")
        stream.write("9" * 60_000_000)
    code, said, memory = emomap("score", lab.maps, lab.pictures, "--metrics", "nss", "-j", 1)
    assert code == 3
    assert "p0.csv" in said
    assert memory < MEMORY
