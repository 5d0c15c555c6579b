"""Two markets of one process: accounts, bulletins and the doctor know them apart."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from engine.records import Phase
from gateway.client import Client, OfficeClient
from gateway.front import keep_bulletins, open_account, open_office
from gateway.keys import Key
from gateway.market import CCER, CEA
from gateway.serve import Options, Running, running
from tanshi import app
from tests.e2e.live_venue import RunningClock

pytestmark = pytest.mark.anyio
RUN = CliRunner()
DAY = dt.datetime(2026, 1, 5)
FILES = ["2026-01-05.json", "2026-01-05.txt"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def come_true(condition: Callable[[], object], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def reach(server: Running, phase: Phase) -> None:
    venues = server.venues.values()
    await come_true(lambda: all(v.exchange.state.market[0]["phase"] == phase for v in venues))


@contextlib.asynccontextmanager
async def two_markets(folder: Path) -> AsyncIterator[tuple[Running, RunningClock, Key]]:
    """Serve both markets in the morning; each has an account, opened at the command line.

    Yields the server, its clock and the key of the second market's account.
    """
    open_account(folder, None, "Plant", "1000", ["CEA25=500"])
    clock = RunningClock(DAY.replace(hour=8, minute=30))
    markets = (CEA, CCER)
    async with running(
        Options(clock=lambda _: clock, port=0, data_dir=folder, markets=markets)
    ) as server:
        keep_bulletins(server)
        office = open_office(folder, "exchange_operator", "Morning shift", "ccer")
        async with OfficeClient(server.url, office.key_id, office.secret, market="ccer") as line:
            await line.admit_instrument("WIND1", price="80.00")
        clock.leap_to(DAY.replace(hour=9, minute=45))
        await reach(server, Phase.MORNING)
        goods = ["WIND1=300"]
        key = await asyncio.to_thread(open_account, folder, None, "Forest", "2000", goods, "ccer")
        yield server, clock, key


def examined(folder: Path, code: int) -> dict:
    """Run the doctor, check its exit code, return its figures."""
    file = folder.parent / f"{folder.name}.json"
    result = RUN.invoke(app, ["doctor", "--data", str(folder), "--json", str(file)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    figures = json.loads(file.read_text())
    assert figures["conserved"] == (code == 0)
    for name in figures["markets"]:
        assert f"{name}: seq" in result.output
    return figures


async def test_the_doctor_and_the_bulletins_cover_every_market(tmp_path: Path) -> None:
    """VM-01, TR-141: each market's journal and books; each market's bulletins in its folder."""
    folder = tmp_path / "venue"
    async with two_markets(folder) as (server, clock, key):
        client = Client(server.url, key.key_id, key.secret, market="ccer")
        state = server.venues["ccer"].exchange.state
        await come_true(lambda: state.accounts[0]["cash_available_fen"] == 200_000)
        async with client as seller:
            await seller.list("WIND1", "sell", price="200.00", qty=100)
        await come_true(lambda: server.venues["ccer"].exchange.seq)
        running_now = await asyncio.to_thread(examined, folder, 0)
        digests = {name: venue.exchange.digest() for name, venue in server.venues.items()}
        clock.leap_to(DAY.replace(hour=15, minute=30))
        await come_true(lambda: all(venue.feed.bulletins for venue in server.venues.values()))
    found = running_now["markets"]
    assert {name: each["digest"] for name, each in found.items()} == digests
    assert list(found) == ["cea", "ccer"]
    assert found["ccer"]["instruments"]["WIND1"]["frozen_tonnes"] == 100
    assert found["cea"]["instruments"]["CEA25"]["available_tonnes"] == 500
    assert "CEA25" not in found["ccer"]["instruments"]
    assert (found["cea"]["cash_fen"]["paid_in"], found["ccer"]["cash_fen"]["paid_in"]) == (
        *(100_000, 200_000),
    )
    assert running_now["digest"] == digests["cea"], "the first market's figures stand on top"
    for place in (folder, folder / "ccer"):
        assert sorted(each.name for each in (place / "bulletins").iterdir()) == FILES
    ccer = json.loads((folder / "ccer" / "bulletins" / FILES[0]).read_text())
    assert [each["instrument"] for each in ccer["vintages"]] == ["WIND1"]

    books = create_engine(f"sqlite:///{folder / 'ccer' / 'registry.db'}")
    with books.begin() as tx:
        changed = tx.execute(text("UPDATE buckets SET balance = balance + 1 WHERE balance > 250"))
        assert changed.rowcount
    books.dispose()
    figures = examined(folder, 1)
    assert figures["markets"]["cea"]["conserved"]
    assert not figures["markets"]["ccer"]["conserved"]
    assert all(finding.startswith("ccer: registry: ") for finding in figures["findings"])

    (segment,) = (folder / "ccer" / "journal").glob("*.seg")
    data = bytearray(segment.read_bytes())
    data[400] ^= 1
    segment.write_bytes(data)
    result = RUN.invoke(app, ["doctor", "--data", str(folder)])
    assert result.exit_code == 2
    assert f"ccer/journal/{segment.name}: byte" in result.output


async def test_a_bulletin_missed_by_a_crash_is_caught_up_in_each_market(tmp_path: Path) -> None:
    """TR-141: files that the next start finds missing are written then."""
    async with two_markets(tmp_path) as (server, clock, _):
        clock.leap_to(DAY.replace(hour=15, minute=30))
        await come_true(lambda: all(venue.feed.bulletins for venue in server.venues.values()))
    for place in (tmp_path, tmp_path / "ccer"):
        for name in FILES:
            (place / "bulletins" / name).unlink()
    clock = RunningClock(DAY.replace(hour=16, minute=30))
    options = Options(clock=lambda _: clock, port=0, data_dir=tmp_path, markets=(CEA, CCER))
    async with running(options) as server:
        keep_bulletins(server)
    for place in (tmp_path, tmp_path / "ccer"):
        assert sorted(each.name for each in (place / "bulletins").iterdir()) == FILES


def test_a_market_is_found_where_it_lives(tmp_path: Path) -> None:
    """The first market lies in the data directory itself, whichever it is."""
    alone = tmp_path / "alone"
    assert open_account(alone, None, "Plant", "1", [], "cea").account == 0
    assert (alone / "registry.db").exists()
    open_office(alone, "supervisor", "Night shift", "ccer")
    assert (alone / "ccer" / "keys.json").exists()
    other = tmp_path / "other"
    options = ["--data", str(other), "--market", "ccer"]
    result = RUN.invoke(app, ["account", "Forest", *options])
    assert result.exit_code == 0, result.output
    (other / "ccer").rename(tmp_path / "only")
    again = RUN.invoke(app, ["account", "Wood", "--data", str(tmp_path / "only")])
    assert again.exit_code == 0, again.output
    assert again.output.startswith("account 1 ")
    named = ["account", "Sea", "--data", str(tmp_path / "only"), "--market", "ccer"]
    assert RUN.invoke(app, named).output.startswith("account 2 ")
    assert not (tmp_path / "only" / "ccer").exists()
