"""How a command ends when the system asks it to: SIGTERM as Ctrl-C, and soon.

`kill`, a batch queue and a closed terminal send a signal that ends a process where it stands, with
its temporary files and worker processes left behind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

#: Seconds that a command has to clean up before it is ended, for instance within a long computation
#: that does not look at signals.
GRACE = 1.0


@contextlib.contextmanager
def asked_to_end() -> Iterator[None]:
    """Raise `KeyboardInterrupt` in the block on SIGTERM, or when the terminal is closed.

    After the block the process ends with 128 + the number of the signal, as a shell expects.
    Signals that the caller ignores, as `nohup` does, stay ignored. Only the main thread can be
    asked, so elsewhere this does nothing; neither does it on Windows.
    """
    # the process that watches over semaphores would warn of what a killed command left to it
    _quieten("ignore:resource_tracker")
    if sys.platform == "win32" or threading.current_thread() is not threading.main_thread():
        yield
        return
    asked: list[int] = []

    def ask(number: int, frame: Any) -> None:
        asked.append(number)
        if len(asked) == 1:  # a second signal does not disturb the cleaning up
            raise KeyboardInterrupt

    signals = (signal.SIGTERM, signal.SIGHUP)
    kept = {name: signal.getsignal(name) for name in signals}
    wanted = [name for name in signals if kept[name] != signal.SIG_IGN]
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(reading, set(wanted)), daemon=True).start()
    for name in wanted:
        signal.signal(name, ask)
    try:
        yield
    finally:
        if asked:
            _leave(128 + asked[0])
        for name in wanted:
            signal.signal(name, kept[name])
        signal.set_wakeup_fd(before)
        os.close(writing)


def end_workers() -> None:
    """End the worker processes of the command, if it has started any."""
    pool: Any = sys.modules.get("emomap.parallel")  # not loaded for the sake of its workers
    if pool is not None:
        pool.end_workers()


def _watch(reading: int, numbers: set[int]) -> None:
    """End the process some time after one of these signals, whatever it is doing.

    The interpreter writes the number of a signal to the pipe at once, while the main thread hears
    of it only between two instructions.
    """
    while number := os.read(reading, 1):
        if number[0] in numbers:
            time.sleep(GRACE)
            os._exit(128 + number[0])
    os.close(reading)


def _leave(code: int) -> None:
    """End the process without unloading its modules, which takes seconds after a training run."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    with contextlib.suppress(ChildProcessError):  # there is none any more
        for _ in range(10):  # let workers that were killed go first
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            time.sleep(0.02)
    os._exit(code)


def _quieten(rule: str) -> None:
    """Add a rule to the warnings of processes that this one starts."""
    rules = os.environ.get("PYTHONWARNINGS", "")
    if rule not in rules.split(","):
        os.environ["PYTHONWARNINGS"] = f"{rules},{rule}" if rules else rule
