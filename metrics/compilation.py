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
        _file_by_package(function)
        try:
            return njit(cache=True, nogil=True, **options)(function)
        except RuntimeError:  # neither the package's folder nor the user's cache can be written
            _warn()
            return njit(nogil=True, **options)(function)

    return compile_it


@cache
def available() -> bool:
    """Whether numba can be had; the first call loads it."""
    try:
        import numba  # noqa: F401
    except ImportError:
        return False
    return True


def _file_by_package(function: Callable[..., Any]) -> None:
    """Keep what is compiled apart where the library goes by another name (`emomap._metrics`).

    numba files a function under its source file and its qualified name, and what it files names
    the module. A process in which the module has the other name could not load it.
    """
    package = __name__.rpartition(".")[0]
    if package != "metrics" and function.__module__.startswith(f"{package}."):
        function.__qualname__ = f"{package}.{function.__qualname__}"


@cache
def _warn() -> None:
    warnings.warn(
        "compiled code cannot be kept on disk, so every process compiles again; "
        "set NUMBA_CACHE_DIR to a folder that can be written",
        RuntimeWarning,
        stacklevel=3,
    )
