"""Mutations of good files: every reader reads or refuses them, and nothing worse happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.fuzz import READERS

HOME = Path(__file__).resolve().parents[2]


def fuzz(kind: str, count: int) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.hostile.fuzz", kind, str(count)],
        cwd=HOME, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"exit code {ran.returncode}: {ran.stderr[-3000:]}"
    words = ran.stdout.replace(",", "").split()
    done, refused = int(words[1]), int(words[3])
    assert done + refused == count
    assert min(done, refused) > 0


@pytest.mark.parametrize("kind", READERS)
def test_a_few_mutations(kind: str) -> None:
    fuzz(kind, 300)


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_many_mutations(kind: str) -> None:
    fuzz(kind, 20_000)
