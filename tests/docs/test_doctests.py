"""The examples in docstrings print what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

from tests.docs.examples import REPOSITORY


def modules() -> list[str]:
    """The modules of both packages that hold an example."""
    files = [
        file for package in ("metrics", "emomap") for file in (REPOSITORY / package).rglob("*.py")
    ]
    held = [file.relative_to(REPOSITORY).with_suffix("") for file in sorted(files) if shows(file)]
    return [".".join(path.parts).removesuffix(".__init__") for path in held]


def shows(file: Path) -> bool:
    return ">>> " in file.read_text("utf-8")


@pytest.mark.parametrize("name", modules())
def test_the_examples_of_a_module(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted > 0
    assert found.failed == 0
