"""TorchScript and `torch.export` files, run by PyTorch. Both are programs, so trust is needed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from emomap.errors import UsageError, listed
from emomap.models.model import Slot, damaged
from emomap.nn.network import fixed_threads


class _TorchFile:
    """What both kinds have in common."""

    inputs: Sequence[Slot]
    outputs: Sequence[Slot] = ()  # they have no names that a user knows
    _module: Any

    def run(self, feeds: Mapping[str, NDArray[Any]], output: str) -> NDArray[Any]:
        """The values of an output."""
        tensors = [torch.from_numpy(feeds[slot.name]) for slot in self.inputs]
        with torch.inference_mode(), fixed_threads(1):
            return _chosen(self._module(*tensors), output)


class TorchScriptFile(_TorchFile):
    """A TorchScript file (``torch.jit.save``), see `emomap.models.model.Model`.

    Raises:
        EmomapError: not a TorchScript file.
    """

    def __init__(self, file: Path, output: str) -> None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # TorchScript is on its way out
                loaded: Any = torch.jit.load(str(file), map_location="cpu")  # type: ignore[no-untyped-call]
        except (RuntimeError, ValueError, OSError) as error:
            raise damaged(file, "TorchScript", error) from error
        self._module = loaded.eval()
        values = list(self._module.graph.inputs())[1:]  # the first is the module itself
        self.inputs = [Slot(value.debugName(), None) for value in values]


class ExportedFile(_TorchFile):
    """A file of ``torch.export.save``, see `emomap.models.model.Model`.

    Raises:
        EmomapError: not such a file.
    """

    def __init__(self, file: Path, output: str) -> None:
        try:
            program = torch.export.load(file)
        except Exception as error:  # a zip, a json and a pickle may each be damaged
            raise damaged(file, "torch.export", error) from error
        self._module = program.module()
        nodes = {node.name: node for node in program.graph.nodes if node.op == "placeholder"}
        wanted = [str(name) for name in program.graph_signature.user_inputs]
        self.inputs = [_slot(name, nodes[name].meta.get("val")) for name in wanted]


def _slot(name: str, value: Any) -> Slot:
    if not isinstance(value, torch.Tensor):
        return Slot(name, None)
    shape = tuple(size if type(size) is int else None for size in value.shape)
    return Slot(name, shape, str(value.dtype).removeprefix("torch."))


def _chosen(found: Any, output: str) -> NDArray[Any]:
    """One tensor out of what a module returns: a tensor, several, or a dictionary.

    Raises:
        UsageError: there is no such output, or there are several and none is named.
    """
    if isinstance(found, torch.Tensor):
        found = [found]
    known = dict(found) if isinstance(found, Mapping) else dict(enumerate(found))
    named = {str(key): value for key, value in known.items()}
    if not output and len(named) == 1:
        output = next(iter(named))
    if not isinstance(named.get(output), torch.Tensor):
        asked = f"no output '{output}'" if output else "several outputs"
        raise UsageError(f"the model has {asked}; output.name is one of {listed(named)}")
    return np.asarray(named[output].float().numpy())
