"""The true files and the layout samples of ../shared; skipped where that folder is absent."""

from __future__ import annotations

import io as bytes_io

import numpy as np
import pytest
from PIL import Image

from emomap import metrics
from emomap.data import open_dataset
from emomap.data.gaze import read_density
from emomap.data.marks import ISOLATED, isolation
from emomap.errors import EmomapError
from tests.conftest import shared


def test_true_osie_follows_the_authors_density() -> None:
    """Fixations from the authors' mat file, against maps that were made of their fixations."""
    found = open_dataset(shared("data/native/osie"))
    maps = shared("data/osie/maps")
    assert [sample.id for sample in found] == ["1001", "1003", "1004", "1005", "1006"]
    for sample in found:
        gaze = sample.gaze()
        assert gaze is not None
        assert gaze.points is not None
        assert gaze.observers is not None
        assert len(set(gaze.observers.tolist())) == 15
        assert gaze.inside.all()
        made = metrics.density(metrics.fixation_map(gaze.points, gaze.shape), found.sigma)
        assert metrics.cc(made, read_density(maps / f"{sample.id}.png")) > 0.99


@pytest.mark.parametrize("recording", ["mouse_amt", "mouse_lab"])
def test_true_osie_mouse_follows_the_eye(recording: str) -> None:
    eye = open_dataset(shared("data/native/osie"))
    mouse = open_dataset(shared("data/native/osie"), options={"gaze": recording})
    for one, other in zip(eye, mouse, strict=True):
        looked, pointed = one.gaze(), other.gaze()
        assert looked is not None
        assert pointed is not None
        maps = [
            metrics.density(metrics.fixation_map(gaze.points[gaze.inside], gaze.shape), 24)
            for gaze in (looked, pointed)
            if gaze.points is not None
        ]
        assert metrics.cc(*maps) > 0.6


def test_neutral_osie_is_the_native_one() -> None:
    native = {s.id: s for s in open_dataset(shared("data/native/osie"))}
    for sample in open_dataset(shared("data/osie")):
        if sample.id in native:
            one, other = sample.gaze(), native[sample.id].gaze()
            assert one is not None
            assert other is not None
            assert one.points is not None
            assert other.points is not None
            assert np.allclose(one.points, other.points, atol=1e-6)
            assert np.array_equal(one.observers, other.observers)
            assert np.array_equal(one.durations, other.durations)


def test_true_salicon_json() -> None:
    found = open_dataset(shared("data/native/salicon"))
    assert len(found) == 5
    for sample in found:
        gaze = sample.gaze()
        assert gaze is not None
        assert gaze.points is not None
        assert gaze.shape == (480, 640)
        assert gaze.inside.all()
        assert 5000 < len(gaze.points) < 9000
        assert gaze.points[:, 0].max() > 600  # columns reach beyond the height: not swapped


#: Layout sample -> images, sigma at which its maps were made (None: it has none or no fixations).
SAMPLES = {
    "Abstract": (3, None), "ArtPhoto": (8, None), "CAT2000": (4, 5), "EMOd": (3, 5),
    "EmoSet": (24, None), "Emotion6": (12, None), "EmotionROI": (12, None),
    "FI_folders": (17, None),
    "FI_nankai": (16, None), "FI_wscnet": (16, None), "MIT1003": (3, 6), "MIT300": (2, None),
    "NUSEF": (1, None), "PASCAL-S": (3, None), "SALICON": (2, 5), "Toronto": (3, 5),
    "TwitterI": (3, None),
}  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_layout_samples(name: str) -> None:
    count, sigma = SAMPLES[name]
    found = open_dataset(shared(f"data/native/fixtures/{name}"))
    assert len(found) == count
    for sample in found:
        assert sample.image().ndim == 3
        gaze = sample.gaze()
        if gaze is not None and gaze.points is not None:
            assert gaze.inside.all()
            if sigma:
                made = metrics.density(metrics.fixation_map(gaze.points, gaze.shape), sigma)
                assert metrics.cc(made, gaze.density) > 0.95


def test_links_without_pictures() -> None:
    with pytest.raises(EmomapError, match="downloads nothing"):
        open_dataset(shared("data/native/fixtures/FI_agg"))


@pytest.mark.parametrize("name", ["data/native/osie", "data/native/salicon"])
def test_true_fixations_as_maps_are_recognised(name: str) -> None:
    """Marks, counts and lossy marks on one side of the bound, blurred ones on the other."""
    for sample in open_dataset(shared(name)):
        gaze = sample.gaze()
        assert gaze is not None
        counts = np.asarray(metrics.fixation_map(gaze.points, gaze.shape), dtype=float)
        lossy = bytes_io.BytesIO()
        Image.fromarray((counts > 0).astype(np.uint8) * 255).save(lossy, "JPEG")
        for marks in (counts, counts > 0, np.asarray(Image.open(lossy))):
            assert isolation(marks) < ISOLATED
        for sigma in (1.5, 24):
            assert isolation(np.asarray(metrics.density(counts, sigma))) > ISOLATED
