"""Two checks of a trained network: does its emotion map depend on what it has learned?

The layers behind a map lose their weights, from the map down (Adebayo 2018). If maps and scores do
not fall, the map is no evidence of learning. Then pixels are removed and added in the order of the
map (Petsiuk 2018). If the probability of the emotion does not follow, the classifier does not look
where the map says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.method import Image, title
from emomap.progress import track
from emomap.sample import Gaze, Sample
from emomap.sanity import faithfulness
from emomap.scoring.image import resize_to_gaze, target_shape, truths
from emomap.scoring.protocol import Protocol, available, missing_inputs
from emomap.scoring.summary import label
from emomap.tables import Table, number

if TYPE_CHECKING:
    from emomap.nn.network import NetworkMethod

#: Pictures that are checked, evenly spread over the samples; and those of them for the costly
#: curves.
PICTURES, CURVES = 48, 16
#: Stages in which the weights are lost.
STEPS = 5


@dataclass(frozen=True)
class SanityCheck:
    """What both checks of a network have found.

    Attributes:
        name: of the network.
        pictures: how many were looked at.
        randomised: for each stage the ``share`` of random layers among those that enter the map,
            the ``likeness`` of the maps to those of the trained network, and the mean of each
            metric.
        curves: "deletion" and "insertion" -> "map" and "random" order -> mean area.
    """

    name: str
    pictures: int
    randomised: Sequence[Mapping[str, float]]
    curves: Mapping[str, Mapping[str, float]]

    def to_dict(self) -> dict[str, Any]:
        """The numbers, for JSON."""
        return {"randomised": self.randomised, "curves": self.curves}

    def tables(self) -> list[Table]:
        """A table for each check."""
        scored = [key for key in self.randomised[0] if key not in {"share", "likeness"}]
        lost = Table(
            (
                "weights lost",
                "likeness",
                *map(label, scored),
            ),
            [
                [f"{100 * row['share']:.0f}%", *[number(row[key]) for key in ("likeness", *scored)]]
                for row in self.randomised
            ],
            f"{title(self.name)}: maps while their layers lose their weights, from the map down "
            f"({self.pictures} images)",
            ["likeness: Spearman correlation with the trained map; it should fall"],
        )
        curves = Table(
            ("curve", "map", "random order"),
            [[kind, number(a["map"]), number(a["random"])] for kind, a in self.curves.items()],
            f"{title(self.name)}: area under the probability of the predicted emotion",
            ["a faithful map has less than random under deletion, more under insertion"],
        )
        return [lost, curves]


def check(
    method: NetworkMethod,
    samples: Sequence[Sample],
    protocol: Protocol,
    *,
    name: str,
    seed: int = 0,
    show: bool = True,
) -> SanityCheck:
    """Run both checks on a network.

    Args:
        method: trained; gives maps and probabilities.
        samples: with gaze; `PICTURES` of them are looked at.
        protocol: how maps are scored; metrics that the gaze cannot feed are left out.
        name: of the network, for tables and progress.
        seed: random seed of weights and orders.
        show: report progress on stderr.

    Raises:
        EmomapError: a picture or its gaze cannot be read.
    """
    pictures = [(s.image(), gaze) for s in _spread(samples) if (gaze := s.gaze()) is not None]
    images = [image for image, _ in pictures]
    has = available(pictures[0][1])
    kept = tuple(n for n in protocol.metrics if not missing_inputs([n], has))
    return SanityCheck(
        name,
        len(pictures),
        _randomised(name, method, pictures, replace(protocol, metrics=kept), seed, show),
        _curves(name, method, images, seed, show),
    )


def _spread(samples: Sequence[Sample]) -> list[Sample]:
    places = np.unique(np.linspace(0, len(samples) - 1, PICTURES).round().astype(int))
    return [samples[place] for place in places]


def _randomised(
    name: str,
    method: NetworkMethod,
    pictures: Sequence[tuple[Image, Gaze]],
    protocol: Protocol,
    seed: int,
    show: bool,
) -> list[dict[str, float]]:
    """Likeness and scores of the maps in each stage; the first is the trained network."""
    from emomap.sanity import randomisation

    images = [image for image, _ in pictures]
    stages = [(0.0, method), *randomisation.cascade(method, images[:1], STEPS, seed)]
    rows = []
    for share, changed in track(
        stages, total=len(stages), label=f"weights of {name} lost", show=show
    ):
        maps = [np.asarray(prediction.map) for prediction in changed.predict(images)]
        likeness = randomisation.likeness(method, changed, images)
        row = {"share": share, "likeness": float(likeness.mean())}
        rows.append(row | _scores(maps, [gaze for _, gaze in pictures], protocol))
    return rows


def _scores(
    maps: Sequence[NDArray[Any]], gazes: Sequence[Gaze], protocol: Protocol
) -> dict[str, float]:
    """The mean of each metric."""
    values = [
        metrics.evaluate(
            resize_to_gaze(shown, target_shape(gaze), protocol, "map"),
            **truths(gaze, protocol, "gaze"),
            metrics=protocol.metrics,
        )
        for shown, gaze in zip(maps, gazes, strict=True)
    ]
    return {name: float(np.mean([value[name] for value in values])) for name in protocol.metrics}


def _curves(
    name: str, method: NetworkMethod, images: Sequence[Image], seed: int, show: bool
) -> dict[str, dict[str, float]]:
    """Mean areas under deletion and insertion curves: of the map, and of a random order."""
    rng = np.random.default_rng(seed)
    areas: dict[str, dict[str, list[float]]] = {
        kind: {"map": [], "random": []} for kind in ("deletion", "insertion")
    }
    some = images[:: max(1, len(images) // CURVES)][:CURVES]
    for image in track(some, total=len(some), label=f"curves of {name}", show=show):
        shown = method.predict([image])[0].map
        assert shown is not None
        for order, values in (("map", shown), ("random", rng.random(shown.shape))):
            areas["deletion"][order].append(faithfulness.deletion(method, image, values).area)
            areas["insertion"][order].append(faithfulness.insertion(method, image, values).area)
    return {
        kind: {order: float(np.mean(values)) for order, values in by_order.items()}
        for kind, by_order in areas.items()
    }
