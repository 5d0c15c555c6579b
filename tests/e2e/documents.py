"""What the docs show: their fenced blocks, and a terminal that plays a dialogue line by line."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.e2e.live_venue import LiveVenue

FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANEW = {"nonce", "time_us", "seq", "signature", "epoch", "orders_left"}  # other ones each time
WITHIN_S = 30
JSON_LINE = (Subprotocol("json.v1"),)
MORE = ",…}"


class Block(NamedTuple):
    """One fenced block: the words behind the fence, its text, and where it begins."""

    info: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    for found in FENCE.finditer(page):
        yield Block(found[1].strip(), found[2], page.count("\n", 0, found.start()) + 1)


def environment(venue: LiveVenue) -> dict[str, str]:
    """What the examples read: address, key and secret of the first account."""
    key = venue.keys[0]
    own = {"URL": venue.url.replace("http", "ws"), "KEY": key.key_id, "SECRET": key.secret}
    return os.environ | own


async def run(command: list[str], venue: LiveVenue | None, cwd: Path) -> str:
    """Run a program of the docs; return what it prints. It must end well, and in time."""
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=cwd,
        env=environment(venue) if venue else None,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr, done.stderr
    return done.stdout


async def run_python(text: str, venue: LiveVenue, cwd: Path) -> str:
    """Run a Python block in an interpreter of its own."""
    return await run([sys.executable, "-W", "error", "-c", text], venue, cwd)


async def run_shell(text: str, venue: LiveVenue | None, cwd: Path) -> str:
    """Run a shell block."""
    return await run(["bash", "-euo", "pipefail", "-c", text], venue, cwd)


class Terminal:
    """A person with a WebSocket client: says the ``>`` lines and compares the ``<`` lines.

    ``sign`` is the shell function ``login`` of the page: it makes the message to log in with.
    """

    def __init__(self, venue: LiveVenue, sign: str, cwd: Path) -> None:
        self.venue = venue
        self._sign, self._cwd = sign, cwd
        self._line: ClientConnection
        self._heard: list[dict[str, Any]] = []
        self._nonce = ""

    async def play(self, block: Block) -> None:
        """Play a block on a line of its own; without a first ``$`` line it is logged in before."""
        first, *rest = block.text.splitlines()
        begun = first.startswith("$ ")
        path = "/ws/md" if begun and "/ws/md" in first else "/ws/trade"
        assert not begun or first == f"$ wscat -c $URL{path} -s json.v1"
        url = environment(self.venue)["URL"] + path
        async with connect(url, subprotocols=JSON_LINE) as self._line:
            self._heard = []
            if not begun:
                await self._hear('{"type":"challenge",…}')
                await self._say('{"type":"login"}')
                await self._hear('{"type":"welcome",…}')
            for number, line in enumerate(rest if begun else [first, *rest], block.line + 2):
                try:
                    await (self._say if line.startswith("> ") else self._hear)(line[2:])
                except AssertionError as differs:
                    raise AssertionError(f"line {number} of the page: {line}\n{differs}") from None
            assert not self._heard, f"and more was said: {self._heard}"
            if '"logout"' not in block.text:
                await self._say('{"type":"logout"}')
                await self._hear('{"type":"bye",…}')

    async def _say(self, text: str) -> None:
        await self.venue.settled()
        if text.startswith('{"type":"login"'):
            text = await run_shell(f"{self._sign}\nlogin {self._nonce}", self.venue, self._cwd)
        await self._line.send(text.strip())

    async def _hear(self, text: str) -> None:
        if not self._heard:
            async with asyncio.timeout(WITHIN_S):
                frame = json.loads(await self._line.recv())
            self._heard = frame if isinstance(frame, list) else [frame]
        said = self._heard.pop(0)
        self._nonce = said.get("nonce", self._nonce)
        whole = not text.endswith(MORE)
        shown = json.loads(text if whole else text.removesuffix(MORE) + "}")
        fields = [*said] if whole else [name for name in said if name in shown]
        assert [*shown] == fields, f"said was {said}"
        for name in fields:
            assert type(said[name]) is type(shown[name]), f"said was {said}"
            assert name in ANEW or said[name] == shown[name], f"said was {said}"
