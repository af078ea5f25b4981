"""`emomap objects` as a user types it, against numbers computed by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.cli import main
from emomap.data import demo
from emomap.scoring.objects import order_of
from tests.cli.conftest import Command

HEIGHT, WIDTH = 40, 60
#: Centre x, y of an emotional and of a neutral square of 10 px.
EMOTIONAL, NEUTRAL = (15, 20), (45, 20)


def square(centre: tuple[int, int]) -> list[float]:
    x, y = centre
    return [x - 5, y - 5, x + 5, y - 5, x + 5, y + 5, x - 5, y + 5]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five pictures. Four looks of each of two observers: at the emotional square first."""
    root = tmp_path / "photos"
    images, annotations = [], []
    rng = np.random.default_rng(0)
    for number in range(1, 6):
        name = f"p{number}"
        (root / "images").mkdir(parents=True, exist_ok=True)
        (root / "fixations").mkdir(exist_ok=True)
        pixels = rng.integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"images/{name}.png")
        rows = ["x,y,observer"]
        for observer in range(2):
            later = [EMOTIONAL] * (number % 2) + [NEUTRAL] * (3 - number % 2)
            rows += [f"{x},{y},{observer}" for x, y in [EMOTIONAL, *later]]
        (root / f"fixations/{name}.csv").write_text("\n".join(rows) + "\n")
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        for centre, sentiment in ((EMOTIONAL, "negative"), (NEUTRAL, "neutral")):
            annotations.append(
                {"image_id": number, "segmentation": [square(centre)], "sentiment": sentiment}
            )
    (root / "objects").mkdir()
    (root / "objects/all.json").write_text(
        json.dumps({"images": images, "annotations": annotations})
    )
    (root / "dataset.toml").write_text("sigma = 1.0\n")
    return root


def test_people_by_hand(emomap: Command, photos: Path, tmp_path: Path) -> None:
    ran = emomap("objects", photos, "--format", "json", "--per-object", tmp_path / "o.csv", "-q")
    assert ran.code == 0, ran.err
    found = {viewer["name"]: viewer for viewer in json.loads(ran.out)["viewers"]}
    assert list(found) == ["people", "people, first", "people, later"]
    # two far squares, narrow blur: attention is the share of looks relative to the most looked at
    odd, even = 1 - 1.0, 1 / 3 - 1  # 2 and 2 of 4 looks; 1 and 3 of 4
    assert found["people"]["prioritisation"]["mean"] == pytest.approx(
        (3 * odd + 2 * even) / 5, abs=1e-3
    )
    assert found["people, first"]["prioritisation"]["mean"] == pytest.approx(1.0, abs=1e-3)
    assert found["people, later"]["prioritisation"]["mean"] < 0
    early = found["people, first"]["first_minus_later"]
    assert early["mean"] > 1 and early["low"] > 0 and early["n"] == 5
    rows = list(csv.DictReader((tmp_path / "o.csv").open()))
    assert len(rows) == 5 * 2 * 3
    assert {row["sentiment"] for row in rows} == {"negative", "neutral"}
    assert float(rows[0]["area"]) == pytest.approx(100 / (HEIGHT * WIDTH))


def test_models_against_people(emomap: Command, photos: Path, tmp_path: Path) -> None:
    for name, centre in (("sees", EMOTIONAL), ("blind", NEUTRAL)):
        (tmp_path / name).mkdir()
        values = np.zeros((HEIGHT, WIDTH), np.float32)
        values[centre[1], centre[0]] = 1
        for number in range(1, 6):
            np.save(tmp_path / f"{name}/p{number}.npy", values)
    maps = [f"--maps=sees={tmp_path / 'sees'}", f"--maps=blind={tmp_path / 'blind'}"]
    ran = emomap("objects", photos, *maps, "--format", "json", "-q")
    found = {viewer["name"]: viewer for viewer in json.loads(ran.out)["viewers"]}
    people = found["people"]["prioritisation"]["mean"]
    assert found["sees"]["prioritisation"]["mean"] == 1.0
    assert found["blind"]["prioritisation"]["mean"] == -1.0
    assert found["sees"]["against_people"]["mean"] == pytest.approx(1 - people)
    assert found["blind"]["against_people"]["mean"] == pytest.approx(-1 - people)
    assert found["sees"]["against_people"]["p_holm"] >= found["sees"]["against_people"]["p"]
    assert found["sees"]["atti_emotional"]["mean"] == pytest.approx(np.log2(HEIGHT * WIDTH / 100))
    assert found["sees"]["empty"] == 5  # nothing of it lies on the neutral square
    shown = emomap("objects", photos, *maps, "-q")
    lines = " ".join(shown.out.split())
    assert "without an AttI, since nothing lies on the objects" in lines
    assert "sees in 5, blind in 5" in lines
    for form in ("csv", "md", "latex"):
        assert "sees" in emomap("objects", photos, *maps, "--format", form, "-q").out


