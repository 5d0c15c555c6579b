"""What the supervisor sees of a day: NOT public, this names accounts (TR-112, TR-120, TR-144).

Built from the same events as the public feed, but from all of their columns. The exchange reports
to the authority: attempts to deal with oneself, accounts that mostly cancel, closes at a price
limit and how many days running, large swings, large holders, voided deals, and every measure taken
(halts, kills, restrictions, warnings). What counts as heavy or large is the exchange's choice, see
``Thresholds``; nothing here decides anything.
"""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from engine.reasons import Reason
from engine.records import Event, Modality, Phase
from marketdata.figures import change_bp
from marketdata.stretch import LONG, chosen_of, parts
from marketdata.surveillance_report import (
    Cancelling,
    LargeHolder,
    LimitDay,
    Measure,
    SelfDealing,
    SurveillanceReport,
    Swing,
    VoidedTrade,
)


class Thresholds(msgspec.Struct, frozen=True):
    """From when on an account or a price is worth a line."""

    cancelled_percent_min: int = 80  # of an account's listings, by the account itself
    cancelled_orders_min: int = 20  # and at least so many
    swing_bp_min: int = 500  # close against reference, or high against low


MEASURES = frozenset(
    int(kind)
    for kind in (
        *(Event.ACCOUNT_BLOCKED, Event.HOLDING_GUARDED, Event.HOLDING_LIMITED),
        *(Event.ACCOUNT_WARNED, Event.INSTRUMENT_HALTED_NOW, Event.INSTRUMENT_RESUMED),
        *(Event.MARKET_HALTED_NOW, Event.MARKET_RESUMED, Event.KILLED_NOW),
        *(Event.HOLDING_FROZEN, Event.HOLDING_RELEASED, Event.HOLDING_DEDUCTED),
    )
)
PRICES = frozenset(
    int(kind)
    for kind in (
        *(Event.REFERENCE_SET, Event.UPPER_LIMIT_SET, Event.LOWER_LIMIT_SET, Event.CLOSE_SET),
        Event.TRADE_VOIDED,
    )
)
SINGLE = PRICES | MEASURES | {int(Event.LARGE_HOLDER), int(Event.PHASE_CHANGED)}

# Plain ints: comparing with an IntEnum member costs a lookup per event.
_ACCEPTED, _TRADED = int(Event.ACCEPTED), int(Event.TRADED)
_REFUSED_OR_CANCELLED = frozenset((int(Event.REFUSED), int(Event.CANCELLED)))
_REFUSED_OR_CANCELLED_KINDS = np.isin(np.arange(256), tuple(_REFUSED_OR_CANCELLED))
_MANY = ~np.isin(np.arange(256), tuple(SINGLE))  # what is counted or nobody's business here
_SELF_TRADE, _BY_OWNER = int(Reason.SELF_TRADE), int(Reason.BY_OWNER)
_LISTED = int(Modality.LISTED)
_COLUMNS = (
    *("kind", "reason", "modality", "leaves_qty"),
    *("account", "instrument", "price_ticks", "trade_no"),
)


class _Line:
    """Prices of one instrument today, and how long it has closed at a limit."""

    def __init__(self) -> None:
        self.reference = self.upper = self.lower = self.close = 0
        self.deals: dict[int, int] = {}  # listed trades that stand: number -> ticks
        self.before = ("", 0)  # limit at which it closed the day before, days running

    def at_limit(self) -> tuple[str, int]:
        """Return (limit, days running), ("", 0) if the close is at none or nothing traded."""
        limit = {self.upper: "upper", self.lower: "lower"}.get(self.close, "")
        if not limit or not self.deals:
            return "", 0
        return limit, self.before[1] + 1 if self.before[0] == limit else 1

    def begin_day(self) -> None:
        """Remember yesterday's limit."""
        self.before = self.at_limit()
        self.deals, self.close = {}, 0


