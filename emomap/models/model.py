"""A model file, opened: its inputs and outputs, and the call that runs it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from emomap.errors import EmomapError, UsageError
from emomap.models.card import Runtime


@dataclass(frozen=True)
class Slot:
    """An input or output of a model.

    Attributes:
        name: of the tensor.
        shape: with None for a size that the file leaves open; None if the file does not tell.
        dtype: NumPy's name of the type, or "string".
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: str = "float32"

    def __str__(self) -> str:
        """As ``image (?, 3, 480, 640) float32``."""
        if self.shape is None:
            return self.name
        sizes = ", ".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} ({sizes}) {self.dtype}"


class Model(Protocol):
    """An opened model file. It runs on the CPU, in one thread."""

    @property
    def inputs(self) -> Sequence[Slot]: ...

    @property
    def outputs(self) -> Sequence[Slot]:
        """Those that the file declares; none where it does not tell."""
        ...

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """The values of an output.

        Args:
            feeds: input -> values, in the type of the input.
            output: name of the output; "" for the only one.
        """
        ...


#: Where each runtime is wrapped.
OPENERS: Mapping[Runtime, str] = {
    "onnx": "emomap.models.onnx_file:OnnxFile",
    "tflite": "emomap.models.tflite_file:TFLiteFile",
    "torchscript": "emomap.models.torch_file:TorchScriptFile",
    "pt2": "emomap.models.torch_file:ExportedFile",
}
#: Runtimes whose files are programs, which may do anything that Python may.
PROGRAMS = frozenset({"torchscript", "pt2"})


def open_model(file: Path, runtime: Runtime, *, trust: bool = False, output: str = "") -> Model:
    """Open a model file.

    Args:
        file: the file, here.
        runtime: what runs it.
        trust: open files that are programs.
        output: the tensor that will be asked for, for runtimes that must know it before.

    Raises:
        UsageError: the runtime is not installed, the file is a program and not trusted, or there
            is no such output.
        EmomapError: the file is not what the runtime reads.
    """
    model = open_any(file, runtime, trust=trust, output=output)
    names = [slot.name for slot in model.outputs]
    if output and names and output not in names:
        raise UsageError(
            f"{file}: no tensor is called '{output}'; its outputs are "
            f"{'; '.join(map(str, model.outputs))}"
        )
    if not output and len(names) > 1:
        raise UsageError(
            f"{file}: it has {len(names)} outputs, so output.name must say which is the map: "
            f"{'; '.join(map(str, model.outputs))}"
        )
    return model


def open_any(file: Path, runtime: Runtime, *, trust: bool = False, output: str = "") -> Model:
    """Open a model file whose outputs are not known yet; arguments and errors of `open_model`."""
    if runtime in PROGRAMS and not trust:
        raise UsageError(
            f"{file}: a {runtime} file is a program, which can do anything on this machine; if you "
            "trust its source, add --trust"
        )
    module, _, name = OPENERS[runtime].partition(":")
    opener: Callable[[Path, str], Model] = getattr(importlib.import_module(module), name)
    return opener(file, output)


def damaged(file: Path, runtime: str, error: Exception) -> EmomapError:
    """The one line for a file that its runtime cannot read."""
    return EmomapError(f"{file}: not a {runtime} file, or damaged: {one_line(error)}")


def one_line(error: Exception) -> str:
    """The message of an error of a runtime, cut short."""
    return " ".join(str(error).split())[:160]


def as_dtype(values: NDArray[np.float32], dtype: str) -> NDArray[Any]:
    """Values in the type of an input; integers are rounded and clipped to their range."""
    if np.dtype(dtype).kind in "iu":
        limits = np.iinfo(dtype)
        values = values.round().clip(limits.min, limits.max)
    return values.astype(dtype)
