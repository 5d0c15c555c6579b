"""A venue in a process of its own, to be killed: ``python -m tests.recovery.served_venue FOLDER``.

Prints one line of JSON when its port is open: where it listens, and what it recovered.
"""

import asyncio
import json
import sys
from pathlib import Path

from engine.records import Phase
from gateway.sequencer import Clock
from gateway.serve import Options, running
from gateway.venue import Venue
from tests.e2e.live_venue import MORNING, LiveVenue, RunningClock


async def main(folder: Path) -> None:
    recovered: dict[str, object] = {}

    def clock(venue: Venue) -> Clock:
        recovered.update(seq=venue.exchange.seq, digest=venue.exchange.digest())
        return RunningClock(MORNING)

    async with running(Options(clock=clock, port=0, data_dir=folder)) as server:
        await LiveVenue(server, RunningClock(MORNING), []).phase(Phase.MORNING)
        print(json.dumps(recovered | {"url": server.url}), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
