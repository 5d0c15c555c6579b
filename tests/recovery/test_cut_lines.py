"""P11 over real sockets: lines cut at every byte, and the venue killed while answers are due."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.keys import Keys
from tests.e2e.live_venue import fund
from tests.recovery import cut_lines as c
from tests.recovery.test_kill import Served

CUTS = 530
KILLS = 3

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_every_outcome_is_known_after_a_cut_at_any_byte(
    tmp_path: Path, base_seed: int
) -> None:
    result = await c.run(tmp_path, CUTS, base_seed, lambda: None)
    print(f"{result.cuts} cuts, the slowest outcome was known after {result.slowest_s:.2f} s")
    assert not result.problems, "\n".join(result.problems[:10])
    assert result.tried == CUTS
    assert result.cuts >= 500


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[Served]]:
    processes: list[Served] = []
    yield processes
    for each in processes:
        each.kill()


async def test_every_outcome_is_known_after_the_venue_was_killed(
    tmp_path: Path, served: list[Served], base_seed: int
) -> None:
    """Four clients list and cancel as fast as they can while the venue dies three times."""
    fund(tmp_path, c.LANES)
    rows = [(row, f"k{row}") for row in range(c.LANES)]
    keys = Keys(tmp_path / "keys.json").create_many(rows)
    chance = random.Random(base_seed)
    async with contextlib.AsyncExitStack() as stack:
        url = await started(tmp_path, served)
        lanes = [await stack.enter_async_context(c.lane(url, key, key)) for key in keys]
        done = asyncio.Event()
        working = [asyncio.create_task(c.list_and_cancel(each, done)) for each in lanes]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.3, 0.8))
            served[-1].kill()
            moved = await started(tmp_path, served)
            for each in lanes:
                each.proxy.upstream = moved
            await asyncio.gather(*(each.client.ping() for each in lanes))
        await asyncio.sleep(0.5)
        done.set()
        await asyncio.gather(*working)
        assert all(each.client.reconnects == KILLS for each in lanes)
        assert all(c.told_in_order(each) for each in lanes)
    served[-1].kill()
    journal = c.journal_of(tmp_path)
    wrong = [text for each in lanes for text in c.untruths(each, journal)]
    assert not wrong, "\n".join(wrong[:10])
    assert sum(len(each.outcomes) for each in lanes) > 100


async def started(folder: Path, served: list[Served]) -> str:
    served.append(Served(folder))
    return (await asyncio.to_thread(served[-1].ready))["url"]
