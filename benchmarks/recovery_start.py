"""One start of a venue in a process of its own: until it could take orders, stage by stage.

    python -m benchmarks.recovery_start FOLDER SPAWNED_NS

SPAWNED_NS is what ``time.monotonic_ns()`` said when this process was made. Prints one line of JSON
and ends like a crash: the journal is left as it was found.
"""

import time

FIRST_NS = time.monotonic_ns()

import asyncio  # noqa: E402 - the clock is read before anything is imported
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from gateway.venue import Venue  # noqa: E402

IMPORTED_NS = time.monotonic_ns()


class StoppedClock:
    """The moment at which the journal ends: nothing falls due."""

    def __init__(self, time_ns: int) -> None:
        self._time_ns = time_ns

    def now_ns(self) -> int:
        """Return nanoseconds since 1970 (UTC)."""
        return self._time_ns

    async def wait_until(self, time_ns: int) -> None:
        """It never comes."""
        await asyncio.Event().wait()


async def start(folder: Path, spawned_ns: int) -> None:
    """Recover, start the venue's tasks, say how long that took, and end at once."""
    venue = Venue.recover(folder)
    recovered_ns = time.monotonic_ns()
    await venue.start(StoppedClock(int(venue.exchange.state.market[0]["time_ns"])))
    assert venue.working, "a task of the venue has ended"
    ready_ns = time.monotonic_ns()
    said = {
        "ready_s": (ready_ns - spawned_ns) / 1e9,
        "stages": {
            "interpreter": (FIRST_NS - spawned_ns) / 1e9,
            "imports": (IMPORTED_NS - FIRST_NS) / 1e9,
            **venue.recovery_s,
            "tasks": (ready_ns - recovered_ns) / 1e9,
        },
        "digest": venue.exchange.digest(),
        "seq": venue.exchange.seq,
    }
    print(json.dumps(said), flush=True)  # noqa: T201 - the parent reads it
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(start(Path(sys.argv[1]), int(sys.argv[2])))
