"""Metrics of saliency and emotion maps against human gaze.

Every metric takes maps of shape (..., height, width), NumPy or torch, and returns a float for a
single map or an array of the batch's shape. What each program computes, and where programs
disagree, is in docs/conventions.md. The library knows arrays and nothing else: no file, no picture,
no model, and nothing of emomap.
"""

from metrics import compilation, statistics
from metrics._version import __version__
from metrics.catalogue import CATALOGUE
from metrics.classification import accuracy, confusion_matrix
from metrics.distribution import cc, js, kl, sim
from metrics.errors import NegativeMapError
from metrics.evaluate import evaluate
from metrics.gaze import density, fixation_map, sigma_from_degrees, sigma_from_fc
from metrics.gold import CenterBias, GoldStandard, center_bias, gold_standard
from metrics.location import auc, auc_borji, auc_judd, auc_shuffled, info_gain, nss
from metrics.optimal import EMDMap, emd_map, optimal_map
from metrics.resize import METHODS as RESIZE_METHODS
from metrics.resize import bands as resize_bands
from metrics.resize import resize
from metrics.resize import weights as resize_weights
from metrics.signature import Signature, signature
from metrics.stimulus import mae, precision_recall
from metrics.transport import emd

__all__ = [
    "CATALOGUE",
    "RESIZE_METHODS",
    "CenterBias",
    "EMDMap",
    "GoldStandard",
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
    "emd",
    "emd_map",
    "evaluate",
    "fixation_map",
    "gold_standard",
    "info_gain",
    "js",
    "kl",
    "mae",
    "nss",
    "optimal_map",
    "precision_recall",
    "resize",
    "resize_bands",
    "resize_weights",
    "sigma_from_degrees",
    "sigma_from_fc",
    "signature",
    "sim",
    "statistics",
]
