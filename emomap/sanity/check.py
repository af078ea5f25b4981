"""`bench --sanity`: do the emotion maps of a run depend on what its networks have learned?

Two checks of every trained network that gives maps, on test pictures with gaze. Its layers lose
their weights from the output down (Adebayo 2018): maps and scores that do not fall show that the
map is no evidence of learning. And pixels come and go in the order of the map (Petsiuk 2018): if
the emotion's probability does not follow, the classifier does not look where the map says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from emomap import io, metrics
from emomap.progress import track
from emomap.sample import Gaze
from emomap.sanity import faithfulness
from emomap.scoring.image import resize_to_gaze, target_shape, truths
from emomap.scoring.protocol import Protocol, available, missing_inputs
from emomap.tables import Table, number

if TYPE_CHECKING:
    from emomap.experiment.bench import Bench
    from emomap.nn.network import NetworkMethod

#: Pictures looked at, evenly spread over the split, and those of them for the costly curves.
PICTURES, CURVES = 48, 16
#: Stages in which the weights are lost.
STEPS = 5
SCORES = ("cc", "nss")


def check(bench: Bench) -> list[Table]:
    """Run both checks on the networks of a finished run; `sanity.json` in its folder keeps them."""
    found: dict[str, Any] = {}
    tables: list[Table] = []
    for contender in bench.contenders:
        if not contender.trainable or contender.cls is None or not contender.cls.gives_map:
            continue
        method: Any = bench.trained(contender)
        pictures = [(s.image(), gaze) for s in _chosen(bench) if (gaze := s.gaze()) is not None]
        result = {
            "randomised": _randomised(contender.name, method, pictures, bench),
            "curves": _curves(contender.name, method, [image for image, _ in pictures], bench),
        }
        found[contender.name] = result
        tables += _tables(contender.name, result, len(pictures))
    io.write_text(Path(bench.folder.folder) / "sanity.json", json.dumps(found, indent=1) + "\n")
    return tables


def _chosen(bench: Bench) -> list[Any]:
    samples = bench.gazed(bench.split)
    places = np.unique(np.linspace(0, len(samples) - 1, PICTURES).round().astype(int))
    return [samples[place] for place in places]


def _randomised(
    name: str, method: NetworkMethod, pictures: Sequence[tuple[Any, Gaze]], bench: Bench
) -> list[dict[str, float]]:
    from emomap.sanity import randomisation

    images = [image for image, _ in pictures]
    stages = [(0.0, method), *randomisation.cascade(method, STEPS, bench.seed)]
    rows = []
    for share, changed in track(
        stages, total=len(stages), label=f"weights of {name} lost", show=bench.show
    ):
        maps = [np.asarray(prediction.map) for prediction in changed.predict(images)]
        likeness = randomisation.likeness(method, changed, images)
        row = {"share": share, "likeness": float(likeness.mean())}
        rows.append(row | _scores(maps, [gaze for _, gaze in pictures], bench))
    return rows


def _scores(maps: Sequence[NDArray[Any]], gazes: Sequence[Gaze], bench: Bench) -> dict[str, float]:
    """Mean CC and NSS, where the gaze allows them."""
    has = available(gazes[0])
    names = tuple(n for n in SCORES if not missing_inputs([n], has))
    protocol = Protocol(metrics=names, sigma=bench.dataset.sigma, stretch=True)
    values = [
        metrics.evaluate(
            resize_to_gaze(shown, target_shape(gaze), protocol, "map"),
            **truths(gaze, protocol, "gaze"),
            metrics=names,
        )
        for shown, gaze in zip(maps, gazes, strict=True)
    ]
    return {name: float(np.mean([value[name] for value in values])) for name in names}


def _curves(
    name: str, method: NetworkMethod, images: Sequence[Any], bench: Bench
) -> dict[str, dict[str, float]]:
    """Mean areas under deletion and insertion curves: of the map, and of a random order."""
    rng = np.random.default_rng(bench.seed)
    areas: dict[str, dict[str, list[float]]] = {
        kind: {"map": [], "random": []} for kind in ("deletion", "insertion")
    }
    some = images[:: max(1, len(images) // CURVES)][:CURVES]
    for image in track(some, total=len(some), label=f"curves of {name}", show=bench.show):
        shown = method.predict([image])[0].map
        assert shown is not None
        for order, values in (("map", shown), ("random", rng.random(shown.shape))):
            areas["deletion"][order].append(faithfulness.deletion(method, image, values).area)
            areas["insertion"][order].append(faithfulness.insertion(method, image, values).area)
    return {
        kind: {order: float(np.mean(values)) for order, values in by_order.items()}
        for kind, by_order in areas.items()
    }


def _tables(name: str, result: Mapping[str, Any], pictures: int) -> list[Table]:
    kept = [key for key in ("likeness", *SCORES) if key in result["randomised"][0]]
    labels = {"likeness": "likeness", "cc": "CC ↑", "nss": "NSS ↑"}
    lost = Table(
        ("weights lost", *[labels[key] for key in kept]),
        [
            [f"{100 * row['share']:.0f}%", *[number(row[key]) for key in kept]]
            for row in result["randomised"]
        ],
        f"{name}: maps while layers lose their weights, from the output down ({pictures} images)",
        ["likeness: Spearman correlation with the trained map; it should fall"],
    )
    areas = result["curves"]
    curves = Table(
        ("curve", "map", "random order"),
        [[kind, number(areas[kind]["map"]), number(areas[kind]["random"])] for kind in areas],
        f"{name}: area under the probability of the predicted emotion",
        ["a faithful map has less than random under deletion, more under insertion"],
    )
    return [lost, curves]
