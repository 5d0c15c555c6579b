"""The other end of ``player.py``: a book in its process, asked line by line."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

ANSWER_WITHIN_S = 1_800.0
END_WITHIN_S = 30


class PlayerError(Exception):
    """A book cannot be played: its package raised, does not load, or ended the process."""


class Player:
    """A book's process, from the first line it says to the end of the block."""

    def __init__(self, adapter: str, folder: Path, within_s: float = ANSWER_WITHIN_S) -> None:
        self.within_s = within_s
        # Its own words are kept aside: a program that dies says why on standard error.
        self.words = tempfile.TemporaryFile(  # noqa: SIM115 - it lives as long as the process
            "w+", encoding="utf-8", errors="replace"
        )
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "benchmarks.peers.player", adapter, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.words,
            text=True,
            # The hash seed orders sets of text, and with them the work of some books.
            env={**os.environ, "PYTHONHASHSEED": "0"},
        )
        self.core: int | None = None

    def __enter__(self) -> Player:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, what: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if kind is not None:
            self.process.kill()
        with contextlib.suppress(BrokenPipeError):  # it ended before
            self.process.stdin.close()
        try:
            self.process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.words.close()

    def begin(self) -> None:
        """Wait until the stream is loaded and the book's package imported.

        Raises:
            PlayerError: it does not load.
        """
        self.core = self._answer()["core"]

    def ask(self, do: str, **more: object) -> dict[str, Any]:
        """Give one order and return its answer.

        Raises:
            PlayerError: the book raised, or its process ended or did not answer in time.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"do": do, **more}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise PlayerError(self._last_words()) from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        overdue = threading.Event()

        def end() -> None:
            overdue.set()
            self.process.kill()

        timer = threading.Timer(self.within_s, end)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if overdue.is_set():
            raise PlayerError(f"no answer within {self.within_s:g} s")
        if not line:
            raise PlayerError(self._last_words())
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise PlayerError(found["error"])
        return found

    def _last_words(self) -> str:
        """Say how the process ended, and the last line it wrote."""
        status = self.process.wait()
        self.words.seek(0)
        lines = self.words.read().strip().splitlines()
        return f"its process ended ({status})" + (f": {lines[-1]}" if lines else "")
