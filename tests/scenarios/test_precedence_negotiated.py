"""Precedence of bulk agreement, one-way bidding, risk control and court orders.

With test_precedence.py and, for the ledger's reasons, test_precedence_ledger.py the tables have
every kind and every reason of the contract.
"""

from __future__ import annotations

import pytest

from engine.reasons import Reason as Why
from engine.records import Kind, Parameter, Phase, Side
from tests.property.alphabet import REFUSALS
from tests.scenarios import test_precedence, test_precedence_ledger
from tests.scenarios.conftest import Market
from tests.scenarios.floor import MONDAY, Floor
from tests.scenarios.ladders import HALTS, Ladder, Rank, cases, play, rank

RICH, BUSY, POOR, BLOCKED = range(4)
NOBODY = NOWHERE = NO_ORDER = 999
SELL = int(Side.SELL)
UNKNOWN_ACCOUNT = rank(Why.UNKNOWN_ACCOUNT, account=NOBODY)
UNKNOWN_INSTRUMENT = rank(Why.UNKNOWN_INSTRUMENT, instrument=NOWHERE)
CLOSED = rank(Why.PHASE_CLOSED, "closed")
UNKNOWN_ORDER = rank(Why.UNKNOWN_ORDER, ref=NO_ORDER)
UNKNOWN_SESSION = rank(Why.UNKNOWN_SESSION, ref=NO_ORDER)
TWO_PEOPLE = [
    rank(Why.CHECKER_MISSING, operator=0, checker=0),
    rank(Why.MAKER_IS_CHECKER, operator=3, checker=3),
]
TERMS = [
    UNKNOWN_ACCOUNT,
    CLOSED,
    HALTS[0],
    rank(Why.PRICE_INVALID, price_ticks=0),
    rank(Why.QTY_INVALID, qty_tonnes=0),
    UNKNOWN_ORDER,
    HALTS[1],
]
ALONE = rank(Why.UNKNOWN_NEGOTIATION, account=RICH, ref="offer", counterparty=BLOCKED)


def court(short: int) -> list[Rank]:
    """The ranks of the three court orders."""
    last = {"account": POOR, "instrument": 0, "qty_tonnes": short, "operator": 1, "checker": 2}
    return [
        *TWO_PEOPLE,
        UNKNOWN_ACCOUNT,
        UNKNOWN_INSTRUMENT,
        CLOSED,
        rank(Why.QTY_INVALID, qty_tonnes=0),
        Rank(Why.INSUFFICIENT_HOLDING, dict(last)),
    ]


