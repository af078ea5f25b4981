"""The guide: `pip install -e '.[docs]' && sphinx-build -W -n docs docs/_build/html`."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from docutils import nodes

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from emomap import __version__  # noqa: E402

project = "emomap"
author = "The emomap authors"
copyright = "The emomap authors, MIT licence"
version = release = __version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_click",
]
exclude_patterns = ["_build"]
nitpicky = True

# --- pages ----------------------------------------------------------------------------------------

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/docs executes the notebook, and compares what it keeps
smartquotes = False  # they would make a dash of --option
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

# --- reference ------------------------------------------------------------------------------------

#: `name` in a docstring is a link where there is such an object, and code where there is none.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in words, with shapes and units
autodoc_preserve_defaults = True
autosummary_generate = False
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]  # a list, not an entry each
nitpick_ignore_regex = [
    (r"py:obj", r".*"),  # single backticks, which are code as well
    (
        r"py:(class|exc|data)",
        r"(torch|torchmetrics|numpy|pathlib|collections|typing|abc|click)\..*",
    ),
    (r"py:(class|exc)", r"[A-Z]\w*Error|object|tuple|NamedTuple"),
]

# --- looks ----------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "emomap"
html_static_path = ["_static"]
html_css_files = ["emomap.css"]
html_copy_source = False
html_show_sphinx = False


def rewrite(app: Any, name: str, source: list[str]) -> None:
    """Links to measurements leave docs/ in the repository, and lead to pages here."""
    source[0] = re.sub(r"\]\((?:\.\./)+benchmarks/results/", "](/_results/", source[0])


def gather_results() -> None:
    """The measurements become pages; the originals lie where their scripts write them."""
    target = HERE / "_results"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        HERE.parent / "benchmarks" / "results",
        target,
        ignore=lambda _, names: [name for name in names if not name.endswith(".md")],
    )


def link_pages(app: Any, what: str, name: str, found: Any, options: Any, lines: list[str]) -> None:
    """Docstrings name pages by their file, which is a link here."""
    lines[:] = [re.sub(r"docs/([\w-]+)\.md", r":doc:`docs/\1.md </\1>`", line) for line in lines]


def set_dashes(app: Any, tree: nodes.document) -> None:
    """Between an argument and what it is; in all other places two hyphens are an option's."""
    for field in tree.findall(nodes.field_body):
        for text in list(field.findall(nodes.Text)):
            if re.match(r"\)? -- ", text):
                text.parent.replace(text, nodes.Text(text.replace(" -- ", " – ", 1)))


def setup(app: Any) -> None:
    gather_results()
    app.connect("source-read", rewrite)
    app.connect("autodoc-process-docstring", link_pages)
    app.connect("doctree-read", set_dashes)
