"""The last ranks of every ladder: what the ledger says, in the contract's order (TR-40, TR-41).

A buyer: INSUFFICIENT_FUNDS before HOLDING_LIMIT. A seller: INSUFFICIENT_HOLDING where nothing
helps, HOLDING_BOUGHT_TODAY where tomorrow would, SELL_GUARDED where the guard alone is in the way.
Each deed that freezes or spends is tried at every border, and what it holds frozen for itself
counts as available.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from engine.reasons import Reason as Why
from engine.records import Kind, Mode, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor, Outcome

ROOM = """
    account | cash      | CEA25
    Trader  | 500,000   | 1,000
    Rich    | 9,000,000 | 90,000
    Other   | 9,000,000 | 90,000
"""
RULES = {
    Parameter.BULK_QTY_MIN: 1,
    Parameter.AUCTION_QTY_MIN: 1,
    Parameter.AUCTION_BUYER_INITIATED: 1,
}
AT = "80.00"
BLOCKS = 1 | 2 | 4  # no buying, no selling, no moving out

# What Trader may still do is made small, to the tonne: 100 t of its own of which 40 are guarded,
# 30 t bought today; money for 60 t; a limit 50 t above what it holds.
OWN, GUARDED, BOUGHT, CASH_YUAN, LIMIT = 100, 40, 30, 4_800, 180
BORDERS: dict[Side, list[tuple[int, Why]]] = {
    Side.SELL: [
        (131, Why.INSUFFICIENT_HOLDING),
        (130, Why.HOLDING_BOUGHT_TODAY),
        (101, Why.HOLDING_BOUGHT_TODAY),
        (100, Why.SELL_GUARDED),
        (61, Why.SELL_GUARDED),
        (60, Why.NONE),
    ],
    Side.BUY: [
        (61, Why.INSUFFICIENT_FUNDS),
        (60, Why.HOLDING_LIMIT),
        (51, Why.HOLDING_LIMIT),
        (50, Why.NONE),
    ],
}

Act = Callable[[], Outcome]


class Scene(NamedTuple):
    """A floor in the afternoon, Trader's side and the quantity that it is about."""

    floor: Floor
    side: Side
    qty: int

    @property
    def other_side(self) -> Side:
        return Side(3 - self.side)


def opposite_listing(s: Scene) -> None:
    """Rich rests on the other side with more than enough."""
    s.floor.when("Rich").lists(s.other_side, 1_000, at=AT).done()


def lists(s: Scene) -> Act:
    """LIST."""
    return lambda: s.floor.when("Trader").lists(s.side, s.qty, at=AT)


def adds(s: Scene) -> Act:
    """ADD, to a price-time book."""
    return lambda: s.floor.when("Trader").adds(s.side, s.qty, at=AT)


def amends(s: Scene) -> Act:
    """AMEND from 10 t to the quantity, in a price-time book."""
    s.floor.when("Trader").adds(s.side, 10, at=AT).done()
    return lambda: s.floor.when("Trader").amends(AT, s.qty, AT)


def takes(s: Scene) -> Act:
    """TAKE."""
    opposite_listing(s)
    return lambda: s.floor.when("Trader").takes(s.qty, of="Rich", at=AT)


def takes_best(s: Scene) -> Act:
    """TAKE_BEST."""
    opposite_listing(s)
    return lambda: s.floor.when("Trader").takes_best(s.side, s.qty, up_to=AT)


def offers(s: Scene) -> Act:
    """BULK_OFFER."""
    return lambda: s.floor.when("Trader").offers(s.side, s.qty, at=AT)


def own_offer(s: Scene, answered: int) -> int:
    """Trader offers 10 t; Rich counters with so many."""
    offer = s.floor.when("Trader").offers(s.side, 10, at=AT).offer_no
    s.floor.when("Rich").counters(offer, answered, at=AT).done()
    return offer


def counters(s: Scene) -> Act:
    """BULK_COUNTER of an initiator, whose offer is locked anew."""
    offer = own_offer(s, 9)
    return lambda: s.floor.when("Trader").counters(offer, s.qty, at=AT, of="Rich")


