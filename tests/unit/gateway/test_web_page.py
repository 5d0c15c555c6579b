"""The trading page as it is served: its files, its policy, and the vendored libraries."""

from __future__ import annotations

import hashlib
import re
import tomllib
from fnmatch import fnmatch

import httpx
import pytest
from fastapi import FastAPI

from gateway.app import create_app
from gateway.web_page import DOCUMENT, FOLDER, files, page_routes

pytestmark = pytest.mark.anyio
OWN = [name for name in files() if not name.startswith("vendor/")]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def browser() -> httpx.AsyncClient:
    app = create_app([])
    for path in ("", "/ccer"):
        app.include_router(page_routes(path))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://venue")


def directives(policy: str) -> dict[str, str]:
    """Return what a policy says, by directive."""
    return {name: rest for name, _, rest in (part.partition(" ") for part in policy.split("; "))}


@pytest.mark.parametrize("path", ["", "/ccer"])
async def test_every_file_of_the_page_is_served_under_its_market(path: str) -> None:
    async with browser() as client:
        page = await client.get(path + "/")
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert page.content == (FOLDER / DOCUMENT).read_bytes()
        for name in files():
            answer = await client.get(f"{path}/web/{name}")
            assert answer.content == (FOLDER / name).read_bytes(), name
        script = await client.get(f"{path}/web/main.js")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_nothing_else_is_served() -> None:
    async with browser() as client:
        for name in ("../keys.py", "..%2Fkeys.py", "README.md", "", "vendor", "/etc/passwd"):
            answer = await client.get(f"/web/{name}")
            assert answer.status_code == 404, name
        assert (await client.get("/web/nothing.js")).json()["code"] == "unknown_file"


async def test_the_policy_lets_the_page_run_and_reach_its_own_venue_only() -> None:
    async with browser() as client:
        for address in ("/", "/web/main.js", "/web/vendor/msgpack-3.1.3.js"):
            headers = (await client.get(address)).headers
            policy = directives(headers["content-security-policy"])
            assert policy["default-src"] == "'none'"
            for name in ("script-src", "style-src", "img-src", "connect-src"):
                assert policy[name] == "'self'"
            for name in ("base-uri", "form-action", "frame-ancestors", "trusted-types"):
                assert policy[name] == "'none'"
            assert policy["require-trusted-types-for"] == "'script'"
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"


async def test_a_browser_that_has_a_file_is_not_sent_it_again() -> None:
    async with browser() as client:
        first = await client.get("/web/style.css")
        again = await client.get("/web/style.css", headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        other = await client.get("/web/style.css", headers={"If-None-Match": '"other"'})
        assert other.status_code == 200


async def test_pages_are_not_in_the_rest_document() -> None:
    app = FastAPI()
    app.include_router(page_routes(""))
    assert app.openapi()["paths"] == {}


def test_every_file_of_the_page_is_packaged() -> None:
    project = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    missing = [name for name in files() if not any(fnmatch(name, each) for each in patterns)]
    assert missing == []
    assert {DOCUMENT, "main.js", "NOTICE.txt", "vendor/msgpack.LICENSE.txt"} <= set(files())


def test_vendored_files_are_those_that_the_readme_names() -> None:
    named = dict(
        re.findall(
            r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (FOLDER / "README.md").read_text(), re.M
        )
    )
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (FOLDER / "vendor").iterdir()
    }
    assert found == named
    notice = files()["NOTICE.txt"].content.decode()
    assert "TradingView" in notice
    assert "https://www.tradingview.com/" in files()[DOCUMENT].content.decode()


@pytest.mark.parametrize("name", OWN)
def test_own_files_hold_no_markup_in_scripts_and_no_foreign_address(name: str) -> None:
    text = files()[name].content.decode()
    if name == DOCUMENT:
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|javascript:", text)
    if name.endswith(".js"):
        banned = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
        assert not re.search(banned, text)
    addresses = set(re.findall(r"https?://[^\s\"'<>)]+", text))
    allowed = {"https://www.tradingview.com/", "http://www.w3.org/2000/svg", "http://127.0.0.1."}
    assert {each.rstrip('"') for each in addresses} <= allowed
    for line in text.splitlines():
        assert len(line) <= 100 or name == "icon.svg", line
    assert len(text.splitlines()) <= 400
