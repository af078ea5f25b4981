"""The same network in each form of file gives the same maps as the module it came from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from emomap.errors import EmomapError, UsageError
from emomap.models.method import ModelFile
from emomap.models.model import open_model
from emomap.models.skeleton import skeleton
from tests.models.files import MAKERS, SIZE, Several, Small, onnx, tflite


@pytest.fixture
def picture(rng: np.random.Generator) -> Any:
    return rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)


def expected(picture: Any) -> Any:
    tensor = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 255)
    with torch.no_grad():
        return Small()(tensor)[0, 0].numpy()


def method(file: Path, **changes: Any) -> ModelFile:
    layout = "NHWC" if file.suffix == ".tflite" else "NCHW"
    name = "map" if file.suffix == ".tflite" else ""
    card = {"input": {"size": list(SIZE), "layout": layout}, "output": {"name": name}, **changes}
    made = ModelFile(file=str(file), **card)
    made.trust = True
    return made


@pytest.mark.parametrize("runtime", MAKERS)
def test_maps_are_those_of_the_module(runtime: str, tmp_path: Path, picture: Any) -> None:
    made = method(MAKERS[runtime](tmp_path, Small()))
    made.check()
    found = made.predict([picture, picture[::-1].copy()])
    assert np.abs(found[0].map - expected(picture)).max() < 1e-4
    assert np.abs(found[1].map - expected(picture[::-1].copy())).max() < 1e-4


@pytest.mark.parametrize("runtime", MAKERS)
def test_a_skeleton_needs_no_change_where_the_file_tells_all(
    runtime: str, tmp_path: Path, picture: Any
) -> None:
    import tomllib

    file = MAKERS[runtime](tmp_path, Small())
    card = tomllib.loads(skeleton(file, trust=True))
    card["file"] = str(file)
    if runtime == "torchscript":  # it does not tell sizes
        assert card["input"]["size"] == "as it is"
    else:
        assert card["input"]["size"] == list(SIZE)
    card["output"].setdefault("name", "")
    if runtime == "tflite":
        card["output"]["name"] = "map"  # its declared output is another
    made = ModelFile(**card)
    made.trust = True
    made.check()
    assert np.abs(made.predict([picture])[0].map - expected(picture)).max() < 1e-4


@pytest.mark.parametrize("runtime", ["torchscript", "pt2"])
def test_programs_are_not_run_without_trust(runtime: str, tmp_path: Path, picture: Any) -> None:
    file = MAKERS[runtime](tmp_path, Small())
    made = method(file)
    made.trust = False
    for call in (made.check, lambda: made.predict([picture]), lambda: skeleton(file)):
        with pytest.raises(UsageError, match="--trust"):
            call()


@pytest.mark.parametrize("runtime", MAKERS)
def test_a_damaged_file_is_one_line(runtime: str, tmp_path: Path) -> None:
    file = MAKERS[runtime](tmp_path, Small())
    whole = file.read_bytes()
    for content in (b"", whole[: len(whole) // 2], b"not a model" * 100):
        file.write_bytes(content)
        with pytest.raises(EmomapError) as caught:
            method(file).check()
        assert str(file) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match="there is no such file"):
        method(tmp_path / "none.onnx").check()


def test_an_open_size_takes_each_picture_as_it_is(tmp_path: Path, picture: Any) -> None:
    made = method(onnx(tmp_path, Small(), free=True), input={"size": "as it is"})
    tall = np.repeat(picture, 2, axis=0)
    assert made.predict([picture, tall])[1].map.shape == tall.shape[:2]
    assert np.abs(made.predict([tall])[0].map - expected(tall)).max() < 1e-4


def test_batches_give_the_same_maps(tmp_path: Path, picture: Any) -> None:
    file = onnx(tmp_path, Small(), free=True)
    pictures = [np.roll(picture, step, axis=1) for step in range(5)]
    one = method(file).predict(pictures)
    four = method(file, batch=4).predict(pictures)  # the second batch has one picture
    for first, second in zip(one, four, strict=True):
        assert np.abs(first.map - second.map).max() < 1e-5


def test_several_outputs_and_channels(tmp_path: Path, picture: Any) -> None:
    file = onnx(tmp_path, Several())
    with pytest.raises(UsageError, match=r"2 outputs.*count.*planes"):
        method(file).check()
    with pytest.raises(UsageError, match="no tensor is called 'plane'"):
        method(file, output={"name": "plane"}).check()
    with pytest.raises(EmomapError, match=r"several channels; output\.channel"):
        method(file, output={"name": "planes"}).check()
    with pytest.raises(EmomapError, match="has 4 channels"):
        method(file, output={"name": "planes", "channel": 4}).check()
    with pytest.raises(EmomapError, match="is not a map"):
        method(file, output={"name": "count"}).check()
    made = method(file, output={"name": "planes", "channel": 2})
    assert np.abs(made.predict([picture])[0].map - expected(picture)).max() < 1e-4


@pytest.mark.parametrize("runtime", ["torchscript", "pt2"])
def test_outputs_of_torch_files_have_numbers(runtime: str, tmp_path: Path, picture: Any) -> None:
    file = MAKERS[runtime](tmp_path, Several())
    with pytest.raises(UsageError, match="several outputs"):
        method(file).check()
    with pytest.raises(UsageError, match="no output '7'"):
        method(file, output={"name": "7"}).check()
    made = method(file, output={"name": "1", "channel": 2})
    assert np.abs(made.predict([picture])[0].map - expected(picture)).max() < 1e-4


@pytest.mark.parametrize(
    "input",
    [
        {"size": [32, 40]},
        {"size": [24, 40], "layout": "NHWC"},
        {"size": [24, 40], "layout": "CHW"},
        {"size": [24, 40], "colour": "grey"},
        {"size": [24, 40], "name": "image"},
    ],
)
@pytest.mark.parametrize("runtime", ["onnx", "pt2"])
def test_a_card_that_lies_about_the_input(runtime: str, input: Any, tmp_path: Path) -> None:
    file = MAKERS[runtime](tmp_path, Small())
    with pytest.raises(EmomapError) as caught:
        method(file, input=input).check()
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_inner_tensor_has_near_names(tmp_path: Path) -> None:
    file = tflite(tmp_path, Small())
    with pytest.raises(UsageError, match="no tensor is called 'mape'; there are map"):
        open_model(file, "tflite", output="mape")


@pytest.mark.parametrize(
    ("module", "extra"),
    [("onnxruntime", "onnx"), ("ai_edge_litert.interpreter", "tflite")],
)
def test_a_missing_runtime_names_the_extra(
    module: str, extra: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    file = tmp_path / f"model.{extra}"
    file.write_bytes(b"x")
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UsageError, match=rf"pip install 'emomap\[{extra}\]'"):
        method(file, output={}).check()
