"""`score --by`: groups beside the whole, in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_groups_of_a_score_sum_up_to_it(emomap: Command, dataset: Path, maps: Path) -> None:
    emotions = ("awe", "fear", "fear", "anger")
    lines = [f"{at:02d},{emotions[at % 4]}" for at in range(10)]
    (dataset / "labels.csv").write_text("image,emotion\n" + "\n".join(lines) + "\n")
    (dataset / "fixations" / "00.csv").unlink()
    call = ("score", maps, dataset, "--metrics", "nss,cc", "--allow-missing", "-j", 1, "-q")
    found = json.loads(emomap(*call, "--by", "emotion", "--format", "json").out)
    cells = [c for c in found["groups"]["cells"] if c["metric"] == "nss"]
    whole = sum(c["n"] * c["mean"] for c in cells) / sum(c["n"] for c in cells)
    assert whole == pytest.approx(found["metrics"]["nss"]["mean"], abs=1e-12)
    assert {c["group"]: c["n"] for c in cells} == {"awe": 2, "fear": 5, "anger": 2, "(none)": 2}
    assert found["groups"]["images"]["awe"] == 3
    text = emomap(*call, "--by", "polarity").out
    assert "NSS ↑ by polarity" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "by,metric,method,group" in emomap(*call, "--by", "emotion", "--format", "csv").out
    wrong = emomap(*call, "--by", "mood")
    assert wrong.code == 2
    assert "emotion, polarity" in wrong.err
