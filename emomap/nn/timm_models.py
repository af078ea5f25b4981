"""Networks of timm as feature extractors (extra ``timm``)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from emomap.errors import UsageError
from emomap.nn.normalisation import Normalisation, of_timm
from emomap.nn.tokens import TimmFeatures, is_map
from emomap.nn.weights import load_weights


def timm_body(name: str, weights: str, sha256: str, size: int) -> tuple[nn.Module, Normalisation]:
    """A network without pooling and classifier, whose output is a map, and what it expects.

    Args:
        name: of the model, with the tag of its weights ("vit_base_patch16_clip_224.openai").
        weights: "none", "default", or the path or URL of a state dictionary.
        size: side of the input; the network is made for it, where it can be.

    Raises:
        UsageError: timm is missing, has no such model, or cannot make it for this size.
        EmomapError: as `load_weights`.
    """
    try:
        import timm
    except ImportError as error:
        raise UsageError(f"backbone timm:{name} needs timm: pip install 'emomap[timm]'") from error
    pretrained = weights == "default"
    model, features = _made(timm, name, pretrained, size)
    if weights not in {"none", "default"}:
        load_weights(model, weights, f"timm:{name}", sha256)
    config: dict[str, Any] = getattr(model, "pretrained_cfg", None) or {}
    return _as_map(model, features, size), of_timm(config)


def _made(timm: Any, name: str, pretrained: bool, size: int) -> tuple[nn.Module, Tensor]:
    """The model in the first form that takes pictures of this size, and what it returns for one."""
    # one that computes its position embeddings for any size keeps its weights as they are
    sizes: list[dict[str, Any]] = [{}, {"dynamic_img_size": True}, {"img_size": size}]
    problem = ""
    for form in sizes:
        try:
            model = _create(timm, name, False, form)
        except TypeError as error:  # it does not know this form
            problem = problem or str(error)
            continue
        found = tried(model, size)
        if isinstance(found, str):
            problem = found
            continue
        return _create(timm, name, True, form) if pretrained else model, found
    raise UsageError(f"backbone 'timm:{name}' cannot take pictures of size={size}: {problem}")


def _create(timm: Any, name: str, pretrained: bool, form: dict[str, Any]) -> nn.Module:
    options = {"pretrained": pretrained, "num_classes": 0, **form}
    try:
        try:
            model: nn.Module = timm.create_model(name, global_pool="", **options)
        except (ValueError, AssertionError, RuntimeError):
            # a distilled DeiT has no features without its pooling
            model = timm.create_model(name, **options)
    except TypeError:
        raise
    except Exception as error:  # whatever timm's registry, the hub and the disk raise
        raise UsageError(f"timm cannot make the backbone '{name}': {error}") from error
    return model


def _as_map(model: nn.Module, features: Tensor, size: int) -> nn.Module:
    """The model, if it returns a map; else its last features by timm's own interface."""
    says = getattr(model, "output_fmt", "NCHW")
    if is_map(features, size) and says == "NCHW":
        return model
    if not hasattr(model, "forward_intermediates"):
        return model  # the caller says what is wrong with its output
    normed = TimmFeatures(model, norm=True)  # some models cannot normalise them
    return TimmFeatures(model, norm=False) if isinstance(tried(normed, size), str) else normed


def tried(body: nn.Module, size: int) -> Tensor | str:
    """What a network returns for an empty picture, or in one line why it cannot."""
    was_training = body.training
    body.eval()
    try:
        with torch.no_grad():
            features = body(torch.zeros(1, 3, size, size))
    except (RuntimeError, AttributeError, TypeError, AssertionError, ValueError) as error:
        return " ".join(str(error).split())[:120] or type(error).__name__
    finally:
        body.train(was_training)
    if not isinstance(features, Tensor):
        return f"it returns a {type(features).__name__}"
    return features
