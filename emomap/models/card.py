"""The card of a model file: where it is, how a picture goes in, which tensor comes out as the map.

file = "model.onnx"                 # beside the card; or a URL, or hf://USER/REPOSITORY/FILE
sha256 = "8968fe8266a305c3..."      # of the file; a URL needs it
license = "Apache-2.0"

[input]
size = [480, 640]                   # height, width; or "as it is"
layout = "NHWC"
range = [0.0, 1.0]                  # what the values 0 and 255 become

[output]
name = "saliency"
kind = "map"                        # or "density", "log-density"
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from annotated_types import Ge, Le, Len

from emomap.errors import EmomapError, UsageError
from emomap.io.cache import REMOTE
from emomap.io.kinds import MapKind
from emomap.io.schema import built, read_toml

if TYPE_CHECKING:
    from pydantic import ConfigDict

#: A key that a card does not know is a mistake, which would change the map unseen.
CLOSED: ConfigDict = {"strict": True, "allow_inf_nan": False, "extra": "forbid"}

Runtime = Literal["onnx", "tflite", "torchscript", "pt2"]
#: The runtime of a file by its ending. A TorchScript file is often called .pt, as are others.
RUNTIMES: Mapping[str, Runtime] = {
    ".onnx": "onnx",
    ".tflite": "tflite",
    ".pt2": "pt2",
    ".ts": "torchscript",
    ".torchscript": "torchscript",
}
Side = Annotated[int, Ge(1), Le(16384)]
Numbers3 = Annotated[list[float], Len(1, 3)]


@dataclass(frozen=True)
class ModelInput:
    """How a picture becomes the tensor that the model takes.

    The picture is resized, scaled to ``range``, normalised by ``mean`` and ``std``, and its
    colours and axes are put in order, in this order.

    Attributes:
        name: of the tensor; "" for the only one.
        size: height and width in pixels, the side of a square, or "as it is" for the picture's own.
        layout: order of the axes: batch, colour, height, width; without N for a model that takes
            one picture without a batch axis.
        range: what the values 0 and 255 of the picture become.
        mean, std: taken off and divided by after that, one number or one for each colour, in the
            order of ``colour``.
        colour: order of the colours; "grey" for one channel.
        fit: "stretch" the picture to the size, or keep its aspect ratio and pad it ("letterbox").
        pad: value of the padding, in 0..255.
        interpolation: of the resizing, with antialiasing.
    """

    size: Literal["as it is"] | Side | Annotated[list[Side], Len(2, 2)]
    name: str = ""
    layout: Literal["NCHW", "NHWC", "CHW", "HWC"] = "NCHW"
    range: Annotated[list[float], Len(2, 2)] = field(default_factory=lambda: [0.0, 1.0])
    mean: Numbers3 = field(default_factory=lambda: [0.0])
    std: Numbers3 = field(default_factory=lambda: [1.0])
    colour: Literal["RGB", "BGR", "grey"] = "RGB"
    fit: Literal["stretch", "letterbox"] = "stretch"
    pad: Annotated[int, Ge(0), Le(255)] = 0
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "area"] = "bilinear"
    __pydantic_config__ = CLOSED

    @property
    def channels(self) -> int:
        """The number of colours."""
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int] | None:
        """Height and width that each picture is brought to; None for "as it is"."""
        if self.size == "as it is":
            return None
        return (
            (self.size, self.size) if isinstance(self.size, int) else (self.size[0], self.size[1])
        )


@dataclass(frozen=True)
class ModelOutput:
    """Which tensor is the map, and what its values are.

    Attributes:
        name: of the tensor, or for PyTorch its number or key; "" for the only one.
        kind: "map" for values of any scale, "density" for one that sums to one, "log-density" for
            its natural logarithm.
        channel: which channel is the map, where there are several.
        resize: bring the map to the size of the picture, bilinearly, whatever its aspect ratio.
    """

    name: str = ""
    kind: MapKind = "map"
    channel: Annotated[int, Ge(0)] | None = None
    resize: bool = False
    __pydantic_config__ = CLOSED


@dataclass(frozen=True)
class ModelCard:
    """What `emomap` must know to make maps with a model file.

    Attributes:
        file: a path, relative to the card; a URL; or ``hf://USER/REPOSITORY/FILE``.
        input, output: see `ModelInput` and `ModelOutput`.
        sha256: hash of the file: all 64 digits, or at least 8; a URL needs all.
        license: under which the file may be used, for the reader.
        runtime: what runs it; "" to tell by the file's ending.
        batch: pictures at once.
        constants: the model's other inputs, each with one number or word everywhere.
    """

    file: str
    input: ModelInput
    output: ModelOutput = field(default_factory=ModelOutput)
    sha256: str = ""
    license: str = ""
    runtime: Runtime | Literal[""] = ""
    batch: Annotated[int, Ge(1), Le(4096)] = 1
    constants: dict[str, float | int | str] = field(default_factory=dict)
    __pydantic_config__ = CLOSED

    @property
    def engine(self) -> Runtime:
        """The runtime, by the ending of the file where the card does not say.

        Raises:
            UsageError: the ending says nothing.
        """
        return self.runtime or runtime_of(self.file)


def runtime_of(file: str) -> Runtime:
    """What runs a model file, by its ending.

    Raises:
        UsageError: the ending says nothing.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in RUNTIMES:
        raise UsageError(
            f"{file}: its ending does not say what runs it; say onnx, tflite, torchscript or pt2: "
            "runtime in the card, --runtime for `methods card`"
        )
    return RUNTIMES[suffix]


