"""Tables of predicted emotions against labels: what is read, measured, kept and compared."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn import metrics as sk

import emomap
from emomap import metrics
from emomap.analysis.compare import compare
from emomap.data.emotion_tables import read_emotions
from emomap.errors import EmomapError, UsageError
from emomap.sample import EMOTIONS
from emomap.scoring import per_image
from emomap.scoring.emotions.scores import EmotionScores
from tests.conftest import shared
from tests.metrics.test_emotion import CALLED, naive, naive_distance

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, header: str, lines: Sequence[Sequence[Any]]) -> Path:
        file = tmp_path / name
        with file.open("w", newline="") as stream:
            out = csv.writer(stream)
            out.writerow(header.split(","))
            out.writerows(lines)
        return file

    return written


def guesses(seed: int, sure: float, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (n, 8), and votes of 15 people that they are more or less like."""
    rng = np.random.default_rng(seed)
    votes = np.random.default_rng(99).multinomial(15, np.full(8, 1 / 8), size=n)
    votes[np.arange(n), np.random.default_rng(98).integers(0, 8, n)] += 9  # one is the commonest
    share = votes / votes.sum(axis=1, keepdims=True)
    return np.array([rng.dirichlet(sure * row + 0.3) for row in share]) + 0, votes


@pytest.fixture
def tables(write: Write) -> tuple[Path, Path, Path]:
    """Two predictions with probabilities, and votes."""
    files = []
    for name, seed, sure in (("ours", 1, 9.0), ("theirs", 2, 1.0)):
        chances, votes = guesses(seed, sure)
        header = "image," + ",".join(f"p_{e}" for e in EMOTIONS)
        lines = [[f"p{i}", *map(repr, row.tolist())] for i, row in enumerate(chances)]
        files.append(write(f"{name}.csv", header, lines))
    lines = [[f"images/p{i}.jpg", *row] for i, row in enumerate(votes)][::-1]
    files.append(write("votes.csv", "Image," + ",".join(EMOTIONS).upper(), lines))
    return files[0], files[1], files[2]


def test_values_are_those_of_the_formulas(tables: tuple[Path, Path, Path]) -> None:
    found = emomap.score(tables[0], tables[2], metrics="all")
    assert isinstance(found, EmotionScores)
    chances, votes = guesses(1, 9.0)
    shares = votes / votes.sum(axis=1, keepdims=True)
    guess, truth = chances.argmax(axis=1), shares.argmax(axis=1)
    summary = found.summary()
    expected = {
        "accuracy": sk.accuracy_score(truth, guess),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, guess),
        "f1": sk.f1_score(truth, guess, average="macro"),
        "cohen_kappa": sk.cohen_kappa_score(truth, guess),
        "top_k_accuracy": sk.top_k_accuracy_score(truth, chances, k=3),
        "expected_calibration_error": metrics.emotion.expected_calibration_error(chances, truth),
    }
    apart = [naive_distance(EMOTIONS[g], EMOTIONS[t]) for g, t in zip(guess, truth, strict=True)]
    expected["ecc"] = np.mean([1 / d for d in apart])
    expected["emc"] = np.mean([1 / (d - 1) for d in apart if d > 1])
    expected["polarity_accuracy"] = np.mean([d <= 4 for d in apart])
    for name in set(summary) - set(expected):
        expected[name] = np.mean(
            [naive(name, p, d, "geng") for p, d in zip(chances, shares, strict=True)]
        )
    assert len(summary) == 9 + 11
    for name, value in expected.items():
        assert summary[name]["mean"] == pytest.approx(value, rel=1e-9), name
        assert summary[name]["low"] < summary[name]["mean"] < summary[name]["high"], name
        assert summary[name]["n"] == 60
    hits = metrics.statistics.proportion_interval(int((guess == truth).sum()), 60)
    assert summary["accuracy"] == vars(hits)
    recalls = sk.recall_score(truth, guess, average=None, labels=range(8))
    each = found.per_class()
    assert [each[e]["recall"] for e in EMOTIONS] == pytest.approx(recalls.tolist())
    assert sum(line["n"] for line in each.values()) == 60
    assert found.confusion()["counts"] == sk.confusion_matrix(truth, guess).tolist()
    curve = found.reliability()
    error = sum(b["n"] * abs(b["accuracy"] - b["confidence"]) for b in curve) / 60
    assert error == pytest.approx(summary["expected_calibration_error"]["mean"])


