"""A trained network of emomap -> an ONNX or `torch.export` file, with its card."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from emomap import io
from emomap.errors import EmomapError, UsageError
from emomap.method import BUILTIN, Method, load
from emomap.nn.checkpoint import read_checkpoint
from emomap.nn.network import EmotionNetwork, NetworkMethod

#: Endings of the files that can be written.
ENDINGS = (".onnx", ".pt2")


class MapAndEmotions(nn.Module):
    """What is exported: normalised pictures (1, 3, S, S) to their map and probabilities."""

    def __init__(self, network: EmotionNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """(1, 3, S, S) to (1, s, s) and (1, C)."""
        logits, maps = self.network(picture)
        return maps, logits.softmax(dim=1)


def export(checkpoint: Path, out: Path, method: str = "") -> Path:
    """Write a network as a file that other programs run, and beside it the card to run it here.

    Args:
        checkpoint: of a training.
        out: ``NAME.onnx`` (needs the extra ``export``) or ``NAME.pt2``.
        method: name of the network, if it is none of emomap's own.

    Returns:
        The card, ``NAME.toml``.

    Raises:
        UsageError: another ending, no such method, a package is missing, or it makes no map.
        EmomapError: the checkpoint is damaged.
    """
    if out.suffix not in ENDINGS:
        raise UsageError(f"{out}: the ending must be {' or '.join(ENDINGS)}")
    if out.suffix == ".onnx":
        _require_exporter(out)
    made = _loaded(checkpoint, method)
    assert made.module is not None
    example = torch.zeros(1, 3, made.size, made.size)
    module = MapAndEmotions(made.module.cpu().eval()).eval()
    with torch.no_grad():
        if made.module(example)[1] is None:
            raise UsageError(f"{checkpoint}: {type(made).__name__} makes no map to export")
    with io.atomic(out) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporters, about themselves
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        if out.suffix == ".onnx":
            program = torch.onnx.export(
                module,
                (example,),
                input_names=["picture"],
                output_names=["map", "probabilities"],
                dynamo=True,
                verbose=False,
            )
            assert program is not None
            program.save(str(temporary))
        else:
            with temporary.open("wb") as stream:
                torch.export.save(torch.export.export(module, (example,)), stream)
    card = out.with_suffix(".toml")
    io.write_text(card, _card(made, out))
    return card


def _require_exporter(out: Path) -> None:
    for name in ("onnx", "onnxscript"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(f"{out} needs {name}: pip install 'emomap[export]'") from error


def _loaded(checkpoint: Path, name: str) -> NetworkMethod:
    """The network of a checkpoint, which says the name of its class."""
    said = str(read_checkpoint(checkpoint).get("method"))
    own = {entry.target.partition(":")[2]: key for key, entry in BUILTIN.items()}
    if not name and said not in own:
        raise UsageError(
            f"{checkpoint}: a checkpoint of '{said}', which is none of emomap's own; say --method "
            "package.module:Name"
        )
    cls: type[Method] = load(name or own[said])
    if not issubclass(cls, NetworkMethod):
        raise UsageError(f"{checkpoint}: {said} is no network")
    try:
        made = cls()  # type: ignore[call-arg]
    except TypeError as error:
        raise EmomapError(
            f"{checkpoint}: {said} cannot be made without options: {error}"
        ) from error
    made.load(checkpoint, device="cpu")
    return made


def _card(made: NetworkMethod, out: Path) -> str:
    assert made.module is not None
    expects = made.module.normalisation
    name = "map" if out.suffix == ".onnx" else "0"
    return "\n".join(
        [
            f"# {type(made).__name__} of emomap, trained on {', '.join(made.classes)}",
            f"file = {json.dumps(out.name)}",
            "",
            "[input]",
            f"size = [{made.size}, {made.size}]",
            f"mean = {expects.mean}",
            f"std = {expects.std}",
            f'interpolation = "{expects.interpolation}"',
            "",
            "[output]",
            f'name = "{name}"',
            "resize = true    # as the network itself does",
            "",
        ]
    )
