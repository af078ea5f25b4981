"""Model files of one small network, in every form that emomap reads."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

SIZE = (24, 40)


class Small(nn.Module):
    """A blurred, weighted sum of the colours: (B, 3, H, W) to (B, 1, H, W), not negative."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Conv2d(3, 1, 5, padding=2)
        nn.init.uniform_(self.layer.weight, 0.0, 0.2)

    def forward(self, images: Tensor) -> Tensor:
        return self.layer(images).relu()


class Several(Small):
    """The same with two outputs and four channels, of which number 2 is the map."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found = super().forward(images)
        return found.mean(dim=(1, 2, 3)), torch.cat([-found, 0 * found, found, 2 - found], dim=1)


def onnx(folder: Path, module: nn.Module, *, free: bool = False) -> Path:
    """An ONNX file; ``free`` leaves batch, height and width open."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    file = folder / "model.onnx"
    names = ["count", "planes"] if isinstance(module, Several) else ["saliency"]
    axes = {0: "batch", 2: "height", 3: "width"} if free else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own older exporter
        torch.onnx.export(
            module.eval(),
            (torch.zeros(1, 3, *SIZE),),
            str(file),
            input_names=["picture"],
            output_names=names,
            dynamic_axes={"picture": axes} if axes else None,
            dynamo=False,
        )
    return file


def torchscript(folder: Path, module: nn.Module) -> Path:
    file = folder / "model.ts"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch would rather have `torch.export`
        torch.jit.save(torch.jit.trace(module.eval(), torch.zeros(1, 3, *SIZE)), str(file))
    return file


def exported(folder: Path, module: nn.Module) -> Path:
    file = folder / "model.pt2"
    torch.export.save(torch.export.export(module.eval(), (torch.zeros(1, 3, *SIZE),)), file)
    return file


def tflite(folder: Path, module: nn.Module) -> Path:
    """A TFLite file of a `Small`, written layer by layer: pad as the convolution, then ReLU.

    Its declared output is an inner tensor of no use, as in exports for apps; the map is `map`.
    """
    pytest.importorskip("ai_edge_litert")
    flatbuffers = pytest.importorskip("flatbuffers")
    from ai_edge_litert import schema_py_generated as schema

    assert isinstance(module, Small)
    weight = module.layer.weight.detach().numpy().transpose(0, 2, 3, 1)
    assert module.layer.bias is not None
    bias = module.layer.bias.detach().numpy()

    def tensor(name: str, shape: list[int], buffer: int) -> object:
        found = schema.TensorT()
        found.name, found.shape, found.buffer = name, shape, buffer
        found.type = schema.TensorType.FLOAT32
        return found

    def buffer(values: np.ndarray | None) -> object:
        found = schema.BufferT()
        if values is not None:
            data = np.ascontiguousarray(values, np.float32).tobytes()
            found.data = np.frombuffer(data, np.uint8)
        return found

    convolution, tanh = schema.OperatorT(), schema.OperatorT()
    convolution.opcodeIndex, convolution.inputs, convolution.outputs = 0, [0, 1, 2], [3]
    options = schema.Conv2DOptionsT()
    options.padding, options.strideH, options.strideW = schema.Padding.SAME, 1, 1
    options.fusedActivationFunction = schema.ActivationFunctionType.RELU
    options.dilationHFactor = options.dilationWFactor = 1
    convolution.builtinOptionsType = schema.BuiltinOptions.Conv2DOptions
    convolution.builtinOptions = options
    tanh.opcodeIndex, tanh.inputs, tanh.outputs = 1, [3], [4]

    graph = schema.SubGraphT()
    graph.tensors = [
        tensor("picture", [1, *SIZE, 3], 0),
        tensor("weight", list(weight.shape), 1),
        tensor("bias", [1], 2),
        tensor("map", [1, *SIZE, 1], 0),
        tensor("shown", [1, *SIZE, 1], 0),
    ]
    graph.inputs, graph.outputs, graph.operators = [0], [4], [convolution, tanh]
    codes = []
    for code in (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.TANH):
        entry = schema.OperatorCodeT()
        entry.builtinCode = entry.deprecatedBuiltinCode = code
        entry.version = 1
        codes.append(entry)
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs = 3, codes, [graph]
    model.buffers = [buffer(None), buffer(weight), buffer(bias)]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    file = folder / "model.tflite"
    file.write_bytes(bytes(builder.Output()))
    return file


MAKERS: dict[str, Callable[[Path, nn.Module], Path]] = {
    "onnx": onnx,
    "torchscript": torchscript,
    "pt2": exported,
    "tflite": tflite,
}
