"""The check of a network is given method, samples and protocol, and needs no run."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.sample import Gaze, Sample
from emomap.sanity.check import STEPS, check
from emomap.scoring.protocol import Protocol
from tests.sanity.test_faithfulness import trained

PROTOCOL = Protocol(metrics=("cc", "nss"), sigma=5, stretch=True)


def looked(density: bool) -> Gaze:
    """Gaze at the middle of a picture of 40 x 40 pixels."""
    if density:
        rows, columns = np.mgrid[:40, :40]
        return Gaze((40, 40), density=np.exp(-((rows - 20) ** 2 + (columns - 20) ** 2) / 50))
    return Gaze((40, 40), np.array([[20.0, 20.0], [18.0, 22.0]]))


@pytest.mark.parametrize(("density", "names"), [(False, ["cc", "nss"]), (True, ["cc"])])
def test_both_checks_of_a_network(
    tmp_path: Path, rng: np.random.Generator, density: bool, names: list[str]
) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(file)
    sample = Sample("a", file, gaze_source=partial(looked, density))
    found = check(trained(), [sample], PROTOCOL, name="net", show=False)
    assert found.pictures == 1
    assert len(found.randomised) == 1 + STEPS
    assert all(list(row) == ["share", "likeness", *names] for row in found.randomised)
    assert found.randomised[0]["likeness"] == pytest.approx(1)
    lost, curves = found.tables()
    assert lost.title.startswith("net: maps") and "(1 images)" in lost.title
    assert [name.partition(" ")[0].lower() for name in lost.header[2:]] == names
    assert [row[0] for row in curves.rows] == ["deletion", "insertion"]
    assert found.to_dict()["curves"] == found.curves
