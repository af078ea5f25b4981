"""Recipes: overrides, wrong keys and values, and the round trip through their text."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from emomap import recipes
from emomap.errors import UsageError


@pytest.mark.parametrize("name", recipes.NAMED)
def test_recipe_survives_its_own_text(name: str) -> None:
    recipe = recipes.load(name)
    assert tomllib.loads(recipes.dumps(recipe)) == recipe


def test_both_recipes_have_the_same_numbers_of_scoring() -> None:
    demo, paper = recipes.load("demo"), recipes.load("paper")
    assert demo["score"].keys() == paper["score"].keys()
    assert demo["bench"].keys() == paper["bench"].keys()


def test_override_sets_one_number() -> None:
    recipe = recipes.load("demo")
    recipes.override(recipe, ["training.epochs=3", "method.islamnet.angles=[0, 180]"])
    assert recipe["training"]["epochs"] == 3
    assert recipe["method"]["islamnet"]["angles"] == [0, 180]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("training.epochs", "KEY=VALUE"),
        ("training.epoch=3", "did you mean training.epochs"),
        ("training.epochs=many", "expected a value like"),
        ("training.epochs=2.5", "expected a value like"),
        ("nonsense=1", "has no 'nonsense'"),
    ],
)
def test_wrong_overrides_are_refused(setting: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        recipes.override(recipes.load("demo"), [setting])


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("data.level=2", ("data.level", 2)),
        (" data.level = '2' ", ("data.level", "2")),
        ("data.gaze = maps/a", ("data.gaze", "maps/a")),
        ("a.b=x=y", ("a.b", "x=y")),
        ("a.b=", ("a.b", "")),
    ],
)
def test_settings_are_toml_or_text(setting: str, found: tuple[str, object]) -> None:
    assert recipes.parse_setting(setting) == found


def test_the_error_of_a_setting_shows_the_form_that_is_expected() -> None:
    with pytest.raises(UsageError, match=r"--set level: write it as data\.NAME=VALUE"):
        recipes.parse_setting("level", "data.NAME=VALUE")


def test_recipe_file_changes_only_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "demo"\n[training]\nepochs = 1\n')
    mine, demo = recipes.load(str(path)), recipes.load("demo")
    assert recipes.difference(demo, mine) == [
        f"training.epochs: {demo['training']['epochs']} there, 1 here"
    ]


@pytest.mark.parametrize("text", ["epochs = [", "[training]\nepoch = 3\n", 'base = "x"\n'])
def test_broken_recipe_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        recipes.load(str(path))


def test_unknown_recipe_is_refused() -> None:
    with pytest.raises(UsageError, match="neither a name"):
        recipes.load("papre")
