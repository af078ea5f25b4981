"""Some 600 inputs that are damaged, hostile or mistaken: no traceback, no hang, a clear refusal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile import inputs
from tests.hostile.conftest import Lab, Ran, bench, emomap

SCORED = ("--metrics", "nss,cc,auc", "-q", "-j", 1)


def refused(ran: Ran, file: Path | str) -> None:
    """The command failed, or did the rest, and names what is wrong."""
    assert ran.code in {1, 2, 3}, f"accepted without a word: {ran.out}"
    assert Path(file).name in ran.err, f"does not name {Path(file).name}: {ran.err}"


# ------------------------------------------------------------------------------------------ maps


def damages() -> Iterator[tuple[str, str]]:
    """Suffix and damage; what a decoder may rightly accept is left out."""
    for suffix in inputs.MAP_SUFFIXES:
        for name in inputs.damaged(suffix):
            decodable = {"last byte missing", "hole"} & {name} and suffix in {
                ".jpg", ".bmp", ".npy", ".npz", ".mat", ".tif", ".png",
            }  # fmt: skip
            if not decodable and not (
                name == "another format" and suffix in inputs.MAP_SUFFIXES[:4]
            ):
                yield suffix, name


@pytest.mark.parametrize("side", ["prediction", "truth"])
@pytest.mark.parametrize(("suffix", "damage"), list(damages()))
def test_a_damaged_map_is_named_and_the_rest_is_scored(
    lab: Lab, suffix: str, damage: str, side: str
) -> None:
    truth = lab.maps.parent / "truth"
    truth.mkdir()
    for index in range(4):
        (truth / f"p{index}.png").write_bytes(inputs.encoded(".png"))
    folder = lab.maps if side == "prediction" else truth
    (folder / "p0.png").unlink()
    file = folder / f"p0{suffix}"
    file.write_bytes(inputs.damaged(suffix)[damage])
    ran = emomap("score", lab.maps, truth, "--metrics", "cc,kl", "-q", "-j", 1)
    refused(ran, file)
    assert ran.code == 3, ran.err
    assert "3 images" in ran.out


@pytest.mark.parametrize("suffix", inputs.MAP_SUFFIXES)
@pytest.mark.parametrize("damage", ["last byte missing", "hole", "another format"])
def test_what_a_decoder_may_accept_ends_in_order(lab: Lab, suffix: str, damage: str) -> None:
    (lab.maps / "p0.png").unlink()
    (lab.maps / f"p0{suffix}").write_bytes(inputs.damaged(suffix)[damage])
    ran = emomap("score", lab.maps, lab.pictures, *SCORED)
    assert ran.code in {0, 3}
    assert ("4 images" if ran.code == 0 else "3 images") in ran.out


@pytest.mark.parametrize("name", inputs.wrong_arrays())
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
def test_an_array_that_is_no_map_is_named(lab: Lab, name: str, suffix: str) -> None:
    if suffix == ".mat" and name in {"dates", "one dimension", "scalar", "records", "no rows"}:
        pytest.skip("MATLAB has no such array")
    (lab.maps / "p0.png").unlink()
    file = lab.maps / f"p0{suffix}"
    file.write_bytes(inputs.encoded(suffix, inputs.wrong_arrays()[name]))
    refused(emomap("score", lab.maps, lab.pictures, *SCORED), file)


@pytest.mark.parametrize("name", inputs.hostile_npy())
@pytest.mark.parametrize("packed", [False, True])
def test_a_numpy_header_that_lies_is_refused(lab: Lab, name: str, packed: bool) -> None:
    (lab.maps / "p0.png").unlink()
    data = inputs.hostile_npy()[name]
    file = lab.maps / ("p0.npz" if packed else "p0.npy")
    file.write_bytes(inputs.zipped({"map.npy": data}) if packed else data)
    refused(emomap("score", lab.maps, lab.pictures, *SCORED), file)


@pytest.mark.parametrize("name", inputs.specials())
@pytest.mark.parametrize("suffix", [".png", ".npy", ".mat", ".csv"])
def test_something_that_is_no_regular_file_is_named(
    lab: Lab, name: str, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lab.maps.parent)
    if suffix == ".csv":
        file = Path("set/fixations/p0.csv")
        file.unlink()
    else:
        file = Path("maps/p0.png")
        file.unlink()
        file = file.with_suffix(suffix)
    inputs.specials()[name](file)
    ran = emomap("score", "maps", "set", *SCORED)
    assert ran.code in {1, 3}
    assert "p0" in ran.err


# ---------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("name", inputs.fixation_tables())
@pytest.mark.parametrize("command", ["score", "check", "bench"])
def test_a_wrong_fixation_table_is_named(lab: Lab, name: str, command: str) -> None:
    file = lab.pictures / "fixations" / "p0.csv"
    table = inputs.fixation_tables()[name]
    file.write_bytes(table if isinstance(table, bytes) else table.encode())
    if command == "score":
        ran = emomap("score", lab.maps, lab.pictures, *SCORED)
    elif command == "check":
        ran = emomap("data", "check", lab.pictures, "-q")
    else:
        ran = emomap(
            "bench", "--data", lab.pictures, "--method", f"ours={lab.maps}", "--no-baselines",
            "--out", lab.run.parent / "other", "-j", 1, "-q",
        )  # fmt: skip
    assert ran.code in {1, 3}, ran.out + ran.err
    assert "p0" in ran.err + ran.out


@pytest.mark.parametrize("observer", ["99999999999999999999", "J\xf6rg", "0x1", "S 1"])
def test_whatever_an_observer_is_called_the_table_is_read(lab: Lab, observer: str) -> None:
    file = lab.pictures / "fixations" / "p0.csv"
    lines = "".join(f"{x},20,{observer}\n" for x in range(10, 40))
    for encoding in ("utf-8", "utf-16"):
        file.write_bytes(f"x,y,observer\n{lines}".encode(encoding))
        assert emomap("score", lab.maps, lab.pictures, *SCORED).code == 0


@pytest.mark.parametrize("name", inputs.label_tables())
def test_a_wrong_table_of_labels_is_named(lab: Lab, name: str) -> None:
    table = inputs.label_tables()[name]
    file = lab.pictures / "labels.csv"
    file.write_bytes(table if isinstance(table, bytes) else table.encode())
    ran = emomap("data", "check", lab.pictures, "-q")
    assert ran.code in {1, 3}, ran.out
    assert "labels.csv" in ran.err + ran.out or "p0" in ran.err + ran.out


@pytest.mark.parametrize("name", inputs.cards())
@pytest.mark.parametrize("command", ["score", "check"])
def test_a_wrong_card_of_a_data_set_is_named(lab: Lab, name: str, command: str) -> None:
    (lab.pictures / "dataset.toml").write_text(inputs.cards()[name])
    if command == "score":
        ran = emomap("score", lab.maps, lab.pictures, *SCORED)
    else:
        ran = emomap("data", "check", lab.pictures, "-q")
    assert ran.code in {1, 2, 3}, ran.out
    assert "dataset.toml" in ran.err + ran.out


# -------------------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp"])
@pytest.mark.parametrize(
    "damage", ["empty", "one byte", "header alone", "first half", "zeros", "text", "noise"]
)
def test_a_damaged_picture_is_named(lab: Lab, suffix: str, damage: str) -> None:
    (lab.pictures / "images" / "p0.png").unlink()
    file = lab.pictures / "images" / f"p0{suffix}"
    file.write_bytes(inputs.damaged(suffix)[damage])
    ran = emomap("data", "check", lab.pictures, "-q")
    assert ran.code == 3, ran.out
    assert file.name in ran.err + ran.out
    ran = emomap(
        "predict", "--method", "center", lab.pictures, "--out", lab.run.parent / "out", "-q"
    )
    assert ran.code in {1, 3}
    assert file.name in ran.err


# ---------------------------------------------------------------------------------- a run's files


def broken(file: str) -> Iterator[str]:
    """Names of the damages of a JSON file of a run; enough keys to have each of them wrong."""
    good = dict.fromkeys(_KEYS[file])
    yield from inputs.broken_json(good)


_KEYS = {
    "summary.json": (
        "dataset", "synthetic", "n_images", "seed", "signature", "classes", "methods", "ranks",
        "failed",
    ),
    "environment.json": ("versions", "command"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("file", "damage"), [(file, name) for file in _KEYS for name in broken(file)]
)
@pytest.mark.parametrize("command", ["table", "report"])
def test_a_damaged_file_of_a_run_is_named(lab: Lab, file: str, damage: str, command: str) -> None:
    path = lab.run / file
    good = json.loads(path.read_text())
    damages = inputs.broken_json(good)
    path.write_bytes(damages[damage])
    ran = emomap(command, lab.run)
    if damage == "dataset is a text":
        assert ran.code == 0
        return
    refused(ran, path)


@pytest.mark.parametrize("damage", list(inputs.broken_json({"seed": 0})))
@pytest.mark.parametrize("command", ["compare", "merge"])
def test_a_damaged_summary_stops_compare_and_merge(lab: Lab, damage: str, command: str) -> None:
    path = lab.run / "summary.json"
    path.write_bytes(inputs.broken_json(json.loads(path.read_text()))[damage])
    words = (
        ("merge", lab.run.parent / "whole", lab.run) if command == "merge" else ("compare", lab.run)
    )
    ran = emomap(*words)
    assert ran.code in {1, 2}
    assert path.name in ran.err


def cells() -> Iterator[str]:
    """Values that no mean can have."""
    yield from ("null", '"0.5"', "[1]", "NaN", "Infinity", "1e999", "true", "{}")


@pytest.mark.parametrize("value", list(cells()))
@pytest.mark.parametrize("key", ["mean", "low", "n"])
@pytest.mark.parametrize("command", ["table", "report", "compare"])
def test_a_mean_that_is_no_number_is_never_shown(
    lab: Lab, value: str, key: str, command: str
) -> None:
    path = lab.run / "summary.json"
    whole = json.loads(path.read_text())
    whole["methods"]["center"]["metrics"]["cc"][key] = "@"
    path.write_text(json.dumps(whole).replace('"@"', value))
    ran = emomap(command, lab.run)
    refused(ran, path)
    assert f"methods.center.metrics.cc.{key}" in ran.err


def line(**changes: str) -> str:
    """A line of rows, with some values as they stand in JSON."""
    values = {
        "dataset": '"d"', "method": '"m"', "image": '"p0"', "metric": '"cc"', "value": "1",
        "signature": '""', **changes,
    }  # fmt: skip
    return "{" + ",".join(f'"{key}":{value}' for key, value in values.items()) + "}\n"


LINES = {
    "text": "nothing\n",
    "null": "null\n",
    "list": "[1]\n",
    "no keys": "{}\n",
    "value null": line(value="null"),
    "value nan": line(value="NaN"),
    "value text": line(value='"1"'),
    "image a number": line(image="3"),
    "metric unknown": line(metric='"love"'),
    "deep": "[" * 100_000 + "\n",
    "binary": "\x00\x01\x02\n",
    "long": '"' + "x" * 2_000_000 + '"\n',
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("command", ["report", "compare", "bench"])
def test_a_damaged_row_is_named(lab: Lab, name: str, command: str) -> None:
    path = lab.run / "rows" / "center.jsonl"
    path.write_text(LINES[name] + path.read_text())
    if command == "bench":
        (lab.run / "summary.json").unlink()
        ran = emomap(*bench(lab))
    else:
        ran = emomap(command, lab.run)
    refused(ran, path)


@pytest.mark.parametrize("name", LINES)
def test_a_damaged_line_of_results_is_named(lab: Lab, name: str) -> None:
    path = lab.table.with_suffix(".jsonl")
    path.write_text(path.read_text() + LINES[name])
    refused(emomap("compare", path, lab.table.with_suffix(".csv")), path)


@pytest.mark.parametrize("name", list(inputs.broken_json(dict.fromkeys(("images", "signature")))))
def test_damaged_values_in_json_are_named(lab: Lab, name: str) -> None:
    path = lab.table.with_suffix(".json")
    path.write_bytes(inputs.broken_json(json.loads(path.read_text()))[name])
    ran = emomap("compare", path, lab.table.with_suffix(".csv"))
    if name in {"signature is a text", "without signature"}:
        return  # emomap's own checks of a signature are tested with it
    refused(ran, path)


TABLES = {
    "empty": "",
    "header alone": "image,cc\n",
    "no image": "picture,cc\np0,0.5\n",
    "no metric": "image,love\np0,0.5\n",
    "text": "image,cc\np0,high\n",
    "nan": "image,cc\np0,nan\n",
    "inf": "image,cc\np0,inf\n",
    "underscore": "image,cc\np0,1_0\n",
    "twice": "image,cc\np0,0.5\np0,0.6\n",
    "column twice": "image,cc,cc\np0,0.5,0.6\n",
    "too many": "image,cc\np0,0.5,0.6\n",
    "too few": "image,cc,nss\np0,0.5\n",
    "binary": "\x00\x01",
    "long field": "image,cc\n" + "p" * 200_000 + ",0.5\n",
    "signatures": "image,cc,signature\np0,0.5,a\np1,0.5,b\n",
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("command", ["compare", "merge"])
def test_a_damaged_table_of_values_is_named(lab: Lab, name: str, command: str) -> None:
    path = lab.table.with_suffix(".csv")
    path.write_text(TABLES[name])
    other = lab.table.with_suffix(".json")
    words = (
        ("merge", lab.table.with_name("all.csv"), path, other)
        if command == "merge"
        else ("compare", path, other)
    )
    refused(emomap(*words), path)


# --------------------------------------------------------------------------------------- recipes


@pytest.mark.parametrize("name", inputs.recipes())
def test_a_wrong_recipe_is_refused(lab: Lab, name: str) -> None:
    file = lab.run.parent / "mine.toml"
    file.write_text(inputs.recipes()[name])
    ran = emomap(
        "bench", "--data", lab.pictures, "--method", "gbvs", "--recipe", file, "--no-baselines",
        "--out", lab.run.parent / "new", "-j", 1, "-q",
    )  # fmt: skip
    assert ran.code in {1, 2}, ran.out
    assert not (lab.run.parent / "new" / "rows").exists()


@pytest.mark.parametrize(
    "text", ["", "= =", "a = " + "[" * 100_000, "run = 3", "score.sigma = []", "\x00"]
)
@pytest.mark.parametrize("command", ["table", "report", "compare", "bench"])
def test_a_damaged_recipe_of_a_run_is_named(lab: Lab, text: str, command: str) -> None:
    (lab.run / "recipe.toml").write_text(text)
    words: tuple[object, ...] = (command, lab.run)
    if command == "bench":
        words = bench(lab)
    ran = emomap(*words)
    assert ran.code in {1, 2}, ran.out
    assert "recipe.toml" in ran.err or str(lab.run) in ran.err


# --------------------------------------------------------------------------------------- options

OPTIONS: tuple[tuple[str, ...], ...] = (
    ("score", "maps", "nowhere"),
    ("score", "nowhere", "set"),
    ("score", "maps", "set", "--metrics", ""),
    ("score", "maps", "set", "--metrics", "auc_x"),
    ("score", "maps", "set", "--sigma", "nan"),
    ("score", "maps", "set", "--sigma", "inf"),
    ("score", "maps", "set", "--sigma", "-1"),
    ("score", "maps", "set", "--seed", "-1"),
    ("score", "maps", "set", "--seed", "9" * 5000),
    ("score", "maps", "set", "--shard", "0/3"),
    ("score", "maps", "set", "--shard", "4/3"),
    ("score", "maps", "set", "--shard", "x"),
    ("score", "maps", "set", "--emd-downsize", "0"),
    ("score", "maps", "set", "--resize", "magic"),
    ("score", "maps", "set", "--gt-kind", "magic"),
    ("score", "maps", "set", "--per-image", "x.doc"),
    ("score", "maps", "set", "--per-image", "maps"),
    ("score", "maps", "set", "--jobs", "0"),
    ("score", "maps", "set", "--engine", "dask", "--scheduler", "nonsense"),
    ("bench", "--method", "..:y"),
    ("bench", "--method", "nothing"),
    ("bench", "--method", "os:getcwd"),
    ("bench", "--method", "=x"),
    ("bench", "--method", "x="),
    ("bench", "--method", "../up=maps", "--data", "set"),
    ("bench", "--method", "gbvs", "--seed", "-1"),
    ("bench", "--method", "gbvs", "--set", "x"),
    ("bench", "--method", "gbvs", "--set", "=3"),
    ("bench", "--method", "gbvs", "--set", "score.sigma=nan"),
    ("bench", "--method", "gbvs", "--set", "score.metrics=[1]"),
    ("bench", "--method", "gbvs", "--set", "a=" + "[" * 100_000),
    ("bench", "--method", "gbvs", "--data", "nowhere"),
    ("bench", "--method", "gbvs", "--split", "other", "--data", "set"),
    ("train", "--method", "islamnet", "--device", "toaster", "--data", "set"),
    ("bench", "--method", "gbvs", "--checkpoint", "gbvs=set/images/p0.png", "--data", "set"),
    ("predict", "--method", "gbvs", "nowhere", "--out", "o"),
    ("predict", "--method", "nothing", "set", "--out", "o"),
    ("train", "--method", "gbvs", "--data", "nowhere"),
    ("train", "--method", "islamnet", "--data", "set", "--seed", "-1"),
    ("table", "set"),
    ("table", "nowhere"),
    ("report", "set"),
    ("compare", "set"),
    ("compare", "nowhere"),
    ("merge", "out.csv", "nowhere.csv"),
    ("merge", "out", "set"),
    ("figure", "set"),
    ("figure", "nowhere"),
    ("data", "check", "nowhere"),
    ("data", "show", "nowhere"),
    ("data", "convert", "nowhere", "out"),
)


@pytest.mark.parametrize("words", OPTIONS, ids=lambda words: " ".join(words)[:60])
def test_wrong_use_is_refused(
    lab: Lab, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(lab.run.parent)
    assert emomap(*words).code in {1, 2}
