"""Cards: what they may say, and how pictures and maps are changed by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emomap.errors import EmomapError
from emomap.models.card import ModelInput, ModelOutput, make_card, read_card
from emomap.models.pictures import WHOLE, to_map, to_tensor

GOOD: dict[str, Any] = {"file": "m.onnx", "input": {"size": [8, 8]}}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fil": "x"}, "fil"),
        ({"input": {}}, "input.size"),
        ({"input": {"size": [8, 8], "sise": 3}}, "input.sise"),
        ({"input": {"size": [8]}}, "input.size"),
        ({"input": {"size": 0}}, "input.size"),
        ({"input": {"size": "as is"}}, "input.size"),
        ({"input": {"size": 8, "layout": "HWNC"}}, "input.layout"),
        ({"input": {"size": 8, "range": [1.0, 0.0]}}, "input.range"),
        ({"input": {"size": 8, "std": [0.0]}}, "input.std"),
        ({"input": {"size": 8, "mean": [0.1, 0.2]}}, "input.mean"),
        ({"input": {"size": 8, "mean": [float("nan")]}}, "input.mean"),
        ({"input": {"size": 8, "colour": "grey", "std": [1.0, 1.0, 1.0]}}, "input.std"),
        ({"input": {"size": "as it is", "fit": "letterbox"}}, "input.fit"),
        ({"input": {"size": "as it is"}, "batch": 4}, "batch"),
        ({"input": {"size": 8, "layout": "CHW"}, "batch": 4}, "batch"),
        ({"output": {"kind": "logdensity"}}, "output.kind"),
        ({"output": {"channel": -1}}, "output.channel"),
        ({"sha256": "12345"}, "sha256"),
        ({"sha256": "xyzxyzxyz"}, "sha256"),
        ({"file": "https://x.org/m.onnx"}, "sha256"),
        ({"batch": 0}, "batch"),
        ({"runtime": "keras"}, "runtime"),
    ],
)
def test_what_a_card_may_not_say(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(EmomapError, match=f"^card: {words}"):
        make_card({**GOOD, **changes}, "card")


def test_the_file_lies_beside_the_card(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text('file = "m.onnx"\ninput.size = 8\n')
    assert read_card(tmp_path / "m.toml")["file"] == str(tmp_path / "m.onnx")
    (tmp_path / "m.toml").write_text('file = "hf://me/it/m.onnx"\ninput.size = 8\n')
    assert read_card(tmp_path / "m.toml")["file"] == "hf://me/it/m.onnx"
    (tmp_path / "m.toml").write_text("file = ")
    with pytest.raises(EmomapError, match=r"m\.toml"):
        read_card(tmp_path / "m.toml")


def test_the_order_of_what_is_done_to_a_picture(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (6, 10, 3), dtype=np.uint8)
    wanted = ModelInput(
        [6, 10], colour="BGR", range=[-1.0, 1.0], mean=[0.1, 0.2, 0.3], std=[0.5, 1.0, 2.0]
    )
    found, box = to_tensor(image, wanted)
    assert box == WHOLE
    for plane, colour in enumerate((2, 1, 0)):
        scaled = image[..., colour] / 255 * 2 - 1
        wanted_plane = (scaled - wanted.mean[plane]) / wanted.std[plane]
        assert np.allclose(found[plane], wanted_plane, atol=1e-6)
    last, _ = to_tensor(image, ModelInput([6, 10], layout="NHWC"))
    assert np.allclose(last, image / 255)
    grey, _ = to_tensor(image, ModelInput([6, 10], colour="grey"))
    assert grey.shape == (1, 6, 10)


@pytest.mark.parametrize("shape", [(20, 60), (60, 20), (37, 41), (200, 90)])
def test_a_letterbox_is_undone(shape: tuple[int, int]) -> None:
    """A bright spot comes back where it was, and the padding does not come back at all."""
    image = np.zeros((*shape, 3), np.uint8)
    row, column = shape[0] // 4, shape[1] * 3 // 4
    image[row - 2 : row + 3, column - 2 : column + 3] = 255
    tensor, box = to_tensor(image, ModelInput(64, fit="letterbox", pad=128))
    assert tensor.shape == (3, 64, 64)
    found = to_map(tensor[:1], "NCHW", ModelOutput(), box, shape)
    assert found.shape == shape
    peak = np.unravel_index(found.argmax(), shape)
    assert abs(peak[0] - row) <= 2
    assert abs(peak[1] - column) <= 2
    assert found[-1, 0] < 0.2  # black, not the grey of the padding, which is 0.5


def test_the_models_own_size_is_kept_where_the_aspect_ratio_is_the_pictures() -> None:
    values = np.arange(1200.0).reshape(30, 40)
    kept = to_map(values, "NCHW", ModelOutput(), WHOLE, (300, 400))
    assert kept.shape == (30, 40)
    assert to_map(values, "NCHW", ModelOutput(), WHOLE, (300, 300)).shape == (300, 300)


@pytest.mark.parametrize("kind", ["density", "log-density"])
def test_densities_sum_to_one_at_any_size(kind: Any, rng: np.random.Generator) -> None:
    density = rng.random((12, 16))
    density[0, 0] = 0
    density /= density.sum()
    with np.errstate(divide="ignore"):
        given = np.log(density) + 3.0 if kind == "log-density" else density * 7
    for shape in ((120, 160), (100, 300)):
        found = to_map(given, "NCHW", ModelOutput(kind=kind), WHOLE, shape).astype(np.float64)
        total = np.exp(found).sum() if kind == "log-density" else found.sum()
        assert total == pytest.approx(1, abs=1e-5)
    assert found.shape == (100, 300)
    assert np.isneginf(to_map(given, "NCHW", ModelOutput(kind=kind), WHOLE, (12, 16))[0, 0]) == (
        kind == "log-density"
    )


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (np.full((4, 4), np.nan), "map", "NaN"),
        (np.full((4, 4), np.nan), "log-density", "NaN"),
        (np.full((4, 4), -np.inf), "log-density", "no place"),
        (-np.ones((4, 4)), "density", "no density"),
        (np.zeros((4, 4)), "density", "no density"),
        (np.full((4, 4), -np.log(16.0)), "map", "log-density"),
        (np.zeros((1, 2)), "map", "is not a map"),
        (np.zeros(7), "map", "is not a map"),
        (np.zeros((3, 4, 4)), "map", "several channels"),
    ],
)
def test_an_output_that_is_not_what_the_card_says(values: Any, kind: Any, words: str) -> None:
    with pytest.raises(EmomapError, match=words):
        to_map(values, "NCHW", ModelOutput(kind=kind), WHOLE, (4, 4))


def test_only_the_order_of_a_maps_values_counts() -> None:
    values = np.array([[-2.0, 3.0], [0.0, 1.0]])
    assert np.allclose(to_map(values, "CHW", ModelOutput(), WHOLE, (2, 2)), values + 2)
