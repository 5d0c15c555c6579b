"""A venue in a process of its own: ``python -m tests.recovery.served_venue FOLDER [DAY [FAULT]]``.

It lives in the morning of the DAY-th trading day from 2026-01-05 on (0 is the first), with a fault
of ``tests.recovery.faulty_disk``. Prints one line of JSON when it has recovered (the sequence
number and the digest), and a second one when its port is open and the morning has come.
"""

import asyncio
import datetime as dt
import json
import sys
from pathlib import Path

from engine.records import Phase
from gateway.disk import Disk
from gateway.limits import Limits
from gateway.sequencer import Clock
from gateway.serve import Options, running
from gateway.venue import Venue
from tests.e2e.live_venue import MORNING, LiveVenue, RunningClock
from tests.recovery.faulty_disk import FaultyDisk

DAYS = (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)  # after the first one, without weekends


async def main(folder: Path, day: int, disk: Disk) -> None:
    morning = MORNING + dt.timedelta(days=DAYS[day])

    def clock(venue: Venue) -> Clock:
        found = {"seq": venue.exchange.seq, "digest": venue.exchange.digest()}
        print(json.dumps(found), flush=True)
        return RunningClock(morning)

    fast = Limits(orders_per_second=0, questions_per_second=0)  # no limit
    options = Options(clock=clock, port=0, data_dir=folder, disk=disk, limits=fast)
    async with running(options) as server:
        venue = LiveVenue(server, RunningClock(morning), [])
        await venue.phase(Phase.MORNING)
        market = server.venue.exchange.state.market[0]
        while int(market["date"]) != int(f"{morning:%Y%m%d}"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await venue.phase(Phase.MORNING)
        print(json.dumps({"url": server.url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    fault = sys.argv[3] if len(sys.argv) > 3 else ""
    asyncio.run(
        main(
            Path(sys.argv[1]),
            int(sys.argv[2]) if len(sys.argv) > 2 else 0,
            FaultyDisk(fault) if fault else Disk(),
        )
    )
