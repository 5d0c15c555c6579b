"""Which function carries out a command of plain Python: the day, accounts, negotiations, control.

Orders of the listed market are not here: they go through the compiled loop (engine/kernel.py).
"""

from __future__ import annotations

from collections.abc import Callable

from engine import accounts, bidding, bulk, control, day, safeguards
from engine.outcome import Outcome
from engine.records import Kind
from engine.state import Array, State

Handler = Callable[[State, Array, Outcome], None]

COLD_HANDLERS: dict[int, Handler] = {
    Kind.NOOP: lambda _state, _command, _outcome: None,
    Kind.BEGIN_DAY: day.begin_day,
    Kind.SET_PHASE: day.set_phase,
    Kind.CLOSE_DAY: day.close_day,
    Kind.CONFIRM_DAY: day.confirm_day,
    Kind.POST_DAY: day.post_day,
    Kind.DISPUTE_DAY: day.dispute_day,
    Kind.OPEN_ACCOUNT: accounts.open_account,
    Kind.CASH_IN: accounts.cash_in,
    Kind.CASH_OUT: accounts.cash_out,
    Kind.TRANSFER_IN: accounts.transfer_in,
    Kind.TRANSFER_OUT: accounts.transfer_out,
    Kind.ADMIT_INSTRUMENT: accounts.admit_instrument,
    Kind.SET_PARAMETER: accounts.set_parameter,
    Kind.BULK_OFFER: bulk.offer,
    Kind.BULK_COUNTER: bulk.counter,
    Kind.BULK_ACCEPT: bulk.accept,
    Kind.BULK_CONFIRM: bulk.confirm,
    Kind.BULK_DECLINE: bulk.decline,
    Kind.BULK_WITHDRAW: bulk.withdraw,
    Kind.APPLY_SESSION: bidding.apply_session,
    Kind.NOTICE_SESSION: bidding.notice_session,
    Kind.REJECT_SESSION: bidding.reject_session,
    Kind.OPEN_SESSION: bidding.open_session,
    Kind.BID: bidding.bid,
    Kind.CANCEL_BID: bidding.cancel_bid,
    Kind.CLOSE_SESSION: bidding.close_session,
    Kind.BLOCK_ACCOUNT: control.block_account,
    Kind.GUARD_HOLDING: control.guard_holding,
    Kind.LIMIT_HOLDING: control.limit_holding,
    Kind.WARN_ACCOUNT: control.warn_account,
    Kind.HALT_INSTRUMENT: control.switch_instrument,
    Kind.RESUME_INSTRUMENT: control.switch_instrument,
    Kind.HALT_MARKET: control.switch_market,
    Kind.RESUME_MARKET: control.switch_market,
    Kind.KILL: control.kill,
    Kind.VOID_TRADE: control.void_trade,
    Kind.FREEZE_HOLDING: control.freeze_holding,
    Kind.RELEASE_HOLDING: control.release_holding,
    Kind.DEDUCT_HOLDING: control.deduct_holding,
    Kind.MASS_CANCEL: safeguards.mass_cancel,
    Kind.SET_TIMER: safeguards.set_timer,
    Kind.SET_DISCONNECT: safeguards.set_disconnect,
}
