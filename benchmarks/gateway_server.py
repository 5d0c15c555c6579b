"""The venue under load: the server of ``tanshi serve`` in a process and on a core of its own.

    python -m benchmarks.gateway_server FOLDER ACCOUNTS [CORE]

Two things differ: the clock starts on a trading morning whatever the time of day, and the rates an
account may send at are set so high that nobody reaches them (they are metered all the same). Once
the accounts are funded and trading is open it prints one line of JSON: port, keys, instrument and
price limits. SIGTERM ends it.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import os
import sys
import time
from pathlib import Path

from engine.records import Phase
from gateway.bulletin_files import BulletinFiles
from gateway.daycycle import nanoseconds
from gateway.limits import Limits
from gateway.serve import Options, Running, run
from registry.institution import Registry

MORNING = dt.datetime(2026, 1, 5, 9, 45)
INSTRUMENT = "CEA25"
CASH_FEN = 10**11
TONNES = 1_000_000
UNREACHED = 10**9
LIMITS = Limits(
    orders_per_second=UNREACHED,
    orders_burst=UNREACHED,
    questions_per_second=UNREACHED,
    questions_burst=UNREACHED,
)


class MorningClock:
    """Starts in the morning of a trading day and runs as time does."""

    def __init__(self) -> None:
        self._start_ns = nanoseconds(MORNING) - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return nanoseconds since 1970 (UTC)."""
        return self._start_ns + time.monotonic_ns()

    async def wait_until(self, time_ns: int) -> None:
        """Return once ``now_ns()`` has reached ``time_ns``."""
        while (left_ns := time_ns - self.now_ns()) > 0:  # noqa: ASYNC110 - nobody signals time
            await asyncio.sleep(min(left_ns / 1e9, 0.25))


def fund(folder: Path, accounts: int) -> None:
    """Open accounts at the registry, each with money and tonnes."""
    folder.mkdir(parents=True, exist_ok=True)
    with Registry.open(f"sqlite:///{folder / 'registry.db'}") as registry:
        rows = registry.open_accounts([(f"L{n:04d}", f"Load {n}") for n in range(accounts)])
        registry.deposit_many([(row, CASH_FEN) for row in rows])
        registry.issue_many([(INSTRUMENT, row, TONNES) for row in rows])
        registry.transfer_in_many([(row, INSTRUMENT, TONNES) for row in rows])


async def announce(running: Running, accounts: int) -> None:
    """Print the line of JSON once trading is open and everybody is funded."""
    venue = running.venue
    state = venue.exchange.state
    instrument = -1
    while (
        instrument < 0
        or state.market[0]["phase"] != Phase.MORNING
        or not _funded(
            venue.exchange.state.holdings[:accounts, instrument]["available_tonnes"].tolist(),
            accounts,
        )
    ):
        await asyncio.sleep(0.02)
        instrument = venue.desk.instruments.get(INSTRUMENT, -1)
    row = state.instruments[instrument]
    line = {
        "port": running.port,
        "keys": venue.keys.create_many([(n, f"load-{n}") for n in range(accounts)]),
        "instrument": INSTRUMENT,
        "reference_ticks": int(row["reference_ticks"]),
        "lower_limit_ticks": int(row["lower_limit_ticks"]),
        "upper_limit_ticks": int(row["upper_limit_ticks"]),
        "open_orders_max": int(state.rules[0]["open_orders_max"]),
    }
    print(json.dumps(line), flush=True)  # noqa: T201 - the parent reads it


def _funded(tonnes: list[int], accounts: int) -> bool:
    return len(tonnes) == accounts and all(qty == TONNES for qty in tonnes)


def main(folder: Path, accounts: int, core: int | None) -> None:
    """Serve until SIGTERM."""
    if core is not None:
        os.sched_setaffinity(0, {core})
    logging.basicConfig(level=logging.WARNING)
    fund(folder, accounts)
    announcing: list[asyncio.Task[None]] = []

    def ready(running: Running) -> None:
        files = BulletinFiles(folder / "bulletins", running.venue.feed)
        running.venue.listeners.append(files.listen)
        announcing.append(asyncio.create_task(announce(running, accounts)))

    options = Options(clock=lambda _: MorningClock(), port=0, data_dir=folder, limits=LIMITS)
    run(options, ready=ready)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else None)
