"""The tests in every version of Python that is at hand: `nox`, or `nox -s tests-3.12`."""

import nox

nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def tests(session: nox.Session) -> None:
    """Install emomap with its test tools and run the tests."""
    session.install("-e", ".[test]")
    session.run("pytest", "-n", "2", *session.posargs)


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
