"""Time and memory to open a data set: 25,000 images in three forms, and SALICON.

    python benchmarks/datasets.py            writes benchmarks/results/datasets.md

Each form is made in a temporary folder and opened five times, each time in a new process. For
SALICON, with an annotation file of 360 MB, the first gaze is read too.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from emomap.sample import EMOTIONS

COUNT = 25_000
REPEATS = 5
RESULT = Path(__file__).parent / "results" / "datasets.md"
OPEN = """
import resource, sys, time
from emomap.data import open_dataset
start = time.perf_counter()
found = open_dataset(sys.argv[1])
opened = time.perf_counter()
if sys.argv[2] == "gaze":
    found.samples[-1].gaze()
print(len(found), opened - start, time.perf_counter() - opened,
      resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def jpeg(folder: Path) -> bytes:
    path = folder / "one.jpg"
    Image.new("RGB", (64, 48), (120, 90, 60)).save(path)
    return path.read_bytes()


def emotion_folders(root: Path, picture: bytes) -> Path:
    for number in range(COUNT):
        emotion = EMOTIONS[number % len(EMOTIONS)]
        path = root / "folders" / emotion / f"{emotion}_{number:05d}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture)
    return root / "folders"


def archive(root: Path, picture: bytes) -> Path:
    path = root / "packed.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for number in range(COUNT):
            emotion = EMOTIONS[number % len(EMOTIONS)]
            packed.writestr(f"set/{emotion}/{emotion}_{number:05d}.jpg", picture)
    return path


def neutral(root: Path, picture: bytes) -> Path:
    place = root / "neutral"
    for folder in ("images", "fixations"):
        (place / folder).mkdir(parents=True)
    labels, splits = ["image,emotion"], ["image,split"]
    for number in range(COUNT):
        (place / f"images/{number:05d}.jpg").write_bytes(picture)
        (place / f"fixations/{number:05d}.csv").write_text("x,y\n1,2\n3,4\n")
        labels.append(f"{number:05d}.jpg,{EMOTIONS[number % len(EMOTIONS)]}")
        splits.append(f"{number:05d}.jpg,{('train', 'val', 'test')[number % 3]}")
    (place / "labels.csv").write_text("\n".join(labels) + "\n")
    (place / "split.csv").write_text("\n".join(splits) + "\n")
    return place


def salicon(root: Path, picture: bytes) -> Path:
    """4,500 images of 60 workers with 110 samples each."""
    place = root / "salicon"
    (place / "images/train").mkdir(parents=True)
    (place / "annotations").mkdir()
    samples = json.dumps(np.random.default_rng(0).integers(1, 480, (110, 2)).tolist())
    names = [f"COCO_train2014_{number:012d}.jpg" for number in range(4500)]
    with (place / "annotations/fixations_train2014.json").open("w") as file:
        images = [{"id": number, "file_name": name} for number, name in enumerate(names)]
        file.write(f'{{"images": {json.dumps(images)}, "annotations": [')
        lines = (
            f'{{"image_id": {number}, "fixations": {samples}, "worker_id": {worker}, "id": 1}}'
            for number in range(len(names))
            for worker in range(60)
        )
        for at, line in enumerate(lines):
            file.write((", " if at else "") + line)
        file.write("]}")
    for name in names:
        (place / "images/train" / name).write_bytes(picture)
    return place


FORMS: dict[str, Callable[[Path, bytes], Path]] = {
    "25,000 images in emotion folders": emotion_folders,
    "the same as a zip archive": archive,
    "25,000 images, neutral layout with labels, splits, fixations": neutral,
    "SALICON, 4,500 images, annotations of 360 MB": salicon,
}


def main() -> None:
    """Measure all forms and write the table."""
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        picture = jpeg(Path(temporary))
        for name, make in FORMS.items():
            path = make(Path(temporary), picture)
            what = "gaze" if make is salicon else "open"
            command = [sys.executable, "-c", OPEN, str(path), what]
            runs = [
                [float(word) for word in subprocess.check_output(command, text=True).split()]
                for _ in range(REPEATS)
            ]
            _, opened, gaze, memory = np.median(np.array(runs), axis=0)
            first = f"{gaze:.2f} s" if what == "gaze" else ""
            rows.append(f"| {name} | {opened:.2f} s | {first} | {memory:.0f} MB |")
            print(rows[-1], file=sys.stderr)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(
        "# Opening data sets\n\n"
        f"{datetime.date.today()}, {os.cpu_count()} processors ({platform.machine()}), "
        f"{platform.system()}, Python {platform.python_version()}, NumPy {np.__version__}. Medians "
        f"of {REPEATS}; files are in the system's cache. Made by benchmarks/datasets.py.\n\n"
        "| form | opened | first gaze | memory |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    main()
