"""Signatures as text: the part of one metric, the difference of two, and a signature in words.

`metrics.Signature` reads and prints them. A text that it cannot read comes from another program; it
is passed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from emomap import metrics
from emomap.scoring.intervals import METHOD
from emomap.scoring.measures import signed_name

_CONVENTIONS = {
    "mit": "MIT convention (the published tables of the MIT saliency benchmark)",
    "tuebingen": "Tuebingen convention (MIT/Tuebingen benchmark since 2019)",
    "geng": "Geng's definitions (Label Distribution Learning, 2016)",
    "styleedl": "convention of StyleEDL's code",
    "ecc": "convention of the code of To Err Like Human",
}

_IMRESIZE = "maps are brought to the size of the gaze as MATLAB's imresize does"

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
    ("frames", "mean"): "values are means over the frames of a video",
    ("prediction", "log-density"): "maps are log-densities, of which the exponential is scored",
    ("interval", "t"): "the interval of a mean is Student's t",
    ("interval", "wilson"): "the interval of a share is Wilson's",
    ("interval", "percentile"): "the interval is of percentiles of a bootstrap over images",
    ("interval", "by-measure"): "intervals are Wilson's of a share, of percentiles of a bootstrap "
    "for a measure of the whole set, and Student's t of other means",
    ("resize", "matlab-bicubic"): _IMRESIZE,
    ("resize", "matlab-bilinear"): f"{_IMRESIZE} with 'bilinear'",
    ("protocol", "metric-specific"): "each metric scores its own map of the predicted density",
    ("baseline", "center"): "the baseline is the centre bias of the other images",
    ("baseline", "uniform"): "the baseline is the uniform density",
    "drawn": "its map is the best for {} drawn fixations (densities x fixations)",
    "gap": "the cost of its map is within a share of {} of the least",
    ("steps", "0.1"): "the threshold goes in steps of 0.1, as Octave rounds them",
    ("steps", "0.1/matlab"): "the threshold goes in steps of 0.1, as MATLAB rounds them",
    ("divided", "classes"): "the sum is divided by the number of emotions",
    ("average", "macro"): "every emotion counts the same",
    ("equals", "shared"): "equal probabilities share their places",
    ("moments", "population"): "moments divide by n",
    ("wheel", "mikels"): "on Mikels' wheel",
    "k": "the {} likeliest emotions count",
    "bins": "{} equal bins of confidence",
    "wheel": "on the wheel {}",
    ("ranks", "mean"): "equal values share their mean rank",
    "threshold": "both maps are cut at {} after min-max",
    "tolerance": "the nearest fixation may lie {} away",
    "steps": "the threshold goes in steps of {}",
    "eps": "{} is added against division by zero",
    "downsize": "both maps are made {} times smaller before",
    "resize": "maps are brought to the size of the gaze by {}",
    "sigma": "fixations are blurred by a Gaussian of sigma {}",
    "mask": "pixels under a mask are ignored ({})",
    "interval": "the interval of a mean is {}",
    "seed": "what is drawn at random starts from seed {}",
    "v": "metric library {}",
}


def of_metric(signature: str, metric: str) -> str:
    """The part of a signature that the values of one metric depend on.

    A signature of another program, or of other metrics, is returned as it is.

    >>> of_metric("nss+cc|mit|fixations:pixels|ddof:1|resize:pil-box|sigma:24px|v:0.1.0", "cc")
    'cc|mit|resize:pil-box|sigma:24px|v:0.1.0'
    """
    own, name = _known(signature), signed_name(metric)
    return str(own.of_metric(name)) if own and name in own.metrics else signature


def of_means(signature: str, seed: int | None = None, method: str = METHOD) -> str:
    """The signature of values as that of their means, whose interval it names.

    Args:
        signature: of the values.
        seed: of tests that stand beside the means, or of an interval that is drawn.
        method: of the interval.

    >>> of_means("nss|mit|ddof:1|v:0.1.0", 3)
    'nss|mit|ddof:1|interval:t|seed:3|v:0.1.0'
    """
    own = _known(signature)
    if own:
        found = str(replace(own, settings=(*own.settings, ("interval", method))))
    else:
        found = signature and f"{signature}|interval:{method}"
    return found if seed is None else seeded(found, seed)


def seeded(signature: str, seed: int) -> str:
    """The signature with the seed of what is drawn beside the values.

    >>> seeded("nss|mit|ddof:1|v:0.1.0", 3)
    'nss|mit|ddof:1|seed:3|v:0.1.0'
    """
    own = _known(signature)
    return str(own.seeded(seed)) if own else signature and f"{signature}|seed:{seed}"


def joint(signatures: Mapping[str, str]) -> str:
    """The signatures of single metrics as one.

    Those of another program, another convention or version are joined by a semicolon.

    Args:
        signatures: metric -> signature.

    >>> joint({"nss": "nss|mit|ddof:1|v:0.1.0", "cc": "cc|mit|sigma:24px|v:0.1.0"})
    'nss+cc|mit|ddof:1|sigma:24px|v:0.1.0'
    """
    parsed = {name: _known(text) for name, text in signatures.items()}
    whole = {n: own for n, own in parsed.items() if own and own.metrics == (signed_name(n),)}
    known = {own.metrics[0]: own for own in whole.values()}  # once for all scales
    if len(whole) < len(parsed) or len({(k.convention, k.version) for k in known.values()}) != 1:
        return "; ".join(dict.fromkeys(signatures.values()))
    found: dict[str, dict[str, str]] = {}
    for name, own in known.items():
        for key, value in own.settings:
            found.setdefault(key, {})[name] = value
    settings: list[tuple[str, str]] = []
    for key, values in found.items():
        same = len(set(values.values())) == 1
        settings += (
            [(key, next(iter(values.values())))]
            if same
            else [(f"{name}.{key}", value) for name, value in values.items()]
        )
    first = next(iter(known.values()))
    chosen_by = {  # what a metric depends on by itself comes before what its caller chose
        key: not any(key in first.entry(name).settings[first.convention] for name in values)
        for key, values in found.items()
    }
    settings.sort(key=lambda pair: chosen_by[pair[0].rpartition(".")[2]])
    return str(metrics.Signature(tuple(known), first.convention, tuple(settings), first.version))


def differing(first: str, second: str, names: Sequence[str]) -> list[str]:
    """How two signatures differ, a line for each of the metrics: "nss: ddof:1 against ddof:0".

    What the values of the maps are (`prediction`) is no difference: it belongs to the maps.
    """
    found = []
    for name in names:
        one, other = (
            re.sub(r"\|prediction:[a-z-]+", "", of_metric(s, name)) for s in (first, second)
        )
        if one != other:
            found.append(f"{name}: {_only(one, other)} against {_only(other, one)}")
    return found


def _only(one: str, other: str) -> str:
    """The parts of a metric's signature that another one does not have."""
    mine, theirs = _known(one), _known(other)
    if not (mine and theirs):
        return one or "nothing"
    fields = mine.differing(theirs)
    parts = mine.parts()
    return "|".join(parts[field] for field in parts if field in fields) or "nothing"


