"""What the feed shows against the engine's own state, on random days with all ways of trading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine import closing
from engine.records import Event, Kind, OrderStatus, Phase, SessionStatus, Side
from marketdata.feed import Feed
from marketdata.messages import Bidding
from tests.unit.marketdata.trading_floor import CODES, WINDOW_MINUTES, Floor

SESSION_NAMES = {
    SessionStatus.NOTICED: "noticed",
    SessionStatus.OPEN: "open",
    SessionStatus.CLOSED: "closed",
    SessionStatus.FAILED: "failed",
    SessionStatus.REJECTED: "rejected",
}
SIDES = {1: "buy", 2: "sell"}


def open_orders(floor: Floor, kind: Kind) -> Iterator[tuple[int, Any]]:
    base = int(floor.exchange.state.market[0]["order_base"])
    for row, order in enumerate(floor.exchange.orders_today()):
        if order["status"] in (OrderStatus.OPEN, OrderStatus.PART_FILLED) and order["kind"] == kind:
            yield base + row, order


def board_of(floor: Floor, instrument: int, side: int) -> list[tuple[int, int, int]]:
    """Public offers of one side from the engine's orders: (number, price, tonnes), best first."""
    found = [
        (number, int(order["price_ticks"]), int(order["qty_tonnes"]))
        for number, order in open_orders(floor, Kind.BULK_OFFER)
        if order["counterparty"] == -1
        and (order["instrument"], order["side"]) == (instrument, side)
    ]
    sign = -1 if side == Side.BUY else 1
    return sorted(found, key=lambda offer: (sign * offer[1], offer[0]))


def check_boards_and_depth(floor: Floor, feed: Feed) -> None:
    for instrument, code in enumerate(CODES):
        shown = feed.snapshot(code)
        for side, name in SIDES.items():
            offers = [
                (each.order_no, each.price_ticks, each.qty_tonnes)
                for each in shown.offers
                if each.side == name
            ]
            assert offers == board_of(floor, instrument, side)
            listed: dict[int, int] = {}
            for _, order in open_orders(floor, Kind.LIST):
                if (order["instrument"], order["side"]) == (instrument, side):
                    price = int(order["price_ticks"])
                    listed[price] = listed.get(price, 0) + int(order["leaves_qty"])
            best = sorted(listed, reverse=side == Side.BUY)[:5]
            assert shown.depth is not None
            levels = shown.depth.bids if side == Side.BUY else shown.depth.asks
            assert [(one.price_ticks, one.qty_tonnes) for one in levels] == [
                (price, listed[price]) for price in best
            ]


def check_figures(floor: Floor, feed: Feed) -> None:
    state = floor.exchange.state
    for instrument in range(len(CODES)):
        quote, row = feed.snapshot(instrument).quote, state.instruments[instrument]
        assert quote is not None
        for name in ("open_ticks", "high_ticks", "low_ticks", "last_ticks"):
            assert getattr(quote, name) == int(row[name]), name
        for totals, modality in zip(
            feed.figures.vintages[instrument].totals, range(3), strict=True
        ):
            assert totals.day_qty == int(state.totals[instrument, modality]["day_qty_tonnes"])
            assert totals.day_turnover == int(
                state.totals[instrument, modality]["day_turnover_fen"]
            )
        assert quote.qty_tonnes == int(state.totals[instrument, 0]["day_qty_tonnes"])
    now, composite = closing.figures(state), feed.snapshot(0).composite
    if composite is None:
        assert now.open_ticks == 0
        return
    assert composite.latest_ticks == now.latest_ticks
    for name in ("open_ticks", "high_ticks", "low_ticks"):
        assert getattr(composite, name) == getattr(now, name), name
    assert composite.qty_tonnes == int(state.totals[:, 0]["day_qty_tonnes"].sum())  # TR-107
    assert composite.turnover_fen == int(state.totals[:, 0]["day_turnover_fen"].sum())


def check_result(floor: Floor, order_row: int, told: Bidding) -> None:
    """A session's result is that of its deals which stand (TR-84, TR-121)."""
    order_no = int(floor.exchange.state.market[0]["order_base"]) + order_row
    side = SIDES[int(floor.exchange.state.orders[order_row]["side"])]
    trades = floor.exchange.trades_today()
    deals = trades[(trades[f"{side}_order_no"] == order_no) & (trades["void"] == 0)]
    prices, tonnes = deals["price_ticks"], deals["qty_tonnes"]
    marginal = max if side == "buy" else min
    assert told.side == side
    assert told.clearing_ticks == marginal(prices.tolist(), default=0)
    assert told.dealt_qty_tonnes == tonnes.sum()
    assert told.turnover_fen == (prices.astype(np.int64) * tonnes).sum()
    assert told.winning_bids == len(deals)
    if told.status == "closed":
        assert told.unsold_qty_tonnes == told.qty_tonnes - tonnes.sum()


