"""Soft proposals: places that differ from the places around them (Zhu 2017, SPN).

A random walk moves between places, more often between near places and between places with
different features. The proposal map is where the walk spends its time.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor


def soft_proposal(
    features: Tensor,
    factor: float | None = None,
    *,
    tolerance: float = 1e-4,
    max_iterations: int = 20,
) -> Tensor:
    """Proposal map of each image.

    Transition weights are ``T_uv = |f_u - f_v| exp(-d_uv^2 / (2 factor^2))``, with each column
    normalised to one. Starting from the uniform map, T is applied until it would change the map by
    less than ``tolerance`` in the L2 norm. T is symmetric before the normalisation, so the walk's
    limit has a closed form, the row sums of T (`stationary`). The iteration stops short of the
    limit; it is kept for fidelity to the paper.

    Args:
        features: (B, C, H, W), square or not (the released code swaps the axes if not).
        factor: in cells; None for the paper's 0.15 * side, where side is the geometric mean of H
            and W. The released code uses 0.15 * H * W, which gives a nearly flat weight.
        tolerance, max_iterations: when to stop; each image of the batch stops on its own.

    Returns:
        (B, H, W), float32, each map sums to 1; uniform where all features are the same. No
        gradient flows back through it, as in the paper.

    Raises:
        ValueError: ``factor`` is not above 0.
    """
    batch, _, height, width = features.shape
    # float32 even under mixed precision: the walk stops when it changes by less than 1e-4
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        transfer = _transfer(features, factor)
        columns = transfer.sum(dim=1, keepdim=True)
        transfer = torch.where(columns > 0, transfer / columns, 1.0 / (height * width))
        proposal = transfer.new_full((batch, height * width), 1.0 / (height * width))
        walking = torch.ones(batch, 1, dtype=torch.bool, device=features.device)
        for _ in range(max_iterations):
            following = torch.bmm(transfer, proposal[:, :, None])[:, :, 0]
            change = torch.linalg.vector_norm(following - proposal, dim=1, keepdim=True)
            walking = walking & (change >= tolerance)
            proposal = torch.where(walking, following, proposal)
        return proposal.reshape(batch, height, width)


def stationary(features: Tensor, factor: float | None = None) -> Tensor:
    """The limit of the walk of `soft_proposal` in closed form.

    Args:
        features, factor: as in `soft_proposal`.

    Returns:
        (B, H, W), each map sums to 1; uniform where all features are the same.
    """
    batch, _, height, width = features.shape
    with torch.no_grad(), torch.autocast(features.device.type, enabled=False):
        sums = _transfer(features, factor).sum(dim=2)
        total = sums.sum(dim=1, keepdim=True)
        limit = torch.where(total > 0, sums / total, 1.0 / (height * width))
        return limit.reshape(batch, height, width)


def _transfer(features: Tensor, factor: float | None) -> Tensor:
    """Transition weights before normalisation, (B, H * W, H * W)."""
    _, _, height, width = features.shape
    factor = 0.15 * math.sqrt(height * width) if factor is None else float(factor)
    if factor <= 0:
        raise ValueError(f"factor={factor}: the reach of the walk, in cells, must be above 0")
    flat = features.detach().flatten(2).transpose(1, 2).float()
    difference = torch.cdist(flat, flat, compute_mode="donot_use_mm_for_euclid_dist")
    # a compiled step keeps constants by itself, and would warn of the cache
    near = _nearness if torch.compiler.is_compiling() else _kept_nearness
    return difference * near(height, width, factor, features.device)


def _nearness(height: int, width: int, factor: float, device: torch.device) -> Tensor:
    """exp(-d^2 / (2 factor^2)) between all places, (H * W, H * W)."""
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1).double()
    squared = (places[:, None] - places[None, :]).square().sum(dim=2)
    return torch.exp(-squared / (2.0 * factor**2)).float().to(device)


_kept_nearness = lru_cache(maxsize=8)(_nearness)
