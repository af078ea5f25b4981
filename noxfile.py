"""The tests in every version of Python that is at hand: `nox`, or `nox -s tests-3.12`."""

import tomllib
from pathlib import Path

import nox

nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Install emomap with its test tools and run the tests."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", *session.posargs)


@nox.session(python="3.11")
def lowest(session: nox.Session) -> None:
    """A core part of the tests with the lowest version of each dependency that pyproject names.

    Run on 2026-11-28 with Python 3.11.7 on x86_64; the bound of array-api-compat comes from there:
    below 1.12, metrics of torch tensors lost their gradients without a word.
    """
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["parquet"], *extras["torchmetrics"]]
    bounds = [one.replace(">=", "==") for one in needed]
    session.install(*bounds, "hypothesis==6.100.0", "pytest==8.2.0")
    session.install("--no-deps", "-e", ".")
    session.run(
        "pytest",
        *(session.posargs or ["tests/metrics", "tests/scoring", "tests/cli/test_score.py"]),
    )


@nox.session(python="3.11")
def lint(session: nox.Session) -> None:
    """Style, types and import contracts."""
    session.install("-e", ".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")


@nox.session(python="3.11")
def docs(session: nox.Session) -> None:
    """Build the guide; a broken reference is an error."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "-n", "-q", "docs", "docs/_build/html")
