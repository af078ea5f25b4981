"""Values that a map does not have, in a line for each reason: which metrics, and which maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from emomap.errors import listed


def incomplete(
    lacking: Mapping[str, Mapping[str, str]], maps: int, metrics: Iterable[str]
) -> list[str]:
    """A line for each reason, as "kl, sim: not scored: 20 of 20 maps negative, which ...".

    The metrics are left out of a line that is true of all of them, and so are the images.

    Args:
        lacking: image -> metric -> reason.
        maps: number of all maps.
        metrics: all metrics that were asked for.
    """
    images: dict[tuple[str, str], list[str]] = {}
    for image, reasons in lacking.items():
        for metric, reason in reasons.items():
            images.setdefault((reason, metric), []).append(image)
    shared: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, metric), those in images.items():
        shared.setdefault((reason, tuple(those)), []).append(metric)
    return [
        ("" if set(names) >= set(metrics) else f"{', '.join(names)}: ")
        + f"not scored: {len(those)} of {maps} maps {reason}"
        + (f" ({listed(those, 3)})" if len(those) < maps else "")
        for (reason, those), names in shared.items()
    ]
