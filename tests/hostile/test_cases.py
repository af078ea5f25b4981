"""Files as people have them, on which release 0.1 gave a wrong value or a misleading message.

Each folder of ``cases/`` is one kind of fault; its file ``expect`` says what must come out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.hostile.conftest import Ran, emomap

CASES = Path(__file__).parent / "cases"
#: Of the three pictures that most cases share, when all is read as it is meant.
RIGHT = {"auc_judd": 0.79269, "nss": 0.92740}


@pytest.fixture
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the case that the test names, as the current folder."""
    folder = tmp_path / "case"
    shutil.copytree(CASES / request.param, folder)
    monkeypatch.chdir(folder)
    return folder


def case(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("here", [name], indirect=True)


def score(*words: object, metrics: str = "auc_judd,nss,cc,kl") -> tuple[Ran, dict[str, float]]:
    """Score, and the means."""
    ran = emomap("score", *words, "--metrics", metrics, "--format", "json", "-q", "-j", 1)
    means = json.loads(ran.out)["metrics"] if ran.out else {}
    return ran, {name: cell["mean"] for name, cell in means.items()}


def right(means: dict[str, float], **others: float) -> None:
    for name, value in {**RIGHT, **others}.items():
        assert means[name] == pytest.approx(value, abs=6e-6), name


@case("05-salicon-mat-alone")
def test_salicons_structs_are_named(here: Path) -> None:
    for more in ((), ("--stretch",)):
        ran, means = score("pred", "fixations", *more)
        assert (ran.code, means) == (1, {})
        assert "SALICON's gaze" in ran.err
        assert "--stretch" not in ran.err


@case("06-npy-points-truth")
def test_a_list_of_points_is_no_map(here: Path) -> None:
    for more in ((), ("--stretch",)):
        ran, _ = score("pred", "gt", *more)
        assert ran.code == 1
        assert "looks like a list of points (12 x 2), not a map" in ran.err
        assert "--stretch" not in ran.err


@case("07-csv-normalised")
def test_coordinates_in_the_unit_square_are_refused_and_may_be_declared(here: Path) -> None:
    ran, _ = score("pred", "data")
    assert ran.code == 1
    assert "--points normalised" in ran.err
    checked = emomap("data", "check", "data", "-q")
    assert checked.code == 3
    assert "WRONG" in checked.out
    assert "--points normalised" in checked.out
    right(score("pred", "data", "--points", "normalised")[1])
    assert emomap("data", "check", "data", "-q", "--points", "normalised").code == 0
    (here / "data" / "dataset.toml").write_text("points = 'normalised'\n")
    right(score("pred", "data")[1])


@case("12-one-csv-for-all")
def test_one_table_for_all_pictures_is_read_by_its_column(here: Path) -> None:
    for truth in ("gt", "gt/fixations.csv", "data"):
        ran, means = score("pred", truth)
        assert ran.code == 0
        assert "column image" in ran.err
        right(means)


@case("13-per-subject-folders")
def test_one_folder_per_observer_is_pooled(here: Path) -> None:
    pooled = score("pred", "gt")[1]
    assert pooled == pytest.approx(score("pred", "data")[1], rel=1e-12)
    joined = here / "joined"
    joined.mkdir()
    for file in (here / "gt" / "S1").iterdir():
        more = (here / "gt" / "S2" / file.name).read_text().split("\n", 1)[1]
        (joined / file.name).write_text(file.read_text() + more)
    assert pooled == pytest.approx(score("pred", "joined")[1], rel=1e-12)
    checked = emomap("data", "check", "data", "-q")
    assert checked.code == 0
    assert "6 tables in one folder per observer, pooled" in checked.out


@case("15-fixmaps-jpeg-as-png")
def test_weak_marks_are_left_out_and_counted(here: Path) -> None:
    ran, means = score("pred", "gt")
    right(means)
    assert "279 marks, of which 267 are weaker than half of the strongest" in ran.err


@case("16-mostly-empty-fixmaps")
def test_empty_maps_say_nothing_about_the_kind(here: Path) -> None:
    ran, means = score("pred", "gt")
    assert ran.code == 3
    assert all(name in ran.err for name in ("0000", "0002", "0004", "0006", "0008"))
    assert means["auc_judd"] == pytest.approx(0.7964, abs=6e-5)
    assert means["nss"] == pytest.approx(0.8500, abs=6e-5)
    assert means == score("pred", "gt", "--gt-kind", "fixation-maps")[1]


@case("17-dhf1k-tree")
def test_frames_of_videos_are_read_from_their_fixations(here: Path) -> None:
    ran, means = score("pred", "annotation")
    assert (ran.code, json.loads(ran.out)["n_images"]) == (0, 6)
    one, first = score("pred/0001", "annotation/0001")
    second = score("pred/0002", "annotation/0002")[1]
    assert "fixation/" in one.err
    assert means["nss"] == pytest.approx((first["nss"] + second["nss"]) / 2)


@case("18-fixmaps-discs")
def test_discs_are_taken_by_their_centres(here: Path) -> None:
    ran, means = score("pred", "gt")
    right(means)
    assert "marks of 49 pixels, taken by their centres: 12 fixations" in ran.err
    right(score("pred", "gt", "--gt-kind", "fixation-maps")[1])


@case("19-first-truth-empty")
def test_an_empty_truth_is_named_wherever_it_comes(here: Path) -> None:
    for truth, name in (("gt", "a"), ("gt2", "c")):
        ran, means = score("pred", truth)
        assert ran.code == 3
        assert f"{truth}/{name}.png: zero everywhere" in ran.err
        assert set(means) == {"cc", "kl"}


@case("20-truth-kinds-mixed")
def test_the_order_of_names_does_not_matter(here: Path) -> None:
    ran, means = score("pred", "data")
    assert ran.code == 3
    assert "auc_judd, nss: not scored: 1 of 3 maps without fixations (a)" in ran.err
    for old in ("pred/a.png", "data/maps/a.png", "data/images/a.jpg"):
        (here / old).rename((here / old).with_stem("z"))
    again, values = score("pred", "data")
    assert again.code == ran.code
    assert values == pytest.approx(means, rel=1e-12)
    assert "maps without fixations (z)" in again.err


@case("25-float64-tiff")
def test_tiffs_of_doubles_are_read(here: Path) -> None:
    ran, means = score("tif64", "gt")
    assert ran.code == 0
    right(means, auc_judd=0.79409, nss=0.92592)


@case("39-csv-screen-coordinates")
def test_pixels_of_a_screen_are_refused_and_may_be_declared(here: Path) -> None:
    ran, _ = score("pred", "data")
    assert ran.code == 1
    assert "11 of 12 fixations lie outside the picture" in ran.err
    checked = emomap("data", "check", "data", "-q")
    assert checked.code == 3
    assert "WRONG" in checked.out
    for file in (here / "data" / "fixations").iterdir():  # what their author must have had
        lines = file.read_text().splitlines()
        assert max(float(line.split(",")[0]) for line in lines[1:]) > 128


@case("41-one-bit-maps")
def test_maps_of_one_bit_are_maps_of_zero_and_one(here: Path) -> None:
    found = [
        score(name, "gt", metrics="auc,auc_borji,nss")[1] for name in ("pred1", "pred8", "predn")
    ]
    for means in found:
        assert means == pytest.approx(
            {"auc": 0.67020, "auc_borji": 0.67003, "nss": 0.87077}, abs=6e-6
        )
    right(score("pred", "gt1")[1])
    assert score("pred", "den1", metrics="cc,kl,sim")[1] == pytest.approx(
        score("pred", "den8", metrics="cc,kl,sim")[1], rel=1e-12
    )


@case("42-labels")
def test_labels_find_their_pictures(here: Path) -> None:
    for folder, labelled in (("paths", 4), ("winpaths", 2), ("caps", 4), ("twocase", 3)):
        ran = emomap("data", "check", folder, "--json", "-q")
        assert ran.code == 0, folder
        assert sum(json.loads(ran.out)["labels"].values()) == labelled
    for folder in ("ids", "variant", "column", "nohead"):
        assert emomap("data", "check", folder, "-q").code in {1, 3}


@case("54-arguments-swapped")
def test_exchanged_folders_are_remarked(here: Path) -> None:
    ran, _ = score("gt", "pred")
    assert "are the two folders exchanged?" in ran.err
    assert "exchanged" not in score("pred", "gt")[0].err