LADDERS: dict[str, Ladder] = {
    "BULK_OFFER": (
        Kind.BULK_OFFER,
        [
            UNKNOWN_ACCOUNT,
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED, side=SELL),
            UNKNOWN_INSTRUMENT,
            CLOSED,
            *HALTS,
            rank(Why.SIDE_INVALID, side=3),
            rank(Why.PRICE_INVALID, price_ticks=0),
            rank(Why.PRICE_OUT_OF_BAND, price_ticks=10_401),
            rank(Why.QTY_INVALID, qty_tonnes=0),
            rank(Why.QTY_BELOW_MIN, qty_tonnes=9),
            rank(Why.UNKNOWN_COUNTERPARTY, counterparty=NOBODY),
            rank(Why.SELF_TRADE, account=BUSY, counterparty=BUSY),
            rank(Why.TOO_MANY_OPEN_ORDERS, account=BUSY, counterparty=-1),
            rank(
                Why.INSUFFICIENT_HOLDING, account=POOR, instrument=0, side=SELL,
                price_ticks=8_000, qty_tonnes=5_000, counterparty=-1,
            ),
        ],
    ),
    "BULK_COUNTER": (
        Kind.BULK_COUNTER,
        [
            *TERMS,
            ALONE,
            rank(Why.NOT_YOUR_TURN, account=RICH, ref="agreed offer", counterparty=BUSY),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED, ref="blocked offer", counterparty=RICH),
            rank(
                Why.INSUFFICIENT_HOLDING, account=RICH, ref="offer", counterparty=BUSY,
                price_ticks=20_000, qty_tonnes=500_000,
            ),
        ],
    ),
    "BULK_ACCEPT": (
        Kind.BULK_ACCEPT,
        [
            *TERMS,
            ALONE,
            rank(Why.NOT_YOUR_TURN, account=BUSY, ref="offer"),
            rank(Why.TERMS_CHANGED, price_ticks=1),
            rank(
                Why.PRICE_OUT_OF_BAND, account=RICH, ref="offer", counterparty=BUSY,
                price_ticks=20_000, qty_tonnes=9,
            ),
            rank(
                Why.QTY_BELOW_MIN, account=BLOCKED, ref="blocked offer", counterparty=BUSY,
                price_ticks=8_000, qty_tonnes=9,
            ),
            rank(
                Why.ACCOUNT_RESTRICTED, account=BLOCKED, ref="blocked offer", counterparty=RICH,
                price_ticks=8_000, qty_tonnes=5_000,
            ),
            rank(
                Why.INSUFFICIENT_FUNDS, account=POOR, ref="offer", counterparty=-1,
                price_ticks=8_000, qty_tonnes=20,
            ),
        ],
    ),
    "BULK_CONFIRM": (
        Kind.BULK_CONFIRM,
        [
            UNKNOWN_ACCOUNT,
            CLOSED,
            HALTS[0],
            UNKNOWN_ORDER,
            HALTS[1],
            rank(Why.UNKNOWN_NEGOTIATION, account=POOR, ref="agreed offer"),
            rank(Why.NOT_YOUR_TURN, account=RICH, ref="agreed offer", counterparty=BUSY),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED, ref="agreed offer"),
            rank(Why.INSUFFICIENT_FUNDS, account=BUSY, ref="agreed offer"),
        ],
    ),
    "BULK_CONFIRM, short initiator": (
        Kind.BULK_CONFIRM,
        [
            rank(Why.INSUFFICIENT_FUNDS, account=BUSY, ref="short offer"),
            rank(Why.COUNTERPARTY_SHORT, account=RICH, ref="short offer"),
        ],
    ),
    "BULK_DECLINE": (
        Kind.BULK_DECLINE,
        [
            UNKNOWN_ACCOUNT, CLOSED, UNKNOWN_ORDER,
            rank(Why.UNKNOWN_NEGOTIATION, account=POOR, ref="agreed offer"),
        ],
    ),
    "BULK_WITHDRAW": (
        Kind.BULK_WITHDRAW,
        [UNKNOWN_ACCOUNT, CLOSED, rank(Why.UNKNOWN_ORDER, account=POOR, ref="offer")],
    ),
    "APPLY_SESSION": (
        Kind.APPLY_SESSION,
        [
            UNKNOWN_ACCOUNT,
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED, side=SELL),
            UNKNOWN_INSTRUMENT,
            CLOSED,
            *HALTS,
            rank(Why.SIDE_INVALID, side=int(Side.BUY)),
            rank(Why.PRICE_INVALID, price_ticks=0),
            rank(Why.PRICE_OUT_OF_BAND, price_ticks=7_999),
            rank(Why.QTY_INVALID, qty_tonnes=0),
            rank(Why.QTY_BELOW_MIN, qty_tonnes=9),
            rank(Why.MODE_INVALID, mode=2),
            rank(
                Why.INSUFFICIENT_HOLDING, account=POOR, instrument=0, side=SELL,
                price_ticks=8_000, qty_tonnes=5_000, mode=0,
            ),
        ],
    ),
    "NOTICE_SESSION": (
        Kind.NOTICE_SESSION,
        [
            UNKNOWN_SESSION,
            *HALTS,
            rank(Why.WINDOW_INVALID, from_minute=600, until_minute=600),
            rank(
                Why.ACCOUNT_RESTRICTED, ref="blocked application", until_minute=600
            ),
            rank(Why.INSUFFICIENT_HOLDING, ref="short application", until_minute=600),
        ],
    ),
    "OPEN_SESSION": (
        Kind.OPEN_SESSION,
        [UNKNOWN_SESSION, *HALTS[:1], Rank(Why.INSTRUMENT_HALTED, {"ref": "noticed"}, "",
                                           HALTS[1].before)],
    ),
    "BID": (
        Kind.BID,
        [
            UNKNOWN_ACCOUNT,
            CLOSED,
            HALTS[0],
            rank(Why.PRICE_INVALID, price_ticks=0),
            rank(Why.QTY_INVALID, qty_tonnes=0),
            rank(Why.QTY_BELOW_MIN, qty_tonnes=1),
            UNKNOWN_SESSION,
            HALTS[1],
            rank(Why.SELF_TRADE, account=RICH),
            rank(Why.PRICE_OUT_OF_BAND, account=BUSY, price_ticks=7_999),
            rank(Why.TOO_MANY_OPEN_ORDERS, account=BUSY),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED),
            rank(
                Why.INSUFFICIENT_FUNDS, account=POOR, ref="open session", price_ticks=8_000,
                qty_tonnes=1_000,
            ),
        ],
    ),
    "CANCEL_BID": (
        Kind.CANCEL_BID, [UNKNOWN_ACCOUNT, CLOSED, rank(Why.UNKNOWN_ORDER, account=POOR, ref="bid")]
    ),
    "BLOCK_ACCOUNT": (
        Kind.BLOCK_ACCOUNT,
        [UNKNOWN_ACCOUNT, rank(Why.PARAMETER_INVALID, account=POOR, amount=32)],
    ),
    "GUARD_HOLDING": (
        Kind.GUARD_HOLDING,
        [
            UNKNOWN_ACCOUNT, UNKNOWN_INSTRUMENT,
            rank(Why.QTY_INVALID, account=POOR, instrument=0, qty_tonnes=-1),
        ],
    ),
    "LIMIT_HOLDING": (
        Kind.LIMIT_HOLDING,
        [UNKNOWN_ACCOUNT, rank(Why.QTY_INVALID, account=POOR, qty_tonnes=10**10)],
    ),
    "WARN_ACCOUNT": (
        Kind.WARN_ACCOUNT,
        [UNKNOWN_ACCOUNT, rank(Why.PARAMETER_INVALID, account=POOR, amount=5)],
    ),
    "RESUME_INSTRUMENT": (
        Kind.RESUME_INSTRUMENT, [UNKNOWN_INSTRUMENT, rank(Why.PHASE_ORDER, instrument=0)]
    ),
    "HALT_INSTRUMENT": (
        Kind.HALT_INSTRUMENT,
        [UNKNOWN_INSTRUMENT, Rank(Why.PHASE_ORDER, {"instrument": 0}, "", HALTS[1].before)],
    ),
    "KILL": (
        Kind.KILL,
        [
            UNKNOWN_ACCOUNT,
            rank(Why.PARAMETER_INVALID, account=POOR, amount=32),
            UNKNOWN_INSTRUMENT,
            rank(Why.PHASE_CLOSED, "closed", account=-1, instrument=0),
        ],
    ),
    "VOID_TRADE": (
        Kind.VOID_TRADE,
        [*TWO_PEOPLE, rank(Why.UNKNOWN_TRADE, ref=NO_ORDER),
         rank(Why.PHASE_CLOSED, "confirmed"),
         rank(Why.CANNOT_VOID, ref=1, operator=1, checker=2)],
    ),
    "FREEZE_HOLDING": (Kind.FREEZE_HOLDING, court(5_000)),
    "RELEASE_HOLDING": (Kind.RELEASE_HOLDING, court(1)),
    "DEDUCT_HOLDING": (Kind.DEDUCT_HOLDING, court(1)),
    "MASS_CANCEL": (
        Kind.MASS_CANCEL,
        [
            UNKNOWN_ACCOUNT,
            UNKNOWN_INSTRUMENT,
            rank(Why.SIDE_INVALID, side=3),
            rank(Why.PARAMETER_INVALID, mode=3),
            rank(Why.TIMER_NOT_DUE, mode=2),
            rank(Why.PHASE_CLOSED, "closed", account=POOR, instrument=0, side=0, mode=0),
        ],
    ),
    "SET_TIMER": (
        Kind.SET_TIMER, [UNKNOWN_ACCOUNT, rank(Why.PARAMETER_INVALID, account=POOR, amount=999)]
    ),
    "SET_DISCONNECT": (
        Kind.SET_DISCONNECT, [UNKNOWN_ACCOUNT, rank(Why.PARAMETER_INVALID, account=POOR, amount=2)]
    ),
}  # fmt: skip

