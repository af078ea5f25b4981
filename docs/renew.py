"""Renew what the guide keeps of its examples: the pictures of a page, the outputs of the notebook.

    python docs/renew.py

All data are of the procedural set `demo`. The tests say when the notebook must be renewed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from tests.docs import examples  # noqa: E402

#: Pictures that the commands of first-steps.md make, and the width that a screen needs.
WIDTHS = {"sheet.png": 1200, "maps.png": 1400}


def renew_pictures(folder: Path) -> None:
    examples.run(HERE / "first-steps.md", folder)
    for file, width in WIDTHS.items():
        picture = Image.open(folder / file).convert("RGB")
        height = round(picture.height * width / picture.width)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
        picture.save(HERE / "pictures" / f"{Path(file).stem}.jpg", quality=88, optimize=True)


def renew_notebook(folder: Path) -> None:
    file = HERE / "metrics.ipynb"
    for _ in range(2):  # the first time the data are made, and that is told on stderr
        notebook = nbformat.read(file, as_version=4)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=120, record_timing=False, resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    nbformat.write(notebook, file)


def main() -> None:
    os.environ["PYTHONPATH"] = str(HERE.parent)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["EMOMAP_HOME"] = str(folder / "cache")
        renew_pictures(folder)
        renew_notebook(folder)


if __name__ == "__main__":
    main()
