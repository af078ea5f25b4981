"""Splits by hash: never reshuffled, the same everywhere, in the stated proportions."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emomap.data import splits
from emomap.sample import Dataset, Sample

#: The first two letters of the splits of "0" to "11", for the seeds 0 and 1.
RECORDED = ("trte" + "tr" * 9 + "va", "trva" + "tr" * 10)


@given(st.lists(st.text(max_size=8), unique=True, min_size=2, max_size=40), st.integers(0, 9))
def test_adding_an_image_moves_no_other(names: list[str], seed: int) -> None:
    samples = [Sample(name, Path(name or "x")) for name in names]
    before = splits.assign(samples[:-1], seed=seed)
    after = splits.assign(samples, seed=seed)
    assert after[:-1] == before
    assert splits.assign(samples[::-1], seed=seed)[::-1] == after


def test_proportions_and_stability() -> None:
    found = Counter(splits.split_of(f"image/{number}") for number in range(20_000))
    assert found["train"] / 20_000 == pytest.approx(0.80, abs=0.01)
    assert found["val"] / 20_000 == pytest.approx(0.05, abs=0.01)
    # recorded once: another machine or release must give the same
    recorded = [splits.split_of(str(number)) for number in range(12)]
    assert "".join(split[:2] for split in recorded) == RECORDED[0]
    other = [splits.split_of(str(number), seed=1) for number in range(12)]
    assert "".join(split[:2] for split in other) == RECORDED[1]


def test_other_fractions() -> None:
    assert {splits.split_of(str(n), fractions=(0, 0, 1)) for n in range(50)} == {"test"}
    assert {splits.split_of(str(n), fractions=(0, 1, 0)) for n in range(50)} == {"val"}
    with pytest.raises(ValueError, match="sum to 1"):
        splits.split_of("a", fractions=(0.5, 0.1, 0.1))


def test_validation_is_taken_out_of_training_only() -> None:
    samples = [Sample(str(n), Path("x"), split="train" if n % 3 else "test") for n in range(3000)]
    whole = Dataset("d", tuple(samples))
    found = splits.with_validation(whole)
    count = Counter(sample.split for sample in found)
    assert count["test"] == 1000
    assert count["val"] / 2000 == pytest.approx(5 / 85, abs=0.02)
    assert all(s.split != "val" or o.split == "train" for s, o in zip(found, whole, strict=True))
    assert splits.with_validation(found) is found
    only_test = Dataset("d", tuple(replace(s, split="test") for s in samples))
    assert splits.with_validation(only_test) is only_test
