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
    BULK_OFFER = 50
    BULK_COUNTER = 51
    BULK_ACCEPT = 52
    BULK_CONFIRM = 53
    BULK_DECLINE = 54
    BULK_WITHDRAW = 55
    APPLY_SESSION = 60
    NOTICE_SESSION = 61
    REJECT_SESSION = 62
    OPEN_SESSION = 63
    BID = 64
    CANCEL_BID = 65
    CLOSE_SESSION = 66
    BLOCK_ACCOUNT = 70
    GUARD_HOLDING = 71
    LIMIT_HOLDING = 72
    WARN_ACCOUNT = 73
    HALT_INSTRUMENT = 74
    RESUME_INSTRUMENT = 75
    HALT_MARKET = 76
    RESUME_MARKET = 77
    KILL = 78
    VOID_TRADE = 79
    FREEZE_HOLDING = 80
    RELEASE_HOLDING = 81
    DEDUCT_HOLDING = 82
    MASS_CANCEL = 90
    SET_TIMER = 91
    SET_DISCONNECT = 92


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
    COMPOSITE_OPEN_SET = 26
    COMPOSITE_HIGH_SET = 27
    COMPOSITE_LOW_SET = 28
    ACCOUNT_OPENED = 30
    CASH_MOVED_IN = 31
    CASH_MOVED_OUT = 32
    HOLDING_MOVED_IN = 33
    HOLDING_MOVED_OUT = 34
    INSTRUMENT_ADMITTED = 40
    PARAMETER_CHANGED = 41
    BULK_OFFERED = 50
    BULK_COUNTERED = 51
    BULK_AGREED = 52
    BULK_DECLINED = 53
    SESSION_APPLIED = 60
    SESSION_NOTICED = 61
    SESSION_REJECTED = 62
    SESSION_OPENED = 63
    SESSION_CLOSED = 64
    ACCOUNT_BLOCKED = 70
    HOLDING_GUARDED = 71
    HOLDING_LIMITED = 72
    ACCOUNT_WARNED = 73
    INSTRUMENT_HALTED_NOW = 74
    INSTRUMENT_RESUMED = 75
    MARKET_HALTED_NOW = 76
    MARKET_RESUMED = 77
    KILLED_NOW = 78
    TRADE_VOIDED = 79
    HOLDING_FROZEN = 80
    HOLDING_RELEASED = 81
    HOLDING_DEDUCTED = 82
    LARGE_HOLDER = 83
    MASS_CANCELLED = 90
    TIMER_SET = 91
    DISCONNECT_SET = 92


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


class Cause(IntEnum):
    """Who wants a MASS_CANCEL."""

    OWNER = 0
    DISCONNECT = 1
    TIMER = 2


class Modality(IntEnum):
    """The exchange's codes of its ways of trading (TR-142)."""

    LISTED = 10
    BULK = 20
    AUCTION = 21


class NegotiationStatus(IntEnum):
    """Where a bulk negotiation stands (TR-72)."""

    COUNTERED = 1
    AGREED = 2
    ENDED = 3


class SessionStatus(IntEnum):
    """Where a bidding session stands (TR-81…88)."""

    APPLIED = 1
    NOTICED = 2
    OPEN = 3
    CLOSED = 4
    FAILED = 5
    REJECTED = 6


class Pricing(IntEnum):
    """What winners of a bidding session pay (TR-83)."""

    UNIFORM = 0
    PAY_AS_BID = 1


BLOCK_TRANSFER_OUT, BLOCK_CASH_OUT, BLOCK_TRANSFER_IN = 4, 8, 16  # 1 and 2 are the sides
BLOCKS_MAX = 31


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
    AUCTION_BAND_BP = 15
    AUCTION_QTY_MIN = 16
    AUCTION_BID_QTY_MIN = 17
    AUCTION_BUYER_INITIATED = 18
    LARGE_HOLDER_TONNES = 19
    FREE_FIRST_DAY = 20
    FIRST_DAY_UPPER_TICKS = 21
    BULK_ENABLED = 22
    AUCTION_ENABLED = 23
    COMPOSITE_WEIGHT = 100


