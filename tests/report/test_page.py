"""The report as a file: complete, self-contained, small, and safe whatever the names are."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from emomap import cli, recipes
from emomap.errors import EmomapError, UsageError
from emomap.report import charts, pictures, ranked, write
from emomap.report.trained import training_sentence
from emomap.runs import results
from tests.report.conftest import ALSO_EVIL, EVIL


class Reader(HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in {"script", "style"}:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page(made: Path) -> Reader:
    return Reader(write(made / "run").read_text("utf-8"))


def test_everything_is_there(page: Reader) -> None:
    for part in (
        "Ranking",
        "Is <img src onerror> better than Centre prior?",
        "Distributions",
        "Learning",
        "Confusion matrix of net",
        "Every image",
        "score.resize",
        "matlab-bicubic",
        "numpy",
        "Text for a paper",
        "Judd, Ehinger, Durand & Torralba, ICCV 2009",
        "signature auc_judd+",
        "human ceiling",
        "accuracy ↑",
        "0.750",
    ):
        assert part in page.text, part


def test_numbers_are_those_of_the_summary(page: Reader, made: Path) -> None:
    summary = json.loads((made / "run" / "summary.json").read_text())
    for entry in summary["methods"].values():
        for cell in entry["metrics"].values():
            assert (
                f"{cell['low']:.3f} to {cell['high']:.3f}".replace("-0.000", "0.000") in page.text
            )


def test_names_stay_text(page: Reader) -> None:
    assert len(page.all("script")) == 2  # ours, and the JSON of the values
    assert all(image["src"].startswith("data:image/webp;base64,") for image in page.all("img"))
    assert not [key for _, found in page.tags for key in found if key.startswith("on")]
    assert EVIL in page.text
    assert ALSO_EVIL in page.text


def test_nothing_is_loaded_from_elsewhere(page: Reader) -> None:
    for tag, found in page.tags:
        assert tag not in {"link", "iframe", "object", "embed", "base"}
        for key in ("src", "href", "srcset", "action", "data"):
            value = found.get(key) or ""
            assert value == "" or value.startswith(("data:", "#")), (tag, value)
    text = page.text
    assert "http://" not in text
    assert "https://" not in text


def test_synthetic_data_say_so(page: Reader) -> None:
    assert "Synthetic data." in page.text
    assert "no evidence about people" in page.text


def test_pictures_have_words_and_headings_have_order(page: Reader) -> None:
    assert all(image["alt"] for image in page.all("img"))
    for tag, found in page.tags:
        if found.get("role") in {"img", "region"}:
            assert found.get("aria-label"), (tag, found)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_images_are_chosen_by_what_the_methods_say(made: Path) -> None:
    run = results.read(made / "run")
    chosen = pictures.choose(run)
    first = run.values[run.methods[0]]["cc"]
    best = {image for image, kinds in chosen.items() if "best" in kinds}
    worst = {image for image, kinds in chosen.items() if "worst" in kinds}
    assert max(first, key=first.__getitem__) in best
    assert min(first, key=first.__getitem__) in worst
    differences = {i: abs(first[i] - run.values["center"]["cc"][i]) for i in first}
    assert "differ" in chosen[max(differences, key=differences.__getitem__)]
    assert len(chosen) <= 36


def test_without_the_data_it_comes_without_pictures(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "run", tmp_path / "run")
    recipe = tmp_path / "run" / "recipe.toml"
    recipe.write_text(recipe.read_text().replace(str(made / "photos"), str(tmp_path / "gone")))
    page = Reader(write(tmp_path / "run").read_text())
    assert "could not be read again" in page.text
    assert str(tmp_path / "gone") in page.text
    assert not page.all("img")
    assert "Distributions" in page.text


def test_a_thousand_images_by_eight_methods_stay_small(made: Path, tmp_path: Path) -> None:
    """The number of pictures is bounded, so only the values grow."""
    shutil.copytree(made / "run", tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    names = list(next(e["metrics"] for e in summary["methods"].values() if e["metrics"]))
    rng = np.random.default_rng(7)
    real = [path.stem for path in (made / "photos" / "images").iterdir()]
    for method in [f"m{k}" for k in range(5)]:
        summary["methods"][method] = summary["methods"]["center"]
        summary["ranks"][method] = 5.0
        shutil.copytree(made / "run" / "maps" / "center", tmp_path / "run" / "maps" / method)
    for method in summary["ranks"]:
        images = [*real, *(f"many/of/them/{k:04d}" for k in range(950))]
        lines = [
            {
                "dataset": "x",
                "method": method,
                "image": image,
                "metric": metric,
                "value": float(rng.normal()) + 9 * (image in real),
                "signature": "",
            }
            for image in images
            for metric in names
        ]
        (tmp_path / "run" / "rows" / f"{method}.jsonl").write_text(
            "".join(json.dumps(line) + "\n" for line in lines)
        )
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary))
    path = write(tmp_path / "run", tmp_path / "out" / "big.html")
    assert path.stat().st_size < 8_000_000
    assert "many/of/them/0949" in path.read_text()


def test_methods_without_all_values_are_in_the_headline(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "run", tmp_path / "run")
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    for cell in summary["methods"]["uniform"]["metrics"].values():
        cell["n"] -= 2
    summary["methods"]["lost"] = {"accuracy": None, "metrics": {}}
    run = dataclasses.replace(results.read(made / "run"), summary=summary)
    assert ranked.gaps(run) == "Uniform lacks 2 of 50 images; lost could not be scored"
    assert ranked.gaps(results.read(made / "run")) == ""


def test_the_text_for_a_paper_says_what_a_reader_needs() -> None:
    sentence = training_sentence(
        "net",
        {**recipes.load("demo")["training"], "clip": 2.0, "threads": 2, "save_every": 60.0},
        7,
    )
    assert sentence == (
        "net was trained for 11 epochs in batches of 32 images with SGD (Nesterov momentum 0.9), "
        "weight decay 0.0005, a learning rate of 0.03 (0.0003 for attention gates), a one-cycle "
        "schedule (25% warm-up), gradients clipped at norm 2, horizontal flips, random shifts up "
        "to 8% of the side (seed 7)."
    )


@pytest.mark.parametrize("name", recipes.NAMED)
def test_every_recipe_can_be_told(name: str) -> None:
    told = training_sentence("net", recipes.training(recipes.load(name), "islamnet"), 0)
    assert "{" not in told and "_" not in told


def test_the_command(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["report", str(made / "run"), "-o", str(tmp_path / "a.html")])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a.html'}\n"
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


def test_a_run_with_lost_rows_is_refused(made: Path, tmp_path: Path) -> None:
    """A file that was cut short would otherwise hide a method, or some of its images."""
    run = shutil.copytree(made / "run", tmp_path / "run")
    rows = run / "rows" / "center.jsonl"
    rows.write_bytes(rows.read_bytes()[:-100])
    with pytest.raises(EmomapError, match=r"center\.jsonl: has .* of 49 images, .* scored 50"):
        write(run)


def test_a_folder_that_is_not_a_run_is_named(made: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        write(tmp_path)
    shutil.copytree(made / "run", tmp_path / "run")
    (tmp_path / "run" / "summary.json").unlink()
    with pytest.raises(EmomapError, match="not finished"):
        write(tmp_path / "run")


@pytest.mark.parametrize("values", [[0.0, 0.0], [1e-9, 2e-9], [-5.0, 1e6], [0.31, 0.34]])
def test_ticks_lie_on_their_axis(values: list[float]) -> None:
    axis = charts.Axis.around(values)
    assert 2 <= len(axis.ticks) <= 9
    assert all(axis.low <= tick <= axis.high for tick in axis.ticks)
    assert 0 <= axis(values[0]) <= axis(values[1]) <= 100
