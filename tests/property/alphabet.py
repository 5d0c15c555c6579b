"""The alphabet of the exchange: which refusals each command kind has, in order of precedence.

The order is the table of docs/reference/engine.md. The scenarios test the order, the tapes have
to reach every pair (P9).
"""

from __future__ import annotations

from engine import reasons
from engine.records import Kind, Phase

R = reasons.Reason

_DECLARATION = (
    R.UNKNOWN_ACCOUNT, R.UNKNOWN_INSTRUMENT, R.WRONG_MODE, R.PHASE_CLOSED, R.SIDE_INVALID,
    R.PRICE_INVALID, R.PRICE_OUT_OF_BAND, R.QTY_INVALID, R.QTY_ABOVE_MAX,
)  # fmt: skip
_LEDGER = (R.INSUFFICIENT_FUNDS, R.HOLDING_BOUGHT_TODAY, R.INSUFFICIENT_HOLDING)

REFUSALS: dict[Kind, tuple[reasons.Reason, ...]] = {
    Kind.NOOP: (),
    Kind.LIST: (*_DECLARATION, R.WOULD_CROSS, R.TOO_MANY_OPEN_ORDERS, *_LEDGER),
    Kind.TAKE: (
        R.UNKNOWN_ACCOUNT, R.PHASE_CLOSED, R.QTY_INVALID, R.QTY_ABOVE_MAX, R.UNKNOWN_ORDER,
        R.WRONG_MODE, R.SELF_TRADE, R.OUTSIDE_FIVE_LEVELS, R.BETTER_PRICE_AVAILABLE,
        R.QTY_ABOVE_LEAVES, *_LEDGER,
    ),
    Kind.TAKE_BEST: (*_DECLARATION, R.NOTHING_TO_TAKE, *_LEDGER),
    Kind.CANCEL: (R.UNKNOWN_ACCOUNT, R.PHASE_CLOSED, R.UNKNOWN_ORDER),
    Kind.ADD: (*_DECLARATION, R.TOO_MANY_OPEN_ORDERS, *_LEDGER),
    Kind.AMEND: (
        R.UNKNOWN_ACCOUNT, R.PHASE_CLOSED, R.PRICE_INVALID, R.QTY_INVALID, R.UNKNOWN_ORDER,
        R.WRONG_MODE, R.PRICE_OUT_OF_BAND, R.QTY_ABOVE_MAX, R.QTY_BELOW_FILLED, *_LEDGER,
    ),
    Kind.BEGIN_DAY: (R.DAY_UNCONFIRMED, R.PHASE_ORDER, R.DATE_INVALID),
    Kind.SET_PHASE: (R.PHASE_ORDER,),
    Kind.CLOSE_DAY: (R.PHASE_ORDER,),
    Kind.CONFIRM_DAY: (R.PHASE_ORDER,),
    Kind.POST_DAY: (R.PHASE_ORDER, R.FILE_DIFFERS),
    Kind.DISPUTE_DAY: (R.PHASE_ORDER,),
    Kind.OPEN_ACCOUNT: (R.DUPLICATE_INSTRUCTION, R.ACCOUNT_EXISTS),
    Kind.CASH_IN: (
        R.DUPLICATE_INSTRUCTION, R.UNKNOWN_ACCOUNT, R.PHASE_CLOSED, R.AMOUNT_INVALID,
    ),
    Kind.CASH_OUT: (
        R.UNKNOWN_ACCOUNT, R.PHASE_CLOSED, R.AMOUNT_INVALID, R.INSUFFICIENT_FUNDS,
        R.CASH_NOT_SETTLED,
    ),
    Kind.TRANSFER_IN: (
        R.DUPLICATE_INSTRUCTION, R.UNKNOWN_ACCOUNT, R.UNKNOWN_INSTRUMENT, R.PHASE_CLOSED,
        R.QTY_INVALID,
    ),
    Kind.TRANSFER_OUT: (
        R.UNKNOWN_ACCOUNT, R.UNKNOWN_INSTRUMENT, R.PHASE_CLOSED, R.QTY_INVALID,
        R.HOLDING_BOUGHT_TODAY, R.INSUFFICIENT_HOLDING,
    ),
    Kind.ADMIT_INSTRUMENT: (
        R.PHASE_CLOSED, R.INSTRUMENT_EXISTS, R.PRICE_INVALID, R.PARAMETER_INVALID,
    ),
    Kind.SET_PARAMETER: (
        R.PHASE_CLOSED, R.UNKNOWN_PARAMETER, R.UNKNOWN_INSTRUMENT, R.PARAMETER_INVALID,
    ),
}  # fmt: skip

ENDINGS: frozenset[tuple[Kind, reasons.Reason]] = frozenset(
    {
        (Kind.CANCEL, R.BY_OWNER),
        (Kind.TAKE_BEST, R.TAKE_REMAINDER),
        (Kind.ADD, R.SELF_TRADE),
        (Kind.AMEND, R.SELF_TRADE),
        (Kind.CLOSE_DAY, R.END_OF_DAY),
    }
)  # why an order ended, by the command that ended it

TRANSITIONS: frozenset[tuple[Phase, Phase]] = frozenset(
    {
        (Phase.NEW, Phase.PRE_OPEN),
        (Phase.PRE_OPEN, Phase.MORNING),
        (Phase.MORNING, Phase.LUNCH),
        (Phase.LUNCH, Phase.AFTERNOON),
        (Phase.AFTERNOON, Phase.CLOSED),
        (Phase.CLOSED, Phase.CONFIRMED),
        (Phase.CLOSED, Phase.DISPUTED),
        (Phase.DISPUTED, Phase.CONFIRMED),
        (Phase.CONFIRMED, Phase.POSTED),
        (Phase.POSTED, Phase.PRE_OPEN),
    }
)
