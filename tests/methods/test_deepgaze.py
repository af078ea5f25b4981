"""DeepGaze's adapter, with a stand-in of the package's interface and random weights.

The package itself and its weights cannot be had in these tests.
"""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from emomap.errors import EmomapError, UsageError
from emomap.method import build
from emomap.methods.deepgaze import GRID, DeepGaze, train_bias
from emomap.sample import Dataset, Gaze, Sample

SHAPE = (30, 44)


class StandIn(nn.Module):
    """(B, 3, H, W) in 0..255 and a log-density (B, H, W) to a log-density (B, 1, H, W)."""

    def __init__(self, pretrained: bool = True) -> None:
        super().__init__()
        if pretrained:
            raise OSError("no network")
        torch.manual_seed(1)
        self.layer = nn.Conv2d(3, 1, 3, padding=1)
        self.seen: list[Any] = []

    def forward(self, images: Tensor, centerbias: Tensor, *history: Tensor) -> Tensor:
        self.seen.append((images, centerbias, history))
        raw = self.layer(images / 255)[:, 0] + centerbias
        return raw.flatten(1).log_softmax(1).view_as(raw)[:, None]


class StandIn3(StandIn):
    included_fixations = (-1, -2, -3, -4)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    found = types.ModuleType("deepgaze_pytorch")
    found.DeepGazeI = found.DeepGazeIIE = StandIn  # type: ignore[attr-defined]
    found.DeepGazeIII = StandIn3  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deepgaze_pytorch", found)
    return found


@pytest.fixture
def image(rng: np.random.Generator) -> Any:
    return rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8)


def dataset(points: Any) -> Dataset:
    """One sample with these fixations, in pixels."""
    gaze = Gaze((100, 200), points=np.asarray(points, float))
    sample = Sample("a", Path("a.png"), None, "train", gaze_source=lambda: gaze)
    return Dataset("one", (sample,), ())


def made(**options: Any) -> DeepGaze:
    found = build(DeepGaze, "deepgaze", {"weights": "none", "centerbias": "uniform", **options})
    assert isinstance(found, DeepGaze)
    found.device = "cpu"
    return found


@pytest.mark.usefixtures("package")
def test_the_map_is_the_log_density_of_the_package(image: Any) -> None:
    method = made()
    method.check()
    found = method.predict([image])[0].map
    assert found is not None
    assert found.shape == SHAPE
    assert np.exp(found.astype(float)).sum() == pytest.approx(1, abs=1e-4)
    pixels = torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32))
    even = torch.full((1, *SHAPE), -float(np.log(SHAPE[0] * SHAPE[1])))
    with torch.no_grad():
        wanted = StandIn(pretrained=False)(pixels, even)[0, 0].numpy()
    assert np.allclose(found, wanted, atol=1e-5)
    assert method.map_kind == "log-density"


@pytest.mark.usefixtures("package")
def test_the_centre_bias_of_the_training_gaze(image: Any) -> None:
    method = made(centerbias="train")
    with pytest.raises(UsageError, match="needs the gaze of a training split"):
        method.predict([image])
    data = dataset([[150, 20]] * 5)
    method.fit(data, data)
    method.predict([image])
    seen = method._module.seen[-1][1][0].numpy()
    assert np.exp(seen.astype(float)).sum() == pytest.approx(1, abs=1e-4)
    row, column = np.unravel_index(seen.argmax(), SHAPE)
    assert (row + 0.5) / SHAPE[0] == pytest.approx(0.2, abs=0.04)
    assert (column + 0.5) / SHAPE[1] == pytest.approx(0.75, abs=0.04)


def test_the_centre_bias_equals_a_naive_sum_of_kernels() -> None:
    bias = np.exp(train_bias(dataset([[100, 50], [30, 80]])))
    assert bias.shape == (GRID, GRID)
    assert bias.sum() == pytest.approx(1)
    cells = np.arange(GRID)
    total = np.zeros((GRID, GRID))
    for x, y in ((100.5 / 200, 50.5 / 100), (30.5 / 200, 80.5 / 100)):
        column, row = int(x * GRID), int(y * GRID)
        across = np.exp(-0.5 * ((cells - column) / (0.04 * GRID)) ** 2)
        down = np.exp(-0.5 * ((cells - row) / (0.04 * GRID)) ** 2)
        total += np.outer(down / down.sum(), across / across.sum()) / 2
    assert np.allclose(bias, 0.99 * total + 0.01 / GRID**2, atol=2e-6)


@pytest.mark.usefixtures("package")
def test_the_centre_bias_of_a_file_is_resized(image: Any, tmp_path: Path) -> None:
    density = np.zeros((60, 88))
    density[:, 44:] = 1 / (60 * 44)
    with np.errstate(divide="ignore"):
        np.save(tmp_path / "bias.npy", np.log(density))
    method = made(centerbias=str(tmp_path / "bias.npy"))
    method.check()
    method.predict([image])
    seen = np.exp(method._module.seen[-1][1][0].numpy().astype(float))
    assert seen.sum() == pytest.approx(1, abs=1e-4)
    assert seen[:, 23:].sum() > 0.95
    np.save(tmp_path / "bias.npy", density)
    with pytest.raises(EmomapError, match="not a log-density"):
        np.save(tmp_path / "bias.npy", density * 1e6)
        method.check()


@pytest.mark.usefixtures("package")
def test_deepgaze_iii_gets_a_scanpath(image: Any) -> None:
    method = made(variant="III", scanpath=[[0.5, 0.5], [0.25, 1.0]])
    method.predict([image])
    x, y = method._module.seen[-1][2]
    assert x.shape == y.shape == (1, 4)
    assert x[0, :2].tolist() == [22.0, 11.0]
    assert y[0, :2].tolist() == [15.0, 30.0]
    assert x[0, 2:].isnan().all()
    for options in ({"variant": "III"}, {"variant": "I", "scanpath": [[0.5, 0.5]]}):
        with pytest.raises(UsageError, match="scanpath"):
            made(**options)
    with pytest.raises(UsageError, match="scanpath"):
        made(variant="III", scanpath=[[0.5, 1.5]])


def test_what_is_missing_is_named(
    image: Any, package: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="no DeepGazeMSDB; update"):
        made(variant="MSDB").check()
    with pytest.raises(EmomapError, match=r"weights of DeepGazeIIE cannot be downloaded"):
        made(weights="default").predict([image])
    monkeypatch.setitem(sys.modules, "deepgaze_pytorch", None)
    with pytest.raises(UsageError, match="pip install git"):
        made().check()


def test_what_is_no_log_density_is_refused(image: Any, package: types.ModuleType) -> None:
    class Wrong(StandIn):
        def forward(self, images: Tensor, centerbias: Tensor, *history: Tensor) -> Tensor:
            return super().forward(images, centerbias, *history).exp()

    package.DeepGazeIIE = Wrong  # type: ignore[attr-defined]
    with pytest.raises(EmomapError, match="not a log-density"):
        made().predict([image])


def test_a_data_set_without_fixations_has_no_centre_bias() -> None:
    with pytest.raises(EmomapError, match="no fixations"):
        train_bias(dataset(np.zeros((0, 2))))
