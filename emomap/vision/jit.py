"""Compilation of the few inner loops: numba, cached on disk, one thread.

The first use on a machine compiles (about half a second a loop); later processes load the result.
Only modules that are loaded lazily may import this one: numba takes a while to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def jit(function: Function) -> Function:
    """Compile a function to machine code.

    Contraction to fused multiply-add is allowed, reassociation is not: sums keep their order, so
    that the same input gives the same bytes.
    """
    njit: Any = numba.njit
    options = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"}}
    try:
        compiled = njit(cache=True, **options)(function)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written
        compiled = njit(**options)(function)
    return cast(Function, compiled)
