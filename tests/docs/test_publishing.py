"""What stands beside the code agrees with it: recipe, workflows, templates, paper."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import emomap

ROOT = Path(__file__).resolve().parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
#: What conda-forge calls differently.
CONDA = {"torch": "pytorch", "isal": "python-isal", "matplotlib": "matplotlib-base"}


def test_every_page_of_yaml_is_yaml() -> None:
    files = [ROOT / ".readthedocs.yaml", ROOT / "CITATION.cff", *(ROOT / ".github").rglob("*.yml")]
    assert len(files) >= 5
    for file in files:
        assert isinstance(yaml.safe_load(file.read_text()), dict), file


def test_versions_agree() -> None:
    version = yaml.safe_load((ROOT / "CITATION.cff").read_text())["version"]
    assert version == emomap.__version__
    recipe = (ROOT / "conda.recipe" / "meta.yaml").read_text()
    assert f'version = "{version}"' in recipe


def test_the_conda_recipe_has_the_dependencies() -> None:
    recipe = (ROOT / "conda.recipe" / "meta.yaml").read_text()
    for dependency in PROJECT["dependencies"]:
        found = re.match(r"([\w.-]+)(>=[\w.]+)", dependency)
        assert found, dependency
        name = CONDA.get(found[1], found[1].lower())
        assert f"    - {name} {found[2]}\n" in recipe, dependency


def test_the_same_pythons_everywhere() -> None:
    nox = re.findall(r'"(3\.\d+)"', (ROOT / "noxfile.py").read_text().split("def tests")[0])
    workflow = yaml.safe_load((ROOT / ".github/workflows/tests.yml").read_text())
    others = workflow["jobs"]["versions"]["strategy"]["matrix"]["python"]
    assert nox == ["3.11", *others]
    assert PROJECT["requires-python"] == f">={nox[0]}"


def test_templates_ask_for_the_signature() -> None:
    for file in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"):
        parts = yaml.safe_load(file.read_text())["body"]
        assert "signature" in {part["id"] for part in parts}, file


@pytest.mark.parametrize("row, nss", [
    ("observers", "4.04"), ("attention_center", "2.42"), ("gbvs", "1.44"), ("center", "0.81"),
    ("squeezenet1_0@gradcam", "0.79"),
])  # fmt: skip
def test_the_paper_has_the_figures_of_the_benchmark(row: str, nss: str) -> None:
    table = (ROOT / "benchmarks" / "results" / "models.md").read_text()
    line = next(line for line in table.splitlines() if line.startswith(f"| {row} |"))
    assert line.split("|")[3].strip().rstrip("*") == nss
    assert nss in (ROOT / "paper.md").read_text()


def test_the_paper_cites_what_its_list_has() -> None:
    cited = set(re.findall(r"@(\w+)", (ROOT / "paper.md").read_text().split("---", 2)[2]))
    listed = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "paper.bib").read_text(), re.MULTILINE))
    assert cited == listed
