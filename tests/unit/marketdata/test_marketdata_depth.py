"""Depth: against a picture without books, and against a real exchange's own orders."""

from __future__ import annotations

import random
from collections import defaultdict

import numpy as np
import pytest

from engine.exchange import Exchange
from engine.records import COMMAND, Event, Kind, Modality, Mode, Phase, Side, commands
from engine.records import OrderStatus as Status
from marketdata.feed import Feed
from marketdata.messages import LISTINGS_SHOWN_MAX, Depth, Level
from tests.unit.marketdata.streams import RandomMarket, admitted, batch, event


def shown(levels: tuple[Level, ...]) -> list[tuple[int, int, int, list[tuple[int, int]]]]:
    return [(one.price_ticks, one.qty_tonnes, one.orders, list(one.listings)) for one in levels]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("batch_size", [1, 7, 300])
def test_depth_equals_a_flat_model_after_every_batch(seed: int, batch_size: int) -> None:
    market, feed = RandomMarket(seed), Feed()
    feed.absorb(batch(*market.start()))
    latest: dict[str, Depth] = {}
    for _ in range(1200 // batch_size):
        rows = [row for _ in range(batch_size) for row in market.step()]
        feed.absorb(batch(*rows))
        latest.update((m.instrument, m) for m in feed.flush() if isinstance(m, Depth))
        for instrument in range(market.instruments):
            depth = latest.get(f"I{instrument}", Depth(0, 0, 0, 0, "", (), ()))
            for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
                want = market.picture(instrument, side)
                want = [(p, q, n, listings[:LISTINGS_SHOWN_MAX]) for p, q, n, listings in want]
                assert shown(levels) == want, f"seed {seed}"
    assert latest, "nothing was published"
    feed.absorb(batch(*market.lapse()))
    feed.flush()
    assert feed.snapshot(0).depth.bids == feed.snapshot(0).depth.asks == ()


def test_a_level_names_its_oldest_listings_and_listings_names_all() -> None:
    feed = Feed()
    rows = [
        event(
            Event.ACCEPTED,
            instrument=0,
            side=Side.SELL,
            price_ticks=8000,
            leaves_qty=number,
            order_no=number,
            modality=Modality.LISTED,
        )
        for number in range(1, 31)
    ]
    feed.absorb(batch(*admitted([8000]), *rows))
    feed.flush()
    (level,) = feed.snapshot("I0").depth.asks
    assert (level.orders, level.qty_tonnes) == (30, 465)
    assert [number for number, _ in level.listings] == list(range(1, LISTINGS_SHOWN_MAX + 1))
    assert feed.listings("I0", Side.SELL, 8000) == tuple((n, n) for n in range(1, 31))
    assert feed.listings(0, Side.BUY, 8000) == ()


def test_events_that_do_not_fit_the_book_are_not_swallowed() -> None:
    feed = Feed()
    feed.absorb(batch(*admitted([8000])))
    gone = event(
        Event.CANCELLED,
        instrument=0,
        side=Side.BUY,
        price_ticks=8000,
        order_no=9,
        modality=Modality.LISTED,
    )
    with pytest.raises(KeyError):
        feed.absorb(batch(gone))


# --- against a real exchange ---------------------------------------------------------------------

ACCOUNTS = 12


def opened(mode: Mode) -> tuple[Exchange, np.ndarray]:
    """An exchange in the morning of its first day with two instruments and rich accounts."""
    rows: list[dict[str, object]] = [
        {"kind": Kind.SET_PARAMETER, "ref": ref, "amount": amount}
        for ref, amount in ((1, 1000), (2, 3000), (3, 99_999), (4, 100_000), (5, 5))
    ]
    rows += [
        {
            "kind": Kind.ADMIT_INSTRUMENT,
            "instrument": row,
            "price_ticks": 8000,
            "mode": mode,
            "client_order_id": code,
        }
        for row, code in enumerate((b"CEA24", b"CEA25"))
    ]
    for account in range(ACCOUNTS):
        rows.append({"kind": Kind.OPEN_ACCOUNT, "account": account})
        rows.append({"kind": Kind.CASH_IN, "account": account, "amount": 10**12})
        rows += [
            {"kind": Kind.TRANSFER_IN, "account": account, "instrument": i, "qty_tonnes": 10**6}
            for i in (0, 1)
        ]
    rows.append({"kind": Kind.BEGIN_DAY, "ref": 20260820})
    rows.append({"kind": Kind.SET_PHASE, "ref": Phase.MORNING})
    exchange = Exchange()
    return exchange, exchange.apply(numbered(exchange, rows))


def numbered(exchange: Exchange, rows: list[dict[str, object]]) -> np.ndarray:
    made = commands(len(rows))
    assert made.dtype == COMMAND
    for row, fields in zip(made, rows, strict=True):
        for name, value in fields.items():
            row[name] = value
    made["seq"] = np.arange(exchange.seq + 1, exchange.seq + len(rows) + 1)
    made["time_ns"] = 1_787_190_600_000_000_000 + made["seq"] * 1_000_000
    return made


def random_command(rng: random.Random, exchange: Exchange, mode: Mode) -> dict[str, object]:
    side = rng.choice((Side.BUY, Side.SELL))
    away = rng.randrange(-2, 12)
    entry, best = (Kind.LIST, Kind.TAKE_BEST) if mode == Mode.LISTED else (Kind.ADD, Kind.ADD)
    known = int(exchange.state.market[0]["order_base"] + exchange.state.market[0]["orders"])
    number = rng.randrange(max(1, known - 40), known + 1)
    base = {"account": rng.randrange(ACCOUNTS), "instrument": rng.randrange(2), "side": side}
    price = 8000 + (away if side == Side.SELL else -away)
    draw = rng.random()
    if draw < 0.5:
        return {**base, "kind": entry, "price_ticks": price, "qty_tonnes": rng.randrange(1, 90)}
    if draw < 0.65:
        limit = 8000 + (-9 if side == Side.SELL else 9)
        return {**base, "kind": best, "price_ticks": limit, "qty_tonnes": rng.randrange(1, 200)}
    if draw < 0.8:
        if mode == Mode.LISTED:
            return {**base, "kind": Kind.TAKE, "ref": number, "qty_tonnes": rng.randrange(1, 60)}
        qty = rng.randrange(1, 120)
        return {**base, "kind": Kind.AMEND, "ref": number, "price_ticks": price, "qty_tonnes": qty}
    return {**base, "kind": Kind.CANCEL, "ref": number}


def engine_levels(exchange: Exchange, instrument: int, side: int) -> dict[int, dict[int, int]]:
    """Open orders of one side from the engine's own array: {price: {order_no: leaves}}."""
    orders = exchange.orders_today()
    base = int(exchange.state.market[0]["order_base"])
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for row, order in enumerate(orders):
        open_now = order["status"] in (Status.OPEN, Status.PART_FILLED)
        if open_now and (order["instrument"], order["side"]) == (instrument, side):
            found[int(order["price_ticks"])][base + row] = int(order["leaves_qty"])
    return dict(found)


@pytest.mark.parametrize("mode", [Mode.LISTED, Mode.PRICE_TIME])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_depth_equals_the_engines_own_orders(seed: int, mode: Mode) -> None:
    rng = random.Random(seed)
    exchange, events = opened(mode)
    feed = Feed(lambda row: exchange.state.instruments[row]["code"].decode())
    feed.absorb(events)
    seen = set()
    for _ in range(60):
        # one command at a time inside a batch of 20: refs point at what exists by then
        for _ in range(20):
            command = random_command(rng, exchange, mode)
            events = exchange.apply(numbered(exchange, [command]))
            seen |= set(events["kind"].tolist())
            feed.absorb(events)
        feed.flush()
        for instrument, code in enumerate(("CEA24", "CEA25")):
            depth = feed.snapshot(code).depth
            assert depth is not None
            for side, levels in ((Side.BUY, depth.bids), (Side.SELL, depth.asks)):
                own = engine_levels(exchange, instrument, side)
                best = sorted(own, reverse=side == Side.BUY)[:5]
                assert [one.price_ticks for one in levels] == best, f"seed {seed}"
                for one in levels:
                    assert dict(one.listings) == own[one.price_ticks]
                    assert one.qty_tonnes == sum(own[one.price_ticks].values())
    assert {int(Event.TRADED), int(Event.CANCELLED)} <= seen
    assert mode == Mode.LISTED or int(Event.AMENDED) in seen
    quote = feed.snapshot("CEA25").quote
    line = exchange.state.instruments[1]
    assert quote is not None
    assert (quote.last_ticks, quote.open_ticks, quote.high_ticks, quote.low_ticks) == tuple(
        int(line[name]) for name in ("last_ticks", "open_ticks", "high_ticks", "low_ticks")
    )
    assert quote.qty_tonnes == int(exchange.state.totals[1, 0]["day_qty_tonnes"])


def test_queue_order_of_price_time_levels_follows_the_engine() -> None:
    exchange, events = opened(Mode.PRICE_TIME)
    feed = Feed()
    feed.absorb(events)
    add = {"kind": Kind.ADD, "instrument": 0, "side": Side.SELL, "price_ticks": 8005}
    rows = [{**add, "account": account, "qty_tonnes": 50} for account in range(3)]
    amend = {"kind": Kind.AMEND, "price_ticks": 8005}
    rows.append({**amend, "account": 0, "ref": 1, "qty_tonnes": 60})  # grew: last
    rows.append({**amend, "account": 1, "ref": 2, "qty_tonnes": 40})  # shrank: keeps its place
    feed.absorb(exchange.apply(numbered(exchange, rows)))
    feed.flush()
    assert feed.listings(0, Side.SELL, 8005) == ((2, 40), (3, 50), (1, 60))
