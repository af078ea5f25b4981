"""One contract for every named method and a user's own method: train, save, load, predict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap import method as registry
from emomap.errors import EmomapError
from emomap.io.checkpoint import NETWORK, checkpoint_in
from emomap.method import Method
from emomap.sample import Dataset, Sample
from emomap.training import train

#: Built-in ones, and one as a user names it.
#: Those that learned elsewhere need a file, see tests/models and test_deepgaze.py.
HERE = [name for name, entry in registry.BUILTIN.items() if entry.kind != "learned"]
NAMES = [*HERE, "tests.training.test_training:Toy"]
TOY = {"epochs": 1, "batch": 4, "crop": [1.0, 1.0], "threads": 1, "workers": 0}
CLASSES = ("awe", "fear")


def make(name: str) -> Method:
    """A method with its defaults; networks have toy size."""
    cls = registry.load(name)
    network = name in registry.BUILTIN and registry.BUILTIN[name].kind == "network"
    small = {"backbone": "small", "weights": "none", "size": 32} if network else {}
    return registry.build(cls, name, small)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Eight labelled pictures of different sizes: a coloured disc on noise."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(3)
    samples = []
    for index in range(8):
        height, width = 48 + 4 * index, 80 - 4 * index
        pixels = rng.integers(60, 120, (height, width, 3), dtype=np.uint8)
        rows, columns = np.mgrid[:height, :width]
        disc = (rows - 20) ** 2 + (columns - 30) ** 2 < 100
        pixels[disc] = (230, 40, 40) if index % 2 else (40, 40, 230)
        file = folder / f"{index}.png"
        Image.fromarray(pixels).save(file)
        samples.append(Sample(str(index), file, CLASSES[index % 2], "train"))
    return Dataset("contract", tuple(samples), CLASSES)


def ready(name: str, data: Dataset, folder: Path) -> Method:
    """The method, trained if it needs training."""
    made = make(name)
    if made.trainable:
        train(made, data, data, TOY, folder, device="cpu", progress=False)
    else:
        made.fit(data, data)
    return made


@pytest.mark.parametrize("name", NAMES)
def test_contract(name: str, pictures: Dataset, tmp_path: Path) -> None:
    made = ready(name, pictures, tmp_path)
    images = [sample.image() for sample in list(pictures)[:3]]
    kept = [image.copy() for image in images]
    predictions = made.predict(images)
    assert len(predictions) == 3
    for image, before in zip(images, kept, strict=True):
        np.testing.assert_array_equal(image, before, err_msg="the picture was changed")
    for image, prediction in zip(images, predictions, strict=True):
        check(made, image, prediction)
    for one, same in zip(predictions, made.predict(images), strict=True):
        np.testing.assert_array_equal(one.map, same.map)
        np.testing.assert_array_equal(one.probabilities, same.probabilities)
    if not made.trainable:
        with pytest.raises(EmomapError, match="nothing to load"):
            made.load(tmp_path / "x.pt")
        return
    again = make(name)
    with pytest.raises(EmomapError, match="trained"):
        again.predict(images)
    again.load(checkpoint_in(tmp_path, NETWORK), device="cpu")
    assert again.classes == CLASSES
    for one, same in zip(predictions, again.predict(images), strict=True):
        np.testing.assert_array_equal(one.map, same.map)
        np.testing.assert_array_equal(one.probabilities, same.probabilities)


def check(made: Method, image: Any, prediction: Any) -> None:
    """Check what every prediction must fulfil."""
    if made.gives_map:
        assert prediction.map.ndim == 2 and prediction.map.dtype.kind == "f"
        ratio = prediction.map.shape[1] / prediction.map.shape[0]
        assert ratio == pytest.approx(image.shape[1] / image.shape[0], rel=0.1)
        assert np.isfinite(prediction.map).all() and prediction.map.min() >= 0
    else:
        assert prediction.map is None
    if made.trainable:
        assert prediction.probabilities.shape == (2,)
        assert prediction.probabilities.min() >= 0
        assert prediction.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_picture_is_predicted(
    name: str, value: int, pictures: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.getbasetemp() / f"blank-{name.rpartition(':')[2]}"
    made = ready(name, pictures, home)
    blank = np.full((50, 70, 3), value, dtype=np.uint8)
    check(made, blank, made.predict([blank])[0])
