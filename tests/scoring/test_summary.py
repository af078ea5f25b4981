"""`Summary`: one object behind what `score` and `merge` print, and behind every mean."""

from __future__ import annotations

import csv
import io
import json

from emomap import metrics
from emomap.scoring.per_image import PerImage
from emomap.scoring.protocol import Protocol
from emomap.scoring.scores import Scores
from emomap.scoring.summary import Summary, interval, label

VALUES = {"a": {"cc": 0.25, "kl": 1.5}, "b": {"cc": 0.5, "kl": 1.0}, "c": {"cc": 1.0, "kl": 0.25}}
PROTOCOL = Protocol(("cc", "kl"))


def apart() -> PerImage:
    """The same values as a file that keeps the signatures of the metrics apart."""
    signed = {name: PROTOCOL.signature(name) for name in PROTOCOL.metrics}
    return PerImage(VALUES, signatures=signed)


def test_scores_and_their_file_print_the_same_numbers() -> None:
    scores = Scores(VALUES, PROTOCOL, {}, seed=3)
    told, merged = Summary.of(scores.per_image(), 3), Summary.of(apart(), 3)
    assert told.means == merged.means == scores.summary()
    assert told.signatures == merged.signatures == scores.signatures()
    assert told.signature == scores.signature
    assert merged.signature == ""
    assert merged.render("csv") == told.render("csv") == scores.render("csv")


def test_the_interval_is_that_of_the_library() -> None:
    found = metrics.statistics.mean_interval([1.0, 2.0, 4.0], seed=5)
    assert interval([1.0, 2.0, 4.0], 5) == vars(found)


def one_value_of_kl(n: int) -> Summary:
    """CC of all images, KL of the first."""
    signature = metrics.signature(["cc", "kl"])
    values = {str(i): {"cc": i / n, "kl": 0.5 if i == 0 else None} for i in range(n)}
    return Summary.of(PerImage(values, signature))


def test_a_single_value_has_no_interval() -> None:
    assert interval([0.5]) == {"mean": 0.5, "low": None, "high": None, "n": 1}
    summary = one_value_of_kl(12)
    assert list(summary.table().rows[1]) == ["KL ↓", "0.5000", "-", "-", "1"]
    assert "0.5000 [-]" in summary.render("latex", narrow=True)
    line = list(csv.DictReader(io.StringIO(summary.csv())))[1]
    assert (line["mean"], line["low"], line["high"]) == ("0.5", "", "")
    cell = json.loads(summary.render("json"))["metrics"]["kl"]
    assert (cell["low"], cell["high"]) == (None, None)


def test_tables_name_their_intervals_and_say_where_they_are_rough() -> None:
    few, more = one_value_of_kl(9), one_value_of_kl(10)
    assert few.table().title == "9 images, mean with 95% Student's t interval (rough: n < 10)"
    assert more.table().title == "10 images, mean with 95% Student's t interval"
    for summary in (few, more):
        assert all("|interval:t|v:" in signed for signed in summary.signatures.values())
        assert "interval of a mean is Student's t" in summary.render("md", explain=True)


def test_notes_and_keys_that_only_a_score_has() -> None:
    scores = Scores(VALUES, PROTOCOL, {"nss": "needs fixations"}, ["d: unreadable"], ["a remark"])
    assert scores.table().notes == [
        "left out: nss (needs fixations)",
        "not scored: 1 of 4",
    ]
    assert scores.table().signature == scores.signature
    told = json.loads(scores.render("json"))
    assert list(told) == [
        "n_images",
        "signature",
        "metrics",
        "signatures",
        "omitted",
        "incomplete",
        "failed",
        "remarks",
    ]
    assert list(Summary.of(apart()).to_dict()) == list(told)[:4]


def test_csv_keeps_all_digits_and_explains_each_metric() -> None:
    summary = Summary.of(apart())
    lines = list(csv.DictReader(io.StringIO(summary.csv(explain=True))))
    assert [float(line["mean"]) for line in lines] == [e["mean"] for e in summary.means.values()]
    assert [line["signature"] for line in lines] == [*summary.signatures.values()]
    assert all(line["explanation"] for line in lines)


def test_latex_of_scores_has_the_interval_in_the_cell_of_the_mean() -> None:
    scores = Scores(VALUES, PROTOCOL, {})
    assert "mean [95\\% interval]" in scores.to_latex()
    assert "low" not in scores.to_latex().split("\\midrule")[0]
    assert "mean & low & high" in Summary.of(apart()).render("latex")


def test_a_label_says_which_direction_is_better() -> None:
    assert label("auc_judd") == "AUC-Judd ↑"
    assert label("kl") == "KL ↓"
    assert {label(name)[-1] for name in metrics.CATALOGUE} == {"↑", "↓"}
