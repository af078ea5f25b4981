"""How a data set writes coordinates, and the one place that converts them.

Everywhere else in emomap fixations are 0-based pixels of the picture, x right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Geometry:
    """The convention of a data set's coordinates.

    Attributes:
        order: "xy" for column first, "yx" for row first.
        base: number of the first pixel: 1 (MATLAB) or 0.
        unit: "image" for pixels of the picture; "screen" for units of a screen that showed the
            picture centred and as large as possible (letterboxed).
        screen: width and height of that screen in pixels.
        units: width and height of that screen in the tracker's units; None for pixels.
    """

    order: Literal["xy", "yx"]
    base: Literal[0, 1] = 0
    unit: Literal["image", "screen"] = "image"
    screen: tuple[int, int] | None = None
    units: tuple[float, float] | None = None

    def points(self, raw: NDArray[Any], shape: tuple[int, int]) -> NDArray[np.float64]:
        """Convert coordinates of a file.

        Args:
            raw: (N, 2 or more); the first two columns are the coordinates.
            shape: (height, width) of the picture.

        Returns:
            (N, 2) float, 0-based pixels, x and y.
        """
        values = np.asarray(raw, dtype=np.float64)
        values = values.reshape(-1, values.shape[-1] if values.size else 2)[:, :2]
        if self.order == "yx":
            values = values[:, ::-1]
        values = values - self.base
        if self.unit == "screen":
            values = self._from_screen(values, shape)
        return np.ascontiguousarray(values)

    def _from_screen(
        self, values: NDArray[np.float64], shape: tuple[int, int]
    ) -> NDArray[np.float64]:
        if self.screen is None:
            raise ValueError("coordinates of a screen need the size of the screen")
        screen = np.array(self.screen, dtype=np.float64)
        if self.units is not None:
            values = values * (screen / np.array(self.units))
        size = np.array([shape[1], shape[0]], dtype=np.float64)
        scale = float((screen / size).min())
        margin = (screen - size * scale) / 2
        return (values - margin) / scale
