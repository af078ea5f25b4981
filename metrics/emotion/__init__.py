"""Measures of emotions: distributions, labels, valence and arousal.

Every measure takes (prediction, label), NumPy or torch, and answers in kind: a float, or an array
of the batch's shape. Names of emotions match in any case, and no value depends on the order of the
classes. The room knows arrays and the file of a wheel; of maps it knows nothing. Formulas, and
where public codes disagree: docs/scoring-emotions.md.

It is loaded when it is first asked for: ``metrics.emotion``.
"""

from .affect import ccc, mae, pearson, rmse
from .calibration import (
    Reliability,
    expected_calibration_error,
    reliability_curve,
    top_k_accuracy,
)
from .catalogue import CATALOGUE
from .classes import (
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    confusion_matrix,
    ecc,
    emc,
    f1,
    polarity_accuracy,
    recall,
)
from .distributions import (
    canberra,
    chebyshev,
    clark,
    cosine,
    euclidean,
    fidelity,
    intersection,
    kl_divergence,
    sorensen,
    squared_chi2,
    squared_chord,
)
from .wheel import MIKELS, Wheel

__all__ = [
    "CATALOGUE",
    "MIKELS",
    "Reliability",
    "Wheel",
    "accuracy",
    "balanced_accuracy",
    "canberra",
    "ccc",
    "chebyshev",
    "clark",
    "cohen_kappa",
    "confusion_matrix",
    "cosine",
    "ecc",
    "emc",
    "euclidean",
    "expected_calibration_error",
    "f1",
    "fidelity",
    "intersection",
    "kl_divergence",
    "mae",
    "pearson",
    "polarity_accuracy",
    "recall",
    "reliability_curve",
    "rmse",
    "sorensen",
    "squared_chi2",
    "squared_chord",
    "top_k_accuracy",
]
