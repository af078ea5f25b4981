"""Recipes: every number that a run depends on, in one TOML file, with overrides from the command.

A recipe is a nested table. `flat` turns it into ``{"training.epochs": 25, ...}``, which is how two
recipes are compared, how ``--set training.epochs=3`` addresses a number, and how a run keeps it.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from emomap.errors import UsageError

Recipe = dict[str, Any]
NAMED = ("demo", "paper")


def load(name: str) -> Recipe:
    """A recipe by name ("demo", "paper") or from a TOML file.

    A file starts from the recipe that its key ``base`` names (default "paper") and changes only
    what it says.

    Raises:
        UsageError: no such recipe, not TOML, or a key that no recipe has.
    """
    if name in NAMED:
        return tomllib.loads(
            resources.files("emomap.recipes").joinpath(f"{name}.toml").read_text("utf-8")
        )
    path = Path(name)
    try:
        changes = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise UsageError(
            f"recipe '{name}': neither a name ({', '.join(NAMED)}) nor a file that exists"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: not a recipe in TOML that can be read: {error}") from error
    base = changes.pop("base", "paper")
    if base not in NAMED:
        raise UsageError(f"{path}: base = {base!r} is not one of {', '.join(NAMED)}")
    recipe = load(base)
    for key, value in flat(changes).items():
        assign(recipe, key, value, where=str(path))
    return recipe


def override(recipe: Recipe, settings: Sequence[str]) -> None:
    """Apply ``--set`` arguments such as ``training.epochs=3`` to a recipe, in place.

    The value is read as TOML; what is no TOML is taken as a string.

    Args:
        recipe: is changed.
        settings: texts ``KEY=VALUE``.

    Raises:
        UsageError: no ``=``, an unknown key, or a value of another type than the recipe has.
    """
    for setting in settings:
        key, separator, text = setting.partition("=")
        if not separator or not key.strip():
            raise UsageError(f"--set {setting}: write it as KEY=VALUE, e.g. training.epochs=3")
        try:
            value = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text.strip()
        assign(recipe, key.strip(), value, where=f"--set {setting}")


def assign(recipe: Recipe, key: str, value: Any, *, where: str) -> None:
    """Set one number of a recipe, refusing keys that do not exist and values of another type.

    Below ``method.NAME`` any key is accepted: the method's own constructor knows its options.
    """
    *tables, last = key.split(".")
    known = flat(recipe)
    if tables[:1] != ["method"] or len(tables) < 2:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"{where}: the recipe has no '{key}'{hint}")
        _check_type(known[key], value, where)
    elif key in known:
        _check_type(known[key], value, where)
    table = recipe
    for name in tables:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise UsageError(f"{where}: '{name}' is a single value, not a table")
    table[last] = value


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
        raise UsageError(f"{where}: expected a value like {json.dumps(old)}, not {new!r}")


#: Words that may stand in the place of a number.
WORDS = frozenset({"auto"})


def flat(recipe: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one level of dotted keys, sorted."""
    found: dict[str, Any] = {}
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = value
    return dict(sorted(found.items()))


def dumps(recipe: Mapping[str, Any]) -> str:
    """A recipe as TOML with dotted keys, one a line: readable, and two of them can be compared."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in flat(recipe).items())


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs between two recipes, a line each: ``training.epochs: 7 there, 3 here``."""
    there, here = flat(old), flat(new)
    return [
        f"{key}: {_show(there, key)} there, {_show(here, key)} here"
        for key in sorted(there.keys() | here.keys())
        if there.get(key, _ABSENT) != here.get(key, _ABSENT)
    ]


_ABSENT = object()


def _show(values: Mapping[str, Any], key: str) -> str:
    return json.dumps(values[key]) if key in values else "not set"


def method_options(recipe: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The constructor options of a method: its table without the part on training."""
    table = recipe.get("method", {}).get(name, {})
    return {key: value for key, value in table.items() if key != "training"}


def training(recipe: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The numbers of training for a method: the common ones with the method's own over them."""
    own = recipe.get("method", {}).get(name, {}).get("training", {})
    return {**recipe.get("training", {}), **own}
