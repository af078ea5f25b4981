"""`emomap score --mask`: what a mask leaves of a picture is scored as if it were the picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import emomap as package
from emomap import metrics
from emomap.errors import EmomapError, UsageError
from emomap.sample import Gaze
from emomap.scoring.masks import Mask, ignoring
from tests.cli.conftest import Command, emomap

__all__ = ["emomap"]  # a fixture

BORDER = 12
SHAPE = (96, 132)
ALL = "auc_judd,auc_borji,auc_shuffled,auc,nss,info_gain,cc,sim,kl,emd,js,mae"


@pytest.fixture
def folders(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Maps and gaze of three pictures, and the same cropped by a border."""
    for name in ("maps", "gaze", "maps-cropped", "gaze-cropped"):
        (tmp_path / name).mkdir()
    for i in range(3):
        values = rng.integers(0, 255, SHAPE).astype(np.uint8)
        values[:BORDER] = 255  # what a border must hide
        Image.fromarray(values).save(tmp_path / f"maps/{i}.png")
        cut = values[BORDER:-BORDER, BORDER:-BORDER]
        Image.fromarray(cut).save(tmp_path / f"maps-cropped/{i}.png")
        points = rng.integers(0, SHAPE[::-1], (40, 2))
        inside = points - BORDER
        size = np.array(cut.shape[::-1])
        inside = inside[((inside >= 0) & (inside < size)).all(axis=1)]
        for folder, rows in (("gaze", points), ("gaze-cropped", inside)):
            lines = [f"{x},{y}" for x, y in rows]
            (tmp_path / folder / f"{i}.csv").write_text("\n".join(["x,y", *lines]) + "\n")
    return tmp_path


def values_of(ran: object) -> dict[str, float]:
    assert ran.code == 0, ran.err  # type: ignore[attr-defined]
    found = json.loads(ran.out)["metrics"]  # type: ignore[attr-defined]
    return {name: cell["mean"] for name, cell in found.items()}


def border_masks(folder: Path, suffix: str = "png") -> Path:
    masks = folder / "masks"
    masks.mkdir(exist_ok=True)
    mask = np.full(SHAPE, 255, np.uint8)
    mask[BORDER:-BORDER, BORDER:-BORDER] = 0
    for i in range(3):
        if suffix == "npy":
            np.save(masks / f"{i}.npy", mask > 0)
        else:
            Image.fromarray(mask).save(masks / f"{i}.{suffix}")
    return masks


@pytest.mark.parametrize("how", ["border", "png", "npy"])
@pytest.mark.parametrize("convention", ["mit", "tuebingen"])
def test_a_border_gives_the_scores_of_cropped_maps(
    emomap: Command, folders: Path, how: str, convention: str
) -> None:
    common = ("--metrics", ALL, "--format", "json", "--jobs", 1, "--convention", convention)
    given = f"border:{BORDER}" if how == "border" else border_masks(folders, how)
    masked = emomap("score", folders / "maps", folders / "gaze", "--mask", given, *common)
    cropped = emomap("score", folders / "maps-cropped", folders / "gaze-cropped", *common)
    assert values_of(masked) == pytest.approx(values_of(cropped), rel=1e-12)
    plain = emomap("score", folders / "maps", folders / "gaze", *common)
    assert values_of(plain)["nss"] != pytest.approx(values_of(masked)["nss"], abs=1e-3)
    assert "fixations under the mask" in masked.err
    signature = json.loads(masked.out)["signature"]
    assert ("mask:border-12px" if how == "border" else "mask:files-") in signature
    assert "mask" not in json.loads(plain.out)["signature"]


def test_a_watermark_is_the_mask_of_the_library(tmp_path: Path, rng: np.random.Generator) -> None:
    """Pixels in the middle of the picture: the fixations there go before the blur."""
    mask = np.zeros(SHAPE, bool)
    mask[20:40, 30:70] = True
    points = rng.integers(0, SHAPE[::-1], (60, 2)).astype(float)
    prediction = rng.random(SHAPE)
    names = ["nss", "cc", "auc_judd", "emd"]
    found = package.score(prediction, points, mask=mask, metrics=names, sigma=9.0)
    counts = metrics.fixation_map(points, SHAPE) * ~mask
    expected = metrics.evaluate(
        prediction,
        fixations=counts,
        density=metrics.density(counts, 9.0),
        mask=mask,
        metrics=names,
    )
    assert next(iter(found.values.values())) == pytest.approx(expected, rel=1e-9)


