"""Files from strangers: no code runs, nothing is written outside, memory is not filled."""

from __future__ import annotations

import io as bytes_io
import os
import pickle
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from emomap import io
from emomap.data import open_dataset
from emomap.errors import EmomapError
from emomap.io import npy
from emomap.io.archive import MAX_MEMBER, Member
from tests.data.builders import picture


class Evil:
    """Unpickling this makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (self.path,)


# ---------------------------------------------------------------------------------------- NumPy


def test_numpy_files(tmp_path: Path) -> None:
    table = np.arange(6, dtype=">i4").reshape(2, 3)
    np.save(tmp_path / "a.npy", table)
    assert np.array_equal(npy.read(tmp_path / "a.npy")["map"], table)
    np.save(tmp_path / "f.npy", np.asfortranarray(table))
    assert np.array_equal(npy.read(tmp_path / "f.npy")["map"], table)
    np.savez_compressed(tmp_path / "a.npz", one=table, two=np.zeros((2200, 2200)))
    found = npy.read(tmp_path / "a.npz")
    assert list(found) == ["one", "two"]
    assert found["two"].shape == (2200, 2200)  # zeros pack a thousandfold, and are still a map
    assert npy.read(tmp_path / "a.npz")["one"].flags.writeable


def written(version: tuple[int, int], values: np.ndarray) -> bytes:
    stream = bytes_io.BytesIO()
    np.lib.format.write_array(stream, values, version=version)
    return stream.getvalue()


TABLE = np.arange(15.0).reshape(3, 5) / 16


@pytest.mark.parametrize(
    "content",
    [
        written((2, 0), TABLE),
        written((3, 0), TABLE),
        written((1, 0), TABLE.astype(">f8")),
        written((1, 0), TABLE.astype("f2")),
        written((1, 0), TABLE.astype(">f4")),
        written((1, 0), TABLE.astype(np.longdouble)),
        written((1, 0), np.asfortranarray(TABLE)),
        written((1, 0), TABLE[None, None]),  # as networks put out
        written((1, 0), TABLE[None, :, :, None]),
        written((1, 0), np.stack([TABLE] * 3)),
        written((1, 0), np.stack([TABLE] * 3, 2)),
    ],
)
def test_maps_in_numpy_files_of_every_form(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    assert np.array_equal(io.read_map(tmp_path / "a.npy"), TABLE)


@pytest.mark.filterwarnings("ignore:Reading .*npy")
def test_numpy_headers_of_other_writers(tmp_path: Path) -> None:
    for text in (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3L, 5L), }\n",  # Python 2
        "{'shape': (3, 5), 'fortran_order': False, 'descr': '<f8'}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 5)}" + 3000 * " " + "\n",
    ):
        head = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()
        (tmp_path / "a.npy").write_bytes(head + TABLE.tobytes())
        assert np.array_equal(io.read_map(tmp_path / "a.npy"), TABLE)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    proof = tmp_path / "ran"
    evil = np.empty(1, dtype=object)
    evil[0] = Evil(proof)
    np.save(tmp_path / "a.npy", evil, allow_pickle=True)
    np.savez(tmp_path / "a.npz", map=evil)
    (tmp_path / "b.npy").write_bytes(pickle.dumps(Evil(proof)))
    for name in ("a.npy", "a.npz", "b.npy"):
        with pytest.raises(EmomapError, match=name):
            io.read_map(tmp_path / name)
    assert not proof.exists()


def header(shape: str, descr: str = "'<f8'") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (header("(1000000, 1000000)"), "declares 1000000 x 1000000 values"),
        (header("(-2, -4)") + bytes(64), "declares -2 x -4"),
        (header("(2, 4)") + bytes(60), "cut short or made up"),
        (header("(2, 4)") + bytes(68), "several arrays in one file, or damaged"),
        (
            header("(2, 4)" + 60_000 * " ") + bytes(64),
            r"Header info length \(\d+\) is large .*\.\)$",
        ),
        (header("(2, 4)", "'|O'") + bytes(64), "Python objects"),
        (header("__import__('os')"), "not a NumPy file"),
        (b"\x93NUMPY\x09\x00", "NumPy format"),
        (b"PK\x03\x04 nonsense", "not a NumPy file"),
        (b"", "not a NumPy file"),
    ],
)
def test_numpy_lies(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(EmomapError, match=message):
        npy.read(tmp_path / "a.npy")["map"]


# ------------------------------------------------------------------------------------------ zip


def packed(path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def jpeg() -> bytes:
    data = bytes_io.BytesIO()
    Image.new("RGB", (20, 10), (200, 30, 30)).save(data, "JPEG")
    return data.getvalue()


@pytest.mark.parametrize("name", ["../out.jpg", "/etc/out.jpg", "a/../../out.jpg", "C:\\out.jpg"])
def test_members_that_point_outside(tmp_path: Path, name: str) -> None:
    path = packed(tmp_path / "a.zip", {"images/a.jpg": jpeg(), name: jpeg()})
    with pytest.raises(EmomapError, match="points outside the archive; refused"):
        open_dataset(path)


def test_windows_names_and_junk_in_archives(tmp_path: Path) -> None:
    members = {
        "images\\a.jpg": jpeg(), "images/b.jpg": jpeg(), "images/._b.jpg": b"x",
        "__MACOSX/images/b.jpg": b"x", "Thumbs.db": b"x",
    }  # fmt: skip
    found = open_dataset(packed(tmp_path / "a.zip", members))
    assert [sample.id for sample in found] == ["images/a", "images/b"]
    assert found.samples[0].image().shape == (10, 20, 3)


def test_links_in_archives_are_left_out(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.jpg": jpeg()})
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("b.jpg")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    found = open_dataset(path)
    assert [sample.id for sample in found] == ["a"]
    assert any("1 symbolic links" in note for note in found.notes)


def test_methods_and_passwords(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.zip", {"a.jpg": jpeg()}, zipfile.ZIP_LZMA)
    with pytest.raises(EmomapError, match=r"a\.zip:a\.jpg: packed by a method \(number 14\)"):
        Member(path, "a.jpg").read()
    locked = bytearray(packed(tmp_path / "b.zip", {"a.jpg": jpeg()}).read_bytes())
    locked[6] |= 1  # in the member's own header
    locked[locked.index(b"PK\x01\x02") + 8] |= 1  # and in the archive's directory
    (tmp_path / "b.zip").write_bytes(locked)
    with pytest.raises(EmomapError, match="encrypted"):
        Member(tmp_path / "b.zip", "a.jpg").read()


def test_damaged_archives(tmp_path: Path) -> None:
    whole = packed(tmp_path / "a.zip", {"a.jpg": jpeg() * 50}).read_bytes()
    broken = bytearray(whole)
    broken[60] ^= 255
    (tmp_path / "a.zip").write_bytes(broken)
    with pytest.raises(EmomapError, match=r"a\.zip:a\.jpg: damaged in the archive"):
        Member(tmp_path / "a.zip", "a.jpg").read()
    (tmp_path / "b.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(EmomapError, match="neither a folder nor a zip archive"):
        open_dataset(tmp_path / "b.zip")
    with pytest.raises(EmomapError, match="no such file in the archive"):
        Member(packed(tmp_path / "c.zip", {"a.jpg": jpeg()}), "b.jpg").read()


def zipped(members: dict[str, bytes]) -> bytes:
    data = bytes_io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def test_archives_in_an_archive_are_its_folders(tmp_path: Path) -> None:
    table = {"a.csv": b"x,y\n3,4\n"}
    whole = zipped({"images/a.jpg": jpeg(), "fixations/a.csv": table["a.csv"]})
    pictures = zipped({"images/a.jpg": jpeg()})  # as archivers pack a folder
    members = {"images.zip": pictures, "fixations.zip": zipped(table), "read me.txt": b"hello"}
    for name, content in (("a.zip", {"set.zip": whole}), ("b.zip", members)):
        found = open_dataset(packed(tmp_path / name, {**content, "__MACOSX/._c.zip": b"x"}))
        (sample,) = found.samples
        sample = pickle.loads(pickle.dumps(sample))  # as for another process
        assert sample.image().shape == (10, 20, 3)
        assert sample.gaze().points.tolist() == [[3, 4]]


def test_archives_in_an_archive_that_are_refused(tmp_path: Path) -> None:
    inner = zipped({"a.jpg": jpeg()})
    for content, message in (
        ({"in.zip": inner[:-30]}, r"a\.zip:in\.zip: damaged as a zip archive"),
        ({"in.zip": zipped({"../a.jpg": jpeg()})}, r"a\.zip:in\.zip: holds the member '../a.jpg'"),
        ({f"{n}.zip": inner for n in range(60)}, "holds 60 archives; unpack it first"),
        (
            {"in.zip": zipped({"b.zip": inner})},
            r"holds archives, which are not unpacked: in/b\.zip",
        ),
    ):
        with pytest.raises(EmomapError, match=message):
            open_dataset(packed(tmp_path / "a.zip", content))


def test_an_archive_beside_data_is_no_part_of_it(tmp_path: Path) -> None:
    content = {"images/a.jpg": jpeg(), "spare.zip": zipped({"b.jpg": jpeg()})}
    found = open_dataset(packed(tmp_path / "a.zip", content))
    assert [sample.id for sample in found] == ["images/a"]


def test_members_read_like_files(tmp_path: Path) -> None:
    member = Member(packed(tmp_path / "a.zip", {"sub/a.txt": "größe".encode()}), "sub/a.txt")
    assert member.name == "a.txt"
    assert str(member) == f"{tmp_path}/a.zip:sub/a.txt"
    assert member.open("r").read() == "größe"
    assert pickle.loads(pickle.dumps(member)).read() == "größe".encode()
    with pytest.raises(ValueError, match="can only be read"):
        member.open("wb")


# ---------------------------------------------------------------------------------------- bombs


def zeros(count: int) -> bytes:
    """Gzip-packed zeros, made piece by piece."""
    packer = zlib.compressobj(1)
    pieces = [packer.compress(bytes(2**22)) for _ in range(count // 2**22)]
    return b"".join([*pieces, packer.flush()])


def zip_bomb(path: Path, size: int, name: str) -> None:
    """A member of so many zeros, of which only the beginning is there: the size is what counts."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(2**20))
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", data, data.index(mark) + offset, size)
    path.write_bytes(data)


