"""The values of one method on each image, written to a file and read back without loss.

    .csv      a line per image: ``image``, the metrics, ``signature`` (the same in every line)
    .json     ``method``, ``dataset``, ``signatures`` by metric, ``images`` by image and metric
    .jsonl    a line with ``dataset``, ``method`` and ``signatures``, then a line for each image and
              metric; rows of a run folder are read, too
    .parquet  the columns of the CSV (needs pandas and pyarrow, the extra "parquet")

Every format keeps all digits. Values of predicted emotions come with the labels and ratings that
measures of the whole set need; they have no rows.
"""

from __future__ import annotations

import csv
import io as text_io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from emomap import io, metrics
from emomap.data.table import read_table
from emomap.errors import QUOTED, EmomapError, UsageError, listed, printable
from emomap.io.schema import STRICT, read_json
from emomap.scoring.measures import (
    NAMES,
    NUMBERS,
    Facts,
    all_of_emotions,
    is_measure,
    signed_name,
)
from emomap.scoring.protocol import ALIASES
from emomap.scoring.rows import Row, read_rows, reasons, short_lines
from emomap.scoring.signature import of_metric

SUFFIXES = (".csv", ".json", ".jsonl", ".parquet")


@dataclass(frozen=True)
class PerImage:
    """Values by image and metric.

    Attributes:
        values: image -> metric -> value; every image has the same metrics. None where a metric
            does not apply to the map.
        signature: of all metrics together; "" if a file does not say.
        method, dataset: names; "" if a file does not say.
        signatures: metric -> its own signature, if a file keeps them apart.
        lacking: image -> metric -> why it has no value, if that is known.
        facts: image -> column -> what measures of the whole set need (labels, confidence, ratings),
            see `emomap.scoring.measures`; {} for maps.
    """

    values: Mapping[str, Mapping[str, float | None]]
    signature: str = ""
    method: str = ""
    dataset: str = ""
    signatures: Mapping[str, str] = field(default_factory=dict)
    lacking: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    facts: Mapping[str, Facts] = field(default_factory=dict)

    @property
    def metrics(self) -> list[str]:
        """Names of the metrics, in the order of the file."""
        return list(next(iter(self.values.values())))

    def signed(self, metric: str) -> str:
        """The signature of one metric's values; "" if it is not known."""
        if metric in self.signatures:
            return self.signatures[metric]
        return of_metric(self.signature, metric) if self.signature else ""

    def signed_all(self) -> dict[str, str]:
        """Metric -> signature, of all metrics; those that only the whole set has come last."""
        found = {name: self.signed(name) for name in self.metrics}
        if not self.facts:
            return found
        rest = {name: self.signed(name) for name in all_of_emotions() if name not in found}
        return found | {
            name: text
            for name, text in rest.items()
            if name in self.signatures or text.startswith(f"{signed_name(name)}|")
        }

    def column(self, metric: str) -> list[float]:
        """The values of one metric, in the order of the images that have one."""
        return list(self.by_image(metric).values())

    def by_image(self, metric: str) -> dict[str, float]:
        """Image -> value of one metric, for the images that have one."""
        return {
            image: value
            for image, line in self.values.items()
            if (value := line[metric]) is not None
        }

    def rows(self) -> list[Row]:
        """The values as rows of a run folder."""
        signed = {name: self.signed(name) for name in self.metrics}
        return [
            Row(self.dataset, self.method, image, name, value, signed[name], self._why(image, name))
            for image, line in self.values.items()
            for name, value in line.items()
        ]

    def gaps(self) -> dict[str, dict[str, str]]:
        """Image -> metric -> why it has no value, for the images that lack some."""
        gaps = {
            image: {name: self._why(image, name) for name, value in line.items() if value is None}
            for image, line in self.values.items()
        }
        return {image: reasons for image, reasons in gaps.items() if reasons}

    def _why(self, image: str, metric: str) -> str:
        if self.values[image][metric] is not None:
            return ""
        return self.lacking.get(image, {}).get(metric, "without a reason in the file")


