"""The door to the metric library: the one file of emomap that imports `metrics`.

``from emomap import metrics`` and ``import metrics`` give the same objects. Where a reader's own
`metrics.py` comes first on the path, ``import metrics`` is his, and this is ours all the same.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metrics import *  # noqa: F403

#: Where our package lies: beside emomap, installed or not.
_OURS = Path(__file__).resolve().parent.parent / "metrics" / "__init__.py"


def _is_ours() -> bool:
    """Whether ``import metrics`` gives our package."""
    try:
        found = importlib.util.find_spec("metrics")
    except ValueError:  # a module that was made by hand has no spec
        return False
    return found is not None and found.origin is not None and Path(found.origin).resolve() == _OURS


_module: ModuleType = importlib.import_module("metrics" if _is_ours() else "emomap._metrics")
sys.modules[__name__] = _module
