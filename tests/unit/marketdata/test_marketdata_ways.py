"""Bulk offers, bidding sessions, halts, voids as the public sees them, by hand on an Exchange."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from engine.records import Kind, Phase, Side
from marketdata.bulletin import to_text
from marketdata.feed import Feed
from marketdata.messages import (
    Bidding,
    BulkOffer,
    Composite,
    Halt,
    Message,
    Notice,
    OpenBar,
    Status,
    Trade,
    TradeVoided,
)
from tests.unit.marketdata.trading_floor import CODES, REFERENCES, WINDOW, WINDOW_MINUTES, Floor

DATE, NEXT_DATE = 20260820, 20260821
SELL: dict[str, Any] = {"instrument": 1, "side": Side.SELL}
BUY: dict[str, Any] = {"instrument": 1, "side": Side.BUY}


def opened(phase: Phase = Phase.AFTERNOON) -> tuple[Floor, Feed]:
    floor = Floor(weights=(0, 1, 0))
    go_to(floor, phase)
    feed = floor.feed()
    feed.flush()
    return floor, feed


def go_to(floor: Floor, phase: Phase) -> None:
    while floor.phase != phase:
        floor.next_phase()


def of(kind: type, messages: Sequence[Message]) -> list[Any]:
    return [message for message in messages if isinstance(message, kind)]


def bulk_offer(floor: Floor, account: int, price: int, **fields: Any) -> int:
    """Make a public bulk offer of 100,000 t (a seller's unless said otherwise); its number."""
    terms = {"price_ticks": price, "qty_tonnes": 100_000}
    command = {"kind": Kind.BULK_OFFER, "account": account, **SELL, **terms, **fields}
    return int(floor.send(command)[0]["order_no"])


def listed_trade(floor: Floor, price: int, qty: int, instrument: int = 1) -> int:
    """Account 0 sells to account 1 on the listed market; the trade's number."""
    both = {"instrument": instrument, "price_ticks": price, "qty_tonnes": qty}
    (listing,) = floor.send({"kind": Kind.LIST, "account": 0, "side": Side.SELL, **both})
    take = {"kind": Kind.TAKE, "account": 1, "ref": int(listing["order_no"]), "qty_tonnes": qty}
    return int(floor.send(take)[1]["trade_no"])


# --- the board -----------------------------------------------------------------------------------


def test_the_board_has_the_best_price_first_and_names_nobody() -> None:
    """TR-75: public offers only, each side's best price first, older first at one price."""
    floor, feed = opened()
    sells = [bulk_offer(floor, account, price) for account, price in ((2, 9800), (3, 9700))]
    same = bulk_offer(floor, 4, 9700)
    buys = [bulk_offer(floor, 5, price, side=Side.BUY) for price in (9500, 9600)]
    directed = bulk_offer(floor, 6, 9650, counterparty=7)
    messages = of(BulkOffer, feed.flush())
    assert [m.order_no for m in messages] == [*sells, same, *buys]
    assert {m.status for m in messages} == {"open"}
    offers = feed.snapshot("CEA25").offers
    assert [o.order_no for o in offers] == [buys[1], buys[0], sells[1], same, sells[0]]
    assert directed not in [o.order_no for o in offers]
    assert [o.order_no for o in feed.board("CEA25").side("sell", 1)] == [sells[1]]
    assert len(feed.board("CEA25")) == 5
    assert feed.snapshot("CEA24").offers == ()
    assert feed.snapshot("CEA25").bulk_offer_seq == messages[-1].seq


def test_e24_a_bulk_deal_is_printed_and_leaves_prices_alone() -> None:
    """E24, TR-76: the offer goes, the trade has modality 20, open to close do not move."""
    floor, feed = opened()
    number = bulk_offer(floor, 2, 6900)
    terms = {"price_ticks": 6900, "qty_tonnes": 100_000}
    floor.send({"kind": Kind.BULK_ACCEPT, "account": 3, "ref": number, **terms})
    messages = feed.flush()
    (trade,) = of(Trade, messages)
    assert (trade.price_ticks, trade.qty_tonnes, trade.side, trade.modality) == (
        *(6900, 100_000),
        *("buy", 20),
    )
    assert [m.status for m in of(BulkOffer, messages)] == ["open", "gone"]
    assert feed.snapshot("CEA25").offers == ()
    assert [m for m in messages if m.channel in {"quote", "composite"}] == []
    go_to(floor, Phase.CLOSED)
    feed.flush()
    (line,) = (each for each in feed.bulletin(DATE).vintages if each.instrument == "CEA25")
    assert (line.price.open_ticks, line.price.close_ticks, line.price.high_ticks) == (9740, 9740, 0)
    assert (line.bulk.day_qty_tonnes, line.bulk.day_turnover_fen) == (100_000, 690_000_000)
    assert feed.snapshot("CEA25").quote.close_ticks == 9740


def test_an_offer_changes_with_its_initiators_words_and_goes_with_the_day() -> None:
    """TR-72, TR-73, E36: an agreement of the initiator takes the responder's terms over."""
    floor, feed = opened()
    number = bulk_offer(floor, 2, 9800)
    counter = {"kind": Kind.BULK_COUNTER, "ref": number, "qty_tonnes": 120_000}
    floor.send({**counter, "account": 3, "price_ticks": 9700})
    assert [m.status for m in of(BulkOffer, feed.flush())] == ["open"]
    accept = {"kind": Kind.BULK_ACCEPT, "account": 2, "counterparty": 3, "ref": number}
    floor.send({**accept, "price_ticks": 9700, "qty_tonnes": 120_000})
    (changed,) = of(BulkOffer, feed.flush())
    assert (changed.status, changed.price_ticks, changed.qty_tonnes) == ("changed", 9700, 120_000)
    floor.next_phase()
    assert [m.status for m in of(BulkOffer, feed.flush())] == ["gone"]
    assert feed.snapshot("CEA25").offers == ()


# --- bidding sessions ----------------------------------------------------------------------------


def session(floor: Floor, qty: int, limit: int, pricing: int = 0) -> int:
    """Account 0 applies, the exchange publishes and opens; the session's number."""
    terms = {"price_ticks": limit, "qty_tonnes": qty, "mode": pricing}
    apply = {"kind": Kind.APPLY_SESSION, "account": 0, "instrument": 0, "side": Side.SELL, **terms}
    number = int(floor.send(apply)[0]["order_no"])
    floor.send({"kind": Kind.NOTICE_SESSION, "ref": number, **WINDOW})
    floor.send({"kind": Kind.OPEN_SESSION, "ref": number})
    return number


def bid(floor: Floor, number: int, account: int, price: int, qty: int) -> None:
    terms = {"price_ticks": price, "qty_tonnes": qty}
    floor.send({"kind": Kind.BID, "account": account, "ref": number, **terms})


def test_e39_a_uniform_session_is_sealed_until_its_result() -> None:
    """E39, TR-84, TR-87, TR-89, TR-93: 60/30/10 thousand at 49.50; the price line does not move."""
    floor, feed = opened(Phase.MORNING)
    number = session(floor, 100_000, 4872)
    said = of(Bidding, feed.flush())
    assert [(m.status, m.session_no) for m in said] == [("noticed", number), ("open", number)]
    assert (said[0].instrument, said[0].side, said[0].limit_ticks) == ("CEA24", "sell", 4872)
    assert (said[0].qty_tonnes, said[0].pricing) == (100_000, "uniform")
    assert (said[0].from_minute, said[0].until_minute) == WINDOW_MINUTES  # TR-81
    for account, price, qty in ((1, 5000, 60_000), (2, 4950, 30_000), (3, 4950, 30_000)):
        bid(floor, number, account, price, qty)
    assert feed.flush() == []
    assert feed.snapshot("CEA24").sessions == (said[1],)
    floor.send({"kind": Kind.CLOSE_SESSION, "ref": number})
    messages = feed.flush()
    result, *trades = (m for m in messages if not isinstance(m, OpenBar))
    assert (result.status, result.clearing_ticks) == ("closed", 4950)
    assert (result.dealt_qty_tonnes, result.unsold_qty_tonnes) == (100_000, 0)
    assert (result.turnover_fen, result.winning_bids) == (495_000_000, 3)
    assert [(t.qty_tonnes, t.price_ticks, t.modality) for t in trades] == [
        (qty, 4950, 21) for qty in (60_000, 30_000, 10_000)
    ]
    assert feed.snapshot("CEA24").quote.last_ticks == 0


def test_e25_e41_a_partly_sold_session_counts_and_leaves_the_close_alone() -> None:
    """E25, E41, TR-86, TR-88, TR-93: 1,000 t of 100,000 t; a second session fails."""
    floor, feed = opened(Phase.MORNING)
    first = session(floor, 100_000, 4872, pricing=1)
    bid(floor, first, 1, 4900, 1000)
    floor.send({"kind": Kind.CLOSE_SESSION, "ref": first})
    floor.send({"kind": Kind.CLOSE_SESSION, "ref": session(floor, 50_000, 4872)})
    states = {m.session_no: m for m in of(Bidding, feed.flush())}
    assert (states[first].dealt_qty_tonnes, states[first].unsold_qty_tonnes) == (1000, 99_000)
    assert states[first + 1].status == "failed"
    go_to(floor, Phase.CLOSED)
    bulletin = feed.bulletin(DATE)
    line = bulletin.vintages[0]
    assert (line.price.close_ticks, line.price.open_ticks) == (4872, 4872)
    assert (line.auction.day_qty_tonnes, line.auction.day_turnover_fen) == (1000, 4_900_000)
    assert bulletin.auction == line.auction
    assert (bulletin.bidding_sessions, bulletin.bidding_sessions_failed) == (2, 1)
    assert bulletin.traded
    assert "One-way bidding sessions held: 2, 1 of them without a valid bid." in to_text(bulletin)
    go_to(floor, Phase.MORNING)
    feed.flush()
    assert feed.snapshot("CEA24").sessions == ()


def test_a_voided_deal_restates_the_result_of_its_session() -> None:
    """TR-121, TR-85: told once more without the deal, whether or not the first was told yet."""
    floor, feed = opened(Phase.MORNING)
    number = session(floor, 100_000, 4872, pricing=1)
    for account, price, qty in ((1, 5000, 60_000), (2, 4950, 30_000), (3, 4900, 30_000)):
        bid(floor, number, account, price, qty)
    feed.flush()
    floor.send({"kind": Kind.CLOSE_SESSION, "ref": number})
    floor.send(floor.void(3))  # the marginal deal, in the same flush
    messages = feed.flush()
    first, second = of(Bidding, messages)
    assert (first.clearing_ticks, first.dealt_qty_tonnes, first.winning_bids) == (4900, 100_000, 3)
    assert second.prev == first.seq
    assert (second.status, second.clearing_ticks) == ("closed", 4950)
    assert (second.dealt_qty_tonnes, second.unsold_qty_tonnes) == (90_000, 10_000)
    assert (second.turnover_fen, second.winning_bids) == (448_500_000, 2)
    assert feed.snapshot("CEA24").sessions == (second,)
    (voided,) = of(TradeVoided, messages)
    assert voided.seq < second.seq
    floor.send(floor.void(1))
    floor.send(floor.void(2))
    *_, last = of(Bidding, feed.flush())
    assert (last.clearing_ticks, last.dealt_qty_tonnes, last.turnover_fen) == (0, 0, 0)
    assert (last.status, last.unsold_qty_tonnes, last.winning_bids) == ("closed", 100_000, 0)
    assert feed.snapshot("CEA24").sessions == (last,)
    assert feed.since(first.seq) is not None
    assert last in feed.since(first.seq)


def test_a_voided_listed_deal_leaves_a_sessions_result_alone() -> None:
    floor, feed = opened(Phase.MORNING)
    number = session(floor, 50_000, 4872)
    bid(floor, number, 1, 5000, 10_000)
    floor.send({"kind": Kind.CLOSE_SESSION, "ref": number})
    listed_trade(floor, 9800, 10)
    feed.flush()
    floor.send(floor.void(2))
    assert of(Bidding, feed.flush()) == []


def test_an_application_is_nobodys_business_and_a_notice_that_ends_is() -> None:
    """TR-81: an application that is turned down was never public."""
    floor, feed = opened(Phase.MORNING)
    terms = {"price_ticks": 4872, "qty_tonnes": 100_000}
    apply = {"kind": Kind.APPLY_SESSION, "account": 0, "instrument": 0, "side": Side.SELL, **terms}
    floor.send(apply, {"kind": Kind.REJECT_SESSION, "ref": 1}, apply)
    assert feed.flush() == []
    floor.send({"kind": Kind.NOTICE_SESSION, "ref": 2, **WINDOW})
    floor.send({"kind": Kind.REJECT_SESSION, "ref": 2})
    assert [m.status for m in of(Bidding, feed.flush())] == ["noticed", "rejected"]


# --- halts, voids, composite ---------------------------------------------------------------------


def test_halts_of_the_market_and_of_an_instrument_are_told_once() -> None:
    """TR-115, TR-117: a kill of an instrument or the market halts it, one of an account not."""
    floor, feed = opened()
    floor.send({"kind": Kind.HALT_MARKET}, {"kind": Kind.RESUME_MARKET})
    floor.send({"kind": Kind.KILL, "instrument": -1, "account": -1})
    states = of(Status, feed.flush())
    assert [(m.phase, m.halted) for m in states] == [
        ("afternoon", True),
        ("afternoon", False),
        ("afternoon", True),
    ]
    floor.send({"kind": Kind.KILL, "account": 3, "amount": 3})
    assert feed.flush() == []
    floor.send({"kind": Kind.HALT_INSTRUMENT, "instrument": 0})
    floor.send({"kind": Kind.KILL, "instrument": 0})
    (halt,) = of(Halt, feed.flush())
    assert (halt.instrument, halt.halted) == ("CEA24", True)
    assert feed.snapshot("CEA24").halted
    assert not feed.snapshot("CEA25").halted
    go_to(floor, Phase.MORNING)
    status = of(Status, feed.flush())[-1]
    assert (status.phase, status.halted) == ("morning", False)  # the market's ends with the day
    assert feed.snapshot("CEA24").halted
    floor.send({"kind": Kind.RESUME_INSTRUMENT, "instrument": 0})
    assert [m.halted for m in of(Halt, feed.flush())] == [False]


def test_a_voided_trade_leaves_tape_and_figures() -> None:
    """TR-121: open, high, low, last and volume are those of the trades that stand."""
    floor, feed = opened()
    numbers = [listed_trade(floor, price, 10) for price in (9800, 9900, 9700)]
    feed.flush()
    floor.send(floor.void(2))
    messages = feed.flush()
    assert messages[0] == TradeVoided(
        messages[0].seq,
        messages[0].prev,
        messages[0].iseq,
        messages[0].time_us,
        *("CEA25", numbers[1], 9900, 10, 10),
    )
    shown = feed.snapshot("CEA25")
    assert [trade.trade_no for trade in shown.trades] == [numbers[0], numbers[2]]
    assert shown.trade_seq == messages[0].seq  # on the channel of trades: nobody can miss it
    quote = shown.quote
    assert (quote.open_ticks, quote.high_ticks, quote.low_ticks, quote.last_ticks) == (
        *(9800, 9800),
        *(9700, 9700),
    )
    assert (quote.qty_tonnes, quote.turnover_fen, quote.trades) == (20, 195_000, 2)
    assert feed.snapshot("CEA25").composite.high_ticks == 9900  # extremes stay as published
    go_to(floor, Phase.CLOSED)
    feed.flush()
    floor.send(floor.void(1))  # in the evening: a second bulletin replaces the first
    (notice,) = of(Notice, feed.flush())
    assert (notice.date, notice.qty_tonnes) == (DATE, 10)
    bulletin = feed.bulletin(DATE)
    assert bulletin.vintages[1].price.close_ticks == 9700
    assert bulletin.listed.all_qty_tonnes == 10
    assert bulletin.voided_trades == 2
    assert "none of the figures: 2." in to_text(bulletin)


def test_e29_the_composite_on_a_day_without_and_on_days_with_trades() -> None:
    """E29, TR-104…107: open = close = the close before; latest, high, low 0; listed volume."""
    floor, feed = opened(Phase.MORNING)
    listed_trade(floor, 9800, 20)
    listed_trade(floor, 4900, 5, instrument=0)  # no weight: the composite does not move
    (composite,) = of(Composite, feed.flush())
    assert (composite.latest_ticks, composite.open_ticks, composite.close_ticks) == (9800, 9800, 0)
    assert (composite.qty_tonnes, composite.turnover_fen, composite.trades) == (25, 220_500, 2)
    assert (composite.prev_close_ticks, composite.change_ticks) == (0, 60)  # from the reference
    go_to(floor, Phase.CLOSED)
    assert of(Composite, feed.flush())[-1].close_ticks == 9800
    go_to(floor, Phase.AFTERNOON)
    number = bulk_offer(floor, 2, 9000)
    terms = {"price_ticks": 9000, "qty_tonnes": 100_000}
    floor.send({"kind": Kind.BULK_ACCEPT, "account": 3, "ref": number, **terms})
    now = of(Composite, feed.flush())[-1]
    assert (now.latest_ticks, now.open_ticks, now.prev_close_ticks, now.qty_tonnes) == (
        *(0, 0),
        *(9800, 0),
    )
    floor.next_phase()
    now = of(Composite, feed.flush())[-1]
    assert (now.open_ticks, now.close_ticks, now.change_bp) == (9800, 9800, 0)
    assert (now.latest_ticks, now.high_ticks, now.low_ticks) == (0, 0, 0)


def test_tr24_a_new_vintage_begins_at_the_composite_close_and_weighs_with_it() -> None:
    """TR-24, TR-105, TR-106: before its first trade a new vintage counts with its reference."""
    floor, feed = opened()
    listed_trade(floor, 9800, 20)
    go_to(floor, Phase.POSTED)
    admit = {"kind": Kind.ADMIT_INSTRUMENT, "instrument": 3, "price_ticks": 0}
    weight = {"kind": Kind.SET_PARAMETER, "ref": 100, "amount": 1, "instrument": 3}
    feed.code_of = [*CODES, "CEA27"].__getitem__
    floor.send({**admit, "client_order_id": b"CEA27"}, weight)
    go_to(floor, Phase.MORNING)
    listed_trade(floor, 9820, 1)
    feed.flush()
    new = feed.snapshot("CEA27").quote
    assert (new.reference_ticks, new.prev_close_ticks, new.open_ticks) == (9800, 0, 0)
    assert feed.snapshot("CEA27").composite.latest_ticks == 9810  # (98.20 + 98.00) / 2


@pytest.mark.parametrize("instrument", range(3))
def test_a_snapshot_is_whole_before_anything_happened(instrument: int) -> None:
    _, feed = opened(Phase.MORNING)
    shown = feed.snapshot(instrument)
    assert (shown.offers, shown.sessions, shown.halted, shown.composite) == ((), (), False, None)
    assert shown.quote.reference_ticks == REFERENCES[instrument]
