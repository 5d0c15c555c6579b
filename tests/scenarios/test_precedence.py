"""Which reason is given when several hold: the first in the contract's order of precedence.

``LADDERS`` is the table. Each rank says what makes a command wrong in that way; the test for a
rank takes a command that is wrong in this way and in all ways further down, and expects this rank's
reason. (Where one field can only be wrong in one way at a time, the upper rank's value stands.)
"""

from __future__ import annotations

import pytest

from engine.reasons import Reason as Why
from engine.records import Kind, Mode, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor
from tests.scenarios.ladders import HALTS, Rank, cases, play, rank

RICH, BUSY, POOR, BLOCKED = range(4)  # Busy may open no more orders; Poor has nothing left
LISTED, AUCTION = range(2)  # vintages
NOBODY = NOWHERE = 99
NO_ORDER = 999
OWN_BUY = "own buy, auction"  # partly filled
LISTED_QTY_MAX = 500


def declaration(
    side: Side, vintage: int, wrong: int, prices: tuple[int, int], special: list[Rank]
) -> list[Rank]:
    """The ranks that LIST, TAKE_BEST and ADD share, around their own ones."""
    plain, outside = prices
    short = Why.INSUFFICIENT_FUNDS if side is Side.BUY else Why.INSUFFICIENT_HOLDING
    uncovered = {"account": POOR, "instrument": vintage, "side": int(side), "qty_tonnes": 10}
    return [
        rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
        rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED, side=int(side)),
        rank(Why.UNKNOWN_INSTRUMENT, instrument=NOWHERE),
        rank(Why.WRONG_MODE, instrument=wrong),
        rank(Why.PHASE_CLOSED, "lunch"),
        *HALTS,
        rank(Why.SIDE_INVALID, side=3),
        rank(Why.PRICE_INVALID, price_ticks=0),
        rank(Why.PRICE_OUT_OF_BAND, price_ticks=outside),
        rank(Why.QTY_INVALID, qty_tonnes=0),
        rank(Why.QTY_ABOVE_MAX, qty_tonnes=LISTED_QTY_MAX + 1),
        *special,
        Rank(short, {**uncovered, "price_ticks": plain}),
    ]


