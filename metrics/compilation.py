"""Compilation of inner loops by numba: kept on disk where that can be written, else in memory.

Loading numba takes about a second a process, so it waits for the first loop.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache
from typing import Any


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator like `numba.njit`, which releases the GIL and keeps what it has compiled on disk.

    Args:
        options: of `numba.njit`.

    Warns:
        RuntimeWarning: once in a process, where nothing can be kept.
    """

    def compile_it(function: Callable[..., Any]) -> Any:
        import numba

        njit: Any = numba.njit
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            _warn()
            return njit(nogil=True, **options)(function)

    return compile_it


@cache
def _warn() -> None:
    warnings.warn(
        "compiled code cannot be kept on disk, so every process compiles again; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        RuntimeWarning,
        stacklevel=3,
    )
