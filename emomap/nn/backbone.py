"""Feature extractors: any torchvision network by name, `timm:NAME`, or our own small one.

A backbone is a network without its pooling and classifier: it turns (B, 3, S, S) normalised
images into (B, channels, s, s) features. Weights come from torchvision's (or timm's) own weights,
or from a file or URL whose hash is checked.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import EmomapError, UsageError
from emomap.nn.blocks import blocks, checkpointed
from emomap.nn.normalisation import IMAGENET, Normalisation, of_torchvision
from emomap.nn.small import small
from emomap.nn.timm_models import timm_body, tried
from emomap.nn.tokens import TorchvisionTokens, is_map
from emomap.nn.weights import is_file, load_weights, read_state

__all__ = [
    "MEAN", "STD", "Backbone", "BackboneOptions", "checkpoint_blocks", "load_weights",
    "make_backbone", "make_trunk", "read_state",
]  # fmt: skip

#: Mean and deviation of ImageNet.
MEAN, STD = tuple(IMAGENET.mean), tuple(IMAGENET.std)
#: Name of our own network.
SMALL = "small"


class Backbone(nn.Module):
    """A network that turns images into features.

    Attributes:
        channels: number of feature channels.
        name: of the network.
        expects: what pictures are brought to before they go in.
        checkpointed: compute blocks again in the backward pass, see `emomap.nn.blocks`.

    Args:
        size: side of the input on which it is tried.
    """

    def __init__(
        self, body: nn.Module, name: str, size: int = 224, expects: Normalisation = IMAGENET
    ) -> None:
        super().__init__()
        self.body = body
        self.name = name
        self.expects = expects
        self.channels = _probe(body, name, size)
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

    def make(self, *, last_pool: bool = True, size: int = 224) -> Backbone:
        """The backbone; arguments and errors of `make_backbone`."""
        return make_backbone(
            self.backbone, self.weights, sha256=self.sha256, last_pool=last_pool, size=size
        )

    def make_trunk(self, size: int = 224) -> tuple[nn.Module, int]:
        """The trunk and the number of its features; errors of `make_trunk`."""
        return make_trunk(self.backbone, self.weights, sha256=self.sha256, size=size)


def make_backbone(
    name: str,
    weights: str = "none",
    *,
    sha256: str = "",
    last_pool: bool = True,
    size: int = 224,
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
        size: side of the input. Transformers are made for it, where they can be.

    Raises:
        UsageError: no such model or weights, or its features at this size are not a map.
        EmomapError: the file is missing, damaged, of another network, or has another hash.
    """
    if name == SMALL:
        if weights != "none":
            raise UsageError("the backbone 'small' has no pretrained weights; weights must be none")
        return Backbone(small(), name, size)
    if name.startswith("timm:"):
        body, expects = timm_body(name.removeprefix("timm:"), weights, sha256, size)
        return Backbone(body, name, size, expects)
    model, expects = _torchvision(name, weights, size)
    body = _without_classifier(model, name, last_pool)
    if is_file(weights):
        load_weights(model, weights, name, sha256, needed=body)
    return Backbone(body, name, size, expects)


def make_trunk(
    name: str, weights: str = "none", *, sha256: str = "", size: int = 224
) -> tuple[nn.Module, int]:
    """Build a network without its last layer, for methods that classify and show no map.

    Unlike `make_backbone` it keeps the fully connected layers before the last one (fc6 and fc7 of
    VGG) and their weights.

    Args:
        name, weights, sha256, size: as for `make_backbone`.

    Returns:
        The network, (B, 3, S, S) to (B, features), and the number of features.
    """
    if name == SMALL or name.startswith("timm:"):
        backbone = make_backbone(name, weights, sha256=sha256, size=size)
        pooled = nn.Sequential(backbone, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return pooled, backbone.channels
    model, expects = _torchvision(name, weights, size)
    model.expects = expects  # type: ignore[assignment]
    if hasattr(model, "aux_logits"):
        # the auxiliary classifiers of GoogLeNet and Inception only serve their own training
        for key, value in (("aux_logits", False), ("AuxLogits", None), ("aux1", None)):
            setattr(model, key, value)
    layers = {n: m for n, m in model.named_modules() if isinstance(m, nn.Linear | nn.Conv2d)}
    last, layer = list(layers.items())[-1]
    parent, _, attribute = last.rpartition(".")
    setattr(model.get_submodule(parent), attribute, nn.Identity())
    if is_file(weights):
        load_weights(model, weights, name, sha256)
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


def _torchvision(name: str, weights: str, size: int) -> tuple[nn.Module, Normalisation]:
    """A whole model of torchvision, with published weights if so chosen, and what it expects."""
    from torchvision import models

    if name not in models.list_models(module=models):
        raise UsageError(
            f"no backbone is called '{name}'; there are small, timm:NAME, and those of "
            "torchvision (resnet18, resnet50, resnet101, vgg16, squeezenet1_0, mobilenet_v2, ...)"
        )
    if weights != "none" and not is_file(weights):
        return _published(name, weights, size)
    model: nn.Module = _quietly(models.get_model, name, weights=None, **_sized(name, size))
    return model, IMAGENET


def _sized(name: str, size: int) -> dict[str, Any]:
    """The arguments by which a model of torchvision is made for a size, where it needs that."""
    if name.startswith("vit_"):
        patch = int(name.rpartition("_")[2])
        if size % patch:
            raise UsageError(
                f"backbone '{name}' has patches of {patch} pixels, and size={size} is no multiple "
                f"of that; take {size // patch * patch or patch}"
            )
        return {"image_size": size}
    return {"input_size": (size, size)} if name == "maxvit_t" else {}


def _published(name: str, weights: str, size: int) -> tuple[nn.Module, Normalisation]:
    from torchvision import models

    try:
        chosen: Any = "DEFAULT" if weights == "default" else weights
        entry = getattr(models.get_model_weights(name), chosen)
        model: nn.Module = _quietly(models.get_model, name, weights=entry)
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
    if name.startswith("vit_") and _sized(name, size)["image_size"] != model.image_size:
        patch = int(name.rpartition("_")[2])
        state = models.vision_transformer.interpolate_embeddings(size, patch, model.state_dict())
        model = _quietly(models.get_model, name, weights=None, image_size=size)
        model.load_state_dict(state)
    return model, of_torchvision(entry)


def _quietly(function: Any, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():  # googlenet and inception warn of a future default
        warnings.simplefilter("ignore", FutureWarning)
        if args and args[0] in {"googlenet", "inception_v3"} and kwargs.get("weights") is None:
            kwargs["init_weights"] = True
        return function(*args, **kwargs)


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
        return TorchvisionTokens(model)
    ends = ("avgpool", "fc", "dropout")
    kept = {k: part for k, part in parts.items() if k not in ends and not k.startswith("Aux")}
    return nn.Sequential(*(part for k, part in kept.items() if not k.startswith("aux")))


def _probe(body: nn.Module, name: str, size: int) -> int:
    """The number of feature channels, found by a trial on an empty image."""
    features = tried(body, size)
    if isinstance(features, str):
        raise UsageError(
            f"backbone '{name}' cannot take pictures of size={size}: {features}; choose another "
            "size, most networks take multiples of 32"
        )
    if features.ndim != 4 or not is_map(features, size):
        raise UsageError(
            f"backbone '{name}' returns {tuple(features.shape)}, which is no feature map "
            "(B, C, h, w); choose another"
        )
    return int(features.shape[1])