def test_what_is_wrong_is_named(emomap: Command, photos: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "p1.npy", np.full((HEIGHT, WIDTH), -1.0))
    (tmp_path / "neg").mkdir()
    (tmp_path / "p1.npy").rename(tmp_path / "neg/p1.npy")
    ran = emomap("objects", photos, f"--maps=neg={tmp_path / 'neg'}", "-q")
    assert ran.code == 3 and "p1.npy: density has 2400 negative value(s)" in ran.err
    assert "neg has no map of 4 pictures" in ran.out
    assert emomap("objects", photos, "--maps", "nothing").code == 2
    assert emomap("objects", photos, "--methods", "gbvs").code == 2
    assert emomap("objects", photos, "--split", "test").code in {0, 2}
    (photos / "objects/all.json").unlink()
    ran = emomap("objects", photos)
    assert ran.code == 1 and "has outlined objects" in ran.err
    content = {
        "images": [{"id": 1, "file_name": "p1", "width": WIDTH, "height": HEIGHT}],
        "annotations": [{"image_id": 1, "segmentation": [square(NEUTRAL)]}],
    }
    (photos / "objects/one.json").write_text(json.dumps(content))
    ran = emomap("objects", photos, "-q")
    assert ran.code == 1 and "no picture has both an emotional and a neutral object" in ran.err
    content["images"][0]["width"] = 61
    (photos / "objects/one.json").write_text(json.dumps(content))
    assert "on a picture of 61 x 40, but the fixations are on one of 60 x 40" in " ".join(
        emomap("objects", photos, "-q").err.split()
    )


def test_one_picture_has_neither_interval_nor_test(emomap: Command, photos: Path) -> None:
    for number in range(2, 6):
        (photos / f"images/p{number}.png").unlink()
    found = json.loads(emomap("objects", photos, "--format", "json", "-q").out)
    own = found["viewers"][0]["prioritisation"]
    assert own["n"] == 1 and own["low"] is None and own["p"] is None
    shown = emomap("objects", photos, "-q").out
    assert "[0" not in shown and "[-" not in shown


def test_order_of_fixations() -> None:
    assert order_of(np.array([4, 4, 2, 4, 2])).tolist() == [0, 1, 0, 2, 1]


@pytest.mark.parametrize("statistic", ["max", "mean"])
def test_demo_has_the_prioritisation_it_was_built_with(
    statistic: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Positive, with an interval that holds the documented number; first looks above later ones."""
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path))
    sizes = [f"--set=data.{split}={count}" for split, count in
             {"train": 8, "val": 8, "test": 200}.items()]  # fmt: skip
    with pytest.raises(SystemExit) as ended:
        main(["objects", "demo", *sizes, "--statistic", statistic, "--format", "json", "-q"])
    assert not ended.value.code
    found = {viewer["name"]: viewer for viewer in json.loads(capsys.readouterr().out)["viewers"]}
    people = found["people"]["prioritisation"]
    assert people["low"] > 0 and people["p"] < 0.001
    assert people["low"] < demo.PRIORITISATION[1][statistic] < people["high"]
    assert found["people, first"]["first_minus_later"]["low"] > 0


def test_most_observers_of_demo_look_at_the_face_first() -> None:
    first, places = [], []
    for index in range(60):
        rng = np.random.default_rng([3, index])
        stimulus, foils, distractors = demo.make_places(rng, demo.LEVELS[1])
        others = np.concatenate([foils, distractors])
        scene = demo.DemoScene(np.zeros((0, 0, 3), np.uint8), stimulus, others, len(foils))
        table = demo.make_gaze(rng, scene)
        order = order_of(table[:, 2].astype(np.int64))
        on_face = np.hypot(*(table[:, :2] - stimulus[:2]).T) < stimulus[2]
        first += on_face[order == 0].tolist()
        places += on_face[order == 1].tolist()
    # more than are told to, since some of the others begin at a face that lies in the middle
    assert demo.FACE_FIRST - 0.03 < np.mean(first) < demo.FACE_FIRST + 0.12
    assert np.mean(places) < np.mean(first) - 0.2
