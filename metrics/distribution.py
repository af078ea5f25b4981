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
from metrics._field import add, inner
from metrics._scene import Scene, run
from metrics.location import CONVENTIONS, EPS, Convention


def cc(prediction: Array, density: Array, *, convention: Convention = "mit") -> Any:
    """Pearson's correlation of two maps."""
    arrays.choice(convention, CONVENTIONS, "convention")
    return run({"": cc_kernel}, {"prediction": prediction, "density": density})[""]


def cc_kernel(scene: Scene) -> Any:
    """`cc` of a scene."""
    xp = scene.xp
    p, d = scene.field("prediction"), scene.field("density")
    scale = (p.squares * d.squares) ** 0.5
    value = inner(lambda a, b: (a - p.mean, b - d.mean), p, d) / scale
    value = xp.clip(value, -1.0, 1.0)
    return arrays.where(xp, p.constant, 0.0, arrays.where(xp, d.constant, 0.0, value))


def sim(
    prediction: Array, density: Array, *, convention: Convention = "mit", negative: str = "error"
) -> Any:
    """Similarity: the mass that two distributions share (Judd et al. 2012)."""
    arrays.choice(convention, CONVENTIONS, "convention")
    maps = {"prediction": prediction, "density": density}
    return run({"": partial(sim_kernel, convention=convention)}, maps, negative=negative)[""]


def sim_kernel(scene: Scene, *, convention: str = "mit") -> Any:
    """`sim` of a scene."""
    xp = scene.xp
    p, d = scene.mass("prediction"), scene.mass("density")
    if convention == "mit":
        return add(lambda a, b: xp.minimum(p.spanned_shares(a), d.spanned_shares(b)), p, d)
    return add(lambda a, b: xp.minimum(p.shares(a), d.shares(b)), p, d)


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
    p, d = scene.mass("prediction"), scene.mass("density")

    def mit(a: Array, b: Array) -> tuple[Array, Array]:
        share = d.shares(b)
        quotient = EPS + share / (p.shares(a) + EPS)
        if scene.negative == "keep":  # the real part of what is complex in the reference
            return share, xp.log(xp.abs(quotient))
        return share, arrays.log(xp, quotient)

    def tuebingen(a: Array, b: Array) -> tuple[Array, Array]:
        share = d.floored_shares(b)
        return share, arrays.log(xp, share / p.floored_shares(a))

    return inner(mit if convention == "mit" else tuebingen, p, d)


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
    p, d = scene.mass("prediction"), scene.mass("density")

    tiny = arrays.tiny(xp, p.values)  # lets 0 * log(0) be 0

    def divergence(a: Array, b: Array) -> Array:
        p_share, d_share = p.shares(a), d.shares(b)
        middle = (p_share + d_share) * 0.5 + tiny
        p_surplus = p_share * arrays.log(xp, p_share / middle + tiny)
        return p_surplus + d_share * arrays.log(xp, d_share / middle + tiny)

    return add(divergence, p, d) / 2
