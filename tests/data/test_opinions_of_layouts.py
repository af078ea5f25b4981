"""What layouts say of pictures beyond a label: distributions, votes, ratings, attributes."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import pytest

from emomap.cli import main
from emomap.data import open_dataset
from emomap.data.check import check
from emomap.data.show import EMOTIONAL, draw
from emomap.errors import EmomapError, UsageError
from tests.conftest import shared
from tests.data import builders


def test_emotion6_has_distributions_and_ratings(tmp_path: Path) -> None:
    builders.emotion6(tmp_path)
    found = open_dataset(tmp_path)
    assert found.affect_range == (1, 9)
    for sample in found:
        assert sample.distribution is not None and set(sample.distribution) == set(found.classes)
        assert sum(sample.distribution.values()) == pytest.approx(1)
        assert max(sample.distribution, key=sample.distribution.__getitem__) == sample.emotion
        assert (sample.valence, sample.arousal) == (4.1, 5.2)
    by_folder = open_dataset(tmp_path, options={"label": "folder"})
    assert all(s.distribution is None and s.valence == 4.1 for s in by_folder)


def test_emotion6_names_a_rating_off_the_scale(tmp_path: Path) -> None:
    builders.emotion6(tmp_path)
    table = tmp_path / "ground_truth.txt"
    table.write_text(table.read_text().replace("4.1", "41", 1))
    with pytest.raises(EmomapError, match=r"line 2: \[valence\] is 41, .* scale of 1 to 9"):
        open_dataset(tmp_path)


def test_ldl_reads_votes(tmp_path: Path) -> None:
    builders.ldl(tmp_path / "Flickr_LDL")
    found = open_dataset(tmp_path / "Flickr_LDL")
    one, two, three = found
    assert found.name == "flickr_ldl"
    assert one.votes is not None and one.votes["amusement"] == 3 and one.votes["fear"] == 4
    assert one.distribution is not None and one.distribution["anger"] == 1 / 8
    assert [s.emotion for s in (one, two, three)] == ["fear", None, "awe"]


def test_ldl_lists_with_splits_have_shares(tmp_path: Path) -> None:
    builders.ldl_split(tmp_path)
    one, two = open_dataset(tmp_path)
    assert (one.split, two.split, one.votes) == ("train", "test", None)
    assert one.distribution is not None and one.distribution["fear"] == 0.5
    assert two.emotion == "awe"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1.jpg 3 x 0 0 1 0 4 0", "line 2: 'x' is neither a number of votes"),
        ("1.jpg 3 0 0", "line 2: 3 numbers; expected 8"),
        ("1.jpg .5 .9 0 0 0 0 0 0", "line 2: the values sum to 1.4; expected votes"),
        ("1.jpg 0 0 0 0 0 0 0 0", "line 2: the values sum to 0"),
    ],
)
def test_ldl_names_wrong_lines(tmp_path: Path, line: str, message: str) -> None:
    builders.ldl(tmp_path)
    table = tmp_path / "ground_truth.txt"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], line]))
    with pytest.raises(EmomapError, match=message):
        open_dataset(tmp_path)


def test_emoset_reads_attributes_when_asked(tmp_path: Path) -> None:
    builders.emoset(tmp_path)
    found = open_dataset(tmp_path)
    second = next(s for s in found if s.split == "val")
    assert dict(pickle.loads(pickle.dumps(second)).attributes) == {
        "brightness": "0.5",
        "scene": "beach",
        "object": "Dog; Tree",
    }
    file = tmp_path / "annotation/awe/awe_00000.json"
    file.write_text('{"scene": {"a": 1}}')
    broken = next(s for s in open_dataset(tmp_path) if s.id.endswith("awe_00000"))
    with pytest.raises(EmomapError, match=r"awe_00000\.json: scene is neither"):
        dict(broken.attributes or {})
    problems = check(tmp_path, show=False).problems
    assert len(problems["unusable_annotations"]) == 1


def test_abstract_and_twitter_carry_votes(tmp_path: Path) -> None:
    builders.abstract(tmp_path / "a")
    first = open_dataset(tmp_path / "a").samples[0]
    assert first.votes is not None and first.votes["contentment"] == 5
    assert first.distribution is not None and first.distribution["contentment"] == 5 / 14
    builders.twitter1(tmp_path / "t")
    assert open_dataset(tmp_path / "t").samples[1].votes == {"negative": 4, "positive": 1}


def test_oasis_and_gaped(tmp_path: Path) -> None:
    builders.oasis(tmp_path / "o")
    oasis = open_dataset(tmp_path / "o")
    assert (oasis.name, oasis.affect_range) == ("oasis", (1, 7))
    assert [(s.valence, s.arousal) for s in oasis] == [(4.69, 2.35), (4.7, 2.9), (1.2, 6.5)]
    assert oasis.samples[2].attributes == {"category": "Scene", "source": "Wiki"}
    builders.gaped(tmp_path / "g")
    gaped = open_dataset(tmp_path / "g")
    assert (gaped.name, gaped.affect_range) == ("gaped", (0, 100))
    assert [(s.valence, s.arousal) for s in gaped] == [(12.5, 71.25), (20.1, 60), (40, 55)]
    assert gaped.samples[2].attributes == {"category": "snakes"}


def test_other_tables_of_ratings_need_a_scale_to_be_checked(tmp_path: Path) -> None:
    builders.picture(tmp_path / "pictures/1050.jpg")
    (tmp_path / "norms.txt").write_text("desc\tIAPS\tvalmn\taromn\nSnake\t1050\t3.46\t6.87\n")
    found = open_dataset(tmp_path)
    assert found.affect_range is None and found.samples[0].valence == 3.46
    assert any("data.scale=[1, 9]" in note for note in found.notes)
    assert open_dataset(tmp_path, options={"scale": [1, 9]}).affect_range == (1, 9)
    with pytest.raises(EmomapError, match=r"aromn is 6.87, .* scale of 1 to 5"):
        open_dataset(tmp_path, options={"scale": [1, 5]})
    with pytest.raises(UsageError, match="least, greatest"):
        open_dataset(tmp_path, options={"scale": 9})


def test_emod_reads_ratings_and_objects(tmp_path: Path) -> None:
    builders.emod(tmp_path)
    height, width = builders.SHAPE
    content = {
        "images": [{"id": 1, "file_name": "2.jpg", "width": width, "height": height}],
        "annotations": [{"image_id": 1, "bbox": [1, 1, 5, 5], "sentiment": "negative"}],
    }
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/all.json").write_text(json.dumps(content))
    found = {sample.id: sample for sample in open_dataset(tmp_path)}
    assert found["1"].valence == 0.0 and found["1"].objects() is None
    assert [o.sentiment for o in found["2"].objects() or ()] == ["negative"]


def test_check_counts_and_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    builders.neutral(tmp_path)
    (tmp_path / "affect.csv").write_text("image,valence\na/one,3\n")
    (tmp_path / "attributes.csv").write_text("image,scene\na/one,x\na/two,y\n")
    content = {
        "images": [{"id": 1, "file_name": "a/one.jpg", "width": 8, "height": 9}],
        "annotations": [{"image_id": 1, "bbox": [1, 1, 5, 5], "sentiment": "neutral"}],
    }
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/all.json").write_text(json.dumps(content))
    with pytest.raises(SystemExit) as ended:
        main(["data", "check", str(tmp_path), "--quiet", "--jobs", "1"])
    shown = capsys.readouterr().out
    assert ended.value.code == 3
    assert re.search(r"attribute scene\W+2, 2 values", shown), shown
    assert re.search(r"with objects\W+1: 1 neutral", shown)
    assert "a/one: outlined on a picture of 8x9, but it has 80x60" in shown


def test_the_sheet_shows_outlines(tmp_path: Path) -> None:
    builders.neutral(tmp_path)
    height, width = builders.SHAPE
    content = {
        "images": [{"id": 1, "file_name": "a/one.jpg", "width": width, "height": height}],
        "annotations": [{"image_id": 1, "bbox": [9, 9, 40, 30], "sentiment": "positive"}],
    }
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects/all.json").write_text(json.dumps(content))
    one, two, _ = open_dataset(tmp_path)
    cell, problem = draw(one)
    assert not problem and (cell == EMOTIONAL).all(axis=-1).sum() > 60
    assert not (draw(two)[0] == EMOTIONAL).all(axis=-1).any()


def test_native_samples_keep_their_distributions() -> None:
    found = open_dataset(shared("data/native/fixtures/Emotion6"))
    first = next(s for s in found if s.id == "anger/1")
    assert first.distribution is not None
    assert first.distribution["neutral"] == pytest.approx(0.508522, abs=1e-6)
    emoset = open_dataset(shared("data/native/fixtures/EmoSet"))
    assert dict(emoset.samples[0].attributes or {})["brightness"] == "0.5"
