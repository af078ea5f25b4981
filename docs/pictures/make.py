"""Make the pictures of docs/first-steps.md by running the commands that the page shows.

    python docs/pictures/make.py

All data are of the procedural set `demo`.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.docs import examples  # noqa: E402

#: Pictures of the page, and the width that a screen needs.
WIDTHS = {"sheet.png": 1200, "maps.png": 1400}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["EMOMAP_HOME"] = str(folder / "cache")
        examples.run(HERE.parent / "first-steps.md", folder)
        for file, width in WIDTHS.items():
            picture = Image.open(folder / file).convert("RGB")
            height = round(picture.height * width / picture.width)
            picture = picture.resize((width, height), Image.Resampling.LANCZOS)
            target = (HERE / file).with_suffix(".jpg")
            picture.save(target, quality=88, optimize=True)
            print(target)


if __name__ == "__main__":
    main()