def accepts_own(s: Scene) -> Act:
    """BULK_ACCEPT of an initiator, whose offer is locked anew."""
    offer = own_offer(s, s.qty)
    return lambda: s.floor.when("Trader").accepts(offer, s.qty, at=AT, of="Rich")


def accepts_directly(s: Scene) -> Act:
    """BULK_ACCEPT of an offer's own terms: the deal at once."""
    offer = s.floor.when("Rich").offers(s.other_side, s.qty, at=AT).offer_no
    return lambda: s.floor.when("Trader").accepts(offer, s.qty, at=AT)


def accepts_an_answer(s: Scene) -> Act:
    """BULK_ACCEPT of a responder, which is locked."""
    offer = s.floor.when("Rich").offers(s.other_side, 10, at=AT).offer_no
    s.floor.when("Trader").counters(offer, 9, at=AT).done()
    s.floor.when("Rich").counters(offer, s.qty, at=AT, of="Trader").done()
    return lambda: s.floor.when("Trader").accepts(offer, s.qty, at=AT)


def confirms(s: Scene) -> Act:
    """BULK_CONFIRM of a responder, which nothing has locked yet."""
    offer = s.floor.when("Rich").offers(s.other_side, 10, at=AT).offer_no
    s.floor.when("Trader").counters(offer, s.qty, at=AT).done()
    s.floor.when("Rich").accepts(offer, s.qty, at=AT, of="Trader").done()
    return lambda: s.floor.when("Trader").confirms(offer)


def lowered(s: Scene, offer: int) -> None:
    """Trader gives its offer 1 t in a talk with somebody else."""
    s.floor.when("Other").counters(offer, 2, at=AT).done()
    s.floor.when("Trader").counters(offer, 1, at=AT, of="Other").done()


def confirms_own(s: Scene) -> Act:
    """BULK_CONFIRM of an initiator that has locked its offer lower since."""
    offer = own_offer(s, 9)
    s.floor.when("Trader").counters(offer, s.qty, at=AT, of="Rich").done()
    s.floor.when("Rich").accepts(offer, s.qty, at=AT).done()
    lowered(s, offer)
    return lambda: s.floor.when("Trader").confirms(offer, of="Rich")


def is_confirmed(s: Scene) -> Act:
    """BULK_CONFIRM of Rich: Trader agreed to it and has locked its offer lower since."""
    offer = own_offer(s, s.qty)
    s.floor.when("Trader").accepts(offer, s.qty, at=AT, of="Rich").done()
    lowered(s, offer)
    return lambda: s.floor.when("Rich").confirms(offer)


def applies(s: Scene) -> Act:
    """APPLY_SESSION."""
    return lambda: s.floor.when("Trader").applies(s.qty, AT, side=s.side)


def is_noticed(s: Scene) -> Act:
    """NOTICE_SESSION: the applicant is locked."""
    session = s.floor.when("Trader").applies(s.qty, AT, side=s.side).session_no
    return lambda: s.floor.session(Kind.NOTICE_SESSION, session)


def bids(s: Scene) -> Act:
    """BID."""
    session = s.floor.opened_session("Rich", 1_000, AT, side=s.other_side)
    return lambda: s.floor.when("Trader").bids(session, s.qty, AT)


def moves_out(s: Scene) -> Act:
    """TRANSFER_OUT."""
    return lambda: s.floor.when("Trader").transfers_out(s.qty)


DEEDS: dict[Callable[[Scene], Act], Kind] = {
    lists: Kind.LIST,
    adds: Kind.ADD,
    amends: Kind.AMEND,
    takes: Kind.TAKE,
    takes_best: Kind.TAKE_BEST,
    offers: Kind.BULK_OFFER,
    counters: Kind.BULK_COUNTER,
    accepts_own: Kind.BULK_ACCEPT,
    accepts_directly: Kind.BULK_ACCEPT,
    accepts_an_answer: Kind.BULK_ACCEPT,
    confirms: Kind.BULK_CONFIRM,
    confirms_own: Kind.BULK_CONFIRM,
    applies: Kind.APPLY_SESSION,
    is_noticed: Kind.NOTICE_SESSION,
    bids: Kind.BID,
    moves_out: Kind.TRANSFER_OUT,
}
SIDES = (Side.BUY, Side.SELL)
CASES = [(d, side) for d in DEEDS for side in SIDES if d is not moves_out or side is Side.SELL]
PROVEN: dict[Kind, set[Why]] = {}
for _deed, _side in CASES:
    _reasons = {why for _, why in BORDERS[_side] if why}
    PROVEN.setdefault(DEEDS[_deed], set()).update(_reasons)


