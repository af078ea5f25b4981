"""One contract for all layouts, on small sets that this file writes; then what is particular."""

from __future__ import annotations

import pickle
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from emomap import metrics
from emomap.data import LAYOUTS, open_dataset
from emomap.data.labels import SIX
from emomap.errors import EmomapError, UsageError
from emomap.sample import EMOTIONS
from tests.data import builders
from tests.data.builders import BUILDERS, POINTS, SHAPE, picture

ALL = [(layout, build) for layout, builds in BUILDERS.items() for build in builds]
NAMES = [build.__name__ for _, build in ALL]
#: Sets whose fixations are exact; MIT1003's are found in samples, EMOd's and others' are marked.
ORDERED = ("osie", "salicon", "pascals", "nusef", "neutral")


def test_every_layout_is_built_here() -> None:
    assert set(BUILDERS) == set(LAYOUTS) - {"pictures"}


@pytest.mark.parametrize(("layout", "build"), ALL, ids=NAMES)
def test_contract(layout: str, build: Callable[[Path], None], tmp_path: Path) -> None:
    """Recognised with a reason; ids are unique; samples can be pickled; everything is read."""
    build(tmp_path / "set")
    found = open_dataset(tmp_path / "set")
    assert found.layout.startswith(f"{layout} (")
    assert len({sample.id for sample in found}) == len(found) > 0
    assert [sample.id for sample in found] == sorted(sample.id for sample in found)
    for sample in found:
        again = pickle.loads(pickle.dumps(sample))
        assert again.image().shape == (*SHAPE, 3)
        assert sample.emotion is None or sample.emotion in found.classes
        gaze = again.gaze()
        if gaze is not None:
            assert gaze.shape == SHAPE
            assert gaze.points is not None or gaze.density is not None
            assert gaze.points is None or gaze.inside.all()


@pytest.mark.parametrize(("layout", "build"), ALL, ids=NAMES)
def test_zip_in_place_gives_the_same(
    layout: str, build: Callable[[Path], None], tmp_path: Path
) -> None:
    build(tmp_path / "set")
    packed = tmp_path / "set.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted((tmp_path / "set").rglob("*")):
            archive.write(file, file.relative_to(tmp_path).as_posix())
    here, there = open_dataset(tmp_path / "set"), open_dataset(packed)
    assert there.layout.split()[0] == layout
    assert [s.id for s in here] == [s.id for s in there]
    assert [(s.emotion, s.split) for s in here] == [(s.emotion, s.split) for s in there]
    for one, other in zip(here, there, strict=True):
        assert np.array_equal(one.image(), other.image())
        gaze, same = one.gaze(), other.gaze()
        assert (gaze is None) == (same is None)
        if gaze is not None and same is not None and gaze.points is not None:
            assert same.points is not None
            assert np.array_equal(gaze.points, same.points)


@pytest.mark.parametrize(("layout", "build"), ALL, ids=NAMES)
def test_coordinates_are_zero_based_x_right_y_down(
    layout: str, build: Callable[[Path], None], tmp_path: Path
) -> None:
    build(tmp_path)
    for sample in open_dataset(tmp_path):
        gaze = sample.gaze()
        if gaze is None or gaze.points is None:
            continue
        wanted = {(round(x), round(y)) for x, y in POINTS}
        assert {(round(x), round(y)) for x, y in gaze.points} == wanted
        if layout in ORDERED:
            assert np.allclose(gaze.points[: len(POINTS)], POINTS, atol=1e-4)


@pytest.mark.parametrize("layout", ["mit1003", "cat2000", "emod", "toronto", "neutral"])
def test_density_of_fixations_is_the_authors_map(layout: str, tmp_path: Path) -> None:
    """CC above .95 as read, and far below with x and y swapped."""
    BUILDERS[layout][0](tmp_path)
    found = open_dataset(tmp_path)
    for sample in found:
        gaze = sample.gaze()
        assert gaze is not None
        assert gaze.points is not None
        assert gaze.density is not None
        sigma = found.sigma or 5.0
        made = metrics.density(metrics.fixation_map(gaze.points, SHAPE), sigma)
        assert metrics.cc(made, gaze.density) > 0.95
        swapped = gaze.points[:, ::-1]
        inside = swapped[swapped[:, 1] < SHAPE[0]]
        wrong = metrics.density(metrics.fixation_map(inside, SHAPE), sigma)
        assert metrics.cc(wrong, gaze.density) < 0.5


def test_salicon_mat_agrees_with_its_map(tmp_path: Path) -> None:
    builders.salicon_mat(tmp_path)
    found = open_dataset(tmp_path)
    gaze = found.samples[0].gaze()
    assert gaze is not None
    assert gaze.points is not None
    assert found.sigma == 19 * 80 / 640
    made = metrics.density(metrics.fixation_map(gaze.points, SHAPE), found.sigma)
    assert metrics.cc(made, gaze.density) > 0.95


# ------------------------------------------------------------------------------ labels and splits


def labels_of(path: Path) -> dict[str, str | None]:
    return {sample.id: sample.emotion for sample in open_dataset(path)}


