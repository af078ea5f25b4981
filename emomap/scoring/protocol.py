"""`Protocol`: how maps are scored. Everything in it is part of the signature."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from emomap import metrics
from emomap.errors import EmomapError, UsageError
from emomap.io.kinds import MAP_KINDS, MapKind
from emomap.sample import Gaze
from emomap.scoring.masks import Mask, Reader

#: The metrics that papers report. The others of the catalogue are computed on request.
METRICS = ("auc_judd", "auc_borji", "cc", "sim", "kl", "emd", "nss")

#: MIT's blur of fixations, for a data set that states no sigma of its own.
MIT_FC = 8.0

#: Images whose gaze is read to see what it can serve.
LOOKED_AT = 5

#: Whether all metrics score one map, or each its own map of a predicted density.
ProtocolKind = Literal["plain", "metric-specific"]
PROTOCOLS: tuple[ProtocolKind, ...] = get_args(ProtocolKind)

#: What information gain is measured from; "auto" is "other" in the plain protocol, else "center".
Baseline = Literal["auto", "other", "center", "uniform"]
BASELINES: tuple[Baseline, ...] = get_args(Baseline)

#: Densities drawn for the maps of SIM and EMD, and the certified distance of EMD's map from the
#: optimum, as a share of the cost. Those of `metrics.optimal_map` take ten seconds a picture.
DRAWS = {"sim": 300, "emd": 16}
GAP = 0.05

#: Fixations of a drawn density where the set does not say.
DRAWN = 100

#: What a metric may need, in words.
_TRUTHS = {
    "fixations": "fixations",
    "density": "a density",
    "other": "fixations on other images",
    "baseline": "fixations on other images",
}

#: Short names that papers use for the same metrics.
ALIASES = {
    "auc_j": "auc_judd",
    "auc_b": "auc_borji",
    "sauc": "auc_shuffled",
    "s_auc": "auc_shuffled",
    "ig": "info_gain",
    "kld": "kl",
    "kl_div": "kl",
    "similarity": "sim",
    "pcc": "cc",
}


@dataclass(frozen=True)
class Protocol:
    """How maps are scored: everything that changes a value.

    Attributes:
        metrics: names from the catalogue, in the order of the table.
        convention: "mit" or "tuebingen", see `metrics.CATALOGUE`.
        resize: method that brings a map to the size of the gaze, see `metrics.resize`.
        sigma: Gaussian in pixels that turns fixations into a density; None for MIT's fc = 8,
            which follows the size of the picture (24 px at 640 and at 1024 wide).
        emd_downsize: factor by which both maps shrink before the transport problem.
        stretch: accept maps whose aspect ratio differs from the picture's.
        prediction: what the values of a map are: "map", "density", or "log-density", of which the
            exponential is scored.
        mask: what of each picture is ignored, or None.
        protocol: "plain", where all metrics score the map itself, or "metric-specific", where the
            map is a predicted density and each metric scores its own map of it, see
            `metrics.optimal_map`.
        baseline: what information gain is measured from: "other", the fixations on other images,
            blurred as the ground truth is; "center", their centre bias, see `metrics.center_bias`;
            "uniform"; or "auto", which is "other" in the plain protocol and "center" else.
        drawn: fixations of the densities that are drawn for the maps of SIM and EMD; None for the
            usual number of the set.
    """

    metrics: tuple[str, ...] = METRICS
    convention: str = "mit"
    resize: str = "matlab-bicubic"
    sigma: float | None = None
    emd_downsize: int = 32
    stretch: bool = False
    prediction: MapKind = "map"
    mask: Mask | None = None
    protocol: ProtocolKind = "plain"
    baseline: Baseline = "auto"
    drawn: int | None = None

    def __post_init__(self) -> None:
        """Refuse a kind of prediction, protocol or baseline that does not exist."""
        for key, known in (
            ("prediction", MAP_KINDS),
            ("protocol", PROTOCOLS),
            ("baseline", BASELINES),
        ):
            if getattr(self, key) not in known:
                raise UsageError(f"{key} '{getattr(self, key)}': choose {', '.join(known)}")

    @property
    def metric_specific(self) -> bool:
        """Whether each metric scores its own map of a predicted density."""
        return self.protocol == "metric-specific"

    @property
    def base(self) -> Baseline:
        """The baseline of information gain, which is "other", "center" or "uniform"."""
        if self.baseline != "auto":
            return self.baseline
        return "center" if self.metric_specific else "other"

    @property
    def needs_center(self) -> bool:
        """Whether a metric needs the centre bias of the other images."""
        divided = self.metric_specific and "auc_shuffled" in self.metrics
        return divided or ("info_gain" in self.metrics and self.base == "center")

    @property
    def draws(self) -> bool:
        """Whether the map of a metric is made from drawn densities."""
        return self.metric_specific and bool({*DRAWS} & {*self.metrics})

    def masked(self, readers: Mapping[str, Reader]) -> Mapping[str, Reader]:
        """Functions that read the gaze on images, by id, as those that also mask it.

        Raises:
            EmomapError: an image has no mask.
        """
        return self.mask.readers(readers) if self.mask else readers

    def sigma_for(self, shape: tuple[int, int]) -> float:
        """The blur in pixels for a picture of this (height, width)."""
        return self.sigma or metrics.sigma_from_fc(MIT_FC, shape)

    def signature(self, *names: str, seed: int | None = None) -> str:
        """The short string that names every choice behind the values.

        Args:
            names: the metrics to sign; all by default.
            seed: of what is drawn, for a string that stands beside tests.
        """
        names = names or self.metrics
        if not names:
            return ""
        choices: dict[str, Any] = {"resize": self.resize, "clip": "0"}
        blurred = {"density", *({"baseline"} if self.base == "other" else ())}
        if blurred & {i for n in names for i in metrics.CATALOGUE[n].inputs}:
            choices["sigma"] = f"{self.sigma:g}px" if self.sigma else f"fc{MIT_FC:g}"
        if "emd" in names:
            choices["downsize"] = self.emd_downsize
        if self.stretch:
            choices["stretch"] = True
        if self.prediction == "log-density":
            choices["prediction"] = self.prediction
        if self.metric_specific:
            choices["protocol"] = self.protocol
        for name, key, value in self._of_single_metrics(names):
            choices[f"{name}.{key}" if len(names) > 1 else key] = value
        choices["mask"] = self.mask
        choices["seed"] = seed
        return metrics.signature(names, convention=self.convention, **choices)

    def _of_single_metrics(self, names: Collection[str]) -> Iterator[tuple[str, str, Any]]:
        """Settings that hold for one metric only: metric, key, value."""
        if "info_gain" in names and self.base != "other":
            yield "info_gain", "baseline", self.base
        if not self.metric_specific:
            return
        for name in DRAWS:
            if name in names:
                yield name, "drawn", f"{DRAWS[name]}x{self.drawn or DRAWN}"
        if "emd" in names:
            yield "emd", "gap", GAP

    def needs(self) -> set[str]:
        """What the metrics need, out of "fixations", "density", "other", "baseline"."""
        return {need for name in self.metrics for need in metrics.CATALOGUE[name].inputs}

    def needs_pool(self) -> bool:
        """Whether a metric needs the fixations on other images."""
        needs = self.needs() - ({"baseline"} if self.base == "uniform" else set())
        return bool(needs & {"other", "baseline"})

    def omitted(self, has: Collection[str]) -> dict[str, str]:
        """The metrics that a whole set cannot serve with what it has: metric -> reason."""
        found = missing_inputs(self.metrics, has)
        if self.metric_specific:
            own = "has no map of its own, so that --protocol metric-specific cannot score it"
            found |= {name: own for name in self.metrics if name not in metrics.OPTIMAL}
        return found


def check_metrics(names: Iterable[str]) -> tuple[str, ...]:
    """Names of metrics as the catalogue spells them, each once; "all" is the whole catalogue.

    Raises:
        UsageError: an unknown name.
    """
    wanted: list[str] = []
    for name in names:
        key = name.strip().lower().replace("-", "_")
        key = ALIASES.get(key, key)
        if key == "all":
            wanted += [entry for entry in metrics.CATALOGUE if entry not in wanted]
        elif key in metrics.CATALOGUE:
            wanted += [key] if key not in wanted else []
        else:
            raise UsageError(
                f"no metric is called '{name}'; there are {', '.join(metrics.CATALOGUE)}"
            )
    return tuple(wanted)


def available(gaze: Gaze) -> set[str]:
    """What a gaze can serve, out of "fixations", "density", "other", "baseline"."""
    if gaze.points is not None:
        return {"fixations", "density", "other", "baseline"}
    return {"density"} if gaze.density is not None else set()


def available_among(readers: Sequence[Callable[[], Gaze | None]]) -> set[str]:
    """What the gaze of some images, evenly spread, can serve. What cannot be read is skipped.

    Args:
        readers: a function for each image that reads its gaze.

    Raises:
        EmomapError: the gaze of no image can be read.
    """
    found: set[str] = set()
    for gaze in _looked_at(readers):
        found |= available(gaze)
        if "fixations" in found:
            break
    return found


def first_gaze(readers: Sequence[Callable[[], Gaze | None]]) -> Gaze | None:
    """The first gaze that can be read; None if no image has any.

    Raises:
        EmomapError: the gaze of no image can be read.
    """
    return next(_looked_at(readers), None)


def _looked_at(readers: Sequence[Callable[[], Gaze | None]]) -> Iterator[Gaze]:
    """The first few that can be read of images evenly spread, then of all."""
    problem: EmomapError | None = None
    read = 0
    for reader in [*readers[:: max(1, len(readers) // LOOKED_AT)], *readers]:
        if read == LOOKED_AT:
            return
        try:
            gaze = reader()
        except EmomapError as error:
            problem = problem or error
            continue
        read += 1
        if gaze is not None:
            yield gaze
    if problem and not read:
        raise problem


def missing_inputs(names: Iterable[str], has: Collection[str]) -> dict[str, str]:
    """The metrics that a whole set cannot serve with what it has: metric -> "needs ..."."""
    needs = _not_there(names, has)
    return {name: f"needs {' and '.join(need)}" for name, need in needs.items()}


def absent(names: Iterable[str], truth: Collection[str]) -> dict[str, str]:
    """The metrics that one image cannot serve with its truth: metric -> "without ..."."""
    needs = _not_there(names, truth)
    return {
        name: f"without {' and '.join(dict.fromkeys(_TRUTHS[n] for n in need))}"
        for name, need in needs.items()
    }


def _not_there(names: Iterable[str], has: Collection[str]) -> dict[str, list[str]]:
    """metric -> what it needs and is not there, of the metrics that lack something."""
    return {
        name: need
        for name in names
        if (need := [n for n in metrics.CATALOGUE[name].inputs if n not in has])
    }