def scene(market: Market, deed: Callable[[Scene], Act], side: Side, qty: int) -> Scene:
    """An afternoon on which Trader has bought 30 t."""
    price_time = deed in (adds, amends)
    floor = market(ROOM, rules=RULES, mode=Mode.PRICE_TIME if price_time else Mode.LISTED)
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    offer = floor.when("Rich").offers(Side.SELL, BOUGHT, at=AT).offer_no
    floor.when("Trader").accepts(offer, BOUGHT, at=AT).done()
    return Scene(floor, side, qty)


def tighten(floor: Floor) -> None:
    """Leave Trader with what BORDERS say, counting what it has frozen."""
    state = floor.venue.state()
    cash, frozen = state["cash"][0][:2]
    holding = state["holdings"][0][0]
    trader = floor.when("Trader")
    trader.withdraws(f"{(cash + frozen) / 100 - CASH_YUAN:.2f}").done()
    trader.transfers_out(holding[0] + holding[1] - OWN).done()
    floor.control(Kind.GUARD_HOLDING, "Trader", "CEA25", qty_tonnes=GUARDED).done()
    floor.control(Kind.LIMIT_HOLDING, "Trader", qty_tonnes=LIMIT).done()


def name(value: object) -> str | None:
    """Readable parameters."""
    return getattr(value, "__name__", None) or getattr(value, "name", None)


@pytest.mark.parametrize(("deed", "side"), CASES, ids=name)
def test_each_ledger_reason_at_its_border(
    market: Market, deed: Callable[[Scene], Act], side: Side
) -> None:
    """TR-40, TR-47, TR-111, TR-116: a tonne more is refused for the next reason."""
    for qty, why in BORDERS[side]:
        s = scene(market, deed, side, qty)
        act = deed(s)
        tighten(s.floor)
        if why:
            act().refused(why)
        else:
            act().done()


@pytest.mark.parametrize(("deed", "side"), CASES, ids=name)
def test_a_restriction_comes_before_the_ledger(
    market: Market, deed: Callable[[Scene], Act], side: Side
) -> None:
    """TR-115: whatever the ledger would say, the account's block is said first."""
    for qty, why in BORDERS[side]:
        s = scene(market, deed, side, qty)
        act = deed(s)
        tighten(s.floor)
        s.floor.control(Kind.BLOCK_ACCOUNT, "Trader", amount=BLOCKS).done()
        assert act().refused(Why.ACCOUNT_RESTRICTED), why


@pytest.mark.parametrize("side", SIDES, ids=name)
def test_the_other_side_is_held_against_the_whole_ledger(market: Market, side: Side) -> None:
    """TR-40, TR-73, TR-111, TR-116: money, tonnes, guard and limit are one COUNTERPARTY_SHORT."""
    for qty, why in BORDERS[side]:
        s = scene(market, is_confirmed, side, qty)
        act = is_confirmed(s)
        tighten(s.floor)
        if why:
            act().refused(Why.COUNTERPARTY_SHORT)
        else:
            act().done()


def test_the_confirmers_own_ledger_comes_first(market: Market) -> None:
    """The confirmer is short and blocked, and so is the other side: its block, then its ledger."""
    s = scene(market, is_confirmed, Side.SELL, 131)
    act = is_confirmed(s)
    tighten(s.floor)
    s.floor.control(Kind.LIMIT_HOLDING, "Rich", qty_tonnes=1).done()
    s.floor.control(Kind.BLOCK_ACCOUNT, "Rich", amount=BLOCKS).done()
    act().refused(Why.ACCOUNT_RESTRICTED)
    s.floor.control(Kind.BLOCK_ACCOUNT, "Rich", amount=0).done()
    act().refused(Why.HOLDING_LIMIT)
    s.floor.control(Kind.LIMIT_HOLDING, "Rich", qty_tonnes=0).done()
    act().refused(Why.COUNTERPARTY_SHORT)
