"""Weights from files and URLs: read them safely, check their hash, load them into a network."""

from __future__ import annotations

import hashlib
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from emomap.errors import EmomapError


def load_weights(
    model: nn.Module,
    weights: str,
    name: str,
    sha256: str = "",
    *,
    strict: bool = True,
    published: bool = True,
) -> None:
    """Load a state dictionary from a path or URL into a model, in place; the hash is checked.

    Args:
        model: receives the weights.
        weights: path or URL; the prefix of DataParallel and an enclosing "state_dict" are stripped.
        name: of the network, for messages.
        sha256: hexadecimal, 8 digits or more; by default those at the end of the file's name.
        strict: refuse weights that the model has no parameter for.
        published: False for somebody's own file, whose hash nobody knows.

    Raises:
        EmomapError: the file is missing, damaged, of another network, or has another hash.
    """
    file = _download(weights) if re.match(r"https?://", weights) else Path(weights).expanduser()
    _check_hash(file, sha256, required=published)
    state = read_state(file)
    if isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    state = {key.removeprefix("module."): value for key, value in state.items()}
    try:
        missing = model.load_state_dict(state, strict=strict).missing_keys
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:160]
        raise EmomapError(f"{file}: these are not the weights of {name}: {reason} ...") from error
    if missing:
        raise EmomapError(f"{file}: these are not the weights of {name}: no {missing[0]}")


def read_state(file: str | Path) -> dict[str, Any]:
    """Read a dictionary of tensors and plain values; a pickle with code in it is refused.

    Args:
        file: written by `torch.save`; tensors are loaded to the CPU.

    Raises:
        EmomapError: missing, unreadable, truncated, or not such a dictionary.
    """
    import pickle

    file = Path(file)
    try:
        with file.open("rb") as stream:
            stream.read(1)
    except FileNotFoundError as error:
        raise EmomapError(f"{file}: there is no such file") from error
    except OSError as error:
        raise EmomapError(f"{file}: cannot be read: {error.strerror or error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pickle of another kind: the error says enough
            state = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise EmomapError(
            f"{file}: not a plain file of weights: it is damaged, or wants to run code when read, "
            "which is refused; save the state_dict() instead"
        ) from error
    except Exception as error:  # depending on where the file is cut, even an OSError
        raise EmomapError(f"{file}: damaged or cut short; copy or download it again") from error
    if not isinstance(state, dict):
        raise EmomapError(f"{file}: holds a {type(state).__name__}, not a dictionary of weights")
    return state


def is_file(weights: str) -> bool:
    return "/" in weights or "\\" in weights or Path(weights).suffix in {".pth", ".pt", ".bin"}


def _check_hash(file: Path, sha256: str, *, required: bool = True) -> None:
    match = re.search(r"-([0-9a-f]{8,64})$", file.stem)
    wanted = sha256.lower() or (match.group(1) if match else "")
    if not file.exists():
        raise EmomapError(f"{file}: there is no such file")
    if not wanted and not required:
        return
    if len(wanted) < 8:
        raise EmomapError(
            f"{file}: its hash is not known; give it as sha256 (8 digits or more), or put it at "
            "the end of the file's name (NAME-75146217.pth)"
        )
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise EmomapError(f"{file}: cannot be read: {error.strerror or error}") from error
    if not found.startswith(wanted):
        raise EmomapError(
            f"{file}: its SHA-256 is {found[:16]}..., not {wanted}: damaged, or another file"
        )


def _download(url: str) -> Path:
    """The file of a URL, kept in the cache folder of torch.hub."""
    target = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[-1]
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(target), progress=False)
        except OSError as error:
            raise EmomapError(f"{url}: cannot be downloaded: {error}") from error
    return target