def read_card(path: Path) -> dict[str, Any]:
    """The numbers of a card, checked; the file's path is then absolute.

    Raises:
        EmomapError: ``CARD: key: what is wrong``.
    """
    numbers = read_toml(path)
    card = make_card(numbers, str(path))
    if not REMOTE.match(card.file):
        numbers["file"] = str((path.parent / Path(card.file).expanduser()).resolve())
    return numbers


def make_card(numbers: Mapping[str, Any], where: str) -> ModelCard:
    """A card from its numbers.

    Args:
        where: what is being read, for messages.

    Raises:
        EmomapError: ``where: key: what is wrong``.
    """
    card: ModelCard = built(numbers, ModelCard, where)
    for key, fits, expected in _rules(card):
        if not fits:
            raise EmomapError(f"{where}: {key}: expected {expected}")
    return card


def _rules(card: ModelCard) -> Iterator[tuple[str, bool, str]]:
    """What a schema cannot say: key, whether it is so, and what is expected."""
    wanted = card.input
    yield "sha256", not card.sha256 or _is_hash(card.sha256), "8 to 64 hexadecimal digits"
    remote = card.file.startswith("http")
    whole = len(card.sha256) == 64
    yield "sha256", whole or not remote, "all 64 digits, since the file is downloaded"
    yield "input.range", wanted.range[0] < wanted.range[1], "the lower number first"
    yield "input.std", all(value > 0 for value in wanted.std), "numbers above 0"
    for key, values in (("mean", wanted.mean), ("std", wanted.std)):
        fits = len(values) in {1, wanted.channels}
        yield f"input.{key}", fits, f"one number, or one for each of {wanted.channels} colours"
    free = wanted.size == "as it is"
    yield "input.fit", not free or wanted.fit == "stretch", "stretch, since letterbox needs a size"
    yield "batch", not free or card.batch == 1, "1, since pictures differ in size"
    batched = wanted.layout.startswith("N")
    yield "batch", batched or card.batch == 1, f"1, since {wanted.layout} has no batch axis"


def _is_hash(text: str) -> bool:
    return 8 <= len(text) <= 64 and all(digit in "0123456789abcdefABCDEF" for digit in text)
