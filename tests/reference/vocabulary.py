"""Numbers of kinds, events, phases and reasons, declared a second time on purpose.

A renumbering in the engine has to be made here too, by a person who notices it.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

Command = Mapping[str, Any]  # one entry per field of a command record
EventDict = dict[str, int]  # one entry per field of an event record, in the record's order

PRICE_TICKS_MAX = 9_999_999
QTY_TONNES_MAX = 9_999_999_999
CASH_FEN_MAX = 999_999_999_999_999_999  # of one account
MARKET_CASH_FEN_MAX = 9 * 10**18  # paid in less paid out, over all accounts


class Kind(IntEnum):
    """What a command asks for."""

    NOOP = 0
    LIST = 1
    TAKE = 2
    TAKE_BEST = 3
    CANCEL = 4
    ADD = 5
    AMEND = 6
    BEGIN_DAY = 20
    SET_PHASE = 21
    CLOSE_DAY = 22
    CONFIRM_DAY = 23
    POST_DAY = 24
    DISPUTE_DAY = 25
    OPEN_ACCOUNT = 30
    CASH_IN = 31
    CASH_OUT = 32
    TRANSFER_IN = 33
    TRANSFER_OUT = 34
    ADMIT_INSTRUMENT = 40
    SET_PARAMETER = 41


class Event(IntEnum):
    """What happened."""

    REFUSED = 0
    ACCEPTED = 1
    TRADED = 2
    CANCELLED = 3
    LAPSED = 4
    PULLED = 5
    AMENDED = 6
    PHASE_CHANGED = 20
    REFERENCE_SET = 21
    UPPER_LIMIT_SET = 22
    LOWER_LIMIT_SET = 23
    CLOSE_SET = 24
    COMPOSITE_SET = 25
    ACCOUNT_OPENED = 30
    CASH_MOVED_IN = 31
    CASH_MOVED_OUT = 32
    HOLDING_MOVED_IN = 33
    HOLDING_MOVED_OUT = 34
    INSTRUMENT_ADMITTED = 40
    PARAMETER_CHANGED = 41


class Side(IntEnum):
    """Buy and sell, by their FIX numbers."""

    BUY = 1
    SELL = 2

    @property
    def other(self) -> Side:
        """The side one deals with."""
        return Side.SELL if self is Side.BUY else Side.BUY


class Phase(IntEnum):
    """Parts of the day and of the evening."""

    NEW = 0
    PRE_OPEN = 1
    MORNING = 2
    LUNCH = 3
    AFTERNOON = 4
    CLOSED = 5
    CONFIRMED = 6
    POSTED = 7
    DISPUTED = 8


class Mode(IntEnum):
    """How an instrument's book deals."""

    LISTED = 0
    PRICE_TIME = 1


LISTED_MODALITY = 10


class Status(IntEnum):
    """Order states (TR-44)."""

    OPEN = 1
    PART_FILLED = 2
    FILLED = 3
    CANCELLED = 4
    LAPSED = 5


class Parameter(IntEnum):
    """What SET_PARAMETER changes."""

    LISTED_BAND_BP = 1
    BULK_BAND_BP = 2
    LISTED_QTY_MAX = 3
    BULK_QTY_MIN = 4
    TAKE_LEVELS_MAX = 5
    ALLOW_CROSSED_LISTINGS = 6
    GOODS_T_PLUS = 7
    OPEN_ORDERS_MAX = 8
    LISTED_TRADING_FEE_PPM = 9
    LISTED_SETTLEMENT_FEE_PPM = 10
    BULK_TRADING_FEE_PPM = 11
    BULK_SETTLEMENT_FEE_PPM = 12
    AUCTION_TRADING_FEE_PPM = 13
    AUCTION_SETTLEMENT_FEE_PPM = 14
    COMPOSITE_WEIGHT = 100


BOUNDS: dict[int, tuple[int, int]] = {  # inclusive, from the contract
    Parameter.LISTED_BAND_BP: (1, 9_999),
    Parameter.BULK_BAND_BP: (1, 9_999),
    Parameter.LISTED_QTY_MAX: (1, 9_999_999_999),
    Parameter.BULK_QTY_MIN: (1, 9_999_999_999),
    Parameter.TAKE_LEVELS_MAX: (1, 1_000),
    Parameter.ALLOW_CROSSED_LISTINGS: (0, 1),
    Parameter.GOODS_T_PLUS: (0, 1),
    Parameter.OPEN_ORDERS_MAX: (0, 1_000_000),
    Parameter.LISTED_TRADING_FEE_PPM: (0, 100_000),
    Parameter.LISTED_SETTLEMENT_FEE_PPM: (0, 100_000),
    Parameter.BULK_TRADING_FEE_PPM: (0, 100_000),
    Parameter.BULK_SETTLEMENT_FEE_PPM: (0, 100_000),
    Parameter.AUCTION_TRADING_FEE_PPM: (0, 100_000),
    Parameter.AUCTION_SETTLEMENT_FEE_PPM: (0, 100_000),
    Parameter.COMPOSITE_WEIGHT: (0, 1_000_000),
}


class Reason(IntEnum):
    """Why not, or why an order ended."""

    NONE = 0
    UNKNOWN_ACCOUNT = 10
    UNKNOWN_INSTRUMENT = 20
    WRONG_MODE = 22
    PHASE_CLOSED = 30
    SIDE_INVALID = 40
    PRICE_INVALID = 41
    PRICE_OUT_OF_BAND = 42
    QTY_INVALID = 43
    QTY_ABOVE_MAX = 44
    QTY_BELOW_FILLED = 45
    UNKNOWN_ORDER = 50
    SELF_TRADE = 51
    OUTSIDE_FIVE_LEVELS = 52
    BETTER_PRICE_AVAILABLE = 53
    QTY_ABOVE_LEAVES = 54
    WOULD_CROSS = 55
    NOTHING_TO_TAKE = 56
    TOO_MANY_OPEN_ORDERS = 60
    INSUFFICIENT_FUNDS = 70
    INSUFFICIENT_HOLDING = 71
    HOLDING_BOUGHT_TODAY = 72
    CASH_NOT_SETTLED = 73
    AMOUNT_INVALID = 74
    DATE_INVALID = 80
    DAY_UNCONFIRMED = 81
    PHASE_ORDER = 82
    FILE_DIFFERS = 83
    DUPLICATE_INSTRUCTION = 90
    ACCOUNT_EXISTS = 91
    INSTRUMENT_EXISTS = 92
    UNKNOWN_PARAMETER = 93
    PARAMETER_INVALID = 94
    UNKNOWN_KIND = 99
    BY_OWNER = 100
    TAKE_REMAINDER = 101
    END_OF_DAY = 102


class Refused(Exception):  # noqa: N818  (it is an answer, not an error)
    """Raised by a check before anything was written; becomes one REFUSED event."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


def refuse_if(condition: bool, reason: Reason) -> None:
    """Raise ``Refused`` when the condition holds."""
    if condition:
        raise Refused(reason)
