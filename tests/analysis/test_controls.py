"""What is said of a network beside its controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from emomap.analysis import controls


def summary(**levels: float) -> dict[str, Any]:
    """A run of the network "net" on 40 images, and of its controls with these mean CC."""
    rng = np.random.default_rng(0)
    values = {}
    for row, level in levels.items():
        name = row.replace("__", "@").replace("_", "-")
        values[name] = {"cc": {str(i): level + rng.normal(0, 0.02) for i in range(40)}}
    control_of = {name: "net" for name in values if "@" in name}
    found = controls.findings(values, control_of, seed=0)
    entries: dict[str, Any] = {
        name: {
            "accuracy": None,
            "metrics": {"cc": {"mean": float(np.mean([*table["cc"].values()]))}},
            **({"control_of": "net"} if name in control_of else {}),
        }
        for name, table in values.items()
    }
    return {"methods": entries, **found}


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"net": 0.7, "net__f1_mean": 0.5, "net__random_head": 0.3}, "of it is the head's"),
        ({"net": 0.5, "net__f1_mean": 0.5}, "no part of the localisation is shown"),
        ({"net": 0.4, "net__f1_mean": 0.3, "net__f1_energy": 0.6}, "locates worse"),
        # a class activation map has the head, too
        ({"net": 0.7, "net__cam": 0.9, "net__f1_mean": 0.5}, "of it is the head's"),
        # smoothed rows are compared with each other
        (
            {"net": 0.1, "net_smooth": 0.7, "net__f1_mean_smooth": 0.6, "net__f1_mean": 0.9},
            "of it is the head's",
        ),
    ],
)
def test_the_sentence_says_what_is_the_heads(levels: dict[str, float], said: str) -> None:
    sentence = controls.sentence(summary(**levels), "net")
    assert said in sentence
    assert sentence.startswith("net-smooth" if "net_smooth" in levels else "net reaches")


def test_a_table_has_each_row_of_the_network_above_its_controls() -> None:
    found = summary(net=0.7, net__cam=0.6, net_smooth=0.8, net__cam_smooth=0.8)
    (table,) = controls.tables(found)
    assert [row[0] for row in table.rows] == ["net", "net@cam", "net-smooth", "net@cam-smooth"]
    assert [row[1].endswith("*") for row in table.rows] == [False, True, False, False]
    assert controls.tables({"methods": {"net": found["methods"]["net"]}}) == []
    assert found["control_tests"]["net@cam"]["cc"]["difference"] == pytest.approx(0.1, abs=0.02)
