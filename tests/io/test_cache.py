"""Files by address: paths, URLs, the Hub; hashes, and what happens without a network."""

from __future__ import annotations

import hashlib
import http.server
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from emomap.errors import EmomapError, UsageError
from emomap.io.cache import local_file

CONTENT = b"weights"
DIGITS = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a folder with one file, `model.onnx`."""
    monkeypatch.setenv("EMOMAP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "model.onnx").write_bytes(CONTENT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_a_url_is_downloaded_once(server: str, tmp_path: Path) -> None:
    file = local_file(f"{server}/model.onnx", sha256=DIGITS)
    assert file.read_bytes() == CONTENT
    assert tmp_path / "home" in file.parents
    (tmp_path / "served/model.onnx").unlink()
    assert local_file(f"{server}/model.onnx", sha256=DIGITS) == file


def test_a_download_with_another_hash_is_refused_and_not_kept(server: str, tmp_path: Path) -> None:
    with pytest.raises(EmomapError) as caught:
        local_file(f"{server}/model.onnx", sha256="0" * 64)
    assert f"{server}/model.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "home").rglob("*model.onnx"))


def test_a_kept_file_that_was_damaged_is_noticed(server: str) -> None:
    file = local_file(f"{server}/model.onnx", sha256=DIGITS)
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(EmomapError, match=r"SHA-256.*remove it"):
        local_file(f"{server}/model.onnx", sha256=DIGITS)


def test_what_cannot_be_downloaded_says_what_to_do(server: str) -> None:
    for address in (f"{server}/none.onnx", "http://127.0.0.1:9/model.onnx"):
        with pytest.raises(EmomapError, match=r"cannot be downloaded.*; take another") as caught:
            local_file(address, sha256=DIGITS, remedy="take another")
        assert "\n" not in str(caught.value)


def test_a_path_is_itself(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    with pytest.raises(EmomapError, match="there is no such file"):
        local_file(str(file))
    file.write_bytes(CONTENT)
    assert local_file(str(file)) == file
    assert local_file(str(file), sha256=DIGITS[:8].upper()) == file
    with pytest.raises(EmomapError, match="SHA-256"):
        local_file(str(file), sha256="12345678")
    with pytest.raises(EmomapError):
        local_file(str(tmp_path))


def test_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(repository: str, file: str, revision: str | None = None) -> str:
        asked.append((repository, file, revision))
        (tmp_path / "a.onnx").write_bytes(CONTENT)
        return str(tmp_path / "a.onnx")

    monkeypatch.setattr(hub, "hf_hub_download", download)
    assert local_file("hf://me/it/some/model.onnx", sha256=DIGITS).read_bytes() == CONTENT
    local_file("hf://me/it@v2/model.onnx")
    assert asked == [("me/it", "some/model.onnx", None), ("me/it", "model.onnx", "v2")]
    for wrong in ("hf://me/it", "hf://me", "hf://"):
        with pytest.raises(UsageError, match="hf://USER/REPOSITORY/FILE"):
            local_file(wrong)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(UsageError, match=r"pip install 'emomap\[hub\]'"):
        local_file("hf://me/it/model.onnx")


def test_the_hubs_offline_mode_is_respected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub")
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EmomapError, match=r"hf://me/it/model.onnx: cannot be downloaded"):
        local_file("hf://me/it/model.onnx")
