"""Read mutations of good files in a process of its own: ``python -m tests.hostile.fuzz KIND N``.

Prints how many were read and how many refused. The process dies of what it must not meet: an
exception other than `EmomapError`, a crash of the interpreter, more than `MEMORY` bytes, or a file
that takes longer than `PATIENCE` seconds.
"""

from __future__ import annotations

import json
import random
import signal
import struct
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import emomap.io.png  # noqa: F401 - so that PNGs are tried by it before they go to Pillow
from emomap import io
from emomap.data.gaze import read_fixations_csv
from emomap.errors import EmomapError
from emomap.runs import schemas
from tests.hostile import inputs

MEMORY = 1 << 30
PATIENCE = 20


def seeds(kind: str) -> list[bytes]:
    """Good files of a kind, some of each of its forms."""
    grey = (255 * inputs.smooth()).astype(np.uint8)
    if kind == "csv":
        tables = (
            "x,y\n3,4\n5.5,6\n",
            "x,y,observer,duration\n1,2,0,200\n3,4,1,250\n",
            "x;y\n1;2\n",
        )
        return [table.encode() for table in tables]
    if kind == "json":
        cell = {"mean": 0.5, "low": 0.4, "high": 0.6, "n": 3}
        entry = {"accuracy": None, "metrics": {"cc": cell}}
        summary = {
            "dataset": "d", "synthetic": False, "split": "whole", "n_images": 3, "seed": 0,
            "emomap": "0.1.0", "signature": "cc|mit|ddof:1|v:0.1.0", "classes": [],
            "methods": {"center": entry},
            "ranks": {"center": 1.0}, "failed": [],
        }  # fmt: skip
        return [json.dumps(summary).encode()]
    if kind == "png":
        high = inputs.smooth() * 65535
        colour = np.repeat(high.astype(">u2")[..., None], 3, axis=2)
        rows = b"".join(b"\x00" + row.tobytes() for row in colour)
        deep = inputs.png(64, 48, 16, 2, zlib.compress(rows))
        bits = inputs.png(64, 48, 1, 0, zlib.compress(b"\x00\xf0\x0f\xff\x00\xaa\x00\x01\x02" * 48))
        return [inputs.encoded(".png"), deep, bits]
    arrays = (inputs.smooth(), grey, grey > 99, inputs.smooth().astype(np.float32))
    return [inputs.encoded(f".{kind}", array) for array in arrays]


READERS: dict[str, Callable[[Path], Any]] = {
    **dict.fromkeys(("png", "npy", "npz", "mat"), io.read_map),
    "csv": read_fixations_csv,
    "json": schemas.read_summary,
}


def mutated(good: bytes, rng: random.Random) -> bytes:
    """A file with some bytes changed, cut, copied, or set to values that readers trip over."""
    data = bytearray(good)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(max(1, len(data) if rng.random() < 0.5 else min(len(data), 80)))
        choice = rng.random()
        if choice < 0.3:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif choice < 0.5:
            data[at : at + 1] = bytes([data[at] ^ 1 << rng.randrange(8)] if at < len(data) else [])
        elif choice < 0.55:
            del data[at:]
        elif choice < 0.7:
            data[at : at + 4] = struct.pack(
                "<I", rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x10000])
            )
        elif choice < 0.85:
            data[at : at + rng.randint(0, 20)] = rng.randbytes(rng.randint(0, 20))
        else:
            start = rng.randrange(max(1, len(data)))
            data[at:at] = data[start : start + rng.randint(1, 200)]
    return bytes(data)


def with_checksums(data: bytes) -> bytes:
    """A PNG with the checksums that its chunks should have, so that a decoder looks inside."""
    out, at = data[:8], 8
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        body = data[at + 4 : at + 8 + length]
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return out


def main(kind: str, count: int, seed: int = 0) -> None:
    """Read mutations, and print how it went."""
    rng = random.Random(seed)
    good = seeds(kind)
    read = READERS[kind]
    done, refused = 0, 0
    warnings.simplefilter("error", ResourceWarning)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, f"file.{kind}")
        for _ in range(count):
            data = mutated(rng.choice(good), rng)
            if kind == "png" and rng.random() < 0.7:
                data = with_checksums(data)
            file.write_bytes(data)
            signal.alarm(PATIENCE)
            try:
                read(file)
                done += 1
            except EmomapError:
                refused += 1
            except BaseException:
                sys.stderr.write(f"the file was {data!r}\n")
                raise
            finally:
                signal.alarm(0)
    # getrusage would count the process that started this one, too
    status = Path("/proc/self/status").read_text("ascii")
    most = 1024 * int(status.partition("VmHWM:")[2].split()[0])
    assert most < MEMORY, f"{most} bytes"
    print(f"{kind}: {done} read, {refused} refused, at most {most / 2**20:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *map(int, sys.argv[3:]))
