"""What people said of pictures, and outlines of objects: read, refused, and written again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emomap.data import open_dataset
from emomap.data.convert import convert
from emomap.errors import EmomapError
from emomap.sample import EMOTIONS, Outline
from tests.data.builders import SHAPE, neutral

HEADER = "image," + ",".join(EMOTIONS) + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    neutral(tmp_path / "set")
    return tmp_path / "set"


def coco(*annotations: dict[str, Any], **more: Any) -> dict[str, Any]:
    height, width = SHAPE
    return {
        "images": [{"id": 1, "file_name": "a/one.jpg", "width": width, "height": height}],
        "annotations": [{"image_id": 1, "id": 7} | entry for entry in annotations],
        "categories": [{"id": 3, "name": "face"}],
        **more,
    }


def outlined(root: Path, content: dict[str, Any]) -> tuple[Outline, ...]:
    (root / "objects").mkdir(exist_ok=True)
    (root / "objects/all.json").write_text(json.dumps(content))
    found = open_dataset(root).samples[0].objects()
    assert found is not None
    return found


SQUARE = [[10.0, 20.0, 14.0, 20.0, 14.0, 23.0, 10.0, 23.0]]


# --- distributions ------------------------------------------------------------------------------


def test_shares_are_read_in_any_order_of_columns(root: Path) -> None:
    turned = EMOTIONS[::-1]
    (root / "distributions.csv").write_text(
        "image," + ",".join(turned) + "\na/one,0,0,0,0,0,0,.25,.75\n"
    )
    one, two, _ = open_dataset(root)
    assert one.distribution == dict.fromkeys(EMOTIONS, 0.0) | {"amusement": 0.75, "anger": 0.25}
    assert one.votes is None and two.distribution is None
    assert one.emotion == "awe"  # labels.csv wins


def test_whole_numbers_are_votes_and_the_label_is_their_majority(root: Path) -> None:
    (root / "labels.csv").unlink()
    (root / "distributions.csv").write_text(
        "image,joy,fear\na/one,3,1\na/two,2,2\nb/three.jpg,0,5\n"
    )
    found = open_dataset(root)
    assert found.classes == ("fear", "joy")
    assert [s.emotion for s in found] == ["joy", None, "fear"]
    assert found.samples[0].votes == {"joy": 3, "fear": 1}
    assert found.samples[0].distribution == {"joy": 0.75, "fear": 0.25}
    assert any("equal probability, so no label: a/two" in note for note in found.notes)


def test_one_hot_shares_are_no_votes(root: Path) -> None:
    (root / "distributions.csv").write_text(HEADER + "a/one,1,0,0,0,0,0,0,0\n")
    assert open_dataset(root).samples[0].votes is None


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (HEADER + "a/one,.5,.6,0,0,0,0,0,0\n", "a/one: the shares sum to 1.1; they must sum to 1"),
        (HEADER + "a/one,1.5,-.5,0,0,0,0,0,0\n", "a/one: anger is -0.5, which is below 0"),
        (HEADER + "a/one,x,0,0,0,0,0,0,0\n", "line 2: amusement is 'x', which is not a number"),
        (HEADER + "a/one,2,0,0,0,0,0,0,0\na/two,0,0,0,0,0,0,0,0\n", "a/two: nobody voted"),
        ("image,joy,fear\na/one,1,0\n", "the column 'joy' is no emotion of this set"),
        ("image,awe,fear\na/one,1,0\n", "it lacks an emotion of this set"),
        (HEADER + "a/one,1,0,0,0,0,0,0,0\na/one,0,1,0,0,0,0,0,0\n", "line 3: .* keep one"),
    ],
)
def test_wrong_distributions_are_named(root: Path, lines: str, message: str) -> None:
    (root / "dataset.toml").write_text("classes = " + json.dumps(list(EMOTIONS)))
    (root / "distributions.csv").write_text(lines)
    with pytest.raises(EmomapError, match=message):
        open_dataset(root)


# --- valence, arousal, attributes ---------------------------------------------------------------


def test_ratings_and_attributes(root: Path) -> None:
    (root / "dataset.toml").write_text("affect_range = [1, 9]\n")
    (root / "affect.csv").write_text("image,valence,arousal\na/one,2.5,7\na/two,,3\n")
    (root / "attributes.csv").write_text("image,Scene,indoor\na/one,beach,0\na/two,,1\n")
    found = open_dataset(root)
    assert found.affect_range == (1.0, 9.0)
    assert [(s.valence, s.arousal) for s in found] == [(2.5, 7.0), (None, 3.0), (None, None)]
    assert [s.attributes for s in found] == [
        {"scene": "beach", "indoor": "0"},
        {"indoor": "1"},
        None,
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("affect.csv", "image,valence\na/one,9.5\n", r"line 2: valence is 9.5, .* scale of 1 to 9"),
        ("affect.csv", "image,mood\na/one,3\n", "neither the column valence nor arousal"),
        ("affect.csv", "image,arousal\na/one,high\n", "arousal is 'high', which is not a number"),
        ("attributes.csv", "image,scene,\na/one,beach,x\n", "a column has no name"),
        ("dataset.toml", "affect_range = [9, 1]\n", r"affect_range: must be \[least, greatest\]"),
    ],
)
def test_wrong_ratings_are_named(root: Path, name: str, content: str, message: str) -> None:
    (root / "dataset.toml").write_text("affect_range = [1, 9]\n")
    (root / name).write_text(content)
    with pytest.raises(EmomapError, match=message):
        open_dataset(root)


# --- outlines -----------------------------------------------------------------------------------


def test_a_polygon_covers_the_pixels_whose_centre_it_holds(root: Path) -> None:
    said = {"category_id": 3, "segmentation": SQUARE, "sentiment": "Positive"}
    (face,) = outlined(root, coco(said))
    assert (face.name, face.sentiment, face.emotional) == ("face", "positive", True)
    wanted = np.zeros(SHAPE, dtype=bool)
    wanted[20:23, 10:14] = True
    np.testing.assert_array_equal(face.mask(), wanted)


def test_parts_count_together_and_a_box_stands_for_a_missing_outline(root: Path) -> None:
    parts = {"segmentation": [*SQUARE, [0.0, 0.0, 2.0, 0.0, 2.0, 2.0, 0.0, 2.0]]}
    box = {"bbox": [10.0, 20.0, 4.0, 3.0], "attributes": {"sentiment": "neutral"}}
    both, boxed = outlined(root, coco(parts, box))
    assert both.mask().sum() == 12 + 4 and both.emotional is None
    assert boxed.mask().sum() == 12 and boxed.emotional is False


@pytest.mark.parametrize("as_text", [False, True])
def test_run_length_masks(root: Path, as_text: bool) -> None:
    height, width = SHAPE
    mask = np.random.default_rng(0).random(SHAPE) < 0.4
    mask[:, :30] = True
    flat = mask.T.ravel()
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    runs = [0, *runs] if flat[0] else runs
    counts: Any = encoded(runs) if as_text else runs
    (found,) = outlined(root, coco({"segmentation": {"counts": counts, "size": [height, width]}}))
    np.testing.assert_array_equal(found.mask(), mask)


def encoded(runs: list[int]) -> str:
    """Runs as COCO's text."""
    text = ""
    for at, run in enumerate(runs):
        value = run - runs[at - 2] if at > 2 else run
        while True:
            bits, value = value & 31, value >> 5
            more = value != (-1 if bits & 16 else 0)
            text += chr(48 + (bits | 32 if more else bits))
            if not more:
                break
    return text


