"""MATLAB files: the values that scipy reads, and nothing of what a hostile file asks for."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io

from emomap.errors import EmomapError
from emomap.io import matlab
from emomap.io.matlab.values import LIMIT

CORPUS = Path(scipy.io.__file__).parent / "matlab" / "tests" / "data"


def plain(value: Any) -> Any:
    """What scipy gives, in the values of `emomap.matlab`."""
    kinds = (
        scipy.io.matlab.MatlabFunction,
        scipy.io.matlab.MatlabObject,
        scipy.io.matlab.MatlabOpaque,
    )
    if value is None:
        return np.zeros((0, 0))
    if isinstance(value, kinds):
        return matlab.Opaque
    if hasattr(value, "toarray"):
        return value.toarray()
    if value.dtype.names:
        items = [{n: plain(e[n]) for n in value.dtype.names} for e in value.ravel(order="F")]
        return items[0] if len(items) == 1 else items
    if value.dtype == object:
        return [plain(element) for element in value.ravel(order="F")]
    if value.dtype.kind == "U":
        rows = [str(row).rstrip() for row in value.ravel()]
        return "" if not rows else rows[0] if len(rows) == 1 else rows
    return value


def assert_same(ours: Any, theirs: Any) -> None:
    if theirs is matlab.Opaque:
        assert isinstance(ours, matlab.Opaque)
    elif isinstance(theirs, np.ndarray):
        assert isinstance(ours, np.ndarray)
        assert ours.shape == theirs.shape
        assert np.array_equal(ours, theirs, equal_nan=ours.dtype.kind in "fc")
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for name, value in theirs.items():
            assert_same(ours[name], value)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
    else:
        assert ours.rstrip() == theirs


#: Kept by scipy to show what it refuses, or (the last two) read by it as something else.
DAMAGED = {
    "bad_miuint32", "bad_miutf8_array_name", "corrupted_zlib_checksum", "corrupted_zlib_data",
    "debigged_m4", "malformed1", "testhdf5_7.4_GLNX86",
}  # fmt: skip
DIFFERENT = {"nasty_duplicate_fieldnames", "test_empty_struct"}


@pytest.mark.parametrize(
    "file",
    [f for f in sorted(CORPUS.glob("*.mat")) if f.stem not in DAMAGED | DIFFERENT]
    or [pytest.param(None, marks=pytest.mark.skip(reason="scipy came without its test files"))],
    ids=lambda file: getattr(file, "stem", "none"),
)
def test_true_files_of_matlab_4_to_7(file: Path) -> None:
    """Files that MATLAB itself wrote, on several machines, as scipy's own tests hold them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = scipy.io.loadmat(file)
    ours = matlab.read(file)
    names = {name for name in theirs if not name.startswith("__")}
    assert set(ours) == names
    for name in names:
        assert_same(ours[name], plain(theirs[name]))


CONTENT = {
    "numbers": np.arange(12.0).reshape(3, 4),
    "small": np.array([[1, 2, 255]], dtype=np.uint8),
    "cube": np.arange(24, dtype=np.int16).reshape(2, 3, 4),
    "truth": np.array([[True, False]]),
    "wave": np.array([[1 + 2j, 3.5 - 1j]]),
    "text": "Größe 眼",
    "record": {"a": np.eye(2), "b": {"c": "deep"}},
    "empty": np.zeros((0, 3)),
}


@pytest.mark.parametrize("packed", [True, False])
def test_what_scipy_writes(tmp_path: Path, packed: bool) -> None:
    cell = np.empty((2, 2), dtype=object)
    cell[:] = [["a", np.ones(3)], [np.zeros((2, 2)), "d"]]
    content = {**CONTENT, "cell": cell, "sparse": scipy.sparse.eye(4, format="csc")}
    scipy.io.savemat(tmp_path / "a.mat", content, do_compression=packed, oned_as="row")
    ours = matlab.read(tmp_path / "a.mat")
    theirs = scipy.io.loadmat(tmp_path / "a.mat")
    assert ours["text"] == "Größe 眼"
    assert ours["cell"][0] == "a"
    assert ours["cell"][3] == "d"
    assert ours["record"]["b"]["c"] == "deep"
    for name in set(content) - {"text"}:
        assert_same(ours[name], plain(theirs[name]))


