"""The code blocks of a page: what they are, and how they are run.

A block is a fence with a language:

``sh``       commands, run by bash; the first that fails fails the page.
``console``  lines that begin with ``$ `` are run, the lines below must be what they print on
             stdout. Numbers may differ by two units of their last digit; ``...`` stands for
             anything.
``python``   run in one namespace a page, in this process.
``pycon``    the same with ``>>>`` and what is printed, compared as under ``console``.
``text``     shown, not run; so are ``toml``, ``csv`` and ``latex``.

All blocks of a page run in the order of the page in one temporary folder. A block whose first
line is ``# NAME`` with a suffix becomes that file there. Comments that are not rendered say what
differs:

``<!-- examples begin with NAME, NAME -->``  what lies in the folder at the start, see `BEGINNINGS`
``<!-- example: needs REASON -->``           above a block that cannot be run here
``<!-- example: slow, REASON -->``           above a block that only `pytest -m slow` runs
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markdown_it import MarkdownIt

from emomap.experiment.bench import bench

REPOSITORY = Path(__file__).resolve().parents[2]

RUN = ("sh", "console", "python", "pycon")
SHOWN = ("text", "toml", "csv", "latex")
#: Nobody waits longer than this for one block, in seconds.
PATIENCE = 570

_NUMBER = re.compile(r"(?<![\w.])[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|(?<![\w.])[-+]?\.\d+")
_FILE = re.compile(r"# ([\w-]+\.[a-z]+)$")


@dataclass(frozen=True)
class Block:
    """A fence of a page.

    Attributes:
        page: the file.
        line: of its first line of code, from 1.
        language: first word after the fence.
        code: what is in it.
        needs: why it cannot be run here, or "".
        slow: why it is left out unless asked for, or "".
        file: the name under which it is saved instead of being run, or "".
    """

    page: Path
    line: int
    language: str
    code: str
    needs: str = ""
    slow: str = ""
    file: str = ""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"


def pages() -> list[Path]:
    """Everything that a reader is shown."""
    written = (REPOSITORY / "docs").rglob("*.md")
    kept = [page for page in written if not {"_build", "_results"} & set(page.parts)]
    return [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted(kept)]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order.

    Raises:
        ValueError: a block without a language, with one that is not known, or with a marker that
            is not.
    """
    found: list[Block] = []
    marker = ""
    for token in _tokens(MarkdownIt("commonmark").parse(page.read_text("utf-8"))):
        line = token.map[0] + 1
        if token.type == "html_block":
            marks = re.findall(r"<!-- example: (.*?) -->", token.content, re.DOTALL)
            marker = marks[0] if marks else marker  # there may be comments for others, too
            continue
        if token.type == "code_block":
            raise ValueError(f"{page}:{line}: indented code; give it a fence with a language")
        if token.type == "fence":
            language = token.info.strip()
            if language.startswith("{"):  # a directive of Sphinx
                if language.startswith(("{code", "{doctest", "{testcode", "{eval-rst}code")):
                    raise ValueError(f"{page}:{line}: write code as a fence with a language")
            else:
                found.append(_block(page, line + 1, language, token.content, marker))
        marker = ""
    return found


def _tokens(tokens: list[Any]) -> Iterator[Any]:
    return (t for t in tokens if t.type in {"html_block", "code_block", "fence"} or _opens(t))


def _opens(token: Any) -> bool:
    """Text between a marker and a block means that the marker is not the block's."""
    return token.map is not None and token.type.endswith("_open")


def _block(page: Path, line: int, language: str, code: str, marker: str) -> Block:
    place = f"{page}:{line}"
    if language not in (*RUN, *SHOWN):
        known = ", ".join((*RUN, *SHOWN))
        raise ValueError(f"{place}: the language is '{language}'; there are {known}")
    kind, _, reason = " ".join(marker.split()).partition(" ")
    if marker and (kind not in {"needs", "slow,"} or len(reason) < 10):
        raise ValueError(f"{place}: <!-- example: {marker} -->: write 'needs' or 'slow,', and why")
    first = _FILE.match(code.partition("\n")[0])
    return Block(
        page,
        line,
        language,
        code,
        needs=reason if kind == "needs" else "",
        slow=reason if kind == "slow," else "",
        file=first[1] if first and language != "sh" else "",
    )


