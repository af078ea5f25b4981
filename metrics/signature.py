"""The signature of a score: every choice behind a number, as an object that prints as one line.

``nss+cc|mit|fixations:pixels|ddof:1|resize:matlab-bicubic|sigma:24px|v:0.1.0``: the metrics, the
convention, settings as ``key:value``, and the version of the library. A setting in which metrics
differ carries the name of its metric (``auc.ties:half``). Two scores are comparable when their
signatures are equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import _arrays as arrays
from ._conventions import CONVENTIONS
from ._version import __version__
from .catalogue import CATALOGUE, Metric

#: Settings of the caller that only metrics on densities depend on.
_OF_DENSITIES = ("sigma",)
#: Settings of means and tests, which change no value.
_OF_INTERVALS = ("interval", "seed")


@dataclass(frozen=True)
class Signature:
    """Every choice behind a score.

    ``str()`` prints it, `parse` reads it back, and equal signatures are equal objects.

    Attributes:
        metrics: names of the catalogue, at least one.
        convention: "mit" or "tuebingen"; of measures of emotions "geng", "styleedl" or "ecc".
        settings: pairs of key and value in the order of print; first those of the metrics, then
            those of the caller (``("resize", "matlab-bicubic")``). A key ``metric.key`` holds for
            that metric only.
        version: of the metric library.

    Raises:
        ValueError: an unknown metric or convention, a key that is there twice, or one that names
            a metric which the signature does not have.

    Examples:
        >>> found = Signature.of(["nss", "cc"], sigma="24px")
        >>> str(found)
        'nss+cc|mit|fixations:pixels|ddof:1|sigma:24px|v:0.1.0'
        >>> str(found.of_metric("cc"))
        'cc|mit|sigma:24px|v:0.1.0'
        >>> found.differing(Signature.of(["nss", "cc"], convention="tuebingen", sigma="24px"))
        ('convention', 'fixations', 'ddof')
    """

    metrics: tuple[str, ...]
    convention: str
    settings: tuple[tuple[str, str], ...] = ()
    version: str = __version__

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ValueError("a signature needs at least one metric")
        for name in self.metrics:
            arrays.choice(
                self.convention, _entry(name, self.convention).conventions, f"convention of {name}"
            )
        keys = [key for key, _ in self.settings]
        for key in keys:
            metric, dot, _ = key.rpartition(".")
            if dot and metric not in self.metrics:
                raise ValueError(f"'{key}' is a setting of '{metric}', which is not signed here")
            if keys.count(key) > 1:
                raise ValueError(f"the setting '{key}' is there more than once")

    @classmethod
    def of(
        cls, metrics: str | Iterable[str], *, convention: str | None = None, **choices: Any
    ) -> Signature:
        """The signature of metrics computed by this version; arguments as in `signature`."""
        names = (metrics,) if isinstance(metrics, str) else tuple(metrics)
        convention = convention or ("mit" if set(names) & set(CATALOGUE) else _first(names))
        found: dict[str, dict[str, str]] = {}
        for name in names:
            one = _entry(name, convention)
            arrays.choice(convention, one.conventions, f"convention of {name}")
            for key, value in one.settings[convention].items():
                found.setdefault(key, {})[name] = value
        for key in [key for key in choices if key in found]:
            value = choices.pop(key)
            if value is not None:
                found[key] = dict.fromkeys(found[key], _text(value))
        settings: list[tuple[str, str]] = []
        for key, values in found.items():
            if len(set(values.values())) == 1:
                settings.append((key, next(iter(values.values()))))
            else:
                settings += [(f"{name}.{key}", value) for name, value in values.items()]
        settings += [(key, _text(value)) for key, value in choices.items() if value is not None]
        return cls(names, convention, tuple(settings))

    @classmethod
    def parse(cls, text: str) -> Signature:
        """Read a printed signature.

        Raises:
            ValueError: the text is damaged, or names an unknown metric or convention; the message
                has both the text and what is wrong with it.
        """
        try:
            return cls._parse(text)
        except ValueError as error:
            raise ValueError(f"'{text}' is not a signature: {error}") from None

    @classmethod
    def _parse(cls, text: str) -> Signature:
        names, *rest = text.split("|")
        if len(rest) < 2 or not rest[-1].startswith("v:"):
            raise ValueError("it must read METRICS|CONVENTION|KEY:VALUE|...|v:VERSION")
        convention, *parts, last = rest
        settings = []
        for part in parts:
            key, colon, value = part.partition(":")
            if not (key and colon):
                raise ValueError(f"'{part}' is not KEY:VALUE")
            settings.append((key, value))
        version = last.removeprefix("v:")
        if not version:
            raise ValueError("it has no version after 'v:'")
        return cls(tuple(names.split("+")), convention, tuple(settings), version)

    def __str__(self) -> str:
        settings = (f"{key}:{value}" for key, value in self.settings)
        return "|".join(["+".join(self.metrics), self.convention, *settings, f"v:{self.version}"])

    def parts(self) -> dict[str, str]:
        """The parts of the print by field: "metrics", "convention", each setting, "version"."""
        return {
            "metrics": "+".join(self.metrics),
            "convention": self.convention,
            **{key: f"{key}:{value}" for key, value in self.settings},
            "version": f"v:{self.version}",
        }

    def of_metric(self, name: str) -> Signature:
        """The signature of one metric's values: without what they do not depend on.

        What concerns means alone goes too: their interval, and the seed of tests.

        Raises:
            ValueError: the signature does not have this metric.
        """
        if name not in self.metrics:
            raise ValueError(f"'{name}' is not among the metrics of this signature: {self}")
        own = _entry(name, self.convention).settings[self.convention]
        kept: dict[str, str] = {}
        for key, value in self.settings:
            metric, _, setting = key.rpartition(".")
            if metric == name or (not metric and self._concerns(name, setting, own)):
                kept[setting] = value
        if "baseline" in kept:  # it takes the place of a blur
            kept.pop("sigma", None)
        order = [*(key for key in own if key in kept), *(key for key in kept if key not in own)]
        return replace(self, metrics=(name,), settings=tuple((key, kept[key]) for key in order))

    def _concerns(self, name: str, key: str, own: Mapping[str, str]) -> bool:
        """Whether a metric's values depend on a setting without prefix."""
        if key in _OF_INTERVALS:
            return False
        catalogue = _catalogue(self.convention)
        if key in own or any(key in m.settings[self.convention] for m in catalogue.values()):
            return key in own
        return key not in _OF_DENSITIES or bool({"density", "baseline"} & {*catalogue[name].inputs})

    def entry(self, name: str) -> Metric:
        """The entry of one of its metrics, in the catalogue that the convention belongs to.

        Raises:
            ValueError: no metric there has this name.
        """
        return _entry(name, self.convention)

    def seeded(self, seed: int) -> Signature:
        """The same with the seed of what is drawn for a comparison: permutations of a test.

        >>> str(Signature.parse("nss|mit|ddof:1|v:0.1.0").seeded(3))
        'nss|mit|ddof:1|seed:3|v:0.1.0'
        """
        settings = (*(pair for pair in self.settings if pair[0] != "seed"), ("seed", str(seed)))
        return replace(self, settings=settings)

    def differing(self, other: Signature) -> tuple[str, ...]:
        """Fields that differ: "metrics", "convention", keys of settings, "version".

        A setting that only one of the two has differs. None differ where the order alone does.
        """
        mine, theirs = self.parts(), other.parts()
        return tuple(field for field in mine | theirs if mine.get(field) != theirs.get(field))


