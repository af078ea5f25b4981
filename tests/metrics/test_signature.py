"""The signature as an object: print, parse, the part of one metric, the difference of two."""

from __future__ import annotations

import dataclasses

import pytest

import metrics
from metrics import CATALOGUE, Signature

BOTH = ("mit", "tuebingen")

#: As release 0.1 wrote them into tables, rows and summaries.
OF_RELEASE_0_1 = (
    "nss|mit|fixations:pixels|ddof:1|resize:matlab-bicubic|clip:0|v:0.1.0",
    "auc_judd|mit|fixations:pixels|thresholds:fixated|ties:as-ordered|resize:matlab-bicubic|clip:0"
    "|seed:0|v:0.1.0",
    "kl|mit|eps:2^-52|resize:matlab-bicubic|clip:0|sigma:8px|v:0.1.0",
    "emd|mit|grid:common|downsize:32|unit:cell|solver:exact|resize:matlab-bicubic|clip:0|sigma:fc8"
    "|v:0.1.0",
    "auc_judd+auc_borji+auc_shuffled+auc+nss+info_gain+cc+sim+kl+emd+js+mae|mit|fixations:pixels"
    "|thresholds:fixated|auc_judd.ties:as-ordered|auc.ties:half|steps:0.1|splits:exact"
    "|negatives:unfixated-pixels|ddof:1|minmax:yes|eps:2^-52|grid:common|downsize:32|unit:cell"
    "|solver:exact|resize:matlab-bicubic|clip:0|sigma:fc8|seed:0|v:0.1.0",
    "auc_judd+kl|tuebingen|fixations:all|negatives:all-pixels|ties:half|eps:1e-20|v:0.1.0",
)


@pytest.mark.parametrize("text", OF_RELEASE_0_1)
def test_what_a_release_printed_is_read_and_printed_alike(text: str) -> None:
    found = Signature.parse(text)
    assert str(found) == text
    assert found.version == "0.1.0"
    assert Signature.parse(str(found)) == found
    assert hash(Signature.parse(text)) == hash(found)


def test_fields_hold_what_the_text_says() -> None:
    assert Signature.parse("nss+cc|tuebingen|ddof:0|sigma:8px|v:0.0.9") == Signature(
        metrics=("nss", "cc"),
        convention="tuebingen",
        settings=(("ddof", "0"), ("sigma", "8px")),
        version="0.0.9",
    )


@pytest.mark.parametrize("convention", BOTH)
@pytest.mark.parametrize("name", CATALOGUE)
def test_every_metric_goes_round(name: str, convention: str) -> None:
    choices = {"resize": "pil-box", "clip": 0, "sigma": 24.0, "stretch": True, "seed": 3}
    found = Signature.of(name, convention=convention, **choices)
    assert str(found) == metrics.signature(name, convention=convention, **choices)
    assert Signature.parse(str(found)) == found
    own = CATALOGUE[name].settings[convention]
    assert dict(found.settings) == {
        **own,
        "resize": "pil-box",
        "clip": "0",
        "sigma": "24",
        "stretch": "yes",
        "seed": "3",
    }


@pytest.mark.parametrize("convention", BOTH)
def test_the_part_of_a_metric_is_its_signature_alone(convention: str) -> None:
    choices = {"resize": "area", "downsize": 16}
    whole = Signature.of(list(CATALOGUE), convention=convention, **choices, sigma=8.0, seed=1)
    for name, entry in CATALOGUE.items():
        own = {key: v for key, v in choices.items() if key == "resize" or name == "emd"}
        if {"density", "baseline"} & set(entry.inputs):
            own["sigma"] = 8.0
        part = whole.of_metric(name)
        assert part == Signature.of(name, convention=convention, **own)
        assert part.of_metric(name) == part


def test_a_seed_is_replaced() -> None:
    found = Signature.of("cc", seed=1, sigma=8.0).seeded(7)
    assert str(found) == f"cc|mit|sigma:8|seed:7|v:{metrics.__version__}"
    assert found.of_metric("cc") == Signature.of("cc", sigma=8.0)


def test_fields_that_differ_are_named() -> None:
    one = Signature.of(["nss", "cc"], resize="area")
    assert one.differing(one) == ()
    assert one.differing(Signature.of(["cc", "nss"], resize="area")) == ("metrics",)
    assert one.differing(Signature.of(["nss", "cc"])) == ("resize",)
    assert Signature.of(["nss", "cc"]).differing(one) == ("resize",)
    other = dataclasses.replace(Signature.of(["nss", "cc"], convention="tuebingen"), version="9")
    assert one.differing(other) == ("convention", "fixations", "ddof", "resize", "version")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it must read METRICS"),
        ("cc", "it must read METRICS"),
        ("cc|mit", "it must read METRICS"),
        ("cc|mit|sigma:8px", "it must read METRICS"),
        ("cc|mit|sigma:8px|v:", "no version"),
        ("cc|mit|sigma|v:0.1.0", "'sigma' is not KEY:VALUE"),
        ("cc|mit||v:0.1.0", "'' is not KEY:VALUE"),
        ("cc|mit|:8|v:0.1.0", "':8' is not KEY:VALUE"),
        ("cc|mit|sigma:8|sigma:9|v:0.1.0", "'sigma' is there more than once"),
        ("cc|paris|v:0.1.0", "convention of cc is 'paris'"),
        ("pace|mit|v:0.1.0", "no metric is called 'pace'"),
        ("cc+|mit|v:0.1.0", "no metric is called ''"),
        ("|mit|v:0.1.0", "no metric is called ''"),
        ("cc|mit|auc.ties:half|v:0.1.0", "'auc.ties' is a setting of 'auc'"),
    ],
)
def test_damage_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="is not a signature") as found:
        Signature.parse(text)
    assert f"'{text}'" in str(found.value)
    assert message in str(found.value)


def test_wrong_use_is_named() -> None:
    with pytest.raises(ValueError, match="at least one metric"):
        Signature((), "mit")
    with pytest.raises(ValueError, match="'nss' is not among the metrics of this signature: cc"):
        Signature.of("cc").of_metric("nss")
    with pytest.raises(dataclasses.FrozenInstanceError):
        Signature.of("cc").convention = "tuebingen"  # type: ignore[misc]
