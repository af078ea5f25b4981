"""The report's text for the methods section of a paper, with references."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from emomap import method, metrics
from emomap.analysis.ranking import CEILING, PRIOR
from emomap.report.trained import training_sentence
from emomap.runs.results import Results
from emomap.tables import short

#: References for the statistics.
STATISTICS = {
    "t": "Student, The Probable Error of a Mean, Biometrika 6, 1908",
    "wilson": "Wilson, Journal of the American Statistical Association 22, 1927",
    "bootstrap": "Efron & Tibshirani, An Introduction to the Bootstrap, 1993",
    "permutation": "Phipson & Smyth, Stat. Appl. Genet. Mol. Biol. 9, 2010",
    "holm": "Holm, Scandinavian Journal of Statistics 6, 1979",
}

_CONVENTIONS = {
    "mit": "as in the MIT saliency benchmark",
    "tuebingen": "as in the MIT/Tuebingen benchmark since 2019",
}


_RESIZING = {
    "matlab-bicubic": "bicubic interpolation (as MATLAB's imresize)",
    "matlab-bilinear": "bilinear interpolation (as MATLAB's imresize)",
    "bilinear": "bilinear interpolation",
    "area": "averaging over areas",
    "nearest": "nearest-neighbour interpolation",
}


class References:
    """Numbers for references, in the order in which they are first cited."""

    def __init__(self) -> None:
        self._listed: list[str] = []

    def __call__(self, text: str) -> str:
        """The number of a reference in brackets, "[3]"."""
        if text not in self._listed:
            self._listed.append(text)
        return f"[{self._listed.index(text) + 1}]"

    def lines(self) -> list[str]:
        """The list of references."""
        return [f"[{number}] {text}" for number, text in enumerate(self._listed, 1)]


def methods_section(run: Results) -> str:
    """Paragraphs in plain text, the signature, and the references."""
    cite = References()
    summary = run.summary
    parts = [_data(run), _methods(run)]
    if run.metrics:
        parts += [_scoring(run, cite), _statistics(run, cite)]
        parts.append(
            f"The exact settings of the metrics have the emomap signature "
            f"{short(summary['signature'])}."
        )
    parts.append("\n".join(cite.lines()))
    return "\n\n".join(part for part in parts if part)


def _data(run: Results) -> str:
    summary = run.summary
    which = "all" if summary["split"] == "whole" else f"the {summary['split']} split,"
    text = f"We used {which} {summary['n_images']} images of the data set {summary['dataset']}"
    if summary["synthetic"]:
        text += (
            ", whose pictures are procedural and whose gaze is simulated; the numbers below check "
            "the pipeline and are no evidence about people"
        )
    return text + "."


def _methods(run: Results) -> str:
    known = method.entries()
    finished = [n for n in run.methods if n.endswith(("-smooth", "-center")) and n not in known]
    described = [
        f"{method.title(name)} ({known[name].summary})" if name in known else name
        for name in run.methods
        if name != CEILING and name not in finished
    ]
    text = f"We compared {_listed(described)}."
    if finished:
        text += (
            " Names that end in -smooth are maps after Gaussian smoothing, and those in -center "
            "have the centre prior added; the strength of both was chosen on the validation split."
        )
    for name in run.methods:
        if (run.home(name) / "training.jsonl").exists():
            numbers = _below(run, "training.") | _below(run, f"method.{name}.training.")
            text += f" {training_sentence(method.title(name), numbers, run.summary['seed'])}"
    return text


def _below(run: Results, prefix: str) -> dict[str, Any]:
    """The numbers of the recipe whose key starts with the prefix, without it."""
    return {k.removeprefix(prefix): v for k, v in run.recipe.items() if k.startswith(prefix)}


def _scoring(run: Results, cite: References) -> str:
    signature = metrics.Signature.parse(run.summary["signature"])
    said = dict(signature.settings)
    entries = [metrics.CATALOGUE[name] for name in run.metrics]
    named = _listed([f"{entry.long_name} {cite(entry.reference)}" for entry in entries])
    resize = said.get("resize", "no resizing")
    text = (
        f"Maps were scored against human gaze by {named}, {_CONVENTIONS[signature.convention]}, "
        f"with emomap {run.summary['emomap']}. Maps were brought to the size of the gaze by "
        f"{_RESIZING.get(resize, resize)}."
    )
    if "sigma" in said:
        sigma = said["sigma"]
        blur = (
            f"the MIT benchmark's Gaussian (cut-off at {sigma[2:]} cycles per image)"
            if sigma.startswith("fc")
            else f"a Gaussian of sigma {sigma.removesuffix('px')} px"
        )
        text += f" Fixations were blurred by {blur} where a metric compares densities."
    if "downsize" in said:
        text += f" EMD was solved exactly on maps made {said['downsize']} times smaller."
    return text


def _statistics(run: Results, cite: References) -> str:
    if "intervals" in run.summary:
        text = f"Means are over images, with 95% Student's t intervals {cite(STATISTICS['t'])}."
        if any("accuracy_interval" in entry for entry in run.summary["methods"].values()):
            text += f" Accuracies have Wilson's interval {cite(STATISTICS['wilson'])}."
    else:  # a run of 0.1
        text = (
            "Means are over images, with 95% percentile bootstrap intervals "
            f"{cite(STATISTICS['bootstrap'])} (2,000 resamples, seed {run.summary['seed']})."
        )
    if run.summary.get("tests"):
        text += (
            " Each method was tested against the centre prior by a two-sided paired permutation "
            f"test over images {cite(STATISTICS['permutation'])} (9,999 permutations), with Holm's "
            f"correction over the methods {cite(STATISTICS['holm'])}."
        )
    if CEILING in run.values and PRIOR in run.values:
        text += " The human ceiling is how well all other observers predict each observer."
    return text


def _listed(parts: Sequence[str]) -> str:
    """A list in a sentence: "a, b and c"."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
