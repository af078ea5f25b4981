"""Explanation maps as a method: of emomap's networks, and of somebody's own classifier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from emomap.errors import EmomapError, UsageError
from emomap.explain.kinds import LIBRARY, PREDICTED, TRUE, Explanation, needs_layer
from emomap.explain.layers import find_layer
from emomap.explain.maps import explanation_maps, load_library
from emomap.method import Image, Method, Prediction, find
from emomap.models.card import ModelInput
from emomap.models.pictures import to_tensor
from emomap.nn.network import EmotionNetwork, NetworkMethod, pick_device
from emomap.nn.normalisation import IMAGENET
from emomap.nn.weights import load_weights

Result = TypeVar("Result")


class Classifier(Protocol):
    """What can be explained: a `NetworkMethod`, or an `OwnClassifier`."""

    classes: tuple[str, ...]

    def run(self, images: Sequence[Image], function: Callable[[Any, Tensor], Result]) -> Result: ...


class Explained(Method):
    """The maps that explain a classifier, and its probabilities.

    Args:
        classifier: trained or loaded; not changed.
        explanation: how.
    """

    def __init__(self, classifier: Classifier, explanation: Explanation) -> None:
        self.classifier = classifier
        self.explanation = explanation
        self._layer = ""

    @property
    def classes(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the classifier."""
        return self.classifier.classes

    def check(self) -> None:
        """Refuse a missing library before any work."""
        if self.explanation.kind in LIBRARY:
            load_library()

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps at the size of each picture, and probabilities."""
        return self.predict_labelled(images, [None] * len(images))

    def predict_labelled(
        self, images: Sequence[Image], labels: Sequence[str | None]
    ) -> list[Prediction]:
        """Maps at the size of each picture, in 0..1 before they are resized, and probabilities.

        Raises:
            UsageError: an unknown layer or class, or a kind that does not suit the network.
            EmomapError: the true class is explained and a picture has no label.
        """

        def work(module: nn.Module, batch: Tensor) -> tuple[NDArray[np.float32], Tensor]:
            network = Logits(module) if isinstance(module, EmotionNetwork) else module
            logits = logits_of(network, batch)
            classes = self._chosen(logits, labels)
            kind = self.explanation.kind
            layer = self._find(network, batch[:1]) if needs_layer(kind) else ""
            return explanation_maps(network, batch, kind, classes, layer), logits

        maps, logits = self.classifier.run(images, work)
        probabilities = logits.double().softmax(dim=1).cpu().numpy()
        shown = NetworkMethod.upsample(torch.from_numpy(maps), images)
        return [Prediction(m, p) for m, p in zip(shown, probabilities, strict=True)]

    def _find(self, network: nn.Module, images: Tensor) -> str:
        """The layer, looked for once."""
        if not self._layer:
            name = self.explanation.layer
            if isinstance(network, Logits):
                has_backbone = isinstance(getattr(network.network, "backbone", None), nn.Module)
                name = name or ("backbone" if has_backbone else "")
                name = f"network.{name}" if name else ""
            self._layer = find_layer(network, images, name)
        return self._layer

    def _chosen(self, logits: Tensor, labels: Sequence[str | None]) -> list[int]:
        """The number of the class that is explained in each picture."""
        wanted = self.explanation.explained
        if wanted == PREDICTED:
            return [int(number) for number in logits.argmax(dim=1)]
        known = list(self.classes)
        if wanted == TRUE:
            missing = sorted({str(label) for label in labels if label not in known})
            if missing:
                raise EmomapError(
                    f"--explained true: some pictures have the label {missing[0]}, which is none "
                    f"of the classes ({', '.join(known[:10])}); take --explained predicted"
                )
            return [known.index(str(label)) for label in labels]
        if wanted not in known:
            raise UsageError(
                f"--explained {wanted}: no such class; there are {', '.join(known[:20])}, "
                "or predicted, or true"
            )
        return [known.index(wanted)] * len(logits)


class Logits(nn.Module):
    """A network of emomap as a classifier that returns its logits only."""

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, C)."""
        logits: Tensor = self.network(images)[0]
        return logits


