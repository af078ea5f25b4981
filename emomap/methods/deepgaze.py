"""DeepGaze I, IIE, III and MSDB (Kümmerer et al.), by the package `deepgaze_pytorch`.

The package brings the networks and downloads their weights. Here are the centre bias that they
need and the log-density that they return. DeepGaze I (ICLR workshop 2015), IIE (Linardos
2021), III (Kümmerer 2022), MSDB (Kümmerer 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from emomap import io
from emomap.errors import EmomapError, UsageError
from emomap.io.kinds import MapKind
from emomap.method import Image, Method, Prediction
from emomap.models.pictures import resized
from emomap.sample import Dataset

#: How to install the package, which PyPI does not have.
INSTALL = "pip install git+https://github.com/matthias-k/DeepGaze"
#: Side of the grid on which the centre bias of the training gaze is estimated.
GRID = 128
#: Standard deviation of its Gaussian kernel, as a share of the side of the picture.
BANDWIDTH = 0.04
#: Share of the even spread in it, so that no place is impossible.
EVEN = 0.01
#: By how much the logarithm of the sum of a density may differ from 0.
TOLERANCE = 0.01


class DeepGaze(Method):
    """DeepGaze. Its maps are log-densities of the size of the picture.

    Args:
        variant: "I", "IIE", "III" or "MSDB", where the installed package has it.
        centerbias: "train" for the gaze of the training split, "uniform", or the path of a
            log-density (.npy, such as the package's ``centerbias_mit1003.npy``), which is resized.
        weights: "default" for those that the package downloads, "none" for random ones, or the path
            or URL of a state dictionary.
        sha256: hash of that file, see `emomap.nn.weights`.
        scanpath: for "III", which predicts the next fixation: the last four fixations, the latest
            first, each [x, y] in shares of the sides of the picture.

    Raises:
        ValueError: an impossible option.
    """

    finishes: ClassVar[bool] = True
    alone: ClassVar[bool] = True
    map_kind: MapKind = "log-density"

    def __init__(
        self,
        *,
        variant: Literal["I", "IIE", "III", "MSDB"] = "IIE",
        centerbias: str = "train",
        weights: str = "default",
        sha256: str = "",
        scanpath: Sequence[Sequence[float]] = (),
    ) -> None:
        if (variant == "III") != bool(scanpath):
            raise ValueError(
                'scanpath: variant "III" predicts the next fixation after a scanpath, so it needs '
                "one, e.g. scanpath=[[0.5, 0.5]]; the other variants take none"
            )
        if any(len(place) != 2 or not all(0 <= v <= 1 for v in place) for place in scanpath):
            raise ValueError("scanpath: a list of [x, y] in 0..1")
        self.variant = variant
        self.centerbias = centerbias
        self.weights = weights
        self.sha256 = sha256
        self.scanpath = scanpath
        self._bias: NDArray[np.float64] | None = None
        self._module: Any = None

    def check(self) -> None:
        """Find the package and the variant, and read the centre bias.

        Raises:
            UsageError: one of them is missing.
            EmomapError: the file of the centre bias or of the weights is damaged.
        """
        self._class()
        if self.centerbias not in {"train", "uniform"}:
            self._bias = _read_bias(self.centerbias)

    def fit(self, train: Dataset, validation: Dataset) -> None:
        """Estimate the centre bias on the gaze of the training split, where that is asked for.

        Raises:
            EmomapError: there is no gaze.
        """
        if self.centerbias == "train":
            self._bias = train_bias(train)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """A log-density (H, W) of each picture."""
        return [Prediction(map=self._predict(image)) for image in images]

    def _predict(self, image: Image) -> NDArray[np.float32]:
        import torch
        from scipy.special import logsumexp

        module = self._ready()
        device = next(module.parameters()).device
        shape = (image.shape[0], image.shape[1])
        pixels = torch.from_numpy(image.transpose(2, 0, 1)[None].astype(np.float32)).to(device)
        bias = torch.from_numpy(self._bias_of(shape)[None].astype(np.float32)).to(device)
        with torch.inference_mode():
            found = module(pixels, bias, *self._history(module, shape, device))
        values = np.asarray(found.double().cpu().numpy()).squeeze()
        total = logsumexp(values)
        if values.shape != shape or not abs(total) < TOLERANCE:
            raise EmomapError(
                f"deepgaze_pytorch returned {values.shape} values whose exponentials have the "
                f"logarithm of their sum at {total:g}, not a log-density of {shape}"
            )
        return np.asarray(values - total, np.float32)

    def _history(self, module: Any, shape: tuple[int, int], device: Any) -> tuple[Any, ...]:
        """The fixations before the one that is predicted, x and y (1, N), for DeepGaze III."""
        import torch

        if not self.scanpath:
            return ()
        wanted = len(getattr(module, "included_fixations", range(4)))
        places = [list(place) for place in self.scanpath][:wanted]
        places += [[np.nan, np.nan]] * (wanted - len(places))  # not there: the package's own mark
        points = torch.tensor(places, dtype=torch.float32, device=device)
        points = points * torch.tensor(shape[::-1], device=device)
        return points[None, :, 0], points[None, :, 1]

    def _bias_of(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """The centre bias as a log-density of this size."""
        if self.centerbias == "uniform":
            return np.full(shape, -np.log(shape[0] * shape[1]))
        if self._bias is None:
            raise UsageError(
                f"deepgaze: centerbias='{self.centerbias}' needs the gaze of a training split; "
                "here take uniform, or a file: --set method.deepgaze.centerbias=FILE.npy"
            )
        density = np.maximum(resized(np.exp(self._bias - self._bias.max()), shape), 1e-12)
        return np.asarray(np.log(density / density.sum()))

    def _class(self) -> Any:
        try:
            import deepgaze_pytorch
        except ImportError as error:
            raise UsageError(f"deepgaze needs the package deepgaze_pytorch: {INSTALL}") from error
        found = getattr(deepgaze_pytorch, f"DeepGaze{self.variant}", None)
        if found is None:
            raise UsageError(
                f"deepgaze: the installed deepgaze_pytorch has no DeepGaze{self.variant}; update "
                f"it ({INSTALL}) or choose another variant"
            )
        return found

    def _ready(self) -> Any:
        """The network, loaded when it is first needed."""
        if self._module is not None:
            return self._module
        from emomap.nn.network import pick_device
        from emomap.nn.weights import load_weights

        try:
            module = self._class()(pretrained=self.weights == "default")
        except OSError as error:
            raise EmomapError(
                f"the weights of DeepGaze{self.variant} cannot be downloaded ({error}); get the "
                "file elsewhere and name it with --set method.deepgaze.weights=FILE"
            ) from error
        if self.weights not in {"default", "none"}:
            load_weights(module, self.weights, f"DeepGaze{self.variant}", self.sha256)
        self._module = module.to(pick_device(self.device)).eval()
        return self._module


def train_bias(train: Dataset) -> NDArray[np.float64]:
    """The log-density of all fixations, in units of the sides of the pictures.

    A Gaussian kernel (`BANDWIDTH`), mirrored at the borders, with a share of an even spread.

    Args:
        train: samples with fixations.

    Returns:
        (GRID, GRID) float64.

    Raises:
        EmomapError: there are no fixations.
    """
    from scipy.ndimage import gaussian_filter

    counts = np.zeros((GRID, GRID))
    for sample in train:
        gaze = sample.gaze()
        if gaze is None or gaze.points is None:
            continue
        shares = (gaze.points[gaze.inside] + 0.5) / np.array(gaze.shape[::-1])
        columns, rows = np.clip((shares * GRID).astype(int), 0, GRID - 1).T
        np.add.at(counts, (rows, columns), 1)
    if not counts.any():
        raise EmomapError(
            "deepgaze: the training split has no fixations for a centre bias; say "
            "--set method.deepgaze.centerbias=uniform, or name a file"
        )
    smooth = gaussian_filter(counts / counts.sum(), BANDWIDTH * GRID, mode="reflect")
    return np.asarray(np.log((1 - EVEN) * smooth / smooth.sum() + EVEN / counts.size))


def _read_bias(path: str) -> NDArray[np.float64]:
    values = io.read_map(Path(path).expanduser(), logarithm=True).astype(np.float64)
    if not np.isfinite(values.max()) or values.max() > np.log(values.size):
        raise EmomapError(
            f"{path}: values up to {values.max():g} are not a log-density; a centre bias holds the "
            "natural logarithm of a density"
        )
    return values
