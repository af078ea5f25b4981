"""Good files, and the ways in which files are damaged: functions that write or return bytes."""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

SHAPE = (48, 64)


def smooth() -> np.ndarray:
    """A map with one bright place: (48, 64) float, 0..1."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    found: np.ndarray = np.exp(-((x - 30) ** 2 + (y - 20) ** 2) / 200)
    return found


def encoded(suffix: str, values: np.ndarray | None = None) -> bytes:
    """A map as a file of this suffix."""
    values = smooth() if values is None else values
    out = io.BytesIO()
    if suffix == ".npy":
        np.save(out, values)
    elif suffix == ".npz":
        np.savez(out, map=values)
    elif suffix == ".mat":
        savemat(out, {"map": values})
    else:
        form = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".bmp": "BMP"}[suffix]
        Image.fromarray((255 * values).astype(np.uint8)).save(out, form)
    return out.getvalue()


MAP_SUFFIXES = (".png", ".jpg", ".tif", ".bmp", ".npy", ".npz", ".mat")


def png(width: int, height: int, depth: int, colour: int, data: bytes) -> bytes:
    """A PNG with the header and the (compressed) pixels that are given, whether they fit or not."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def npy(header: str, data: bytes = b"", version: int = 1) -> bytes:
    """A NumPy file with any header."""
    packed = header.encode("latin-1") + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(packed)) + packed + data