def test_a_listed_picture_without_annotations_has_no_objects(root: Path) -> None:
    assert outlined(root, coco()) == ()
    assert open_dataset(root).samples[1].objects() is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            coco({"segmentation": SQUARE, "sentiment": "angry"}),
            "annotation 7: .* 'angry'; .* one of",
        ),
        (coco({"segmentation": [[1.0, 2.0, 3.0, 4.0]]}), "annotation 7: a polygon of 4 numbers"),
        (coco({}), "annotation 7: has neither a segmentation nor a bbox"),
        (coco({"image_id": 2, "segmentation": SQUARE}), "annotation 7: no picture has the id 2"),
        (coco({"category_id": 9, "segmentation": SQUARE}), "no category has the id 9"),
        (coco({"segmentation": {"counts": [3], "size": [60, 80]}}), "mask of .* with 3 pixels"),
        (coco({"segmentation": {"counts": "\n", "size": [60, 80]}}), "not part of a run-length"),
        ({"images": []}, "all.json: annotations: field required"),
        ([], "all.json: "),
    ],
)
def test_wrong_outlines_are_named(root: Path, content: Any, message: str) -> None:
    with pytest.raises(EmomapError, match=message):
        outlined(root, content)


# --- written again ------------------------------------------------------------------------------


@pytest.mark.parametrize("counted", [False, True])
def test_convert_keeps_everything(root: Path, tmp_path: Path, counted: bool) -> None:
    line = "3,1,0,0,0,0,0,1" if counted else ".5,.125,.125,0,0,0,0,.25"
    (root / "distributions.csv").write_text(HEADER + f"a/one,{line}\n")
    (root / "dataset.toml").write_text("affect_range = [1, 7]\n")
    (root / "affect.csv").write_text("image,valence,arousal\na/one,2.5,\na/two,1.1,3\n")
    (root / "attributes.csv").write_text('image,scene,note\na/one,"a, b",\nb/three,,x\n')
    height, width = SHAPE
    runs = {"segmentation": {"counts": [5, 7, height * width - 12], "size": list(SHAPE)}}
    outlined(root, coco({"category_id": 3, "segmentation": SQUARE, "sentiment": "negative"}, runs))
    convert(root, tmp_path / "copy", show=False)
    before, after = open_dataset(root), open_dataset(tmp_path / "copy")
    assert after.affect_range == before.affect_range and after.classes == before.classes
    for old, new in zip(before, after, strict=True):
        for name in ("id", "emotion", "distribution", "votes", "valence", "arousal", "attributes"):
            assert getattr(old, name) == getattr(new, name), name
    pairs = zip(before.samples[0].objects() or (), after.samples[0].objects() or (), strict=True)
    for old_one, new_one in pairs:
        assert (old_one.name, old_one.sentiment) == (new_one.name, new_one.sentiment)
        np.testing.assert_array_equal(old_one.mask(), new_one.mask())
    assert after.samples[1].objects() is None
