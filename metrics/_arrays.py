"""What arrays may come in, and in what form they go on: checks, NumPy or torch, results out.

Torch tensors are served through the array API and never imported here. A CPU tensor that needs no
gradient is computed by NumPy on the same memory, so both give the same bits.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable
from typing import Any

import array_api_compat as compat
import numpy as np

from ._types import Array

#: An array (H, W, 3) or (H, W, 4) with sides from here on is a picture, not a batch of maps.
PICTURE = 8


def namespace(*arrays: Array) -> Any:
    """The array namespace of the arguments: NumPy's, unless one of them is a tensor."""
    if all(type(a) is np.ndarray for a in arrays):
        return np
    foreign = [a for a in arrays if is_foreign(a)]
    if not foreign:
        return np
    return compat.array_namespace(*foreign)


def is_foreign(array: Array) -> bool:
    """True for an array of another library than NumPy (a torch tensor)."""
    if isinstance(array, np.ndarray | np.generic):
        return False
    return bool(compat.is_array_api_obj(array))


def needs_gradient(array: Array) -> bool:
    """True for a tensor whose operations are being recorded, or could be."""
    return bool(getattr(array, "requires_grad", False)) or traced([array])


def traced(given: Iterable[Any]) -> bool:
    """Whether torch is compiling, or transforms (`torch.vmap`, `torch.func`) one of the tensors."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    tensors = [a for a in given if isinstance(a, torch.Tensor)]
    if not tensors:
        return False
    wrapped: Callable[[Any], bool] = torch._C._functorch.is_functorch_wrapped_tensor
    return bool(torch.compiler.is_compiling()) or any(wrapped(a) for a in tensors)


def as_array(array: Array, name: str) -> Array:
    """The argument as an array of real numbers with at least two axes.

    Raises:
        TypeError: not numeric.
        ValueError: None, sparse, masked, without data, complex, fewer than two axes, no pixel at
            all, or a picture (H, W, channels).
    """
    _no_map(array, name)
    if not is_foreign(array):
        masked = int(np.ma.getmaskarray(array).sum()) if np.ma.isMaskedArray(array) else 0
        if masked:
            raise ValueError(
                f"{name} has {masked} masked pixels, which cannot be left out here; fill them "
                "first (map.filled(0))"
            )
        array = np.asarray(array)
        kind = array.dtype.kind
        if kind == "b":  # of a 1-bit picture, true may be stored as 255
            array = array.view(np.uint8) != 0
        if kind == "c":
            raise ValueError(f"{name} is complex; a map holds real numbers")
        if kind not in "buif":
            raise TypeError(f"{name} must hold numbers, not {array.dtype}")
    elif "complex" in str(array.dtype):
        raise ValueError(f"{name} is complex; a map holds real numbers")
    if array.ndim < 2:
        raise ValueError(
            f"{name} must have shape (..., height, width), not {tuple(array.shape)}{_points(array)}"
        )
    if 0 in array.shape:
        raise ValueError(f"{name} has shape {tuple(array.shape)}: no pixel at all")
    if array.ndim == 3:
        height, width, channels = array.shape
        if channels == 1 and min(height, width) > 1:
            raise ValueError(
                f"{name} has shape {tuple(array.shape)}, a map with a channel axis; "
                f"take the map out of it: {name}[:, :, 0]"
            )
        if channels in (3, 4) and min(height, width) >= PICTURE:
            raise ValueError(
                f"{name} has shape {tuple(array.shape)}, which is a colour picture; a map has one "
                f"number a pixel: {name}.mean(axis=-1), or the map that the picture was made from"
            )
    return array


def _no_map(array: Any, name: str) -> None:
    """Refuse what has no array of values."""
    if array is None:
        raise ValueError(f"{name} is None; it must be an array of shape (..., height, width)")
    if hasattr(array, "toarray") and not is_foreign(array):
        raise ValueError(f"{name} is a sparse matrix; give {name}.toarray()")
    layout = str(getattr(array, "layout", ""))
    if layout.startswith("torch.sparse") or layout == "torch.jagged":
        raise ValueError(f"{name} is a tensor of layout {layout}; give {name}.to_dense()")
    if getattr(array, "is_meta", False):
        raise ValueError(f"{name} is on the device meta, which holds shapes and no values")


def as_host(array: Array) -> np.ndarray[Any, Any] | None:
    """The same memory as a NumPy array, or None where that cannot be (GPU, gradient, bfloat16)."""
    if not is_foreign(array):
        return np.asarray(array)
    if needs_gradient(array) or str(compat.device(array)) != "cpu":
        return None
    try:
        return np.asarray(array)
    except TypeError:
        return None


def to_numpy(array: Array) -> np.ndarray[Any, Any]:
    """A copy of a small array in the host's memory."""
    if not is_foreign(array):
        return np.asarray(array)
    if hasattr(array, "detach"):
        array = array.detach()
    return np.asarray(compat.to_device(array, "cpu"))


def float64(xp: Any, array: Array) -> Array:
    """The array in double precision (single on a device that has no double, as Apple's)."""
    if xp is np:
        return array.astype(np.float64, copy=False)
    wide = xp.float32 if str(array.device).startswith("mps") else xp.float64
    return xp.astype(array, wide, copy=False)


def device(array: Array) -> Any:
    """Where an array lives."""
    return compat.device(array)


def beside(like: Array, array: Any, dtype: Any = None) -> Array:
    """A NumPy array as one of the library and on the device of another array."""
    return namespace(like).asarray(np.array(array), dtype=dtype, device=device(like))


