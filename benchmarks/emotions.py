"""How much codes for emotions disagree: the same distributions and labels, measured by each.

    python benchmarks/emotions.py       writes benchmarks/results/emotions.md

Distributions are those of ../shared/fixtures/emotions, with what two public codes printed for them.
Where that folder is not, they are drawn, and the columns of the codes are left out. Labels are
drawn.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

# a file in this folder has the name of the library, so search the folder above instead
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.runs import machine, table  # noqa: E402
from metrics import emotion  # noqa: E402

RESULT = Path(__file__).parent / "results" / "emotions.md"
FIXTURES = Path(__file__).resolve().parents[2] / "shared" / "fixtures" / "emotions"
#: File -> what it holds.
SETS = {
    "e1_dense_8": "8 emotions, no zeros",
    "e2_votes_8": "8 emotions, votes",
    "e3_votes_7": "7 emotions, zeros on both sides",
}
#: Measure -> its name in StyleEDL's code, and in that of To Err Like Human.
NAMES = {
    "kl_divergence": ("klDiv", "kl"),
    "clark": ("clark", "clark"),
    "canberra": ("canberra", "canberra"),
    "chebyshev": ("chebyshev", "chebyshev"),
    "cosine": ("cosine", "cosine"),
    "intersection": ("intersection", "intersection"),
    "squared_chord": ("squareChord", "squared_chord"),
    "sorensen": ("sorensendist", "sorensen"),
    "euclidean": ("", "euclidean"),
    "fidelity": ("", "fidelity"),
    "squared_chi2": ("", "squared_chi2"),
}
#: Pictures of FI by emotion, its largest and its smallest class as published, the others between.
LARGEST, SMALLEST = 5374, 1032


def cases() -> Iterator[tuple[str, dict[str, Any]]]:
    """The sets, recorded or drawn."""
    for name, words in SETS.items():
        file = FIXTURES / f"{name}.json"
        if file.exists():
            yield words, json.loads(file.read_text())
        else:
            yield f"{words}, drawn", drawn(name)


def drawn(name: str) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    n, c = (30, 7) if name.endswith("7") else (40, 8)
    label = rng.dirichlet(np.full(c, 0.7), n)
    prediction = rng.dirichlet(np.full(c, 0.7), n)
    if "votes" in name:
        label = np.array([rng.multinomial(15, row) for row in label]) / 15
    if name.endswith("7"):
        prediction = np.array([rng.multinomial(11, row) for row in prediction]) / 11
    return {"labels": label, "predictions": prediction, "means": {}}


def of_distributions(case: dict[str, Any]) -> Iterator[list[str]]:
    """A row for each measure: what each code printed, and what each convention gives here."""
    prediction, label = np.array(case["predictions"]), np.array(case["labels"])
    for name, called in NAMES.items():
        function = getattr(emotion, name)
        printed = []
        for code, own in zip(("styleedl", "ecc"), called, strict=True):
            means = case["means"].get(code, {})
            printed.append(shown(means[own]) if own in means else "-")
        found = [
            shown(float(np.mean(function(prediction, label, convention=convention))))
            for convention in emotion.distributions.CONVENTIONS
        ]
        yield [name, *printed, *found]


def shown(value: float | None) -> str:
    return "not a number" if value is None else f"{value:.6f}" if np.isfinite(value) else "infinite"


def of_labels() -> Iterator[list[str]]:
    """Numbers that hang on a choice which papers seldom state."""
    rng = np.random.default_rng(0)
    names = sorted(emotion.MIKELS.emotions)
    shares = np.geomspace(SMALLEST, LARGEST, 8)
    truth = rng.choice(8, 4000, p=shares / shares.sum())
    chances = rng.dirichlet(np.full(8, 0.6), 4000)
    chances = 0.7 * chances + 0.3 * shares / shares.sum()  # frequent classes are favoured
    chances[np.arange(4000), truth] += rng.exponential(0.25, 4000)
    chances /= chances.sum(axis=1, keepdims=True)
    guess = chances.argmax(axis=1)
    wheel = emotion.Wheel(
        emotion.MIKELS.positive, emotion.MIKELS.negative, tuple(names), "alphabet"
    )
    for measure in ("ecc", "emc"):
        function = getattr(emotion, measure)
        right = function(guess, truth, classes=names)
        wrong = function(guess, truth, classes=names, wheel=wheel)
        what = f"{measure.upper()}, the alphabet taken for the order of the wheel"
        yield [what, f"{wrong:.4f}", f"{right:.4f}"]
    yield [
        "accuracy where classes are uneven, against balanced accuracy",
        f"{emotion.accuracy(guess, truth):.4f}",
        f"{emotion.balanced_accuracy(guess, truth):.4f}",
    ]
    yield [
        "micro-F1 (it is the accuracy), against macro-F1",
        f"{emotion.f1(guess, truth, average='micro'):.4f}",
        f"{emotion.f1(guess, truth):.4f}",
    ]
    flat = np.full((8, 8), 1 / 8)
    yield [
        "top-3 accuracy of a classifier that says 1/8 of all, ties in its favour",
        "1.0000",
        f"{emotion.top_k_accuracy(flat, np.arange(8)):.4f}",
    ]
    valence = rng.uniform(1, 9, 500)
    narrow = 5 + 0.4 * (valence - 5) + rng.normal(0, 0.5, 500)
    yield [
        "Pearson's r of ratings that are too near the middle, against CCC",
        f"{emotion.pearson(narrow, valence):.4f}",
        f"{emotion.ccc(narrow, valence):.4f}",
    ]


def main() -> None:
    lines = [
        "# How much codes for emotions disagree",
        "",
        f"{machine()}, numpy {np.__version__}. Made by `python benchmarks/emotions.py`.",
    ]
    codes = ["StyleEDL printed", "To Err Like Human printed"]
    own = [f'convention="{name}"' for name in emotion.distributions.CONVENTIONS]
    for words, case in cases():
        rows = list(of_distributions(case))
        lines += ["", f"## {len(case['labels'])} pictures, {words}", ""]
        lines += table(["measure", *codes, *own], rows)
    lines += ["", "## Labels, probabilities, ratings", ""]
    lines += table(["what", "so", "here"], list(of_labels()))
    RESULT.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