def test_level_4(tmp_path: Path) -> None:
    content = {name: CONTENT[name] for name in ("numbers", "wave")} | {"word": "abc"}
    scipy.io.savemat(tmp_path / "a.mat", content, format="4")
    ours = matlab.read(tmp_path / "a.mat")
    assert np.array_equal(ours["numbers"], CONTENT["numbers"])
    assert np.array_equal(ours["wave"], CONTENT["wave"])
    assert ours["word"] == "abc"


# ------------------------------------------------------------------------------------- version 7.3


def hdf5(path: Path, **content: Any) -> h5py.File:
    """A file as MATLAB 7.3 writes it: a user block, then HDF5; dictionaries are structs."""
    file = h5py.File(path, "w", userblock_size=512)
    for name, value in content.items():
        write(file, file, name, value)
    return file


def write(file: h5py.File, group: h5py.Group, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        item = group.create_group(name)
        kind = "struct"
        for key, part in value.items():
            write(file, item, key, part)
    elif isinstance(value, list):
        item = group.create_dataset(name, (1, len(value)), dtype=h5py.ref_dtype)
        kind = "cell"
        for at, part in enumerate(value):
            item[0, at] = write(file, file, f"#refs#/{name}{at}", part).ref
    elif isinstance(value, str):
        codes = np.frombuffer(value.encode("utf-16-le"), "<u2")
        item = group.create_dataset(name, data=codes[:, None])
        kind = "char"
    else:
        item = group.create_dataset(name, data=np.asarray(value).T)
        kind = {"b": "logical", "u": "uint8"}.get(np.asarray(value).dtype.kind, "double")
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item


def test_version_73(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    table = np.arange(6.0).reshape(2, 3)
    content = {"table": table, "text": "眼 eye", "cell": [table, "x", {"y": table}]}
    with hdf5(path, **content, record={"a": table, "inner": {"b": "deep"}}) as file:
        people = file.create_group("people")  # a struct array: references without a class
        people.attrs["MATLAB_class"] = np.bytes_("struct")
        fields = people.create_dataset("x", (1, 2), dtype=h5py.ref_dtype)
        for at in range(2):
            fields[0, at] = write(file, file, f"#refs#/p{at}", table + at).ref
        empty = file.create_dataset("empty", data=np.array([0, 3], dtype=np.uint64))
        empty.attrs["MATLAB_class"] = np.bytes_("double")
        empty.attrs["MATLAB_empty"] = np.uint8(1)
        sparse = file.create_group("sparse")
        sparse.attrs["MATLAB_sparse"] = np.uint64(3)
        sparse.create_dataset("data", data=[5.0, 7.0])
        sparse.create_dataset("ir", data=[2, 0])
        sparse.create_dataset("jc", data=[0, 1, 2])
        handle = file.create_dataset("handle", data=[1])
        handle.attrs["MATLAB_class"] = np.bytes_("function_handle")
    found = matlab.read(path)
    assert np.array_equal(found["table"], table)
    assert found["text"] == "眼 eye"
    assert np.array_equal(found["cell"][0], table)
    assert found["cell"][1] == "x"
    assert np.array_equal(found["cell"][2]["y"], table)
    assert found["record"]["inner"]["b"] == "deep"
    assert np.array_equal(found["people"][1]["x"], table + 1)
    assert found["empty"].shape == (0, 3)
    assert found["sparse"].tolist() == [[0, 7], [0, 0], [5, 0]]
    assert found["handle"] == matlab.Opaque("function handle")


def test_true_file_of_version_73() -> None:
    file = CORPUS / "testhdf5_7.4_GLNX86.mat"
    if not file.exists():
        pytest.skip("scipy came without its test files")
    assert np.allclose(matlab.read(file)["testdouble"], np.arange(9)[None] * np.pi / 4)


def refused(path: Path, message: str) -> None:
    with pytest.raises(EmomapError, match=message) as caught:
        matlab.read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_version_73_reaches_nothing_outside(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(b"12345678")
    with hdf5(tmp_path / "external.mat") as file:
        file.create_dataset("x", (1,), "f8", external=[(str(secret), 0, 8)])
    refused(tmp_path / "external.mat", "takes its values from another file")
    with hdf5(tmp_path / "other.mat", x=np.ones((1, 1))):
        pass
    with hdf5(tmp_path / "link.mat") as file:
        file["x"] = h5py.ExternalLink(str(tmp_path / "other.mat"), "/x")
    refused(tmp_path / "link.mat", "links are not followed")
    with hdf5(tmp_path / "virtual.mat") as file:
        layout = h5py.VirtualLayout((1, 1), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.mat"), "x", (1, 1))
        file.create_virtual_dataset("x", layout)
    refused(tmp_path / "virtual.mat", "takes its values from another file")


def test_version_73_reads_what_is_referred_to_again_once(tmp_path: Path) -> None:
    """Twenty cells of a hundred references each lead to 10**40 values, of which one is stored."""
    with hdf5(tmp_path / "a.mat") as file:
        before = file.create_dataset("leaf", data=np.ones((2, 3)))
        for level in range(20):
            cell = file.create_dataset(f"c{level}", (100, 1), dtype=h5py.ref_dtype)
            cell.attrs["MATLAB_class"] = np.bytes_("cell")
            cell[...] = [[before.ref]] * 100
            before = cell
    found = matlab.read(tmp_path / "a.mat")
    assert len(found["c19"]) == 100
    assert np.array_equal(found["c0"][99], found["leaf"])


def test_version_73_of_many_small_parts(tmp_path: Path) -> None:
    """Each part takes time, whether it is stored or only declared."""
    with hdf5(tmp_path / "chunks.mat") as file:
        file.create_dataset("x", (5000, 5000), "f8", chunks=(1, 1), compression="gzip")
    refused(tmp_path / "chunks.mat", "more than 100,000 chunks")
    with hdf5(tmp_path / "objects.mat") as file:
        for number in range(300):
            file[f"v{number}"] = 1.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("emomap.io.matlab.hdf5.MAX_OBJECTS", 299)
        refused(tmp_path / "objects.mat", "more than 299 objects")
    assert len(matlab.read(tmp_path / "objects.mat")) == 300


def test_version_73_bombs(tmp_path: Path) -> None:
    with hdf5(tmp_path / "declared.mat") as file:
        file.create_dataset("x", (2**20, 2**20), "f8", chunks=(64, 64))
    refused(tmp_path / "declared.mat", "more than 512 MiB")
    with hdf5(tmp_path / "zeros.mat") as file:
        file.create_dataset("x", (LIMIT // 8 + 1,), "u1", chunks=(2**20,), compression="gzip")
    refused(tmp_path / "zeros.mat", "more than 512 MiB")
    with hdf5(tmp_path / "chunk.mat") as file:
        item = file.create_dataset("x", (64,), "u1", chunks=(64,), compression="gzip")
        item.id.write_direct_chunk((0,), zlib.compress(bytes(2**24)))
    refused(tmp_path / "chunk.mat", "unpacks to more than its 64 bytes")
    with hdf5(tmp_path / "filter.mat") as file:
        file.create_dataset("x", data=np.zeros(64), chunks=(64,), compression="lzf")
    refused(tmp_path / "filter.mat", "only gzip is read")
    with hdf5(tmp_path / "loop.mat") as file:
        cell = file.create_dataset("x", (1, 2), dtype=h5py.ref_dtype)
        cell.attrs["MATLAB_class"] = np.bytes_("cell")
        cell[0, 0] = cell[0, 1] = cell.ref
    refused(tmp_path / "loop.mat", "'/x' contains itself")
    with hdf5(tmp_path / "words.mat") as file:
        file.create_dataset("x", data=["a", "b"], dtype=h5py.string_dtype())
    refused(tmp_path / "words.mat", "variable length")


# --------------------------------------------------------------------------------- hostile level 5

HEADER = b"MATLAB 5.0 MAT-file".ljust(124, b" ") + struct.pack("<H", 0x0100) + b"IM"


def element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + b"\0" * (-len(content) % 8)


def matrix(kind: int, shape: tuple[int, ...], rest: bytes = b"", name: bytes = b"x") -> bytes:
    flags = element(6, struct.pack("<II", kind, 0))
    dims = element(5, struct.pack(f"<{len(shape)}i", *shape))
    return element(14, flags + dims + element(1, name) + rest)


CELL, STRUCT, CHAR, SPARSE, DOUBLE, FUNCTION, OPAQUE = 1, 2, 4, 5, 6, 16, 17
NO_FIELDS = element(5, struct.pack("<i", 32)) + element(1, b"")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (matrix(CELL, (2**30, 2**30)), "values declared in"),
        (matrix(STRUCT, (2**30, 1), NO_FIELDS), "values declared in"),
        (matrix(DOUBLE, (2**30, 2), element(9, b"12345678")), "numbers where 2,147,483,648"),
        (matrix(DOUBLE, (-1, 2), element(9, b"")), "of the shape"),
        (matrix(SPARSE, (2**30, 2**30)), "more than 512 MiB"),
        (matrix(99, (1, 1)), "unknown class 99"),
        (matrix(DOUBLE, (1, 1)), "ends within a variable"),
        (struct.pack("<II", 14, 2**31) + b"abc", "an element of 2,147,483,648 bytes"),
        (element(9, b"12345678"), "where a matrix belongs"),
        (element(15, b"no zlib at all"), "damaged"),
    ],
    ids=["cell", "struct", "double", "negative", "sparse", "class", "cut", "size", "type", "zlib"],
)
def test_level_5_lies(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.mat").write_bytes(HEADER + content)
    refused(tmp_path / "a.mat", message)


def test_level_5_bombs(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    honest = zlib.compressobj(1)
    size = LIMIT + 2**20
    packed = honest.compress(struct.pack("<II", 14, size)) + honest.compress(bytes(2**24))
    path.write_bytes(HEADER + element(15, packed + honest.flush()))
    refused(path, "more than 512 MiB of memory.*; refused as a decompression bomb")
    lying = zlib.compress(struct.pack("<II", 14, 64) + bytes(2**24))
    path.write_bytes(HEADER + element(15, lying))
    refused(path, "not as long as it says")
    deep = matrix(DOUBLE, (0, 0), element(9, b""))
    for _ in range(2000):
        deep = matrix(CELL, (1, 1), deep, name=b"")
    path.write_bytes(HEADER + deep)
    refused(path, "nested more than 32 levels deep")


def test_level_4_lies(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(struct.pack("<5i", 0, 2**30, 2**30, 0, 2) + b"x\0")
    refused(path, "declared in 0 bytes")
    sparse = struct.pack("<5i", 2, 1, 3, 0, 2) + b"x\0" + struct.pack("<3d", 1e9, 1e9, 0)
    path.write_bytes(sparse)
    refused(path, "more than 512 MiB")


def test_function_handles_and_objects_stay_closed(tmp_path: Path) -> None:
    """They are named, and what stands beside them is still read."""
    handle = matrix(FUNCTION, (1, 1), matrix(DOUBLE, (0, 0), element(9, b"")), name=b"f")
    flags = element(6, struct.pack("<II", OPAQUE, 0))
    opaque = element(14, flags + element(1, b"o") + element(1, b"MCOS") + element(1, b"evil"))
    number = matrix(DOUBLE, (1, 1), element(9, struct.pack("<d", 4.5)), name=b"n")
    (tmp_path / "a.mat").write_bytes(HEADER + handle + opaque + number)
    found = matlab.read(tmp_path / "a.mat")
    assert found["f"] == matlab.Opaque("function handle")
    assert found["o"] == matlab.Opaque("object")
    assert found["n"].tolist() == [[4.5]]


@pytest.mark.parametrize(
    "content",
    [b"", b"MATLAB", b"\x89HDF\r\n\x1a\n" + b"x" * 99, b"hello " * 100, b"\0" * 300, HEADER[:100]],
)
def test_what_is_no_matlab_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mat").write_bytes(content)
    refused(tmp_path / "a.mat", "not a MATLAB file, or damaged")


def test_damaged_files_end_in_one_line(tmp_path: Path) -> None:
    """Every byte of a true file changed, and every length cut: read, or one clear line."""
    path = tmp_path / "a.mat"
    content = {"x": np.eye(3), "s": {"a": "b"}, "c": np.array([["q"]], dtype=object)}
    scipy.io.savemat(path, content)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for at in range(124, len(whole)):
        for damaged in (
            whole[:at],
            whole[:at] + bytes([int(rng.integers(256))]) + whole[at + 1 :],
        ):
            path.write_bytes(damaged)
            try:
                matlab.read(path)
            except EmomapError as error:
                assert "a.mat" in str(error)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(EmomapError, match=r"a\.mat: there is no such file"):
        matlab.read(tmp_path / "a.mat")


def test_cache_sees_a_changed_file(tmp_path: Path) -> None:
    import os

    path = tmp_path / "a.mat"
    scipy.io.savemat(path, {"x": 1.0})
    assert matlab.read_cached(path)["x"] == 1
    assert matlab.read_cached(path) is matlab.read_cached(path)
    scipy.io.savemat(path, {"x": 2.0})
    os.utime(path, ns=(1, 1))
    assert matlab.read_cached(path)["x"] == 2