BUSY_RANK = rank(Why.TOO_MANY_OPEN_ORDERS, account=BUSY)
LADDERS: dict[str, tuple[Kind, list[Rank]]] = {
    "LIST buy": (
        Kind.LIST,
        declaration(
            Side.BUY, LISTED, AUCTION, (7_900, 8_801),
            [rank(Why.WOULD_CROSS, price_ticks=8_200), BUSY_RANK],
        ),
    ),
    "LIST sell": (
        Kind.LIST,
        declaration(
            Side.SELL, LISTED, AUCTION, (8_700, 7_199),
            [rank(Why.WOULD_CROSS, price_ticks=7_300), BUSY_RANK],
        ),
    ),
    "TAKE_BEST buy": (
        Kind.TAKE_BEST,
        declaration(
            Side.BUY, LISTED, AUCTION, (8_200, 7_199),
            [rank(Why.NOTHING_TO_TAKE, price_ticks=7_500)],
        ),
    ),
    "TAKE_BEST sell": (
        Kind.TAKE_BEST,
        declaration(
            Side.SELL, LISTED, AUCTION, (7_300, 8_801),
            [rank(Why.NOTHING_TO_TAKE, price_ticks=8_700)],
        ),
    ),
    "ADD buy": (
        Kind.ADD, declaration(Side.BUY, AUCTION, LISTED, (7_900, 8_801), [BUSY_RANK])
    ),
    "ADD sell": (
        Kind.ADD, declaration(Side.SELL, AUCTION, LISTED, (8_700, 7_199), [BUSY_RANK])
    ),
    "TAKE": (
        Kind.TAKE,
        [
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.PHASE_CLOSED, "lunch"),
            HALTS[0],
            rank(Why.QTY_INVALID, qty_tonnes=0),
            rank(Why.QTY_ABOVE_MAX, total_qty_tonnes=LISTED_QTY_MAX + 1),
            rank(Why.UNKNOWN_ORDER, ref=NO_ORDER),
            HALTS[1],
            rank(Why.WRONG_MODE, ref="own sell, auction"),
            rank(Why.SELF_TRADE, account=POOR, ref="own sell, sixth level"),
            rank(Why.OUTSIDE_FIVE_LEVELS, ref="sell, sixth level"),
            rank(Why.BETTER_PRICE_AVAILABLE, ref="sell, second level"),
            rank(Why.QTY_ABOVE_LEAVES, qty_tonnes=50),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED),
            rank(Why.INSUFFICIENT_FUNDS, account=POOR, qty_tonnes=5, ref="sell, first level"),
        ],
    ),
    "TAKE, selling": (
        Kind.TAKE,
        [
            rank(Why.QTY_ABOVE_LEAVES, qty_tonnes=50),
            rank(Why.INSUFFICIENT_HOLDING, account=POOR, qty_tonnes=1, ref="buy, first level"),
        ],
    ),
    "CANCEL": (
        Kind.CANCEL,
        [
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.PHASE_CLOSED, "closed"),
            rank(Why.UNKNOWN_ORDER, account=POOR, ref="sell, first level"),
        ],
    ),
    "AMEND": (
        Kind.AMEND,
        [
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.PHASE_CLOSED, "lunch"),
            HALTS[0],
            rank(Why.PRICE_INVALID, price_ticks=0),
            rank(Why.QTY_INVALID, qty_tonnes=0),
            rank(Why.UNKNOWN_ORDER, ref="sell, first level"),
            HALTS[1],
            rank(Why.WRONG_MODE, ref="own sell, sixth level"),
            rank(Why.PRICE_OUT_OF_BAND, price_ticks=8_801),
            rank(Why.QTY_ABOVE_MAX, qty_tonnes=LISTED_QTY_MAX + 1),
            rank(Why.QTY_BELOW_FILLED, account=POOR, ref=OWN_BUY, qty_tonnes=4),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED, ref="blocked buy", qty_tonnes=500),
            Rank(
                Why.INSUFFICIENT_FUNDS,
                {"account": POOR, "ref": OWN_BUY, "price_ticks": 7_700, "qty_tonnes": 10},
            ),
        ],
    ),
    "BEGIN_DAY, evening": (
        Kind.BEGIN_DAY,
        [rank(Why.DAY_UNCONFIRMED, "closed"), rank(Why.DATE_INVALID, "posted", ref=20260105)],
    ),
    "BEGIN_DAY": (
        Kind.BEGIN_DAY,
        [rank(Why.PHASE_ORDER, "lunch"), rank(Why.DATE_INVALID, "posted", ref=20260105)],
    ),
    "CONFIRM_DAY": (
        Kind.CONFIRM_DAY,
        [rank(Why.PHASE_ORDER, "lunch"), rank(Why.FILE_DIFFERS, "closed", amount=99)],
    ),
    "POST_DAY": (
        Kind.POST_DAY,
        [rank(Why.PHASE_ORDER, "closed"), rank(Why.FILE_DIFFERS, "confirmed", ref=8)],
    ),
    "OPEN_ACCOUNT": (
        Kind.OPEN_ACCOUNT,
        [rank(Why.DUPLICATE_INSTRUCTION, ref=5), rank(Why.ACCOUNT_EXISTS, account=RICH)],
    ),
    "CASH_IN": (
        Kind.CASH_IN,
        [
            rank(Why.DUPLICATE_INSTRUCTION, ref=5),
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.PHASE_CLOSED, "closed"),
            rank(Why.AMOUNT_INVALID, account=RICH, amount=0),
        ],
    ),
    "CASH_OUT": (
        Kind.CASH_OUT,
        [
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED),
            rank(Why.PHASE_CLOSED, "closed"),
            rank(Why.AMOUNT_INVALID, amount=0),
            rank(Why.INSUFFICIENT_FUNDS, amount=10**17),
            rank(Why.CASH_NOT_SETTLED, account=RICH, amount=9_930_000),
        ],
    ),
    "TRANSFER_IN": (
        Kind.TRANSFER_IN,
        [
            rank(Why.DUPLICATE_INSTRUCTION, ref=5),
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED),
            rank(Why.UNKNOWN_INSTRUMENT, instrument=NOWHERE),
            rank(Why.PHASE_CLOSED, "closed"),
            rank(Why.QTY_INVALID, account=RICH, instrument=LISTED, qty_tonnes=0),
        ],
    ),
    "TRANSFER_OUT": (
        Kind.TRANSFER_OUT,
        [
            rank(Why.UNKNOWN_ACCOUNT, account=NOBODY),
            rank(Why.ACCOUNT_RESTRICTED, account=BLOCKED),
            rank(Why.UNKNOWN_INSTRUMENT, instrument=NOWHERE),
            rank(Why.PHASE_CLOSED, "closed"),
            rank(Why.QTY_INVALID, qty_tonnes=0),
            rank(Why.INSUFFICIENT_HOLDING, account=POOR, instrument=LISTED, qty_tonnes=10),
        ],
    ),
    "ADMIT_INSTRUMENT": (
        Kind.ADMIT_INSTRUMENT,
        [
            rank(Why.PHASE_CLOSED, "lunch"),
            rank(Why.INSTRUMENT_EXISTS, instrument=LISTED),
            rank(Why.PRICE_INVALID, price_ticks=-1),
            rank(Why.PARAMETER_INVALID, "posted", instrument=2, price_ticks=8_000, mode=2),
        ],
    ),
    "SET_PARAMETER": (
        Kind.SET_PARAMETER,
        [
            rank(Why.PHASE_CLOSED, "lunch"),
            rank(Why.UNKNOWN_PARAMETER, ref=24),
            rank(Why.UNKNOWN_INSTRUMENT, instrument=NOWHERE),
            rank(Why.PARAMETER_INVALID, "posted", ref=100, instrument=LISTED, amount=-1),
        ],
    ),
}  # fmt: skip

