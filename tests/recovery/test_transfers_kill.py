"""Requests to the registry over ``kill -9``: done once, answered by their id, never unknown.

The clients know nothing but their ids: whatever was in flight is asked again after the restart.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import rare_messages as r
from gateway.client import Client, LineLostError, RefusedError
from gateway.client.conversation import ANSWER_WITHIN_S
from gateway.keys import Key, Keys
from registry.institution import Registry
from tests.e2e.live_venue import fund
from tests.recovery.test_kill import Served, clean_replay

CYCLES = 4
REQUESTS = 12  # of each kind and cycle
FEN, TONNES = 100, 3  # all alike, so that nothing but the id can tell them apart


async def ask(client: Client, identity: str) -> r.HoldingMoved | r.CashMoved:
    """Make the request that this id stands for."""
    what = identity.split("-", maxsplit=1)[0]
    if what == "cash_in":
        return await client.cash_in(amount_fen=FEN, client_order_id=identity)
    if what == "cash_out":
        return await client.cash_out(amount_fen=FEN, client_order_id=identity)
    move = client.transfer_in if what == "transfer_in" else client.transfer_out
    return await move("CEA25", qty=TONNES, client_order_id=identity)


def identities(cycle: int) -> list[str]:
    kinds = ("cash_in", "transfer_in", "cash_out", "transfer_out")
    return [f"{kind}-{cycle}-{n}" for n in range(REQUESTS) for kind in kinds]


async def until_killed(
    server: Served, url: str, key: Key, names: list[str], answers: int
) -> dict[str, tuple[int, int]]:
    """Ask for everything at once, kill after so many answers; return what was told, by id."""
    told: dict[str, tuple[int, int]] = {}

    async def one(client: Client, name: str) -> None:
        report = await ask(client, name)
        assert report.client_order_id == name
        told[name] = (report.seq, report.report_seq)
        if len(told) == answers:
            server.kill()

    async with Client(url, key.key_id, key.secret) as client:
        found = await asyncio.gather(*(one(client, n) for n in names), return_exceptions=True)
    assert all(each is None or isinstance(each, LineLostError) for each in found), found
    return told


async def verify(url: str, key: Key, names: list[str], told: dict[str, tuple[int, int]]) -> None:
    """Every answer is still true; everything asked again is done once; other contents are not."""
    async with Client(url, key.key_id, key.secret) as client:
        for name, answer in told.items():
            status = await client.status(name)
            assert (status.outcome, status.seq, status.report_seq) == ("accepted", *answer)
        for name in names:
            status = await client.status(name)
            assert status.outcome in {"accepted", "pending", "unknown"}
            async with asyncio.timeout(ANSWER_WITHIN_S):
                report = await ask(client, name)
            assert report.client_order_id == name
            assert told.setdefault(name, (report.seq, report.report_seq))[0] == report.seq
        with pytest.raises(RefusedError, match="duplicate_client_order_id"):
            await client.cash_in(amount_fen=FEN + 1, client_order_id=names[0])


@pytest.fixture
def served() -> Iterator[list[Served]]:
    processes: list[Served] = []
    yield processes
    for each in processes:
        each.kill()


def test_requests_to_the_registry_are_done_once(
    tmp_path: Path, served: list[Served], base_seed: int
) -> None:
    """RG-07, ST-14, F31: also where the registry had booked and the venue had not heard of it."""
    seed = random.Random(base_seed)
    fund(tmp_path, 1)
    count = CYCLES * REQUESTS
    with Registry.open(f"sqlite:///{tmp_path / 'registry.db'}") as registry:
        registry.issue("CEA25", 0, 2 * count * TONNES)
    (key,) = Keys(tmp_path / "keys.json").create_many([(0, "k0")])
    for cycle in range(CYCLES):
        served.append(Served(tmp_path))
        server, url = served[-1], served[-1].ready()["url"]
        names = identities(cycle)
        answers = seed.randrange(1, len(names))
        told = asyncio.run(until_killed(server, url, key, names, answers))
        assert len(told) >= answers
        served.append(Served(tmp_path))
        asyncio.run(verify(served[-1].ready()["url"], key, names, told))
        served[-1].kill()
    assert clean_replay(tmp_path) == clean_replay(tmp_path)
    with Registry.open(f"sqlite:///{tmp_path / 'registry.db'}") as registry:
        books = registry.balances(0)
        assert books.cash_fen + books.cash_in_transit_fen == 10**11, "as much out as in"
        held = books.holdings["CEA25"]
        assert held.in_transit == 0
        assert held.trading_available == 10**6
        assert held.registry_available == 2 * count * TONNES
        asked = registry.asked_since(0)
        assert len(asked) == 2 * count
        assert {each.status for each in asked} == {"done"}
        assert registry.violations() == []