def test_a_lone_density_is_cropped(folders: Path, rng: np.random.Generator) -> None:
    prediction = rng.random(SHAPE)
    density = metrics.density(rng.random(SHAPE) < 0.01, 6.0)
    found = package.score(prediction, density, mask=f"border:{BORDER}", metrics="cc,kl")
    cut = (slice(BORDER, -BORDER),) * 2
    expected = {n: getattr(metrics, n)(prediction[cut], density[cut]) for n in ("cc", "kl")}
    assert next(iter(found.values.values())) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "masks/1.png").unlink(), "no mask for '1'"),
        (lambda f: Image.new("L", (5, 7)).save(f / "masks/1.png"), "mask of 5 x 7 pixels"),
        (lambda f: Image.new("L", SHAPE[::-1], 9).save(f / "masks/1.png"), "ignores every pixel"),
        (lambda f: (f / "masks/1.png").write_bytes(b"no picture"), "1.png"),
    ],
)
def test_a_mask_that_cannot_be_used_is_named(
    emomap: Command, folders: Path, spoil: object, said: str
) -> None:
    masks = border_masks(folders)
    spoil(folders)  # type: ignore[operator]
    ran = emomap(
        "score", folders / "maps", folders / "gaze", "--mask", masks, "--metrics", "nss", "-j", 1
    )
    assert ran.code != 0
    assert said.replace("'", "") in ran.err.replace("'", "")


@pytest.mark.parametrize(
    "given", ["border:0", "border:-3", "border", "border:1.5", "nowhere", "border:4px"]
)
def test_what_is_no_mask_is_refused(emomap: Command, folders: Path, given: str) -> None:
    ran = emomap("score", folders / "maps", folders / "gaze", "--mask", given)
    assert ran.code == 2
    assert "border:N" in ran.err


def test_a_border_wider_than_the_picture(emomap: Command, folders: Path) -> None:
    ran = emomap("score", folders / "maps", folders / "gaze", "--mask", "border:48", "-j", 1)
    assert ran.code == 1
    assert "border of 48 pixels ignores every pixel" in ran.err


def test_a_mask_in_a_jpeg_has_weak_values(folders: Path, rng: np.random.Generator) -> None:
    mask = np.kron(rng.integers(0, 2, (12, 12)), np.ones((11, 11))) * 255
    Image.fromarray(mask.astype(np.uint8)).save(folders / "mask.jpg")
    with pytest.raises(EmomapError, match="save it as png"):
        package.score(rng.random((132, 132)), np.full((5, 2), 3.0), mask=folders / "mask.jpg")


def test_all_fixations_under_the_mask(folders: Path, rng: np.random.Generator) -> None:
    with pytest.raises(EmomapError, match="no fixation lies on what the mask leaves"):
        package.score(rng.random((40, 40)), np.full((5, 2), 3.0), mask="border:5", metrics="nss")


def test_one_mask_for_several_images(folders: Path) -> None:
    mask = border_masks(folders) / "0.png"
    with pytest.raises(UsageError, match="one mask, and 3 images"):
        package.score(folders / "maps", folders / "gaze", mask=mask, metrics="nss")


def test_the_signature_follows_what_is_in_the_masks(folders: Path) -> None:
    masks = border_masks(folders)
    first = Mask.of(masks)
    assert first == Mask.of(masks)
    changed = np.asarray(Image.open(masks / "2.png")).copy()
    changed[50, 50] = 255
    Image.fromarray(changed).save(masks / "2.png")
    assert str(Mask.of(masks)) != str(first)


def test_gaze_keeps_what_belongs_to_its_fixations() -> None:
    points = np.array([[1.0, 1], [5, 5], [6, 4], [20, 3]])
    gaze = Gaze((10, 12), points, observers=np.arange(4), durations=np.arange(4.0))
    mask = np.ones((10, 12), bool)
    mask[3:8, 4:9] = False
    mask[4, 6] = True
    found = ignoring(gaze, mask, "a")
    assert found.shape == (5, 5)
    assert found.points is not None
    assert found.points.tolist() == [[1, 2]]
    assert found.observers is not None and found.observers.tolist() == [1]
    assert found.window is not None and found.window.mask is not None
    assert found.window.mask.sum() == 1
    assert found.notes == (
        "a: 1 fixations outside the picture were left out",
        "a: 2 fixations under the mask were left out",
    )
