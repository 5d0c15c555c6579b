"""A venue in a process of its own, so that its memory and descriptors can be looked at.

``python -m tests.security.served_apart FOLDER LIMITS DESCRIPTORS`` serves and prints its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from gateway.keys import Key, Keys
from gateway.limits import Limits
from gateway.serve import Options, Running, run
from tests.e2e.live_venue import MORNING, RunningClock, fund

ROOT = Path(__file__).parents[2]
START_WITHIN_S = 150  # the first start after a change of the engine compiles


@dataclass
class Apart:
    """A running venue: its address, its process, a key per account."""

    url: str
    pid: int
    keys: list[Key]
    process: asyncio.subprocess.Process

    @property
    def memory_bytes(self) -> int:
        """What of its memory is in use now."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))


@contextlib.asynccontextmanager
async def served_apart(
    folder: Path, accounts: int, limits: Limits, descriptors: int = 0
) -> AsyncIterator[Apart]:
    """Serve a funded venue in its morning until the block ends; it must still be alive then."""
    fund(folder, accounts)
    keys = Keys(folder / "keys.json").create_many([(n, f"key-{n}") for n in range(accounts)])
    arguments = (str(folder), json.dumps(asdict(limits)), str(descriptors))
    log = folder / "log.txt"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, *arguments),
            cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_WITHIN_S):
            url = json.loads(await process.stdout.readline())["url"]
            async with httpx.AsyncClient(base_url=url) as web:
                while (await web.get("/healthz")).json()["phase"] != "morning":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        yield Apart(url, process.pid, keys, process)
        assert process.returncode is None, "the venue has died"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.communicate()
        sys.stderr.write(f"exit code {process.returncode}; {log.read_text()[-4000:]}\n")


def main() -> None:
    """Serve until a signal."""
    folder, limits, descriptors = sys.argv[1:]
    if int(descriptors):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(descriptors), int(descriptors)))
    options = Options(
        clock=lambda _: RunningClock(MORNING),
        port=0,
        data_dir=Path(folder),
        limits=Limits(**json.loads(limits)),
    )

    def ready(server: Running) -> None:
        sys.stdout.write(json.dumps({"url": server.url}) + "\n")
        sys.stdout.flush()

    run(options, ready=ready)


if __name__ == "__main__":
    main()
