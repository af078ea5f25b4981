"""`emomap show`: one picture with maps and gaze over it."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import metrics
from emomap.experiment.contender import parse
from emomap.io import read_image
from emomap.methods.islamnet import ISLAMNet
from tests.cli.conftest import Command


def test_maps_and_gaze_over_a_picture(
    emomap: Command, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    photo, table = dataset / "images/03.png", dataset / "fixations/03.csv"
    out = tmp_path / "overlay.png"
    ran = emomap("show", photo, "-m", "gbvs", "-m", "center", "--gaze", table, "-o", out)
    assert ran.code == 0, ran.err
    scores = dict(re.findall(r"^(\w+): NSS (\S+)$", ran.out, re.MULTILINE))
    assert ran.out.splitlines()[-1] == str(out)
    points = np.loadtxt(table, delimiter=",", skiprows=1, usecols=(0, 1))
    picture = read_image(photo)
    for name in ("gbvs", "center"):
        made = parse(name).make({}, "cpu").predict([picture])[0].map
        wanted = metrics.nss(made, metrics.fixation_map(points, picture.shape[:2]))
        assert float(scores[name]) == pytest.approx(float(wanted), abs=6e-4)
    wide, tall = Image.open(out).size
    assert wide == 3 * 960 and tall > 700
    by_set = emomap("show", photo, "-m", "gbvs", "--gaze", dataset, "-o", tmp_path / "b.svg")
    assert f"gbvs: NSS {scores['gbvs']}" in by_set.out
    assert "fixations" in (tmp_path / "b.svg").read_text()
    assert emomap("show", photo).out.splitlines() == ["gbvs", "03-maps.png"]
    assert (tmp_path / "03-maps.png").exists()


def test_emotions_of_a_trained_network(emomap: Command, dataset: Path, tmp_path: Path) -> None:
    network = ISLAMNet("small", "none", size=48, channels=16)
    network.classes = ("awe", "fear", "anger", "sadness")
    network.module = network.build(network.classes)
    network.save(tmp_path / "checkpoint.safetensors")
    photo = dataset / "images/03.png"
    ran = emomap("show", photo, "-m", "islamnet", "--checkpoint",
                 tmp_path / "checkpoint.safetensors", "-o", tmp_path / "a.png")  # fmt: skip
    assert ran.code == 0, ran.err
    shown = re.fullmatch(r"islamnet: (\w+ 0\.\d\d, ){2}\w+ 0\.\d\d", ran.out.splitlines()[0])
    assert shown


def test_what_cannot_be_shown(emomap: Command, dataset: Path, maps: Path, tmp_path: Path) -> None:
    photo = dataset / "images/03.png"
    (tmp_path / "outside.csv").write_text("x,y\n170,130\n-50,-4\n")
    (tmp_path / "far.csv").write_text("x,y\n-20,-4\n")
    for arguments, words in (
        ((tmp_path / "none.png",), "there is no such file"),
        ((photo, "-o", tmp_path / "a.txt"), "use one of .pdf"),
        ((photo, "-o", photo), "is the picture itself"),
        ((photo, "-m", "gbv"), "did you mean gbvs?"),
        ((photo, "-m", "islamnet"), "must be trained first"),
        ((photo, "-m", f"mine={maps}"), "emomap figure"),
        ((photo, "--gaze", tmp_path / "far.csv"), "no fixation lies inside"),
        ((photo, "--gaze", tmp_path / "none.csv"), "none.csv"),
        ((photo, "--gaze", maps / "../photos/fixations/03.csv", "-m", "jcdl"), "must be trained"),
    ):
        ran = emomap("show", *arguments)
        assert ran.code in {1, 2} and words in ran.err, ran.err
    other = tmp_path / "other.png"
    Image.open(photo).save(other)
    ran = emomap("show", other, "--gaze", dataset)
    assert ran.code == 2 and "gaze on a picture called other: none" in ran.err


def test_mistyped_words(emomap: Command, tmp_path: Path) -> None:
    ran = emomap("scroe", "a", "b")
    assert ran.code == 2 and "'scroe'; did you mean score?" in ran.err
    ran = emomap("qqq")
    assert ran.code == 2 and "there are bench, score" in ran.err
    ran = emomap("compare", tmp_path, tmp_path)
    assert ran.code == 2 and "emomap score A B --gt GT" in ran.err and "--per-image" in ran.err
