"""The notebook of the guide runs from top to bottom, and prints what is kept in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.docs.examples import REPOSITORY, same

NOTEBOOK = REPOSITORY / "docs" / "metrics.ipynb"


def outputs(cell: Any) -> list[Any]:
    """What a cell shows, without progress on stderr; what comes in pieces is one."""
    found: list[Any] = []
    for output in cell.outputs:
        if output.get("name") == "stderr":
            continue
        if output["output_type"] == "stream" and found and found[-1]["output_type"] == "stream":
            found[-1] = {**found[-1], "text": found[-1]["text"] + output["text"]}
        else:
            found.append(output)
    return found


def texts(cell: Any) -> str:
    """What a cell prints, without its pictures."""
    shown = []
    for output in outputs(cell):
        if output["output_type"] == "stream":
            shown.append(output["text"])
        elif output["output_type"] == "execute_result":
            shown.append(output["data"]["text/plain"])
    return "\n".join(shown)


def kinds(cell: Any) -> list[list[str]]:
    """The kinds of output of a cell, pictures and tables among them."""
    return [[output["output_type"], *sorted(output.get("data", ()))] for output in outputs(cell)]


def test_the_notebook(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    packages = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(packages))
    monkeypatch.delenv("MPLBACKEND")  # pictures go into the notebook
    kept = nbformat.read(NOTEBOOK, as_version=4)
    ran = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(
        ran, timeout=120, resources={"metadata": {"path": str(folder)}}
    ).execute()
    cells = [
        (old, new)
        for old, new in zip(kept.cells, ran.cells, strict=True)
        if old.cell_type == "code"
    ]
    assert any(texts(new) for _, new in cells)
    for old, new in cells:
        assert same(texts(old), texts(new)), (
            f"{NOTEBOOK.name} shows\n{texts(old)}\nbut this is printed:\n{texts(new)}\n"
            "renew it: python docs/renew.py"
        )
        assert kinds(old) == kinds(new)
        names = [output.get("name") for output in old.outputs]
        assert "stderr" not in names, "there is stderr in the notebook; renew it once more"
