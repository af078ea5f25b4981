"""Names of the arrays that the classical methods pass around."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

#: Numbers in any shape.
Array: TypeAlias = NDArray[np.float64]
#: One map or several, (..., h, w).
Maps: TypeAlias = NDArray[np.float64]
#: (n, 4) columns xmin, ymin, xmax, ymax: pixels, 0-based and inclusive.
PixelBoxes: TypeAlias = NDArray[np.int64]
#: (n,) one score a window.
WindowScores: TypeAlias = NDArray[np.float64]