def explain(signature: str) -> list[str]:
    """A signature in words: one line for each metric, then one with what all of them share.

    A signature of another program is shown part by part.
    """
    whole = _known(signature)
    if whole is None:
        return [part.replace(":", ": ", 1) for part in signature.split("|") if part]
    lists = {name: _pairs(whole.of_metric(name)) for name in whole.metrics}
    several = len(lists) > 1
    shared = [part for part in _pairs(whole) if all(part in own for own in lists.values())]
    lines = []
    for name, own in lists.items():
        entry = whole.entry(name)
        said = "; ".join(_word(*part) for part in own if not (several and part in shared))
        lines.append(f"{entry.long_name}: {said or 'no choice of its own'} [{entry.reference}]")
    common = [_CONVENTIONS[whole.convention]]
    common += [
        _word(*part)
        for part in _pairs(whole)
        if (several and part in shared) or part[0] in {"interval", "seed"}
    ]
    return [*lines, ("All of them: " if several else "By the ") + "; ".join(common)]


def _known(signature: str) -> metrics.Signature | None:
    """The signature as an object, or None for that of another program."""
    try:
        return metrics.Signature.parse(signature)
    except ValueError:
        return None


def _pairs(signature: metrics.Signature) -> list[tuple[str, str]]:
    """Settings and version, which has words too."""
    return [*signature.settings, ("v", signature.version)]


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
