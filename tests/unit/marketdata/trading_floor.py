"""A small random trading floor on a real Exchange: all three ways of trading, halts, voids, days.

``Floor(seed).steps(n)`` sends sensible and senseless commands; the events of each step go to the
feeds that are handed in, so that what a feed shows can be compared with the engine's own state.
"""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from engine.exchange import Exchange
from engine.records import (
    Event,
    Kind,
    NegotiationStatus,
    OrderStatus,
    Phase,
    SessionStatus,
    Side,
    commands,
)
from marketdata.feed import Feed

Fields = dict[str, Any]
START_NS = 1_787_190_600_000_000_000
MINUTE_NS = 60 * 10**9
WINDOW_MINUTES = (10 * 60, 10 * 60 + 30)
WINDOW = dict(zip(("from_minute", "until_minute"), WINDOW_MINUTES, strict=True))
DATES = (20260820, 20260821, 20260824)
CODES = ("CEA24", "CEA25", "CEA26")
REFERENCES = (4872, 9740, 8001)
WEIGHTS = (1, 3, 0)
ACCOUNTS = 8
PARAMETERS = {
    1: 1000,  # listed band
    2: 3000,
    3: 99_999,
    4: 1000,  # least bulk quantity
    5: 5,
    7: 1,
    9: 100,
    11: 200,
    13: 300,
    15: 1000,
    16: 1000,  # least quantity of a bidding session
    17: 1,
    18: 1,  # buyers may apply too
    19: 10_000_000,  # large holders
    22: 1,
    23: 1,
}


