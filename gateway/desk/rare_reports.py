"""Reports about bulk, bidding, measures and movements: one event and one reader at a time.

They are rare, so they are made readably. What a reader may not know is left out here: what another
has frozen, the id of a request that somebody else sent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.reasons import EXPLANATIONS, Reason
from engine.records import Block, Event, Modality, Pricing
from gateway.desk.day_record import DayRecord, office
from gateway.desk.rule_changes import PARAMETER_NAMES
from gateway.keys import OFFICE_FIRST
from gateway.wire import messages as m
from gateway.wire import rare_messages as r

SIDES = ("", "buy", "sell")
MODALITIES = {0: "", Modality.LISTED: "listed", Modality.BULK: "bulk", Modality.AUCTION: "bidding"}
ACCOUNT, COUNTERPARTY, MAKER, CHECKER = range(4)  # views, see gateway.desk.day_record


class View(NamedTuple):
    """One event as one reader sees it."""

    record: DayRecord
    codes: Sequence[str]
    event: np.void
    view: int
    number: int
    repeated: bool

    def of(self, name: str) -> int:
        """Return a field of the event."""
        return int(self.event[name])

    @property
    def command(self) -> np.void:
        """The command that caused it."""
        found: np.void = self.record.commands.all[self.of("seq") - self.record.first_seq]
        return found

    @property
    def owner(self) -> int:
        """Whose stream it is in."""
        if self.view in (MAKER, CHECKER):
            return int(office(int(self.command["operator" if self.view == MAKER else "checker"])))
        return self.of("account" if self.view == ACCOUNT else "counterparty")

    @property
    def own(self) -> bool:
        """Whether the reader's own command caused it."""
        command = self.command
        operator = int(command["operator"])
        sender = int(office(operator)) if operator >= OFFICE_FIRST else int(command["account"])
        return sender == self.owner

    @property
    def request_id(self) -> str:
        """The id of the reader's own request, "" where somebody else's command caused it."""
        name: bytes = self.command["client_order_id"]
        return name.decode() if self.own else ""

    @property
    def instrument(self) -> str:
        """The instrument's code, "" where there is none."""
        row = self.of("instrument")
        return self.codes[row] if 0 <= row < len(self.codes) else ""

    @property
    def side(self) -> str:
        """The side that the event names."""
        return SIDES[self.of("side")]

    @property
    def why(self) -> tuple[str, str]:
        """Code and sentence of the event's reason, empty where it has none."""
        reason = Reason(self.of("reason"))
        return (reason.code, EXPLANATIONS[reason].sentence) if reason else ("", "")

    def head(self) -> dict[str, Any]:
        """What every numbered report of a rare kind begins with, and its last field."""
        return {
            "report_seq": self.number,
            "seq": self.of("seq"),
            "time_us": self.of("time_ns") // 1000,
            "client_order_id": self.request_id,
            "repeated": self.repeated,
        }

    def goods(self) -> dict[str, Any]:
        """Return instrument, side, price and quantity."""
        return {
            "instrument": self.instrument,
            "side": self.side,
            "price_ticks": self.of("price_ticks"),
            "qty_tonnes": self.of("qty_tonnes"),
        }


def _talk(kind: Any) -> Callable[[View], Any]:
    """Return the maker of BULK_OFFERED, _COUNTERED, _AGREED."""

    def make(v: View) -> Any:
        acted = v.view == ACCOUNT
        return kind(
            **v.head(),
            **v.goods(),
            order_no=v.of("order_no"),
            counterparty=v.of("counterparty" if acted else "account"),
            by_you=acted,
            frozen_fen=v.of("amount_fen") if acted else 0,
        )

    return make


def _declined(v: View) -> r.BulkDeclined:
    acted = v.view == ACCOUNT
    code, reason = v.why
    return r.BulkDeclined(
        **v.head(),
        order_no=v.of("order_no"),
        instrument=v.instrument,
        side=v.side,
        counterparty=v.of("counterparty" if acted else "account"),
        code=code,
        reason=reason,
        by_you=acted,
    )


