"""TLS by option: https and wss with a certificate, plain http refused; who may connect from where.

The certificate is made by the test with the ``openssl`` program.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway.client import Client
from gateway.keys import Key
from gateway.serve import Options, Running, running
from tests.e2e.live_venue import MORNING, RunningClock, fund

pytestmark = pytest.mark.anyio
PAGE = "https://desk.example"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that signs itself, for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    openssl = shutil.which("openssl")
    assert openssl is not None, "this test needs the openssl program"
    paths = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *(
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=venue",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ),
            *("-out", str(paths[0]), "-keyout", str(paths[1])),
        ],
        check=True,
        capture_output=True,
    )
    return paths


@asynccontextmanager
async def served(
    folder: Path, tls: tuple[Path, Path] | None, origins: tuple[str, ...] = ()
) -> AsyncIterator[tuple[Running, Key]]:
    fund(folder, 1)
    clock = RunningClock(MORNING)
    options = Options(
        clock=lambda _: clock,
        port=0,
        data_dir=folder,
        origins=origins,
        tls_certificate=tls[0] if tls else None,
        tls_key=tls[1] if tls else None,
    )
    async with running(options) as server:
        yield server, server.venue.keys.create(0)


async def test_https_and_wss_are_spoken_and_nothing_else(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    trusting = ssl.create_default_context(cafile=str(certificate[0]))
    async with served(tmp_path, certificate) as (server, key):
        assert server.url.startswith("https://127.0.0.1:")
        async with httpx.AsyncClient(base_url=server.url, verify=trusting) as web:
            assert (await web.get("/healthz")).json()["status"] == "ok"
        address = server.url.replace("https", "wss") + "/ws/trade"
        async with connect(address, ssl=trusting, subprotocols=["json.v1"]) as line:
            assert "challenge" in str(await line.recv())
        with pytest.raises(ssl.SSLError):
            await connect(address)  # nobody vouches for it
        plain = server.url.replace("https", "http")
        async with httpx.AsyncClient(base_url=plain) as web:
            with pytest.raises(httpx.HTTPError):
                await web.get("/healthz")
        assert key.key_id


async def test_a_key_that_is_not_the_certificates_stops_the_start(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    with pytest.raises(OSError, match=r"PEM|\[SSL|No such file"):
        async with served(tmp_path / "a", (certificate[0], certificate[0])):
            pass
    with pytest.raises(OSError, match="No such file"):
        async with served(tmp_path / "b", (certificate[0], tmp_path / "none.pem")):
            pass


@pytest.mark.parametrize("path", ["/ws/trade", "/ws/md"])
async def test_pages_of_other_origins_are_refused_and_allowed_ones_come_in(
    tmp_path: Path, path: str
) -> None:
    """F29: a page in a trader's browser names its origin; a program names none."""
    async with served(tmp_path, None, (PAGE,)) as (server, key):
        address = server.url.replace("http", "ws") + path
        for allowed in (PAGE, server.url, f"http://localhost:{server.port}", None):
            async with connect(address, origin=allowed):
                pass
        for other in (PAGE + ".evil", "https://evil.example", "null", PAGE + ":444", "", PAGE[:-1]):
            with pytest.raises(InvalidStatus, match="403"):
                await connect(address, origin=other)
        async with Client(server.url, key.key_id, key.secret) as line:
            assert line.welcome is not None


async def test_a_certificate_from_the_command_line(
    tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    """``tanshi serve --tls CERTIFICATE KEY`` in a process of its own."""
    program = Path(__file__).parents[2] / "tanshi.py"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), "serve", "--port", "0"),
        *("--clock", "demo", "--data", str(tmp_path / "venue")),
        *("--tls", str(certificate[0]), str(certificate[1])),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(120):
            said = (await process.stdout.readline()).decode()
            while "https://127.0.0.1:" not in said:
                said = (await process.stdout.readline()).decode()
                assert said, "it did not start"
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
