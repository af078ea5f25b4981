"""The script that learns the parameters of Objectness, run on two pictures."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import fit_objectness
from benchmarks.objectness_scenes import scenes
from emomap.methods.objectness import Parameters, objectness
from tests.methods.pictures import picture


def test_voc(tmp_path: Path) -> None:
    Image.fromarray(picture(600, 800)).save(tmp_path / "a.png")
    (tmp_path / "a.xml").write_text(
        "<annotation><filename>a.png</filename><object><name>dog</name><bndbox><xmin>1</xmin>"
        "<ymin>101</ymin><xmax>400</xmax><ymax>300</ymax></bndbox></object></annotation>"
    )
    (tmp_path / "b.xml").write_text("<annotation><filename>b.png</filename></annotation>")
    [(image, boxes)] = fit_objectness.read_voc(tmp_path, tmp_path)
    assert image.shape == (300, 400, 3)
    np.testing.assert_allclose(boxes, [[0, 50, 199, 149]])


def test_coco(tmp_path: Path) -> None:
    Image.fromarray(picture(100, 120)).save(tmp_path / "a.png")
    annotations = [
        {"image_id": 7, "bbox": [10, 20, 30, 40]},
        {"image_id": 7, "bbox": [0, 0, 5, 5], "iscrowd": 1},
    ]
    images = [{"id": 7, "file_name": "a.png"}, {"id": 8, "file_name": "none.png"}]
    (tmp_path / "i.json").write_text(json.dumps({"images": images, "annotations": annotations}))
    [(image, boxes)] = fit_objectness.read_coco(tmp_path / "i.json", tmp_path)
    assert image.shape == (100, 120, 3)
    np.testing.assert_allclose(boxes, [[10, 20, 39, 59]])


def test_scenes_have_boxed_objects_and_repeat_with_their_seed() -> None:
    for (image, boxes), (again, _) in itertools.islice(zip(scenes(None, 3), scenes(None, 3)), 3):  # noqa: B905
        np.testing.assert_array_equal(image, again)
        assert image.dtype == np.uint8
        assert (boxes[:, 2:] - boxes[:, :2] >= 9).all()
        assert (boxes >= 0).all()
        assert (boxes[:, 2:] < [image.shape[1], image.shape[0]]).all()


def test_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_objectness, "WINDOWS", 600)
    monkeypatch.setattr(
        fit_objectness,
        "GRID",
        {"MS": (0.2, 0.4), "CC": (50.0, 100.0), "SS": (450.0,), "ED": (17.0,)},
    )
    pictures = list(itertools.islice(scenes(None, 1), 2))
    np.savez(tmp_path / "learnt.npz", **fit_objectness.fit(pictures, "two scenes"))  # type: ignore[arg-type]
    learnt = Parameters.load(tmp_path / "learnt.npz")
    assert set(learnt.theta_MS) <= {0.2, 0.4}
    assert learnt.theta_CC in (50.0, 100.0)
    assert 0 < learnt.prior < 1
    for table in learnt.likelihoods.values():
        np.testing.assert_allclose(table.sum(axis=1), 1)
        assert (table > 0).all()
    found = objectness(pictures[0][0], parameters=learnt, drawn=2000)
    assert found.max() == 1
