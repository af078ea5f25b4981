"""Pooling of class maps: several maps a class (WSCNet, WILDCAT), strongest and weakest places."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def class_wise_pool(x: Tensor, maps_per_class: int, legacy_gradient: bool = False) -> Tensor:
    """Mean over the maps of each class.

    Args:
        x: (B, C * M, H, W), with the M maps of a class next to each other.
        maps_per_class: M.
        legacy_gradient: reproduce the official code of WILDCAT and WSCNet, whose backward pass
            omits the factor 1 / M. The default is the true gradient.

    Returns:
        (B, C, H, W). Durand et al. 2017, equation 1.

    Raises:
        ValueError: the number of channels is not a multiple of M.
    """
    batch, channels, height, width = x.shape
    if maps_per_class < 1 or channels % maps_per_class:
        raise ValueError(f"{channels} channels are not a multiple of {maps_per_class} maps a class")
    if legacy_gradient:
        pooled: Tensor = _LegacyMean.apply(x, maps_per_class)
        return pooled
    return x.reshape(batch, channels // maps_per_class, maps_per_class, height, width).mean(dim=2)


def mean_with_sum_gradient(x: Tensor) -> Tensor:
    """Mean over channels, (B, C, H, W) to (B, 1, H, W), whose gradient lacks the factor 1 / C.

    The official WSCNet computes its sentiment map so; for reproduction only.
    """
    return class_wise_pool(x, x.shape[1], legacy_gradient=True)


def region_count(k: float, places: int) -> int:
    """Number of places: ``k`` is a share if below 1 (rounded half to even), else a number."""
    if k <= 0:
        return 0
    return round(k * places) if k < 1 else min(int(k), places)


def spatial_pool(x: Tensor, kmax: float, kmin: float | None = None, alpha: float = 1.0) -> Tensor:
    """Mean of the strongest places plus ``alpha`` times the mean of the weakest, halved.

    Args:
        x: (B, C, H, W) class maps.
        kmax: strongest places: a share of all if below 1, else their number.
        kmin: weakest places, in the same way; None for as many as ``kmax``.
        alpha: weight of the weakest. With ``alpha=0`` or ``kmin=0`` the result is the mean of
            the strongest alone, not halved (the official code halves it for the float 0.0).

    Returns:
        (B, C) scores. Durand et al. 2017, equation 2.

    Raises:
        ValueError: ``kmax`` amounts to no place.
    """
    flat = x.flatten(2)
    places = flat.shape[2]
    strongest = region_count(kmax, places)
    weakest = strongest if kmin is None else region_count(kmin, places)
    if strongest < 1:
        raise ValueError(f"kmax={kmax} of {places} places is none")
    top = flat.topk(strongest, dim=2, sorted=False).values.mean(dim=2)
    if weakest == 0 or alpha == 0:
        return top
    bottom = flat.topk(weakest, dim=2, largest=False, sorted=False).values.mean(dim=2)
    return (top + alpha * bottom) / 2


class _LegacyMean(torch.autograd.Function):
    """The mean over groups of channels, with the gradient of the sum."""

    @staticmethod
    def forward(context: Any, x: Tensor, maps: int) -> Tensor:
        context.maps = maps
        batch, channels, height, width = x.shape
        return x.reshape(batch, channels // maps, maps, height, width).mean(dim=2)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0].repeat_interleave(context.maps, dim=1), None
