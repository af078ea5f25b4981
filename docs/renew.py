"""Renew what the guide keeps of its examples: the pictures of a page, the outputs of the notebook.

    python docs/renew.py [--weights FILE]    of attention_center, for the picture of README

All data are of the procedural set `demo`, and public-domain photographs of scikit-image. The tests
say when the notebook must be renewed.
"""

from __future__ import annotations

import argparse
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

#: Pictures that the examples of a page make, and the width that a screen needs.
WIDTHS = {
    "first-steps.md": {"sheet.png": 1200, "maps.png": 1400},
    "python.md": {"roc.png": 600},
}


def renew_pictures(folder: Path) -> None:
    for page, pictures in WIDTHS.items():
        home = folder / Path(page).stem
        home.mkdir()
        examples.run(HERE / page, home)
        for file, width in pictures.items():
            picture = Image.open(home / file).convert("RGB")
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


#: Photographs whose authors gave them to the public domain (NASA; S. van der Walt; R. Michetti).
PHOTOGRAPHS = ("astronaut", "chelsea", "coffee")


def renew_photographs(folder: Path, weights: Path) -> None:
    """The picture of README: photographs beside the maps of three methods."""
    from skimage import data

    from emomap.method import build, load
    from emomap.report.overlay import Panel, draw

    rows = []
    for name in PHOTOGRAPHS:
        picture = getattr(data, name)()
        panels = [Panel("photograph")]
        for method in ("gbvs", "itti_koch", "attention_center"):
            options = {"weights": str(weights)} if method == "attention_center" else {}
            made = build(load(method), method, options).predict([picture])[0]
            panels.append(Panel(method, made.map))
        drawn = draw(picture, panels, folder / f"{name}.png", scale=name == PHOTOGRAPHS[-1])
        rows.append(Image.open(drawn).convert("RGB"))
    width = 1400
    rows = [row.resize((width, round(row.height * width / row.width))) for row in rows]
    whole = Image.new("RGB", (width, sum(row.height for row in rows)), "white")
    for at, row in enumerate(rows):
        whole.paste(row, (0, sum(above.height for above in rows[:at])))
    whole.save(HERE / "pictures" / "photographs.jpg", quality=85, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, help="file of the weights of attention_center")
    weights = parser.parse_args().weights
    os.environ["PYTHONPATH"] = str(HERE.parent)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["EMOMAP_HOME"] = str(folder / "cache")
        if weights:
            renew_photographs(folder, weights)
        renew_pictures(folder)
        renew_notebook(folder)


if __name__ == "__main__":
    main()