def _session(kind: Any, **more: str) -> Callable[[View], Any]:
    """Return the maker of a session's report; ``more``: field of the report -> of the event."""

    def make(v: View) -> Any:
        code, reason = v.why
        opens, closes = v.of("from_minute"), v.of("until_minute")
        private = {} if v.view == ACCOUNT else dict.fromkeys(("frozen_fen", "released_fen"), 0)
        amounts = {name: private.get(name, v.of(field)) for name, field in more.items()}
        return kind(
            **v.head(),
            **v.goods(),
            session_no=v.of("order_no"),
            pricing=Pricing(v.of("mode")).name.lower(),
            opens=clock_time(opens) if closes else "",
            closes=clock_time(closes) if closes else "",
            code=code,
            reason=reason,
            **amounts,
        )

    return make


def clock_time(minute: int) -> str:
    """Return a minute of the day as HH:MM."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def block_words(bits: int) -> tuple[str, ...]:
    """Return the names of what is blocked."""
    return tuple((block.name or "").lower() for block in Block if bits & block)


def _measure(kind: Any, **more: str) -> Callable[[View], Any]:
    """Return the maker of a report about an account: fields of the report by those of the event."""

    def make(v: View) -> Any:
        named = {"instrument": v.instrument} if "instrument" in kind.__struct_fields__ else {}
        fields = {name: v.of(field) for name, field in more.items()}
        return kind(**v.head(), **named, **fields)

    return make


def _moved(kind: Any, direction: str, amount: str) -> Callable[[View], Any]:
    def make(v: View) -> Any:
        named = {"instrument": v.instrument} if kind is r.HoldingMoved else {}
        return kind(**v.head(), direction=direction, **named, **{amount: v.of(amount)})

    return make


def _blocked(v: View) -> r.AccountBlocked:
    bits = block_words(v.of("qty_tonnes"))
    return r.AccountBlocked(**v.head(), account=v.of("account"), blocks=bits)


def _voided(v: View) -> r.TradeVoided:
    buyer = v.view != COUNTERPARTY
    goods = {**v.goods(), "side": "buy" if buyer else "sell"}
    return r.TradeVoided(
        **v.head(),
        **goods,
        trade_no=v.of("trade_no"),
        order_no=v.of("order_no" if buyer else "other_order_no"),
        amount_fen=v.of("amount_fen"),
        modality=MODALITIES[v.of("modality")],
        fee_fen=v.of("fee_fen" if buyer else "other_fee_fen"),
    )


def _mass_cancelled(v: View) -> r.MassCancelled:
    code, reason = v.why
    return r.MassCancelled(
        **v.head(),
        cancelled=v.of("qty_tonnes"),
        instrument=v.instrument,
        side=v.side,
        code=code,
        reason=reason,
    )


def _parameter(v: View) -> r.ParameterChanged:
    return r.ParameterChanged(
        **v.head(),
        parameter=PARAMETER_NAMES[v.of("order_no")],
        value=v.of("qty_tonnes"),
        instrument=v.instrument,
    )


def _order_head(v: View, order_no: int, identity: str) -> dict[str, Any]:
    return {**v.head(), "client_order_id": identity, "order_no": order_no}


def _filled(v: View) -> m.Filled:
    """A bulk or bidding deal; a bidding applicant's order is named by its session."""
    taker = v.view == ACCOUNT
    prefix = "" if taker else "other_"
    order_no, side = v.of(f"{prefix}order_no"), v.of("side")
    if v.of("modality") == Modality.AUCTION and not taker:
        identity = v.record.session_identity(order_no)
    else:
        identity = v.record.order_identity(order_no)
    goods = {**v.goods(), "side": SIDES[side if taker else 3 - side]}
    return m.Filled(
        **_order_head(v, order_no, identity),
        **goods,
        trade_no=v.of("trade_no"),
        leaves_qty=v.of(f"{prefix}leaves_qty"),
        amount_fen=v.of("amount_fen"),
        fee_fen=v.of(f"{prefix}fee_fen"),
        taker=taker,
        modality=MODALITIES[v.of("modality")],
        request_id=v.request_id,
    )


def _accepted(v: View) -> m.Accepted:
    order_no = v.of("order_no")
    return m.Accepted(
        **_order_head(v, order_no, v.request_id),
        **v.goods(),
        leaves_qty=v.of("leaves_qty"),
        frozen_fen=v.of("amount_fen"),
    )