@pytest.mark.parametrize("file", ["e1_dense_8", "e2_votes_8", "e3_votes_7"])
@pytest.mark.parametrize("convention", ["styleedl", "ecc"])
def test_means_are_those_of_both_codes(file: str, convention: str, write: Write) -> None:
    case = json.loads(shared(f"fixtures/emotions/{file}.json").read_text())
    c = len(case["labels"][0])
    header = "image," + ",".join(f"p_e{i}" for i in range(c))
    paths = [
        write(f"{side}.csv", header, [[i, *map(repr, line)] for i, line in enumerate(case[side])])
        for side in ("predictions", "labels")
    ]
    found = emomap.score(*paths, metrics="all", convention=convention)
    summary = found.summary()
    for name, expected in case["means"][convention].items():
        if expected is None:
            continue
        cell = summary[CALLED.get(name, name)]
        if np.isinf(expected):
            assert cell["n"] < len(case["labels"])
            assert any("KL is infinite" in line for line in found.incomplete)
        else:
            assert cell["mean"] == pytest.approx(expected, abs=1e-9), name
    assert "ecc" in found.omitted
    assert "'e0' is not on the wheel mikels" in found.omitted["ecc"]


def test_hard_labels_valence_and_arousal(write: Write) -> None:
    ours = write(
        "ours.csv",
        "file,Predicted,valence,arousal_predicted",
        [["a.jpg", "Awe", 3, 2], ["b.jpg", "FEAR", 4, 5], ["c.jpg", "sad", 8, 1]],
    )
    theirs = write(
        "theirs.csv",
        "image,emotion,valence,arousal",
        [["c", "sadness", 7, 3], ["b", "awe", 5, 5], ["a", "awe", 3, ""]],
    )
    found = emomap.score(ours, theirs)
    summary = found.summary()
    assert summary["accuracy"]["mean"] == pytest.approx(2 / 3)
    assert summary["ecc"]["mean"] == pytest.approx((1 + 1 + 1 / naive_distance("fear", "awe")) / 3)
    assert summary["emc"]["mean"] == pytest.approx(1 / (naive_distance("fear", "awe") - 1))
    assert summary["valence_mae"]["mean"] == pytest.approx(2 / 3)
    assert summary["arousal_mae"]["mean"] == 1.0
    assert summary["arousal_mae"]["n"] == 2
    assert summary["valence_ccc"]["mean"] == pytest.approx(
        metrics.emotion.ccc([3, 4, 8], [3, 5, 7])
    )
    assert "top_k_accuracy" not in summary
    assert found.to_pandas().loc["b", "predicted"] == "fear"


def test_the_order_of_lines_columns_and_names_is_nothing(
    tables: tuple[Path, Path, Path], write: Write
) -> None:
    expected = emomap.score(tables[0], tables[2]).to_dict()
    rows = list(csv.reader(tables[0].open()))
    order = [3, 0, 8, 7, 1, 2, 5, 4, 6]
    lines = [[row[i] for i in order] for row in rows]
    again = write("ours2.csv", ",".join(lines[0]).replace("p_", "PROB_"), lines[:0:-1])
    found = emomap.score(again, tables[2]).to_dict()
    assert found["metrics"] == expected["metrics"]
    assert found["per_class"] == expected["per_class"]


def test_a_wheel_of_ones_own(write: Write, tmp_path: Path) -> None:
    lines = [["a", "joy"], ["b", "anger"], ["c", "surprise"]]
    truth = write("truth.csv", "image,emotion", lines)
    ours = write("ours.csv", "image,emotion", [["a", "joy"], ["b", "joy"], ["c", "joy"]])
    found = emomap.score(ours, truth)
    assert "'anger'" not in found.omitted["ecc"]
    assert "'joy' is not on the wheel mikels; --wheel FILE" in found.omitted["ecc"]
    wheel = tmp_path / "own.toml"
    wheel.write_text('positive = ["joy", "surprise"]\nnegative = ["anger"]\n')
    found = emomap.score(ours, truth, wheel=wheel)
    assert found.summary()["polarity_accuracy"]["mean"] == pytest.approx(2 / 3)
    assert "no circle" in found.omitted["ecc"]
    assert "|wheel:own-" in found.signatures()["polarity_accuracy"]
    wheel.write_text(wheel.read_text() + 'wheel = ["joy", "surprise", "anger"]\n')
    found = emomap.score(ours, truth, wheel=wheel)
    assert found.summary()["ecc"]["mean"] == pytest.approx((1 + 1 / 3 + 1 / 2) / 3)


