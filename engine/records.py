"""The records: what a command, an event and every row of the state look like.

Read this file first. COMMAND goes in, EVENT comes out, the other dtypes are the exchange's memory.
All numbers are integers: prices in ticks of 0.01 yuan (TR-10), quantities in tonnes, money in fen,
times in nanoseconds since 1970 (UTC). A field that a kind does not use is zero (numbers that name
a row: -1). No dtype has padding, so the digest of the bytes is the digest of the fields.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

import numpy as np

# Bounds at the door (reliability.md 4.7): below these no product or sum can leave int64.
PRICE_TICKS_MAX = 10**7 - 1
QTY_TONNES_MAX = 10**10 - 1
CASH_FEN_MAX = 10**18 - 1
MARKET_CASH_FEN_MAX = 9 * 10**18  # paid in less paid out, over all accounts
PARAMETER_MAX = 10**15
CODE_BYTES = 16
CLIENT_ORDER_ID_BYTES = 32


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


class AccountStatus(IntEnum):
    """Whether a trading account may act."""

    NONE = 0
    OPEN = 1


COMMAND = np.dtype(
    [
        ("seq", "<i8"),  # position in the journal, from 1, without gaps
        ("time_ns", "<i8"),
        ("ref", "<i8"),  # order number, date (YYYYMMDD), phase, parameter or instruction: by kind
        ("qty_tonnes", "<i8"),
        ("total_qty_tonnes", "<i8"),  # sum over the legs of one instruction (TR-66), else 0
        ("amount", "<i8"),  # fen, a parameter's value, bits
        ("from_ns", "<i8"),  # a window of time: bidding sessions
        ("until_ns", "<i8"),
        ("account", "<i4"),
        ("counterparty", "<i4"),
        ("price_ticks", "<i4"),
        ("operator", "<i4"),  # who sent it: of the account's people (0 = the account), or the maker
        ("checker", "<i4"),  # who approved it, where two are needed
        ("spare", "<i4"),  # zero
        ("instrument", "<i2"),
        ("kind", "<i1"),
        ("side", "<i1"),
        ("leg", "<i1"),
        ("legs", "<i1"),
        ("mode", "<i1"),  # of a book, or of a bidding session's pricing
        ("tail", "<i1"),  # zero
        ("client_order_id", f"S{CLIENT_ORDER_ID_BYTES}"),
    ]
)

EVENT = np.dtype(
    [
        ("seq", "<i8"),  # of the command that caused it
        ("time_ns", "<i8"),
        ("order_no", "<i8"),
        ("other_order_no", "<i8"),  # TRADED: the lister's (maker's) order
        ("trade_no", "<i8"),
        ("qty_tonnes", "<i8"),
        ("leaves_qty", "<i8"),
        ("other_leaves_qty", "<i8"),
        ("amount_fen", "<i8"),
        ("fee_fen", "<i8"),
        ("other_fee_fen", "<i8"),
        ("index", "<i4"),  # 0, 1, 2 … within the command
        ("account", "<i4"),
        ("counterparty", "<i4"),
        ("price_ticks", "<i4"),
        ("date", "<i4"),  # trading day as YYYYMMDD
        ("instrument", "<i4"),
        ("kind", "<i1"),
        ("reason", "<u1"),
        ("side", "<i1"),  # TRADED: the taker's side
        ("modality", "<i1"),
        ("phase", "<i1"),
        ("leg", "<i1"),
        ("from_minute", "<i2"),  # a bidding window, minutes of the day in Beijing
        ("until_minute", "<i2"),
        ("mode", "<i1"),  # a bidding session's pricing
        ("tail", "<i1"),  # zero
        ("spare", "<i4"),  # zero
    ]
)

MARKET = np.dtype(
    [
        ("seq", "<i8"),
        ("time_ns", "<i8"),
        ("date", "<i8"),
        ("phase", "<i8"),
        ("accounts", "<i8"),  # rows in use
        ("instruments", "<i8"),
        ("order_base", "<i8"),  # order numbers of earlier days: today's order n is row n - base
        ("orders", "<i8"),  # rows in use; row 0 is nobody
        ("open_orders", "<i8"),
        ("trade_base", "<i8"),
        ("trades", "<i8"),
        ("instruction_no", "<i8"),  # last numbered instruction of the registry
        ("file_tag", "<i8"),  # of the deal file that was confirmed
        ("composite_close_ticks", "<i8"),  # TR-104
        ("composite_weights", "<i8"),  # sum of the instruments' weights, of the day
        ("composite_sum", "<i8"),  # sum of weight x current price
        ("composite_open_sum", "<i8"),  # the same at certain moments; 0 while nothing traded
        ("composite_high_sum", "<i8"),
        ("composite_low_sum", "<i8"),
        ("cash_in_fen", "<i8"),  # paid in less paid out, since the beginning
        ("trading_fees_fen", "<i8"),  # TR-130
        ("settlement_fees_fen", "<i8"),
        ("halted", "<i8"),  # 0 / 1
        ("negotiations", "<i8"),  # rows in use, today's
        ("session_base", "<i8"),  # session numbers of earlier days
        ("sessions", "<i8"),  # rows in use; row 0 is none
    ]
)

ACCOUNT = np.dtype(
    [
        ("cash_available_fen", "<i8"),
        ("cash_frozen_fen", "<i8"),
        ("proceeds_today_fen", "<i8"),  # sold today: tradable at once, not withdrawable (TR-48)
        ("buying_tonnes", "<i8"),  # open buy quantities (TR-111)
        ("holding_max_tonnes", "<i8"),  # 0 = no limit
        ("open_orders", "<i4"),
        ("status", "<i4"),
        ("blocks", "<i4"),  # bits of Block
        ("warned_stage", "<i4"),  # TR-113
    ]
)

HOLDING = np.dtype(
    [
        ("available_tonnes", "<i8"),
        ("frozen_tonnes", "<i8"),
        ("bought_today_tonnes", "<i8"),  # not sellable until posted (TR-47, TR-49)
        ("sold_today_tonnes", "<i8"),
        ("guarded_tonnes", "<i8"),  # of the available ones: not to be sold or moved out (TR-116)
        ("judicial_tonnes", "<i8"),  # frozen by a court (RG-15)
    ]
)

INSTRUMENT = np.dtype(
    [
        ("code", f"S{CODE_BYTES}"),
        ("mode", "<i8"),
        ("reference_ticks", "<i8"),  # previous close, or TR-24 on the first day
        ("lower_limit_ticks", "<i8"),  # listed band of the day (TR-20, TR-23)
        ("upper_limit_ticks", "<i8"),
        ("bulk_lower_limit_ticks", "<i8"),  # TR-21
        ("bulk_upper_limit_ticks", "<i8"),
        ("auction_lower_limit_ticks", "<i8"),  # TR-22
        ("auction_upper_limit_ticks", "<i8"),
        ("open_ticks", "<i8"),  # 0 while nothing traded
        ("high_ticks", "<i8"),
        ("low_ticks", "<i8"),
        ("last_ticks", "<i8"),
        ("close_ticks", "<i8"),  # of the last closed day
        ("weight", "<i8"),  # in the composite price (TR-104); shares of the sum of weights
        ("tonnes_in", "<i8"),  # moved in less moved out, since the beginning
        ("halted", "<i8"),  # 0 / 1
        ("days", "<i8"),  # begun since it was admitted
    ]
)

TOTAL = np.dtype(  # one row per instrument and modality (TR-142)
    [
        ("day_qty_tonnes", "<i8"),
        ("day_turnover_fen", "<i8"),
        ("year_qty_tonnes", "<i8"),
        ("year_turnover_fen", "<i8"),
        ("all_qty_tonnes", "<i8"),
        ("all_turnover_fen", "<i8"),
    ]
)
MODALITIES = (Modality.LISTED, Modality.BULK, Modality.AUCTION)  # row order of TOTAL

BOOK = np.dtype(  # one row per instrument and side
    [
        ("best_rank", "<i8"),  # distance of the best level from the side's best limit; width = none
        ("levels", "<i8"),  # occupied levels
        ("orders", "<i8"),
    ]
)

LEVEL = np.dtype(
    [
        ("qty_tonnes", "<i8"),
        ("orders", "<i4"),
        ("head", "<i4"),  # oldest order's row; 0 = none
        ("tail", "<i4"),
        ("spare", "<i4"),  # zero: keeps rows on 8 bytes
    ]
)

ORDER = np.dtype(
    [
        ("qty_tonnes", "<i8"),  # declared, in all
        ("leaves_qty", "<i8"),  # still open
        ("frozen_fen", "<i8"),
        ("seq", "<i8"),
        ("time_ns", "<i8"),
        ("price_ticks", "<i4"),
        ("account", "<i4"),
        ("next", "<i4"),  # younger order of the level
        ("prev", "<i4"),
        ("instrument", "<i2"),
        ("kind", "<i1"),
        ("side", "<i1"),
        ("status", "<i1"),
        ("reason", "<u1"),  # why it ended
        ("spare", "<i2"),  # zero
        ("counterparty", "<i4"),  # a bulk offer: whom it is directed at, -1 = everybody
        ("session", "<i4"),  # a bid or an applicant's order: row of its bidding session
    ]
)

NEGOTIATION = np.dtype(  # one row per bulk offer and responder, in the order they were opened
    [
        ("offer_row", "<i8"),
        ("responder", "<i8"),
        ("price_ticks", "<i8"),  # the latest terms
        ("qty_tonnes", "<i8"),
        ("proposer", "<i8"),  # account that named them
        ("answer_row", "<i8"),  # the responder's order, once it has agreed; 0 = none
        ("status", "<i8"),  # NegotiationStatus
    ]
)

SESSION = np.dtype(  # one row per bidding session of the day; row 0 is none
    [
        ("order_row", "<i8"),  # the applicant's order once it is noticed, else 0
        ("applicant", "<i8"),
        ("instrument", "<i8"),
        ("side", "<i8"),  # of the applicant
        ("price_ticks", "<i8"),  # floor, or cap in the mirror
        ("qty_tonnes", "<i8"),
        ("dealt_tonnes", "<i8"),
        ("clearing_ticks", "<i8"),
        ("pricing", "<i8"),  # Pricing
        ("status", "<i8"),  # SessionStatus
        ("from_ns", "<i8"),
        ("until_ns", "<i8"),
    ]
)

TRADE = np.dtype(
    [
        ("seq", "<i8"),
        ("time_ns", "<i8"),
        ("qty_tonnes", "<i8"),
        ("buy_order_no", "<i8"),
        ("sell_order_no", "<i8"),
        ("buy_fee_fen", "<i8"),
        ("sell_fee_fen", "<i8"),
        ("price_ticks", "<i4"),
        ("buyer", "<i4"),
        ("seller", "<i4"),
        ("instrument", "<i2"),
        ("modality", "<i1"),
        ("taker_side", "<i1"),
        ("void", "<i8"),  # 1 = undone before settlement (TR-121)
    ]
)

RULES = np.dtype(  # the parameters in force; changed only by SET_PARAMETER, while the market rests
    [
        ("listed_band_bp", "<i8"),
        ("bulk_band_bp", "<i8"),
        ("listed_qty_max", "<i8"),
        ("bulk_qty_min", "<i8"),
        ("take_levels_max", "<i8"),
        ("allow_crossed_listings", "<i8"),
        ("goods_t_plus", "<i8"),
        ("open_orders_max", "<i8"),
        ("listed_trading_fee_ppm", "<i8"),
        ("listed_settlement_fee_ppm", "<i8"),
        ("bulk_trading_fee_ppm", "<i8"),
        ("bulk_settlement_fee_ppm", "<i8"),
        ("auction_trading_fee_ppm", "<i8"),
        ("auction_settlement_fee_ppm", "<i8"),
        ("auction_band_bp", "<i8"),
        ("auction_qty_min", "<i8"),
        ("auction_bid_qty_min", "<i8"),
        ("auction_buyer_initiated", "<i8"),
        ("large_holder_tonnes", "<i8"),
        ("free_first_day", "<i8"),
        ("first_day_upper_ticks", "<i8"),
        ("bulk_enabled", "<i8"),
        ("auction_enabled", "<i8"),
    ]
)


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


def commands(count: int) -> np.ndarray:
    """Return ``count`` empty commands: shape (count,), dtype COMMAND, rows that name nobody."""
    batch = np.zeros(count, COMMAND)
    batch["account"] = -1
    batch["counterparty"] = -1
    batch["instrument"] = -1
    return batch