def zipped(members: dict[str, bytes]) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def damaged(suffix: str) -> dict[str, bytes]:
    """Name of the damage -> a map file that has it, whatever the format."""
    good = encoded(suffix)
    middle = len(good) // 2
    return {
        "empty": b"",
        "one byte": good[:1],
        "header alone": good[:40],
        "first half": good[:middle],
        "last byte missing": good[:-1],
        "zeros": bytes(len(good)),
        "text": b"this is not a map\n" * 20,
        "html": b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
        "git lfs": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12345\n",
        "hole": good[: middle // 2] + bytes(40) + good[middle // 2 + 40 :],
        "noise": np.random.default_rng(len(suffix)).bytes(2000),
        "another format": encoded(".bmp" if suffix != ".bmp" else ".npy"),
    }


def wrong_arrays() -> dict[str, np.ndarray]:
    """Arrays that are no map."""
    nan, inf = smooth(), smooth()
    nan[3, 4], inf[3, 4] = np.nan, np.inf
    return {
        "nan": nan,
        "inf": inf,
        "all nan": np.full(SHAPE, np.nan),
        "one dimension": smooth().ravel(),
        "four dimensions": np.stack([smooth()] * 2)[None],
        "no rows": np.zeros((0, 64)),
        "no columns": np.zeros((48, 0)),
        "scalar": np.array(1.0),
        "text": np.array([["a", "b"], ["c", "d"]]),
        "complex": smooth().astype(np.complex128),
        "dates": np.zeros(SHAPE, "datetime64[s]"),
        "records": np.zeros(SHAPE, [("a", "f4"), ("b", "i4")]),
        "colours": np.random.default_rng(0).integers(0, 255, (*SHAPE, 3)).astype(np.uint8),
        "another shape": np.ones((64, 30)),
    }


def hostile_npy() -> dict[str, bytes]:
    """NumPy files whose header lies."""
    good = "{'descr': '<f8', 'fortran_order': False, 'shape': (48, 64), }"
    return {
        "terabytes": npy(good.replace("(48, 64)", "(1000000, 1000000)")),
        "overflow": npy(good.replace("(48, 64)", f"({2**62}, {2**62})")),
        "negative": npy(good.replace("(48, 64)", "(-48, -64)")),
        "no shape": npy("{'descr': '<f8', 'fortran_order': False}"),
        "code": npy("__import__('os').system('true')"),
        "deep": npy("(" * 5000 + ")" * 5000),
        "objects": npy(good.replace("<f8", "|O"), bytes(8 * 48 * 64)),
        "unknown type": npy(good.replace("<f8", "<q99")),
        "version 9": npy(good, bytes(8 * 48 * 64), version=9),
        "too much": npy(good, bytes(8 * 48 * 64 + 5)),
        "float shape": npy(good.replace("(48, 64)", "(4.5, 64)")),
        "names": npy(good.replace("'<f8'", "[('a', '<f8')]"), bytes(8 * 48 * 64)),
    }


def bomb(name: str) -> bytes:
    """A small file that takes gigabytes when it is unpacked; the name is one of `BOMBS`."""
    if name == "zeros.npz":
        return zipped({"map.npy": npy(_WIDE, bytes(900_000_000))})
    if name.startswith("png"):
        width, height, depth, colour = {
            "png 30000 x 30000.png": (30000, 30000, 8, 0),
            "png 14000 x 14200.png": (14000, 14200, 8, 2),
            "png 16 bit colour.png": (14000, 14200, 16, 6),
        }[name]
        return png(width, height, depth, colour, zlib.compress(bytes(40_000_000), 9))
    out = io.BytesIO()
    form = {"gif": "GIF", "tif": "TIFF", "webp": "WEBP"}[name.split()[0]]
    options = {"TIFF": {"compression": "tiff_deflate"}, "WEBP": {"lossless": True, "method": 0}}
    Image.new("L", (14000, 14200)).save(out, form, **options.get(form, {}))
    return out.getvalue()


BOMBS = (
    "png 30000 x 30000.png",
    "png 14000 x 14200.png",
    "png 16 bit colour.png",
    "gif of 199 megapixels.gif",
    "tif of 199 megapixels.tif",
    "webp of 199 megapixels.webp",
    "zeros.npz",
)
_WIDE = "{'descr': '<f8', 'fortran_order': False, 'shape': (10000, 11250), }"


def specials() -> dict[str, Callable[[Path], None]]:
    """Name -> function that puts something else than a file at a path."""

    def listen(path: Path) -> None:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(os.path.relpath(path))

    return {
        "folder": lambda path: path.mkdir(),
        "fifo": os.mkfifo,
        "socket": listen,
        "link to nothing": lambda path: path.symlink_to("nowhere"),
        "link to itself": lambda path: path.symlink_to(path.name),
        "device": lambda path: path.symlink_to("/dev/zero"),
    }


def fixation_tables() -> dict[str, str | bytes]:
    """Name -> a fixation table that cannot be right."""
    return {
        "empty": "",
        "blank lines": "\n\n\n",
        "header alone": "x,y\n",
        "no header": "3,4\n5,6\n",
        "other header": "a,b\n3,4\n",
        "missing y": "x\n3\n",
        "x twice": "x,y,x\n3,4,5\n",
        "text": "x,y\n3,four\n",
        "nan": "x,y\nnan,4\n",
        "inf": "x,y\ninf,4\n",
        "hex": "x,y\n0x10,4\n",
        "underscores": "x,y\n1_0,4\n",
        "overflow": "x,y\n1e999,4\n",
        "too few": "x,y\n3\n",
        "too many": "x,y\n3,4,5,6\n",
        "empty value": "x,y\n3,\n",
        "quote left open": 'x,y\n"3,4\n5,6\n',
        "zero bytes": b"x,y\n3,\x004\n",
        "latin": b"x,y,observer\n3,4,J\xf6rg\n",
        "negative duration": "x,y,observer,duration\n3,4,1,-5\n",
        "no observer": "x,y,observer\n3,4,\n",
        "all outside": "x,y\n1000,1000\n2000,2000\n",
        "in the unit square": "x,y\n0.1,0.2\n0.5,0.5\n0.7,0.3\n0.2,0.9\n",
        "long field": "x,y\n" + "9" * 200_000 + ",4\n",
        "binary": np.random.default_rng(3).bytes(500),
        "control characters": "x,y\n\x1b[31m3,4\n",
    }


def broken_json(good: dict[str, Any]) -> dict[str, bytes]:
    """Name -> a JSON file made wrong: as a text, and as values of other types."""
    text = json.dumps(good).encode()
    found = {
        "empty": b"",
        "first half": text[: len(text) // 2],
        "null": b"null",
        "number": b"3",
        "text": b'"x"',
        "list": b"[1, 2]",
        "empty object": b"{}",
        "deep": b"[" * 100_000,
        "many digits": b'{"seed": ' + b"9" * 5000 + b"}",
        "binary": bytes(range(256)),
        "utf-16": json.dumps(good).encode("utf-16"),
    }
    for key in good:
        rest = {name: value for name, value in good.items() if name != key}
        found[f"without {key}"] = json.dumps(rest).encode()
        for name, value in _OTHER.items():
            found[f"{key} is {name}"] = json.dumps({**good, key: value}).encode()
    return found


_OTHER: dict[str, Any] = {
    "null": None,
    "a number": -7,
    "nan": float("nan"),
    "a text": "\x1b[31mx",
    "a list": [[1], None],
    "an object": {"a": {"b": None}},
}


def recipes() -> dict[str, str]:
    """Name -> a recipe with something that no recipe can have."""
    return {
        "not toml": "= = =",
        "list of numbers": "[score]\nmetrics = [1]",
        "metrics a number": "[score]\nmetrics = 3",
        "no metrics": "[score]\nmetrics = []",
        "unknown metric": '[score]\nmetrics = ["auc_x"]',
        "sigma a word": '[score]\nsigma = "abc"',
        "sigma nan": "[score]\nsigma = nan",
        "sigma negative": "[score]\nsigma = -1",
        "sigma zero": "[score]\nsigma = 0",
        "sigma inf": "[score]\nsigma = inf",
        "digits": "[score]\nemd_downsize = " + "9" * 5000,
        "deep": "a = " + "[" * 100_000,
        "downsize zero": "[score]\nemd_downsize = 0",
        "downsize negative": "[score]\nemd_downsize = -3",
        "convention": '[score]\nconvention = "x"',
        "resize": '[score]\nresize = "x"',
        "stretch a text": '[score]\nstretch = "yes"',
        "baselines a text": '[bench]\nbaselines = "gbvs"',
        "baselines numbers": "[bench]\nbaselines = [1, 2]",
        "report a number": "[bench]\nreport = 3",
        "unknown key": "[score]\nsigmas = 3",
        "unknown table": "[scores]\nsigma = 3",
        "table a number": "score = 3",
        "base": 'base = "nothing"',
        "base a number": "base = 3",
        "method option": "[method.gbvs]\nnothing = 3",
        "method a number": "[method]\ngbvs = 3",
        "dates": "[score]\nsigma = 2020-01-01",
    }


def training_recipes() -> dict[str, str]:
    """Name -> a recipe by which no network can be trained."""
    return {
        "epochs": "epochs = -1",
        "threads": "threads = 1000000",
        "learning rate": "learning_rate = nan",
        "no learning": "learning_rate = 0.0",
        "batch": "batch = 0",
        "momentum": "momentum = 1.0",
        "optimizer": 'optimizer = "hope"',
        "crop": "crop = [2.0, 1.0]",
        "crop a text": 'crop = "half"',
        "precision": 'precision = "7-bit"',
        "unknown": "patience = 3",
    }


def cards() -> dict[str, str]:
    """Name -> a dataset.toml that cannot be right."""
    return {
        "not toml": "name name",
        "sigma a word": 'sigma = "x"',
        "sigma negative": "sigma = -1",
        "sigma nan": "sigma = nan",
        "classes a text": 'classes = "fear"',
        "classes numbers": "classes = [1, 2]",
        "no classes": "classes = []",
        "classes twice": 'classes = ["fear", "fear"]',
        "name a number": "name = 3",
        "deep": "a = " + "[" * 100_000,
        "synthetic a text": 'synthetic = "yes"',
        "digits": "sigma = " + "9" * 5000,
    }


def label_tables() -> dict[str, str | bytes]:
    """Name -> a labels.csv that cannot be right."""
    return {
        "empty": "",
        "no header": "p0.png,fear\n",
        "other header": "image,label\np0.png,fear\n",
        "emotion twice": "image,emotion,emotion\np0.png,fear,awe\n",
        "unknown emotion": "image,emotion\np0.png,hunger\n",
        "unknown picture": "image,emotion\nq9.png,fear\n",
        "twice": "image,emotion\np0.png,fear\np0.png,awe\n",
        "number": "image,emotion\np0.png,3\n",
        "too many": "image,emotion\np0.png,fear,awe\n",
        "binary": np.random.default_rng(4).bytes(300),
    }
