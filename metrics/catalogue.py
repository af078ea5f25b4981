"""What there is to know of each metric of maps: direction, range, inputs, settings, source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import binary, distribution, location, pointing, stimulus, transport
from ._conventions import CONVENTIONS


@dataclass(frozen=True)
class Metric:
    """A metric of the catalogue, or a measure of that of emotions (`metrics.emotion.CATALOGUE`).

    Attributes:
        name: as in code, files and signatures.
        long_name: as in tables and texts.
        direction: +1 where higher is better, -1 where lower is.
        range: smallest and largest value.
        unit: what the number counts, or "".
        inputs: the arguments after the prediction, in order.
        conventions: those that it can be computed under.
        settings: what a signature says of it, by convention.
        reference: where it comes from.
        function: the metric itself.
        kernel: the same on a `metrics._scene.Scene`; of a tuple, the first number is the score.
            A measure of emotions has no scene: there it is the function.
        conventional: whether its value depends on the convention.
    """

    name: str
    long_name: str
    direction: int
    range: tuple[float, float]
    unit: str
    inputs: tuple[str, ...]
    settings: dict[str, dict[str, str]]
    reference: str
    function: Callable[..., Any]
    kernel: Callable[..., Any]
    conventional: bool = True
    conventions: tuple[str, ...] = CONVENTIONS

    @property
    def higher_is_better(self) -> bool:
        return self.direction > 0


_INF = float("inf")
_ONCE = {"fixations": "pixels"}
_EACH = {"fixations": "all"}


def _both(**settings: str) -> dict[str, dict[str, str]]:
    return {convention: dict(settings) for convention in CONVENTIONS}


_ENTRIES = (
    Metric(
        "auc_judd",
        "AUC-Judd",
        +1,
        (0.0, 1.0),
        "",
        ("fixations",),
        {
            "mit": {**_ONCE, "thresholds": "fixated", "ties": "as-ordered"},
            "tuebingen": {**_EACH, "negatives": "all-pixels", "ties": "half"},
        },
        "Judd, Ehinger, Durand & Torralba, ICCV 2009",
        location.auc_judd,
        location.auc_judd_kernel,
    ),
    Metric(
        "auc_borji",
        "AUC-Borji",
        +1,
        (0.0, 1.0),
        "",
        ("fixations",),
        {
            "mit": {**_ONCE, "steps": "0.1", "splits": "exact"},
            "tuebingen": {**_EACH, "negatives": "all-pixels", "ties": "half"},
        },
        "Borji, Tavakoli, Sihite & Itti, ICCV 2013",
        location.auc_borji,
        location.auc_borji_kernel,
    ),
    Metric(
        "auc_shuffled",
        "shuffled AUC",
        +1,
        (0.0, 1.0),
        "",
        ("fixations", "other"),
        {
            "mit": {**_ONCE, "steps": "0.1", "splits": "exact"},
            "tuebingen": {**_EACH, "negatives": "other-fixations", "ties": "half"},
        },
        "Zhang, Tong, Marks, Shan & Cottrell, Journal of Vision 2008",
        location.auc_shuffled,
        location.auc_shuffled_kernel,
    ),
    Metric(
        "auc",
        "AUC",
        +1,
        (0.0, 1.0),
        "",
        ("fixations",),
        {
            "mit": {**_ONCE, "negatives": "unfixated-pixels", "ties": "half"},
            "tuebingen": {**_EACH, "negatives": "all-pixels", "ties": "half"},
        },
        "Mann & Whitney, Annals of Mathematical Statistics 1947",
        location.auc,
        location.auc_kernel,
    ),
    Metric(
        "nss",
        "NSS",
        +1,
        (-_INF, _INF),
        "standard deviations",
        ("fixations",),
        {"mit": {**_ONCE, "ddof": "1"}, "tuebingen": {**_EACH, "ddof": "0"}},
        "Peters, Iyer, Itti & Koch, Vision Research 2005",
        location.nss,
        location.nss_kernel,
    ),
    Metric(
        "info_gain",
        "information gain",
        +1,
        (-_INF, _INF),
        "bits a fixation",
        ("fixations", "baseline"),
        {
            "mit": {**_ONCE, "minmax": "yes", "eps": "2^-52"},
            "tuebingen": {**_EACH, "minmax": "no", "eps": "1e-20"},
        },
        "Kuemmerer, Wallis & Bethge, PNAS 2015",
        location.info_gain,
        location.info_gain_kernel,
    ),
    Metric(
        "cc",
        "CC",
        +1,
        (-1.0, 1.0),
        "",
        ("density",),
        _both(),
        "Jost, Ouerhani, von Wartburg, Muri & Hugli, CVIU 2005",
        distribution.cc,
        distribution.cc_kernel,
        conventional=False,
    ),
    Metric(
        "sim",
        "SIM",
        +1,
        (0.0, 1.0),
        "",
        ("density",),
        {"mit": {"minmax": "yes"}, "tuebingen": {"minmax": "no"}},
        "Judd, Durand & Torralba, MIT-CSAIL-TR-2012-001",
        distribution.sim,
        distribution.sim_kernel,
    ),
    Metric(
        "kl",
        "KL",
        -1,
        (0.0, _INF),
        "nats",
        ("density",),
        {"mit": {"eps": "2^-52"}, "tuebingen": {"eps": "1e-20"}},
        "Kullback & Leibler, Annals of Mathematical Statistics 1951",
        distribution.kl,
        distribution.kl_kernel,
    ),
    Metric(
        "emd",
        "EMD",
        -1,
        (0.0, _INF),
        "cells",
        ("density",),
        _both(grid="common", downsize="32", unit="cell", solver="exact"),
        "Rubner, Tomasi & Guibas, IJCV 2000",
        transport.emd,
        transport.emd_kernel,
        conventional=False,
    ),
    Metric(
        "js",
        "JS",
        -1,
        (0.0, 0.6931471805599453),
        "nats",
        ("density",),
        _both(),
        "Lin, IEEE Transactions on Information Theory 1991",
        distribution.js,
        distribution.js_kernel,
        conventional=False,
    ),
    Metric(
        "mae",
        "MAE",
        -1,
        (0.0, 1.0),
        "",
        ("density",),
        _both(minmax="yes"),
        "Peng, Sadovnik, Gallagher & Chen, ICIP 2016",
        stimulus.mae,
        stimulus.mae_kernel,
        conventional=False,
    ),
    Metric(
        "spearman",
        "Spearman",
        +1,
        (-1.0, 1.0),
        "",
        ("density",),
        _both(ranks="mean"),
        "Spearman, American Journal of Psychology 1904",
        distribution.spearman,
        distribution.spearman_kernel,
        conventional=False,
    ),
    Metric(
        "iou",
        "IoU",
        +1,
        (0.0, 1.0),
        "",
        ("density",),
        _both(threshold="0.5"),
        "Jaccard, Bulletin de la Societe Vaudoise des Sciences Naturelles 1901",
        binary.iou,
        binary.iou_kernel,
        conventional=False,
    ),
    Metric(
        "dice",
        "Dice",
        +1,
        (0.0, 1.0),
        "",
        ("density",),
        _both(threshold="0.5"),
        "Dice, Ecology 1945",
        binary.dice,
        binary.dice_kernel,
        conventional=False,
    ),
    Metric(
        "pointing_game",
        "pointing game",
        +1,
        (0.0, 1.0),
        "",
        ("fixations",),
        _both(tolerance="15px"),
        "Zhang, Lin, Brandt, Shen & Sclaroff, ECCV 2016",
        pointing.pointing_game,
        pointing.pointing_game_kernel,
        conventional=False,
    ),
)

#: All metrics of one number, by name, in the order of tables.
CATALOGUE: dict[str, Metric] = {entry.name: entry for entry in _ENTRIES}


def entry(name: str) -> Metric:
    """The entry of a metric.

    Raises:
        ValueError: no metric has this name.
    """
    if name not in CATALOGUE:
        raise ValueError(f"no metric is called '{name}'; there are {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
