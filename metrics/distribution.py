"""Metrics against densities: CC, SIM, KL and the Jensen-Shannon divergence.

Conventions (formulas and sources in docs/conventions.md):

``"mit"``
    What the code of the MIT Saliency Benchmark (Bylinskii et al., 2012-2018) computes: SIM after
    min-max of both maps, KL with 2^-52 added inside and below the quotient.
``"tuebingen"``
    The MIT/Tuebingen benchmark since 2019 (Kuemmerer et al., 2018): SIM without min-max, KL after
    1e-20 is added to both maps.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from metrics import _arrays as arrays
from metrics._arrays import Array
from metrics._scene import Scene, run
from metrics.location import CONVENTIONS, EPS, Convention


def cc(prediction: Array, density: Array, *, convention: Convention = "mit") -> Any:
    """Pearson's correlation of two maps."""
    arrays.choice(convention, CONVENTIONS, "convention")
    return run({"": cc_kernel}, {"prediction": prediction, "density": density})[""]


def cc_kernel(scene: Scene) -> Any:
    """`cc` of a scene."""
    p, d = scene.pair("prediction", "density")
    value = p.sum(p.centred * d.centred) / (p.squares**0.5 * d.squares**0.5)
    return scene.xp.clip(value, -1.0, 1.0)


def sim(
    prediction: Array, density: Array, *, convention: Convention = "mit", negative: str = "error"
) -> Any:
    """Similarity: the mass that two distributions share (Judd et al. 2012)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": partial(sim_kernel, convention=convention)}, maps, negative=negative)[""]


def sim_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`sim` of a scene."""
    p, d = scene.mass_pair("prediction", "density")
    if convention == "mit":
        return p.sum(scene.xp.minimum(p.spanned_shares, d.spanned_shares))
    return p.sum(scene.xp.minimum(p.shares, d.shares))


def kl(
    prediction: Array, density: Array, *, convention: Convention = "mit", negative: str = "error"
) -> Any:
    """Kullback-Leibler divergence KL(density || prediction), in nats."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": partial(kl_kernel, convention=convention)}, maps, negative=negative)[""]


def kl_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`kl` of a scene."""
    xp = scene.xp
    p, d = scene.mass_pair("prediction", "density")
    if convention == "mit":
        inner = EPS + d.shares / (p.shares + EPS)
        # abs: the real part of the reference's complex result where negative='keep' lets it be
        return p.sum(d.shares * xp.log(xp.abs(inner)))
    return p.sum(d.floored_shares * (xp.log(d.floored_shares) - xp.log(p.floored_shares)))


def js(
    prediction: Array, density: Array, *, convention: Convention = "mit", negative: str = "error"
) -> Any:
    """Jensen-Shannon divergence of two distributions, in nats (Lin 1991)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": js_kernel}, maps, negative=negative)[""]


def js_kernel(scene: Scene) -> Any:
    """`js` of a scene."""
    xp = scene.xp
    p, d = scene.mass_pair("prediction", "density")
    middle = (p.shares + d.shares) / 2

    def information(shares: Array) -> Array:
        ratio = shares / xp.where(middle > 0, middle, 1.0)
        return shares * xp.log(xp.where(ratio > 0, ratio, 1.0))

    return p.sum(information(p.shares) + information(d.shares)) / 2