def check_path(path: Path, option: str) -> None:
    """Refuse a file whose suffix names no format, before anything is computed.

    Raises:
        UsageError: it names the suffixes that exist, or says what Parquet needs.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{option} {path}: the suffix names the format; use {', '.join(SUFFIXES)}")
    if path.suffix.lower() == ".parquet":
        _pandas(path)


def write(path: Path | str, table: PerImage) -> None:
    """Write per-image values in the format that the suffix names (csv, json, jsonl, parquet).

    Args:
        path: the file; it is replaced as a whole or not at all.
        table: the values, for instance `emomap.scoring.scores.Scores.per_image`.

    Raises:
        UsageError: the suffix names no format, or pandas or pyarrow is missing for parquet.
        EmomapError: the file cannot be written.
    """
    path = Path(path)
    writers = {".csv": _to_csv, ".json": _to_json, ".jsonl": _to_lines}
    check_path(path, "per-image values")
    if path.suffix.lower() == ".parquet":
        write_parquet(path, lambda: _pandas(path).DataFrame(_records(table)))
    else:
        io.write_text(path, writers[path.suffix.lower()](table))


def write_parquet(path: Path, frame: Callable[[], Any]) -> None:
    """Write the data frame that a function returns.

    Raises:
        UsageError: pandas or pyarrow is missing.
    """
    _pandas(path)
    with io.atomic(path) as temporary:
        frame().to_parquet(temporary, index=False)


def read(path: Path | str) -> PerImage:
    """Read per-image values that `write` wrote, or any CSV with a column ``image`` and metrics.

    Raises:
        UsageError: the suffix names no format.
        EmomapError: the file does not exist, is damaged, or has no per-image values.
    """
    path = Path(path)
    check_path(path, "per-image values")
    if not path.is_file():
        raise EmomapError(f"{path}: no such file")
    readers = {".csv": _from_csv, ".json": _from_json, ".jsonl": _from_lines, ".parquet": _from_pq}
    return _checked(path, readers[path.suffix.lower()](path))


def _records(table: PerImage) -> list[dict[str, Any]]:
    return [
        {"image": image, **table.facts.get(image, {}), **line, "signature": table.signature}
        for image, line in table.values.items()
    ]


def _to_csv(table: PerImage) -> str:
    out = text_io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns = list(next(iter(table.facts.values()), {}))
    writer.writerow(["image", *columns, *table.metrics, "signature"])
    for image, line in table.values.items():
        cells = [*(table.facts[image][column] for column in columns), *line.values()]
        shown = ("" if c is None else c if isinstance(c, str) else repr(c) for c in cells)
        writer.writerow([image, *shown, table.signature])
    return out.getvalue()


def _to_json(table: PerImage) -> str:
    whole = {
        "method": table.method,
        "dataset": table.dataset,
        "signature": table.signature,
        "signatures": {name: table.signed(name) for name in table.metrics},
        "images": table.values,
        **({"facts": table.facts} if table.facts else {}),
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _to_lines(table: PerImage) -> str:
    signed = {name: table.signed(name) for name in table.metrics}
    shared = {"dataset": table.dataset, "method": table.method, "signatures": signed}
    return short_lines(shared, table.rows())


class PerImageFile(TypedDict):
    """The schema of the JSON file. One that somebody else made may have nothing but the images."""

    __pydantic_config__ = STRICT  # type: ignore[misc]
    images: dict[str, dict[str, float | None]]
    method: NotRequired[str]
    dataset: NotRequired[str]
    signature: NotRequired[str]
    signatures: NotRequired[dict[str, str]]
    facts: NotRequired[dict[str, dict[str, str | float | None]]]


def _from_csv(path: Path) -> PerImage:
    rows = [(row.line, row.cells) for row in read_table(path, ("image",))]
    return _from_records(path, rows)


def _from_pq(path: Path) -> PerImage:
    pandas = _pandas(path)
    try:
        frame = pandas.read_parquet(path)
        records = frame.astype(object).where(frame.notna(), None).to_dict("records")
    except (OSError, ValueError) as error:
        raise EmomapError(f"{path}: not a Parquet file that can be read: {error}") from error
    return _from_records(path, list(enumerate(records, 1)))


def _from_records(path: Path, records: Sequence[tuple[int, Mapping[str, Any]]]) -> PerImage:
    """Values from numbered lines of named cells."""
    if not records or "image" not in records[0][1]:
        raise EmomapError(f"{path}: no values of images: it has no lines, or no column 'image'")
    names = [name for name in records[0][1] if name not in {"image", "signature"}]
    known = {name: key for name in names if is_measure(key := _metric(name))}
    columns = [name for name in names if name in {*NAMES, *NUMBERS}]
    if not (known or columns):
        shown = listed([printable(str(name), QUOTED) for name in names])
        raise EmomapError(
            f"{path}: none of its columns ({shown}) is a metric; the metrics are "
            f"{', '.join(metrics.CATALOGUE)}"
        )
    if len(set(known.values())) < len(known):
        raise EmomapError(f"{path}: two columns are the same metric: {', '.join(known)}")
    said = {str(record.get("signature") or "") for _, record in records}
    if len(said) > 1:
        raise EmomapError(f"{path}: its lines have different signatures; split the file")
    values: dict[str, dict[str, float | None]] = {}
    facts: dict[str, dict[str, str | float | None]] = {}
    for number, record in records:
        image = str(record["image"])
        if image in values:
            raise EmomapError(f"{path}: line {number}: '{image}' appears twice")
        values[image] = {
            key: _number(record[name], f"{path}: line {number}, {name}")
            for name, key in known.items()
        }
        facts[image] = {
            name: (str(record[name]) if record[name] else None)
            if name in NAMES
            else _number(record[name], f"{path}: line {number}, {name}")
            for name in columns
        }
    return PerImage(values, said.pop(), path.stem, facts=facts if columns else {})


def _from_json(path: Path) -> PerImage:
    try:
        whole = read_json(path, PerImageFile)
    except EmomapError as error:
        raise EmomapError(
            f"{error}; values of images are written by `emomap score ... --per-image FILE`"
        ) from error
    return PerImage(
        whole["images"],
        whole.get("signature", ""),
        whole.get("method") or path.stem,
        whole.get("dataset", ""),
        whole.get("signatures", {}),
        facts=whole.get("facts", {}),
    )


def _from_lines(path: Path) -> PerImage:
    rows = read_rows(path)
    if not rows:
        raise EmomapError(f"{path}: holds no rows")
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read() != b"\n":
            raise EmomapError(f"{path}: its last line was cut short; write the file again")
    methods = {row.method for row in rows}
    if len(methods) > 1:
        raise EmomapError(f"{path}: has rows of several methods ({listed(sorted(methods))})")
    values: dict[str, dict[str, float | None]] = {}
    for row in rows:
        if row.metric in values.setdefault(row.image, {}):
            raise EmomapError(f"{path}: '{row.image}' has {row.metric} twice")
        values[row.image][row.metric] = row.value
    signatures = {row.metric: row.signature for row in rows}
    return PerImage(values, "", rows[0].method, rows[0].dataset, signatures, reasons(rows))


def _checked(path: Path, found: PerImage) -> PerImage:
    """Values of which every image has the same metrics.

    Raises:
        EmomapError: there are none, or some are missing or unknown.
    """
    if not found.values or not (found.metrics or found.facts):
        raise EmomapError(f"{path}: holds no image, or no metric")
    for name in found.metrics:
        if not is_measure(name):
            raise EmomapError(f"{path}: emomap knows no metric '{printable(name, QUOTED)}'")
    wanted = set(found.metrics)
    for image, line in found.values.items():
        if set(line) != wanted:
            lacking = ", ".join(printable(name, QUOTED) for name in sorted(wanted ^ set(line)))
            raise EmomapError(
                f"{path}: '{printable(image, QUOTED)}' lacks {lacking}, which other images have"
            )
    return found


def _metric(column: str) -> str:
    key = str(column).strip().lower().replace("-", "_")
    return ALIASES.get(key, key)


def _number(value: Any, where: str) -> float | None:
    if value is None or str(value).strip() == "":  # the metric does not apply to this map
        return None
    try:
        found = float(value)
    except (TypeError, ValueError) as error:
        raise EmomapError(f"{where}: '{printable(str(value), QUOTED)}' is not a number") from error
    if "_" in str(value):  # Python reads 1_000, nobody else writes it
        raise EmomapError(f"{where}: '{printable(str(value), QUOTED)}' is not a number")
    if not isfinite(found):
        raise EmomapError(f"{where}: {value} cannot be compared; leave the image out")
    return found


def _pandas(path: Path) -> Any:
    try:
        import pandas
        import pyarrow  # noqa: F401 - pandas needs it, but its own message says less
    except ImportError as error:
        raise UsageError(
            f"{path}: Parquet needs pandas and pyarrow: pip install 'emomap[parquet]'"
        ) from error
    return pandas
