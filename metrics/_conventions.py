"""The names of the conventions, and the small constants that they add (docs/conventions.md)."""

from __future__ import annotations

from typing import Literal

import numpy as np

Convention = Literal["mit", "tuebingen"]
CONVENTIONS: tuple[Convention, ...] = ("mit", "tuebingen")

#: "mit": what the reference code adds to quotients and divisors, 2^-52.
EPS = float(np.finfo(np.float64).eps)
#: "tuebingen": what is added to a map so that its logarithm exists.
FLOOR = 1e-20

#: Whose thresholds 0:0.1:1.
Thresholds = Literal["octave", "matlab"]

#: What an argument of fixations is.
Kind = Literal["auto", "counts", "points"]
