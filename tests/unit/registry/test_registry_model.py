"""Random days of deals against plain dictionaries: every balance and every statement (P4, P5)."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.records import Event, Kind, Parameter, Phase
from registry.institution import Holding, Registry
from tests.unit.registry.registry_venue import DATES, VINTAGES, Venue

PEOPLE = 4
TRADING_PPM, SETTLEMENT_PPM = 700, 300


WHATS = (*["trade"] * 3, "deposit", "in", "out", "cash_out", "void", "freeze", "release")


class Op(NamedTuple):
    """One thing that happens in a morning."""

    what: str  # one of WHATS
    account: int
    other: int
    instrument: int
    qty: int
    price: int


OPS = st.builds(
    Op,
    st.sampled_from(WHATS),
    st.integers(0, PEOPLE - 1),
    st.integers(0, PEOPLE - 1),
    st.integers(0, len(VINTAGES) - 1),
    st.integers(1, 4_000),
    st.integers(4_320, 5_280),
)
SEASONS = st.lists(st.lists(OPS, max_size=12), min_size=1, max_size=3)


class Model:
    """What everybody has, in the simplest words there are."""

    def __init__(self, cash: int, tonnes: int) -> None:
        everything = [(n, code) for n in range(PEOPLE) for code in VINTAGES]
        self.cash = Counter(dict.fromkeys(range(PEOPLE), cash))
        self.registry_side = Counter(dict.fromkeys(everything, tonnes))
        self.trading_side = Counter(dict.fromkeys(everything, tonnes))
        self.frozen = Counter[tuple[int, str]]()  # by a court, on the trading side
        self.deals: dict[int, tuple[int, int, str, int, int]] = {}  # of the day, by number
        self.paid_in = Counter[int]()
        self.paid_out = Counter[int]()
        self.fees = 0

    def fee(self, value: int) -> int:
        parts = [(value * ppm + 500_000) // 1_000_000 for ppm in (TRADING_PPM, SETTLEMENT_PPM)]
        return sum(parts)

    def traded(
        self, seller: int, buyer: int, code: str, qty: int, price: int, times: int = 1
    ) -> None:
        """A deal; ``times`` -1: undone."""
        value, fee = times * qty * price, times * self.fee(qty * price)
        self.cash[buyer] -= value + fee
        self.cash[seller] += value - fee
        self.fees += 2 * fee
        self.trading_side[seller, code] -= times * qty
        self.trading_side[buyer, code] += times * qty


def happen(venue: Venue, model: Model, op: Op) -> None:
    """Do it at the venue; if the venue lets it, do it in the model."""
    code = VINTAGES[op.instrument]
    if op.what == "deposit":
        venue.registry.deposit(op.account, op.qty)
        venue.instruct()
        model.cash[op.account] += op.qty
        model.paid_in[op.account] += op.qty
    elif op.what == "in" and op.qty <= model.registry_side[op.account, code]:
        venue.registry.transfer_in(op.account, code, op.qty)
        venue.instruct()
        model.registry_side[op.account, code] -= op.qty
        model.trading_side[op.account, code] += op.qty
    elif op.what == "out":
        move: dict[str, Any] = {"instrument": op.instrument, "qty_tonnes": op.qty}
        if done(venue.do(Kind.TRANSFER_OUT, account=op.account, **move)):
            model.trading_side[op.account, code] -= op.qty
            model.registry_side[op.account, code] += op.qty
    elif op.what == "cash_out":
        if done(venue.do(Kind.CASH_OUT, account=op.account, amount=op.qty * op.price)):
            model.cash[op.account] -= op.qty * op.price
            model.paid_out[op.account] += op.qty * op.price
    elif op.what == "trade":
        trade(venue, model, op)
    elif op.what == "void":
        void(venue, model, op)
    elif op.what in ("freeze", "release"):
        court(venue, model, op)


def void(venue: Venue, model: Model, op: Op) -> None:
    """Undo one of the day's deals, if there is one and it still can be."""
    if not model.deals:
        return
    number = sorted(model.deals)[op.qty % len(model.deals)]
    if done(venue.do(Kind.VOID_TRADE, ref=number, operator=1, checker=2)):
        model.traded(*model.deals.pop(number), times=-1)