# --- running --------------------------------------------------------------------------------------


def run(page: Path, folder: Path, *, slow: bool = False) -> list[Block]:
    """Run the blocks of a page in a folder; those that ran."""
    begin(page, folder)
    shell, names = Shell(folder), {"__name__": "__main__"}
    ran = []
    with contextlib.chdir(folder), _on_path(folder):
        for block in blocks(page):
            if block.needs or (block.slow and not slow):
                continue
            if block.file:
                Path(block.file).write_text(block.code, "utf-8")
            elif block.language == "sh":
                shell.run(block.code, block.place)
            elif block.language == "console":
                _console(shell, block)
            elif block.language == "python":
                code = "\n" * (block.line - 1) + block.code  # tracebacks name the page's line
                exec(compile(code, str(block.page), "exec"), names)
            elif block.language == "pycon":
                _session(block, names)
            else:
                continue
            ran.append(block)
    return ran


@contextlib.contextmanager
def _on_path(folder: Path) -> Iterator[None]:
    """Modules of the page can be imported, and are forgotten with it."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if str(folder) in str(getattr(sys.modules[name], "__file__", None)):
                del sys.modules[name]


class Shell:
    """bash, with the commands of this environment and the packages of this checkout."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = [str(Path(sys.executable).parent), os.environ["PATH"]]
        # no empty entry, which would be the folder of the page
        packages = [str(REPOSITORY), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(path),
            "PYTHONPATH": os.pathsep.join(packages),
            "MPLBACKEND": "Agg",
            "COLUMNS": "100",
        }

    def run(self, code: str, place: str) -> str:
        """What the commands print on stdout.

        ``HOST`` becomes this machine and ``8786`` a port that is free. Processes in the background
        must still run when the last command is done; then they are ended.
        """
        behind = len(re.findall(r"&$", code, re.MULTILINE))
        code = re.sub(r"\bHOST\b", "127.0.0.1", code)
        if "8786" in code:
            code = code.replace("8786", str(_free_port()))
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(
                [
                    "bash",
                    "-euo",
                    "pipefail",
                    "-c",
                    f"{code}\ntest $(jobs -pr | wc -l) -eq {behind}",
                ],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                text=True,
                start_new_session=True,
            )
            try:
                exit_code = process.wait(PATIENCE)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
            out.seek(0)
            errors.seek(0)
            printed = out.read()
            assert exit_code == 0, f"{place}: exit code {exit_code}\n{code}\n{errors.read()}"
        return printed


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _console(shell: Shell, block: Block) -> None:
    commands = re.split(r"^\$ ", block.code, flags=re.MULTILINE)
    assert not commands[0].strip(), f"{block.place}: a console block begins with '$ '"
    for text in commands[1:]:
        lines = text.splitlines()
        length = 1 + next((i for i, line in enumerate(lines) if not line.endswith("\\")), 0)
        shown = "\n".join(lines[length:])
        printed = shell.run("\n".join(lines[:length]), block.place)
        assert same(shown, printed), (
            f"{block.place}: the page shows\n{shown}\nbut this is printed:\n{printed}"
        )


class _Checker(doctest.OutputChecker):
    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return same(want, got)


def _session(block: Block, names: dict[str, Any]) -> None:
    parsed = doctest.DocTestParser().get_doctest(
        block.code, names, block.place, str(block.page), block.line - 1
    )
    parsed.globs = names
    said: list[str] = []
    runner = doctest.DocTestRunner(checker=_Checker(), verbose=False)
    runner.run(parsed, out=said.append, clear_globs=False)
    assert not said, "".join(said)


