"""Feature extractors: any torchvision network by name, `timm:NAME`, or our own small one.

A backbone is a network without its pooling and classifier: it turns (B, 3, S, S) normalised
images into (B, channels, s, s) features. Weights come from torchvision's (or timm's) own weights,
or from a file or URL whose hash is checked.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import EmomapError, UsageError
from emomap.nn.blocks import blocks, checkpointed
from emomap.nn.small import small

#: Mean and deviation of ImageNet, which torchvision's weights expect images to be normalised by.
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Name of our own network.
SMALL = "small"


class Backbone(nn.Module):
    """A network that turns images into features.

    Attributes:
        channels: number of feature channels.
        name: of the network.
        checkpointed: compute blocks again in the backward pass, see `emomap.nn.blocks`.
    """

    def __init__(self, body: nn.Module, name: str) -> None:
        super().__init__()
        self.body = body
        self.name = name
        self.channels = _probe(body, name)
        self.checkpointed = False

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, S, S) to (B, channels, s, s)."""
        if self.checkpointed and self.training and torch.is_grad_enabled():
            return checkpointed(self.body, images)
        features: Tensor = self.body(images)
        return features


@dataclass(frozen=True)
class BackboneOptions:
    """The options by which a method chooses its backbone.

    Attributes:
        backbone: its name, see `make_backbone`.
        weights, sha256: see `make_backbone`.
    """

    backbone: str
    weights: str
    sha256: str

    def make(self, *, last_pool: bool = True) -> Backbone:
        """The backbone; arguments and errors of `make_backbone`."""
        return make_backbone(self.backbone, self.weights, sha256=self.sha256, last_pool=last_pool)

    def make_trunk(self) -> tuple[nn.Module, int]:
        """The trunk and the number of its features; errors of `make_trunk`."""
        return make_trunk(self.backbone, self.weights, sha256=self.sha256)


def make_backbone(
    name: str, weights: str = "none", *, sha256: str = "", last_pool: bool = True
) -> Backbone:
    """Build a backbone.

    Args:
        name: "small", a model of torchvision ("resnet101", "vgg16", "squeezenet1_0", ...), or
            "timm:NAME" with the extra ``timm`` installed.
        weights: "none" (random), "default" (the best of torchvision), the name of a set of
            torchvision's weights ("IMAGENET1K_V1"), or the path or URL of a state dictionary.
        sha256: first digits (8 or more) of the hash of the file. Not needed if the file's name
            ends in them, as names of torch.hub do (``squeezenet1_0-75146217.pth``).
        last_pool: keep the last max pooling of networks such as VGG.

    Raises:
        UsageError: no such model or weights, or its features are not a map.
        EmomapError: the file is missing, damaged, of another network, or has another hash.
    """
    if name == SMALL:
        if weights != "none":
            raise UsageError("the backbone 'small' has no pretrained weights; weights must be none")
        return Backbone(small(), name)
    if name.startswith("timm:"):
        return Backbone(_timm(name.removeprefix("timm:"), weights, sha256), name)
    model = _torchvision(name, weights, sha256)
    return Backbone(_without_classifier(model, name, last_pool), name)


def make_trunk(name: str, weights: str = "none", *, sha256: str = "") -> tuple[nn.Module, int]:
    """Build a network without its last layer, for methods that classify and show no map.

    Unlike `make_backbone` it keeps the fully connected layers before the last one (fc6 and fc7 of
    VGG) and their weights.

    Args:
        name, weights, sha256: as for `make_backbone`.

    Returns:
        The network, (B, 3, S, S) to (B, features), and the number of features.
    """
    if name == SMALL or name.startswith("timm:"):
        backbone = make_backbone(name, weights, sha256=sha256)
        pooled = nn.Sequential(backbone, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return pooled, backbone.channels
    model = _torchvision(name, weights, sha256)
    if hasattr(model, "aux_logits"):
        # the auxiliary classifiers of GoogLeNet and Inception only serve their own training
        for key, value in (("aux_logits", False), ("AuxLogits", None), ("aux1", None)):
            setattr(model, key, value)
    layers = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)}
    last, layer = list(layers.items())[-1]
    parent, _, attribute = last.rpartition(".")
    setattr(model.get_submodule(parent), attribute, nn.Identity())
    return model, layer.in_features if isinstance(layer, nn.Linear) else layer.in_channels


