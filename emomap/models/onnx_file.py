"""ONNX files, run by onnxruntime (extra ``onnx``)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap.errors import UsageError
from emomap.models.model import Slot, damaged

_TYPES = {"tensor(float)": "float32", "tensor(double)": "float64", "tensor(string)": "string"}


class OnnxFile:
    """An ONNX file, see `emomap.models.model.Model`.

    Raises:
        UsageError: onnxruntime is not installed.
        EmomapError: not an ONNX file.
    """

    def __init__(self, file: Path, output: str) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise UsageError(f"{file} needs onnxruntime: pip install 'emomap[onnx]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors; a warning says nothing about the map
        try:
            self._session = onnxruntime.InferenceSession(
                str(file), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's errors have no common base
            raise damaged(file, "ONNX", error) from error
        self.inputs = [_slot(entry) for entry in self._session.get_inputs()]
        self.outputs = [_slot(entry) for entry in self._session.get_outputs()]

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """The values of an output."""
        found = self._session.run([output or self.outputs[0].name], dict(feeds))
        return np.asarray(found[0])


def _slot(entry: Any) -> Slot:
    shape = tuple(size if isinstance(size, int) else None for size in entry.shape)
    kind = _TYPES.get(entry.type) or entry.type.removeprefix("tensor(").removesuffix(")")
    return Slot(entry.name, shape, kind)