@pytest.mark.parametrize("build", BUILDERS["fi"], ids=lambda build: build.__name__)
def test_fi_labels_are_those_of_the_names(build: Callable[[Path], None], tmp_path: Path) -> None:
    build(tmp_path / "FI_set")
    found = open_dataset(tmp_path / "FI_set")
    assert found.name == "fi"
    assert found.classes == EMOTIONS
    if build is not builders.fi_links:
        assert set(Counter(sample.emotion for sample in found)) == set(EMOTIONS)
        for sample in found:
            if build is not builders.fi_flat:
                assert sample.emotion == sample.id.split("/")[-2].lower()


def test_fi_split_lists(tmp_path: Path) -> None:
    builders.fi_lists(tmp_path)
    found = open_dataset(tmp_path)
    assert {s.id: s.split for s in found}["Anger/80_z"] == "train"
    assert Counter(s.split for s in found) == {"train": 8, "test": 8}


def test_fi_train_and_val_folders(tmp_path: Path) -> None:
    builders.fi_wscnet(tmp_path)
    assert Counter(s.split for s in open_dataset(tmp_path)) == {"train": 8, "val": 8}


def test_fi_links_count_what_survives(tmp_path: Path) -> None:
    """0: five votes for fear beat three for awe; 1: too few; 2: no picture; 3: a draw."""
    builders.fi_links(tmp_path)
    found = open_dataset(tmp_path)
    assert labels_of(tmp_path) == {"pictures/0_abc": "fear"}
    assert (
        "4 links: 1 with a picture, 1 without, 1 with fewer than 3 votes, 1 with" in found.notes[0]
    )
    more = open_dataset(tmp_path, options={"min_votes": 2})
    assert [sample.id for sample in more] == ["pictures/0_abc", "pictures/1_abc"]


def test_fi_links_without_pictures_say_what_to_do(tmp_path: Path) -> None:
    builders.fi_links(tmp_path)
    for file in (tmp_path / "pictures").iterdir():
        file.unlink()
    with pytest.raises(EmomapError, match="downloads nothing: fetch them"):
        open_dataset(tmp_path)


def test_strangers_emotion_folders_are_not_called_fi(tmp_path: Path) -> None:
    builders.fi_folders(tmp_path / "mine")
    (tmp_path / "mine/emotion_dataset").rename(tmp_path / "mine/holiday")
    found = open_dataset(tmp_path / "mine")
    assert found.name == "holiday"
    assert found.labelled


def test_emotionroi_splits_and_classes(tmp_path: Path) -> None:
    builders.emotionroi(tmp_path)
    found = open_dataset(tmp_path)
    assert found.classes == SIX
    assert {s.split for s in found if s.id.endswith("/1")} == {"train"}
    assert {s.split for s in found if s.id.endswith("/2")} == {"test"}
    assert any("not gaze" in note for note in found.notes)


def test_emotion6_takes_the_most_probable_or_the_folder(tmp_path: Path) -> None:
    builders.emotion6(tmp_path)
    assert labels_of(tmp_path)["anger/1"] == "disgust"
    assert labels_of(tmp_path)["surprise/1"] == "neutral"
    folder = open_dataset(tmp_path, options={"label": "folder"})
    assert {s.id: s.emotion for s in folder}["anger/1"] == "anger"
    assert "neutral" not in folder.classes


def test_emoset_items_of_three_and_four(tmp_path: Path) -> None:
    builders.emoset(tmp_path)
    found = open_dataset(tmp_path)
    assert Counter(s.split for s in found) == {"train": 8, "val": 8, "test": 8}
    assert labels_of(tmp_path)["fear/fear_00002"] == "fear"


def test_abstract_drops_draws(tmp_path: Path) -> None:
    builders.abstract(tmp_path)
    assert labels_of(tmp_path) == {"abstract_0001": "contentment", "abstract_0003": "sadness"}
    assert any("abstract_0002" in note for note in open_dataset(tmp_path).notes)


def test_artphoto_shortened_names(tmp_path: Path) -> None:
    builders.artphoto(tmp_path)
    assert labels_of(tmp_path)["content_0001"] == "contentment"
    assert labels_of(tmp_path)["sad_0001"] == "sadness"


def test_twitter_majority_and_agreement(tmp_path: Path) -> None:
    builders.twitter1(tmp_path)
    assert labels_of(tmp_path) == {"0": "positive", "1": "negative", "2": "positive"}
    strict = open_dataset(tmp_path, options={"agree": 5})
    assert [sample.id for sample in strict] == ["0"]


def test_emod_labels_need_the_order_of_the_columns(tmp_path: Path) -> None:
    builders.emod(tmp_path)
    plain = open_dataset(tmp_path)
    assert not plain.labelled
    assert any("data.emotions" in note for note in plain.notes)
    names = [*EMOTIONS, "neutral"]
    named = open_dataset(tmp_path, options={"emotions": names})
    assert {s.id: s.emotion for s in named} == {"1": names[0], "2": names[1], "1019": names[2]}