def signature(names: str | Iterable[str], *, convention: str | None = None, **choices: Any) -> str:
    """A short string that names every choice behind a score: the print of a `Signature`.

    Parameters
    ----------
    names : str or iterable of str
        One metric or several.
    convention : {"mit", "tuebingen", "geng", "styleedl", "ecc"}
        The convention that they were computed under: the first two of maps, the others of emotions.
        Default: "mit", or "geng" for measures of emotions alone. It also tells the MAE of two maps
        from that of a scale.
    **choices
        Anything else that the number depends on (``resize="matlab-bicubic"``, ``sigma=24``). A key
        of a metric's own settings replaces it (``downsize=16``). None is left out.

    Raises
    ------
    ValueError
        An unknown metric or convention.

    Examples
    --------
    >>> signature("nss", resize="matlab-bicubic")
    'nss|mit|fixations:pixels|ddof:1|resize:matlab-bicubic|v:0.1.0'
    """
    return str(Signature.of(names, convention=convention, **choices))


def _catalogue(convention: str) -> Mapping[str, Metric]:
    """The catalogue whose metrics have a convention: that of emotions, or that of maps."""
    if convention not in CONVENTIONS:
        from .emotion import catalogue, distributions

        if convention in distributions.CONVENTIONS:
            return catalogue.CATALOGUE
    return CATALOGUE


def _entry(name: str, convention: str) -> Metric:
    """The entry of a metric, in the catalogue that its convention belongs to.

    Raises:
        ValueError: no metric there has this name.
    """
    known = _catalogue(convention)
    if name not in known:
        raise ValueError(f"no metric is called '{name}'; there are {', '.join(known)}")
    return known[name]


def _first(names: tuple[str, ...]) -> str:
    """The default convention of names none of which is a metric of maps."""
    from .emotion import CATALOGUE as OF_EMOTIONS

    return "geng" if names and set(names) <= set(OF_EMOTIONS) else "mit"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return text.replace("|", "/")