ACCOUNTS = """
    account | cash       | CEA25
    Rich    | 99,000,000 | 100,000
    Busy    | 50,000     | 1,000
    Poor    | 100        | 100
    Blocked | 50,000     | 6,000
"""


def build(market: Market) -> tuple[Floor, dict[str, int]]:
    """An afternoon on which every rank can be reached; what the tables name, by number."""
    rules = {
        Parameter.BULK_QTY_MIN: 10,
        Parameter.AUCTION_QTY_MIN: 10,
        Parameter.AUCTION_BID_QTY_MIN: 2,
        Parameter.OPEN_ORDERS_MAX: 7,
    }
    floor = market(ACCOUNTS, rules=rules, day=MONDAY)
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    rich, busy, poor, blocked = (floor.when(n) for n in ("Rich", "Busy", "Poor", "Blocked"))
    floor.when("Poor").lists(Side.SELL, 1, at="80.00").done()
    rich.takes(1, of="Poor", at="80.00").done()  # trade 1
    poor.lists(Side.BUY, 2, at="75.00").done()
    rich.takes(2, of="Poor", at="75.00").done()  # the proceeds of trade 1 are spent
    named = {
        "offer": rich.offers(Side.SELL, 20, at="80.00").offer_no,
        "agreed offer": rich.offers(Side.SELL, 20, at="80.00").offer_no,
        "short offer": poor.offers(Side.SELL, 20, at="80.00").offer_no,
        "blocked offer": blocked.offers(Side.SELL, 20, at="80.00").offer_no,
    }
    busy.counters(named["offer"], 9, at="200.00").done()
    busy.counters(named["blocked offer"], 9, at="80.00").done()
    rich.counters(named["blocked offer"], 5_000, at="80.00").done()
    short = named["short offer"]
    for who, name in ((rich, "Rich"), (busy, "Busy")):
        who.counters(short, 90, at="81.00").done()
        poor.accepts(short, 90, at="81.00", of=name).done()
    blocked.counters(short, 10, at="81.00").done()
    poor.counters(short, 10, at="81.00", of="Blocked").done()
    for who, name in ((busy, "Busy"), (blocked, "Blocked")):
        who.counters(named["agreed offer"], 20, at="81.00").done()
        rich.accepts(named["agreed offer"], 20, at="81.00", of=name).done()
    named |= sessions(floor)
    floor.control(Kind.BLOCK_ACCOUNT, "Blocked", amount=3).done()
    busy.withdraws("49,000.00").done()
    for _ in range(7):
        busy.lists(Side.BUY, 1, at="72.00").done()
    return floor, named


