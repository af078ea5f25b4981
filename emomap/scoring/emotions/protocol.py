"""`EmotionProtocol`: how predicted emotions are scored. All of it is part of the signature."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from emomap import metrics
from emomap.errors import EmomapError, UsageError, did_you_mean
from emomap.scoring.measures import all_of_emotions, is_of_emotions, signed_name
from emomap.scoring.protocol import check_metrics

Wheel = metrics.emotion.Wheel

#: The measures between distributions: Geng's six, which papers report, and those that a table has
#: only where they are named.
SIX_DISTANCES = ("chebyshev", "clark", "canberra", "kl_divergence", "cosine", "intersection")
LEFT_OUT = ("squared_chord", "sorensen", "euclidean", "fidelity", "squared_chi2")
DISTANCES = (*SIX_DISTANCES, *LEFT_OUT)

#: Short names that papers use for the same measures.
ALIASES = {
    "macro_f1": "f1",
    "kappa": "cohen_kappa",
    "ece": "expected_calibration_error",
    "polarity": "polarity_accuracy",
    "top_3_accuracy": "top_k_accuracy",
    "top3": "top_k_accuracy",
    "kl": "kl_divergence",
    "kld": "kl_divergence",
}


@dataclass(frozen=True)
class EmotionProtocol:
    """How predicted emotions are scored.

    Attributes:
        metrics: names, in the order of the table; () for all that papers report.
        convention: of distributions, see `metrics.emotion.distributions`.
        wheel: which emotions are positive, and how far they lie apart.

    Raises:
        UsageError: a measure or convention that does not exist.
    """

    metrics: tuple[str, ...] = ()
    convention: str = "geng"
    wheel: Wheel | None = None

    def __post_init__(self) -> None:
        known = metrics.emotion.distributions.CONVENTIONS
        if self.convention not in known:
            raise UsageError(
                f"convention '{self.convention}' is not one of emotions; these are "
                f"{', '.join(known)}"
            )

    @classmethod
    def of(
        cls,
        names: Iterable[str] | str | None = None,
        convention: str | None = None,
        wheel: str | Path | Wheel | None = None,
    ) -> EmotionProtocol:
        """The protocol of some choices.

        Args:
            names: measures, or "all"; None for those that papers report.
            convention: "geng" by default.
            wheel: a wheel, or its file; Mikels' by default.

        Raises:
            UsageError: a measure or convention that does not exist.
            EmomapError: the file of the wheel cannot be read.
        """
        if names is not None:
            names = check_measures(names.split(",") if isinstance(names, str) else names)
        return cls(tuple(names or ()), convention or "geng", read_wheel(wheel))

    @property
    def used(self) -> Wheel:
        """The wheel that is used."""
        return self.wheel or metrics.emotion.MIKELS

    def chosen(self) -> list[str]:
        """The measures to compute, as far as they apply."""
        return list(self.metrics) or [n for n in all_of_emotions() if n not in LEFT_OUT]

    def signature(self, names: Sequence[str]) -> str:
        """The string that names every choice behind the values of some measures."""
        signed = list(dict.fromkeys(signed_name(name) for name in names))
        if not signed:
            return ""
        wheel = None if self.wheel is None else self.wheel.signed
        on_wheel = set(signed) & {"polarity_accuracy", "ecc", "emc"}
        choices = {"wheel": wheel} if on_wheel else {}
        return metrics.signature(signed, convention=self.convention, **choices)


def check_measures(names: Iterable[str]) -> tuple[str, ...]:
    """Names of measures of emotions as emomap spells them, each once; "all" is all of them.

    Raises:
        UsageError: an unknown name.
    """
    wanted: list[str] = []
    for name in names:
        key = name.strip().lower().replace("-", "_")
        key = ALIASES.get(key, key)
        if key == "all":
            wanted += all_of_emotions()
        elif is_of_emotions(key):
            wanted.append(key)
        else:
            known = [*all_of_emotions(), *ALIASES]
            raise UsageError(
                f"no measure of emotions is called '{name}'{did_you_mean(key, known)}; there are "
                f"{', '.join(all_of_emotions())}"
            )
    return tuple(dict.fromkeys(wanted))


def check_any(names: Iterable[str]) -> tuple[str, ...]:
    """Names of metrics of maps, or of measures of emotions, as emomap spells them.

    Raises:
        UsageError: an unknown name.
    """
    asked = list(names)
    for known in (check_metrics, check_measures):
        with contextlib.suppress(UsageError):
            return known(asked)
    listed = [*metrics.CATALOGUE, *all_of_emotions()]
    raise UsageError(
        f"{','.join(asked)}: not all are metrics of maps, nor all measures of emotions; there are "
        f"{', '.join(listed)}"
    )


def read_wheel(
    wheel: str | Path | Wheel | None,
) -> Wheel | None:
    """A wheel, or that of a file.

    Raises:
        EmomapError: the file is missing or not one of a wheel.
    """
    if wheel is None or isinstance(wheel, Wheel):
        return wheel
    try:
        return Wheel.from_toml(wheel)
    except OSError as error:
        raise EmomapError(f"{wheel}: {error.strerror or error}") from error
    except ValueError as error:
        raise EmomapError(str(error)) from error
