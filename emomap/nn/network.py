"""Base of all methods that are networks: options, input, checkpoint, prediction.

Derive from `NetworkMethod` and override `build` to add a network of your own; see
docs/own-methods.md. `emomap.training` trains it: a network only defines its losses.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NotRequired, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image as Pillow
from torch import Tensor, nn
from torch.nn import functional as F
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap.errors import EmomapError
from emomap.io.schema import STRICT, built, check
from emomap.method import Image, Method, Prediction, check_types
from emomap.nn.affect import WEIGHT, add_affect, affect_of, pooled
from emomap.nn.backbone import BackboneOptions
from emomap.nn.checkpoint import read_checkpoint, write_checkpoint
from emomap.nn.normalisation import IMAGENET, Normalisation
from emomap.parallel import MAX_THREADS

#: Marks a file as a checkpoint.
FORMAT = "emomap checkpoint 1"
#: Largest side of the input; features of a larger one fit in no memory.
MAX_SIZE = 4096
Result = TypeVar("Result")


class Checkpoint(TypedDict):
    """What a checkpoint holds."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    format: str
    method: str
    options: dict[str, Any]
    classes: list[str]
    recipe: dict[str, Any]
    weights: dict[str, Any]
    normalisation: NotRequired[dict[str, Any]]


class EmotionNetwork(nn.Module):
    """A network that classifies emotions and may return a map of where it looked.

    Parameters below the attribute ``backbone`` are trained with a learning rate of their own.

    Attributes:
        gates: name prefixes of the parameters that decide where the network looks. A recipe may
            train these more slowly.
        class_weights: (C,) weight of each emotion in `criterion`, or None; set by the training.
        label_smoothing: share of the label that `criterion` spreads over all emotions, in 0..1.
        loss: "cross_entropy" with the label, or "kl": with the distribution of people's answers.
        learns_distributions: whether `losses` uses `shares` whatever the loss is.
        shares: (B, C) distribution of people's answers on the batch that `losses` is given, NaN in
            rows without one; or None. Set by the training before each step.
    """

    gates: tuple[str, ...] = ()
    learns_distributions: ClassVar[bool] = False
    class_weights: Tensor | None
    shares: Tensor | None = None
    loss: str = "cross_entropy"

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("class_weights", None, persistent=False)
        self.label_smoothing = 0.0

    @property
    def normalisation(self) -> Normalisation:
        """What pictures are brought to, that of the backbone, else ImageNet's."""
        found = (getattr(part, "expects", None) for part in self.modules())
        return next((n for n in found if isinstance(n, Normalisation)), IMAGENET)

    def criterion(self, logits: Tensor, labels: Tensor, targets: Tensor | None = None) -> Tensor:
        """The loss of the training, with its class weights and its label smoothing.

        Cross entropy with the label, or with ``targets``. Where the training learns from
        distributions (``loss = "kl"``) and no targets are given: KL(people's answers || softmax of
        the logits); a picture without answers counts as if all had chosen its label.

        The weights have the mean 1 over the training pictures, and the mean is over the pictures
        of the batch. So parts of a batch of equal size give the mean of their losses.

        Args:
            logits: (B, C).
            labels: (B,) int64.
            targets: (B, C), the share of each emotion; None for all of it at the label.
        """
        if self.loss == "kl" and targets is None:
            return self._divergence(logits, labels)
        wanted = labels if targets is None else targets
        if self.class_weights is None:
            return F.cross_entropy(logits, wanted, label_smoothing=self.label_smoothing)
        losses = F.cross_entropy(
            logits, wanted, reduction="none", label_smoothing=self.label_smoothing
        )
        return (losses * self.class_weights[labels]).mean()

    def answers(self, labels: Tensor, otherwise: Tensor) -> Tensor:
        """(B, C) what people said of the batch; ``otherwise`` (B, C) where nobody was asked."""
        if self.shares is None or self.shares.shape != otherwise.shape:
            return otherwise
        shares = self.shares.to(otherwise.dtype)
        return torch.where(shares.isnan(), otherwise, shares)

    def _divergence(self, logits: Tensor, labels: Tensor) -> Tensor:
        classes = logits.shape[1]
        wanted = self.answers(labels, F.one_hot(labels, classes).to(logits.dtype))
        wanted = (1 - self.label_smoothing) * wanted + self.label_smoothing / classes
        losses = F.kl_div(logits.log_softmax(dim=1), wanted, reduction="none").sum(dim=1)
        if self.class_weights is not None:
            losses = losses * self.class_weights[labels]
        return losses.mean()

    def upright(self, features: Tensor, batch: int) -> Tensor:
        """The features (B, K) of the batch as it was given, of all that `losses` has looked at."""
        return features[:batch]

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Classify.

        Args:
            images: (B, 3, S, S), normalised.

        Returns:
            Logits (B, C), and maps (B, s, s) or None. `Prediction.map` is made from the maps.
        """
        raise NotImplementedError

    def losses(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss that training minimises, under the key "loss"; other keys are only logged.

        A network with losses of its own compares emotions by `criterion`.

        Args:
            images: (B, 3, S, S), normalised.
            labels: (B,) int64.
        """
        return {"loss": self.criterion(self(images)[0], labels)}


