"""No account and no counterparty can reach a message (TR-68): shown, not promised."""

from __future__ import annotations

from typing import get_args

import msgspec
import numpy as np
import pytest

from engine.records import EVENT, Event, Phase
from marketdata.bulletin import to_json
from marketdata.feed import PUBLIC, Feed
from marketdata.messages import BulkOffer, Message, Offer, Snapshot, Trade
from tests.unit.marketdata.streams import RandomMarket, admitted, batch, day_closed, event
from tests.unit.marketdata.trading_floor import Floor

PRIVATE = ("account", "counterparty", "fee_fen", "other_fee_fen")
BULK_KINDS = (Event.BULK_OFFERED, Event.BULK_COUNTERED, Event.BULK_AGREED)
NAMES = ("account", "counter", "client", "owner", "operator", "buyer", "seller", "fee", "frozen")


def told(events: np.ndarray) -> bytes:
    """Everything the public can get out of a feed, as bytes."""
    feed = Feed()
    out: list[object] = []
    for start in range(0, len(events), 50):
        feed.absorb(events[start : start + 50])
        out.append(feed.flush())
        out += [feed.snapshot(instrument) for instrument in range(len(feed.codes))]
    out.append(feed.since(0))
    bulletins = [to_json(bulletin) for bulletin in feed.bulletins.values()]
    assert bulletins
    return msgspec.json.encode(out) + b"".join(bulletins)


@pytest.fixture(scope="module")
def events() -> np.ndarray:
    market = RandomMarket(11)
    rows = market.start()
    for _ in range(800):
        rows += market.step()
    rows += market.lapse() + day_closed([10_000, 10_000], 10_000)
    return batch(*rows)


def test_the_feed_says_the_same_whoever_the_accounts_are(events: np.ndarray) -> None:
    other = events.copy()
    rng = np.random.default_rng(5)
    for name in PRIVATE:
        other[name] = rng.integers(1, 2**31 - 1, len(events))
    frozen = other["kind"] != 2  # amounts of everything but trades tell what somebody froze
    other["amount_fen"][frozen] = rng.integers(1, 10**15, int(frozen.sum()))
    assert not np.array_equal(events, other)
    assert told(events) == told(other)


def test_a_different_price_is_told(events: np.ndarray) -> None:
    other = events.copy()
    other["price_ticks"] += 1
    assert told(events) != told(other)


def everyday(seed: int) -> np.ndarray:
    """Events of two days with all ways of trading (fewer orders than accounts could tell apart)."""
    floor = Floor(seed)
    for phase in (Phase.MORNING, Phase.AFTERNOON) * 2:
        while floor.phase != phase:
            floor.next_phase()
        floor.steps(150)
    floor.next_phase()
    return np.concatenate(floor.events)


def told_by_command(events: np.ndarray) -> bytes:
    """As ``told``, flushed after every 40 commands whatever events they made."""
    feed = Feed()
    out: list[object] = []
    for group in np.split(events, np.flatnonzero(np.diff(events["seq"] // 40)) + 1):
        feed.absorb(group)
        out.append(feed.flush())
        out += [feed.snapshot(instrument) for instrument in range(len(feed.codes))]
    bulletins = [to_json(bulletin) for bulletin in feed.bulletins.values()]
    assert bulletins
    return msgspec.json.encode(out) + b"".join(bulletins)


@pytest.mark.parametrize("seed", [1, 2])
def test_bulk_and_bidding_say_the_same_whoever_the_accounts_are(seed: int) -> None:
    """TR-68, TR-75, TR-89: every account is called otherwise; only "nobody" stays nobody."""
    events = everyday(seed)
    assert {20, 21} <= set(events["modality"][events["kind"] == Event.TRADED].tolist())
    other, rng = events.copy(), np.random.default_rng(seed)
    names = rng.permutation(1000)
    bulk = np.isin(events["kind"], BULK_KINDS)
    for name in ("account", "counterparty"):
        named = events[name] >= 0
        other[name][named] = names[events[name][named]]  # the same one everywhere in bulk ...
        free = named & ~bulk
        other[name][free] = rng.integers(0, 2**31 - 1, int(free.sum()))  # ... anybody elsewhere
    for name in ("fee_fen", "other_fee_fen"):
        other[name] = rng.integers(1, 2**31 - 1, len(events))
    locks = ~np.isin(events["kind"], (Event.TRADED, Event.TRADE_VOIDED))
    other["amount_fen"][locks] = rng.integers(1, 10**15, int(locks.sum()))
    assert told_by_command(events) == told_by_command(other)


@pytest.mark.parametrize("seed", [3, 4])
def test_sealed_bids_and_what_is_negotiated_leave_no_trace(seed: int) -> None:
    """TR-75, TR-89: without those events the feed says the same, byte for byte."""
    events = everyday(seed)
    kind, modality = events["kind"], events["modality"]
    public = set(events["order_no"][(kind == Event.BULK_OFFERED) & (events["counterparty"] == -1)])
    ends = np.isin(kind, (Event.ACCEPTED, Event.CANCELLED, Event.LAPSED))
    secret = ends & (modality == 21)  # bids, and what of them was not dealt
    ours = np.array([number in public for number in events["order_no"].tolist()])
    offers = {int(e["order_no"]): int(e["account"]) for e in events[kind == Event.BULK_OFFERED]}
    whose = np.array([offers.get(number, -1) for number in events["order_no"].tolist()])
    talk = np.isin(kind, (Event.BULK_COUNTERED, Event.BULK_AGREED)) & (events["account"] != whose)
    secret |= talk | (kind == Event.BULK_DECLINED) | (kind == Event.SESSION_APPLIED)
    secret |= (modality == 20) & (kind != Event.TRADED) & (kind != Event.TRADE_VOIDED) & ~ours
    assert secret.sum() > 60
    assert told_by_command(events) == told_by_command(events[~secret])


def test_an_initiators_counter_is_told_and_a_responders_is_not() -> None:
    offered = event(
        Event.BULK_OFFERED,
        order_no=1,
        account=4,
        instrument=0,
        side=2,
        price_ticks=8000,
        qty_tonnes=100_000,
        modality=20,
    )
    asked = {**offered, "kind": Event.BULK_COUNTERED, "account": 5, "counterparty": 4}
    asked["price_ticks"] = 7900
    answered = {**asked, "account": 4, "counterparty": 5, "price_ticks": 7950}
    feed = Feed()
    feed.absorb(batch(*admitted([8000]), offered, asked))
    assert [m.status for m in feed.flush() if isinstance(m, BulkOffer)] == ["open"]
    feed.absorb(batch(answered))
    (changed,) = feed.flush()
    assert (changed.status, changed.price_ticks, changed.order_no) == ("changed", 7950, 1)
    feed.absorb(batch(answered))  # the same terms to somebody else: nobody hears of the talk
    assert feed.flush() == []


def test_no_private_column_is_read_and_no_message_has_a_field_for_it() -> None:
    assert set(PUBLIC) <= set(EVENT.names)
    assert not set(PUBLIC) & set(PRIVATE)
    fields = {
        field.name
        for message in (*get_args(Message), Snapshot, Offer)
        for field in msgspec.structs.fields(message)
    }
    assert not [name for name in fields if any(part in name for part in NAMES)]
    assert len(get_args(Message)) == 12


def test_a_trade_does_not_name_the_orders_behind_it() -> None:
    assert not [f.name for f in msgspec.structs.fields(Trade) if "order" in f.name]
