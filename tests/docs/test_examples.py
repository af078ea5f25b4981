"""Every example of README and guide runs; one that cannot says why, and is shown as skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from emomap.scoring import per_image
from emomap.scoring.folders import score
from tests.docs import examples
from tests.docs.examples import REPOSITORY, Block


def name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


PAGES = examples.pages()
BLOCKS = [block for page in PAGES for block in examples.blocks(page)]
RUN = [page for page in PAGES if any(b.page == page and not b.needs for b in BLOCKS)]
SLOW = [page for page in PAGES if any(b.page == page and b.slow for b in BLOCKS)]
#: Pages without slow examples, and the one that everybody reads; CI runs the others as a whole.
FAST = [page for page in RUN if page not in SLOW or page.name == "README.md"]
LEFT_OUT = [block for block in BLOCKS if block.needs or block.slow]


def expected(page: Path, *, slow: bool = False) -> list[Block]:
    return [
        block
        for block in BLOCKS
        if block.page == page
        and (block.language in examples.RUN or block.file)
        and not block.needs
        and (slow or not block.slow)
    ]


@pytest.mark.parametrize("page", FAST, ids=name)
def test_a_pages_examples(page: Path, folder: Path) -> None:
    assert examples.run(page, folder) == expected(page)


@pytest.mark.slow
@pytest.mark.parametrize("page", SLOW, ids=name)
def test_a_pages_examples_with_the_slow_ones(page: Path, folder: Path) -> None:
    assert examples.run(page, folder, slow=True) == expected(page, slow=True)
    if page.name == "cluster.md":
        here = score(folder / "my_maps", folder / "photos", jobs=1)
        assert per_image.read(folder / "scores.csv").values == here.values


@pytest.mark.parametrize("block", LEFT_OUT, ids=lambda block: block.place)
def test_an_example_that_is_left_out_says_why(block: Block) -> None:
    pytest.skip(f"needs {block.needs}" if block.needs else f"slow: {block.slow}")


def written(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text)
    return page


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```\nx\n```\n", "the language is ''"),
        ("```bash\nls\n```\n", "the language is 'bash'"),
        ("words\n\n    ls\n", "indented code"),
        ("```{code-block} sh\nls\n```\n", "as a fence"),
        ("<!-- example: skip -->\n```sh\nls\n```\n", "and why"),
        ("<!-- example: needs it -->\n```sh\nls\n```\n", "and why"),
    ],
)
def test_a_block_that_would_slip_through_is_an_error(
    text: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        examples.blocks(written(tmp_path, text))


def test_a_marker_is_that_of_the_next_block_alone(tmp_path: Path) -> None:
    text = "<!-- example: needs a cluster of computers -->\n```sh\na\n```\n\n```sh\nb\n```\n"
    first, second = examples.blocks(written(tmp_path, text))
    assert (first.needs, second.needs) == ("a cluster of computers", "")
    text = "<!-- example: needs a cluster of computers -->\n\nWords.\n\n```sh\na\n```\n"
    assert not examples.blocks(written(tmp_path, text))[0].needs


@pytest.mark.parametrize(
    "text",
    [
        "```sh\nfalse\n```\n",
        "```sh\nfalse | true\n```\n",
        "```sh\nfalse &\nsleep 1\n```\n",
        "```sh\nfalse\ntrue\n```\n",
        "```console\n$ echo 1.25\n1.29\n```\n",
        "```console\n$ echo 1.25\n1.25\nmore\n```\n",
        "```python\nassert 1 == 2\n```\n",
        "```pycon\n>>> 1 + 1\n3\n```\n",
    ],
)
def test_an_example_that_fails_is_seen(
    text: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "REPOSITORY", folder)
    with pytest.raises(AssertionError):
        examples.run(written(folder, text), folder)


@pytest.mark.parametrize(
    ("shown", "printed", "alike"),
    [
        ("CC 0.4334", "CC 0.4335", True),
        ("CC 0.4334", "CC 0.4434", False),
        ("CC   0.4334", "CC 0.4334", True),
        ("24 images", "25 images", False),
        ("first\n...\nlast", "first\n1\n2\nlast", True),
        ("first\n...\nlast", "first\n1\n2", False),
        ("1e-05", "1.2e-05", True),
        ("[-0.03, 0.01]", "[0.03, 0.01]", False),
        ("gbvs.csv", "gbws.csv", False),
    ],
)
def test_same(shown: str, printed: str, alike: bool) -> None:
    assert examples.same(shown, printed) is alike