class NetworkMethod(Method):
    """A method that is a network.

    A subclass passes ``size`` on, keeps each constructor argument as an attribute of the same name
    (checkpoints record them), and overrides `build`.

    Attributes:
        size: side in pixels of the square input. Test pictures are resized to it as a whole, never
            cropped, so that a map covers its picture.
        classes: the emotions in the order of the logits, known once trained or loaded.
        module: the network, or None before that.
    """

    trainable: ClassVar[bool] = True

    def __init__(self, size: int) -> None:
        if not 16 <= size <= MAX_SIZE:
            raise ValueError(f"size={size}: the side of the input is 16 to {MAX_SIZE} pixels")
        self.size = size
        self.classes: tuple[str, ...] = ()
        self.module: EmotionNetwork | None = None
        self.threads = 0

    def build(self, classes: Sequence[str]) -> EmotionNetwork:
        """The untrained network for these emotions (``classes``, in the order of its logits)."""
        raise NotImplementedError

    @property
    def options(self) -> dict[str, Any]:
        """The options of the constructor, by name."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The defaults of the options. An option that an older file lacks has its default there."""
        parameters = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not p.empty}

    # ------------------------------------------------------------------------------ checkpoint

    def save(self, checkpoint: Path, recipe: Mapping[str, Any] | None = None) -> None:
        """Write all that `load` needs, and record the numbers of the training.

        Args:
            checkpoint: the file; it is replaced as a whole or not at all.
            recipe: numbers of the training.

        Raises:
            EmomapError: not trained, or the file cannot be written.
        """
        if self.module is None:
            raise EmomapError(f"{type(self).__name__} is not trained; there is nothing to save")
        state = {
            "format": FORMAT,
            "method": type(self).__name__,
            "options": self.options,
            "classes": list(self.classes),
            "recipe": dict(recipe or {}),
            "normalisation": self.module.normalisation.record(),
            "weights": {k: v.detach().cpu() for k, v in self.module.state_dict().items()},
        }
        write_checkpoint(checkpoint, state)

    def load(self, checkpoint: Path, *, device: str = "auto") -> None:
        """Take options, emotions and weights from a checkpoint.

        All options are those of the checkpoint, whatever the recipe says.

        Args:
            checkpoint: written by `save`.
            device: "auto" (the GPU where there is one), "cpu", "cuda", "cuda:1", "mps".

        Raises:
            EmomapError: missing, damaged, not a checkpoint, or one of another method.
        """
        state = read_checkpoint(checkpoint)
        if state.get("format") != FORMAT:
            raise EmomapError(
                f"{checkpoint}: not a checkpoint of emomap (`emomap train` writes one)"
            )
        check(state, Checkpoint, str(checkpoint))
        if state["method"] != type(self).__name__:
            raise EmomapError(
                f"{checkpoint}: a checkpoint of {state['method']}, not of {type(self).__name__}"
            )
        threads = state["recipe"].get("threads", 0)
        if type(threads) is not int or not 0 <= threads <= MAX_THREADS:
            raise EmomapError(
                f"{checkpoint}: recipe.threads: {threads!r} is not a number of threads"
            )
        try:
            # the checkpoint holds the weights, so pretrained ones are not needed
            kept = {**self.defaults(), **state["options"]}
            options = {key: kept[key] for key in self.options}
            if "weights" in options:
                options["weights"] = "none"
            check_types(type(self), options)
            fresh = type(self)(**options)
            module = fresh.build(state["classes"])
            if WEIGHT in state["weights"]:
                add_affect(module, width=state["weights"][WEIGHT].shape[1])
            module.load_state_dict(state["weights"])
            # older checkpoints were trained with ImageNet's, whatever their backbone
            expected = state.get("normalisation")
            expect(module, IMAGENET if expected is None else built(expected, Normalisation, "it"))
        except (
            KeyError,
            TypeError,
            ValueError,
            AttributeError,
            RuntimeError,
            EmomapError,
        ) as error:
            reason = " ".join(str(error).split())[:160]
            raise EmomapError(f"{checkpoint}: does not fit this version: {reason}") from error
        for key in options:
            setattr(self, key, kept[key])
        self.classes = tuple(state["classes"])
        self.threads = threads
        self.module = module.to(pick_device(device)).eval()

    # ------------------------------------------------------------------------------ prediction

    def prepare(self, image: Image) -> NDArray[np.uint8]:
        """A picture (H, W, 3) resized as a whole to (size, size, 3), as the network expects it."""
        expected = self.module.normalisation if self.module else IMAGENET
        return resize(image, self.size, expected.resampling)

    def predict(self, images: Sequence[Image]) -> list[Prediction]:
        """Maps at the size of each picture (float32, non-negative), and probabilities.

        Args:
            images: pictures (H, W, 3) uint8, of any sizes.

        Raises:
            EmomapError: neither trained nor loaded.
        """
        logits, maps = self.run(images, lambda module, batch: module(batch))
        probabilities = logits.double().softmax(dim=1).cpu().numpy()
        shown = [None] * len(images) if maps is None else self.upsample(maps, images)
        return [Prediction(m, p) for m, p in zip(shown, probabilities, strict=True)]

    def ratings(self, images: Sequence[Image]) -> NDArray[np.float64] | None:
        """Valence and arousal (N, 2) of each picture, on the scale of the training pictures.

        None where the network was not trained with ``training.affect = true``.
        """
        if self.module is None or affect_of(self.module) is None:
            return None

        def rate(module: EmotionNetwork, batch: Tensor) -> NDArray[np.float64]:
            head, backbone = affect_of(module), module.backbone
            found: Tensor = head(pooled(backbone(batch)))  # type: ignore[misc, operator]
            return found.double().cpu().numpy()

        return self.run(images, rate)

    def run(
        self, images: Sequence[Image], function: Callable[[EmotionNetwork, Tensor], Result]
    ) -> Result:
        """What a function makes of the network, ready to predict, and a batch of pictures.

        It runs without gradients, on the device of the network and with its number of threads.

        Args:
            images: pictures (H, W, 3) uint8, of any sizes.
            function: takes the network and the batch (B, 3, size, size), normalised.

        Raises:
            EmomapError: neither trained nor loaded.
        """
        if self.module is None:
            raise EmomapError(f"{type(self).__name__} must be trained, or load a checkpoint, first")
        module = self.module.eval()
        device = next(module.parameters()).device
        batch = torch.from_numpy(np.stack([self.prepare(image) for image in images]))
        with torch.no_grad(), fixed_threads(self.threads):
            return function(module, module.normalisation(batch.to(device)))

    @staticmethod
    def upsample(maps: Tensor, images: Sequence[Image]) -> list[NDArray[np.float32]]:
        """Maps (B, s, s) at the size of each picture (float32, non-negative), bilinear."""
        found = []
        for small, image in zip(maps.float().cpu(), images, strict=True):
            height, width = image.shape[:2]
            large = F.interpolate(
                small[None, None], (height, width), mode="bilinear", align_corners=False
            )[0, 0]
            if large.min() < 0:  # only the order of the values counts
                large = large - large.min()
            found.append(np.asarray(large.numpy(), dtype=np.float32))
        return found


