"""The codes: every number that stands for a word. Stable for ever; gaps are left for what comes.

Command kinds, event kinds, sides, phases, modes, modalities, states, parameters. Reasons have a
file of their own (engine/reasons.py). The records that carry the codes: engine/records.py, from
which everything here can be imported too.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class Kind(IntEnum):
    """Command kinds. Below HOT_KINDS_END a compiled kernel does the work, above it plain Python."""

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


HOT_KINDS_END = 20


class Event(IntEnum):
    """Event kinds: what happened, as a past participle."""

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
    """FIX numbers; the opposite side is ``3 - side``."""

    NONE = 0
    BUY = 1
    SELL = 2


class Phase(IntEnum):
    """Parts of a trading day (TR-30…34) and of its evening (ST-16, ST-17), in order."""

    NEW = 0  # the exchange has not begun its first day
    PRE_OPEN = 1  # a date is set, bands are set, no entry (TR-33)
    MORNING = 2  # 09:30-11:30
    LUNCH = 3  # 11:30-13:00: cancels only (TR-34)
    AFTERNOON = 4  # 13:00-15:00
    CLOSED = 5  # everything lapsed, closing prices known, deal file due
    CONFIRMED = 6  # the registry's clearing was compared and confirmed (ST-04)
    POSTED = 7  # the registry has posted; T+1 flags are cleared (ST-16)
    DISPUTED = 8  # the books differ: nothing posted, no next day (ST-17)


class Mode(IntEnum):
    """How an instrument's book matches."""

    LISTED = 0  # click-and-deal, no automatic match, no time priority (TR-60…67)
    PRICE_TIME = 1  # continuous auction, for research and comparison


class Modality(IntEnum):
    """The exchange's own codes for its ways of trading (TR-142)."""

    LISTED = 10
    BULK = 20
    AUCTION = 21


class OrderStatus(IntEnum):
    """The five states a client sees (TR-44) and the one of a day not yet used."""

    NONE = 0
    OPEN = 1
    PART_FILLED = 2
    FILLED = 3
    CANCELLED = 4
    LAPSED = 5


class NegotiationStatus(IntEnum):
    """Where a bulk negotiation stands (TR-72); ENDED covers traded, declined and expired."""

    NONE = 0
    COUNTERED = 1
    AGREED = 2
    ENDED = 3


class SessionStatus(IntEnum):
    """Where a bidding session stands (TR-81…88)."""

    NONE = 0
    APPLIED = 1
    NOTICED = 2
    OPEN = 3
    CLOSED = 4
    FAILED = 5
    REJECTED = 6


class Pricing(IntEnum):
    """What the winners of a bidding session pay (TR-83, TR-84)."""

    UNIFORM = 0
    PAY_AS_BID = 1


class Block(IntFlag):
    """What a restricted account may not do (TR-113…116, ST-12); BUY and SELL equal the sides."""

    BUY = 1
    SELL = 2
    TRANSFER_OUT = 4
    CASH_OUT = 8
    TRANSFER_IN = 16


class Cause(IntEnum):
    """Who wanted a MASS_CANCEL: the owner, his lost connections, his dead-man's timer."""

    OWNER = 0
    DISCONNECT = 1
    TIMER = 2


class AccountStatus(IntEnum):
    """Whether a trading account may act."""

    NONE = 0
    OPEN = 1


class Parameter(IntEnum):
    """What SET_PARAMETER may change. 1…99 are the fields of RULES in order; 100… per instrument."""

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
