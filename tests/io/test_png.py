"""Grey PNGs by the quick reader: Pillow's values, or None."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emomap.io import png, read_map
from emomap.io.archive import Member
from tests.io.test_hostile import packed

MOST = 10**6


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def encoded(
    rows: np.ndarray, depth: int, *, header: bytes = b"", beside: bytes = b"", cuts: int = 1
) -> bytes:
    """A PNG of rows (h, 1 + w) of filters and filtered bytes, its pixels in some chunks."""
    size = struct.pack(">II", (rows.shape[1] - 1) // (depth // 8), len(rows))
    data = zlib.compress(rows.tobytes())
    each = -(-len(data) // cuts)
    parts = [data[at : at + each] for at in range(0, len(data), each)]
    pixels = b"".join(chunk(b"IDAT", part) for part in parts)
    head = chunk(b"IHDR", size + (header or bytes([depth, 0, 0, 0, 0])))
    return b"\x89PNG\r\n\x1a\n" + head + beside + pixels + chunk(b"IEND", b"")


@settings(deadline=None)
@given(
    depth=st.sampled_from([8, 16]),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    cuts=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_filters_of_any_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    depth: int, height: int, width: int, cuts: int, seed: int,
) -> None:  # fmt: skip
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 256, (height, 1 + width * depth // 8), np.uint8)
    rows[:, 0] = rng.integers(0, 5, height)
    file = tmp_path_factory.mktemp("png") / "a.png"
    file.write_bytes(encoded(rows, depth, cuts=cuts, beside=chunk(b"tEXt", b"by\0me")))
    found = png.read_grey(file, MOST)
    theirs = np.array(Image.open(file))
    assert found is not None
    assert found.dtype == (np.uint8 if depth == 8 else np.uint16)
    assert np.array_equal(found, theirs)
    assert np.array_equal(read_map(file), theirs)


ROWS = np.zeros((4, 6), np.uint8)
GOOD = encoded(ROWS, 8)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        GOOD[:40],
        GOOD[:-12],
        GOOD[:-1],
        GOOD.replace(b"IDAT", b"IDAX"),
        GOOD[:60] + bytes([GOOD[60] ^ 1]) + GOOD[61:],
        encoded(ROWS + np.uint8(5), 8),  # no such filter
        encoded(ROWS, 8, header=bytes([8, 0, 0, 0, 1])),  # interlaced
        encoded(ROWS[:, :4], 8, header=bytes([8, 2, 0, 0, 0])),  # colour
        encoded(ROWS, 8, header=bytes([4, 0, 0, 0, 0])),
        encoded(ROWS, 8, beside=chunk(b"acTL", bytes(8))),
        encoded(ROWS, 8, beside=chunk(b"QQQQ", b"")),
        encoded(ROWS, 8).replace(chunk(b"IDAT", zlib.compress(ROWS.tobytes())),
                                 chunk(b"IDAT", zlib.compress(ROWS[1:].tobytes()))),
        encoded(ROWS, 8).replace(chunk(b"IDAT", zlib.compress(ROWS.tobytes())),
                                 chunk(b"IDAT", zlib.compress(ROWS.tobytes() + b"x"))),
        encoded(ROWS, 8).replace(chunk(b"IDAT", zlib.compress(ROWS.tobytes())),
                                 chunk(b"IDAT", zlib.compress(ROWS.tobytes())[:-2])),
    ],
)  # fmt: skip
def test_what_is_damaged_or_unusual_is_left_to_pillow(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").write_bytes(content)
    assert png.read_grey(tmp_path / "a.png", MOST) is None
    assert png.read_grey(tmp_path / "b.png", MOST) is None


def test_what_pillow_writes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wave = np.add.outer(np.arange(60), np.arange(80)) + rng.integers(0, 9, (60, 80))
    for values in (wave.astype(np.uint8), (wave * 400).astype(np.uint16)):
        stream = io.BytesIO()
        Image.fromarray(values).save(stream, "PNG")
        member = Member(packed(tmp_path / "a.zip", {"a.png": stream.getvalue()}), "a.png")
        assert np.array_equal(png.read_grey(member, MOST), values)
        assert png.read_grey(member, values.size - 1) is None
