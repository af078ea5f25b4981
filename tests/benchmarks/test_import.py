"""Every benchmark can be imported, so a module that moves cannot leave one behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(f"benchmarks.{name}")
"""


def test_every_benchmark_imports() -> None:
    pytest.importorskip("torch")
    names = sorted(file.stem for file in FOLDER.glob("*.py"))
    assert "training" in names
    # in a process of its own, since some benchmarks set up the threads and the search path
    command = [sys.executable, "-c", IMPORT_ALL, *names]
    found = subprocess.run(command, cwd=FOLDER.parent, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
