"""The JavaScript bot of the docs on a real venue; the AsyncAPI document before the real parser."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import os
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.asyncapi import as_text, document, entries
from gateway.client import Client, OfficeClient
from gateway.serve import Running
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.e2e.node import installed

ROOT = Path(__file__).parents[2]
WITHIN_S = 20
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def bot_home() -> Iterator[Path]:
    with installed(ROOT / "docs/examples/javascript") as home:
        yield home


@pytest.fixture(scope="module")
def parser_home() -> Iterator[Path]:
    with installed(ROOT / "tests/e2e/asyncapi") as home:
        yield home


class Cable:
    """A way to the venue that can be cut and mended."""

    def __init__(self, venue: Running) -> None:
        self._venue = venue
        self._whole = True
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = ""

    @contextlib.asynccontextmanager
    async def laid(self) -> AsyncIterator[Cable]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self.cut()
            server.close()

    def cut(self) -> None:
        self._whole = False
        for writer in self._writers:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        far_reader, far_writer = await asyncio.open_connection(self._venue.host, self._venue.port)
        ends = {writer, far_writer}
        self._writers |= ends
        await asyncio.gather(self._one_way(reader, far_writer), self._one_way(far_reader, writer))
        self._writers -= ends

    @staticmethod
    async def _one_way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


class Bot:
    """The bot in a process of its own; what it prints is read line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[str] = []

    async def says(self, *beginnings: str) -> list[str]:
        """Return its next lines that begin with these, in this order; others are passed over."""
        return [await self._next(beginning) for beginning in beginnings]

    async def _next(self, beginning: str) -> str:
        assert self.process.stdout is not None
        async with asyncio.timeout(WITHIN_S):
            while line := (await self.process.stdout.readline()).decode().strip():
                self.lines.append(line)
                if line.startswith(beginning):
                    return line
        raise AssertionError(f"{beginning!r} was not said: {self.lines}")


@contextlib.asynccontextmanager
async def bot(
    home: Path, url: str, venue: LiveVenue, secret: str | None = None
) -> AsyncIterator[Bot]:
    key = venue.keys[0]
    environment = {"URL": url, "KEY": key.key_id, "SECRET": secret or key.secret}
    node = await asyncio.create_subprocess_exec(
        "node",
        "bot.js",
        cwd=home,
        env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Bot(node)
    finally:
        with contextlib.suppress(ProcessLookupError):
            node.kill()
        await node.wait()


async def test_the_bot_lists_takes_resumes_and_cancels(bot_home: Path, tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, Cable(venue.running).laid() as cable:
        operator_key = venue.running.venue.keys.create_office("exchange_operator", "Operator")
        other_key = venue.keys[1]
        async with (
            OfficeClient(venue.url, operator_key.key_id, operator_key.secret) as operator,
            Client(venue.url, other_key.key_id, other_key.secret) as other,
        ):
            await operator.halt_instrument("CEA25")
            async with bot(bot_home, cable.url, venue) as js:
                await js.says("day 20260105, 0 open orders", "refused instrument_halted: Trading")
                await operator.resume_instrument("CEA25")
                (listed,) = await js.says("listed 10 t at ")
                reference = reference_of(venue)
                assert listed.startswith(f"listed 10 t at {reference / 100:g} as ")
                cheap = await other.list("CEA25", "sell", price_ticks=reference - 5, qty=4)
                await js.says(f"bought 4 t at {(reference - 5) / 100:g}")
                cable.cut()
                await other.take(int(listed.split()[-1]), 10)
                cable.mend()
                await js.says("resumed after report ", f"sold 10 t at {reference / 100:g}")
                await js.says("listed 10 t at ")
                assert open_orders(venue, 0) == 1
                assert len([line for line in js.lines if line.startswith("sold")]) == 1
                js.process.send_signal(signal.SIGINT)
                await js.says("cancelled ", "bye logout")
                assert await js.process.wait() == 0
            assert cheap.order_no > 0
            assert open_orders(venue, 0) == 0
            assert 0 not in venue.running.venue.desk.sessions


async def test_a_bot_without_the_right_secret_gives_up(bot_home: Path, tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        bot(bot_home, venue.url.replace("http", "ws"), venue, secret="another") as js,
    ):
        await js.says("error bad_credentials: ")
        assert await asyncio.wait_for(js.process.wait(), WITHIN_S) == 1


def reference_of(venue: LiveVenue) -> int:
    exchange = venue.running.venue.exchange
    row = venue.running.venue.desk.instruments["CEA25"]
    return int(exchange.state.instruments[row]["reference_ticks"])


def open_orders(venue: LiveVenue, account: int) -> int:
    return int(venue.running.venue.exchange.state.accounts[account]["open_orders"])


def test_the_lock_files_name_no_host_of_packages() -> None:
    for project in ("docs/examples/javascript", "tests/e2e/asyncapi"):
        lock = json.loads((ROOT / project / "package-lock.json").read_text())
        for name, package in lock["packages"].items():
            if not name:
                wanted = json.loads((ROOT / project / "package.json").read_text())
                assert package["dependencies"] == wanted["dependencies"]
                continue
            found = package.get("resolved", "https://registry.npmjs.org/")
            assert found.startswith("https://registry.npmjs.org/"), (name, found)
            assert package["integrity"].startswith("sha512-"), name


async def test_the_venue_serves_the_document(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, httpx.AsyncClient() as client:
        answer = await client.get(venue.url + "/asyncapi.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.text == as_text()


# the official parser: the document is AsyncAPI, broken copies are not


def parsed(home: Path, file: Path) -> subprocess.CompletedProcess[str]:
    command = ["node", "check.js", str(file)]
    return subprocess.run(
        command, cwd=home, capture_output=True, text=True, timeout=120, check=False
    )


def _without_messages(copied: dict[str, Any]) -> None:
    del copied["components"]["messages"]["trade.client.list"]


def _with_a_wrong_example(copied: dict[str, Any]) -> None:
    listing = copied["components"]["messages"]["trade.client.list"]
    listing["examples"][0]["payload"]["qty_tonnes"] = "100"


def _with_another_action(copied: dict[str, Any]) -> None:
    copied["operations"]["trade.send"]["action"] = "shout"


HARMS: tuple[Callable[[dict[str, Any]], None], ...] = (
    _without_messages,
    _with_a_wrong_example,
    _with_another_action,
)


def test_the_official_parser_takes_the_document_and_no_broken_copy(
    parser_home: Path, tmp_path: Path
) -> None:
    done = parsed(parser_home, ROOT / "docs/asyncapi.json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["3.0.0", "4", str(len(entries()))]
    for harm in HARMS:
        broken = copy.deepcopy(document())
        harm(broken)
        file = tmp_path / "broken.json"
        file.write_text(json.dumps(broken))
        done = parsed(parser_home, file)
        assert done.returncode == 1, harm
        assert "trade" in done.stdout, done.stdout + done.stderr