def flat(xp: Any, array: Array) -> Array:
    """(..., H, W) as (..., H*W), in the order of the rows whatever the order of memory."""
    if xp is np:  # a strided view would be summed in another order
        array = np.ascontiguousarray(array)
    return xp.reshape(array, (*array.shape[:-2], array.shape[-2] * array.shape[-1]))


def same_size(arrays: dict[str, Array], any_size: bool = False) -> None:
    """Check that all maps have the height and width of the first.

    Raises:
        ValueError: they differ; names both shapes and the way out.
    """
    (first, reference), *rest = arrays.items()
    for name, array in rest:
        if any_size or tuple(array.shape[-2:]) == tuple(reference.shape[-2:]):
            continue
        hint = _points(array) or _points(reference) or _channels(array) or _channels(reference)
        if not hint:
            height, width = array.shape[-2:]
            hint = f"; bring one to the size of the other: metrics.resize(map, ({height}, {width}))"
        raise ValueError(
            f"{first} has shape {tuple(reference.shape)} but {name} has {tuple(array.shape)}{hint}"
        )


def _channels(array: Array) -> str:
    if array.ndim == 3 and array.shape[-1] in (1, 3, 4):
        return "; a last axis of channels is no part of a map: take one, map[:, :, 0]"
    return ""


def _points(array: Array) -> str:
    if array.ndim == 2 and array.shape[-1] == 2:
        return (
            "; if these are points (x, y), metrics.fixation_map(points, shape) makes a map of them"
        )
    return ""


def check_finite(
    xp: Any,
    array: Array,
    signs: tuple[Array, ...],
    name: str,
    position: Callable[[int], tuple[int, int]] | None = None,
) -> None:
    """Raise for NaN or infinite values, given its sum or extremes, which would show them.

    Raises:
        ValueError: with the count and the first position (row, column; batch axes before).
    """
    if all(math.isfinite(s) if xp is np else bool(xp.all(xp.isfinite(s))) for s in signs):
        return
    bad = ~np.isfinite(to_numpy(array))
    count = int(bad.sum())
    if count:  # else the sum of finite values overflowed, which float64 maps of 1e308 can do
        at = tuple(int(i) for i in np.argwhere(bad)[0])
        if position:
            at = position(at[-1])
        raise ValueError(f"{name} has {count} NaN or infinite value(s), the first at {at}")
    raise ValueError(f"{name} has values too large to add up; scale it down")


def size(shape: tuple[int, int]) -> tuple[int, int]:
    """Height and width, or ValueError unless they are two positive integers."""
    try:
        height, width = (int(n) for n in shape)
        whole = (height, width) == tuple(shape) and height > 0 and width > 0
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise ValueError(f"shape is {shape!r}; it must be (height, width), two positive integers")
    return height, width


def choice(value: str, allowed: tuple[str, ...], name: str) -> None:
    """Raise ValueError unless the option is one of those that exist."""
    if value not in allowed:
        raise ValueError(f"{name} is '{value}'; it can be {', '.join(map(repr, allowed))}")


def where(xp: Any, condition: Array, yes: Array, no: Array) -> Array:
    """One or the other: by a plain truth value on NumPy, else value by value."""
    if xp is np:
        return yes if condition else no
    return xp.where(condition, yes, no)


def log(xp: Any, array: Array) -> Array:
    """Natural logarithm of positive normal numbers; on NumPy (n,) in double precision."""
    if xp is not np:
        return xp.log(array)
    from ._compiled import logarithm

    found = np.empty_like(array)
    logarithm(array, found)
    return found


def log_quotient(xp: Any, upper: Array, lower: Array, eps: float) -> Array:
    """``log(eps + upper / (lower + eps))``, the quotient positive; as for `log`."""
    if xp is not np:
        return xp.log(eps + upper / (lower + eps))
    from ._compiled import log_quotient

    found = np.empty_like(upper)
    log_quotient(upper, lower, eps, found)
    return found


def clipped(xp: Any, array: Array) -> Array:
    """The array with zero for negative values."""
    return xp.where(array < 0, xp.zeros_like(array), array)


def bounded(xp: Any, value: Array, low: float | None, high: float | None) -> Array:
    """The value without what rounding put beyond its bounds; the gradient does not see the cut."""
    cut = xp.clip(value, low, high)
    return cut if xp is np else value + detach(cut - value)


def tiny(xp: Any, array: Array) -> float:
    """The smallest normal number of the precision that an array is computed in."""
    return float(xp.finfo(np.float64 if xp is np else array.dtype).smallest_normal)


def detach(array: Array) -> Array:
    """The array without its history of gradients."""
    return array.detach() if hasattr(array, "detach") else array


#: Multiplications up to which BLAS leaves a product to one thread.
UNSHARED = 1 << 18


def product(first: Array, second: Array) -> Array:
    """Product of two NumPy matrices, of the same bits whatever the number of threads.

    BLAS cuts a product into other pieces for other numbers of threads, and the last bits change
    with the cuts. Here it is given pieces too small to be split further.
    """
    height, inner = first.shape
    width = second.shape[1]
    side = max(8, math.isqrt(UNSHARED // inner) // 8 * 8)
    rows = min(height, max(side, UNSHARED // (inner * min(width, side)) // 8 * 8))
    columns = max(8, UNSHARED // (inner * rows) // 8 * 8)
    found = np.empty((height, width))
    for i in range(0, height, rows):
        for j in range(0, width, columns):
            piece = found[i : i + rows, j : j + columns]
            np.matmul(first[i : i + rows], second[:, j : j + columns], out=piece)
    return found