def check_sessions_and_halts(floor: Floor, feed: Feed) -> None:
    state = floor.exchange.state
    base = int(state.market[0]["session_base"])
    published = {}
    for row in range(1, int(state.market[0]["sessions"])):
        session = state.sessions[row]
        if session["order_row"]:
            published[base + row] = session
    shown = {each.session_no: each for code in CODES for each in feed.snapshot(code).sessions}
    assert set(shown) == set(published)
    for number, session in published.items():
        told = shown[number]
        assert told.status == SESSION_NAMES[SessionStatus(int(session["status"]))]
        assert told.instrument == CODES[int(session["instrument"])]
        assert (told.limit_ticks, told.qty_tonnes) == (
            session["price_ticks"],
            session["qty_tonnes"],
        )
        assert (told.from_minute, told.until_minute) == WINDOW_MINUTES
        assert told.pricing == ("pay_as_bid" if session["pricing"] else "uniform")
        check_result(floor, int(session["order_row"]), told)
    for instrument in range(len(CODES)):
        assert feed.snapshot(instrument).halted == bool(state.instruments[instrument]["halted"])
    status = feed.snapshot(0).status
    assert status is not None
    assert status.halted == bool(state.market[0]["halted"])


def test_everything_shown_is_the_engines_own_at_every_step() -> None:
    """TR-75, TR-76, TR-89, TR-93, TR-104…107, TR-117, TR-121, over three days and four seeds."""
    seen: set[int] = set()
    for seed in range(4):
        floor = Floor(seed)
        feed = floor.feed()
        for _ in range(2):
            for phase in (Phase.MORNING, Phase.AFTERNOON):
                while floor.phase != phase:
                    floor.next_phase()
                for _ in range(25):
                    floor.steps(12)
                    feed.flush()
                    check_boards_and_depth(floor, feed)
                    check_figures(floor, feed)
                    check_sessions_and_halts(floor, feed)
            floor.next_phase()
            check_evening(floor, feed)
            seen |= {int(kind) for events in floor.events for kind in events["kind"]}
    rare = {
        *(Event.BULK_COUNTERED, Event.BULK_AGREED, Event.SESSION_CLOSED, Event.SESSION_REJECTED),
        *(Event.TRADE_VOIDED, Event.KILLED_NOW, Event.MARKET_RESUMED, Event.INSTRUMENT_RESUMED),
    }
    assert {int(kind) for kind in rare} <= seen


def check_evening(floor: Floor, feed: Feed) -> None:
    """After the close, and after deals were voided in the evening: the bulletin is the engine's."""
    state = floor.exchange.state
    date = int(state.market[0]["date"])
    for number in (0, 1, 2):
        if number:
            floor.send(floor.void(number))
        feed.flush()
        bulletin = feed.bulletin(date)
        assert bulletin is not None
        now = closing.figures(state)
        line = bulletin.composite
        assert (line.close_ticks, line.high_ticks, line.low_ticks) == (
            now.close_ticks,
            now.high_ticks,
            now.low_ticks,
        )
        for row, vintage in enumerate(bulletin.vintages):
            assert vintage.price.close_ticks == int(state.instruments[row]["close_ticks"])
            for modality, name in enumerate(("listed", "bulk", "auction")):
                volumes = getattr(vintage, name)
                for period in ("day", "year", "all"):
                    for figure in ("qty_tonnes", "turnover_fen"):
                        own = int(state.totals[row, modality][f"{period}_{figure}"])
                        assert getattr(volumes, f"{period}_{figure}") == own
        voided = int((floor.exchange.trades_today()["void"] == 1).sum())
        assert bulletin.voided_trades == voided
        cleared = [SessionStatus.CLOSED, SessionStatus.FAILED]
        assert bulletin.bidding_sessions == int(np.isin(state.sessions["status"], cleared).sum())


@pytest.mark.parametrize("weights", [(0, 0, 0), (1, 1, 1), (0, 0, 5)])
def test_the_composite_of_other_weights_is_the_engines(weights: tuple[int, ...]) -> None:
    """TR-104, TR-105: without any weight there is no composite price at all."""
    floor = Floor(9, weights)
    feed = floor.feed()
    for _ in range(20):
        floor.steps(10)
        feed.flush()
        check_figures(floor, feed)
    while floor.phase != Phase.CLOSED:
        floor.next_phase()
    check_evening(floor, feed)
    assert (feed.snapshot(0).composite.latest_ticks > 0) == any(weights)
    assert bool(feed.bulletin(20260820).composite.close_ticks) == any(weights)
