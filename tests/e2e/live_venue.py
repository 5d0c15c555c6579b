"""A real venue on a free port of 127.0.0.1 with funded accounts, for the tests of this folder."""

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.records import Phase
from gateway.daycycle import nanoseconds
from gateway.keys import Key
from gateway.limits import Limits
from gateway.serve import Options, Running, running
from registry.institution import Registry

MORNING = dt.datetime(2026, 1, 5, 9, 45)
CASH_FEN = 10**11
TONNES = 1_000_000


class RunningClock:
    """Starts at a moment of one's choice and runs as time does; ``leap_to`` jumps ahead."""

    def __init__(self, local: dt.datetime) -> None:
        self._start_ns = nanoseconds(local)
        self._began_ns = time.monotonic_ns()

    def now_ns(self) -> int:
        return self._start_ns + time.monotonic_ns() - self._began_ns

    async def wait_until(self, time_ns: int) -> None:
        while (left_ns := time_ns - self.now_ns()) > 0:  # noqa: ASYNC110 - it may leap
            await asyncio.sleep(min(left_ns / 1e9, 0.02))

    def leap_to(self, local: dt.datetime) -> None:
        self._start_ns += max(0, nanoseconds(local) - self.now_ns())


@dataclass
class LiveVenue:
    """A running venue, its clock and one key per account."""

    running: Running
    clock: RunningClock
    keys: list[Key]

    @property
    def url(self) -> str:
        return self.running.url

    async def phase(self, phase: Phase, within_s: float = 10) -> None:
        """Return once the exchange is in ``phase``."""
        async with asyncio.timeout(within_s):
            market = self.running.venue.exchange.state.market
            while int(market[0]["phase"]) != phase:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def settled(self) -> None:
        """Return once everything that was entered is applied."""
        venue = self.running.venue
        while venue.sequencer.next_seq - 1 > venue.exchange.seq:  # noqa: ASYNC110
            await asyncio.sleep(0.005)


def fund(folder: Path, accounts: int, *, cash_fen: int = CASH_FEN, tonnes: int = TONNES) -> None:
    """Open accounts at the registry, each with money and tonnes of CEA24 and CEA25."""
    folder.mkdir(parents=True, exist_ok=True)
    registry = Registry.open(f"sqlite:///{folder / 'registry.db'}")
    rows = registry.open_accounts([(f"E{n:04d}", f"Entity {n}") for n in range(accounts)])
    registry.deposit_many([(row, cash_fen) for row in rows])
    vintages = ("CEA24", "CEA25")
    registry.issue_many([(code, row, tonnes) for row in rows for code in vintages])
    registry.transfer_in_many([(row, code, tonnes) for row in rows for code in vintages])
    registry.close()


@contextlib.asynccontextmanager
async def live_venue(
    folder: Path,
    *,
    accounts: int = 3,
    local: dt.datetime = MORNING,
    limits: Limits | None = None,
    references: Mapping[str, int] | None = None,
) -> AsyncIterator[LiveVenue]:
    """Serve a venue in the morning of CEA25's first day until the block ends."""
    if not (folder / "registry.db").exists():
        fund(folder, accounts)
    clock = RunningClock(local)
    options = Options(
        clock=lambda _: clock,
        port=0,
        data_dir=folder,
        limits=limits or Limits(),
        references=references or {},
    )
    async with running(options) as server:
        keys = server.venue.keys.create_many([(row, f"key-{row}") for row in range(accounts)])
        venue = LiveVenue(server, clock, keys)
        await venue.phase(Phase.MORNING)
        yield venue
