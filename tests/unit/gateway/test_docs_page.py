"""The interactive page of the REST interface works without internet."""

from __future__ import annotations

import re

import httpx
import pytest

from gateway.app import create_app

pytestmark = pytest.mark.anyio
ADDRESS = re.compile(r"""(?:src|href)\s*=\s*["']([^"']+)["']|[uU]rl\s*:\s*["']([^"']+)["']""")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def reader() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=create_app([]))
    return httpx.AsyncClient(transport=transport, base_url="http://venue")


async def test_the_page_and_all_it_loads_come_from_the_venue() -> None:
    async with reader() as client:
        page = await client.get("/docs")
        assert page.status_code == 200
        assert "//" not in re.sub(r"(?m)^\s*//.*$|window\.location\.origin", "", page.text)
        found = {first or second for first, second in ADDRESS.findall(page.text)}
        kinds = {address.rpartition(".")[2] for address in found}
        assert {"js", "css", "json", "png"} <= kinds
        for address in found:
            assert address.startswith("/"), address
            loaded = await client.get(address)
            assert loaded.status_code == 200, address
            assert loaded.content
        assert (await client.get("/redoc")).status_code == 404


async def test_the_style_sheet_loads_nothing_from_elsewhere() -> None:
    async with reader() as client:
        page = (await client.get("/docs")).text
        (sheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
        style = (await client.get(sheet)).text
    targets = re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", style)
    assert all(target.strip("\"'").startswith("data:") for target, _ in targets)
    assert not any(imported for _, imported in targets)
