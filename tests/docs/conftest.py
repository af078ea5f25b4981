"""Where examples run: an empty folder, and a cache that is not the user's."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder of a page. Generated pictures are kept for the other pages."""
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path
