"""The program that uses emomap: reading pictures leaves its Pillow and its warnings as they are."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emomap import io
from emomap.errors import EmomapError

GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
#: Of the host: below a picture of 6 x 8, which Pillow would then refuse to open.
LIMIT = 20
#: Formats whose readers in Pillow do not look at the limit themselves.
FREE = ("png", "jpg", "bmp", "gif", "ppm")


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", LIMIT)
    yield LIMIT
    assert Image.MAX_IMAGE_PIXELS == LIMIT


def colour(path: Path, **how: object) -> Path:
    Image.fromarray(np.dstack([GREY, GREY // 2, GREY // 4])).save(path, **how)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("form", [*FREE, "tif", "webp"])
def test_pictures_beyond_the_hosts_limit_are_read(tmp_path: Path, form: str, limit: int) -> None:
    path = colour(tmp_path / f"a.{form}", **({"lossless": True} if form == "webp" else {}))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(path)
    assert io.read_image(path).shape == (6, 8, 3)
    assert io.image_size(path) == (6, 8)
    grey = tmp_path / f"grey.{form}"
    Image.fromarray(GREY).save(grey, **({"lossless": True} if form == "webp" else {}))
    if form != "jpg":
        np.testing.assert_array_equal(io.read_map(grey), GREY)


def test_pictures_beyond_emomaps_own_limit_are_refused(tmp_path: Path) -> None:
    """Whatever the host allows. Only the header is read."""
    before = Image.MAX_IMAGE_PIXELS
    Image.new("1", (8_000, 8_001)).save(tmp_path / "a.png")
    with pytest.raises(EmomapError, match=r"8000 x 8001 pixels is more than the 64,000,000"):
        io.image_size(tmp_path / "a.png")
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_large_picture_within_the_limit_is_read_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pillow itself warns from 89 million pixels and refuses from 179 million."""
    monkeypatch.setenv("EMOMAP_MAX_PIXELS", "200000000")
    Image.new("1", (20_000, 9_999)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert io.image_size(tmp_path / "a.png") == (9_999, 20_000)


@pytest.mark.parametrize("read", [io.read_image, io.read_map, io.image_size])
def test_nothing_of_the_host_changes_while_threads_read(
    tmp_path: Path, limit: int, read: Callable[[Path], object]
) -> None:
    paths = []
    for form in FREE:
        paths.append(tmp_path / f"a.{form}")
        Image.fromarray(GREY).save(paths[-1])
    filters = list(warnings.filters)
    seen: set[object] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.add(Image.MAX_IMAGE_PIXELS)
            seen.add(len(warnings.filters))

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, paths * 40))
    done.set()
    watcher.join()
    assert seen == {limit, len(filters)}
    assert warnings.filters == filters


def test_the_limit_is_back_after_threads_have_read_what_needs_it_lifted(
    tmp_path: Path, limit: int
) -> None:
    paths = [colour(tmp_path / "a.tif"), colour(tmp_path / "b.webp")]
    (tmp_path / "cut.tif").write_bytes(paths[0].read_bytes()[:-90])

    def read(path: Path) -> bool:
        try:
            return io.read_image(path).shape == (6, 8, 3)
        except EmomapError:
            return False

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, [*paths, tmp_path / "cut.tif"] * 30))
    assert found == [True, True, False] * 30
    assert limit == Image.MAX_IMAGE_PIXELS


def damaged_exif(path: Path) -> Path:
    """A picture whose EXIF promises more than it has."""
    return colour(path, exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x0f\x01\x02\0\xff\0\0\0\xff\0\0\0")


@pytest.mark.filterwarnings("default")
def test_warnings_are_the_hosts_to_filter(tmp_path: Path) -> None:
    path = damaged_exif(tmp_path / "a.jpg")
    with pytest.warns(UserWarning, match="EXIF"):
        assert io.read_image(path).shape == (6, 8, 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(EmomapError, match=r"a\.jpg: damaged or cut short \(.*[Tt]ag"):
            io.read_image(path)
