"""F14: without a free descriptor new lines are refused or wait, old ones go on."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gateway.client import Client
from gateway.keys import Key, Keys
from tests.e2e.live_venue import fund
from tests.recovery.test_kill import Served

EXTRA = 24


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    fund(tmp_path, 2)
    return tmp_path


def test_old_lines_live_while_no_descriptor_is_left(folder: Path) -> None:
    keys = Keys(folder / "keys.json").create_many([(0, "old"), (1, "new")])
    served = Served(folder)
    try:
        url = served.ready()["url"]
        asyncio.run(_starve(url, served.process.pid, keys))
        assert served.process.poll() is None
    finally:
        served.kill()


async def _starve(url: str, pid: int, keys: list[Key]) -> None:
    old, new = (Client(url, key.key_id, key.secret) for key in keys)
    address = urlsplit(url)
    async with old:
        await old.list("CEA25", "sell", price_ticks=7500, qty=1)
        highest = max(map(int, os.listdir(f"/proc/{pid}/fd")))
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, hard))
        extra = [
            socket.create_connection((address.hostname, address.port or 80)) for _ in range(EXTRA)
        ]
        await asyncio.sleep(0.3)
        held = len(os.listdir(f"/proc/{pid}/fd"))
        assert held >= highest, "it is not starved"
        for number in range(20):
            await old.list("CEA25", "sell", price_ticks=7501 + number, qty=1)
        with pytest.raises((TimeoutError, OSError)):
            async with asyncio.timeout(1):
                await new.__aenter__()
        for each in extra:
            each.close()
        await asyncio.sleep(1.5)  # asyncio looks for descriptors again after a second
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        async with asyncio.timeout(10), Client(url, keys[1].key_id, keys[1].secret) as later:
            await later.list("CEA25", "sell", price_ticks=7600, qty=1)
