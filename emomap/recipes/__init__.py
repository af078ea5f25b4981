"""Recipes: every number that a run depends on, in one TOML file, with overrides from the command.

A recipe is a nested dictionary; its inner ones are sections. `flat` turns it into
``{"training.epochs": 25, ...}``: the form in which two recipes are compared and a run keeps its
recipe, and in which ``--set training.epochs=3`` addresses a number.

The room knows TOML and keys. It does not know what any number means.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from emomap.errors import QUOTED, EmomapError, UsageError, printable
from emomap.io.schema import check, read_toml
from emomap.recipes.schema import KeptRecipe, check_numbers

Recipe = dict[str, Any]
NAMED = ("demo", "paper", "modern")
#: Numbers that recipes kept by 0.1 do not have, with the values that mean what 0.1 did.
ADDED = {
    "score.mask": "",
    "score.protocol": "plain",
    "score.baseline": "auto",
    "training.class_weights": "none",
    "training.label_smoothing": 0.0,
    "training.ema": 0.0,
    "training.patience": 0,
    "training.rand_augment": 0,
    "training.erase": 0.0,
    "training.accumulate": 1,
    "training.checkpoint_blocks": False,
    "training.sync_batchnorm": False,
    "training.frozen_batchnorm": False,
    "training.loss": "cross_entropy",
    "training.affect": False,
    "training.affect_weight": 1.0,
}
#: Words that may stand in the place of a number.
WORDS = frozenset({"auto"})


def load(name: str) -> Recipe:
    """A recipe by name ("demo", "paper", "modern") or from a TOML file.

    A file changes some numbers of the recipe that its key ``base`` names (default "paper").

    Raises:
        UsageError: there is no such recipe, it is not TOML, or it has an unknown key.
    """
    if name in NAMED:
        return tomllib.loads(
            resources.files("emomap.recipes").joinpath(f"{name}.toml").read_text("utf-8")
        )
    path = Path(name)
    if not path.exists():
        raise UsageError(
            f"recipe '{name}': neither a name ({', '.join(NAMED)}) nor a file that exists"
        )
    try:
        changes = read_toml(path)
    except EmomapError as error:
        raise UsageError(str(error)) from error
    base = changes.pop("base", "paper")
    if base not in NAMED:
        raise UsageError(
            f"{path}: base = {printable(repr(base), QUOTED)} is not one of {', '.join(NAMED)}"
        )
    recipe = load(base)
    for key, value in flat(changes).items():
        assign(recipe, key, value, where=str(path))
    check_numbers(recipe, str(path))
    return recipe


def read_kept(path: Path) -> Recipe:
    """The recipe that a run folder keeps, with its section ``run``.

    Raises:
        EmomapError: ``FILE: key: what is wrong``.
    """
    recipe = read_toml(path)
    check(recipe, KeptRecipe, str(path))
    return recipe


def parse_setting(setting: str, form: str = "KEY=VALUE, e.g. training.epochs=3") -> tuple[str, Any]:
    """Key and value of one ``--set`` argument. A value that is not TOML is a string.

    Args:
        setting: ``KEY=VALUE``.
        form: what to write instead, for the error message.

    Raises:
        UsageError: there is no ``=``, or nothing before it.

    >>> parse_setting("training.epochs = 3"), parse_setting("score.resize=area")
    (('training.epochs', 3), ('score.resize', 'area'))
    """
    key, separator, text = setting.partition("=")
    if not separator or not key.strip():
        raise UsageError(f"--set {setting}: write it as {form}")
    try:
        return key.strip(), tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        return key.strip(), text.strip()
    except RecursionError as error:
        raise UsageError(f"--set {key.strip()}: nested too deeply to be read") from error


def override(recipe: Recipe, settings: Sequence[str]) -> None:
    """Apply ``--set`` arguments such as ``training.epochs=3`` to a recipe, in place.

    Raises:
        UsageError: no ``=``, an unknown key, or a value whose type the recipe does not have there.
    """
    for setting in settings:
        key, value = parse_setting(setting)
        assign(recipe, key, value, where=f"--set {setting}")
    if settings:
        check_numbers(recipe, "--set")


def assign(recipe: Recipe, key: str, value: Any, *, where: str) -> None:
    """Set one number of a recipe, in place.

    Below ``method.NAME`` any key is accepted, because the method checks its own options.

    Args:
        key: dotted, ``training.epochs``.
        where: what is being read, for the error message.

    Raises:
        UsageError: an unknown key, or a value whose type the recipe does not have there.
    """
    *sections, last = key.split(".")
    known = flat(recipe)
    free = len(sections) >= 2 and sections[0] == "method"
    if key not in known and not free:
        near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"{where}: the recipe has no '{key}'{hint}")
    if key in known:
        _check_type(known[key], value, where)
    section = recipe
    for name in sections:
        section = section.setdefault(name, {})
        if not isinstance(section, dict):
            raise UsageError(f"{where}: '{name}' is a single value, not a section")
    section[last] = value


def _check_type(old: Any, new: Any, where: str) -> None:
    if isinstance(old, bool) or isinstance(new, bool):
        fits = isinstance(old, bool) and isinstance(new, bool)
    elif isinstance(old, int):
        fits = isinstance(new, int) or new in WORDS
    elif isinstance(old, float):
        fits = isinstance(new, int | float) or new in WORDS
    elif isinstance(old, str):  # "auto" may give way to a number
        fits = isinstance(new, str | int | float)
    else:
        fits = isinstance(new, type(old))
    if not fits:
        shown = printable(repr(new), QUOTED)
        raise UsageError(
            f"{printable(where, QUOTED)}: expected a value like {json.dumps(old)}, not {shown}"
        )


def flat(recipe: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A recipe as one level of dotted keys, sorted."""
    found: dict[str, Any] = {}
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return dict(sorted(found.items()))


def dumps(recipe: Mapping[str, Any]) -> str:
    """A recipe as TOML with dotted keys, one a line. Two such files are easy to compare."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in flat(recipe).items())


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two recipes, a line each: ``training.epochs: 7 there, 3 here``.

    What one of them does not have, because an older version kept it, is as in `ADDED`.
    """
    there, here = {**ADDED, **flat(old)}, {**ADDED, **flat(new)}
    return [
        f"{key}: {_show(there, key)} there, {_show(here, key)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key, _ABSENT) != here.get(key, _ABSENT)
    ]


_ABSENT = object()


def _show(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else "not set"


def merged(first: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two nested tables as one, in which the numbers of the second win.

    >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"b": 3}})
    {'a': {'b': 3, 'c': 2}}
    """
    found = dict(first)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(found.get(key), Mapping)
        found[key] = merged(found[key], value) if both else value
    return found


def method_options(recipe: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The constructor options of a method: its section without the part on training."""
    section = recipe.get("method", {}).get(name, {})
    return {key: value for key, value in section.items() if key != "training"}


def training(recipe: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The numbers of training for a method: the common ones, then the method's own over them."""
    own = recipe.get("method", {}).get(name, {}).get("training", {})
    return {**recipe.get("training", {}), **own}