# ----------------------------------------------------------------------------------- what is kept


@pytest.mark.parametrize("suffix", [".csv", ".json", ".parquet"])
def test_files_keep_what_comparisons_need(
    tables: tuple[Path, Path, Path], tmp_path: Path, suffix: str
) -> None:
    kept = [tmp_path / f"{name}{suffix}" for name in ("first", "second")]
    scores = [
        emomap.score(path, tables[2], keep=keep)
        for path, keep in zip(tables[:2], kept, strict=True)
    ]
    before = kept[0].read_bytes()
    emomap.score(tables[0], tables[2], keep=kept[0])
    assert kept[0].read_bytes() == before
    read = per_image.read(kept[0])
    assert read.values == scores[0].values
    assert read.facts == scores[0].per_image().facts
    found = compare(kept)
    assert found.metrics == scores[0].names
    for metric in found.metrics:
        for name, one in zip(("first", "second"), scores, strict=True):
            assert found.means[name][metric] == one.summary()[metric], metric
        pair = next(pair for pair in found.pairs if pair.metric == metric)
        assert pair.difference == pytest.approx(
            scores[1].summary()[metric]["mean"] - scores[0].summary()[metric]["mean"]
        )
        assert 0 < pair.p <= 1
    by_name = {pair.metric: pair for pair in found.pairs}
    assert by_name["f1"].verdict == "first is better"
    assert by_name["f1"].wins is None
    alone = compare(kept, metric_names=["f1", "emc"])
    assert alone.metrics == ["f1", "emc"]
    assert [p.p for p in alone.pairs] == [by_name["f1"].p, by_name["emc"].p]
    for form in ("table", "json", "csv", "md", "latex"):
        assert "None" not in found.render(form)


def test_the_test_of_a_set_is_that_of_all_swaps(write: Write, tmp_path: Path) -> None:
    """Of 6 pictures, all 64 swaps, by a loop."""
    rng = np.random.default_rng(4)
    truth, ours, theirs = (rng.choice(["awe", "fear", "anger"], 6) for _ in range(3))
    labels = write("labels.csv", "image,emotion", list(enumerate(truth)))
    kept = []
    for name, side in (("ours", ours), ("theirs", theirs)):
        table = write(f"{name}.csv", "image,emotion", list(enumerate(side)))
        kept.append(tmp_path / f"{name}.json")
        emomap.score(table, labels, keep=kept[-1])

    def difference(one: Any, other: Any) -> float:
        return sk.f1_score(truth, one, average="macro", zero_division=0) - sk.f1_score(
            truth, other, average="macro", zero_division=0
        )

    seen = abs(difference(theirs, ours))
    count = 0
    for code in range(64):
        swap = np.array([(code >> i) & 1 for i in range(6)]) == 1
        there = difference(np.where(swap, ours, theirs), np.where(swap, theirs, ours))
        count += abs(there) >= seen - 1e-12
    pair = compare(kept, metric_names=["f1"]).pairs[0]
    assert pair.p == pytest.approx(count / 64)


def test_different_labels_are_not_compared(write: Write, tmp_path: Path) -> None:
    ours = write("ours.csv", "image,emotion", [["a", "awe"], ["b", "fear"], ["c", "awe"]])
    kept = []
    for name, last in (("one", "awe"), ("two", "fear")):
        labels = write(f"l{name}.csv", "image,emotion", [["a", "awe"], ["b", "awe"], ["c", last]])
        kept.append(tmp_path / f"{name}.csv")
        emomap.score(ours, labels, keep=kept[-1])
    with pytest.raises(EmomapError, match=r"c: its label is awe in .* and fear in"):
        compare(kept)
    other = tmp_path / "ecc.csv"
    with pytest.raises(UsageError, match="rows hold values of maps"):
        emomap.score(ours, labels, keep=other.with_suffix(".jsonl"))


def test_conventions_are_not_mixed(tables: tuple[Path, Path, Path], tmp_path: Path) -> None:
    kept = [tmp_path / "a.csv", tmp_path / "b.csv"]
    emomap.score(tables[0], tables[2], keep=kept[0])
    emomap.score(tables[1], tables[2], keep=kept[1], convention="styleedl")
    with pytest.raises(UsageError, match="scored differently: accuracy: geng against styleedl"):
        compare(kept)
    with pytest.raises(UsageError, match="scored differently: clark"):
        compare(kept, metric_names=["clark"])


