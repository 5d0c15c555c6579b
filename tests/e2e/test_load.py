"""`tanshi load` against a real venue: the checks pass, and what goes wrong is told."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.gateway_servers import Server, server
from benchmarks.load import knee
from benchmarks.load.drive import run
from benchmarks.load.keys import Credentials
from benchmarks.load.orders import planned
from benchmarks.load.own import own_venue
from benchmarks.load.plan import LoadError, Plan, Stop
from benchmarks.load.record import Progress, Record, read, write
from engine.records import Phase
from gateway.client import Client
from gateway.export import export
from gateway.limits import Limits
from gateway.serve import Options, running
from tests.e2e.live_venue import MORNING, LiveVenue, RunningClock, fund, live_venue
from tests.e2e.test_tls import certificate

__all__ = ["certificate"]  # a fixture
CLIENTS = 6
PLAN = Plan(url="", orders_per_second=500, seconds=2, warmup_s=0.5, clients=CLIENTS, seed=11)
ALL_KINDS = {"list": 0.5, "take": 0.15, "take_best": 0.1, "cancel": 0.2, "ping": 0.05}


def nobody(progress: Progress) -> None:
    del progress


@pytest.fixture(scope="module")
def venue() -> Iterator[tuple[Plan, list[Credentials]]]:
    """A funded venue in a process of its own."""
    with own_venue(CLIENTS) as (url, keys):
        yield dataclasses.replace(PLAN, url=url), keys


def sound(record: Record) -> Record:
    assert record.checks.findings == []
    assert (record.finished, record.ended_by) == (True, "time")
    assert record.orders.sent == record.orders.intended == record.orders.answered
    assert record.checks.accounts_checked == record.plan.clients
    return record


@pytest.mark.parametrize("encoding", ["msgpack", "json"])
def test_every_order_of_every_kind_is_accounted_for(
    venue: tuple[Plan, list[Credentials]], encoding: str, tmp_path: Path
) -> None:
    plan, keys = venue
    rows: list[Progress] = []
    changed = dataclasses.replace(plan, encoding=encoding, mix=ALL_KINDS)
    record = sound(run(changed, keys, rows.append))
    assert set(record.orders.by_kind) == set(ALL_KINDS)
    ends = record.orders.ends
    assert min(ends[end] for end in ("resting", "filled", "cancelled", "done")) > 10
    assert ends["unknown"] == 0
    assert record.checks.trades_checked > 50
    assert record.checks.trades_with_others == 0
    assert [each.row for each in rows] == record.seconds[: len(rows)]
    assert 0 < record.service_us.p50 <= record.latency_us.p50
    write(record, tmp_path / "run.json")
    assert read(tmp_path / "run.json") == record


@pytest.mark.parametrize(
    "changes",
    [
        {"arrival": "constant"},
        {"arrival": "bursts", "burst_size": 50},
        {"arrival": "ramp", "ramp_from": 100.0},
    ],
)
def test_other_arrivals(venue: tuple[Plan, list[Credentials]], changes: dict[str, object]) -> None:
    plan, keys = venue
    changed = dataclasses.replace(plan, seconds=1, **changes)  # type: ignore[arg-type]
    sound(run(changed, keys, nobody))


def test_what_rests_can_be_kept_and_is_nobody_elses_to_cancel(
    venue: tuple[Plan, list[Credentials]],
) -> None:
    plan, keys = venue
    kept = sound(run(dataclasses.replace(plan, keep=True), keys, nobody))
    rests = kept.orders.ends["resting"] + kept.orders.ends["part_filled"]

    async def open_orders() -> int:
        total = 0
        for key in keys:
            async with Client(plan.url, key.key_id, key.secret) as client:
                snapshot = await client.snapshot()
                total += len(snapshot.orders)
        return total

    before = asyncio.run(open_orders())
    assert before >= rests > 20
    sound(run(plan, keys, nobody))  # beside them
    assert asyncio.run(open_orders()) == before
    for key in keys:
        asyncio.run(_clear(plan.url, key))
    assert asyncio.run(open_orders()) == 0


async def _clear(url: str, key: Credentials) -> None:
    async with Client(url, key.key_id, key.secret) as client:
        await client.cancel_all()


def test_the_knee_is_the_highest_rate_that_passed_twice(
    venue: tuple[Plan, list[Credentials]],
) -> None:
    plan, keys = venue
    short = dataclasses.replace(plan, seconds=0.5, warmup_s=0.2, orders_per_second=200)
    steps: list[float] = []
    record = knee.find(short, keys, 1.0, nobody, lambda step: steps.append(step.orders_per_second))
    assert record.knee is not None  # nothing answers within a microsecond
    assert record.knee.orders_per_second == 0
    assert not any(step.passed for step in record.knee.steps)
    assert steps[:3] == [200, 100, 50]
    assert steps == [step.orders_per_second for step in record.knee.steps]


def test_a_venue_that_is_killed_leaves_the_part_that_was(tmp_path: Path) -> None:
    def kill(progress: Progress) -> None:
        if progress.elapsed_s > 1.5:
            killed.process.kill()

    with server("benchmarks.gateway_server", tmp_path / "venue", CLIENTS) as killed:
        keys = keys_of(killed)
        url = f"ws://127.0.0.1:{killed.port}"
        record = run(dataclasses.replace(PLAN, url=url, seconds=20), keys, kill)
    assert not record.finished
    assert record.ended_by.startswith("server lost: ")
    assert record.orders.answered > 100
    assert record.checks.accounts_checked == 0
    assert record.checks.passed  # nothing was found wrong; nothing could be asked for either


def keys_of(venue: Server) -> list[Credentials]:
    return [Credentials(*row[:3]) for row in venue.announced["keys"]]


def load_in_thread(venue: LiveVenue, **changes: object) -> Record:
    keys = [Credentials(key.key_id, key.secret) for key in venue.keys]
    own = dataclasses.replace(PLAN, url=venue.url, clients=len(keys))
    plan = dataclasses.replace(own, **changes)  # type: ignore[arg-type]
    return run(plan, keys, nobody)


def test_bulk_offers_stand_and_are_taken_back(tmp_path: Path) -> None:
    """They are possible in the afternoon (TR-31); what they freeze is in the accounts' books."""
    unbound = 10**9

    async def scenario() -> Record:
        limits = Limits(orders_per_second=unbound, orders_burst=unbound)
        async with live_venue(tmp_path, limits=limits) as venue:
            venue.clock.leap_to(MORNING.replace(hour=13, minute=30))
            await venue.phase(Phase.AFTERNOON)
            mix = {"list": 0.4, "take": 0.2, "cancel": 0.1, "bulk_offer": 0.3}
            return await asyncio.to_thread(load_in_thread, venue, orders_per_second=150.0, mix=mix)

    record = sound(asyncio.run(scenario()))
    assert record.orders.by_kind["bulk_offer"] > 20
    assert record.orders.refused < 20  # else the offers were
    assert record.orders.ends["done"] > 20


