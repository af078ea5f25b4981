"""Pictures and maps in every form that people have them; pairing; atomic writes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap import io
from emomap.errors import EmomapError

RAMP = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5


def save(path: Path, values: np.ndarray, mode: str | None = None) -> Path:
    picture = Image.fromarray(values)
    (picture.convert(mode) if mode else picture).save(path)
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P"])
def test_grey_map_reads_the_same_in_every_png_mode(tmp_path: Path, mode: str) -> None:
    read = io.read_map(save(tmp_path / "m.png", RAMP, mode))
    np.testing.assert_array_equal(read, RAMP)


def test_sixteen_bit_maps_keep_all_their_bits(tmp_path: Path) -> None:
    values = (np.arange(48, dtype=np.uint16) * 1021).reshape(6, 8)
    np.testing.assert_array_equal(io.read_map(save(tmp_path / "m.png", values)), values)
    save(tmp_path / "m.tif", values)
    np.testing.assert_array_equal(io.read_map(tmp_path / "m.tif"), values)


def test_sixteen_bit_colour_png_keeps_all_its_bits(tmp_path: Path) -> None:
    import struct
    import zlib

    values = np.repeat((np.arange(48) * 1021).reshape(6, 8, 1), 3, axis=2).astype(">u2")
    raw = b"".join(b"\0" + row.tobytes() for row in values)

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", 8, 6, 16, 2, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")
    path = tmp_path / "m.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))
    np.testing.assert_array_equal(io.read_map(path), values[:, :, 0])


def test_arrays_in_files(tmp_path: Path) -> None:
    from scipy.io import savemat

    values = np.random.default_rng(0).random((6, 8))
    np.save(tmp_path / "m.npy", values)
    np.savez(tmp_path / "one.npz", anything=values)
    np.savez(tmp_path / "two.npz", other=RAMP, map=values)
    savemat(tmp_path / "m.mat", {"saliency": values, "remark": "x"})
    for name in ("m.npy", "one.npz", "two.npz", "m.mat"):
        np.testing.assert_array_equal(io.read_map(tmp_path / name), values)
    np.save(tmp_path / "chw.npy", values[None])
    np.testing.assert_array_equal(io.read_map(tmp_path / "chw.npy"), values)


@pytest.mark.parametrize(
    ("name", "write", "words"),
    [
        ("m.npy", lambda p: np.save(p, np.array([[1.0, np.nan], [0, 1]])), "row 0, column 1"),
        ("m.npy", lambda p: np.save(p, np.zeros((2, 3, 4, 5))), "two dimensions"),
        ("m.npy", lambda p: np.save(p, np.ones((3, 3), dtype=complex)), "real numbers"),
        ("m.npy", lambda p: np.save(p, np.array([{}]), allow_pickle=True), "NumPy file"),
        ("m.npz", lambda p: np.savez(p, a=RAMP, b=RAMP), "call the map 'map'"),
        ("m.png", lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\nrubbish"), "m.png"),
        ("m.png", lambda p: save(p, np.dstack([RAMP, RAMP * 0, RAMP * 0])), "coloured"),
        ("m.png", lambda p: None, "no such file"),
    ],
)
def test_bad_maps_are_refused_by_name(
    tmp_path: Path, name: str, write: Callable[[Path], Any], words: str
) -> None:
    write(tmp_path / name)
    with pytest.raises(EmomapError, match=words) as caught:
        io.read_map(tmp_path / name)
    assert name in str(caught.value)


def test_truncated_picture_is_refused_by_name(tmp_path: Path) -> None:
    path = save(tmp_path / "cut.png", np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(EmomapError, match=r"cut\.png: damaged or cut short"):
        io.read_image(path)


def test_picture_is_upright_rgb(tmp_path: Path) -> None:
    picture = Image.fromarray(np.dstack([RAMP, RAMP // 2, RAMP // 4]))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    picture.save(tmp_path / "a.png", exif=exif)
    image = io.read_image(tmp_path / "a.png")
    assert image.shape == (8, 6, 3)
    assert io.image_size(tmp_path / "a.png") == (8, 6)
    np.testing.assert_array_equal(image, np.rot90(np.asarray(picture), -1))


def test_paths_may_be_text(tmp_path: Path) -> None:
    file = str(tmp_path / "a.png")
    io.write_map(file, np.eye(3))
    assert io.read_map(file).max() == 65535
    assert io.read_image(file).shape == (3, 3, 3)
    with pytest.raises(EmomapError, match="there is no such file"):
        io.read_image(str(tmp_path / "b.png"))


@pytest.mark.parametrize("form", ["png", "npy"])
def test_written_map_reads_back(tmp_path: Path, form: str) -> None:
    values = np.random.default_rng(0).random((5, 7)) * 1e-4
    path = tmp_path / "deep" / f"m.{form}"
    io.write_map(path, values)
    read = io.read_map(path).astype(float)
    np.testing.assert_allclose(read / read.max(), values / values.max(), atol=1e-5)


def test_write_map_refuses_what_it_would_spoil(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match="negative"):
        io.write_map(tmp_path / "m.png", np.array([[-1.0, 2.0]]))
    with pytest.raises(EmomapError, match="finite"):
        io.write_map(tmp_path / "m.npy", np.array([[np.inf, 2.0]]))
    assert not list(tmp_path.iterdir())


def test_atomic_leaves_the_old_file_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), io.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_full_disk_is_one_line_with_the_remedy() -> None:
    with pytest.raises(EmomapError, match="the disk is full: make room"):
        io.append_text(Path("/dev/full"), "x")


def test_pairs_by_id_then_by_stem() -> None:
    pairs = io.pair(["a/1", "b/2", "c.d"], ["1", "b/2", "c.d", "9"])
    assert pairs == {"b/2": "b/2", "1": "a/1", "c.d": "c.d"}
    with pytest.raises(EmomapError, match="not unique"):
        io.pair(["a/1", "b/1"], ["1"])


def test_two_maps_of_one_image_are_refused(tmp_path: Path) -> None:
    save(tmp_path / "a.png", RAMP)
    np.save(tmp_path / "a.npy", RAMP)
    with pytest.raises(EmomapError, match="same image"):
        io.maps_by_id(tmp_path)


def test_junk_of_operating_systems_is_no_map(tmp_path: Path) -> None:
    save(tmp_path / "A.PNG", RAMP)
    (tmp_path / "._A.PNG").write_bytes(b"x")
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    assert list(io.maps_by_id(tmp_path)) == ["A"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_folder_without_permission_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    with pytest.raises(EmomapError, match="cannot be listed"):
        io.list_files(tmp_path, io.MAP_SUFFIXES)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("turned", [1, 6])
def test_size_of_a_png_knows_its_orientation_wherever_it_stands(
    tmp_path: Path, late: bool, turned: int
) -> None:
    """EXIF before the pixels, as Pillow writes it, and behind them, as the standard allows."""
    exif = Image.Exif()
    exif[0x0112] = turned
    path = tmp_path / "a.png"
    Image.fromarray(np.zeros((4, 9, 3), np.uint8)).save(path, exif=exif)
    data = path.read_bytes()
    start = data.index(b"eXIf") - 4
    end = start + 12 + int.from_bytes(data[start : start + 4], "big")
    if late:
        path.write_bytes(data[:start] + data[end:-12] + data[start:end] + data[-12:])
    assert io.image_size(path) == io.read_image(path).shape[:2]
    assert io.image_size(path) == ((9, 4) if turned == 6 else (4, 9))
