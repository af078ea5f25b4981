"""Pictures with a table of mean valence and arousal: GAPED, OASIS, and others like IAPS and NAPS.

OASIS (Kurdi, Lozano & Banaji 2017) has ``OASIS.csv``, scale 1 to 7. GAPED (Dan-Glauser & Scherer
2011) has ``A.txt``, ``H.txt`` ... (or ``A_with SD.txt`` ...) beside folders of those names, scale 0
to 100. Any other table is taken whose header has a column for valence and one for arousal and in
which a column names the pictures; ``data.scale=[1, 9]`` says its scale.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from emomap.data import splits
from emomap.data.annotations import rating
from emomap.data.reading import Finder, Reading, ids
from emomap.data.table import TableRow, guess_delimiter, read_table, read_text, split_lines
from emomap.data.tree import Tree
from emomap.errors import EmomapError, UsageError, listed
from emomap.io.files import File
from emomap.sample import Dataset, Sample

SOURCES = {
    "oasis": "Kurdi, Lozano & Banaji, Introducing the Open Affective Standardized Image Set, 2017",
    "gaped": "Dan-Glauser & Scherer, The Geneva affective picture database, 2011",
}
SCALES = {"oasis": (1.0, 7.0), "gaped": (0.0, 100.0)}
#: GAPED's folders.
GAPED = {
    "A": "animal mistreatment",
    "H": "human rights violation",
    "N": "neutral",
    "P": "positive",
    "Sn": "snakes",
    "Sp": "spiders",
}
_GAPED_TABLE = re.compile(r"(A|H|N|P|Sn|Sp)(_with SD)?\.txt", re.IGNORECASE)
#: How columns of mean ratings are called, in small letters and digits alone.
NAMES = {
    "valence": ("valence", "valencemean", "meanvalence", "valmn", "valmean", "vmean", "avgvalence"),
    "arousal": ("arousal", "arousalmean", "meanarousal", "aromn", "aromean", "amean", "avgarousal"),
}
#: A larger header is none of a table of ratings.
_TABLES = (".csv", ".tsv", ".txt")


@dataclass(frozen=True)
class Rated:
    """What a table says of a picture."""

    valence: float
    arousal: float
    attributes: Mapping[str, str] = field(default_factory=dict)


def recognise(tree: Tree) -> str | None:
    """Why this is a set with ratings, or None."""
    if not tree.images():
        return None
    if tables := _gaped(tree):
        return f"{', '.join(tables[:3])} beside the folders of GAPED"
    found = _table(tree)
    return f"{found} with valence and arousal" if found else None


def load(tree: Tree, reading: Reading) -> Dataset:
    """Open the set.

    Raises:
        UsageError: ``data.scale`` is not two numbers.
        EmomapError: a table is not as expected, or has a rating off the scale (names the line).
    """
    paths = tree.images()
    identities = ids(paths, reading)
    finder = Finder(paths, identities)
    gaped = _gaped(tree)
    table = _table(tree)
    kind = "gaped" if gaped else ""
    if not gaped and table is None:
        raise EmomapError(f"{tree}: no table with the columns valence and arousal")
    if table and "oasis" in table.lower():
        kind = "oasis"
    scale = _scale(reading, kind)
    if gaped:
        found, lost = _read_gaped(tree, gaped, finder, scale, reading)
    else:
        found, lost = _read(tree.file(str(table)), finder, scale, reading)
    reading.note_some(lost, "lines have no picture here")
    reading.note_some([i for i in identities if i not in found], "pictures have no ratings")
    if scale is None:
        reading.note("the scale of valence and arousal is not known; data.scale=[1, 9] says it")
    reading.note(splits.NOTE)
    samples = [
        Sample(
            identity,
            tree.file(path),
            valence=found[identity].valence if identity in found else None,
            arousal=found[identity].arousal if identity in found else None,
            attributes=found[identity].attributes or None if identity in found else None,
        )
        for path, identity in zip(paths, identities, strict=True)
    ]
    return Dataset(
        kind or tree.name,
        splits.assign(samples),
        source=SOURCES.get(kind, ""),
        affect_range=scale,
    )


def _scale(reading: Reading, kind: str) -> tuple[float, float] | None:
    said = reading.option("scale", None)
    if said is None:
        return SCALES.get(kind)
    numbers = isinstance(said, list | tuple) and all(isinstance(x, int | float) for x in said)
    if not numbers or len(said) != 2 or not said[0] < said[1]:
        raise UsageError(f"data.scale={said}: it must be [least, greatest], as in [1, 9]")
    return float(said[0]), float(said[1])


def _table(tree: Tree) -> str | None:
    """The table at the top that has a column for valence and one for arousal."""
    for name in tree.folders.get("", ()):
        if name.lower().endswith(_TABLES):
            try:
                text = read_text(tree.file(name))
                lines = split_lines(text, guess_delimiter(text))
                header = next(lines, (0, []))[1]
            except EmomapError:  # no text, so no table
                continue
            if all(_column(header, what) is not None for what in NAMES):
                return name
    return None


def _column(header: Sequence[str], what: str) -> str | None:
    plain = {re.sub(r"[^a-z0-9]", "", name.lower()): name.lower() for name in header}
    return next((plain[name] for name in NAMES[what] if name in plain), None)


def _read(
    file: File, finder: Finder, scale: tuple[float, float] | None, reading: Reading
) -> tuple[dict[str, Rated], list[str]]:
    rows = list(read_table(file, ()))
    header = list(rows[0].cells) if rows else []
    valence, arousal = _column(header, "valence"), _column(header, "arousal")
    if valence is None or arousal is None:
        raise EmomapError(f"{file}: its header has no column for valence, or none for arousal")
    hits = {column: sum(finder(row[column]) is not None for row in rows) for column in header}
    name = max(header, key=lambda column: hits[column])
    if not hits[name]:
        raise EmomapError(f"{file}: no column names pictures that are here: {listed(header)}")
    words = [column for column in header if column not in (name, "") and not _numeric(rows, column)]
    found: dict[str, Rated] = {}
    lost = []
    for row in rows:
        identity = finder(row[name])
        if identity is None:
            lost.append(row[name])
            continue
        rated = Rated(
            rating(row, valence, scale, reading),
            rating(row, arousal, scale, reading),
            {column: row[column] for column in words if row[column]},
        )
        if found.setdefault(identity, rated) != rated:
            reading.fault(f"{row.where}: '{row[name]}' is listed before, with other values")
    return found, lost


def _numeric(rows: Sequence[TableRow], column: str) -> bool:
    return all(re.fullmatch(r"[-+0-9.,eE]*", row[column]) for row in rows)


def _gaped(tree: Tree) -> list[str]:
    """GAPED's tables, if folders of pictures of the same names are here. One for each folder."""
    folders = {name.lower() for name in tree.children()}
    found = {}
    for name in sorted(tree.folders.get("", ())):
        match = _GAPED_TABLE.fullmatch(name)
        if match and match[1].lower() in folders:
            found[match[1].lower()] = name
    return list(found.values())


def _read_gaped(
    tree: Tree,
    tables: Sequence[str],
    finder: Finder,
    scale: tuple[float, float] | None,
    reading: Reading,
) -> tuple[dict[str, Rated], list[str]]:
    """Lines of a name, valence and arousal; deviations in brackets, and further numbers, follow."""
    found: dict[str, Rated] = {}
    lost = []
    for table in tables:
        file = tree.file(table)
        kind = {key.lower(): text for key, text in GAPED.items()}[
            table.split(".")[0].split("_")[0].lower()
        ]
        for number, text in enumerate(read_text(file).splitlines(), 1):
            cells = [cell for cell in text.split() if not cell.startswith(("(", "["))]
            if not cells or number == 1:  # the header
                continue
            if len(cells) < 3:
                raise EmomapError(f"{file}, line {number}: not a name, valence and arousal")
            row = TableRow(file, number, {"valence": cells[1], "arousal": cells[2]})
            identity = finder(cells[0])
            if identity is None:
                lost.append(cells[0])
                continue
            found[identity] = Rated(
                rating(row, "valence", scale, reading),
                rating(row, "arousal", scale, reading),
                {"category": kind},
            )
    return found, lost
