"""The records: what a command, an event and every row of the state look like.

Read this file first. COMMAND goes in, EVENT comes out, the other dtypes are the exchange's memory.
All numbers are integers: prices in ticks of 0.01 yuan (TR-10), quantities in tonnes, money in fen,
times in nanoseconds since 1970 (UTC). A field that a kind does not use is zero (numbers that name
a row: -1). No dtype has padding, so the digest of the bytes is the digest of the fields.
"""

from __future__ import annotations

import numpy as np

from engine.codes import (
    HOT_KINDS_END,
    AccountStatus,
    Block,
    Cause,
    Event,
    Kind,
    Modality,
    Mode,
    NegotiationStatus,
    OrderStatus,
    Parameter,
    Phase,
    Pricing,
    SessionStatus,
    Side,
)

__all__ = [  # the codes are handed on; this file's own names need no list
    "HOT_KINDS_END",
    "AccountStatus",
    "Block",
    "Cause",
    "Event",
    "Kind",
    "Modality",
    "Mode",
    "NegotiationStatus",
    "OrderStatus",
    "Parameter",
    "Phase",
    "Pricing",
    "SessionStatus",
    "Side",
]

# Bounds at the door (reliability.md 4.7): below these no product or sum can leave int64.
PRICE_TICKS_MAX = 10**7 - 1
QTY_TONNES_MAX = 10**10 - 1
CASH_FEN_MAX = 10**18 - 1
MARKET_CASH_FEN_MAX = 9 * 10**18  # paid in less paid out, over all accounts
PARAMETER_MAX = 10**15
CODE_BYTES = 16
CLIENT_ORDER_ID_BYTES = 32


COMMAND = np.dtype(
    [
        ("seq", "<i8"),  # position in the journal, from 1, without gaps
        ("time_ns", "<i8"),
        ("ref", "<i8"),  # order number, date (YYYYMMDD), phase, parameter or instruction: by kind
        ("qty_tonnes", "<i8"),
        ("total_qty_tonnes", "<i8"),  # sum over the legs of one instruction (TR-66), else 0
        ("amount", "<i8"),  # fen, a parameter's value, bits
        ("account", "<i4"),
        ("counterparty", "<i4"),
        ("price_ticks", "<i4"),
        ("operator", "<i4"),  # who sent it: of the account's people (0 = the account), or the maker
        ("checker", "<i4"),  # who approved it, where two are needed
        ("from_minute", "<i2"),  # a window of the day, minutes in Beijing: bidding sessions
        ("until_minute", "<i2"),
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
        ("blocks", "<i4"),  # bits of Block
        ("status", "<i2"),
        ("warned_stage", "<i2"),  # TR-113
        ("cancel_on_disconnect", "<i4"),  # 1 = its open orders end when its last line is lost
        ("cancel_at_ns", "<i8"),  # the dead-man's timer; 0 = not set
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
        ("from_minute", "<i8"),  # its window, of the day, in Beijing
        ("until_minute", "<i8"),  # 0 = not noticed yet
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


def commands(count: int) -> np.ndarray:
    """Return ``count`` empty commands: shape (count,), dtype COMMAND, rows that name nobody."""
    batch = np.zeros(count, COMMAND)
    batch["account"] = -1
    batch["counterparty"] = -1
    batch["instrument"] = -1
    return batch
