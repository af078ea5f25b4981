"""The catalogue of the measures of emotions: direction, range, settings, source of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..catalogue import Metric
from . import affect, calibration, classes, distributions
from .distributions import CONVENTIONS

_INF = float("inf")
_GENG = "Geng, Label Distribution Learning, IEEE TKDE 2016"
_CHA = "Cha, International Journal of Mathematical Models and Methods 2007"
_ZHAO = "Zhao et al., To Err Like Human, NeurIPS 2024"


def _measure(
    function: Callable[..., Any],
    long_name: str,
    direction: int,
    range_: tuple[float, float],
    reference: str,
    *,
    unit: str = "",
    settings: dict[str, str] | None = None,
    own: dict[str, dict[str, str]] | None = None,
) -> Metric:
    """An entry; ``settings`` hold under every convention, ``own`` under one."""
    said = {c: {**(settings or {}), **(own or {}).get(c, {})} for c in CONVENTIONS}
    return Metric(
        function.__name__,
        long_name,
        direction,
        range_,
        unit,
        ("label",),
        said,
        reference,
        function,
        function,
        conventional=own is not None,
        conventions=CONVENTIONS,
    )


_DIVIDED = {"styleedl": {"divided": "classes"}}
_WHEEL = {"wheel": "mikels"}
_MOMENTS = {"moments": "population"}

_ENTRIES = (
    _measure(classes.accuracy, "accuracy", +1, (0.0, 1.0), "share of right labels"),
    _measure(
        classes.balanced_accuracy,
        "balanced accuracy",
        +1,
        (0.0, 1.0),
        "Brodersen, Ong, Stephan & Buhmann, ICPR 2010",
    ),
    _measure(
        classes.f1,
        "macro-F1",
        +1,
        (0.0, 1.0),
        "van Rijsbergen, Information Retrieval 1979",
        settings={"average": "macro"},
    ),
    _measure(
        classes.cohen_kappa,
        "Cohen's kappa",
        +1,
        (-1.0, 1.0),
        "Cohen, Educational and Psychological Measurement 1960",
    ),
    _measure(
        calibration.top_k_accuracy,
        "top-3 accuracy",
        +1,
        (0.0, 1.0),
        "share of labels among the likeliest",
        settings={"k": "3", "equals": "shared"},
    ),
    _measure(
        classes.polarity_accuracy,
        "polarity accuracy",
        +1,
        (0.0, 1.0),
        "share of right polarities; Mikels et al., Behavior Research Methods 2005",
        settings=_WHEEL,
    ),
    _measure(classes.ecc, "ECC", +1, (0.0, 1.0), _ZHAO, settings=_WHEEL),
    _measure(classes.emc, "EMC", +1, (0.0, 1.0), _ZHAO, settings=_WHEEL),
    _measure(
        calibration.expected_calibration_error,
        "ECE",
        -1,
        (0.0, 1.0),
        "Guo, Pleiss, Sun & Weinberger, ICML 2017",
        settings={"bins": "15"},
    ),
    _measure(distributions.chebyshev, "Chebyshev", -1, (0.0, 1.0), _GENG),
    _measure(distributions.clark, "Clark", -1, (0.0, _INF), _GENG, own=_DIVIDED),
    _measure(distributions.canberra, "Canberra", -1, (0.0, _INF), _GENG, own=_DIVIDED),
    _measure(
        distributions.kl_divergence,
        "KL",
        -1,
        (0.0, _INF),
        _GENG,
        unit="nats",
        own={"ecc": {"eps": "1e-10"}},
    ),
    _measure(distributions.cosine, "cosine", +1, (0.0, 1.0), _GENG),
    _measure(distributions.intersection, "intersection", +1, (0.0, 1.0), _GENG),
    _measure(distributions.squared_chord, "squared chord", -1, (0.0, 2.0), _CHA),
    _measure(distributions.sorensen, "Sorensen", -1, (0.0, 1.0), _CHA),
    _measure(distributions.euclidean, "Euclidean", -1, (0.0, 2.0**0.5), _CHA),
    _measure(distributions.fidelity, "fidelity", +1, (0.0, 1.0), _CHA),
    _measure(distributions.squared_chi2, "squared chi2", -1, (0.0, 2.0), _CHA),
    _measure(affect.ccc, "CCC", +1, (-1.0, 1.0), "Lin, Biometrics 1989", settings=_MOMENTS),
    _measure(
        affect.pearson,
        "Pearson's r",
        +1,
        (-1.0, 1.0),
        "Pearson, Proceedings of the Royal Society 1895",
        settings=_MOMENTS,
    ),
    _measure(affect.rmse, "RMSE", -1, (0.0, _INF), "root of the mean squared error"),
    _measure(affect.mae, "MAE", -1, (0.0, _INF), "mean absolute error"),
)

#: All measures of emotions, by name, in the order of tables.
CATALOGUE: dict[str, Metric] = {entry.name: entry for entry in _ENTRIES}