# ------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        ("image,x,y", [["a", 1, 2]], "a table of gaze"),
        ("what,emotion", [["a", "awe"]], "no column names the pictures"),
        ("image,colour", [["a", "red"]], "nothing in it is known to be of emotions"),
        ("image,emotion", [], "a header and no lines"),
        ("image,emotion", [["a", ""]], "all its lines are empty"),
        ("image,emotion", [["", "awe"]], "the name of the picture is missing"),
        ("image,emotion", [["a", "awe"], ["a.jpg", "awe"]], "line 3: 'a' appears twice"),
        ("image,awe,fear", [["a", 0.5, 0.4]], "line 2: the probabilities sum to 0.9"),
        ("image,awe,fear", [["a", 1.5, -0.5]], "line 2: fear is -0.5"),
        ("image,awe,fear", [["a", "x", 1]], "awe is 'x', which is not a number"),
        ("image,awe,fear", [["a", "nan", 1]], "which is not a number"),
        ("image,awe,fear", [["a", 3, 1]], "sum to 4"),
        ("image,p_awe,prob_Awe", [["a", 0.5, 0.5]], "two columns are of the emotion 'awe'"),
        ("image,valence", [["a", "inf"]], "valence is 'inf'"),
    ],
)
def test_damaged_predictions_are_named(
    header: str, lines: list[Any], message: str, write: Write
) -> None:
    file = write("ours.csv", header, lines)
    with pytest.raises(EmomapError, match=message) as found:
        read_emotions(file, "prediction")
    assert "ours.csv" in str(found.value)


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        (("emotion", ["awe", "wonder"]), ("emotion", ["awe", "awe"]), "line 3: 'wonder' is no"),
        (("emotion", ["awe", "fera"]), ("emotion", ["awe", "awe"]), "did you mean fear"),
        (("emotion", ["awe", "awe"]), ("valence", [1, 2]), "nothing that both have"),
        (("valence", [1, 2]), ("arousal", [1, 2]), "nothing that both have"),
        (("emotion", ["awe"]), ("emotion", ["awe", "awe"]), "no prediction for p1"),
        (("emotion", ["awe", "awe"]), ("emotion", ["awe"]), "no label for p1"),
        (("p_joy,p_fear", [(1, 0)]), ("joy,anger", [(1, 2)]), "'anger' is no emotion of .*ours"),
        (("p_joy,p_fear", [(1, 0)]), ("emotion", ["awe"]), "'awe' is no emotion of .*ours"),
        (("predicted,p_joy,p_awe", [("joy", 0.4, 0.6)]), ("emotion", ["joy"]), "the likeliest"),
    ],
)
def test_sides_that_do_not_fit_are_named(
    ours: tuple[str, Any], theirs: tuple[str, Any], message: str, write: Write
) -> None:
    paths = []
    for name, (header, cells) in (("ours", ours), ("theirs", theirs)):
        lines = [
            [f"p{i}", *(cell if isinstance(cell, tuple) else (cell,))]
            for i, cell in enumerate(cells)
        ]
        paths.append(write(f"{name}.csv", f"image,{header}", lines))
    with pytest.raises(EmomapError, match=message):
        emomap.score(*paths)


def test_wrong_choices_are_named(tables: tuple[Path, Path, Path], tmp_path: Path) -> None:
    for choices, message in (
        ({"metrics": ["f2"]}, "no measure of emotions is called 'f2'"),
        ({"convention": "mit"}, "convention 'mit' is not one of emotions"),
        ({"points": "percent"}, "points is for maps"),
        ({"metrics": "valence_ccc"}, "valence_ccc needs valence on both sides"),
        ({"wheel": tmp_path / "none.toml"}, "none.toml: No such file"),
    ):
        with pytest.raises(EmomapError, match=message):
            emomap.score(tables[0], tables[2], **choices)
    with pytest.raises(EmomapError, match=r"none\.csv: no such file"):
        emomap.score(tables[0], tmp_path / "none.csv")


# ------------------------------------------------------------------------- what may be left open


