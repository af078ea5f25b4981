"""Sanity check of emotion maps: does a map change when the network's weights are lost?

Weights are replaced by random ones, layer by layer from the output down (Adebayo et al., NeurIPS
2018). A map that stays the same does not show what the network has learned.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from emomap.method import Image
from emomap.nn.network import EmotionNetwork, NetworkMethod


def layers(module: EmotionNetwork) -> list[str]:
    """Names of the layers with weights, from input to output; those of the backbone come first."""
    backbone, own = _layers(module)
    return backbone + own


def _layers(module: EmotionNetwork) -> tuple[list[str], list[str]]:
    """Names of the layers with weights: those of the backbone, and the others."""
    parts: tuple[list[str], list[str]] = [], []
    for name, part in module.named_modules():
        if next(part.parameters(recurse=False), None) is not None:
            parts[not name.startswith("backbone")].append(name)
    return parts


def head(method: NetworkMethod, images: Sequence[Image]) -> list[str]:
    """Names of the layers outside the backbone that enter the map of a network.

    A layer enters if the map of one of the pictures changes when the layer's weights are random. A
    classifier that only reads the map does not.

    Args:
        method: trained; gives maps.
        images: one picture or more (H, W, 3) uint8.
    """
    assert method.module is not None
    _, own = _layers(method.module)
    before = [prediction.map for prediction in method.predict(images)]
    found = []
    for name in own:
        changed = copy.copy(method)
        changed.module = randomise(method.module, [name]).eval()
        after = [prediction.map for prediction in changed.predict(images)]
        if any(not np.array_equal(a, b) for a, b in zip(before, after, strict=True)):  # type: ignore[arg-type]
            found.append(name)
    return found


def randomise(module: EmotionNetwork, names: Sequence[str], seed: int = 0) -> EmotionNetwork:
    """A copy of a network in which the named layers have random weights.

    Each array of weights is drawn from a Gaussian with the mean and deviation of the trained one,
    so that the scale of activations stays the same. Running statistics of batch norm are
    kept.

    Args:
        module: the network; not changed.
        names: some of those that `layers` lists.
        seed: random seed.

    Raises:
        KeyError: no layer of this name has weights.
    """
    changed = copy.deepcopy(module)
    generator = torch.Generator().manual_seed(seed)
    parts = dict(changed.named_modules())
    with torch.no_grad():
        for name in names:
            for weight in parts[name].parameters(recurse=False):
                values = weight.detach().float().cpu()
                spread = float(values.std()) if values.numel() > 1 else float(values.abs())
                noise = torch.randn(values.shape, generator=generator)
                weight.copy_((float(values.mean()) + spread * noise).to(weight))
    return changed


def cascade(
    method: NetworkMethod, images: Sequence[Image], steps: int = 6, seed: int = 0
) -> Iterator[tuple[float, NetworkMethod]]:
    """The method with more and more of its layers randomised, from the map down (Adebayo 2018).

    Layers that do not enter the map, such as a classifier behind it, do not count.

    Args:
        method: trained; not changed.
        images: one picture or more, to see which layers enter the map.
        steps: in how many steps all layers are reached.
        seed: random seed.

    Yields:
        The share of layers that are random (rising to 1), and the method with these layers.
    """
    assert method.module is not None
    backbone, _ = _layers(method.module)
    names = [*backbone, *head(method, images)][::-1]
    for step in range(1, steps + 1):
        count = max(1, round(len(names) * step / steps))
        changed = copy.copy(method)
        changed.module = randomise(method.module, names[:count], seed).eval()
        yield count / len(names), changed


def likeness(
    one: NetworkMethod, other: NetworkMethod, images: Sequence[Image]
) -> NDArray[np.float64]:
    """Rank correlation (Spearman) of the maps of two methods.

    Args:
        one, other: methods that predict maps.
        images: N pictures (H, W, 3) uint8.

    Returns:
        (N,) in -1..1; 0 where one of the maps is constant.
    """
    from scipy.stats import rankdata

    found = []
    for a, b in zip(one.predict(images), other.predict(images), strict=True):
        assert a.map is not None and b.map is not None
        ranks = [rankdata(m.map) for m in (a, b) if m.map is not None]
        centred = [rank - rank.mean() for rank in ranks]
        norm = float(np.linalg.norm(centred[0]) * np.linalg.norm(centred[1]))
        found.append(float(centred[0] @ centred[1]) / norm if norm > 0 else 0.0)
    return np.array(found)
