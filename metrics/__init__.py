"""Metrics of saliency and emotion maps against human gaze.

Every metric takes maps of shape (..., height, width), NumPy or torch, and returns a float for a
single map or an array of the batch's shape. What each program computes, and where programs
disagree, is in docs/conventions.md. The library knows arrays and nothing else: no file, no picture,
no model, and nothing of emomap. Measures of emotion labels and distributions are `metrics.emotion`.
"""

from typing import TYPE_CHECKING, Any

from . import compilation, objects, statistics
from ._version import __version__
from .binary import dice, iou
from .catalogue import CATALOGUE, Metric
from .classification import accuracy, confusion_matrix
from .distribution import cc, js, kl, sim, spearman
from .errors import NegativeMapError
from .evaluate import evaluate
from .gaze import density, fixation_map, sigma_from_degrees, sigma_from_fc
from .gold import CenterBias, GoldStandard, center_bias, gold_density, gold_standard
from .location import auc, auc_borji, auc_judd, auc_shuffled, info_gain, nss
from .optimal import OPTIMAL, EMDMap, emd_map, optimal_map
from .pointing import pointing_game
from .resize import METHODS as RESIZE_METHODS
from .resize import bands as resize_bands
from .resize import resize
from .resize import weights as resize_weights
from .roc import ROC, roc
from .signature import Signature, signature
from .stimulus import mae, precision_recall
from .transport import emd

if TYPE_CHECKING:
    from . import emotion

__all__ = [
    "CATALOGUE",
    "OPTIMAL",
    "RESIZE_METHODS",
    "ROC",
    "CenterBias",
    "EMDMap",
    "GoldStandard",
    "Metric",
    "NegativeMapError",
    "Signature",
    "__version__",
    "accuracy",
    "auc",
    "auc_borji",
    "auc_judd",
    "auc_shuffled",
    "cc",
    "center_bias",
    "compilation",
    "confusion_matrix",
    "density",
    "dice",
    "emd",
    "emd_map",
    "emotion",
    "evaluate",
    "fixation_map",
    "gold_density",
    "gold_standard",
    "info_gain",
    "iou",
    "js",
    "kl",
    "mae",
    "nss",
    "objects",
    "optimal_map",
    "pointing_game",
    "precision_recall",
    "resize",
    "resize_bands",
    "resize_weights",
    "roc",
    "sigma_from_degrees",
    "sigma_from_fc",
    "signature",
    "sim",
    "spearman",
    "statistics",
]


def __getattr__(name: str) -> Any:
    """Import the measures of emotions when they are asked for."""
    if name == "emotion":
        from importlib import import_module

        return import_module(".emotion", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