def court(venue: Venue, model: Model, op: Op) -> None:
    """A court freezes on the trading side, or lets go."""
    kind = Kind.FREEZE_HOLDING if op.what == "freeze" else Kind.RELEASE_HOLDING
    what: dict[str, Any] = {"instrument": op.instrument, "qty_tonnes": op.qty}
    if done(venue.do(kind, account=op.account, operator=1, checker=2, **what)):
        qty = op.qty if op.what == "freeze" else -op.qty
        model.frozen[op.account, VINTAGES[op.instrument]] += qty
        model.trading_side[op.account, VINTAGES[op.instrument]] -= qty


def trade(venue: Venue, model: Model, op: Op) -> None:
    asked: dict[str, Any] = {"instrument": op.instrument, "price_ticks": op.price}
    listed = venue.do(Kind.LIST, account=op.account, side=2, qty_tonnes=op.qty, **asked)
    if not done(listed):
        return
    number = int(listed[0]["order_no"])
    taken = venue.do(
        Kind.TAKE, account=op.other, ref=number, qty_tonnes=op.qty, total_qty_tonnes=op.qty
    )
    if done(taken):
        deal = (op.account, op.other, VINTAGES[op.instrument], op.qty, op.price)
        model.traded(*deal)
        model.deals[int(taken[taken["kind"] == Event.TRADED][0]["trade_no"])] = deal
    else:
        venue.do(Kind.CANCEL, account=op.account, ref=number)


def done(events: Any) -> bool:
    return int(events[0]["kind"]) != Event.REFUSED


def compare(venue: Venue, model: Model, date: int, opening: Counter[int]) -> None:
    """Every figure of the registry against the model after the evening of ``date``."""
    for account in range(PEOPLE):
        held = venue.registry.balances(account)
        assert held.cash_fen == model.cash[account]
        assert held.cash_in_transit_fen == 0
        for code in VINTAGES:
            there = held.holdings[code]
            expected = Holding(
                model.registry_side[account, code],
                trading_available=model.trading_side[account, code],
                trading_judicial=model.frozen[account, code],
            )
            assert there == expected
        told = venue.registry.statement(account, date)
        assert told is not None
        assert told.opening_funds == opening[account]
        assert told.available_funds == model.cash[account]
        assert (told.cash_in, told.cash_out) == (model.paid_in[account], model.paid_out[account])
        for line in told.holdings:
            assert line.closing_tonnes == model.trading_side[account, line.vintage]
    assert int(venue.state.market[0]["trading_fees_fen"]) + int(
        venue.state.market[0]["settlement_fees_fen"]
    ) == (model.fees)
    venue.sound()


def play(registry: Registry, season: Sequence[Sequence[Op]]) -> None:
    """Play a season and compare after every evening."""
    venue = Venue(registry)
    venue.do(Kind.SET_PARAMETER, ref=Parameter.LISTED_TRADING_FEE_PPM, amount=TRADING_PPM)
    venue.do(Kind.SET_PARAMETER, ref=Parameter.LISTED_SETTLEMENT_FEE_PPM, amount=SETTLEMENT_PPM)
    venue.fund(PEOPLE, cash_fen=30_000_000, tonnes=6_000)
    model = Model(30_000_000, 6_000)
    model.paid_in.update(dict.fromkeys(range(PEOPLE), 30_000_000))
    opening = Counter[int]()
    for date, ops in zip(DATES, season, strict=False):
        venue.open_day(date)
        for op in ops:
            happen(venue, model, op)
        venue.sound()
        venue.close_day()
        assert venue.settle() == Phase.POSTED
        compare(venue, model, date, opening)
        opening = model.cash.copy()
        model.deals.clear()
        model.paid_in.clear()
        model.paid_out.clear()


@settings(max_examples=25, deadline=None)
@given(season=SEASONS)
def test_any_season_agrees_with_plain_dictionaries(season: list[list[Op]]) -> None:
    with Registry.open("sqlite://") as registry:
        play(registry, season)


def test_a_long_season_on_either_database(registry: Registry) -> None:
    seed = 20210716
    print("seed", seed)
    chance = random.Random(seed)
    whats = ["trade"] * 6 + ["deposit", "in", "out", "cash_out", "void", "freeze", "release"]
    season = [
        [
            Op(
                chance.choice(whats),
                chance.randrange(PEOPLE),
                chance.randrange(PEOPLE),
                chance.randrange(len(VINTAGES)),
                chance.randint(1, 1_500),
                chance.randint(4_700, 4_900),
            )
            for _ in range(30)
        ]
        for _ in DATES
    ]
    play(registry, season)
    trades = [fill for account in range(PEOPLE) for fill in registry.trades(account)]
    assert len(trades) > 60  # the season was not an empty one