def test_a_venues_own_limit_is_told(tmp_path: Path) -> None:
    """The limits as shipped: 50 orders a second, 100 at once."""

    async def scenario() -> Record:
        async with live_venue(tmp_path) as venue:
            return await asyncio.to_thread(
                load_in_thread, venue, orders_per_second=400.0, mix={"list": 1.0}
            )

    record = asyncio.run(scenario())
    assert record.refusals["rate_limited"] > 100
    assert "lets an account send 50 orders a second" in record.advice[0]
    assert record.checks.findings == []


def test_a_market_that_closes_meanwhile_ends_the_run(tmp_path: Path) -> None:
    async def scenario() -> tuple[Record, str]:
        async with live_venue(tmp_path) as venue:
            loading = asyncio.create_task(
                asyncio.to_thread(
                    load_in_thread, venue, orders_per_second=50.0, seconds=20.0, keep=True
                )
            )
            await asyncio.sleep(1.5)
            venue.clock.leap_to(MORNING.replace(hour=11, minute=31))
            record = await loading
            with pytest.raises(LoadError) as closed:
                await asyncio.to_thread(load_in_thread, venue)
            return record, closed.value.code

    record, code = asyncio.run(scenario())
    assert record.ended_by == "condition: the market closed (phase lunch)"
    assert not record.finished
    assert record.checks.findings == []
    assert code == "market_closed"


