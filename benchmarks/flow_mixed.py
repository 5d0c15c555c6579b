"""One stream of a whole market's afternoon: listed agreement, bulk agreement, one-way bidding.

Negotiated trading is told as stories (an offer that is accepted, a negotiation that is confirmed, a
bidding session with its bids), many of which are open at a time; each step of a story is one
command. The maker counts by itself what every way of trading must come to, without the engine.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

import numpy as np

from benchmarks.flow import REFERENCE_TICKS
from benchmarks.flow_deep import DeepStream, deep
from benchmarks.yardstick import ADD, TAKE
from engine.records import Kind, Modality, Mode, Pricing, Side, commands

Row = dict[str, int]
Story = Generator[tuple[Row, bool], int, None]  # yields (a command, does it make an order?)
Sums = tuple[int, int, int]  # trades, tonnes, turnover in fen

BULK_QTY = (100_000, 200_000)  # TR-12
SALE_QTY = (100_000, 400_000)  # TR-13
BID_QTY = (5_000, 60_000)
BIDS = (4, 12)
WINDOW = (600, 630)  # minutes of the day (TR-32)
OFFERS_OPEN, SESSIONS_OPEN = 20, 3  # stories under way at a time


@dataclass(frozen=True)
class Mix:
    """Shares of bulk agreement and one-way bidding in the commands; the rest is listed."""

    bulk: float
    bidding: float


@dataclass
class MixedStream(DeepStream):
    """Listed messages for the yardstick; commands of all three; what they must come to.

    ``alone``: the listed part as a stream of its own, with the order numbers it then has.
    """

    expected: dict[Modality, Sums]
    alone: DeepStream


@dataclass
class Desk:
    """Tells stories of negotiated trading and keeps count of their deals."""

    rng: random.Random
    accounts: int
    sums: dict[Modality, Sums] = field(default_factory=dict)
    sessions: int = 0
    under_way: dict[Modality, list[tuple[Story, int]]] = field(default_factory=dict)

    def step(self, modality: Modality, last_order_no: int) -> tuple[Row, bool]:
        """Return the next command of some story; ``last_order_no`` is the newest number so far."""
        stories = self.under_way.setdefault(modality, [])
        room = OFFERS_OPEN if modality == Modality.BULK else SESSIONS_OPEN
        at = self.rng.randrange(room)
        if at < len(stories):
            story, made = stories.pop(at)
            try:
                return self._note(modality, story, story.send(made), last_order_no)
            except StopIteration:
                pass  # told to its end: begin another
        story = self.rng.choice(STORIES[modality])(self)
        return self._note(modality, story, next(story), last_order_no)

    def _note(
        self, modality: Modality, story: Story, told: tuple[Row, bool], last_order_no: int
    ) -> tuple[Row, bool]:
        """Put a story back with the number of the order that its command makes."""
        self.under_way[modality].append((story, last_order_no + told[1]))
        return told

    def deal(self, modality: Modality, price_ticks: int, qty: int) -> None:
        """Count a deal."""
        trades, tonnes, turnover = self.sums.get(modality, (0, 0, 0))
        self.sums[modality] = (trades + 1, tonnes + qty, turnover + price_ticks * qty)

    def pair(self) -> tuple[int, int, int]:
        """(initiator, responder, side of the initiator): even accounts buy, odd ones sell."""
        buyer, seller = self.buyer(), self.buyer() + 1
        if self.rng.random() < 0.5:
            return buyer, seller, int(Side.BUY)
        return seller, buyer, int(Side.SELL)

    def buyer(self) -> int:
        """A random buying account."""
        return 2 * self.rng.randrange(self.accounts // 2)

    def terms(self) -> Row:
        """A price near the reference, a quantity of the modality."""
        price = REFERENCE_TICKS + self.rng.randint(-200, 200)
        return {"price_ticks": price, "qty_tonnes": self.rng.randint(*BULK_QTY)}


def _offer(desk: Desk, initiator: int, responder: int, side: int, terms: Row) -> Row:
    """A bulk offer: to everybody, or directed at the responder (TR-75)."""
    towards = responder if desk.rng.random() < 0.5 else -1
    who = {"account": initiator, "counterparty": towards, "side": side, "instrument": 0}
    return {"kind": Kind.BULK_OFFER, **who, **terms}


def accepted_offer(desk: Desk) -> Story:
    """An offer taken at its own terms: a deal at once (TR-70)."""
    (initiator, responder, side), terms = desk.pair(), desk.terms()
    ref = yield _offer(desk, initiator, responder, side, terms), True
    desk.deal(Modality.BULK, terms["price_ticks"], terms["qty_tonnes"])
    yield {"kind": Kind.BULK_ACCEPT, "account": responder, "ref": ref, **terms}, True


def confirmed_talk(desk: Desk) -> Story:
    """Offer, counter by the responder, accepted by the initiator, confirmed (TR-72)."""
    (initiator, responder, side), terms = desk.pair(), desk.terms()
    ref = yield _offer(desk, initiator, responder, side, desk.terms()), True
    theirs = {"account": responder, "ref": ref}
    ours = {"account": initiator, "counterparty": responder, "ref": ref}
    yield {"kind": Kind.BULK_COUNTER, **theirs, **terms}, False
    yield {"kind": Kind.BULK_ACCEPT, **ours, **terms}, False
    desk.deal(Modality.BULK, terms["price_ticks"], terms["qty_tonnes"])
    yield {"kind": Kind.BULK_CONFIRM, **theirs}, True


def long_talk(desk: Desk) -> Story:
    """Offer, counter, counter by the initiator, accepted by the responder, confirmed."""
    (initiator, responder, side), terms = desk.pair(), desk.terms()
    ref = yield _offer(desk, initiator, responder, side, desk.terms()), True
    theirs = {"account": responder, "ref": ref}
    ours = {"account": initiator, "counterparty": responder, "ref": ref}
    yield {"kind": Kind.BULK_COUNTER, **theirs, **desk.terms()}, False
    yield {"kind": Kind.BULK_COUNTER, **ours, **terms}, False
    yield {"kind": Kind.BULK_ACCEPT, **theirs, **terms}, True
    desk.deal(Modality.BULK, terms["price_ticks"], terms["qty_tonnes"])
    yield {"kind": Kind.BULK_CONFIRM, **ours}, False


def broken_talk(desk: Desk) -> Story:
    """Offer, counter, declined by the initiator, offer withdrawn."""
    initiator, responder, side = desk.pair()
    ref = yield _offer(desk, initiator, responder, side, desk.terms()), True
    yield (
        {"kind": Kind.BULK_COUNTER, "account": responder, "ref": ref, **desk.terms()},
        False,
    )
    ours = {"account": initiator, "ref": ref}
    yield {"kind": Kind.BULK_DECLINE, **ours, "counterparty": responder}, False
    yield {"kind": Kind.BULK_WITHDRAW, **ours}, False


def bidding_session(desk: Desk) -> Story:
    """Application, notice, opening, sealed bids, one of them taken back, clearing (TR-80…88)."""
    limit, offered = REFERENCE_TICKS, desk.rng.randint(*SALE_QTY)
    mode = desk.rng.choice((Pricing.UNIFORM, Pricing.PAY_AS_BID))
    desk.sessions += 1
    ref = {"ref": desk.sessions}
    sale = {"account": desk.buyer() + 1, "side": int(Side.SELL), "instrument": 0, "mode": int(mode)}
    yield (
        {"kind": Kind.APPLY_SESSION, **sale, "price_ticks": limit, "qty_tonnes": offered},
        False,
    )
    window = {"from_minute": WINDOW[0], "until_minute": WINDOW[1]}
    yield {"kind": Kind.NOTICE_SESSION, **ref, **window}, True
    yield {"kind": Kind.OPEN_SESSION, **ref}, False
    bids = []
    for _ in range(desk.rng.randint(*BIDS)):
        terms = {"price_ticks": limit + desk.rng.randint(0, 900)}
        terms["qty_tonnes"] = desk.rng.randint(*BID_QTY)
        who = {"account": desk.buyer()}
        number = yield {"kind": Kind.BID, **who, **ref, **terms}, True
        bids.append((number, who, terms["price_ticks"], terms["qty_tonnes"]))
    number, who, *_ = bids.pop(desk.rng.randrange(len(bids)))
    yield {"kind": Kind.CANCEL_BID, **who, "ref": number}, False
    for price, qty in cleared([(bid[2], bid[3]) for bid in bids], offered, mode):
        desk.deal(Modality.AUCTION, price, qty)
    yield {"kind": Kind.CLOSE_SESSION, **ref}, False


def cleared(bids: list[tuple[int, int]], offered: int, mode: Pricing) -> list[tuple[int, int]]:
    """Deals of a sale: (price, quantity) bids in order of arrival against tonnes on offer.

    Written from the rule (TR-84, TR-86), not from the engine: dearest first, then earliest.
    """
    won: list[tuple[int, int]] = []
    for price, qty in sorted(bids, key=lambda bid: -bid[0]):  # a sort keeps arrivals in order
        if offered:
            won.append((price, min(qty, offered)))
            offered -= won[-1][1]
    if mode == Pricing.UNIFORM and won:
        return [(won[-1][0], qty) for _, qty in won]
    return won


STORIES: dict[Modality, tuple[Callable[[Desk], Story], ...]] = {
    Modality.BULK: (accepted_offer, confirmed_talk, long_talk, broken_talk),
    Modality.AUCTION: (bidding_session,),
}


def mixed(count: int, mix: Mix, seed: int, resting: int, accounts: int) -> MixedStream:
    """Return a stream of ``count`` commands; the listed ones also as the yardstick's messages."""
    draws = np.random.default_rng(seed).random(count)
    is_bulk, is_listed = draws < mix.bulk, draws >= mix.bulk + mix.bidding
    listed = deep(int(is_listed.sum()), Mode.LISTED, seed, resting=resting, accounts=accounts)
    desk = Desk(random.Random(seed), accounts)
    makes_order = deque(np.isin(listed.commands["kind"], (Kind.LIST, Kind.TAKE)).tolist())
    last = resting
    numbers = list(range(resting + 1))  # by the number it has in the listed stream alone
    told: list[Row] = []
    for of_listed, of_bulk in zip(is_listed.tolist(), is_bulk.tolist(), strict=True):
        if of_listed:
            if makes_order.popleft():
                last += 1
                numbers.append(last)
        else:
            row, makes = desk.step(Modality.BULK if of_bulk else Modality.AUCTION, last)
            told.append(row)
            last += makes
    batch = commands(count)
    batch[is_listed] = listed.commands
    batch["ref"][is_listed] = np.array(numbers)[listed.commands["ref"]]
    for at, row in zip(np.flatnonzero(~is_listed).tolist(), told, strict=True):
        for name, value in row.items():
            batch[name][at] = value
    messages = [(m[0], numbers[m[1]], *m[2:]) for m in listed.messages]
    expected = {Modality.LISTED: _listed_sums(listed), **desk.sums}
    world = (accounts, 1, listed.preload, listed.places)
    return MixedStream(batch, messages, *world, expected, listed)


def _listed_sums(listed: DeepStream) -> Sums:
    """Every take is one deal at its listing's price."""
    prices = dict(enumerate(listed.preload["price_ticks"].tolist(), start=1))
    trades = tonnes = turnover = 0
    for kind, number, _, price, qty in listed.messages:
        if kind == ADD:
            prices[number] = price
        elif kind == TAKE:
            trades, tonnes, turnover = trades + 1, tonnes + qty, turnover + prices[number] * qty
    return trades, tonnes, turnover
