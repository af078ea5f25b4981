"""A classifier and a batch of pictures -> explanation maps."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from emomap.errors import EmomapError, UsageError
from emomap.explain import attention
from emomap.explain.kinds import LIBRARY, needs_layer
from emomap.explain.layers import left_alone
from emomap.nn.tokens import as_feature_maps, prefix_tokens

#: By how much recomputed logits may differ from the network's, as a share of their spread.
TOLERANCE = 1e-3


def explanation_maps(
    network: nn.Module, images: Tensor, kind: str, classes: Sequence[int], layer: str
) -> NDArray[np.float32]:
    """A map of each picture, at the size of the input.

    The map of a picture does not depend on the other pictures of the batch. Each is scaled to 0..1
    and brought from the size of the layer to that of the input, bilinearly, as the library does. A
    map without any positive value is zero everywhere.

    Args:
        network: (B, 3, S, S) to logits (B, C); left as it was.
        images: (B, 3, S, S), normalised.
        kind: see `emomap.explain.kinds.known`.
        classes: the class that is explained in each picture; attention and EigenCAM ignore it.
        layer: from `find_layer`; attention ignores it.

    Returns:
        (B, S, S) in 0..1.

    Raises:
        UsageError: grad-cam is not installed, or the kind does not suit the network.
        EmomapError: the network gives NaN.
    """
    with left_alone(network):
        network.eval()
        if not needs_layer(kind):
            with torch.no_grad():
                maps = attention.attention_maps(network, images, kind)
            return upsample(maps, images.shape[-2:])
        if kind == "cam":
            return upsample(class_activation(network, images, classes, layer), images.shape[-2:])
        found = _by_library(network, images, LIBRARY[kind], classes, layer)
    if not np.isfinite(found).all():
        raise EmomapError(f"{kind} gives NaN: activations or gradients of this network are NaN")
    return found


def _by_library(
    network: nn.Module, images: Tensor, name: str, classes: Sequence[int], layer: str
) -> NDArray[np.float32]:
    library = load_library()
    targets = importlib.import_module("pytorch_grad_cam.utils.model_targets")
    reshape = functools.partial(as_feature_maps, prefix=prefix_tokens(network))
    options: dict[str, Any] = {"reshape_transform": reshape}
    plain = network.get_submodule(layer)
    if name == "AblationCAM" and _output(network, images[:1], layer)[0].ndim == 3:
        tokens = importlib.import_module("pytorch_grad_cam.ablation_layer")
        options["ablation_layer"] = tokens.AblationLayerVit()
    maker = getattr(library, name)
    found = []
    # one picture at a time: some of these methods work through batches in ways of their own
    for image, number in zip(images, classes, strict=True):
        given = image[None].clone().requires_grad_()
        with (
            torch.enable_grad(),
            _silent(),
            maker(model=network, target_layers=[plain], **options) as cam,
        ):
            chosen = [targets.ClassifierOutputTarget(int(number))]
            found.append(np.asarray(cam(input_tensor=given, targets=chosen)[0], np.float32))
    return np.stack(found)


def load_library() -> Any:
    """The library grad-cam.

    Raises:
        UsageError: it is not installed.
    """
    try:
        return importlib.import_module("pytorch_grad_cam")
    except ImportError as error:
        raise UsageError(
            "this explanation needs the library grad-cam: pip install 'emomap[cam]'; cam, "
            "attention and rollout do without"
        ) from error


def class_activation(
    network: nn.Module, images: Tensor, classes: Sequence[int], layer: str
) -> Tensor:
    """Class activation maps (B, h, w), without negative values (Zhou 2016, equation 2).

    Raises:
        UsageError: the logits are not one linear layer on the mean of the feature maps over places.
    """
    output, logits = _output(network, images, layer)
    if not logits.isfinite().all():
        raise EmomapError("the network's logits are NaN or infinite on these pictures")
    features = as_feature_maps(output, prefix_tokens(network))
    weight = _linear_head(network, features, logits)
    if weight is None:  # DenseNet has its last ReLU behind its last part
        features = features.relu()
        weight = _linear_head(network, features, logits)
    if weight is None:
        raise UsageError(
            "cam needs a network whose logits are one linear layer on the mean of the feature maps "
            f"of a layer, and '{layer}' is not so; take gradcam, which is the same where both exist"
        )
    rows = weight[torch.as_tensor(list(classes), device=weight.device)]
    return torch.einsum("bc,bchw->bhw", rows, features).relu()


def _linear_head(network: nn.Module, features: Tensor, logits: Tensor) -> Tensor | None:
    """The weights (classes, C) of the last linear layer, if it gives the logits from the means."""
    pooled = features.mean(dim=(2, 3))
    spread = (logits.max() - logits.min()).item() + 1e-12
    heads = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
    for head in reversed(heads):
        weight = head.weight.flatten(1)
        if weight.shape != (logits.shape[1], pooled.shape[1]):
            continue
        again = F.linear(pooled, weight, head.bias)
        if (again - logits).abs().max().item() <= TOLERANCE * spread:
            return weight.detach()
    return None


def upsample(maps: Tensor, size: Sequence[int]) -> NDArray[np.float32]:
    """Maps (B, h, w), each scaled to 0..1 before and after it is brought to a size, bilinearly.

    The library does the same. A constant map becomes zero.
    """
    large = F.interpolate(_unit(maps)[:, None].float(), tuple(size), mode="bilinear")[:, 0]
    return np.asarray(_unit(large).cpu().numpy(), np.float32)


def _unit(maps: Tensor) -> Tensor:
    low = maps.amin(dim=(1, 2), keepdim=True)
    high = maps.amax(dim=(1, 2), keepdim=True)
    return (maps - low) / (high - low + 1e-7)


def _output(network: nn.Module, images: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """The output of a layer, before anything changes it in place, and the logits."""
    kept: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        kept.append(output.clone())

    handle = network.get_submodule(layer).register_forward_hook(keep)
    try:
        with torch.no_grad():
            logits: Tensor = network(images)
    finally:
        handle.remove()
    return kept[-1], logits


def _silent() -> contextlib.redirect_stderr[io.StringIO]:
    """Without the progress bars that some methods of the library print."""
    return contextlib.redirect_stderr(io.StringIO())