def checkpoint_blocks(network: nn.Module) -> bool:
    """Let the backbones of a network compute their blocks again in the backward pass.

    Returns:
        False where there is no backbone of several blocks.
    """
    found = [part for part in network.modules() if isinstance(part, Backbone)]
    found = [backbone for backbone in found if len(blocks(backbone.body)) > 1]
    for backbone in found:
        backbone.checkpointed = True
    return bool(found)


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


def _torchvision(name: str, weights: str, sha256: str) -> nn.Module:
    """A whole model of torchvision with its weights."""
    from torchvision import models

    if name not in models.list_models(module=models):
        raise UsageError(
            f"no backbone is called '{name}'; there are small, timm:NAME, and those of "
            "torchvision (resnet18, resnet50, resnet101, vgg16, squeezenet1_0, mobilenet_v2, ...)"
        )
    if weights != "none" and not _is_file(weights):
        return _published(name, weights)
    model: nn.Module = _quietly(models.get_model, name, weights=None)
    if weights != "none":
        load_weights(model, weights, name, sha256)
    return model


def _published(name: str, weights: str) -> nn.Module:
    from torchvision import models

    try:
        chosen: Any = "DEFAULT" if weights == "default" else weights
        model: nn.Module = _quietly(models.get_model, name, weights=chosen)
    except (ValueError, KeyError, AttributeError) as error:
        known = ", ".join(entry.name for entry in models.get_model_weights(name)) or "none"
        raise UsageError(
            f"no weights of {name} are called '{weights}'; there are {known}, or a file or URL"
        ) from error
    except (OSError, RuntimeError) as error:
        raise EmomapError(
            f"the weights of {name} cannot be downloaded ({error}); get the file elsewhere and "
            "name it with --set method.NAME.weights=FILE, start from random weights with "
            "--set method.NAME.weights=none, or use the small network of --recipe demo"
        ) from error
    return model


def _quietly(function: Any, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():  # googlenet and inception warn of a future default
        warnings.simplefilter("ignore", FutureWarning)
        if args and args[0] in {"googlenet", "inception_v3"} and kwargs.get("weights") is None:
            kwargs["init_weights"] = True
        return function(*args, **kwargs)


def _timm(name: str, weights: str, sha256: str) -> nn.Module:
    try:
        import timm
    except ImportError as error:
        raise UsageError(f"backbone timm:{name} needs timm: pip install 'emomap[timm]'") from error
    options: dict[str, Any] = {"num_classes": 0, "global_pool": ""}
    try:
        model: nn.Module = timm.create_model(name, pretrained=weights == "default", **options)
    except Exception as error:  # whatever the hub, the disk or timm's registry raises
        raise UsageError(f"timm cannot make the backbone '{name}': {error}") from error
    if weights not in {"none", "default"}:
        load_weights(model, weights, f"timm:{name}", sha256, strict=False)
    return model


def _without_classifier(model: nn.Module, name: str, last_pool: bool) -> nn.Module:
    """The part of a torchvision network up to its last feature map."""
    parts = dict(model.named_children())
    if name.startswith("swin"):
        return nn.Sequential(parts["features"], parts["norm"], parts["permute"])
    if name.startswith("maxvit"):
        return nn.Sequential(parts["stem"], *parts["blocks"].children())
    if name.startswith("densenet"):
        return nn.Sequential(parts["features"], nn.ReLU(inplace=True))
    if "features" in parts:
        layers = list(parts["features"].children())
        if not last_pool and isinstance(layers[-1], nn.MaxPool2d):
            layers.pop()
        return nn.Sequential(*layers)
    if "layers" in parts:  # mnasnet
        return parts["layers"]
    if "encoder" in parts:
        raise UsageError(f"backbone '{name}' returns tokens, not a feature map; use a CNN")
    ends = ("avgpool", "fc", "dropout")
    kept = {k: part for k, part in parts.items() if k not in ends and not k.startswith("Aux")}
    return nn.Sequential(*(part for k, part in kept.items() if not k.startswith("aux")))


def _probe(body: nn.Module, name: str) -> int:
    """The number of feature channels, found by a trial on an empty image."""
    was_training = body.training
    body.eval()
    try:
        with torch.no_grad():
            features = body(torch.zeros(1, 3, 224, 224))
    except (RuntimeError, AttributeError, TypeError) as error:
        raise UsageError(f"backbone '{name}' cannot be used as a feature extractor") from error
    finally:
        body.train(was_training)
    if not isinstance(features, Tensor) or features.ndim != 4:
        raise UsageError(f"backbone '{name}' returns no feature map (B, C, h, w); use a CNN")
    return int(features.shape[1])


def _is_file(weights: str) -> bool:
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
