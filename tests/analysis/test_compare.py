"""`compare`: it finds real differences and no others, and refuses what cannot be compared."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from emomap import cli
from emomap.analysis.compare import compare
from emomap.analysis.pairs import paired
from emomap.errors import EmomapError, UsageError
from emomap.scoring import per_image
from emomap.scoring.per_image import PerImage
from emomap.scoring.protocol import Protocol
from emomap.tables import short

SIGNATURE = Protocol(("cc", "kl")).signature()


def scores(path: Path, cc: np.ndarray, kl: np.ndarray | None = None, **more: object) -> Path:
    """A file of per-image values."""
    kl = 1 - cc if kl is None else kl
    values = {
        f"{i:03d}": {"cc": float(a), "kl": float(b)}
        for i, (a, b) in enumerate(zip(cc, kl, strict=True))
    }
    per_image.write(path, PerImage(values, **{"signature": SIGNATURE, **more}))
    return path


def test_two_copies_do_not_differ(tmp_path: Path, rng: np.random.Generator) -> None:
    cc = rng.normal(0.5, 0.1, 40)
    paths = [scores(tmp_path / f"{name}.csv", cc) for name in "ab"]
    found = compare(paths)
    assert [pair.verdict for pair in found.pairs] == ["no difference (equal on every image)"] * 2
    assert all((p.wins, p.ties, p.losses, p.p) == (0, 40, 0, 1) for p in found.pairs)
    assert all(np.isnan(pair.effect) for pair in found.pairs)  # 0 over 0
    assert [pair["effect"] for pair in json.loads(found.render("json"))["pairs"]] == [None] * 2
    assert found.ranks == {"a": 1.5, "b": 1.5}


def test_planted_difference_is_found_and_points_the_right_way(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    """Half a standard deviation in 60 images, on a metric that goes up and one that goes down."""
    noise = rng.normal(0, 1, 60)
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    base = rng.normal(0, 1, 60)
    worse = scores(tmp_path / "worse.csv", base, -base)
    better = scores(tmp_path / "better.csv", base + noise + 0.5, -base - noise - 0.5)
    for pair in compare([worse, better]).pairs:
        assert pair.verdict == "better is better"
        assert pair.p_holm < 0.01
        assert abs(pair.effect) == pytest.approx(0.5)
        assert abs(pair.difference) == pytest.approx(0.5)
        assert pair.wins > pair.losses
        assert (pair.difference > 0) == (pair.metric == "cc")
        assert pair.low < pair.difference < pair.high


def test_holm_keeps_false_alarms_of_null_methods_at_five_percent() -> None:
    """100 times 20 methods that do not differ. More than 11 false alarms would have p < 0.01."""
    rng = np.random.default_rng(5)
    alarms = 0
    for world in range(100):
        values = {
            f"m{k}": {"cc": dict(enumerate(map(float, rng.normal(0, 1, 40))))} for k in range(20)
        }
        pairs = [(f"m{k}", "m0") for k in range(1, 20)]
        found = paired(values, "cc", pairs, world, resamples=999)  # type: ignore[arg-type]
        alarms += any(pair.p_holm < 0.05 for pair in found)
    assert alarms <= 11


@pytest.mark.slow
@pytest.mark.parametrize(("all_pairs", "worlds", "most"), [(False, 150, 16), (True, 50, 8)])
def test_false_alarms_of_whole_comparisons(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, all_pairs: bool, worlds: int, most: int
) -> None:
    """`compare` itself on 20 files of methods that do not differ.

    Images differ in difficulty and values are skewed, as with real methods. At a rate of 5%, more
    than ``most`` alarms on a metric have p < 0.001. No alarm at all would mean that nothing is
    tested.
    """
    rng = np.random.default_rng(8)
    monkeypatch.setattr(
        "emomap.analysis.pairs.interval", lambda values, seed: {"low": 0.0, "high": 0.0}
    )
    alarms = {"cc": 0, "kl": 0}
    for _ in range(worlds):
        hard = rng.normal(0, 1, 30)
        paths = [
            scores(tmp_path / f"m{k:02d}.csv", hard + rng.gamma(2.0, 0.5, 30), rng.gamma(2, 1, 30))
            for k in range(20)
        ]
        pairs = compare(paths, all_pairs=all_pairs).pairs
        for metric in alarms:
            alarms[metric] += any(p.p_holm < 0.05 for p in pairs if p.metric == metric)
    assert max(alarms.values()) <= most
    assert sum(alarms.values()) > 0


def test_all_pairs_and_the_reference(tmp_path: Path, rng: np.random.Generator) -> None:
    paths = [scores(tmp_path / f"{name}.csv", rng.normal(0, 1, 20)) for name in "abc"]
    named = [(p.first, p.second) for p in compare(paths, metric_names=["cc"]).pairs]
    assert named == [("b", "a"), ("c", "a")]
    named = [(p.first, p.second) for p in compare(paths, metric_names=["cc"], against="c").pairs]
    assert named == [("a", "c"), ("b", "c")]
    assert len(compare(paths, all_pairs=True).pairs) == 6
    with pytest.raises(UsageError, match="--against d: there are a, b, c"):
        compare(paths, against="d")


def test_gain_is_a_share_of_the_way_to_people(tmp_path: Path) -> None:
    flat = np.linspace(-0.01, 0.01, 20)
    paths = [
        scores(tmp_path / f"{name}.csv", flat + mean)
        for name, mean in (("center", 0.2), ("ours", 0.5), ("observers", 0.8))
    ]
    found = compare(paths)
    assert found.share["cc"] == pytest.approx({"ours": 0.5})
    assert found.share["kl"] == pytest.approx({"ours": 0.5})
    assert "observers" not in found.ranks
    assert {pair.first for pair in found.pairs} == {"ours"}
    assert "50%" in found.render("md")


def test_no_share_where_people_agree_no_better_than_the_prior(tmp_path: Path) -> None:
    """The share of the worst method would be above 100%."""
    flat = np.linspace(-0.01, 0.01, 20)
    paths = [
        scores(tmp_path / f"{name}.csv", flat + mean)
        for name, mean in (("center", 0.8), ("ours", 0.1), ("observers", 0.7))
    ]
    found = compare(paths)
    assert not found.share["cc"]
    assert "%" not in found.rank_table().render("table")


@pytest.mark.parametrize("form", ["table", "json", "csv", "md", "latex"])
def test_every_output_has_the_signature_with_the_seed(
    tmp_path: Path, rng: np.random.Generator, form: str
) -> None:
    paths = [scores(tmp_path / f"{name}.csv", rng.normal(0, 1, 20)) for name in "ab"]
    found = compare(paths, seed=7)
    shown = found.render(form)
    assert f"signature: {short(found.signature)}" in shown or form != "table"
    if form == "table":
        shown = found.render(form, in_words=True)
        assert "By the MIT convention" in shown or "All of them: MIT convention" in shown
    assert "mit|" in shown
    assert "|seed:7|v:" in shown


def test_a_ceiling_on_some_metrics_and_images_takes_nothing_from_the_others(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    paths = [scores(tmp_path / f"{name}.csv", rng.normal(0, 1, 20)) for name in ("center", "ours")]
    values = {f"{i:03d}": {"cc": 1.0} for i in range(15)}
    per_image.write(tmp_path / "observers.csv", PerImage(values, Protocol(("cc",)).signature()))
    found = compare([*paths, tmp_path / "observers.csv"])
    assert found.metrics == ["cc", "kl"]
    assert found.n_images == 20
    assert found.means["observers"]["cc"]["n"] == 15
    assert not found.notes
    assert "ours" in found.share["cc"]
    assert not found.share["kl"]
    assert "| Observers |  | 1.0000 | - |" in found.render("md")


def test_other_signatures_are_refused_but_for_force(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    cc = rng.normal(0, 1, 20)
    ours = scores(tmp_path / "ours.csv", cc)
    other = Protocol(("cc", "kl"), convention="tuebingen").signature()
    theirs = scores(tmp_path / "theirs.json", cc + 1, signature=other)
    with pytest.raises(UsageError, match=r"scored differently: cc: mit against tuebingen.*--force"):
        compare([ours, theirs])
    found = compare([ours, theirs], force=True)
    assert any(note.startswith("FORCED") for note in found.notes)
    unsigned = scores(tmp_path / "unsigned.csv", cc, signature="")
    assert "taken on trust: unsigned" in "".join(compare([ours, unsigned]).notes)


def test_a_metric_alone_is_comparable_with_the_same_metric_in_a_table(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    cc = rng.normal(0, 1, 20)
    ours = scores(tmp_path / "ours.csv", cc)
    values = {f"{i:03d}": {"cc": float(a)} for i, a in enumerate(cc)}
    single = tmp_path / "single.jsonl"
    per_image.write(single, PerImage(values, Protocol(("cc",)).signature(), "single", "set"))
    found = compare([ours, single])
    assert found.metrics == ["cc"]
    assert "only some methods have kl" in found.notes


def test_other_images_are_refused_or_counted(tmp_path: Path, rng: np.random.Generator) -> None:
    paths = [scores(tmp_path / "a.csv", rng.normal(0, 1, 9))]
    paths += [scores(tmp_path / "b.csv", rng.normal(0, 1, 12))]
    with pytest.raises(EmomapError, match=r"not all methods have 009, 010, 011 \(3 images\)"):
        compare(paths)
    found = compare(paths, allow_missing=True)
    assert found.n_images == 9
    assert "3 images" in found.notes[-1]


def test_metrics_that_have_no_image_in_common(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,cc,nss\n1,.5,\n2,,1\n")
    (tmp_path / "b.csv").write_text("image,cc,nss\n1,,2\n2,.5,\n")
    with pytest.raises(EmomapError, match="a, b: no metric has a value of all of them"):
        compare([tmp_path / "a.csv", tmp_path / "b.csv"])


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "image,cc\n1,nan\n2,0.5\n", "line 2, cc: nan"),
        ("a.csv", "image,cc\n1,x\n", "'x' is not a number"),
        ("a.csv", "image,cc\n1,1\n1,2\n", "'1' appears twice"),
        ("a.csv", "image,colour\n1,1\n", "none of its columns"),
        ("a.csv", "picture,cc\n1,1\n", "the column image is missing"),
        ("a.csv", "", "empty; it must begin with the header image"),
        ("a.json", '{"metrics": {}}', "images: field required"),
        ("a.json", "[", "invalid JSON"),
        ("a.jsonl", "{}\n", "line 1: dataset: field required"),
        (
            "a.jsonl",
            '{"dataset":"d","method":"m","image":"1","metric":"cc","value":1,"signature":""}\n{"d',
            "last line was cut short",
        ),
        ("a.txt", "", "suffix names the format"),
    ],
)
def test_bad_files_are_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(EmomapError, match="a\\.") as caught:
        compare([path, path])
    assert words in str(caught.value)


def test_formats_hold_the_same_numbers(
    tmp_path: Path, rng: np.random.Generator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each format as the command prints it, read by another library."""
    pandas = pytest.importorskip("pandas")
    from io import StringIO

    from markdown_it import MarkdownIt

    paths = [scores(tmp_path / f"{name}.csv", rng.normal(0, 1, 20)) for name in ("a|b", "c_d")]

    def shown(form: str) -> str:
        with pytest.raises(SystemExit) as caught:
            cli.main(["compare", *map(str, paths), "--format", form])
        assert caught.value.code == 0
        return capsys.readouterr().out

    pairs = json.loads(shown("json"))["pairs"]
    frame = pandas.read_csv(StringIO(shown("csv")))
    assert frame.to_dict("records") == pairs
    page = MarkdownIt("commonmark").enable("table").render(shown("md"))
    lines = [
        re.findall(r"<td.*?>(.*?)</td>", row) for row in re.findall("<tr>.*?</tr>", page, re.S)
    ]
    lines = [line for line in lines if len(line) == 7][-len(pairs) :]
    for pair, line in zip(pairs, lines, strict=True):
        assert line[1] == "c_d - a|b"
        assert line[2].startswith(f"{pair['difference']:.4f}")
        assert line[4] == pair["verdict"]
        assert f"{pair['difference']:.4f}" in shown("latex")