ACCOUNTS = """
    account | cash     | CEA25 | CEA24
    Rich    | 100,000  | 900   | 900
    Busy    | 1,153.20 |       |
    Poor    | 760      | 1     | 1
    Blocked | 5,000    | 90    | 90
"""
LEVELS = ("first", "second", "third", "fourth", "fifth", "sixth")
OPEN_ORDERS_MAX = 16
DONE_INSTRUCTION = 5


def build(market: Market) -> tuple[Floor, dict[str, int]]:
    """A morning on which every rank can be reached; the orders that the table names, by number."""
    rules = {
        Parameter.LISTED_QTY_MAX: LISTED_QTY_MAX,
        Parameter.OPEN_ORDERS_MAX: OPEN_ORDERS_MAX,
    }
    floor = market("account", rules=rules, day=0)
    floor.admits("CEA24", "80.00", Mode.PRICE_TIME).done()
    floor.open_accounts(ACCOUNTS)
    floor.begins(20260105)
    floor.enters(Phase.MORNING)
    rich, busy, poor = (floor.when(name) for name in ("Rich", "Busy", "Poor"))
    named = {"blocked buy": floor.when("Blocked").adds(Side.BUY, 9, "72.00", "CEA24").order_no}
    floor.control(Kind.BLOCK_ACCOUNT, "Blocked", amount=31).done()
    for level, name in enumerate(LEVELS):
        listing = rich.lists(Side.SELL, 10, f"80.{level}0")
        named[f"sell, {name} level"] = listing.order_no
        rich.adds(Side.SELL, 10, f"80.{level}0", "CEA24").done()
    named["own sell, sixth level"] = poor.lists(Side.SELL, 1, "80.50").order_no
    named["own sell, auction"] = poor.adds(Side.SELL, 1, "80.50", "CEA24").order_no
    named["buy, first level"] = rich.lists(Side.BUY, 10, "75.00").order_no
    named[OWN_BUY] = poor.adds(Side.BUY, 10, "76.00", "CEA24").order_no
    rich.adds(Side.SELL, 4, "76.00", "CEA24").trades("4 @ 76.00 Poor")
    for cent in range(OPEN_ORDERS_MAX):
        busy.lists(Side.BUY, 1, f"72.{cent:02}").done()
    floor.send(Kind.CASH_IN, account=RICH, amount=1, ref=DONE_INSTRUCTION).done()
    floor.then_accounts("""
        account | cash | CEA25 | CEA24
        Busy    |      |       |
        Poor    |      |       |
    """)
    return floor, named


def go_to(floor: Floor, stage: str) -> None:
    """Walk on in the day."""
    if stage == "lunch":
        floor.enters(Phase.LUNCH).done()
    if stage in ("closed", "confirmed", "posted"):
        floor.closes()
    if stage in ("confirmed", "posted"):
        floor.confirms().done()
    if stage == "posted":
        floor.send(Kind.POST_DAY, ref=7).done()


@pytest.mark.parametrize(("name", "place"), **cases(LADDERS))
def test_the_first_reason_in_the_order_is_given(market: Market, name: str, place: int) -> None:
    """Wrong in the way of this rank and of all below it: this rank's reason."""
    floor, named = build(market)
    play(floor, named, LADDERS[name], place, go_to)