def test_ties_and_gaps_are_said(write: Write) -> None:
    ours = write(
        "ours.csv",
        "image,label,predicted,p_awe,p_fear,p_joy,p_anger",
        [["a", "awe", "", "", "", "", ""], ["b", "", "awe", 0.5, 0.5, 0, 0],
         ["c", "", "", 0.25, 0.25, 0.25, 0.25], ["d", "", "fear", 0.1, 0.7, 0.1, 0.1]],
    )  # fmt: skip
    votes = [["a", 1, 0, 0, 0], ["b", 3, 2, 0, 0], ["c", 2, 2, 0, 0], ["d", 1, 3, 0, 0]]
    theirs = write("theirs.csv", "image,awe,fear,joy,anger", votes)
    with pytest.raises(EmomapError, match="no prediction for a"):
        emomap.score(ours, theirs)
    found = emomap.score(ours, theirs, allow_missing=True)
    said = "\n".join(found.remarks)
    assert "1 lines say nothing of their picture: a" in said
    assert "1 predictions have several likeliest emotions" in said
    assert "1 pictures have several commonest emotions" in said
    assert found.summary()["accuracy"]["n"] == 2
    assert found.summary()["cosine"]["n"] == 3
    assert found.summary()["accuracy"]["mean"] == 1.0
    assert found.omitted["emc"] == "nothing is wrong"


def test_scales_that_do_not_meet_are_said(write: Write) -> None:
    ours = write("ours.csv", "image,valence", [["a", 0.1], ["b", 0.4]])
    theirs = write("theirs.csv", "image,valence", [["a", 5], ["b", 8]])
    found = emomap.score(ours, theirs)
    assert any("are both on one scale?" in line for line in found.remarks)
    assert found.summary()["valence_pearson"]["mean"] == pytest.approx(1.0)


def test_a_data_set_may_have_the_labels(write: Write, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    (root / "images").mkdir(parents=True)
    lines = [[f"p{at}", ("awe", "fear")[at % 2]] for at in range(6)]
    for name, _ in [*lines, ["unlabelled", ""]]:
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(root / f"images/{name}.png")
    text = "".join(f"{name},{emotion}\n" for name, emotion in lines)
    (root / "labels.csv").write_text(f"image,emotion\n{text}")
    found = emomap.score(write("ours.csv", "image,emotion", lines), root, allow_missing=True)
    assert found.summary()["accuracy"]["mean"] == 1.0
    assert found.n_images == len(lines)


# -------------------------------------------------------------------------------- the command line


def test_the_command_line(
    tables: tuple[Path, Path, Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from emomap.cli import _run

    ours, theirs, votes = map(str, tables)
    assert _run(["score", ours, votes, "-q"]) == 0
    shown = capfd.readouterr()
    assert "macro-F1 ↑" in shown.out
    assert "recall [95% interval]" in shown.out
    assert "whole numbers, so votes" in shown.err
    forms = {form: tmp_path / f"x.{form}" for form in ("json", "csv", "md", "latex")}
    for form, file in forms.items():
        assert _run(["score", ours, votes, "--format", form, "-o", str(file)]) == 0
    whole = json.loads(forms["json"].read_text())
    lines = list(csv.DictReader(forms["csv"].open()))
    assert [line["metric"] for line in lines] == [
        *whole["metrics"],
        *(f"recall_{name}" for name in whole["per_class"]),
    ]
    for line in lines[: len(whole["metrics"])]:
        assert float(line["mean"]) == whole["metrics"][line["metric"]]["mean"]
        assert line["signature"] == whole["signatures"][line["metric"]]
    assert forms["latex"].read_text().count(r"\begin{tabular}") == 2
    assert "| macro-F1 ↑ |" in forms["md"].read_text()
    capfd.readouterr()
    assert _run(["score", ours, theirs, "--gt", votes, "--metrics", "f1,ece"]) == 0
    assert "ours is better" in capfd.readouterr().out
    assert _run(["score", ours, votes, "--explain", "--convention", "ecc"]) == 0
    assert "1e-10 is added against division by zero" in capfd.readouterr().out
    for arguments, message in (
        (["--sigma", "3"], "--sigma has no meaning for a table of emotions"),
        (["--shard", "1/2"], "--shard has no meaning"),
        (["--convention", "mit"], "'mit' is not one of emotions"),
        (["--metrics", "nss"], "no measure of emotions is called 'nss'"),
        (["--per-image", "x.jsonl"], "use .csv, .json or .parquet"),
    ):
        assert _run(["score", ours, votes, *arguments]) == 2
        assert message in capfd.readouterr().err
    assert _run(["score", ours, str(tmp_path), "--gt", votes]) == 2
    assert "score each alone" in capfd.readouterr().err
