"""No account and no counterparty can reach a message (TR-68): shown, not promised."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.records import EVENT
from marketdata.bulletin import to_json
from marketdata.feed import PUBLIC, Feed
from marketdata.messages import Depth, Message, Notice, Quote, Snapshot, Status, Trade
from tests.unit.marketdata.streams import RandomMarket, batch, day_closed

PRIVATE = ("account", "counterparty", "fee_fen", "other_fee_fen")
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


def test_no_private_column_is_read_and_no_message_has_a_field_for_it() -> None:
    assert set(PUBLIC) <= set(EVENT.names)
    assert not set(PUBLIC) & set(PRIVATE)
    fields = {
        field.name
        for message in (Depth, Trade, Quote, Status, Notice, Snapshot)
        for field in msgspec.structs.fields(message)
    }
    assert not [name for name in fields if any(part in name for part in NAMES)]
    assert Message == Depth | Trade | Quote | Status | Notice


def test_a_trade_does_not_name_the_orders_behind_it() -> None:
    assert not [f.name for f in msgspec.structs.fields(Trade) if "order" in f.name]
