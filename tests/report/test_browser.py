"""The report in headless Chromium: layout, sorting, filters, copying, and no name that is run."""

from __future__ import annotations

import json
import queue
import re
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from emomap.report import write

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

#: Runs inside the page, after its own script, and reports what it finds.
PROBE = (Path(__file__).parent / "probe.js").read_text("utf-8")


def chromium(tmp_path: Path, page: Path, *flags: str) -> str:
    """What Chromium prints for a page."""
    assert CHROMIUM
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    ran = subprocess.run(
        [CHROMIUM, *FLAGS, profile, *flags, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ran.stdout


@pytest.fixture(scope="module")
def report(made: Path) -> Path:
    return write(made / "run", made / "report.html")


def probed(report: Path, tmp_path: Path, width: int) -> dict[str, Any]:
    """What the probe finds in a copy of the page without the policy that would stop it.

    The page is in a frame, since a window cannot be as narrow as a phone.
    """
    text = re.sub(r'<meta http-equiv="Content-Security-Policy".*?>', "", report.read_text("utf-8"))
    pages = {
        "/page": text.replace("<head>", f"<head><script>{PROBE}</script>", 1),
        "/": f'<!doctype html><body style="margin:0"><iframe src="/page" '
        f'style="border:0;width:{width}px;height:900px"></iframe>',
    }
    answers: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200 if self.path in pages else 404, pages.get(self.path, ""))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(200, "")
            answers.put(json.loads(body))

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            """Log nothing, since the test says what went wrong."""

    assert CHROMIUM
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", address]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            return answers.get(timeout=120)
        finally:
            browser.terminate()
            server.shutdown()
            server.server_close()


@pytest.mark.parametrize("width", [390, 1400])
def test_it_works_and_fits(report: Path, tmp_path: Path, width: int) -> None:
    found = probed(report, tmp_path, width)
    assert found["width"] == width
    assert found["wide"] == []
    assert found["overflow"] <= 0
    assert found["alerts"] == []
    assert found["errors"] == []
    assert [url for url in found["resources"] if not url.endswith("/favicon.ico")] == []
    assert found["broken"] == 0
    assert found["unreachable"] == 0
    assert found["small"] == 0
    assert found["opened"] == found["figures"] > 30
    first, right, down, left, up = found["turned"]
    assert first.endswith(": image") and right.endswith(": people's gaze")
    assert down.split(": ")[1] == right.split(": ")[1] and down != right
    assert left.split(": ")[0] == down.split(": ")[0] and up == first
    assert found["download"] == "data:image/png;base64,"
    assert found["focused"]
    filled = [value for value in found["first"] if value]
    assert filled == sorted(filled, key=float)
    values = [float(value) for value in found["sorted"] if value]
    assert values == sorted(values, reverse=True)
    assert found["aria"] == "descending"
    assert [float(v) for v in found["reversed"] if v] == values[::-1]
    assert 0 < found["best"] < found["cards"] == found["all"]
    assert found["opacity"] == "0.4"
    assert found["metrics"] == ["nss"]
    assert (found["rows"], found["more"]) == (20, 50)
    assert found["searched"] == ["<img src onerror>"]


def test_its_own_policy_lets_its_own_script_run(report: Path, tmp_path: Path) -> None:
    """The unchanged page: its policy has the hash of the script, which fills the table."""
    dumped = chromium(tmp_path, report, "--dump-dom")
    table = dumped[dumped.index('id="every"') :]
    assert table.count("<tr>") > 20


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(report: Path, tmp_path: Path, dark: bool) -> None:
    """The page follows the reader's system, with enough contrast in both (WCAG: 7 to 1)."""
    picture = tmp_path / "page.png"
    scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
    chromium(tmp_path, report, scheme, "--window-size=1400,1000", f"--screenshot={picture}")
    with Image.open(picture) as shot:
        grey = np.asarray(shot.convert("L"), dtype=float) / 255
    assert grey.shape == (1000, 1400)
    paper = np.median(grey)
    assert paper < 0.2 if dark else paper > 0.9
    light, other = max(paper, np.quantile(grey, 0.999)), min(paper, np.quantile(grey, 0.001))
    assert (light**2.2 + 0.05) / (other**2.2 + 0.05) > 7
