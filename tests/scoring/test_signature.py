"""Signatures: the part of one metric, and words for everything the catalogue can say."""

from __future__ import annotations

import pytest

from emomap import metrics
from emomap.scoring.protocol import Protocol
from emomap.scoring.signature import _word, differing, explain, of_metric, seeded

CONVENTIONS = ("mit", "tuebingen")


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("sigma", [None, 19.5])
def test_part_of_a_table_is_the_signature_of_the_metric_alone(
    convention: str, sigma: float | None
) -> None:
    names = tuple(metrics.CATALOGUE)
    protocol = Protocol(names, convention, "pil-box", sigma, 16, True)
    for name in names:
        assert of_metric(protocol.signature(), name) == protocol.signature(name)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_every_setting_of_the_catalogue_has_words(convention: str) -> None:
    for entry in metrics.CATALOGUE.values():
        for key, value in entry.settings[convention].items():
            assert _word(key, value) != f"{key}: {value}", (entry.name, key, value)


def test_words_name_what_was_chosen() -> None:
    text = "\n".join(explain(Protocol(("nss", "cc", "emd"), sigma=24.0).signature()))
    for part in ("NSS", "divides by n - 1", "sigma 24 px", "32 times", "imresize", "Peters"):
        assert part in text
    assert "cycles an image" in explain(Protocol(("cc",)).signature())[0]


def test_difference_is_named_by_metric() -> None:
    one, other = Protocol(("nss", "cc")), Protocol(("cc", "nss"), convention="tuebingen")
    found = differing(one.signature(), other.signature(), ("nss", "cc"))
    assert found[0].startswith("nss: mit|fixations:pixels|ddof:1 against tuebingen|fixations:all")
    assert found[1] == "cc: mit against tuebingen"
    assert differing(one.signature(), Protocol(("cc",)).signature(), ("cc",)) == []


def test_a_foreign_signature_is_shown_as_it_is() -> None:
    assert of_metric("pace|x|a:1", "cc") == "pace|x|a:1"
    assert "a: 1" in "\n".join(explain("pace|x|a:1"))
    assert seeded("pace|x|a:1", 3) == "pace|x|a:1|seed:3"
    assert seeded("", 3) == ""
    ours = Protocol(("cc",)).signature()
    assert differing("pace|x|a:1", ours, ["cc"]) == [f"cc: pace|x|a:1 against {ours}"]
    assert differing("", ours, ["cc"]) == [f"cc: nothing against {ours}"]
