"""`break_down`: groups partition the images, tests equal scipy's, columns are found or refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from emomap.analysis.grouping import NONE, Grouping, grouping
from emomap.analysis.groups import Breakdown, GroupMean, break_down
from emomap.errors import EmomapError, UsageError
from emomap.sample import Sample
from emomap.scoring.protocol import Protocol

SIGNED = {name: Protocol((name,)).signature(name) for name in ("nss", "cc", "kl")}


def named(count: int) -> list[str]:
    return [f"i{number:03d}" for number in range(count)]


def broken(column: dict[str, float], of: dict[str, str], **more: int) -> dict[str, GroupMean]:
    """The groups of one method by one metric."""
    found = break_down({"m": {"nss": column}}, Grouping("emotion", of), SIGNED, 0, **more)
    return {cell.group: cell for cell in found.cells}


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.sampled_from(["a", "b", "c", None])),
        min_size=1,
        max_size=40,
    )
)
def test_groups_sum_up_to_the_whole(drawn: list[tuple[float, str | None]]) -> None:
    column = dict(zip(named(len(drawn)), (value for value, _ in drawn), strict=True))
    of = {i: group for i, (_, group) in zip(column, drawn, strict=True) if group}
    cells = broken(column, of, resamples=9)
    assert sum(cell.n for cell in cells.values()) == len(column)
    whole = sum(cell.n * (cell.mean or 0) for cell in cells.values()) / len(column)
    assert whole == pytest.approx(np.mean(list(column.values())), rel=1e-12, abs=1e-10)
    assert cells.keys() == {*of.values(), *({NONE} if len(of) < len(column) else ())}


def test_few_images_are_tested_exactly() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=9)
    column = dict(zip(named(9), values, strict=True))
    of = {i: "a" if at < 4 else "b" for at, i in enumerate(column)}
    cells = broken(column, of)
    observed = values[:4].mean() - values[4:].mean()
    every = [
        values[list(chosen)].mean() - np.delete(values, chosen).mean()
        for chosen in combinations(range(9), 4)
    ]
    below = np.mean(np.array(every) <= observed + 1e-12)
    above = np.mean(np.array(every) >= observed - 1e-12)
    assert cells["a"].difference == pytest.approx(observed, abs=1e-12)
    assert cells["b"].difference == pytest.approx(-observed, abs=1e-12)
    assert cells["a"].p == pytest.approx(min(1, 2 * min(below, above)), abs=1e-12)
    assert cells["a"].p == cells["b"].p
    assert cells["a"].p_holm == 1.0


def test_many_images_are_tested_as_scipy_does() -> None:
    rng = np.random.default_rng(4)
    groups = rng.choice(["a", "b", "c"], size=60)
    values = rng.normal(size=60) + 0.7 * (groups == "a")
    column = dict(zip(named(60), values, strict=True))
    cells = broken(column, dict(zip(column, groups.tolist(), strict=True)))
    for name, cell in cells.items():
        found = permutation_test(
            (values[groups == name], values[groups != name]),
            lambda one, other, axis: one.mean(axis=axis) - other.mean(axis=axis),
            permutation_type="independent",
            vectorized=True,
            n_resamples=19999,
            rng=np.random.default_rng(5),
        )
        assert cell.difference == pytest.approx(found.statistic, abs=1e-12)
        assert cell.p == pytest.approx(found.pvalue, abs=0.02)
    p = sorted(cell.p or 0 for cell in cells.values())
    holm = sorted(cell.p_holm or 0 for cell in cells.values())
    assert holm[0] == pytest.approx(min(1, 3 * p[0]))
    assert holm == sorted(holm)
    again = broken(column, dict(zip(column, groups.tolist(), strict=True)))
    assert again == cells


def test_groups_of_one_image_of_none_and_of_all() -> None:
    column = dict(zip(named(4), (1.0, 2.0, 4.0, 8.0), strict=True))
    of = {"i000": "alone", "i001": "b", "i002": "b", "i003": "b", "blind": "empty", "i9": "b"}
    found = break_down({"m": {"nss": column}}, Grouping("emotion", of), SIGNED, 0)
    alone, b, empty = found.cells
    assert (alone.n, alone.mean, alone.low, alone.high) == (1, 1.0, None, None)
    assert alone.difference == pytest.approx(1 - 14 / 3)
    assert b.low is not None and b.low <= 14 / 3 <= (b.high or 0)
    assert (empty.n, empty.mean, empty.difference, empty.p_holm) == (0, None, None, None)
    assert found.images == {"alone": 1, "b": 4, "empty": 1}
    text = found.render("table")
    assert "b: 1 of 4 images not scored" in text
    assert "empty: 1 of 1 images not scored" in text
    assert "9999 resamples" in text
    row = next(line for line in text.splitlines() if line.startswith("alone"))
    assert row.split()[:4] == ["alone", "1", "1.000", "-"]
    whole = broken(column, dict.fromkeys(column, "a"))["a"]
    assert (whole.difference, whole.p, whole.mean) == (None, None, 3.75)


def test_equal_values_differ_nowhere() -> None:
    column = dict.fromkeys(named(30), 0.1)
    cells = broken(column, {i: "a" if at % 3 else "b" for at, i in enumerate(column)})
    assert {cell.p for cell in cells.values()} == {1.0}
    assert {cell.p_holm for cell in cells.values()} == {1.0}


def test_columns_of_other_images_are_tested_on_theirs() -> None:
    ids = named(20)
    rng = np.random.default_rng(6)
    first = dict(zip(ids, rng.normal(size=20), strict=True))
    second = {i: first[i] for i in ids[:15]}
    of = {i: "a" if at % 2 else "b" for at, i in enumerate(ids)}
    values = {"m": {"nss": first, "kl": second}, "n": {"nss": second}}
    found = break_down(values, Grouping("emotion", of), SIGNED, 0)
    alone = break_down({"n": {"nss": second}}, Grouping("emotion", of), SIGNED, 0)
    assert found.of("nss")["n"] == alone.of("nss")["n"]
    assert [cell.n for cell in found.of("kl")["m"]] == [7, 8]
    assert Breakdown.parse("emotion", found.kept(), SIGNED).to_dict() == found.to_dict()


def samples(tmp_path: Path) -> list[Sample]:
    emotions = ("awe", "fear", "fear", None)
    names = ("street/1", "street/2", "beach/3", "beach/4")
    return [
        Sample(name, tmp_path / name, emotion)
        for name, emotion in zip(names, emotions, strict=True)
    ]


def test_labels_of_a_data_set(tmp_path: Path) -> None:
    own = samples(tmp_path)
    assert list(grouping("emotion", own).of.values()) == ["awe", "fear", "fear", NONE]
    assert list(grouping("Polarity", own).of.values()) == ["positive"] + ["negative"] * 2 + [NONE]
    assert list(grouping("category", own).of.values()) == ["street"] * 2 + ["beach"] * 2
    with pytest.raises(UsageError, match=r"--by mood: no such.* emotion, polarity, category"):
        grouping("mood", own)
    seen = [replace(one, attributes={"Scene": "sea"}) for one in own[:1]] + own[1:]
    assert list(grouping("scene", seen).of.values()) == ["sea", NONE, NONE, NONE]
    joyful = [Sample("a", tmp_path / "a", "joy"), Sample("b", tmp_path / "b", "fear")]
    with pytest.raises(EmomapError, match="joy has no polarity"):
        grouping("polarity", joyful)
    with pytest.raises(UsageError, match="none; give a table with --groups"):
        grouping("emotion", [Sample("a", tmp_path / "a")])


def test_columns_of_a_table(tmp_path: Path) -> None:
    own = samples(tmp_path)
    table = tmp_path / "groups.csv"
    table.write_text("image,Scene,size\nstreet/1.jpg,indoor,10\n2,outdoor,9\nbeach/3,,2\nx,y,1\n")
    found = grouping("scene", own, table)
    assert list(found.of.values()) == ["indoor", "outdoor", NONE, NONE]
    assert found.groups() == ["indoor", "outdoor", NONE]
    assert found.notes == ["1 lines of groups.csv name no image that is here: x"]
    assert grouping("size", own, table).groups() == ["2", "9", "10", NONE]
    assert grouping("emotion", own, table).groups() == ["awe", "fear", NONE]
    assert grouping("size", (), table, ["street/1"]).of == {"street/1": "10"}
    with pytest.raises(UsageError, match="has scene, size; say with --by"):
        grouping("", own, table)
    with pytest.raises(UsageError, match=r"--by mood.*emotion, scene, size, polarity, category"):
        grouping("mood", own, table)
    table.write_text("image,emotion\nstreet/1,awe\nbeach/3,sadness\n")
    assert grouping("", (), table, ["street/1", "beach/3"]).groups() == ["awe", "sadness"]
    assert grouping("polarity", (), table, ["street/1", "beach/3"]).groups() == [
        "negative",
        "positive",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,object\nstreet/1,dog;cat\n", "--by object: 'street/1' has several values"),
        ("image,object\nstreet/1,dog\nstreet/1,cat\n", "line 3: .*dog, cat"),
        ("image,object\nnowhere,dog\n", "none of its images"),
        ("image\nstreet/1\n", "no column beside 'image'"),
        ("picture,object\nstreet/1,dog\n", "the column image is missing"),
        ("image,object\nstreet/1,\n", "--by object: no image has one"),
    ],
)
def test_tables_that_make_no_groups(tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "groups.csv"
    table.write_text(text)
    with pytest.raises(EmomapError, match=message):
        grouping("object", samples(tmp_path), table)


def test_videos_are_grouped_by_what_all_their_frames_are() -> None:
    of = {"a/1": "x", "a/2": "x", "b/1": "y"}
    assert Grouping("scene", of).of_videos().of == {"a": "x", "b": "y"}
    with pytest.raises(EmomapError, match="frames of a are in several groups"):
        Grouping("scene", {**of, "a/3": "y"}).of_videos()
