"""Weights from files and URLs: read them safely, check their hash, load them into a network."""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PosixPath, PurePosixPath, PureWindowsPath, WindowsPath
from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import EmomapError, listed
from emomap.io.cache import check_hash, local_file
from emomap.io.files import unreadable
from emomap.progress import say

#: Keys under which training scripts put the weights within a checkpoint.
CONTAINERS = ("state_dict", "model_state_dict", "model", "model_ema", "network", "net", "weights")
#: What DataParallel and torch.compile put into names, at any place.
WRAPPERS = ("module.", "_orig_mod.")


def load_weights(
    model: nn.Module,
    weights: str,
    name: str,
    sha256: str = "",
    *,
    needed: nn.Module | None = None,
    published: bool = True,
) -> None:
    """Load weights from a file or URL into a model, in place; the hash is checked.

    They may lie in a checkpoint of a training script or of Lightning, and their names may have a
    prefix. Weights that the model has no place for are counted on stderr.

    Args:
        model: receives the weights.
        weights: path, URL, or ``hf://USER/REPOSITORY/FILE``; of `torch.save`, or safetensors.
        name: of the network, for messages.
        sha256: hexadecimal, 8 digits or more; by default those at the end of the file's name.
        needed: the part of the model that will be used. The rest, a classifier that is dropped, may
            be missing or have another size. None for all of it.
        published: False for somebody's own file, whose hash nobody knows.

    Raises:
        EmomapError: the file is missing, damaged, of another network, or has another hash.
    """
    file = _here(weights)
    _check_hash(file, sha256, required=published)
    found = _renamed(_tensors(read_weights(file)), model)
    own = model.state_dict()
    kept = _names_within(model, needed)
    wrong = [k for k in kept if k in found and found[k].shape != own[k].shape]
    missing = [k for k in kept if k not in found and not k.endswith("num_batches_tracked")]
    if wrong or missing:
        reason = (
            f"{wrong[0]} is {tuple(found[wrong[0]].shape)}, not {tuple(own[wrong[0]].shape)}"
            if wrong
            else f"no {missing[0]}" + (f" and {len(missing) - 1} more" * (len(missing) > 1))
        )
        raise EmomapError(f"{file}: these are not the weights of {name}: {reason}")
    fitting = {k: v for k, v in found.items() if k in own and v.shape == own[k].shape}
    model.load_state_dict(fitting, strict=False)
    unused = [k for k in found if k not in own]
    if unused:
        say(f"{file}: {len(unused)} weights that {name} has no place for: {listed(unused, 3)}")


def _names_within(model: nn.Module, needed: nn.Module | None) -> list[str]:
    """Names in the model of the weights of one of its parts."""
    own = model.state_dict(keep_vars=True)
    if needed is None:
        return list(own)
    used = {id(value) for value in needed.state_dict(keep_vars=True).values()}
    return [name for name, value in own.items() if id(value) in used]


def _tensors(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights within a checkpoint."""
    inner = next((k for k in CONTAINERS if isinstance(state.get(k), Mapping)), None)
    if inner:
        return _tensors(state[inner])
    return {key: value for key, value in state.items() if isinstance(value, Tensor)}


def _renamed(found: Mapping[str, Tensor], model: nn.Module) -> dict[str, Tensor]:
    """Weights under the names of the model: without wrappers and prefix, or with one put on.

    Of all such names, those are taken under which most weights fit.
    """
    own = model.state_dict()

    def fitting(given: Mapping[str, Tensor]) -> int:
        return sum(key in own and own[key].shape == value.shape for key, value in given.items())

    choices = [dict(found), _unwrapped(found)]
    choices += [again for given in list(choices) for again in _prefixed(given, list(own))]
    return max(choices, key=fitting)


def _unwrapped(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    plain = {}
    for key, value in found.items():
        for wrapper in WRAPPERS:
            key = key.removeprefix(wrapper).replace(f".{wrapper}", ".")
        plain[key] = value
    return plain


def _prefixed(found: Mapping[str, Tensor], own: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """The weights with each prefix taken off, or put on, that some of the model's names have."""
    some = own[:: max(1, len(own) // 40)]
    for prefix in sorted({key[: -len(n)] for n in some for key in found if key.endswith(f".{n}")}):
        yield {key.removeprefix(prefix): value for key, value in found.items()}
    for prefix in sorted({n[: -len(key)] for n in some for key in found if n.endswith(f".{key}")}):
        yield {prefix + key: value for key, value in found.items()}


def _here(weights: str) -> Path:
    """The file, downloaded if it is elsewhere."""
    if weights.startswith("hf://"):
        return local_file(weights)
    return _download(weights) if re.match(r"https?://", weights) else Path(weights).expanduser()


def read_weights(file: Path) -> dict[str, Any]:
    """A dictionary of tensors, from safetensors or `torch.save`; errors of `read_state`."""
    return dict(read_safetensors(file)[0]) if is_safetensors(file) else read_state(file)


def is_safetensors(file: Path) -> bool:
    """By its name, or by its first bytes: 8 of a length, then JSON."""
    if file.suffix == ".safetensors":
        return True
    try:
        with file.open("rb") as stream:
            return stream.read(9)[8:] == b"{"
    except OSError:
        return False  # the reader says what is wrong


def read_safetensors(file: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors of a safetensors file, on the CPU, and the texts of its header.

    Raises:
        EmomapError: missing, unreadable, or not such a file.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            names = opened.keys()  # it is no dictionary
            return {key: opened.get_tensor(key) for key in names}, opened.metadata() or {}
    except FileNotFoundError as error:
        raise EmomapError(f"{file}: there is no such file") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise EmomapError(
            f"{file}: not a safetensors file, damaged, or cut short: {error}"
        ) from error


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
    except OSError as error:
        raise unreadable(file, error) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a pickle of another kind: the error says enough
            # plain values that Lightning and scripts keep beside the weights
            plain: list[Any] = [
                argparse.Namespace,
                PosixPath,
                WindowsPath,
                PurePosixPath,
                PureWindowsPath,
            ]
            with torch.serialization.safe_globals(plain):
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


#: Endings of files of weights.
SUFFIXES = {".pth", ".pt", ".bin", ".safetensors", ".ckpt", ".tar"}


def is_file(weights: str) -> bool:
    return "/" in weights or "\\" in weights or Path(weights).suffix in SUFFIXES


def _check_hash(file: Path, sha256: str, *, required: bool = True) -> None:
    match = re.search(r"-([0-9a-f]{8,64})(\.[a-z]+)*$", file.name)
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
    check_hash(file, wanted)


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
