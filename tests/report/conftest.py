"""A finished run with everything that a report can show, and with names that look like markup."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.data import open_dataset
from emomap.experiment.bench import bench

#: Names that would run if they were not escaped. One has no slash, so that files can have it.
EVIL = "<img src onerror>"
ALSO_EVIL = "x'\"<script>alert(2)<script>"


def disc(rng: np.random.Generator, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A picture with a bright disc, and the mask of the disc."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    y, x = rng.uniform(30, size[0] - 30), rng.uniform(30, size[1] - 30)
    mask = (rows - y) ** 2 + (columns - x) ** 2 < 20**2
    noise = rng.integers(80, 130, (*size, 3))
    return np.where(mask[..., None], (230, 60, 40), noise).astype(np.uint8), mask


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fifty pictures, a folder of maps, and the finished run on them."""
    root = tmp_path_factory.mktemp("report")
    photos, maps = root / "photos", root / "maps"
    for folder in (photos / "images", photos / "fixations", maps):
        folder.mkdir(parents=True)
    (photos / "dataset.toml").write_text(f"name = {json.dumps(ALSO_EVIL)}\nsynthetic = true\n")
    rng = np.random.default_rng(7)
    for index in range(50):
        name = f"{index:02d}" if index else EVIL
        size = (136, 180) if index % 2 else (180, 136)
        image, mask = disc(rng, size)
        Image.fromarray(image).save(photos / "images" / f"{name}.png")
        spots = np.argwhere(mask)[rng.integers(0, mask.sum(), 15)]
        lines = [f"{x},{y},{i % 3}" for i, (y, x) in enumerate(spots)]
        table = "x,y,observer\n" + "\n".join(lines) + "\n"
        (photos / "fixations" / f"{name}.csv").write_text(table)
        guess = 180 * mask + rng.integers(20, 60, size)
        Image.fromarray(guess.astype(np.uint8)).save(maps / f"{name}.png")
    bench(
        ["uniform", "center", f"{EVIL}={maps}"],
        data=str(photos),
        baselines=False,
        split="all",
        out=root / "run",
        jobs=1,
        show=False,
    )
    complete(root / "run")
    return root


def complete(run: Path) -> None:
    """Add to a run what only slow methods write: training log and emotions."""
    summary = json.loads((run / "summary.json").read_text())
    summary["classes"] = ["awe", "fear", EVIL]
    summary["methods"]["net"] = {
        "accuracy": 0.75,
        "accuracy_interval": [0.6, 0.9],
        "confusion": [[8, 1, 1], [2, 7, 1], [0, 0, 30]],
        "metrics": {},
    }
    (run / "summary.json").write_text(json.dumps(summary))
    log = [
        {
            "epoch": epoch,
            "loss": 2 / epoch,
            "validation_loss": 2.2 / epoch,
            "validation_accuracy": 1 - 0.8 / epoch,
            "learning_rate": 0.01,
            "seconds": None,
        }
        for epoch in range(1, 13)
    ]
    home = run / "methods" / "net"
    home.mkdir(parents=True)
    (home / "training.jsonl").write_text("".join(json.dumps(line) + "\n" for line in log))


@pytest.fixture
def samples_of(made: Path) -> list[str]:
    """The ids of the pictures."""
    return [sample.id for sample in open_dataset(str(made / "photos"))]
