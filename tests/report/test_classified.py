"""The section on emotions: values, marks, reliability diagrams."""

from __future__ import annotations

import pytest

from emomap.analysis import emotions
from emomap.report.classified import classified
from tests.analysis.test_emotions import scores


def test_no_classifiers_no_section() -> None:
    assert classified({"dataset": "made"}) is None


def test_values_marks_and_curves() -> None:
    both = {"jcdl": scores(0.1), "islamnet": scores(0.9, 1)}
    summary = {"dataset": "made", **emotions.findings(both, 0)}
    found = classified(summary)
    assert found is not None
    assert [name for name, _ in found.lines] == ["ISLAMNet", "JCDL"]
    at = [name for name, _ in found.columns].index("accuracy ↑")
    first, second = (cells[at] for _, cells in found.lines)
    assert first is not None
    assert second is not None
    assert first.best
    assert not second.best
    assert second.marked
    curve = found.reliability[0].curves[0]
    ece = summary["emotions"]["methods"]["islamnet"]["measures"]["expected_calibration_error"]
    assert float(curve.last) == pytest.approx(ece["mean"], abs=6e-4)
    places = [tuple(map(float, point.split(","))) for point in curve.points.split()]
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places)
