"""Files of networks: checkpoints as safetensors, their numbers in its header; other states.

Any program that reads safetensors has the weights under the names of the module. All else that
`emomap` needs (method, options, emotions, recipe) is one JSON text under ``emomap`` in the header.
Checkpoints of release 0.1, written by `torch.save`, are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from emomap import io
from emomap.errors import EmomapError
from emomap.io.checkpoint import checkpoint_named
from emomap.nn.weights import is_safetensors, read_safetensors, read_state

#: Key of the numbers in the header.
HEADER = "emomap"


def write_checkpoint(file: Path, state: Mapping[str, Any]) -> None:
    """Write a checkpoint atomically; `read_checkpoint` reads it.

    Args:
        file: the file. One that ends in ``.pt`` or ``.pth`` is written by `torch.save`.
        state: tensors under "weights"; all others are values that JSON can hold.

    Raises:
        EmomapError: an option that JSON cannot hold, a full disk, or a folder that is not writable.
    """
    from safetensors.torch import save

    if file.suffix in {".pt", ".pth"}:
        write_state(file, state)
        return
    try:
        header = json.dumps({key: value for key, value in state.items() if key != "weights"})
    except (TypeError, ValueError) as error:
        raise EmomapError(
            f"{file}: options of a network must be numbers, texts, lists or dictionaries: {error}"
        ) from error
    # tied weights share memory, which safetensors refuses
    weights = {key: value.contiguous().clone() for key, value in state["weights"].items()}
    content = save(weights, {HEADER: header})
    with io.atomic(file) as temporary:
        temporary.write_bytes(content)


def read_checkpoint(file: Path) -> dict[str, Any]:
    """What `write_checkpoint` or release 0.1 wrote; of any other file, what is in it.

    Raises:
        EmomapError: missing, unreadable, damaged, or a pickle with code in it.
    """
    file = checkpoint_named(file)
    if not is_safetensors(file):
        return read_state(file)
    weights, header = read_safetensors(file)
    if HEADER not in header:
        return dict(weights)
    try:
        numbers = json.loads(header[HEADER])
    except ValueError as error:
        raise EmomapError(f"{file}: damaged: its header is not JSON: {error}") from error
    if not isinstance(numbers, dict):
        raise EmomapError(f"{file}: damaged: its header is no JSON object")
    return {**numbers, "weights": weights}


def write_state(file: Path, state: Mapping[str, Any]) -> None:
    """Write a dictionary of tensors and plain values atomically; `read_state` reads it.

    Raises:
        EmomapError: the disk is full or the folder cannot be written.
    """
    stream = BytesIO()
    torch.save(dict(state), stream)
    with io.atomic(file) as temporary:
        temporary.write_bytes(stream.getbuffer())
