"""Names of array types, for hints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any  # a NumPy array; where it is not compiled code, also a torch tensor and its like
Vector = Any  # (n,) NumPy
Matrix = NDArray[np.float64]  # (n, m)
