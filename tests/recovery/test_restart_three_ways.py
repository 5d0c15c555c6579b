"""After a restart every reader's stream of bulk, bidding and measures is the same, to the byte."""

from pathlib import Path

import numpy as np
import pytest

from engine.records import Phase
from gateway.client import Client, OfficeClient
from gateway.reports import reports
from gateway.venue import Venue
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.e2e.test_three_ways import QTY, at, come_true

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def told(venue: Venue) -> dict[int, list[object]]:
    """Everything every reader was told today, made from the record."""
    record, found = venue.record, {}
    for owner in record.streams:
        refs = record.refs(owner, 1, 10_000)
        numbers = np.arange(1, len(refs) + 1)
        found[owner] = reports(record, venue.desk.codes, refs, numbers)
    return found


async def trade_all_ways(venue: LiveVenue) -> None:
    lines = [Client(venue.url, key.key_id, key.secret) for key in venue.keys]
    key = venue.running.venue.keys.create_office("exchange_operator")
    async with (
        lines[0] as seller,
        lines[1] as buyer,
        lines[2] as other,
        OfficeClient(venue.url, key.key_id, key.secret) as operator,
    ):
        await seller.list("CEA25", "sell", price="74.05", qty=5)
        applied = await seller.apply_session("CEA25", price="74.63", qty=QTY)
        await operator.notice_session(applied.session_no, opens="10:00", closes="10:30")
        sessions = venue.running.venue.exchange.state.sessions
        venue.clock.leap_to(at(10))
        await come_true(lambda: int(sessions[1]["status"]) == 3)
        for line in (buyer, other):
            await line.bid(applied.session_no, price="75.00", qty=60_000)
        venue.clock.leap_to(at(13, 1))
        await venue.phase(Phase.AFTERNOON)
        offer = await seller.bulk_offer("CEA25", "sell", price="74.00", qty=QTY)
        for line in (buyer, other):
            await line.bulk_counter(offer.order_no, price="73.00", qty=QTY)
        await seller.bulk_accept(offer.order_no, price="73.00", qty=QTY, counterparty=1)
        await buyer.bulk_confirm(offer.order_no)
        await operator.block_account(2, ["buy"])
        await seller.kill()
        await venue.settled()


async def test_streams_and_ids_are_rebuilt(tmp_path: Path) -> None:
    """TR-46, IN-02: the system's record is decisive, also about what was told."""
    async with live_venue(tmp_path) as live:
        await trade_all_ways(live)
        venue = live.running.venue
        before, record = told(venue), venue.record
        orders, ids = record.order_seq.all.tolist(), dict(record.ids)
    again = Venue.recover(tmp_path)
    try:
        assert told(again) == before
        assert again.record.order_seq.all.tolist() == orders
        assert again.record.session_seq == record.session_seq
        assert {k: v for k, v in again.record.ids.items() if v} == {
            owner: {name: venue.sequencer.seq_of(ticket) for name, ticket in names.items()}
            for owner, names in ids.items()
            if names
        }
    finally:
        again.journal.close()
        again.registry.close()
