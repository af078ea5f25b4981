"""A small data set with gaze on disk, and the command line as a function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import cli


@dataclass(frozen=True)
class Ran:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


#: The command line as a function: ``emomap("score", maps, truth)``.
Command = Callable[..., Ran]


@pytest.fixture
def emomap(capfd: pytest.CaptureFixture[str]) -> Command:
    """Run the command line in this process, as `emomap ARGUMENTS` would."""

    def run(*arguments: object) -> Ran:
        capfd.readouterr()
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        return Ran(int(caught.value.code or 0), out, err)

    return run


def scene(rng: np.random.Generator, size: tuple[int, int] = (136, 180)) -> np.ndarray:
    """A picture with a bright disc somewhere on noise."""
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    y, x = rng.uniform(30, height - 30), rng.uniform(30, width - 30)
    disc = (rows - y) ** 2 + (columns - x) ** 2 < 20**2
    noise = rng.integers(80, 130, (height, width, 3))
    return np.where(disc[..., None], (230, 60, 40), noise).astype(np.uint8)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Twelve pictures in the neutral layout, with fixations of three observers."""
    root = tmp_path / "photos"
    rng = np.random.default_rng(7)
    (root / "fixations").mkdir(parents=True)
    (root / "images").mkdir()
    for index in range(12):
        image = scene(rng)
        Image.fromarray(image).save(root / "images" / f"{index:02d}.png")
        inside = np.argwhere(image[:, :, 0] > 200)
        spots = inside[rng.integers(0, len(inside), 15)]
        lines = [f"{x},{y},{i % 3},200" for i, (y, x) in enumerate(spots)]
        (root / "fixations" / f"{index:02d}.csv").write_text(
            "x,y,observer,duration\n" + "\n".join(lines) + "\n"
        )
    return root


@pytest.fixture
def maps(dataset: Path, tmp_path: Path) -> Path:
    """A map for each picture: its redness, at half the size."""
    folder = tmp_path / "maps"
    folder.mkdir()
    for path in sorted((dataset / "images").iterdir()):
        image = np.asarray(Image.open(path).resize((90, 68))).astype(float)
        redness = np.clip(image[:, :, 0] - image[:, :, 1], 0, 255).astype(np.uint8)
        Image.fromarray(redness).save(folder / path.name)
    return folder
