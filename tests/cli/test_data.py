"""`emomap data` as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import Command


def test_list(emomap: Command) -> None:
    ran = emomap("data")
    assert ran.code == 0
    assert ran.out == emomap("data", "list").out
    for name in ("demo", "fi", "emod", "salicon", "pascals", "neutral"):
        assert f"\n  {name} " in ran.out
    found = json.loads(emomap("data", "list", "--json").out)
    assert {"name", "kind", "summary"} <= set(found[0])


def test_check_of_a_sound_set(emomap: Command, dataset: Path) -> None:
    ran = emomap("data", "check", dataset)
    assert ran.code == 0
    assert "photos: neutral (it has images/ and fixations/*.csv)" in ran.out
    assert "nothing is wrong" in ran.out
    found = json.loads(emomap("data", "check", dataset, "--json", "-q").out)
    assert found["gaze"]["fixations"] == 12 * 15
    assert found["gaze"]["observers"] == 3
    assert found["ok"]


def test_check_of_a_faulty_set(emomap: Command, dataset: Path) -> None:
    (dataset / "images/03.png").write_bytes(b"no picture")
    (dataset / "fixations/05.csv").write_text("x,y\n500,2\n")
    (dataset / "images/11.png").write_bytes((dataset / "images/10.png").read_bytes())
    ran = emomap("data", "check", dataset)
    assert ran.code == 3
    for line in (
        "WRONG: 1 pictures cannot be read",
        "WRONG: 1 pictures have fixations outside\n  05: 1 of 1",
        "WRONG: 1 groups of pictures are the same\n  10 = 11",
    ):
        assert line in ran.out
    found = json.loads(emomap("data", "check", dataset, "--json").out)
    assert found["problems"]["duplicates"] == [["10", "11"]]


def test_check_with_options_and_gaze(emomap: Command, dataset: Path) -> None:
    ran = emomap(
        "data", "check", f"pictures:{dataset / 'images'}", "--gaze", dataset / "fixations", "--json"
    )
    assert json.loads(ran.out)["gaze"]["images"] == 12
    ran = emomap("data", "check", dataset, "--set", "data.nonsense=3")
    assert ran.code == 2
    assert "data.nonsense is not an option of the layout neutral" in ran.err


def test_show(emomap: Command, dataset: Path, tmp_path: Path) -> None:
    ran = emomap("data", "show", dataset, "-o", tmp_path / "sheet.png", "-n", 5, "--columns", 5)
    assert ran.code == 0
    assert "neutral" in ran.err
    assert Image.open(tmp_path / "sheet.png").width > 5 * 240


def test_convert(emomap: Command, dataset: Path, tmp_path: Path) -> None:
    ran = emomap("data", "convert", dataset, tmp_path / "out")
    assert ran.code == 0
    assert "12 of 12 images of photos" in ran.err
    ran = emomap("data", "check", tmp_path / "out")
    assert ran.code == 0
    (dataset / "fixations/05.csv").write_text("x,y\n1,\n")
    assert emomap("data", "convert", dataset, tmp_path / "again").code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("check", "nowhere"), 2, "neither a data set that comes with emomap (demo) nor"),
        (("check", "fi:nowhere"), 2, "nowhere: there is no such folder"),
        (("check", "."), 1, "empty"),
        (("show", ".", "-o", "x.png"), 1, "empty"),
        (("convert", "nowhere", "out"), 2, "nowhere"),
    ],
)
def test_wrong_use(
    emomap: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = emomap("data", *arguments)
    assert ran.code == code
    assert message in ran.err
    assert ran.out == ""
