"""Frames of videos: means over the frames of each video, and intervals and tests over videos."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import emomap
from emomap import cli
from emomap.analysis.compare import compare
from emomap.analysis.several import rank
from emomap.errors import EmomapError, UsageError
from emomap.scoring.per_image import PerImage
from emomap.scoring.videos import per_video

#: Frames of each video: a long one must not outweigh a short one.
FRAMES = {"0001": 9, "0002": 2, "0003": 4}


@pytest.fixture
def tree(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Frames in DHF1K's layout, and two sets of maps."""
    for video, count in FRAMES.items():
        for frame in range(1, count + 1):
            marks = np.zeros((45, 80), np.uint8)
            marks[rng.integers(5, 40, 12), rng.integers(5, 75, 12)] = 255
            good = np.clip(marks / 4 + rng.random(marks.shape) * 200, 0, 255)
            for folder, pixels in (
                (f"gt/{video}/fixation", marks),
                (f"gt/{video}/maps", marks // 2 + 20),
                (f"good/{video}", good.astype(np.uint8)),
                (f"bad/{video}", rng.integers(0, 255, marks.shape).astype(np.uint8)),
            ):
                (tmp_path / folder).mkdir(parents=True, exist_ok=True)
                Image.fromarray(pixels).save(tmp_path / folder / f"{frame:04d}.png")
    return tmp_path


def score(tree: Path, **choices: object) -> emomap.Scores:
    return emomap.score(tree / "good", tree / "gt", metrics=["nss", "cc"], jobs=1, **choices)


def test_each_video_weighs_the_same(tree: Path) -> None:
    frames, videos = score(tree), score(tree, videos=True)
    assert frames.n_images == sum(FRAMES.values())
    means = [
        np.mean([v["nss"] for k, v in frames.values.items() if k.startswith(f"{video}/")])
        for video in FRAMES
    ]
    cell = videos.summary()["nss"]
    assert cell["mean"] == pytest.approx(np.mean(means), rel=1e-12)
    assert cell["mean"] != pytest.approx(frames.summary()["nss"]["mean"], rel=1e-6)
    assert cell["n"] == 3
    assert "3 videos, mean with" in repr(videos)
    assert "|frames:mean|" in videos.signature and "frames" not in frames.signature
    assert "means over the frames of a video" in " ".join(videos.explain())


def test_the_command_line_and_its_files(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--metrics", "nss", "-q", "-j", "1"]
    kept = str(tree / "good.csv")
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", str(tree / "good"), str(tree / "gt"), "--videos", "--format", "json",
                  "--per-image", kept, *common])  # fmt: skip
    assert ended.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["n_videos"], told["n_frames"]) == (3, 15)
    assert set(told["videos"]) == set(FRAMES)
    lines = Path(kept).read_text().splitlines()
    assert len(lines) == 16 and lines[1].startswith("0001/0001,")  # the frames are kept
    with pytest.raises(SystemExit):
        cli.main(["merge", str(tree / "all.csv"), kept, "--videos", "--format", "json"])
    merged = json.loads(capsys.readouterr().out)
    assert merged["metrics"]["nss"] == told["metrics"]["nss"]


def test_methods_are_compared_over_videos(tree: Path) -> None:
    found = rank([tree / "good", tree / "bad"], tree / "gt", metrics=["nss"], jobs=1, videos=True,
                 keep=tree / "x.csv")  # fmt: skip
    (pair,) = found.comparison.pairs
    assert pair.n == 3
    again = compare([tree / "x-good.csv", tree / "x-bad.csv"], videos=True)
    assert again.pairs[0].difference == pytest.approx(pair.difference, rel=1e-12)
    assert again.signatures == found.comparison.signatures
    assert "3 videos" in repr(again) and "videos on which" in repr(again)


def test_a_frame_without_a_value_does_not_count() -> None:
    values = PerImage(
        {"a/1": {"nss": 1.0}, "a/2": {"nss": None}, "b/1": {"nss": None}},
        "nss|mit|ddof:1|v:0.1.0",
        lacking={"a/2": {"nss": "empty"}, "b/1": {"nss": "no fixation"}},
    )
    found = per_video(values)
    assert found.values == {"a": {"nss": 1.0}, "b": {"nss": None}}
    assert found.lacking == {"b": {"nss": "no fixation"}}


def test_pictures_are_no_frames(tree: Path) -> None:
    for side in ("good", "gt"):
        flat = tree / f"flat-{side}"
        flat.mkdir()
        source = "good/0001/0001.png" if side == "good" else "gt/0001/maps/0001.png"
        (flat / "dog.png").write_bytes((tree / source).read_bytes())
    with pytest.raises(EmomapError, match="dog: no frame of a video; frames lie in a folder"):
        emomap.score(tree / "flat-good", tree / "flat-gt", videos=True, jobs=1)


def test_data_frames_name_the_extra(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scores = score(tree)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match=r"need pandas: pip install 'emomap\[pandas\]'"):
        scores.to_pandas()
