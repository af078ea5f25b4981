"""Links between pages work where the repository is read as files, too: on a forge, on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tests.docs.examples import REPOSITORY, pages


def links(page: Path) -> list[str]:
    def below(token: Any) -> list[Any]:
        return [token, *[t for child in token.children or () for t in below(child)]]

    parsed = MarkdownIt("commonmark").enable("table").parse(page.read_text("utf-8"))
    tokens = [t for token in parsed for t in below(token)]
    return [str(t.attrs[key]) for t in tokens for key in ("href", "src") if key in t.attrs]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_relative_links_lead_to_files(page: Path) -> None:
    inside = [link.partition("#")[0] for link in links(page) if "://" not in link]
    lost = [link for link in inside if link and not (page.parent / link).exists()]
    assert not lost