def same(shown: str, printed: str) -> bool:
    """Whether a page shows what is printed: words alike, numbers within two of the last digit."""
    shown, printed = (_unpadded(text) for text in (shown, printed))
    pattern, numbers = "", []
    for piece in re.split(r"(\.\.\.)", shown):
        if piece == "...":
            pattern += ".*?"
            continue
        end = 0
        for match in _NUMBER.finditer(piece):
            pattern += re.escape(piece[end : match.start()]) + f"({_NUMBER.pattern})"
            numbers.append(match[0])
            end = match.end()
        pattern += re.escape(piece[end:])
    matched = re.fullmatch(pattern, printed, re.DOTALL)
    return matched is not None and all(map(_near, numbers, matched.groups()))


def _unpadded(text: str) -> str:
    """Without the spaces that align columns, which are as many as the numbers are long."""
    return "\n".join(re.sub(r"[ -]{2,}", " ", line).strip() for line in text.strip().splitlines())


def _near(shown: str, printed: str) -> bool:
    mantissa, _, exponent = shown.partition("e")
    digits = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - digits)
    # whole numbers are counts
    return abs(float(shown) - float(printed)) <= (2.001 * unit if digits or exponent else 0)


# --- what lies in the folder at the start ---------------------------------------------------------


def begin(page: Path, folder: Path) -> None:
    """Make what the page says that its examples begin with."""
    mark = re.search(r"<!-- examples begin with (.*?) -->", page.read_text("utf-8"), re.DOTALL)
    for name in mark[1].replace("\n", " ").split(",") if mark else ():
        assert name.strip() in BEGINNINGS, f"{page}: examples cannot begin with {name.strip()}"
        BEGINNINGS[name.strip()](folder / name.strip())


def _photos(target: Path) -> None:
    """36 pictures of the set `demo` in the neutral layout, with gaze, emotions and splits."""
    from emomap.data.convert import convert

    convert("demo", target, options=SMALL, jobs=1, show=False)


#: As few as a split may have, but two batches for the shards of a benchmark.
SMALL = {"train": 8, "val": 8, "test": 20}


def _samples(target: Path) -> list[Any]:
    from emomap.data import open_dataset

    for name in ("photos", "my_photos"):
        if (target.parent / name).is_dir():
            return list(open_dataset(str(target.parent / name)))
    raise AssertionError(f"{target.name} comes after photos or my_photos")


def _maps(noise: float) -> Callable[[Path], None]:
    """Maps that find the gaze, more or less."""

    def make(target: Path) -> None:
        from emomap import io, metrics

        rng = np.random.default_rng(7)
        for sample in _samples(target):
            density = metrics.density(_counts(sample), 12.0)
            values = density / density.max() + noise * rng.random(density.shape)
            io.write_map(target / f"{sample.id}.png", values)

    return make


def _counts(sample: Any) -> Any:
    from emomap import metrics

    gaze = sample.gaze()
    return metrics.fixation_map(gaze.points, gaze.shape)


def _fixation_maps(target: Path) -> None:
    from PIL import Image

    for sample in _samples(target):
        path = target / f"{sample.id}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(_counts(sample).astype(np.uint8)).save(path)


def _density_maps(target: Path) -> None:
    from emomap import io, metrics

    for sample in _samples(target):
        io.write_map(target / f"{sample.id}.png", metrics.density(_counts(sample), 8.0))


def _run(*names: str) -> Callable[[Path], None]:
    """A finished run."""

    def make(target: Path) -> None:

        data = next(n for n in ("photos", "my_photos") if (target.parents[1] / n).is_dir())
        bench(
            list(names),
            data=str(target.parents[1] / data),
            baselines=False,
            settings=["bench.report=false"],
            out=target,
            jobs=1,
            show=False,
        )

    return make


BEGINNINGS: dict[str, Callable[[Path], None]] = {
    "photos/": _photos,
    "my_photos/": _photos,
    "my_maps/": _maps(0.5),
    "their_maps/": _maps(1.0),
    "fixation_maps/": _fixation_maps,
    "density_maps/": _density_maps,
    "runs/a": _run("center", "gbvs"),
    "runs/b": _run("center", "itti_koch"),
}
