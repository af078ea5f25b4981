"""Methods compared by measures that only a whole set has: macro-F1, EMC, ECE, CCC.

Such a measure is no mean over images, so the images of two methods are drawn anew, and swapped
between them, and the measure computed each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emomap import metrics
from emomap.analysis.comparison import ComparedMethod
from emomap.analysis.pairs import Pair
from emomap.errors import EmomapError
from emomap.scoring.emotions.columns import SetColumns, needed, of_facts
from emomap.scoring.measures import NAMES, NUMBERS, all_of_emotions


def set_names(entries: Sequence[ComparedMethod]) -> list[str]:
    """The measures of a whole set that the files of all methods allow, in the order of tables.

    EMC needs Mikels' wheel: files do not keep another.
    """
    return [
        name
        for name in all_of_emotions()
        if needed(name)
        and all(_has(entry, name) for entry in entries)
        and (name != "emc" or all(_on_mikels(entry) for entry in entries))
    ]


def _has(entry: ComparedMethod, name: str) -> bool:
    signed = name in entry.signatures or not any(entry.signatures.values())
    return signed and any(
        all(line.get(column) is not None for column in needed(name))
        for line in entry.facts.values()
    )


def _on_mikels(entry: ComparedMethod) -> bool:
    return "wheel:mikels" in entry.signatures.get("emc", "")


@dataclass(frozen=True)
class _Two:
    """Two methods on the same images.

    Attributes:
        first, second: their columns; those of the labels are the same.
    """

    first: SetColumns
    second: SetColumns

    def difference(self, at: NDArray[np.int64], names: Sequence[str]) -> dict[str, Any]:
        """First minus second on some images (..., n)."""
        ours, theirs = (c.measured(c.at(at), names) for c in (self.first, self.second))
        return {name: ours[name] - theirs[name] for name in names}

    def swapped(self, swaps: NDArray[np.bool_], names: Sequence[str]) -> dict[str, Any]:
        """First minus second, with the predictions of some images (..., n) exchanged."""
        sides = []
        for one, other in ((self.first, self.second), (self.second, self.first)):
            columns = {
                name: np.where(swaps, other.values[name], column)
                if {**NAMES, **NUMBERS}[name]
                else np.broadcast_to(column, swaps.shape)
                for name, column in one.values.items()
            }
            sides.append(one.measured(columns, names))
        return {name: sides[0][name] - sides[1][name] for name in names}


def compare_sets(
    entries: Sequence[ComparedMethod],
    names: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    seed: int,
    resamples: int = 9999,
) -> tuple[list[Pair], dict[str, dict[str, dict[str, Any]]]]:
    """Test pairs of methods on measures of a whole set, Holm-corrected over the pairs of each.

    Args:
        entries: methods with the facts of their images; compared on those that all have.
        names: from `set_names`.
        pairs: (first, second), names of methods.
        seed: of bootstrap and permutations.
        resamples: permutations of a test.

    Returns:
        The pairs in the order of the measures; method -> measure -> mean, low, high, n. A measure
        that has no value on these images is left out of both.

    Raises:
        EmomapError: two methods have different labels of an image.
    """
    groups: dict[tuple[str, ...], list[str]] = {}
    for name in names:
        groups.setdefault(needed(name), []).append(name)
    found: dict[str, list[Pair]] = {}
    means: dict[str, dict[str, dict[str, Any]]] = {entry.name: {} for entry in entries}
    for columns, group in groups.items():
        images = _images(entries, columns)
        _check_labels(entries, columns, images)
        parts = {
            e.name: of_facts(
                e.facts,
                images,
                columns,
                metrics.emotion.MIKELS,
                [other.facts for other in entries],
            )
            for e in entries
        }
        kept = [name for name in group if images and _valued(parts, name)]
        for entry in entries:
            own = parts[entry.name]
            means[entry.name] |= _intervals(own, kept, seed) if kept else {}
        for name, tested in _tested(parts, kept, pairs, seed, resamples).items():
            found[name] = [
                _pair(name, *pair, means, own, p_holm)
                for pair, own, p_holm in zip(pairs, tested, _holm(tested), strict=True)
            ]
    return [pair for name in names for pair in found.get(name, [])], means


def _images(entries: Sequence[ComparedMethod], columns: Sequence[str]) -> list[str]:
    """The images that have the columns everywhere, in the order of the first method."""
    return [
        image
        for image in entries[0].facts
        if all(
            entry.facts.get(image, {}).get(column) is not None
            for entry in entries
            for column in columns
        )
    ]


def _check_labels(
    entries: Sequence[ComparedMethod], columns: Sequence[str], images: Sequence[str]
) -> None:
    for column in columns:
        if {**NAMES, **NUMBERS}[column]:
            continue
        for entry in entries[1:]:
            for image in images:
                mine, theirs = entries[0].facts[image][column], entry.facts[image][column]
                if mine != theirs:
                    raise EmomapError(
                        f"{image}: its {column} is {mine} in {entries[0].source} and {theirs} in "
                        f"{entry.source}; score both against the same labels"
                    )


def _valued(parts: Mapping[str, SetColumns], name: str) -> bool:
    """Whether a measure has a value for every method: EMC has none where nothing is wrong."""
    return all(
        (name != "emc" or own.wheel is not None)
        and np.isfinite(own.measured(own.values, [name])[name])
        for own in parts.values()
    )


def _intervals(own: SetColumns, names: Sequence[str], seed: int) -> dict[str, dict[str, Any]]:
    found = metrics.statistics.set_intervals(
        lambda at: own.measured(own.at(at), names), own.n, seed=seed
    )
    return {
        name: {"mean": one.mean, "low": one.low, "high": one.high, "n": one.n}
        for name, one in found.items()
    }


@dataclass(frozen=True)
class _Tested:
    """Difference of two methods with its interval, and the p-value."""

    interval: Any
    p: float


def _tested(
    parts: Mapping[str, SetColumns],
    names: Sequence[str],
    pairs: Sequence[tuple[str, str]],
    seed: int,
    resamples: int,
) -> dict[str, list[_Tested]]:
    found: dict[str, list[_Tested]] = {name: [] for name in names}
    for first, second in pairs if names else ():
        two = _Two(parts[first], parts[second])
        n = two.first.n

        def difference(at: NDArray[np.int64], two: _Two = two) -> dict[str, Any]:
            return two.difference(at, names)

        def swapped(swaps: NDArray[np.bool_], two: _Two = two) -> dict[str, Any]:
            return two.swapped(swaps, names)

        bounds = metrics.statistics.set_intervals(difference, n, seed=seed)
        p_values = metrics.statistics.set_permutation_tests(
            swapped, n, resamples=resamples, seed=seed
        )
        for name in names:
            found[name].append(_Tested(bounds[name], p_values[name]))
    return found


def _holm(tested: Sequence[_Tested]) -> list[float]:
    return [float(p) for p in metrics.statistics.holm([one.p for one in tested])]


def _pair(
    name: str,
    first: str,
    second: str,
    means: Mapping[str, Mapping[str, Mapping[str, Any]]],
    tested: _Tested,
    p_holm: float,
) -> Pair:
    bounds = tested.interval
    own, other = means[first][name]["mean"], means[second][name]["mean"]
    return Pair(
        name, first, second, bounds.n, own, other, bounds.mean, bounds.low, bounds.high,
        tested.p, p_holm, None, None, None, None,
    )  # fmt: skip
