"""Every way of trading, and trades undone, in the evening (ST-03, TR-121, TR-130, TR-132)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.deals import deal_file
from engine.records import Event, Kind, Modality, Parameter, Phase, Side
from registry.errors import StopError
from registry.evening import next_command
from registry.statements import ModalityLine
from tests.unit.registry.registry_venue import DATES, REFERENCE_TICKS, Venue, without_last_deal

LOT = 100_000
RATES = {
    Parameter.LISTED_TRADING_FEE_PPM: 1_000,
    Parameter.LISTED_SETTLEMENT_FEE_PPM: 100,
    Parameter.BULK_TRADING_FEE_PPM: 2_000,
    Parameter.BULK_SETTLEMENT_FEE_PPM: 200,
    Parameter.AUCTION_TRADING_FEE_PPM: 3_000,
    Parameter.AUCTION_SETTLEMENT_FEE_PPM: 300,
}


@pytest.fixture
def rich(venue: Venue) -> Venue:
    """The venue on its second day, with lots large enough for every way of trading."""
    venue.close_day()
    venue.settle()
    registry = venue.registry
    registry.issue_many([("CEA", 0, 5 * LOT)])
    registry.deposit_many([(1, 10**11), (2, 10**11)])
    registry.transfer_in_many([(0, "CEA", 5 * LOT)])
    for parameter, ppm in RATES.items():
        venue.do(Kind.SET_PARAMETER, ref=parameter, amount=ppm)
    venue.open_day(DATES[1])
    venue.instruct()
    return venue


def bulk(venue: Venue, qty: int, price: int) -> None:
    venue.afternoon()
    what: dict[str, Any] = {"price_ticks": price, "qty_tonnes": qty}
    offer = venue.do(
        Kind.BULK_OFFER, account=0, instrument=0, side=Side.SELL, counterparty=-1, **what
    )
    done = venue.do(Kind.BULK_ACCEPT, account=1, ref=offer[0]["order_no"], **what)
    assert done[0]["kind"] == Event.TRADED


def auction(venue: Venue, qty: int, price: int) -> None:
    applied = venue.do(
        Kind.APPLY_SESSION,
        account=0,
        instrument=0,
        side=Side.SELL,
        price_ticks=REFERENCE_TICKS,
        qty_tonnes=LOT,
    )
    number = int(applied[0]["order_no"])
    venue.do(Kind.NOTICE_SESSION, ref=number, until_minute=1440)
    venue.do(Kind.OPEN_SESSION, ref=number)
    venue.do(Kind.BID, account=2, ref=number, price_ticks=price, qty_tonnes=qty)
    closed = venue.do(Kind.CLOSE_SESSION, ref=number)
    assert (closed["kind"] == Event.TRADED).sum() == 1


def test_bulk_and_auction_deals_clear_with_their_own_fees_st_03(rich: Venue) -> None:
    auction(rich, 40_000, 5_000)
    rich.trade(0, 1, 1_000)
    bulk(rich, LOT, 4_000)
    file = rich.close_day()
    assert file.deals["modality"].tolist() == [Modality.AUCTION, Modality.LISTED, Modality.BULK]
    assert rich.settle() == Phase.POSTED
    rich.sound()
    values = {10: 4_800 * 1_000, 20: LOT * 4_000, 21: 40_000 * 5_000}
    expected = {
        10: (2 * values[10] // 1_000, 2 * values[10] // 10_000),
        20: (2 * values[20] // 500, 2 * values[20] // 5_000),
        21: (2 * values[21] * 3 // 1_000, 2 * values[21] * 3 // 10_000),
    }
    assert rich.registry.fees_by_modality() == expected
    assert rich.registry.fees_by_modality(DATES[1]) == expected
    assert rich.registry.fees_by_modality(DATES[0]) == {}
    assert rich.registry.fees() == tuple(
        sum(column) for column in zip(*expected.values(), strict=True)
    )
    told = rich.registry.statement(1, DATES[1])
    assert told is not None
    assert told.buy_amount == values[10] + values[20]
    assert told.modalities == (
        ModalityLine(10, 1_000, values[10], 0, 0, values[10] // 1_000, values[10] // 10_000),
        ModalityLine(20, LOT, values[20], 0, 0, values[20] // 500, values[20] // 5_000),
    )
    sold = rich.registry.statement(0, DATES[1])
    assert sold is not None
    assert [(line.modality, line.sold_tonnes) for line in sold.modalities] == [
        (10, 1_000),
        (20, LOT),
        (21, 40_000),
    ]
    assert sum(line.trading_fee for line in sold.modalities) == sold.sell_fee


@pytest.mark.parametrize("which", [0, 1, 2], ids=["first", "middle", "last"])
def test_an_undone_trade_leaves_no_trace_but_its_number_tr_121(venue: Venue, which: int) -> None:
    numbers = [int(venue.trade(0, 1, qty)[1]["trade_no"]) for qty in (10, 20, 30)]
    voided = venue.do(Kind.VOID_TRADE, ref=numbers[which], operator=1, checker=2)
    assert voided[0]["kind"] == Event.TRADE_VOIDED
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    left = [number for number in numbers if number != numbers[which]]
    assert [fill.trade_no for fill in venue.registry.trades(0)] == left
    venue.open_day(DATES[1])
    venue.trade(0, 1, 5)
    venue.close_day()
    assert venue.settle() == Phase.POSTED  # a gap at the end of the day before is known too
    venue.sound()


def test_a_missing_number_that_was_not_undone_is_named_e49(venue: Venue) -> None:
    venue.trade(0, 1, 10)
    number = int(venue.trade(0, 1, 20)[1]["trade_no"])
    venue.do(Kind.VOID_TRADE, heard=False, ref=number, operator=1, checker=2)
    venue.trade(0, 1, 30)
    file = venue.close_day()
    assert venue.settle() == Phase.DISPUTED  # the registry has not heard of it
    assert venue.registry.report(file.date) == [
        "Trade numbers must follow each other: number 2 is due, the file has 3."
    ]
    for batch, events in venue.tape:
        venue.registry.absorb(batch, events, venue.codes)
    assert venue.settle() == Phase.POSTED
    venue.sound()


def test_a_trade_undone_between_clearing_and_confirmation_tr_121_st_04(venue: Venue) -> None:
    venue.trade(0, 1, 10)
    number = int(venue.trade(0, 1, 20)[1]["trade_no"])
    file = venue.close_day()
    assert venue.registry.clear(file).status == "cleared"
    with pytest.raises(StopError, match="file_differs"):
        venue.registry.clear(without_last_deal(file))
    venue.do(Kind.VOID_TRADE, ref=number, operator=1, checker=2)
    again = deal_file(venue.state)
    day = venue.registry.clear(again)
    assert (day.status, day.deals, day.attempts, day.tag) == ("cleared", 1, 2, again.tag)
    assert venue.registry.clear(again) == day
    assert venue.settle() == Phase.POSTED
    assert [fill.qty_tonnes for fill in venue.registry.trades(1)] == [10]
    told = venue.registry.statement(1, DATES[0])
    assert told is not None
    assert (told.buy_amount, told.holdings[0].bought_tonnes) == (48_000, 10)
    assert told.modalities == (ModalityLine(10, 10, 48_000, 0, 0, 0, 0),)
    venue.sound()


def test_an_exchange_that_confirmed_another_file_is_stopped_st_04(venue: Venue) -> None:
    venue.trade(0, 1, 10)
    venue.close_day()
    command = next_command(venue.registry, venue.state)
    assert command is not None
    venue.submit(command)
    exchange = venue.exchange.fork()
    venue.state.market["file_tag"] += 1
    with pytest.raises(StopError, match="file_differs"):
        next_command(venue.registry, venue.state)
    exchange.state.trades["void"][0] = 1  # undone after it was confirmed, against every rule
    with pytest.raises(StopError, match="another deal file than it has now"):
        next_command(venue.registry, exchange.state)
    day = venue.registry.day(DATES[0])
    assert day is not None
    assert day.status == "cleared"