def png_bomb(path: Path, side: int) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zeros(2**24)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def test_bombs_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    """All in one process of their own, whose largest memory is looked at."""
    root = tmp_path / "set"
    picture(root / "images/good.jpg")
    png_bomb(root / "images/wide.png", 60_000)
    zip_bomb(tmp_path / "bomb.zip", MAX_MEMBER + 1, "a.jpg")
    zip_bomb(tmp_path / "ratio.zip", 2**26, "a.jpg")
    zip_bomb(tmp_path / "bomb.npz", MAX_MEMBER + 1, "map.npy")
    (tmp_path / "bomb.npy").write_bytes(header("(500000, 500000)") + bytes(64))
    with h5py.File(tmp_path / "bomb.mat", "w", userblock_size=512) as file:
        file.create_dataset("map", (400_000, 400_000), "f8", chunks=(64, 64), compression="gzip")
    level5 = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    packer = zlib.compressobj(1)
    body = packer.compress(struct.pack("<II", 14, 2**31)) + packer.compress(bytes(2**26))
    body += packer.flush()
    (tmp_path / "bomb5.mat").write_bytes(level5 + struct.pack("<II", 15, len(body)) + body)
    script = """
import sys
from pathlib import Path
from emomap import io
from emomap.io.archive import Member
from emomap.data.check import check
from emomap.errors import EmomapError
here = Path(sys.argv[1])
for name in ("bomb.npz", "bomb.npy", "bomb.mat", "bomb5.mat"):
    try:
        io.read_map(here / name)
    except EmomapError as error:
        print(error)
for name in ("bomb.zip", "ratio.zip"):
    try:
        Member(here / name, "a.jpg").read()
    except EmomapError as error:
        print(error)
found = check(here / "set", jobs=1, show=False)
print(found.problems["unreadable"][0])
# ru_maxrss would hand down the peak of the process that started this one
status = Path("/proc/self/status")
peak = [l for l in status.read_text().splitlines() if "VmHWM" in l] if status.exists() else []
print(peak[0].split()[1] if peak else 0)
"""
    ran = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    *lines, memory = ran.stdout.splitlines()
    assert len(lines) == 7
    for line, name in zip(
        lines,
        ("bomb.npz", "bomb.npy", "bomb.mat", "bomb5.mat", "bomb.zip", "ratio.zip", "wide.png"),
        strict=True,
    ):
        assert name in line
    if sys.platform == "linux":
        assert int(memory) < 400 * 1024  # KiB; importing alone takes about 100 MiB


def test_postscript_is_no_picture(tmp_path: Path) -> None:
    """Pillow would hand it to an interpreter."""
    Image.new("RGB", (20, 10)).save(tmp_path / "a.eps")
    (tmp_path / "a.eps").rename(tmp_path / "a.jpg")
    with pytest.raises(EmomapError, match="not a picture that can be read"):
        io.read_image(tmp_path / "a.jpg")