def _ended(kind: Any) -> Callable[[View], Any]:
    def make(v: View) -> Any:
        order_no = v.of("order_no")
        code, reason = v.why
        by_owner = kind is m.Cancelled and v.of("reason") == Reason.BY_OWNER
        asked = {"request_id": v.request_id} if by_owner else {}
        return kind(
            **_order_head(v, order_no, v.record.order_identity(order_no)),
            **v.goods(),
            released_fen=v.of("amount_fen"),
            code=code,
            reason=reason,
            **asked,
        )

    return make


_GOODS = {"account": "account", "qty_tonnes": "qty_tonnes"}
MAKERS: dict[int, Callable[[View], Any]] = {
    Event.ACCEPTED: _accepted,
    Event.TRADED: _filled,
    Event.CANCELLED: _ended(m.Cancelled),
    Event.LAPSED: _ended(m.Lapsed),
    Event.BULK_OFFERED: _talk(r.BulkOffered),
    Event.BULK_COUNTERED: _talk(r.BulkCountered),
    Event.BULK_AGREED: _talk(r.BulkAgreed),
    Event.BULK_DECLINED: _declined,
    Event.SESSION_APPLIED: _session(r.SessionApplied),
    Event.SESSION_NOTICED: _session(
        r.SessionNoticed, order_no="other_order_no", frozen_fen="amount_fen"
    ),
    Event.SESSION_OPENED: _session(r.SessionOpened),
    Event.SESSION_CLOSED: _session(
        r.SessionClosed, leaves_qty="leaves_qty", released_fen="amount_fen"
    ),
    Event.SESSION_REJECTED: _session(r.SessionRejected, released_fen="amount_fen"),
    Event.ACCOUNT_BLOCKED: _blocked,
    Event.HOLDING_GUARDED: _measure(r.HoldingGuarded, **_GOODS),
    Event.HOLDING_LIMITED: _measure(r.HoldingLimited, **_GOODS),
    Event.ACCOUNT_WARNED: _measure(r.AccountWarned, account="account", stage="qty_tonnes"),
    Event.INSTRUMENT_HALTED_NOW: _measure(r.Halted),
    Event.INSTRUMENT_RESUMED: _measure(r.Resumed),
    Event.MARKET_HALTED_NOW: _measure(r.Halted),
    Event.MARKET_RESUMED: _measure(r.Resumed),
    Event.MASS_CANCELLED: _mass_cancelled,
    Event.TIMER_SET: _measure(r.TimerSet, timeout_ms="amount_fen"),
    Event.KILLED_NOW: _measure(r.Killed, account="account", cancelled="qty_tonnes"),
    Event.TRADE_VOIDED: _voided,
    Event.HOLDING_FROZEN: _measure(r.HoldingFrozen, **_GOODS),
    Event.HOLDING_RELEASED: _measure(r.HoldingReleased, **_GOODS),
    Event.HOLDING_DEDUCTED: _measure(r.HoldingDeducted, **_GOODS),
    Event.CASH_MOVED_IN: _moved(r.CashMoved, "in", "amount_fen"),
    Event.CASH_MOVED_OUT: _moved(r.CashMoved, "out", "amount_fen"),
    Event.HOLDING_MOVED_IN: _moved(r.HoldingMoved, "in", "qty_tonnes"),
    Event.HOLDING_MOVED_OUT: _moved(r.HoldingMoved, "out", "qty_tonnes"),
    Event.INSTRUMENT_ADMITTED: _measure(r.InstrumentAdmitted, price_ticks="price_ticks"),
    Event.PARAMETER_CHANGED: _parameter,
}


def rare_reports(
    record: DayRecord,
    codes: Sequence[str],
    rows: np.ndarray,
    views: np.ndarray,
    numbers: np.ndarray,
    *,
    repeated: bool,
) -> list[Any]:
    """Return one report per row (EVENT, shape (n,)), its view and its number."""
    found = []
    for event, view, number in zip(rows, views.tolist(), numbers.tolist(), strict=True):
        made = View(record, codes, event, view, number, repeated)
        found.append(MAKERS[int(event["kind"])](made))
    return found
