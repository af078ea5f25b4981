"""`emomap adapt`, as a user types it: fit, show, keep, apply, resume."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.analysis.test_adaptation import SHAPE, scene
from tests.cli.conftest import Command


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Eight distorted densities, and fixations for the first seven."""
    rng = np.random.default_rng(4)
    maps, truth = tmp_path / "maps", tmp_path / "truth"
    maps.mkdir()
    truth.mkdir()
    for name in "abcdefgh":
        density, points = scene(rng, 60)
        np.save(maps / f"{name}.npy", (density / density.max()) ** 4)
        if name != "h":
            lines = "".join(f"{x},{y}\n" for x, y in points)
            (truth / f"{name}.csv").write_text("x,y\n" + lines)
    return maps, truth


def test_fit_apply_and_score(emomap: Command, tmp_path: Path, sides: tuple[Path, Path]) -> None:
    maps, truth = sides
    numbers, curve, out = tmp_path / "n.json", tmp_path / "curve.svg", tmp_path / "out"
    ran = emomap("adapt", maps, truth, "-o", numbers, "-n", 5, "--figure", curve)
    assert ran.code == 0, ran.err
    for words in ("5 pictures", "cross-validated", "blur", "floor", "log density at value 1"):
        assert words in ran.out
    assert "value of the map" in curve.read_text()
    assert numbers.stat().st_size < 20_000
    held = json.loads(numbers.read_text())
    assert len(held["images"]) == 5
    applied = emomap("adapt", maps, "--with", numbers, "-o", out)
    assert applied.code == 0, applied.err
    assert "8 densities" in applied.err
    made = np.load(out / "h.npy")
    assert made.dtype == np.float32
    assert made.sum() == pytest.approx(1, abs=1e-4)
    kls = []
    for folder, kind in ((maps, "map"), (out, "density")):
        scored = emomap(
            "score", folder, truth, "--metrics", "kl", "--format", "json", "--allow-missing",
            "--prediction", kind, "--sigma", 3,
        )  # fmt: skip
        assert scored.code == 0, scored.err
        kls.append(json.loads(scored.out)["metrics"]["kl"]["mean"])
    assert kls[1] < 0.7 * kls[0]
    rest = emomap("adapt", maps, "--with", numbers, "-o", tmp_path / "rest", "--others")
    assert rest.code == 0
    left = {file.stem for file in (tmp_path / "rest").glob("*.npy")}
    assert left == set("abcdefgh") - set(held["images"])


def test_it_resumes_and_refuses_another(
    emomap: Command, tmp_path: Path, sides: tuple[Path, Path]
) -> None:
    numbers, out = tmp_path / "n.json", tmp_path / "out"
    assert emomap("adapt", *sides, "-o", numbers).code == 0
    assert emomap("adapt", sides[0], "--with", numbers, "-o", out, "-q").code == 0
    first = {file: file.read_bytes() for file in out.glob("*.npy")}
    kept = out / "a.npy"
    before = kept.stat().st_mtime_ns
    (out / "b.npy").unlink()
    assert emomap("adapt", sides[0], "--with", numbers, "-o", out, "-q").code == 0
    assert {file: file.read_bytes() for file in out.glob("*.npy")} == first
    assert kept.stat().st_mtime_ns == before
    other = json.loads(numbers.read_text()) | {"floor": 0.5}
    (tmp_path / "other.json").write_text(json.dumps(other))
    ran = emomap("adapt", sides[0], "--with", tmp_path / "other.json", "-o", out)
    assert ran.code == 1
    assert "another adaptation" in ran.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"levels": [0, 0.5]}, "levels"),
        ({"curve": None}, "curve"),
        ({"sigma": -1}, "sigma"),
        ({"floor": 2}, "floor"),
        ({"prediction": "picture"}, "prediction"),
        ({"center_bias": [[1.0]]}, "center_bias"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_damaged_files(
    emomap: Command, tmp_path: Path, sides: tuple[Path, Path], change: dict[str, object],
    words: str,
) -> None:  # fmt: skip
    held = {
        "emomap": "0", "prediction": "map", "sigma": 0.0, "levels": [0.0, 1.0],
        "curve": [0.0, 1.0], "center": 0.0, "floor": 0.0,
        "center_bias": [[1.0] * 32] * 24, "bits": {}, "maps": "", "gaze": "", "images": [],
    }  # fmt: skip
    file = tmp_path / "n.json"
    file.write_text(json.dumps(held))
    assert emomap("adapt", sides[0], "--with", file, "-o", tmp_path / "good", "-q").code == 0
    file.write_text(json.dumps(held | change))
    ran = emomap("adapt", sides[0], "--with", file, "-o", tmp_path / "bad")
    assert ran.code == 1
    assert str(file) in ran.err
    assert words in ran.err
    assert not (tmp_path / "bad").exists()


def test_wrong_use(emomap: Command, tmp_path: Path, sides: tuple[Path, Path]) -> None:
    maps, truth = sides
    json_file = tmp_path / "n.json"
    json_file.write_text("{}")
    wrong = {
        ("adapt", maps, "-o", json_file): "needs gaze",
        ("adapt", maps, truth, "-o", tmp_path / "n.toml"): ".json",
        ("adapt", maps, truth, "-o", json_file, "-n", 99): "there are 7",
        ("adapt", maps, truth, "-o", json_file, "--others"): "--with",
        ("adapt", maps, truth, "-o", tmp_path, "--with", json_file): "no gaze is needed",
        ("adapt", maps, "-o", tmp_path, "--with", json_file, "-n", 9): "--pictures",
        ("adapt", maps, truth, "-o", json_file, "--figure", "a.txt"): "a.txt",
    }
    for command, words in wrong.items():
        ran = emomap(*command)
        assert ran.code == 2, command
        assert words in ran.err, command


def test_maps_that_cannot_be_used(
    emomap: Command, tmp_path: Path, sides: tuple[Path, Path]
) -> None:
    maps, truth = sides
    (maps / "b.npy").write_bytes(b"nothing")
    numbers = tmp_path / "n.json"
    ran = emomap("adapt", maps, truth, "-o", numbers, "-q")
    assert ran.code == 3
    assert "b.npy" in ran.err
    for name in "adefg":
        (maps / f"{name}.npy").unlink()
    ran = emomap("adapt", maps, truth, "-o", numbers, "-q")
    assert ran.code == 1
    assert "at least 5" in ran.err
    densities = tmp_path / "densities"
    densities.mkdir()
    for name in "abcdefg":
        np.save(maps / f"{name}.npy", np.random.default_rng(0).random(SHAPE))
        np.save(densities / f"{name}.npy", scene(np.random.default_rng(1))[0])
    ran = emomap("adapt", maps, densities, "-o", numbers, "-q")
    assert ran.code == 1
    assert "fixations" in ran.err
