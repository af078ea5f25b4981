"""The learnt parameters of Objectness, and the naive Bayes classifier that combines its cues."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from emomap.errors import EmomapError
from emomap.vision.arrays import Maps

#: How a score becomes a bin of a likelihood table: factor before rounding up, number of bins.
BINS: dict[str, tuple[float, int]] = {
    "MS": (1, 501),
    "CC": (100, 201),
    "SS": (100, 101),
    "ED": (2, 101),
}
#: The learnt values that come with the package.
OWN_PARAMETERS = Path(__file__).with_name("objectness_parameters.npz")


@dataclass(frozen=True)
class Parameters:
    """The learnt parameters of Objectness.

    Attributes:
        likelihoods: cue -> (2, bins), frequency of each bin on objects, and on background.
        prior: share of windows that frame an object.
        scales: side of the picture in pixels at each scale of MS.
        theta_MS: threshold of the MS map at each scale.
        theta_CC: by how many percent the surround is larger than the window.
        theta_SS: scale k of the superpixels.
        theta_ED: mean side of the window divided by the width of the ring of ED.
    """

    likelihoods: Mapping[str, Maps]
    prior: float = 0.0797
    scales: tuple[int, ...] = (16, 24, 32, 48, 64)
    theta_MS: tuple[float, ...] = (0.43, 0.32, 0.34, 0.35, 0.26)
    theta_CC: float = 100.0
    theta_SS: float = 450.0
    theta_ED: float = 17.0

    def __post_init__(self) -> None:
        if len(self.theta_MS) != len(self.scales):
            raise EmomapError(
                f"objectness: theta_MS has {len(self.theta_MS)} values for "
                f"{len(self.scales)} scales; expected one for each"
            )
        for cue, table in self.likelihoods.items():
            if cue not in BINS or np.shape(table) != (2, BINS[cue][1]):
                known = ", ".join(f"{name} (2, {rows})" for name, (_, rows) in BINS.items())
                raise EmomapError(
                    f"objectness: likelihood of {cue!r} has shape {np.shape(table)}; "
                    f"expected {known}"
                )

    @classmethod
    def load(cls, source: Source) -> Parameters:
        """Read parameters.

        Args:
            source: an npz file or a mapping with arrays ``likelihood_MS``, ``likelihood_CC``,
                ``likelihood_SS`` (and ``likelihood_ED``), and any other attribute of this class;
                absent ones have the published values. None for the parameters of the package.
        """
        if isinstance(source, Parameters):
            return source
        if source is None:
            return _own()
        if isinstance(source, str | Path):
            try:
                with np.load(source, allow_pickle=False) as archive:
                    return cls._from(dict(archive), str(source))
            except (OSError, ValueError) as error:
                raise EmomapError(f"{source}: cannot be read as an npz file: {error}") from error
        if not isinstance(source, Mapping):
            raise EmomapError(
                f"parameters: {type(source).__name__} is neither an npz file nor a mapping"
            )
        return cls._from(source, "parameters")

    @classmethod
    def _from(cls, values: Mapping[str, Any], name: str) -> Parameters:
        likelihoods = {
            cue: np.asarray(values[f"likelihood_{cue}"], dtype=np.float64)
            for cue in BINS
            if f"likelihood_{cue}" in values
        }
        if not likelihoods:
            raise EmomapError(
                f"{name}: holds no likelihood_MS, likelihood_CC or likelihood_SS, but "
                f"{', '.join(sorted(values)) or 'nothing'}"
            )
        others: dict[str, Any] = {}
        for key in ("prior", "theta_CC", "theta_SS", "theta_ED"):
            if key in values:
                others[key] = float(values[key])
        if "scales" in values:
            others["scales"] = tuple(int(scale) for scale in values["scales"])
        if "theta_MS" in values:
            others["theta_MS"] = tuple(float(theta) for theta in values["theta_MS"])
        return cls(likelihoods, **others)


#: What `Parameters.load` accepts.
Source: TypeAlias = Parameters | Mapping[str, Any] | str | Path | None


def posterior(
    scores: Mapping[str, ArrayLike],
    parameters: Source = None,
) -> Maps:
    """Probability that each window frames an object, by naive Bayes over its cues.

    Args:
        scores: cue -> (n,) scores.
        parameters: see `Parameters.load`.

    Returns:
        (n,) in 0..1.
    """
    learnt = Parameters.load(parameters)
    weights: Maps = np.array([[learnt.prior], [1 - learnt.prior]])
    for cue, values in scores.items():
        factor, rows = BINS[cue]
        row = np.ceil(factor * np.asarray(values, dtype=np.float64) + 0.5)
        table = learnt.likelihoods[cue]
        weights = np.asarray(weights * table[:, np.clip(row, 1, rows).astype(np.int64) - 1])
    total = weights.sum(axis=0)
    shares = np.zeros_like(total)
    np.divide(weights[0], total, out=shares, where=total > 0)
    return np.asarray(shares + np.finfo(np.float64).eps)


@cache
def _own() -> Parameters:
    return Parameters.load(OWN_PARAMETERS)
