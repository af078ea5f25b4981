"""The metric library under a name of its own, for programs that have a `metrics` themselves.

It knows nothing of emomap. Only `emomap.metrics` asks for it, and only where ``import metrics``
would give something else. The code is that of the package `metrics`, which lies beside emomap.
"""

from pathlib import Path

_FOLDER = Path(__file__).resolve().parents[2] / "metrics"
__path__ = [str(_FOLDER)]
exec(compile((_FOLDER / "__init__.py").read_text("utf-8"), _FOLDER / "__init__.py", "exec"))
