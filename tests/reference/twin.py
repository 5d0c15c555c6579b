"""The twin's door: ``Twin().apply(command)`` returns the events of one command."""

from __future__ import annotations

from collections.abc import Callable

from tests.reference import administration, day, trading
from tests.reference.venue import Holding, Venue
from tests.reference.vocabulary import (
    Command,
    Event,
    EventDict,
    Kind,
    Reason,
    Refused,
    Side,
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
        return [*self._cash_violations(), *self._tonnes_violations(), *self._book_violations()]

    def _cash_violations(self) -> list[str]:
        venue, found = self.venue, []
        balances = 0
        frozen = {account.number: 0 for account in venue.accounts}
        for order in venue.resting.values():
            frozen[order.account.number] += order.frozen
        for account in venue.accounts:
            balances += account.cash_available + account.cash_frozen
            if account.cash_available < 0 or account.proceeds_today < 0:
                found.append(f"I2: account {account.number} has negative cash")
            if account.cash_frozen != frozen[account.number]:
                found.append(f"I2: cash frozen of account {account.number} is not its orders'")
        if balances + venue.fees != venue.cash_in:
            found.append(f"I3: {balances} + {venue.fees} fen of fees is not {venue.cash_in}")
        return found

    def _tonnes_violations(self) -> list[str]:
        venue, found = self.venue, []
        open_sales: dict[tuple[int, int], int] = {}
        for order in venue.resting.values():
            if order.side is Side.SELL:
                key = (order.account.number, order.instrument.number)
                open_sales[key] = open_sales.get(key, 0) + order.leaves
        held = [0] * len(venue.instruments)
        for account in venue.accounts:
            for number, row in account.holdings.items():
                held[number] += row.total
                if min(row.available, row.frozen, row.bought_today, row.sold_today) < 0:
                    found.append(f"I2: account {account.number} has negative tonnes")
                if row.frozen != open_sales.get((account.number, number), 0):
                    found.append(f"I2: frozen tonnes of {account.number} are not its orders'")
        return found + [
            f"I1: tonnes of instrument {instrument.number} are not conserved"
            for instrument in venue.instruments
            if held[instrument.number] != instrument.tonnes_in
        ]

    def _book_violations(self) -> list[str]:
        found = []
        for order in self.venue.resting.values():
            instrument = order.instrument
            if not instrument.lower_limit <= order.price <= instrument.upper_limit:
                found.append(f"I5: order {order.number} rests outside the price limits")
            if order.leaves < 1 or order.leaves > order.qty:
                found.append(f"order {order.number} rests with {order.leaves} tonnes")
        return found + [
            f"I8: instrument {instrument.number} opened outside its extremes"
            for instrument in self.venue.instruments
            if instrument.last and not instrument.low <= instrument.open <= instrument.high
        ]
