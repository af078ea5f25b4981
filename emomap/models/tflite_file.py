"""TensorFlow Lite files, run by ai-edge-litert (extra ``tflite``)."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError, listed
from emomap.io.files import read_bytes
from emomap.models.model import Slot, as_dtype, damaged

#: Larger files cannot be a flatbuffer.
MAX_BYTES = 2**31


class TFLiteFile:
    """A TFLite file, see `emomap.models.model.Model`.

    Any inner tensor may be the output: exports often declare only what an app shows.

    Raises:
        UsageError: ai-edge-litert is not installed, or no tensor has the name.
        EmomapError: not a TFLite file.
    """

    def __init__(self, file: Path, output: str) -> None:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise UsageError(
                f"{file} needs ai-edge-litert: pip install 'emomap[tflite]'"
            ) from error
        content = bytearray(read_bytes(file, MAX_BYTES, "a TFLite file"))
        try:
            with _silent_stderr():
                tensors = Interpreter(model_content=bytes(content)).get_tensor_details()
        except (ValueError, RuntimeError) as error:
            raise damaged(file, "TFLite", error) from error
        if output:
            _declare(content, _index(tensors, output, file))
        with _silent_stderr():
            self._runner = Interpreter(model_content=bytes(content), num_threads=1)
            self._runner.allocate_tensors()
        self._in = {entry["name"]: entry for entry in self._runner.get_input_details()}
        self._out = {entry["name"]: entry for entry in self._runner.get_output_details()}
        self.inputs = [_slot(entry) for entry in self._in.values()]
        self.outputs = [_slot(entry) for entry in self._out.values()]

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """The values of an output; quantised ones are scaled back."""
        changed = False
        for name, values in feeds.items():
            entry = self._in[name]
            if entry["dtype"] is not np.bytes_ and tuple(entry["shape"]) != values.shape:
                self._runner.resize_tensor_input(entry["index"], values.shape, strict=True)
                entry["shape"] = np.array(values.shape)
                changed = True
        if changed:
            self._runner.allocate_tensors()
        for name, values in feeds.items():
            self._runner.set_tensor(self._in[name]["index"], _quantised(values, self._in[name]))
        self._runner.invoke()
        entry = self._out[output] if output else next(iter(self._out.values()))
        found = np.asarray(self._runner.get_tensor(entry["index"]))
        scale, zero = entry["quantization"]
        return (found.astype(np.float32) - zero) * scale if scale else found


def _slot(entry: Mapping[str, Any]) -> Slot:
    if entry["dtype"] is np.bytes_:
        return Slot(entry["name"], (), "string")
    signature = entry["shape_signature"] if len(entry["shape_signature"]) else entry["shape"]
    shape = tuple(None if size < 0 else int(size) for size in signature)
    # a quantised input takes numbers of the picture's range; `run` quantises them
    kind = "float32" if entry["quantization"][0] else np.dtype(entry["dtype"]).name
    return Slot(entry["name"], shape, kind)


def _quantised(values: NDArray[Any], entry: Mapping[str, Any]) -> NDArray[Any]:
    scale, zero = entry["quantization"]
    if not scale:
        return values
    return as_dtype(values / np.float32(scale) + zero, np.dtype(entry["dtype"]).name)


def _index(tensors: list[dict[str, Any]], name: str, file: Path) -> int:
    """The number of a tensor."""
    named = {entry["name"]: int(entry["index"]) for entry in tensors if entry["name"]}
    if name not in named:
        import difflib

        near = difflib.get_close_matches(name, named, n=5, cutoff=0.3) or list(named)
        raise UsageError(f"{file}: no tensor is called '{name}'; there are {listed(near, 5)}")
    return named[name]


def _declare(content: bytearray, index: int) -> None:
    """Make a tensor the first output of the model, in the bytes of its file.

    The runtime's own way, keeping all tensors, takes many times the memory and a quarter of a
    minute at the start.
    """
    from ai_edge_litert import schema_py_generated as schema

    graph = schema.Model.GetRootAs(content, 0).Subgraphs(0)
    outputs = graph.OutputsAsNumpy()
    if index not in outputs:
        outputs[0] = index


@contextlib.contextmanager
def _silent_stderr() -> Iterator[None]:
    """Without what the runtime's C++ prints on stderr each time that it starts."""
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
