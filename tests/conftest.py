"""Fixtures that all tests share: where the project's shared material lies, if it is there."""

from __future__ import annotations

import os

# two test processes on two cores: more threads would wait for each other
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
#: Set by this project's CI, where a test that reads ../shared must run and not be skipped.
REQUIRED = "EMOMAP_REQUIRE_SHARED"


def shared(path: str) -> Path:
    """A file or folder of ``../shared``. Users have no such folder: there the test is skipped."""
    found = SHARED / path
    if not found.exists():
        if os.environ.get(REQUIRED):
            pytest.fail(f"../shared/{path} is not here, and {REQUIRED} is set")
        pytest.skip(f"../shared/{path} is not here")
    return found


def unwrapped(text: str) -> str:
    """What a terminal shows, with the lines that were wrapped made whole."""
    return text.replace("\n  ", " ")


@pytest.fixture
def rng() -> np.random.Generator:
    """Random numbers, the same in every run."""
    return np.random.default_rng(7)