_SWITCH, _RATE, _BAND, _QTY = (0, 1), (0, 100_000), (1, 9_999), (1, 9_999_999_999)
BOUNDS: dict[int, tuple[int, int]] = {  # inclusive, from the contract
    Parameter.LISTED_BAND_BP: _BAND,
    Parameter.BULK_BAND_BP: _BAND,
    Parameter.LISTED_QTY_MAX: _QTY,
    Parameter.BULK_QTY_MIN: _QTY,
    Parameter.TAKE_LEVELS_MAX: (1, 1_000),
    Parameter.ALLOW_CROSSED_LISTINGS: _SWITCH,
    Parameter.GOODS_T_PLUS: _SWITCH,
    Parameter.OPEN_ORDERS_MAX: (0, 1_000_000),
    Parameter.LISTED_TRADING_FEE_PPM: _RATE,
    Parameter.LISTED_SETTLEMENT_FEE_PPM: _RATE,
    Parameter.BULK_TRADING_FEE_PPM: _RATE,
    Parameter.BULK_SETTLEMENT_FEE_PPM: _RATE,
    Parameter.AUCTION_TRADING_FEE_PPM: _RATE,
    Parameter.AUCTION_SETTLEMENT_FEE_PPM: _RATE,
    Parameter.AUCTION_BAND_BP: _BAND,
    Parameter.AUCTION_QTY_MIN: _QTY,
    Parameter.AUCTION_BID_QTY_MIN: _QTY,
    Parameter.AUCTION_BUYER_INITIATED: _SWITCH,
    Parameter.LARGE_HOLDER_TONNES: (0, 9_999_999_999),
    Parameter.FREE_FIRST_DAY: _SWITCH,
    Parameter.FIRST_DAY_UPPER_TICKS: (1, 9_999_999),
    Parameter.BULK_ENABLED: _SWITCH,
    Parameter.AUCTION_ENABLED: _SWITCH,
    Parameter.COMPOSITE_WEIGHT: (0, 1_000_000),
}


class Reason(IntEnum):
    """Why not, or why an order ended."""

    NONE = 0
    CHECKER_MISSING = 1
    MAKER_IS_CHECKER = 2
    UNKNOWN_ACCOUNT = 10
    ACCOUNT_RESTRICTED = 11
    UNKNOWN_COUNTERPARTY = 12
    UNKNOWN_INSTRUMENT = 20
    WRONG_MODE = 22
    INSTRUMENT_HALTED = 23
    MODALITY_UNAVAILABLE = 24
    PHASE_CLOSED = 30
    MARKET_HALTED = 31
    WINDOW_INVALID = 32
    SIDE_INVALID = 40
    PRICE_INVALID = 41
    PRICE_OUT_OF_BAND = 42
    QTY_INVALID = 43
    QTY_ABOVE_MAX = 44
    QTY_BELOW_FILLED = 45
    QTY_BELOW_MIN = 46
    MODE_INVALID = 47
    UNKNOWN_ORDER = 50
    SELF_TRADE = 51
    OUTSIDE_FIVE_LEVELS = 52
    BETTER_PRICE_AVAILABLE = 53
    QTY_ABOVE_LEAVES = 54
    WOULD_CROSS = 55
    NOTHING_TO_TAKE = 56
    UNKNOWN_NEGOTIATION = 57
    NOT_YOUR_TURN = 58
    TERMS_CHANGED = 59
    TOO_MANY_OPEN_ORDERS = 60
    UNKNOWN_SESSION = 61
    UNKNOWN_TRADE = 62
    CANNOT_VOID = 63
    INSUFFICIENT_FUNDS = 70
    INSUFFICIENT_HOLDING = 71
    HOLDING_BOUGHT_TODAY = 72
    CASH_NOT_SETTLED = 73
    AMOUNT_INVALID = 74
    SELL_GUARDED = 75
    HOLDING_LIMIT = 76
    COUNTERPARTY_SHORT = 77
    DATE_INVALID = 80
    DAY_UNCONFIRMED = 81
    PHASE_ORDER = 82
    FILE_DIFFERS = 83
    DUPLICATE_INSTRUCTION = 90
    ACCOUNT_EXISTS = 91
    INSTRUMENT_EXISTS = 92
    UNKNOWN_PARAMETER = 93
    PARAMETER_INVALID = 94
    TIMER_NOT_DUE = 95
    UNKNOWN_KIND = 99
    BY_OWNER = 100
    TAKE_REMAINDER = 101
    END_OF_DAY = 102
    DECLINED = 103
    OFFER_GONE = 104
    BID_CUT = 105
    BID_LOST = 106
    SESSION_FAILED = 107
    KILLED = 108
    COURT = 109
    DISCONNECTED = 110
    TIMER_EXPIRED = 111


class Refused(Exception):  # noqa: N818  (it is an answer, not an error)
    """Raised by a check before anything was written; becomes one REFUSED event."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.name)
        self.reason = reason


def refuse_if(condition: bool, reason: Reason) -> None:
    """Raise ``Refused`` when the condition holds."""
    if condition:
        raise Refused(reason)