class BackboneMethod(NetworkMethod):
    """A network on a backbone that the options ``backbone``, ``weights`` and ``sha256`` choose.

    Args:
        size: see `NetworkMethod`.
        chosen: the values of these three options.
    """

    def __init__(self, size: int, chosen: BackboneOptions) -> None:
        super().__init__(size)
        self.backbone = chosen.backbone
        self.weights = chosen.weights
        self.sha256 = chosen.sha256

    @property
    def chosen(self) -> BackboneOptions:
        """The three options together."""
        return BackboneOptions(self.backbone, self.weights, self.sha256)


def expect(network: EmotionNetwork, normalisation: Normalisation) -> None:
    """Let a network expect pictures that are normalised in this way."""
    for part in network.modules():
        if isinstance(getattr(part, "expects", None), Normalisation):
            part.expects = normalisation  # type: ignore[assignment]


def resize(
    image: Image, size: int, resampling: Pillow.Resampling = Pillow.Resampling.BILINEAR
) -> NDArray[np.uint8]:
    """(H, W, 3) to (size, size, 3), with antialiasing; the aspect ratio is not kept."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Pillow.fromarray(image).resize((size, size), resampling))


def normalise(images: Tensor) -> Tensor:
    """(B, S, S, 3) uint8 to (B, 3, S, S) float32, by ImageNet's mean and deviation."""
    return IMAGENET(images)


def pick_device(device: str) -> torch.device:
    """ "auto" is the GPU if there is one, else the CPU.

    Raises:
        EmomapError: this machine has no such device.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        raise EmomapError(
            f"--device {device}: this machine has no such device; use auto, cpu or cuda"
        ) from error
    return chosen


def device_name(device: str) -> str:
    """Name of a device for the records: "cpu", or with the GPU's name ("cuda: NVIDIA H200")."""
    chosen = pick_device(device)
    if chosen.type != "cuda":
        return chosen.type
    return f"{chosen}: {torch.cuda.get_device_name(chosen)}"


@contextlib.contextmanager
def fixed_threads(threads: int) -> Iterator[None]:
    """Compute with this number of CPU threads, which changes the last digits; 0 for no change."""
    before = torch.get_num_threads()
    if threads:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
