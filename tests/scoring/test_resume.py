"""`PartFile`: it yields only results of the same maps, scored in the same way."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from emomap.scoring.image import MapToScore, Scored
from emomap.scoring.protocol import Protocol
from emomap.scoring.resume import PartFile

PROTOCOL = Protocol(("cc",))
RESULTS = [Scored(name, {"cc": 0.1 + 0.2}, remarks=("a remark",)) for name in "abc"]


@pytest.fixture
def items(tmp_path: Path) -> list[MapToScore]:
    """Three maps, of which only the file matters here."""
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    return [MapToScore(name, tmp_path / f"{name}.png", lambda: None) for name in "abc"]


def part(items: list[MapToScore], protocol: Protocol = PROTOCOL, read_as: str = "") -> PartFile:
    folder = Path(str(items[0].map_file)).parent
    return PartFile(folder / "out.csv", items, protocol, folder / "truth", read_as)


def keep(items: list[MapToScore], results: list[Scored]) -> None:
    file = part(items)
    assert file.read() == {}
    for result in results:
        file.add(result)
    file.flush()


def test_results_are_read_back_exactly(items: list[MapToScore]) -> None:
    keep(items, RESULTS)
    assert part(items).read() == {result.id: result for result in RESULTS}


def test_a_line_that_was_cut_short_is_left_out(items: list[MapToScore]) -> None:
    keep(items, RESULTS)
    path = part(items).path
    path.write_bytes(path.read_bytes()[:-9])
    file = part(items)
    assert list(file.read()) == ["a", "b"]
    file.add(RESULTS[2])
    file.flush()
    assert list(part(items).read()) == ["a", "b", "c"]


def test_failed_and_blank_maps_are_scored_again(items: list[MapToScore]) -> None:
    keep(items, [RESULTS[0], Scored("b", problem="unreadable"), replace(RESULTS[2], blank=True)])
    assert list(part(items).read()) == ["a"]


def test_a_map_that_changed_is_scored_again(items: list[MapToScore]) -> None:
    keep(items, RESULTS)
    os.utime(str(items[1].map_file), (1, 1))
    assert list(part(items).read()) == ["a", "c"]


def test_results_of_another_call_are_not_used(items: list[MapToScore]) -> None:
    keep(items, RESULTS)
    assert part(items, Protocol(("cc",), sigma=3.0)).read() == {}
    assert part(items).read() == {}
    keep(items, RESULTS)
    assert part(items, read_as="points=normalised").read() == {}
    keep(items[:2], RESULTS[:2])
    assert part(items).read() == {}
