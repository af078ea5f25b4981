"""Check what a file holds against a schema: one line says which key is wrong, and how.

A schema is a dataclass or a TypedDict that carries `STRICT`. pydantic checks it, and is imported
when the first file is read.
"""

from __future__ import annotations

import contextlib
import functools
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emomap.errors import QUOTED, EmomapError, printable
from emomap.io.files import File, read_bytes, unreadable

if TYPE_CHECKING:
    from pydantic import ConfigDict, TypeAdapter, ValidationError

#: Set as ``__pydantic_config__`` of a schema: no type is converted, and numbers are finite. Keys
#: that the schema does not know are kept, since a later release may have written them.
STRICT: ConfigDict = {"strict": True, "allow_inf_nan": False, "extra": "allow"}

#: Bytes of a JSON or TOML file, and of one JSON line. What emomap writes stays far below.
MAX_BYTES = 256 * 2**20
MAX_LINE = 2**20


def read_json(path: File, schema: Any) -> Any:
    """A JSON file as its schema has it.

    Raises:
        EmomapError: missing, unreadable, larger than `MAX_BYTES`, not JSON, or not as the schema
            has it: ``FILE: key: what is wrong``.
    """
    return _validated(schema, read_bytes(path, MAX_BYTES), str(path))


def read_json_lines(path: Path, schema: Any) -> Iterator[tuple[Any, int]]:
    """The lines of a JSON-lines file, each with the position in the file at which it ends.

    A last line without its line end was cut short by a kill and is left out.

    Raises:
        EmomapError: unreadable, a line longer than `MAX_LINE`, or not as the schema has it; names
            the line.
    """
    end = 0
    try:
        with path.open("rb") as stream:
            number = 0
            while line := stream.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise EmomapError(f"{path}, line {number}: longer than {MAX_LINE:,} bytes")
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield _validated(schema, line, f"{path}, line {number}"), end
    except OSError as error:
        raise unreadable(path, error) from error


def whole_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """The numbered JSON lines of a file that a kill may have cut at any line; none without a file.

    A line that is empty or no JSON is left out.

    Raises:
        EmomapError: unreadable, or larger than `MAX_BYTES`.
    """
    from pydantic import ValidationError

    if not path.exists():
        return
    for number, line in enumerate(read_bytes(path, MAX_BYTES).splitlines(), 1):
        with contextlib.suppress(ValidationError):
            yield number, _adapter(Any).validate_json(line)


@contextlib.contextmanager
def can_be_made_again() -> Iterator[None]:
    """Add to errors on a damaged file that it can be removed, since the command makes it again.

    Raises:
        EmomapError: the error of the block, with this way out.
    """
    try:
        yield
    except EmomapError as error:
        raise EmomapError(f"{error}; remove the file and run the command again") from error


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file as nested tables.

    Raises:
        EmomapError: missing, unreadable, larger than `MAX_BYTES`, or not TOML.
    """
    return parse_toml(read_bytes(path, MAX_BYTES), str(path))


def parse_toml(data: bytes, where: str) -> dict[str, Any]:
    """TOML as nested tables.

    Raises:
        EmomapError: not TOML; the message begins with ``where``.
    """
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise EmomapError(f"{where}: nested too deeply to be read") from error
    except ValueError as error:  # not UTF-8, not TOML, or a number of thousands of digits
        raise EmomapError(f"{where}: not TOML that can be read: {error}") from error


def check(value: Any, schema: Any, where: str) -> Any:
    """A value as its schema has it.

    Raises:
        EmomapError: ``where: key: what is wrong``.
    """
    from pydantic import ValidationError

    try:
        return _adapter(schema).validate_python(value)
    except ValidationError as error:
        raise EmomapError(f"{where}: {first_fault(error)}") from error


def built(numbers: Mapping[str, Any], schema: Any, where: str) -> Any:
    """A dataclass, with others in it, from nested tables as TOML has them.

    Raises:
        EmomapError: ``where: key: what is wrong``.
    """
    # as JSON: only there does strictness take a table for a dataclass
    return _validated(schema, json.dumps(numbers, default=str).encode(), where)


def _validated(schema: Any, data: bytes, where: str) -> Any:
    from pydantic import ValidationError

    try:
        return _adapter(schema).validate_json(data)
    except ValidationError as error:
        raise EmomapError(f"{where}: {first_fault(error)}") from error


@functools.cache
def _adapter(schema: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(schema)


def first_fault(error: ValidationError) -> str:
    """The first fault that pydantic found, as ``key.key: what is wrong``; how many more there are.

    Example: ``methods.gbvs.metrics.cc.mean: input should be a finite number, not nan``.
    """
    faults = error.errors(include_url=False, include_context=False)
    first = faults[0]
    parts = [str(part) for part in first["loc"] if not str(part).startswith("literal[")]
    key = printable(".".join(parts), QUOTED)
    message = first["msg"][:1].lower() + first["msg"][1:]
    if first["type"] not in {"missing", "json_invalid", "value_error"}:
        message += f", not {printable(repr(first['input'])[:1000], QUOTED)}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{key}: {message}{more}" if key else message + more