def sessions(floor: Floor) -> dict[str, int]:
    """Sessions in the states that the tables need."""
    short = floor.when("Poor").applies(80, "80.00").session_no
    floor.when("Poor").transfers_out(89).done()
    taken = floor.opened_session("Rich", 1_000, "80.00")
    noticed = floor.when("Rich").applies(1_000, "80.00").session_no
    floor.session(Kind.NOTICE_SESSION, noticed).done()
    return {
        "short application": short,
        "blocked application": floor.when("Blocked").applies(100, "80.00").session_no,
        "noticed": noticed,
        "open session": taken,
        "bid": floor.when("Blocked").bids(taken, 2, "80.00").order_no,
    }


def go_to(floor: Floor, stage: str) -> None:
    """Walk on in the day."""
    if stage in ("closed", "confirmed"):
        floor.closes()
    if stage == "confirmed":
        floor.confirms().done()


@pytest.mark.parametrize(("name", "place"), **cases(LADDERS))
def test_the_first_reason_in_the_order_is_given(market: Market, name: str, place: int) -> None:
    """Wrong in the way of this rank and of all below it: this rank's reason."""
    floor, named = build(market)
    play(floor, named, LADDERS[name], place, go_to)


@pytest.mark.parametrize("kind", [Kind.BULK_OFFER, Kind.APPLY_SESSION], ids=lambda k: k.name)
def test_without_the_modality_everything_else_is_no_matter(market: Market, kind: Kind) -> None:
    """MODALITY_UNAVAILABLE: behind the account and the instrument, before phase, halts, terms."""
    floor = market(ACCOUNTS, rules={Parameter.BULK_ENABLED: 0, Parameter.AUCTION_ENABLED: 0})
    floor.control(Kind.BLOCK_ACCOUNT, "Blocked", amount=3).done()
    floor.send(Kind.HALT_MARKET).done()
    floor.send(kind, account=NOBODY, instrument=NOWHERE).refused(Why.UNKNOWN_ACCOUNT)
    blocked = floor.send(kind, account=BLOCKED, instrument=NOWHERE, side=SELL)
    blocked.refused(Why.ACCOUNT_RESTRICTED)
    floor.send(kind, account=RICH, instrument=NOWHERE).refused(Why.UNKNOWN_INSTRUMENT)
    floor.send(kind, account=RICH, instrument=0, side=3).refused(Why.MODALITY_UNAVAILABLE)
    floor.closes()
    floor.send(kind, account=RICH, instrument=0, side=3).refused(Why.MODALITY_UNAVAILABLE)


