"""Files of per-image values: every format is read back without loss."""

from __future__ import annotations

from pathlib import Path

import pytest

from emomap.scoring import per_image
from emomap.scoring.per_image import PerImage
from emomap.scoring.protocol import Protocol

SIGNATURE = Protocol(("cc", "kl")).signature()


@pytest.mark.parametrize("suffix", per_image.SUFFIXES)
def test_per_image_files_read_back_exactly(tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    written = PerImage({"a/1": {"cc": 0.1 + 0.2, "kl": 1e-17}, "日,2": {"cc": -1.0, "kl": 2.0}})
    written = PerImage(written.values, SIGNATURE, "ours", "set")
    path = tmp_path / f"ours{suffix}"
    per_image.write(path, written)
    back = per_image.read(path)
    assert back.values == written.values
    assert back.method == "ours"
    assert [back.signed(m) for m in ("cc", "kl")] == [written.signed(m) for m in ("cc", "kl")]
