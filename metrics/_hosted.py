"""Functions of whole maps that are computed map by map on the host: ranks, thresholds, maxima.

They have no gradient. A batch of another library comes back as an array on its device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import _arrays as arrays
from ._field import Field
from ._scene import Scene

#: Of the values of each map, (n,), and how many pixels each stands for (None for one each).
Function = Callable[..., float]


def by_map(scene: Scene, function: Function, *fields: Field) -> Any:
    """A function of each map's values: its value on NumPy, else an array over the batch.

    A map that is constant but for rounding comes as zeros.
    """
    if scene.xp is np:
        columns = [np.zeros_like(f.values) if f.constant else f.values for f in fields]
        return float(function(*columns, fields[0].weights))
    batch = scene.shape[:-2]
    host = [np.where(arrays.to_numpy(f.constant), 0.0, arrays.to_numpy(f.values)) for f in fields]
    found = np.array([function(*(h[i] for h in host), None) for i in np.ndindex(batch)], float)
    return arrays.beside(scene.maps["prediction"], found.reshape(batch))
