"""The embedded set: what makes it honest, and that it is made once, alike, and completely."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.data import demo, open_dataset
from emomap.errors import EmomapError, UsageError
from emomap.sample import EMOTIONS, Dataset

COUNTS = {"train": 24, "val": 16, "test": 16}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return demo.load(tmp_path_factory.mktemp("demo"), progress=False, **COUNTS)


def home(dataset: Dataset) -> Path:
    return Path(str(dataset.samples[0].image_file)).parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


# --- a data set like any other ------------------------------------------------------------------


def test_splits_emotions_and_gaze_are_there(made: Dataset) -> None:
    assert made.synthetic and made.sigma == demo.SIGMA and made.classes == EMOTIONS
    for split, count in COUNTS.items():
        samples = made.split(split).samples  # type: ignore[arg-type]
        assert len(samples) == count
        assert set(Counter(s.emotion for s in samples).values()) == {count // 8}
    for sample in list(made)[:5]:
        assert sample.image().shape == (demo.SIDE, demo.SIDE, 3)
        gaze = sample.gaze()
        assert gaze is not None and gaze.points is not None and gaze.observers is not None
        assert gaze.inside.all() and gaze.durations is not None and (gaze.durations > 0).all()
        each = Counter(gaze.observers.tolist())
        assert len(each) == 15 and all(7 <= n <= 12 for n in each.values())


def test_the_loader_of_the_neutral_layout_reads_the_same(made: Dataset) -> None:
    plain = open_dataset(str(home(made)))
    assert plain.synthetic and plain.sigma == made.sigma
    assert [(s.id, s.emotion, s.split) for s in plain] == [(s.id, s.emotion, s.split) for s in made]
    ours, theirs = made.samples[3].gaze(), plain.samples[3].gaze()
    assert ours is not None and theirs is not None
    np.testing.assert_allclose(np.asarray(ours.points), np.asarray(theirs.points))
    np.testing.assert_array_equal(np.asarray(ours.observers), np.asarray(theirs.observers))


def test_arguments_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="level=7"):
        demo.load(tmp_path, level=7)
    with pytest.raises(UsageError, match=r"data\.test=3"):
        demo.load(tmp_path, test=3)


@pytest.mark.skipif(os.name == "nt" or os.getuid() == 0, reason="needs a user without all rights")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EmomapError, match="EMOMAP_HOME"):
        demo.load(tmp_path, **COUNTS)


# --- made alike, and completely -----------------------------------------------------------------


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    made: Dataset, tmp_path: Path
) -> None:
    again = demo.load(tmp_path, progress=False, **COUNTS)
    assert contents(home(made)) == contents(home(again))
    other = demo.load(tmp_path, seed=1, progress=False, **COUNTS)
    assert (
        contents(home(other))["images/test/00000.jpg"]
        != (contents(home(made))["images/test/00000.jpg"])
    )


def test_pictures_do_not_depend_on_how_many_there_are(made: Dataset, tmp_path: Path) -> None:
    more = demo.load(tmp_path, progress=False, train=32, val=8, test=16)
    names = [f"images/test/{i:05d}.jpg" for i in range(16)]
    ours, theirs = contents(home(made)), contents(home(more))
    assert all(ours[name] == theirs[name] for name in names)


def test_killed_while_generating_it_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from emomap.data import demo;"
        "demo._CHUNK = 8; demo.load(Path(sys.argv[1]), train=64, val=8, test=8, progress=False)"
    )
    root = Path(__file__).parents[2]
    line = [sys.executable, "-c", script]
    process = subprocess.Popen([*line, str(tmp_path / "torn")], cwd=root)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "torn").glob("*.partial/chunk-*.json")):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not [path for path in (tmp_path / "torn").iterdir() if path.suffix != ".partial"]
    for name in ("torn", "whole"):
        subprocess.run([*line, str(tmp_path / name)], cwd=root, check=True)
    assert contents(tmp_path / "torn") == contents(tmp_path / "whole")


# --- honest -------------------------------------------------------------------------------------


def test_stimuli_lie_everywhere_and_gaze_goes_there(made: Dataset) -> None:
    places = demo.boxes(made)
    centres = np.array([places[s.id][:2] for s in made])
    assert centres.min() < 0.3 * demo.SIDE and centres.max() > 0.7 * demo.SIDE
    share = []
    for sample in made:
        gaze = sample.gaze()
        assert gaze is not None and gaze.points is not None
        x, y, radius = places[sample.id]
        share.append(np.mean(np.hypot(*(gaze.points - (x, y)).T) < radius))
    assert 0.4 < np.mean(share) < 0.75


def test_nothing_that_trains_sees_the_boxes(made: Dataset) -> None:
    with (home(made) / "boxes.csv").open(newline="") as stream:
        assert set(next(csv.reader(stream))) == {"image", "x", "y", "radius"}
    package = Path(demo.__file__).parents[1]
    users = [p.name for p in package.rglob("*.py") if "demo.boxes" in p.read_text("utf-8")]
    users += [p.name for p in package.rglob("*.py") if "boxes.csv" in p.read_text("utf-8")]
    assert users == ["demo.py"]


@pytest.mark.parametrize(
    "level", [1, *(pytest.param(n, marks=pytest.mark.slow) for n in sorted(demo.LEVELS)[1:])]
)
def test_shortcuts_are_at_chance(level: int) -> None:
    """Neither colours nor layout tell the emotion: a linear classifier on either stays at 1/8."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    count, test = 900, 450
    emotions = np.random.default_rng(99).integers(0, 8, count)
    thumbnails, histograms = [], []
    for index, emotion in enumerate(emotions):
        rng = np.random.default_rng([level, index])
        scene = demo.make_scene(rng, EMOTIONS[int(emotion)], demo.LEVELS[level])
        thumbnail = Image.fromarray(scene.image).resize((12, 12), Image.Resampling.BOX)
        thumbnails.append(np.asarray(thumbnail).ravel() / 255.0)
        bins = (scene.image.reshape(-1, 3) // 43).astype(np.int64)
        counts = np.bincount(bins @ np.array([36, 6, 1]), minlength=216)
        histograms.append(np.sqrt(counts))
    # chance is .125; three standard errors above it on 450 pictures is .172
    for features in (np.array(thumbnails), np.array(histograms)):
        scaled = StandardScaler().fit_transform(features)
        model = LogisticRegression(C=0.01, max_iter=200)
        model.fit(scaled[test:], emotions[test:])
        assert model.score(scaled[:test], emotions[:test]) < 0.172


def test_all_emotions_share_their_scenes() -> None:
    """With one seed, two emotions differ inside the stimulus alone."""
    scenes = [
        demo.make_scene(np.random.default_rng(5), emotion, demo.LEVELS[1]) for emotion in EMOTIONS
    ]
    x, y, radius = scenes[0].stimulus
    rows, columns = np.mgrid[: demo.SIDE, : demo.SIDE]
    outside = np.hypot(columns - x, rows - y) > radius + 2
    for scene in scenes[1:]:
        np.testing.assert_array_equal(scene.image[outside], scenes[0].image[outside])
        assert (scene.image[~outside] != scenes[0].image[~outside]).any()