def test_a_refused_login_names_the_key(venue: tuple[Plan, list[Credentials]]) -> None:
    plan, keys = venue
    wrong = [*keys[:-1], Credentials("load-5", "not its secret")]
    with pytest.raises(LoadError, match=r"load-5.*bad_credentials") as caught:
        run(plan, wrong, nobody)
    assert caught.value.code == "login_refused"


def test_tls_with_an_own_authority(tmp_path: Path, certificate: tuple[Path, Path]) -> None:
    async def scenario() -> tuple[Record, Record, str]:
        fund(tmp_path, 2)
        clock = RunningClock(MORNING)
        options = Options(
            clock=lambda _: clock,
            port=0,
            data_dir=tmp_path,
            tls_certificate=certificate[0],
            tls_key=certificate[1],
        )
        async with running(options) as served:
            while served.venue.exchange.state.market[0]["phase"] == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            made = served.venue.keys.create_many([(0, "a"), (1, "b")])
            keys = [Credentials(key.key_id, key.secret) for key in made]
            url = served.url.replace("https", "wss")
            small = {"clients": 2, "orders_per_second": 40, "seconds": 1}
            plan = dataclasses.replace(PLAN, url=url, **small)  # type: ignore[arg-type]
            with pytest.raises(LoadError) as distrusted:
                await asyncio.to_thread(run, plan, keys, nobody)
            trusting = dataclasses.replace(plan, ca_file=str(certificate[0]))
            first = await asyncio.to_thread(run, trusting, keys, nobody)
            careless = dataclasses.replace(plan, insecure=True)
            second = await asyncio.to_thread(run, careless, keys, nobody)
            return first, second, distrusted.value.code

    first, second, code = asyncio.run(scenario())
    assert code == "tls"
    for record in (first, second):
        assert record.checks.findings == []
        assert record.orders.answered == record.orders.intended > 20
    assert first.plan.ca_file == certificate[0].name  # no path of this machine


def test_a_recorded_day_is_played_again(tmp_path: Path) -> None:
    """What `tanshi export` wrote of one run is the order flow of another one."""
    with server("benchmarks.gateway_server", tmp_path / "venue", CLIENTS) as served:
        keys, url = keys_of(served), f"ws://127.0.0.1:{served.port}"
        first = sound(run(dataclasses.replace(PLAN, url=url, warmup_s=0, keep=True), keys, nobody))
        export(tmp_path / "venue", tmp_path / "export")
        recorded = dataclasses.replace(
            PLAN, url=url, warmup_s=0, seconds=60, arrival="recorded", orders_per_second=600
        )
        again = dataclasses.replace(recorded, recorded=str(tmp_path / "export"))
        began_s = time.monotonic()
        second = run(dataclasses.replace(again, stop=Stop(orders=800)), keys, nobody)
    assert time.monotonic() - began_s < 30
    assert (second.checks.findings, second.ended_by) == ([], "orders")
    assert second.orders.answered == 800
    assert second.plan.recorded == "export"
    folder = str(tmp_path / "venue")  # the journal itself tells the same
    both = [planned(dataclasses.replace(again, recorded=each)) for each in (folder, again.recorded)]
    assert np.array_equal(both[0].kind[:800], both[1].kind[:800])
    assert np.array_equal(both[0].away[:300], both[1].away[:300])
    for kind in ("list", "take", "cancel"):
        share = first.orders.by_kind[kind] / first.orders.sent
        assert second.orders.by_kind[kind] / 800 == pytest.approx(share, abs=0.1)
