"""Signatures taken apart: what of one belongs to a metric, and what it says in words.

`metrics.signature` joins what several metrics have in common, so the signature of one metric is
a part of the signature of a table. Two values are comparable when their own signatures agree.
"""

from __future__ import annotations

from collections.abc import Sequence

from emomap import metrics

#: Choices of the scoring stage that concern only metrics on densities.
_OF_DENSITIES = {"sigma"}
#: Choices that move intervals, never values.
_OF_INTERVALS = {"seed"}

_CONVENTIONS = {
    "mit": "MIT convention (the published tables of the MIT saliency benchmark)",
    "tuebingen": "Tuebingen convention (MIT/Tuebingen benchmark since 2019)",
}

#: (key, value) -> words; a key alone where the value is filled in.
_WORDS = {
    ("fixations", "pixels"): "a pixel that was fixated several times counts once",
    ("fixations", "all"): "every fixation counts, also several on one pixel",
    ("thresholds", "fixated"): "thresholds are the values at the fixated pixels",
    ("ties", "as-ordered"): "equal values are taken in the order of the pixels, without jitter",
    ("ties", "half"): "equal values count half",
    ("splits", "exact"): "the expectation over random negatives is computed in closed form",
    ("negatives", "all-pixels"): "negatives are all pixels",
    ("negatives", "unfixated-pixels"): "negatives are the pixels without a fixation",
    ("negatives", "other-fixations"): "negatives are the fixations on the other images",
    ("minmax", "yes"): "maps are scaled to 0..1 first",
    ("minmax", "no"): "maps are not shifted, only scaled to sum to one",
    ("ddof", "1"): "the standard deviation divides by n - 1",
    ("ddof", "0"): "the standard deviation divides by n",
    ("grid", "common"): "both maps lie on one grid of cells",
    ("unit", "cell"): "distance is counted in cells of that grid",
    ("solver", "exact"): "the transport problem is solved exactly",
    ("clip", "0"): "values that the resize makes negative become 0",
    ("stretch", "yes"): "maps of another aspect ratio were stretched",
    "steps": "the threshold goes in steps of {}",
    "eps": "{} is added against division by zero",
    "downsize": "both maps are made {} times smaller before",
    "resize": "maps are brought to the size of the gaze by {}",
    "sigma": "fixations are blurred by a Gaussian of sigma {}",
    (
        "resize",
        "matlab-bicubic",
    ): "maps are brought to the size of the gaze as MATLAB's imresize does",
    ("resize", "matlab-bilinear"): "maps are brought to the size of the gaze as MATLAB's imresize "
    "does with 'bilinear'",
    "seed": "the bootstrap starts from seed {}",
    "v": "metric library {}",
}


def parse(signature: str) -> tuple[list[str], str, list[tuple[str, str]]]:
    """A signature as its metrics, its convention, and its (key, value) parts."""
    names, _, rest = signature.partition("|")
    convention, _, rest = rest.partition("|")
    parts = [part.partition(":") for part in rest.split("|") if part]
    return names.split("+"), convention, [(key, value) for key, _, value in parts]


def of_metric(signature: str, metric: str) -> str:
    """The part of a signature that the values of one metric depend on.

    >>> of_metric("nss+cc|mit|fixations:pixels|ddof:1|resize:pil-box|sigma:24px|v:0.1.0", "cc")
    'cc|mit|resize:pil-box|sigma:24px|v:0.1.0'
    """
    names, convention, parts = parse(signature)
    if metric not in names or metric not in metrics.CATALOGUE:
        return signature
    entry = metrics.CATALOGUE[metric]
    own = entry.settings.get(convention, {})
    listed = {
        key
        for name in metrics.CATALOGUE
        for key in metrics.CATALOGUE[name].settings.get(convention, {})
    }
    dense = bool({"density", "baseline"} & set(entry.inputs))
    kept: dict[str, str] = {}
    for key, value in parts:
        if key in _OF_INTERVALS:
            continue
        whose, _, setting = key.rpartition(".")
        concerns = (
            whose == metric
            if whose
            else key in own
            if key in listed
            else dense or key not in _OF_DENSITIES
        )
        if concerns:
            kept[setting] = value
    order = [*(key for key in own if key in kept), *(key for key in kept if key not in own)]
    return "|".join([metric, convention, *(f"{key}:{kept[key]}" for key in order)])


def seeded(signature: str, seed: int) -> str:
    """The signature of values as that of their means and intervals, which depend on a seed too.

    >>> seeded("nss|mit|ddof:1|v:0.1.0", 3)
    'nss|mit|ddof:1|seed:3|v:0.1.0'
    """
    if not signature:
        return ""
    *parts, version = [p for p in signature.split("|") if not p.startswith("seed:")]
    return "|".join([*parts, f"seed:{seed}", version])


def explain(signature: str) -> list[str]:
    """A signature in words: one line a metric, then one with what all metrics share."""
    names, convention, _ = parse(signature)
    lists = {name: parse(of_metric(signature, name))[2] for name in names}
    whole = parse(signature)[2]
    shared = [part for part in whole if all(part in own for own in lists.values())]
    if len(names) == 1:
        shared = []
    lines = []
    for name in names:
        own = "; ".join(_word(*part) for part in lists[name] if part not in shared)
        known = name in metrics.CATALOGUE
        title = metrics.CATALOGUE[name].long_name if known else name
        source = f" [{metrics.CATALOGUE[name].reference}]" if known else ""
        lines.append(f"{title}: {own or 'no choice of its own'}{source}")
    common = [_CONVENTIONS.get(convention, f"convention {convention}")]
    common += [_word(*part) for part in whole if part in shared or part[0] in _OF_INTERVALS]
    return [*lines, ("All of them: " if len(names) > 1 else "By the ") + "; ".join(common)]


def _word(key: str, value: str) -> str:
    exact = _WORDS.get((key, value))
    if exact:
        return exact
    if key == "sigma":
        value = (
            f"that follows the picture's size (MIT, cut-off at {value[2:]} cycles an image)"
            if value.startswith("fc")
            else f"{value.removesuffix('px')} px"
        )
    pattern = _WORDS.get(key)
    return pattern.format(value) if pattern else f"{key}: {value}"


def differing(first: str, second: str, names: Sequence[str]) -> list[str]:
    """How two signatures differ, a line for each of the metrics: "nss: ddof:1 against ddof:0"."""
    found = []
    for name in names:
        one, other = of_metric(first, name), of_metric(second, name)
        if one != other:
            mine, theirs = one.split("|"), other.split("|")
            only = "|".join(part for part in mine if part not in theirs) or "nothing"
            also = "|".join(part for part in theirs if part not in mine) or "nothing"
            found.append(f"{name}: {only} against {also}")
    return found