class Floor:
    """An exchange in the morning of its first day; ``events`` are all that were made."""

    def __init__(self, seed: int = 0, weights: tuple[int, ...] = WEIGHTS) -> None:
        self.random = random.Random(seed)
        self.exchange = Exchange()
        self.events: list[np.ndarray] = []
        self.feeds: list[Feed] = []
        self.send(*self._opening(weights))

    def _opening(self, weights: tuple[int, ...]) -> list[Fields]:
        rows: list[Fields] = [
            {"kind": Kind.SET_PARAMETER, "ref": ref, "amount": value}
            for ref, value in PARAMETERS.items()
        ]
        for row, (code, price) in enumerate(zip(CODES, REFERENCES, strict=True)):
            rows.append(
                {
                    "kind": Kind.ADMIT_INSTRUMENT,
                    "instrument": row,
                    "price_ticks": price,
                    "client_order_id": code.encode(),
                }
            )
            weight = {"ref": 100, "amount": weights[row], "instrument": row}
            rows.append({"kind": Kind.SET_PARAMETER, **weight})
        for account in range(ACCOUNTS):
            rows.append({"kind": Kind.OPEN_ACCOUNT, "account": account})
            rows.append({"kind": Kind.CASH_IN, "account": account, "amount": 10**12})
            rows += [
                {"kind": Kind.TRANSFER_IN, "account": account, "instrument": i, "qty_tonnes": 10**6}
                for i in range(len(CODES))
            ]
        rows.append({"kind": Kind.BEGIN_DAY, "ref": DATES[0]})
        rows.append({"kind": Kind.SET_PHASE, "ref": Phase.MORNING})
        return rows

    def feed(self) -> Feed:
        """Return a feed that has heard everything and hears what comes."""
        feed = Feed(CODES.__getitem__)
        for events in self.events:
            feed.absorb(events)
        self.feeds.append(feed)
        return feed

    def send(self, *rows: Fields) -> np.ndarray:
        """Apply commands as one batch; return their events."""
        batch = commands(len(rows))
        for row, fields in zip(batch, rows, strict=True):
            for name, value in fields.items():
                row[name] = value
        batch["seq"] = np.arange(self.exchange.seq + 1, self.exchange.seq + len(rows) + 1)
        batch["time_ns"] = START_NS + batch["seq"] * 1_000_000
        events = self.exchange.apply(batch)
        self.events.append(events)
        for feed in self.feeds:
            feed.absorb(events)
        return events

    @property
    def phase(self) -> int:
        return int(self.exchange.state.market[0]["phase"])

    def next_phase(self) -> None:
        """Go one step further in the day, through the evening into the next day."""
        date = int(self.exchange.state.market[0]["date"])
        standing = int((self.exchange.trades_today()["void"] == 0).sum())
        later = [each for each in DATES if each > date]
        step = {
            Phase.MORNING: {"kind": Kind.SET_PHASE, "ref": Phase.LUNCH},
            Phase.LUNCH: {"kind": Kind.SET_PHASE, "ref": Phase.AFTERNOON},
            Phase.AFTERNOON: {"kind": Kind.CLOSE_DAY},
            Phase.CLOSED: {"kind": Kind.CONFIRM_DAY, "ref": 7, "amount": standing},
            Phase.CONFIRMED: {"kind": Kind.POST_DAY, "ref": 7},
            Phase.POSTED: {"kind": Kind.BEGIN_DAY, "ref": later[0] if later else 0},
            Phase.PRE_OPEN: {"kind": Kind.SET_PHASE, "ref": Phase.MORNING},
        }[Phase(self.phase)]
        assert (self.send(step)["kind"] != Event.REFUSED).all(), "the day has no further step"

    def steps(self, count: int) -> None:
        """Send ``count`` random commands."""
        makers = (self._listed, self._listed, self._bulk, self._bulk, self._session, self._control)
        for _ in range(count):
            self.send(self.random.choice(makers)())

    def _who(self) -> Fields:
        return {"account": self.random.randrange(ACCOUNTS)}

    def _price(self, instrument: int, spread: int = 12) -> int:
        return REFERENCES[instrument] + self.random.randrange(-spread, spread + 1)

    def _order(self, kinds: tuple[Kind, ...]) -> tuple[int, Any]:
        """Return (number, row) of an open order of one of these kinds, (0, None) if none is."""
        orders = self.exchange.orders_today()
        open_now = np.isin(orders["status"], (OrderStatus.OPEN, OrderStatus.PART_FILLED))
        rows = np.flatnonzero(open_now & np.isin(orders["kind"], kinds))
        if not len(rows):
            return 0, None
        row = int(self.random.choice(rows.tolist()))
        return int(self.exchange.state.market[0]["order_base"]) + row, orders[row]

    def _listed(self) -> Fields:
        rng, instrument = self.random, self.random.randrange(3)
        base = {**self._who(), "instrument": instrument, "side": rng.choice((1, 2))}
        price = self._price(instrument)
        draw = rng.random()
        if draw < 0.5:
            return {**base, "kind": Kind.LIST, "price_ticks": price, "qty_tonnes": 50}
        if draw < 0.8:
            limit = REFERENCES[instrument] + (30 if base["side"] == Side.BUY else -30)
            qty = rng.randrange(1, 90)
            return {**base, "kind": Kind.TAKE_BEST, "price_ticks": limit, "qty_tonnes": qty}
        number, order = self._order((Kind.LIST,))
        owner = {"account": int(order["account"])} if order is not None else {}
        return {**base, **owner, "kind": Kind.CANCEL, "ref": number}

    def _bulk(self) -> Fields:
        rng, draw = self.random, self.random.random()
        number, offer = self._order((Kind.BULK_OFFER,))
        if offer is None or draw < 0.3:
            instrument = rng.randrange(3)
            return {
                **self._who(),
                "kind": Kind.BULK_OFFER,
                "instrument": instrument,
                "side": rng.choice((1, 2)),
                "price_ticks": self._price(instrument, 900),
                "qty_tonnes": rng.randrange(1000, 1500),
                "counterparty": rng.choice((-1, -1, rng.randrange(ACCOUNTS))),
            }
        base = {**self._who(), "ref": number}
        talks = self.exchange.state.negotiations
        row = number - int(self.exchange.state.market[0]["order_base"])
        mine = np.flatnonzero((talks["offer_row"] == row) & (talks["status"] > 0))
        mine = mine[talks["status"][mine] != NegotiationStatus.ENDED]
        terms = (int(offer["price_ticks"]), int(offer["qty_tonnes"]))
        initiator = int(offer["account"])
        if len(mine):
            talk = talks[int(rng.choice(mine.tolist()))]
            terms = (int(talk["price_ticks"]), int(talk["qty_tonnes"]))
            people = [(initiator, int(talk["responder"])), (int(talk["responder"]), -1)]
            base["account"], base["counterparty"] = rng.choice(people)
        if draw < 0.55:
            terms = (terms[0] + rng.randrange(-3, 4), terms[1])
            return {**base, **_terms(terms), "kind": Kind.BULK_COUNTER}
        if draw < 0.75:
            return {**base, **_terms(terms), "kind": Kind.BULK_ACCEPT}
        if draw < 0.87:
            return {**base, "kind": Kind.BULK_CONFIRM}
        if draw < 0.93:
            return {**base, "kind": Kind.BULK_DECLINE}
        return {**base, "kind": Kind.BULK_WITHDRAW, "account": initiator}

    def _session(self) -> Fields:
        rng, state = self.random, self.exchange.state
        known = range(1, int(state.market[0]["sessions"]))
        base_no = int(state.market[0]["session_base"])
        ended = (SessionStatus.CLOSED, SessionStatus.FAILED, SessionStatus.REJECTED)
        living = [row for row in known if int(state.sessions[row]["status"]) not in ended]
        if not living or rng.random() < 0.08:
            instrument, side = rng.randrange(3), rng.choice((1, 2))
            qty = rng.randrange(1000, 3000)
            return {
                **self._who(),
                "kind": Kind.APPLY_SESSION,
                "instrument": instrument,
                "side": side,
                "price_ticks": int(state.instruments[instrument]["reference_ticks"]),
                "qty_tonnes": qty,
                "mode": rng.choice((0, 1)),
            }
        row = rng.choice(living)
        session = state.sessions[row]
        number, status = base_no + row, int(session["status"])
        if rng.random() < 0.06:
            return {"kind": Kind.REJECT_SESSION, "ref": number}
        if status == SessionStatus.APPLIED:
            return {"kind": Kind.NOTICE_SESSION, "ref": number, **WINDOW}
        if status == SessionStatus.NOTICED:
            return {"kind": Kind.OPEN_SESSION, "ref": number}
        bid_no, bid = self._order((Kind.BID,))
        if rng.random() < 0.15:
            return {"kind": Kind.CLOSE_SESSION, "ref": number}
        if bid is not None and rng.random() < 0.2:
            return {"kind": Kind.CANCEL_BID, "ref": bid_no, "account": int(bid["account"])}
        away = rng.randrange(0, 60) * (1 if int(session["side"]) == Side.SELL else -1)
        price, qty = int(session["price_ticks"]) + away, rng.randrange(1, 900)
        return {**self._who(), "kind": Kind.BID, "ref": number, **_terms((price, qty))}

    def _control(self) -> Fields:
        rng, state = self.random, self.exchange.state
        draw, instrument = rng.random(), rng.randrange(3)
        if state.market[0]["halted"]:
            return {"kind": Kind.RESUME_MARKET}
        if state.instruments[instrument]["halted"]:
            return {"kind": Kind.RESUME_INSTRUMENT, "instrument": instrument}
        if draw < 0.1:
            return {"kind": Kind.HALT_INSTRUMENT, "instrument": instrument}
        if draw < 0.15:
            return {"kind": Kind.HALT_MARKET}
        if draw < 0.2:
            whom = rng.choice((-1, rng.randrange(ACCOUNTS)))
            what = rng.choice((-1, instrument))
            return {"kind": Kind.KILL, "account": whom, "instrument": what}
        if draw < 0.6:
            return self.void(rng.randrange(1, 1 + max(1, int(state.market[0]["trades"]))))
        return self._listed()

    def void(self, number: int) -> Fields:
        """The command that undoes the day's ``number``-th trade."""
        ref = int(self.exchange.state.market[0]["trade_base"]) + number
        return {"kind": Kind.VOID_TRADE, "ref": ref, "operator": 1, "checker": 2}


def _terms(terms: tuple[int, int]) -> Fields:
    return {"price_ticks": terms[0], "qty_tonnes": terms[1]}
