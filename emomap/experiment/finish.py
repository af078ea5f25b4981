"""Finishing a network's map before it is compared with gaze: smoothing, and the centre prior.

A raw emotion map is flat away from its peak, which costs AUC. It also ignores that people tend to
look at the middle. Smoothing and prior go into rows of their own; the raw row stays raw. Their two
numbers are chosen on the validation split, by mean CC. The network itself never sees gaze.

`emomap.analysis.adaptation` does more, by likelihood: it makes densities. These rows stay as they
are, so that runs can be compared with those of earlier releases; the steps are shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Le
from numpy.typing import NDArray

from emomap import metrics
from emomap.analysis.smoothing import smooth, unit
from emomap.io.schema import STRICT

#: Smoothing to try, as a fraction of the map's longer side.
SIGMAS = (0.0, 0.02, 0.04, 0.06, 0.08, 0.1, 0.13, 0.16)
#: Weights of the centre prior to try. Prior and map both have the maximum 1.
WEIGHTS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True)
class Finish:
    """What is done to a network's map after it is made.

    Attributes:
        sigma: standard deviation of a Gaussian blur, as a share of the longer side; 0 for none.
        weight: weight of the centre prior that is added; 0 for none.
    """

    sigma: Annotated[float, Ge(0), Le(1)] = 0.0
    weight: Annotated[float, Ge(0), Le(100)] = 0.0
    __pydantic_config__ = STRICT

    def apply(
        self, values: NDArray[np.floating], center: NDArray[np.floating]
    ) -> NDArray[np.float64]:
        """Smooth a map, scale it to 0..1, and add the centre prior.

        Args:
            values: (H, W).
            center: (H, W), in 0..1.

        Returns:
            (H, W), in 0..1 + weight.
        """
        return unit(smooth(values, self.sigma)) + self.weight * center


def choose(
    maps: Sequence[NDArray[np.floating]],
    centers: Sequence[NDArray[np.floating]],
    densities: Sequence[NDArray[np.floating]],
) -> tuple[Finish, Finish]:
    """The best smoothing alone, and the best smoothing with centre prior, by mean CC.

    Args:
        maps, centers, densities: one of each for every validation image, (H, W) each, of one shape.

    Returns:
        The finishes of the rows ``NAME-smooth`` and ``NAME-center``.
    """
    weights = (0.0, *WEIGHTS)
    scores = np.zeros((len(SIGMAS), len(weights)))
    for values, center, density in zip(maps, centers, densities, strict=True):
        for row, sigma in enumerate(SIGMAS):
            base = unit(smooth(values, sigma))
            batch = base + np.array(weights)[:, None, None] * center
            scores[row] += np.asarray(metrics.cc(batch, np.broadcast_to(density, batch.shape)))
    smooth_only = Finish(SIGMAS[int(scores[:, 0].argmax())])
    best, heaviest = divmod(int(scores[:, 1:].argmax()), len(WEIGHTS))
    return smooth_only, Finish(SIGMAS[best], WEIGHTS[heaviest])