def test_cat2000_leaves_out_previews_and_the_test_set(tmp_path: Path) -> None:
    builders.cat2000(tmp_path)
    found = open_dataset(tmp_path)
    assert [sample.id for sample in found] == ["Action/001", "Art/001"]
    assert {sample.split for sample in found} == {"train"}
    assert any("testSet" in note for note in found.notes)


def test_salicon_splits_and_observers(tmp_path: Path) -> None:
    builders.salicon_json(tmp_path)
    found = open_dataset(tmp_path)
    assert [sample.split for sample in found] == ["train", "val"]
    assert any("test images" in note for note in found.notes)
    gaze = found.samples[0].gaze()
    assert gaze is not None
    assert gaze.observers is not None
    assert set(gaze.observers.tolist()) == {7}


def test_salicon_pictures_beside_their_annotations(tmp_path: Path) -> None:
    builders.salicon_json(tmp_path)
    (tmp_path / "images/train").rename(tmp_path / "train2014")
    found = open_dataset(tmp_path)
    assert [s.id.split("/")[0] for s in found] == ["train2014", "val"]
    assert all(sample.gaze_source for sample in found)


def test_osie_without_its_folder_of_eyes(tmp_path: Path) -> None:
    builders.osie(tmp_path)
    (tmp_path / "data/eye/fixations.mat").rename(tmp_path / "data/fixations.mat")
    assert open_dataset(tmp_path).layout == "osie (in data/: stimuli/ and fixations.mat)"


def test_osie_observers_durations_and_what_is_absent(tmp_path: Path) -> None:
    builders.osie(tmp_path)
    found = open_dataset(tmp_path)
    assert found.sigma == 24
    gaze = found.samples[0].gaze()
    assert gaze is not None
    assert gaze.observers is not None
    assert gaze.durations is not None
    assert gaze.observers.tolist() == [0] * 5 + [1] * 5
    assert gaze.durations[:5].tolist() == [100, 101, 102, 103, 104]
    assert any("1700" in note for note in found.notes)


def test_mit1003_first_fixation_is_dropped_unless_kept(tmp_path: Path) -> None:
    builders.mit1003(tmp_path)
    gaze = open_dataset(tmp_path).samples[0].gaze()
    assert gaze is not None
    assert gaze.points is not None
    assert gaze.durations is not None
    assert len(gaze.points) == 2 * len(POINTS)
    assert np.allclose(gaze.durations, 100, atol=9)
    kept = open_dataset(tmp_path, options={"first": "keep"}).samples[0].gaze()
    assert kept is not None
    assert kept.points is not None
    assert np.allclose(kept.points[0], [40, 30], atol=0.5)


def test_unknown_option_is_refused(tmp_path: Path) -> None:
    builders.mit1003(tmp_path)
    with pytest.raises(UsageError, match=r"data\.frist is not an option of the layout mit1003"):
        open_dataset(tmp_path, options={"frist": "keep"})
    with pytest.raises(UsageError, match="must be one of drop, keep"):
        open_dataset(tmp_path, options={"first": "no"})


# ---------------------------------------------------------------------------------------- choosing


def test_layout_can_be_forced(tmp_path: Path) -> None:
    builders.fi_flat(tmp_path)
    found = open_dataset(f"neutral:{tmp_path}")
    assert found.layout == "neutral (as asked)"
    assert not found.labelled
    assert open_dataset(f"FI:{tmp_path}").labelled


def test_forced_layout_finds_its_folder(tmp_path: Path) -> None:
    builders.pascals(tmp_path)
    assert len(open_dataset(f"PASCAL-S:{tmp_path}")) == 2


def test_several_sets_side_by_side_must_be_named(tmp_path: Path) -> None:
    builders.artphoto(tmp_path / "one")
    builders.mit300(tmp_path / "two")
    with pytest.raises(UsageError, match="holds several data sets; name one"):
        open_dataset(tmp_path)


def test_pictures_alone(tmp_path: Path) -> None:
    picture(tmp_path / "holiday/a.jpg")
    picture(tmp_path / "b.jpg")
    found = open_dataset(tmp_path)
    assert found.layout == "pictures (no known layout, so pictures alone)"
    assert [sample.id for sample in found] == ["b", "holiday/a"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nowhere", "neither a data set that comes with emomap"),
        ("./nowhere", "there is no such folder or archive"),
        ("fi:", "write the path after the colon"),
        ("salicorn:x", "no layout is called 'salicorn'"),
    ],
)
def test_wrong_specs(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        open_dataset(spec)


def test_nothing_recognised_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(
        UsageError, match=r"no known layout and no pictures; looked for .*ALLSTIMULI"
    ):
        open_dataset(tmp_path)


def test_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match="empty"):
        open_dataset(tmp_path)


def test_other_archives_and_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "set.tar.gz").write_bytes(b"x")
    with pytest.raises(UsageError, match="only zip archives are read in place"):
        open_dataset(tmp_path / "set.tar.gz")
    (tmp_path / "set.txt").write_bytes(b"x")
    with pytest.raises(UsageError, match="neither a folder nor a zip archive"):
        open_dataset(tmp_path / "set.txt")
