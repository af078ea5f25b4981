"""`--protocol metric-specific` and `--baseline`, as a user types them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from emomap import io
from tests.cli.conftest import Command

SPECIFIC = ("--protocol", "metric-specific", "--prediction", "log-density")
NAMES = "auc_judd,sauc,nss,ig,cc,kl,sim"


@pytest.fixture
def logs(maps: Path, tmp_path: Path) -> Path:
    """The maps as log-densities."""
    folder = tmp_path / "logs"
    folder.mkdir()
    for file in sorted(maps.iterdir()):
        values = io.read_map(file).astype(float) + 1
        np.save(folder / f"{file.stem}.npy", np.log(values / values.sum()))
    return folder


def values(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as stream:
        return {line["image"]: line for line in csv.DictReader(stream)}


def test_score_gives_each_metric_its_map(
    emomap: Command, dataset: Path, logs: Path, tmp_path: Path
) -> None:
    own, plain = tmp_path / "own.csv", tmp_path / "plain.csv"
    common = ("score", logs, dataset, "--metrics", NAMES, "--jobs", 1, "-q",
              "--sigma", 12, "--per-image")  # fmt: skip
    ran = emomap(*common, own, *SPECIFIC, "--explain")
    assert ran.code == 0, ran.err
    assert "each metric scores its own map" in " ".join(ran.out.split())
    assert emomap(*common, plain, "--prediction", "log-density").code == 0
    one, other = values(own), values(plain)
    assert "protocol:metric-specific" in one["00"]["signature"]
    assert "protocol" not in other["00"]["signature"]
    for image in one:  # its map is the density itself
        assert float(one[image]["nss"]) == pytest.approx(float(other[image]["nss"]))
    assert any(one[i]["kl"] != other[i]["kl"] for i in one)
    again = tmp_path / "again.csv"
    assert emomap(*common, again, *SPECIFIC).code == 0
    assert again.read_bytes() == own.read_bytes()
    refused = emomap("compare", own, plain)
    assert refused.code == 2 and "protocol:metric-specific" in refused.err


def test_shards_of_two_protocols_are_not_merged(
    emomap: Command, dataset: Path, logs: Path, tmp_path: Path
) -> None:
    common = ("score", logs, dataset, "--metrics", "kl,sim", "-q", "--jobs", 1,
              "--sigma", 12, "--per-image")  # fmt: skip
    parts = [tmp_path / f"{n}.csv" for n in range(3)]
    assert emomap(*common, parts[0], *SPECIFIC, "--shard", "1/2").code == 0
    assert emomap(*common, parts[1], *SPECIFIC, "--shard", "2/2").code == 0
    assert emomap(*common, parts[2], *SPECIFIC[2:], "--shard", "2/2").code == 0
    whole = tmp_path / "whole.csv"
    assert emomap(*common, whole, *SPECIFIC).code == 0
    assert emomap("merge", tmp_path / "out.csv", parts[0], parts[1]).code == 0
    assert (tmp_path / "out.csv").read_bytes() == whole.read_bytes()
    assert emomap("merge", tmp_path / "mixed.csv", parts[0], parts[2]).code == 2


def test_maps_of_any_scale_are_refused_with_the_remedy(
    emomap: Command, dataset: Path, maps: Path
) -> None:
    ran = emomap("score", maps, dataset, "--protocol", "metric-specific")
    assert ran.code == 2 and "--prediction density" in ran.err and "--protocol plain" in ran.err
    ran = emomap("score", maps, dataset, *SPECIFIC, "--metrics", "nss")
    assert ran.code == 1 and "not the logarithm of a density" in ran.err


def test_the_baseline_of_information_gain(emomap: Command, dataset: Path, maps: Path) -> None:
    common = ("score", maps, dataset, "--metrics", "ig", "--format", "json", "-q")
    found = {}
    for baseline in ("auto", "other", "center", "uniform"):
        ran = emomap(*common, "--baseline", baseline)
        assert ran.code == 0, ran.err
        found[baseline] = json.loads(ran.out)
    default = json.loads(emomap(*common).out)
    assert default == found["auto"] == found["other"]
    means = {name: f["metrics"]["info_gain"]["mean"] for name, f in found.items()}
    assert len(set(means.values())) == 3
    assert "baseline:center" in found["center"]["signature"]
    one = ("score", maps / "00.png", dataset / "fixations" / "00.csv", "--metrics", "ig",
           "--points", "size:180x136")  # fmt: skip
    assert emomap(*one, "--baseline", "uniform", "-q").code == 0
    assert emomap(*one, "-q").code == 1  # no other pictures


def test_bench_scores_densities_by_their_maps_and_says_which_they_are(
    emomap: Command, dataset: Path, maps: Path, logs: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    common = ("bench", "-d", dataset, "-m", f"ours={logs}", "-m", f"theirs={maps}", "-q",
              "--set", "bench.baselines=['uniform', 'center']",
              "--set", "score.metrics=['nss', 'kl', 'info_gain']", "--jobs", 1)  # fmt: skip
    said = ("--prediction", "ours=log-density")
    ran = emomap(*common, *said, "--protocol", "metric-specific", "-o", out)
    assert ran.code == 0, ran.err
    text = " ".join(ran.out.split())
    assert "each metric scores its own map: uniform, center, ours" in text
    assert "no densities, so that all metrics score one map (plain protocol)" in text
    summary = json.loads((out / "summary.json").read_text())
    assert set(summary["ranks"]) == {"uniform", "center", "ours"}
    assert summary["methods"]["theirs"]["protocol"] == "plain"
    row = json.loads((out / "rows" / "theirs.jsonl").read_text().splitlines()[2])
    assert "protocol" not in row["signature"] and "baseline:center" in row["signature"]
    row = json.loads((out / "rows" / "ours.jsonl").read_text().splitlines()[0])
    assert "protocol:metric-specific" in row["signature"]
    assert emomap("compare", out, "--methods", "center,ours").code == 0
    assert emomap("compare", out, "--methods", "center,theirs").code == 2
    assert (out / "report.html").is_file() and emomap("table", out).code == 0
    refused = emomap(*common, *said, "-o", out)
    assert refused.code == 2 and "score.protocol" in refused.err
    wrong = emomap(*common, "--prediction", "nobody=density", "-o", tmp_path / "new")
    assert wrong.code == 2 and "ours, theirs" in wrong.err
