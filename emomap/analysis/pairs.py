"""One method against another on the same images: `paired`, the one test behind every p-value.

The table of a run, `emomap compare` and the report all take their differences from here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from emomap import metrics
from emomap.method import title
from emomap.scoring.intervals import interval
from emomap.scoring.measures import measure
from emomap.tables import number

#: A difference counts as found when its p-value, after Holm, is below this.
LEVEL = 0.05


@dataclass(frozen=True)
class Pair:
    """One method against another on one metric.

    Attributes:
        metric, first, second, n: what was compared, on how many images.
        first_mean, second_mean: over the images.
        difference: mean of ``first`` minus ``second``, in the metric's own direction.
        low, high: 95% interval of the difference, over images; None for a single image.
        p: two-sided paired permutation test; p_holm: corrected over the pairs of this metric.
        effect: Cohen's d_z, the mean difference over the standard deviation of the differences;
            infinite where they are all equal, NaN where they are all 0 or there is one.
        wins, ties, losses: images on which ``first`` is better, equal, worse.
            These and the effect are None for a measure that no image has by itself (macro-F1).
    """

    metric: str
    first: str
    second: str
    n: int
    first_mean: float
    second_mean: float
    difference: float
    low: float | None
    high: float | None
    p: float
    p_holm: float
    effect: float | None
    wins: int | None
    ties: int | None
    losses: int | None

    @property
    def test(self) -> dict[str, float]:
        """What `summary.json` keeps of it."""
        return {"difference": self.difference, "p": self.p, "p_holm": self.p_holm}

    @property
    def titled(self) -> Pair:
        """The same with the names of the methods for people."""
        return replace(self, first=title(self.first), second=title(self.second))

    @property
    def verdict(self) -> str:
        """Which method is better, in words, or that no difference was found."""
        if self.ties == self.n:
            return "no difference (equal on every image)"
        if self.p_holm >= LEVEL:
            return "no difference found"
        better = self.difference * measure(self.metric).direction > 0
        return f"{self.first if better else self.second} is better"


def paired(
    values: Mapping[str, Mapping[str, Mapping[str, float]]],
    metric: str,
    pairs: Sequence[tuple[str, str]],
    seed: int,
    resamples: int = 9999,
) -> list[Pair]:
    """Test pairs of methods on one metric, Holm-corrected over these pairs.

    Each pair is tested on the images that both methods have, in the order of the first.

    Args:
        values: method -> metric -> image -> value.
        metric: a name of the catalogue.
        pairs: (first, second), names of methods.
        seed: of the permutations.
        resamples: permutations of a test.

    Raises:
        ValueError: two methods without a common image.
    """
    upwards = measure(metric).direction > 0
    tested = []
    for first, second in pairs:
        a, b = values[first][metric], values[second][metric]
        images = [image for image in a if image in b]
        ours, theirs = [a[image] for image in images], [b[image] for image in images]
        test = metrics.statistics.paired_permutation_test(
            ours, theirs, resamples=resamples, seed=seed
        )
        bounds = interval([x - y for x, y in zip(ours, theirs, strict=True)], seed)
        tested.append((first, second, sum(ours) / test.n, sum(theirs) / test.n, test, bounds))
    corrected = metrics.statistics.holm([test.p_value for *_, test, _ in tested])
    return [
        Pair(
            metric,
            first,
            second,
            test.n,
            our_mean,
            their_mean,
            test.difference,
            bounds["low"],
            bounds["high"],
            test.p_value,
            float(p_holm),
            test.effect,
            test.wins if upwards else test.losses,
            test.ties,
            test.losses if upwards else test.wins,
        )
        for (first, second, our_mean, their_mean, test, bounds), p_holm in zip(
            tested, corrected, strict=True
        )
    ]


def differs(test: Mapping[str, float] | None) -> bool:
    """Whether a test of `summary.json` has found a difference; False where there was none."""
    return test is not None and test["p_holm"] < LEVEL


def effect_size(d: float) -> str:
    """d_z for people: 0.52, inf, or "-" where it is not a number."""
    return "-" if math.isnan(d) else number(d, 2)


def probability(p: float) -> str:
    """A p-value for people: 0.012, or <0.001."""
    return "<0.001" if p < 0.001 else f"{p:.3f}"
