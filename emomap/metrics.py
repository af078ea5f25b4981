"""The door to the metric library: the one file of emomap that imports `metrics`.

``from emomap import metrics`` and ``import metrics`` give the same objects. A stranger's package
called `metrics` that comes first on the path would shadow ours; then this says so.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import metrics as _library

if not hasattr(_library, "CATALOGUE"):
    raise ImportError(
        f"emomap needs its own package 'metrics', but '{getattr(_library, '__file__', None)}' "
        "comes first on the import path. Rename that file, start Python from another folder, "
        "or run with `python -P` so that the current folder is not searched."
    )

if TYPE_CHECKING:
    from metrics import *  # noqa: F403

_module: ModuleType = _library
sys.modules[__name__] = _module
