"""PAEF: the meaning of its features, learning, and checkpoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap.errors import EmomapError, UsageError
from emomap.method import build
from emomap.methods.paef import GROUPS, PAEF, features
from emomap.sample import Dataset, Sample
from emomap.training import train
from emomap.vision import art, symmetry
from tests.conftest import shared


def photograph() -> Any:
    from emomap import io

    file = sorted(shared("data/osie/images").glob("*.jpg"))[3]
    return np.asarray(Image.fromarray(io.read_image(file)).resize((160, 120)))


def group(values: Any, name: str) -> Any:
    start = 0
    for key, count in GROUPS.items():
        if key == name:
            return values[start : start + count]
        start += count
    raise KeyError(name)


def plain(*colour: int) -> Any:
    return np.full((64, 64, 3), colour, dtype=np.uint8)


# --- features -----------------------------------------------------------------------------------


def test_there_are_165_features() -> None:
    assert sum(GROUPS.values()) == 165
    assert features(photograph()).shape == (165,)


@pytest.mark.parametrize(
    "image",
    [plain(0, 0, 0), plain(255, 255, 255), plain(200, 30, 30), np.zeros((1, 1, 3), np.uint8),
     np.full((4, 300, 3), 128, np.uint8),
     np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)],
)  # fmt: skip
def test_features_are_finite_for_any_picture(image: Any) -> None:
    assert np.isfinite(features(image)).all()


def test_mirrored_descriptors_are_those_of_the_mirrored_picture() -> None:
    grey = np.asarray(Image.fromarray(photograph()).convert("L"), dtype=np.float64) / 255
    here, there = symmetry.keypoints(grey), symmetry.keypoints(grey[:, ::-1].copy())
    expected = here.places * (-1, 1) + (grey.shape[1] - 1, 0)
    distance = np.hypot(*(expected[:, None] - there.places[None]).transpose(2, 0, 1))
    nearest = distance.argmin(axis=1)
    found = distance.min(axis=1) < 1
    assert found.mean() > 0.5
    theirs = there.descriptors[nearest]
    likeness = (symmetry.mirrored(here.descriptors) * theirs).sum(axis=1)[found]
    unmirrored = (here.descriptors * theirs).sum(axis=1)[found]
    assert np.median(likeness) > 0.85 > np.median(unmirrored)


def test_a_mirrored_half_gives_an_upright_axis_in_the_middle() -> None:
    half = np.asarray(Image.fromarray(photograph()).convert("L"), dtype=np.float64)[:, :80] / 255
    whole = np.concatenate([half, half[:, ::-1]], axis=1)
    points = symmetry.keypoints(whole)
    numbers = symmetry.bilateral(points, whole.shape)
    offset, angle, strength = numbers[3:6]
    assert offset == pytest.approx(0.5, abs=0.05)
    assert min(angle, 1 - angle) < 0.05  # the normal of the axis is horizontal
    assert strength > symmetry.bilateral(symmetry.keypoints(half), half.shape)[5]


def test_half_a_turn_gives_a_centre_of_rotation() -> None:
    half = np.asarray(Image.fromarray(photograph()).convert("L"), dtype=np.float64)[:, :80] / 255
    whole = np.concatenate([half, half[::-1, ::-1]], axis=1)
    numbers = symmetry.rotational(symmetry.keypoints(whole), whole.shape)
    assert numbers[3:5] == pytest.approx([0.5, 0.5], abs=0.06)


def test_radial_symmetry_finds_a_disc() -> None:
    rows, columns = np.mgrid[:96, :96]
    disc = (np.hypot(rows - 24, columns - 72) < 8).astype(np.float64)
    row, column = np.unravel_index(symmetry.radial_map(disc).argmax(), disc.shape)
    assert abs(int(row) - 24) <= 1 and abs(int(column) - 72) <= 1
    cells = symmetry.radial(disc).reshape(6, 6)
    assert cells.sum() == pytest.approx(1)
    assert np.unravel_index(cells.argmax(), cells.shape) == (1, 4)


@pytest.mark.parametrize(
    ("colour", "name"),
    [((0, 0, 0), "black"), ((255, 255, 255), "white"), ((200, 20, 30), "red"),
     ((20, 140, 40), "green"), ((20, 60, 190), "blue"), ((250, 220, 20), "yellow"),
     ((130, 130, 130), "grey"), ((240, 140, 20), "orange"), ((110, 65, 30), "brown"),
     ((250, 175, 190), "pink"), ((110, 40, 140), "purple")],
)  # fmt: skip
def test_colours_have_their_names(colour: tuple[int, int, int], name: str) -> None:
    shares = art.colour_names(plain(*colour))
    assert list(art.NAMES)[int(shares[:11].argmax())] == name
    assert shares[11] == pytest.approx(1 / 11)


def test_gradients_know_the_direction_of_stripes() -> None:
    columns = np.mgrid[:64, :64][1]
    upright = np.sin(columns / 2.0)
    numbers = art.gradients(upright).reshape(6, 8)
    assert (numbers[:4, 0] + numbers[:4, 7] > 0.95).all()
    lying = art.gradients(upright.T.copy()).reshape(6, 8)
    assert (lying[:4, 3] + lying[:4, 4] > 0.95).all()


def test_scan_path_visits_the_strongest_places_in_order() -> None:
    attention = np.zeros((50, 100))
    for rank, (row, column) in enumerate([(10, 80), (40, 20), (5, 5)]):
        attention[row, column] = 3 - rank
    path = art.scan_path(attention).reshape(8, 2)
    expected = [(80 / 99, 10 / 49), (20 / 99, 40 / 49), (5 / 99, 5 / 49)]
    np.testing.assert_allclose(path[:3], expected)
    np.testing.assert_allclose(path[3:], np.tile(expected[2], (5, 1)))


def test_focus_is_the_share_within_each_mask() -> None:
    attention = np.zeros((90, 90))
    attention[45, 45] = 1
    np.testing.assert_allclose(art.focus(attention), [0, 0, 1])
    attention[30, 60] = 1
    np.testing.assert_allclose(art.focus(attention), [0.5, 0.5, 0.5])


# --- learning -----------------------------------------------------------------------------------


def coloured(folder: Path, count: int) -> Dataset:
    rng = np.random.default_rng(count)
    samples = []
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        emotion = ("awe", "fear", "anger")[index % 3]
        base = {"awe": (60, 90, 200), "fear": (40, 60, 40), "anger": (200, 60, 50)}[emotion]
        pixels = np.clip(rng.normal(base, 25, (40, 40, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{index}.png")
        samples.append(Sample(str(index), folder / f"{index}.png", emotion))
    return Dataset("coloured", tuple(samples), ("anger", "awe", "fear"))


def test_it_learns_and_its_checkpoint_restores_it(tmp_path: Path) -> None:
    data, new = coloured(tmp_path / "train", 18), coloured(tmp_path / "new", 9)
    method = PAEF(jobs=1)
    train(method, data, Dataset("none", ()), {}, tmp_path / "out", progress=False)
    guesses = method.predict([sample.image() for sample in new])
    assert all(guess.map is None for guess in guesses)
    names = [data.classes[int(np.argmax(g.probabilities))] for g in guesses]
    assert names == [sample.emotion for sample in new]
    other = PAEF()
    other.load(tmp_path / "out/checkpoint.pt")
    again = other.predict([sample.image() for sample in new])
    for one, same in zip(guesses, again, strict=True):
        assert np.sum(one.probabilities) == pytest.approx(1)
        np.testing.assert_array_equal(np.asarray(one.probabilities), np.asarray(same.probabilities))


def test_an_interrupted_training_resumes_with_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from emomap.methods import paef

    data, none = coloured(tmp_path / "train", 30), Dataset("none", ())

    def trained(name: str) -> list[int]:
        """Train in a folder, and return how many pictures were measured."""
        measured = []

        def counting(sample: Sample) -> Any:
            measured.append(int(sample.id))
            if name == "stopped" and len(measured) == 26 and not (tmp_path / "again").exists():
                (tmp_path / "again").touch()
                raise KeyboardInterrupt
            return _features_of(sample)

        monkeypatch.setattr(paef, "_features_of", counting)
        train(PAEF(jobs=1), data, none, {}, tmp_path / name, progress=False)
        return measured

    _features_of = paef._features_of
    assert len(trained("whole")) == 30
    with pytest.raises(KeyboardInterrupt):
        trained("stopped")
    part = tmp_path / "stopped/features.part"
    part.write_bytes(part.read_bytes()[:-40])  # as if killed in the middle of a line
    Image.new("RGB", (40, 40)).save(tmp_path / "train/3.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "train/3.png")
    assert trained("stopped") == [3, 24, 25, 26, 27, 28, 29]
    assert not part.exists()
    assert len(trained("whole again")) == 30
    one, same = (np.load(tmp_path / f"{n}/checkpoint.pt") for n in ("whole again", "stopped"))
    for key in one.files:
        np.testing.assert_array_equal(one[key], same[key])


def test_refusals(tmp_path: Path) -> None:
    data = coloured(tmp_path / "train", 9)
    single = Dataset("single", data.samples[::3], data.classes)
    with pytest.raises(EmomapError, match="two emotions"):
        PAEF(jobs=1).fit(single, single)
    with pytest.raises(EmomapError, match="must be trained"):
        PAEF().predict([plain(1, 2, 3)])
    with pytest.raises(UsageError, match="costs"):
        build(PAEF, "paef", {"costs": []})
    (tmp_path / "text.pt").write_text("hello")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    for name in ("text.pt", "other.npz", "missing.pt"):
        with pytest.raises(EmomapError, match=name):
            PAEF().load(tmp_path / name)
