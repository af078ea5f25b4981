"""The plan: everything is checked before anything is written, and the result knows its plan."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap.errors import EmomapError, UsageError
from emomap.experiment.bench import run
from emomap.experiment.choices import Choices
from emomap.experiment.contender import FolderContender, MethodContender, parse
from emomap.experiment.learn import learn
from emomap.experiment.plan import make_plan


@pytest.fixture
def photos(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three small pictures with fixations."""
    root = tmp_path / "photos"
    (root / "images").mkdir(parents=True)
    (root / "fixations").mkdir()
    for name in "abc":
        image = rng.integers(0, 255, (68, 90, 3)).astype(np.uint8)
        Image.fromarray(image).save(root / "images" / f"{name}.png")
        (root / "fixations" / f"{name}.csv").write_text("x,y\n20,30\n50,10\n70,60\n")
    return root


def choices(photos: Path, *settings: str, **more: object) -> Choices:
    kept = {"baselines": False, "show": False, "jobs": 1, "out": photos.parent / "run", **more}
    return Choices(["center"], data=str(photos), settings=settings, **kept)  # type: ignore[arg-type]


def test_a_plan_computes_and_writes_nothing(photos: Path) -> None:
    plan = make_plan(choices(photos, "score.metrics=['nss']"))
    assert [contender.name for contender in plan.contenders] == ["center"]
    assert plan.protocol.metrics == ("nss",)
    assert plan.record["run"]["data"] == str(photos)
    assert not plan.out.exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("score.metrics=['ccc']", "no metric is called 'ccc'"),
        ("score.metrics=[1]", "score.metrics.0: input should be a valid string, not 1"),
        ("score.sigma=wide", "score.sigma: input should be 'auto', not 'wide'"),
        ("score.resize=best", "score.resize: expected matlab-bicubic, .* not 'best'"),
        ("score.convention=mine", "score.convention: input should be 'mit' or 'tuebingen'"),
    ],
)
def test_a_protocol_that_does_not_exist_is_refused_before_any_work(
    photos: Path, setting: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words):
        make_plan(choices(photos, setting))
    assert not (photos.parent / "run").exists()


def test_a_shard_without_pictures_is_refused_before_any_work(photos: Path) -> None:
    with pytest.raises(EmomapError, match="shard 2/2 has no pictures"):
        make_plan(choices(photos, shard=(2, 2)))
    assert not (photos.parent / "run").exists()


def test_what_learns_nothing_is_not_trained(photos: Path) -> None:
    with pytest.raises(UsageError, match="center has nothing to train"):
        learn(choices(photos))
    assert not (photos.parent / "run").exists()


def test_the_result_knows_its_plan(photos: Path) -> None:
    done = run(make_plan(choices(photos, "score.metrics=['nss']", "bench.report=false", seed=3)))
    assert done.seed == done.plan.seed == 3
    assert done.dataset.name == "photos"
    assert {row.method for row in done.rows["center"]} == {"center"}
    assert not done.failed
    assert copy.copy(done).summary == done.summary
    with pytest.raises(AttributeError, match="nonsense"):
        _ = done.nonsense


def test_a_contender_is_a_method_or_a_folder(photos: Path) -> None:
    method, folder = parse("emomap.methods.center:Center"), parse(f"mine={photos}")
    assert isinstance(method, MethodContender) and isinstance(folder, FolderContender)
    assert (method.name, method.source, method.trainable) == ("center", "method center", False)
    assert (folder.name, folder.source, folder.trainable) == ("mine", f"folder {photos}", False)
