"""A small data set, maps of it, a finished run and per-image files, which the tests then damage."""

from __future__ import annotations

import contextlib
import io
import shutil
import signal
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
from PIL import Image

from emomap.cli import main
from tests.hostile import inputs

#: Seconds after which a command counts as hanging.
PATIENCE = 20
#: Characters of one line of a message.
READABLE = 1000


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str


class Hangs(BaseException):
    """Not an `Exception`, so that no handler of the command takes it for its own."""


def emomap(*words: object, patience: int = PATIENCE) -> Ran:
    """Run a command in this process, and check what must hold of every command on any input.

    It ends within ``patience`` seconds, with a documented exit code and without a traceback. Its
    messages have a readable length and no control characters.
    """
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    before = signal.signal(signal.SIGALRM, _give_up)
    signal.alarm(patience)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main([str(word) for word in words])
    except SystemExit as error:
        code = error.code
    except Hangs:
        pytest.fail(f"still running after {patience} s")
    except Exception:
        pytest.fail("the command ended with a traceback:\n" + traceback.format_exc(limit=-6))
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert code in {0, 1, 2, 3}, code
    said = err.getvalue()
    assert "Traceback" not in said
    assert max(map(len, said.splitlines()), default=0) <= READABLE, said[:2000]
    assert not any(c < " " and c not in "\n\r\t" for c in said + out.getvalue()), repr(said[:500])
    assert code == 0 or (said + out.getvalue()).strip(), "it failed without a word"
    return Ran(int(str(code)), out.getvalue(), said)


def _give_up(number: int, frame: FrameType | None) -> None:
    raise Hangs


@dataclass(frozen=True)
class Lab:
    """Good files."""

    pictures: Path  # data set: images/, fixations/
    maps: Path
    run: Path
    table: Path  # per-image values, without suffix: .csv, .json, .jsonl


def bench(lab: Lab) -> tuple[object, ...]:
    """The command that makes the run, and resumes it."""
    return (
        "bench", "--data", lab.pictures, "--method", f"ours={lab.maps}", "--out", lab.run,
        "--set", "bench.baselines=['uniform', 'center']",
        "--set", "score.metrics=['nss', 'cc', 'auc']", "-j", 1, "-q",
    )  # fmt: skip


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The good files, made once."""
    home = tmp_path_factory.mktemp("hostile")
    lab = Lab(home / "set", home / "maps", home / "run", home / "values")
    rng = np.random.default_rng(5)
    for folder in (lab.pictures / "images", lab.pictures / "fixations", lab.maps):
        folder.mkdir(parents=True)
    for index in range(4):
        picture = rng.integers(0, 255, (*inputs.SHAPE, 3)).astype(np.uint8)
        Image.fromarray(picture).save(lab.pictures / "images" / f"p{index}.png")
        points = "".join(f"{x},{y}\n" for x, y in rng.integers(5, 45, (12, 2)))
        (lab.pictures / "fixations" / f"p{index}.csv").write_text("x,y\n" + points)
        (lab.maps / f"p{index}.png").write_bytes(inputs.encoded(".png"))
    ran = emomap(*bench(lab), patience=300)
    assert ran.code == 0, ran.err
    for suffix in (".csv", ".json", ".jsonl"):
        file = lab.table.with_suffix(suffix)
        ran = emomap(
            "score", lab.maps, lab.pictures, "--metrics", "nss,cc,auc", "--per-image", file, "-q",
            "-j", 1, patience=300,
        )  # fmt: skip
        assert ran.code == 0, ran.err
    return lab


@pytest.fixture
def lab(made: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A copy of the good files, to damage. The run knows its new place."""
    shutil.copytree(made.run.parent, tmp_path / "lab", symlinks=True)
    home = tmp_path / "lab"
    kept = home / "run" / "recipe.toml"
    kept.write_text(kept.read_text().replace(str(made.run.parent), str(home)))
    yield Lab(home / "set", home / "maps", home / "run", home / "values")
    sys.stdout.flush()
