"""Templates of pages: every text passes through their escaping, and a page loads nothing."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any


def template(name: str) -> Any:
    """A Jinja template of this folder."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("emomap", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breaks"] = _breaks
    return environment.get_template(name)


def script_hash(script: str) -> str:
    """The hash of a script by which the page's policy lets it run, and no other."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _breaks(name: str) -> Any:
    """A name that may continue on the next line after each of its parts."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"([_/-])", r"\1<wbr>", str(escape(name))))
