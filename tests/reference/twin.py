"""The twin's door: ``Twin().apply(command)`` returns the events of one command."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference import (
    administration,
    bidding,
    bulk,
    control,
    day,
    institutions,
    safeguards,
    soundness,
    trading,
)
from tests.reference.venue import Holding, Venue
from tests.reference.vocabulary import (
    Command,
    Event,
    EventDict,
    Kind,
    Reason,
    Refused,
)


def do_nothing(venue: Venue, command: Command) -> None:
    """NOOP: time passes."""


def do_unknown(venue: Venue, command: Command) -> None:
    """Refuse every other kind."""
    raise Refused(Reason.UNKNOWN_KIND)


VERBS: dict[int, Callable[[Venue, Command], None]] = {
    Kind.NOOP: do_nothing,
    Kind.LIST: trading.do_list,
    Kind.TAKE: trading.do_take,
    Kind.TAKE_BEST: trading.do_take_best,
    Kind.CANCEL: trading.do_cancel,
    Kind.ADD: trading.do_add,
    Kind.AMEND: trading.do_amend,
    Kind.BEGIN_DAY: day.do_begin_day,
    Kind.SET_PHASE: day.do_set_phase,
    Kind.CLOSE_DAY: day.do_close_day,
    Kind.CONFIRM_DAY: day.do_confirm_day,
    Kind.POST_DAY: day.do_post_day,
    Kind.DISPUTE_DAY: day.do_dispute_day,
    Kind.OPEN_ACCOUNT: administration.do_open_account,
    Kind.CASH_IN: administration.do_cash_in,
    Kind.CASH_OUT: administration.do_cash_out,
    Kind.TRANSFER_IN: administration.do_transfer_in,
    Kind.TRANSFER_OUT: administration.do_transfer_out,
    Kind.ADMIT_INSTRUMENT: administration.do_admit_instrument,
    Kind.SET_PARAMETER: administration.do_set_parameter,
    Kind.BULK_OFFER: bulk.do_offer,
    Kind.BULK_COUNTER: bulk.do_counter,
    Kind.BULK_ACCEPT: bulk.do_accept,
    Kind.BULK_CONFIRM: bulk.do_confirm,
    Kind.BULK_DECLINE: bulk.do_decline,
    Kind.BULK_WITHDRAW: bulk.do_withdraw,
    Kind.APPLY_SESSION: bidding.do_apply,
    Kind.NOTICE_SESSION: bidding.do_notice,
    Kind.REJECT_SESSION: bidding.do_reject,
    Kind.OPEN_SESSION: bidding.do_open,
    Kind.BID: bidding.do_bid,
    Kind.CANCEL_BID: bidding.do_cancel_bid,
    Kind.CLOSE_SESSION: bidding.do_close,
    Kind.BLOCK_ACCOUNT: control.do_block_account,
    Kind.GUARD_HOLDING: control.do_guard_holding,
    Kind.LIMIT_HOLDING: control.do_limit_holding,
    Kind.WARN_ACCOUNT: control.do_warn_account,
    Kind.HALT_INSTRUMENT: control.do_halt_instrument,
    Kind.RESUME_INSTRUMENT: control.do_resume_instrument,
    Kind.HALT_MARKET: control.do_halt_market,
    Kind.RESUME_MARKET: control.do_resume_market,
    Kind.KILL: control.do_kill,
    Kind.VOID_TRADE: institutions.do_void_trade,
    Kind.FREEZE_HOLDING: institutions.do_freeze_holding,
    Kind.RELEASE_HOLDING: institutions.do_release_holding,
    Kind.DEDUCT_HOLDING: institutions.do_deduct_holding,
    Kind.MASS_CANCEL: safeguards.do_mass_cancel,
    Kind.SET_TIMER: safeguards.do_set_timer,
    Kind.SET_DISCONNECT: safeguards.do_set_disconnect,
}
REF_IS_ORDER = (Kind.TAKE, Kind.CANCEL, Kind.AMEND)


class Twin:
    """A second exchange. ``venue`` is all it remembers; look, do not write."""

    def __init__(self) -> None:
        self.venue = Venue()

    def apply(self, command: Command) -> list[EventDict]:
        """Do one command and return its events, each with every field of an event record."""
        venue = self.venue
        venue.events = []
        try:
            VERBS.get(command["kind"], do_unknown)(venue, command)
        except Refused as refusal:
            assert not venue.events, "a refused command has told something"
            self._refuse(command, refusal.reason)
        venue.seq, venue.time_ns = command["seq"], command["time_ns"]
        for event in venue.events:
            event["seq"], event["time_ns"] = venue.seq, venue.time_ns
            event["date"], event["phase"] = venue.date, venue.phase
        return venue.events

    def _refuse(self, command: Command, reason: Reason) -> None:
        self.venue.tell(
            Event.REFUSED,
            order_no=command["ref"] if command["kind"] in REF_IS_ORDER else 0,
            account=command["account"],
            instrument=command["instrument"],
            side=command["side"],
            price_ticks=command["price_ticks"],
            qty_tonnes=command["qty_tonnes"],
            leg=command["leg"],
            reason=reason,
        )

    def cash(self, account: int) -> tuple[int, int, int]:
        """Available, frozen and today's proceeds of an account, in fen."""
        row = self.venue.accounts[account]
        return row.cash_available, row.cash_frozen, row.proceeds_today

    def holding(self, account: int, instrument: int) -> Holding:
        """Tonnes of an instrument on the account's trading side."""
        return self.venue.accounts[account].holdings[instrument]

    def violations(self) -> list[str]:
        """Return what is unsound after the last command; an empty list when all is well (9A)."""
        return soundness.violations(self.venue)