class Surveillance:
    """Absorbs every batch of events, all columns, and reports per day.

    Args:
        codes: instruments by row, shared with the feed: it grows as instruments are admitted.
    """

    def __init__(self, codes: list[str], thresholds: Thresholds | None = None) -> None:
        self.codes = codes
        self.thresholds = thresholds or Thresholds()
        self.date = 0
        self._reports: dict[int, SurveillanceReport] = {}  # of earlier days
        self._lines: list[_Line] = []
        self._begin()

    def _begin(self) -> None:
        self._closed = False
        self._accepted: Counter[int] = Counter()
        self._cancelled: Counter[int] = Counter()
        self._self_dealing: Counter[int] = Counter()
        self._holders: list[LargeHolder] = []
        self._voided: list[VoidedTrade] = []
        self._measures: list[Measure] = []

    def absorb(self, events: np.ndarray) -> None:
        """Take in events, shape (n,), dtype EVENT, in the order the engine made them."""
        if len(events) < LONG:
            self._absorb(events)
            return
        for part, is_plain in parts(events, _MANY[events["kind"]]):
            (self._count if is_plain else self._absorb)(part)

    def _count(self, events: np.ndarray) -> None:
        """Take in by columns what is only counted: what ``_absorb`` does."""
        kinds, reasons, accounts = (events[name] for name in ("kind", "reason", "account"))
        listed = events["modality"] == _LISTED
        ended = _REFUSED_OR_CANCELLED_KINDS[kinds]
        rests = listed & (kinds == _ACCEPTED) & (events["leaves_qty"] > 0)
        for counter, chosen in (
            (self._self_dealing, ended & (reasons == _SELF_TRADE)),
            (self._cancelled, ended & listed & (reasons == _BY_OWNER)),
            (self._accepted, rests),
        ):
            found, counts = np.unique(accounts[chosen], return_counts=True)
            for account, number in zip(found.tolist(), counts.tolist(), strict=True):
                counter[account] += number
        deals = chosen_of(events, listed & (kinds == _TRADED))
        for row in np.unique(deals["instrument"]).tolist():
            mine = deals["instrument"] == row
            numbers, prices = (deals[name][mine].tolist() for name in ("trade_no", "price_ticks"))
            self._line(row).deals.update(zip(numbers, prices, strict=True))

    def _absorb(self, events: np.ndarray) -> None:
        columns = [events[name].tolist() for name in _COLUMNS]
        for at, kind, reason, modality, leaves, account, instrument, price, trade_no in zip(
            range(len(events)), *columns, strict=True
        ):
            if kind in _REFUSED_OR_CANCELLED:
                if reason == _SELF_TRADE:
                    self._self_dealing[account] += 1
                elif reason == _BY_OWNER and modality == _LISTED:
                    self._cancelled[account] += 1
            elif modality == _LISTED and kind == _ACCEPTED:
                if leaves:
                    self._accepted[account] += 1
            elif modality == _LISTED and kind == _TRADED:
                self._line(instrument).deals[trade_no] = price
            elif kind in SINGLE:
                self._single(kind, events[at])

    def _line(self, instrument: int) -> _Line:
        while len(self._lines) <= instrument:
            self._lines.append(_Line())
        return self._lines[instrument]

    def _next_day(self, date: int) -> None:
        if self.date:
            self._reports[self.date] = self._report()
        for line in self._lines:
            line.begin_day()
        self.date = date
        self._begin()

    def _single(self, kind: int, event: np.void) -> None:
        if kind in PRICES:
            self._price(kind, event)
        elif kind in MEASURES:
            self._measures.append(self._measure(event))
        elif kind == Event.LARGE_HOLDER:
            self._holders.append(LargeHolder(int(event["account"]), int(event["qty_tonnes"])))
        elif event["phase"] == Phase.PRE_OPEN:
            self._next_day(int(event["date"]))
        elif event["phase"] == Phase.CLOSED:
            self._closed = True

    def _price(self, kind: int, event: np.void) -> None:
        line, price = self._line(int(event["instrument"])), int(event["price_ticks"])
        if kind == Event.REFERENCE_SET:
            line.reference = price
        elif kind == Event.UPPER_LIMIT_SET:
            line.upper = price
        elif kind == Event.LOWER_LIMIT_SET:
            line.lower = price
        elif kind == Event.CLOSE_SET:
            line.close = price
        else:
            line.deals.pop(int(event["trade_no"]), None)
            self._voided.append(self._void(event))

    def _void(self, event: np.void) -> VoidedTrade:
        return VoidedTrade(
            int(event["trade_no"]),
            self._code(event),
            int(event["account"]),
            int(event["counterparty"]),
            int(event["price_ticks"]),
            int(event["qty_tonnes"]),
            int(event["modality"]),
        )

    def _measure(self, event: np.void) -> Measure:
        return Measure(
            int(event["seq"]),
            int(event["time_ns"]) // 1000,
            Event(int(event["kind"])).name.lower(),
            int(event["account"]),
            self._code(event),
            int(event["qty_tonnes"]),
        )

    def _code(self, event: np.void) -> str:
        row = int(event["instrument"])
        return self.codes[row] if row >= 0 else ""

    def report(self, date: int) -> SurveillanceReport | None:
        """Return the report of a day (YYYYMMDD), of the running one as it stands; None if none."""
        return self._report() if date == self.date else self._reports.get(date)

    @property
    def dates(self) -> list[int]:
        """Days there is a report of, oldest first."""
        return [*self._reports, self.date] if self.date else []

    def _report(self) -> SurveillanceReport:
        return SurveillanceReport(
            date=self.date,
            closed=self._closed,
            self_dealing=tuple(
                SelfDealing(account, count) for account, count in _largest(self._self_dealing)
            ),
            cancelling=self._cancelling(),
            limit_days=self._limit_days(),
            swings=self._swings(),
            large_holders=tuple(self._holders),
            voided_trades=tuple(self._voided),
            measures=tuple(self._measures),
        )

    def _cancelling(self) -> tuple[Cancelling, ...]:
        least = self.thresholds
        return tuple(
            Cancelling(account, self._accepted[account], count)
            for account, count in _largest(self._cancelled)
            if count >= least.cancelled_orders_min
            and count * 100 >= least.cancelled_percent_min * self._accepted[account]
        )

    def _limit_days(self) -> tuple[LimitDay, ...]:
        found = []
        for code, line in zip(self.codes, self._lines, strict=False):
            limit, days = line.at_limit()
            if limit:
                found.append(LimitDay(code, limit, line.close, days))
        return tuple(found)

    def _swings(self) -> tuple[Swing, ...]:
        found = []
        for code, line in zip(self.codes, self._lines, strict=False):
            prices = list(line.deals.values())
            if not prices:
                continue
            change = change_bp(line.close or prices[-1], line.reference)
            spread = change_bp(max(prices), min(prices))
            if max(abs(change), spread) >= self.thresholds.swing_bp_min:
                found.append(Swing(code, change, spread))
        return tuple(found)


def _largest(counter: Counter[int]) -> list[tuple[int, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))