class OwnClassifier(Method):
    """Somebody's own classifier: a function that builds a torch module, and its weights.

    Args:
        build: ``package.module:function``; it takes no argument.
        size: side in pixels of the square input; pictures are resized to it as a whole.
        mean, std: by which pictures in 0..1 are normalised, for each colour.
        interpolation: of the resizing, see `emomap.models.card.ModelInput`.
        classes: names of the classes in the order of the logits; their numbers by default.
    """

    def __init__(
        self,
        *,
        build: str,
        size: int = 224,
        mean: Sequence[float] = tuple(IMAGENET.mean),
        std: Sequence[float] = tuple(IMAGENET.std),
        interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "area"] = "bilinear",
        classes: Sequence[str] = (),
    ) -> None:
        if not 16 <= size <= 4096:
            raise ValueError(f"size={size}: the side of the input is 16 to 4096 pixels")
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ValueError("mean and std: three numbers each, std above 0")
        self.built_by = build
        self.input = ModelInput(size, mean=list(mean), std=list(std), interpolation=interpolation)
        self.classes = tuple(classes)
        self.module: nn.Module | None = None

    def load(self, checkpoint: Path, *, device: str = "auto") -> None:
        """Build the network and load its weights.

        Raises:
            UsageError: it cannot be built, or is no classifier of that many classes.
            EmomapError: the file is damaged, or holds the weights of another network.
        """
        self.device = device
        module = self._build()
        load_weights(module, str(checkpoint), self.built_by, published=False)
        self._settle(module)

    def check(self) -> None:
        """Build the network, unless that is done."""
        if self.module is None:
            self._settle(self._build())

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Probabilities; the maps are made by `Explained`."""
        logits = self.run(images, logits_of)
        return [Prediction(None, row) for row in logits.double().softmax(dim=1).cpu().numpy()]

    def run(self, images: Sequence[Image], function: Callable[[Any, Tensor], Result]) -> Result:
        """What a function makes of the network and a batch of pictures, without gradients."""
        self.check()
        assert self.module is not None
        module = self.module.eval()
        device = next((p.device for p in module.parameters()), torch.device("cpu"))
        tensors = [to_tensor(image, self.input)[0] for image in images]
        with torch.no_grad():
            return function(module, torch.from_numpy(np.stack(tensors)).to(device))

    def _build(self) -> nn.Module:
        function = find(self.built_by)
        try:
            module = function()
        except Exception as error:  # somebody's own function may fail in any way
            raise UsageError(
                f"{self.built_by}() cannot build the network: {type(error).__name__}: {error}; it "
                "must be a function that takes no argument"
            ) from error
        if not isinstance(module, nn.Module):
            raise UsageError(
                f"{self.built_by}() returned a {type(module).__name__}, not a torch.nn.Module"
            )
        return module

    def _settle(self, module: nn.Module) -> None:
        """Keep the network once it has classified a blank picture."""
        module = module.to(pick_device(self.device)).eval()
        self.module = module
        side = self.input.shape
        assert side is not None
        logits = self.run([np.zeros((*side, 3), np.uint8)], logits_of)
        count = logits.shape[1]
        if self.classes and len(self.classes) != count:
            self.module = None
            raise UsageError(
                f"{self.built_by}: the network has {count} classes, and {len(self.classes)} names "
                "were given with --classes"
            )
        self.classes = self.classes or tuple(str(number) for number in range(count))


def logits_of(network: nn.Module, images: Tensor) -> Tensor:
    """The logits (B, C) of a classifier.

    Raises:
        UsageError: it fails on pictures of this size, or returns something else.
    """
    try:
        with torch.no_grad():
            found = network(images)
    except (RuntimeError, ValueError, TypeError, AssertionError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UsageError(
            f"the network cannot take pictures of {images.shape[-1]} pixels: {reason}; "
            "--set method.NAME.size=... sets another size"
        ) from error
    if not isinstance(found, Tensor) or found.ndim != 2 or found.shape[0] != len(images):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UsageError(f"the network returns {shape}, not logits (pictures, classes)")
    return found