def test_a_session_opens_in_trading_hours_only(market: Market) -> None:
    """OPEN_SESSION: behind the session's state, before the halts."""
    floor = market(ACCOUNTS, rules={Parameter.AUCTION_QTY_MIN: 10})
    session = floor.when("Rich").applies(1_000, "80.00").session_no
    floor.session(Kind.NOTICE_SESSION, session).done()
    floor.send(Kind.HALT_MARKET).done()
    floor.session(Kind.OPEN_SESSION, session).refused(Why.MARKET_HALTED)
    floor.enters(Phase.LUNCH).done()
    floor.session(Kind.OPEN_SESSION, session).refused(Why.PHASE_CLOSED)
    floor.session(Kind.OPEN_SESSION, NO_ORDER).refused(Why.UNKNOWN_SESSION)


BESIDE_THE_TABLES = {
    **{kind: {Why.MODALITY_UNAVAILABLE} for kind in (Kind.BULK_OFFER, Kind.APPLY_SESSION)},
    Kind.OPEN_SESSION: {Why.PHASE_CLOSED},
}


def test_the_tables_have_the_contracts_order_and_every_reason() -> None:
    """Each ladder follows the order of ``alphabet.REFUSALS``; together they have all reasons.

    The ledger's are those of test_precedence_ledger.py. A kind with one reason has no order.
    """
    found: dict[Kind, set[Why]] = {}
    for name, (kind, ranks) in (test_precedence.LADDERS | LADDERS).items():
        reasons = [r.reason for r in ranks]
        assert reasons == [why for why in REFUSALS[kind] if why in reasons], name
        found.setdefault(kind, set()).update(reasons)
    for kind, contract in REFUSALS.items():
        if len(contract) > 1:
            more = BESIDE_THE_TABLES.get(kind, set()) | test_precedence_ledger.PROVEN.get(
                kind, set()
            )
            assert found[kind] | more == set(contract), kind.name
