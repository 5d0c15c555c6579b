"""The trading floor of a live season: the venue's market as its people see it.

The floor keeps a picture in the engine's own tables (limits, best prices, holdings), so that the
kernels that decide offline decide here; the picture is filled from public quotes and from the
accounts' own snapshots, and nothing is ever applied to it. Commands go out over the wire, one after
the other, and reports come back as events.
"""

from __future__ import annotations

import datetime as dt
import time

import numpy as np

from engine.calendar import number_of
from engine.exchange import Exchange
from engine.records import EVENT, Event, Kind, Modality, Side
from engine.rulebook import Rules
from engine.units import price_limits
from sim.live.port import DAY, Venue
from sim.scenario.model import Scenario
from sim.season.floor import AFTERNOON_MINUTE, HALF_DAY_SLOTS, MINUTE_NS, MORNING_MINUTE, Floor
from sim.season.streams import Array

BEIJING_NS = 8 * 60 * MINUTE_NS
DAY_NS = 24 * 60 * MINUTE_NS
LOOK_S = 0.01  # between two looks at the venue's clock
SLOT_NS = 10 * MINUTE_NS
STATES = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes")
OWN = ("account", "order_no", "leaves_qty", "fee_fen")
OTHER = ("counterparty", "other_order_no", "other_leaves_qty", "other_fee_fen")
SEEN = ("reference_ticks", "lower_limit_ticks", "upper_limit_ticks", "last_ticks")


class LiveFloor(Floor):
    """The floor of ``count`` entities on a venue. Tables bear the season's dates, whatever
    the venue's are: its days are the season's, one after the other.
    """

    def __init__(self, scenario: Scenario, count: int, venue: Venue) -> None:
        super().__init__(scenario, 0, 0)
        self.exchange = Exchange(count + 1, 8)  # tables only: nothing is ever applied
        self.venue = venue
        self.count = count
        self.is_open = False
        self.moved_t = np.zeros((count, 8), np.int64)  # given less taken back
        self._date = dt.date.min  # the venue's
        self._shift_days = 0
        self._offers: dict[int, int] = {}  # who made them, by number
        self._brought: dict[str, Array] = {}  # tonnes by code, to be given on the first day

    def carry_over(self, old: Floor) -> None:
        """Let everybody begin with what it had at the end of another floor's last day."""
        held = old.holdings_t()[: self.count].copy()
        if old._owed_back is not None:
            held -= old._owed_back[: self.count]
        self._brought = {code: held[:, column] for column, code in enumerate(old.codes)}

    # the day

    def begin(self, date: dt.date) -> Rules:
        """Wait for the venue's next day; return its rules."""
        self._set_day(date)
        if self._date == dt.date.min:
            now_ns, phase = self.venue.moment()
            whole = phase in ("new", "pre_open")  # a day that is running already is left alone
            self._date = beijing_date(now_ns) - dt.timedelta(days=int(whole))
        while True:
            now_ns, phase = self.venue.moment()
            if beijing_date(now_ns) > self._date and phase in DAY[:2]:
                break
            time.sleep(LOOK_S)
        self._date = beijing_date(now_ns)
        self._shift_days = (date - self._date).days
        codes = self.venue.codes()
        if codes[: len(self.codes)] != self.codes:
            raise PermissionError(f"the venue's instruments have changed from {self.codes}")
        self.codes[:] = codes
        rules = self.rules_on(self._date)
        self._look()
        self._set_bulk_limits(rules)
        self._note_limits()
        self._refresh(range(self.count))
        self._bring()
        self._return()
        return rules

    def _bring(self) -> None:
        missing = sorted(
            code
            for code, tonnes in self._brought.items()
            if tonnes.any() and code not in self.codes
        )
        if missing:
            raise PermissionError(f"the venue has not listed {', '.join(missing)}")
        for code, tonnes in self._brought.items():
            if tonnes.any():
                self.give(code, tonnes)
        self._brought = {}

    def open_slot(self, slot: int) -> None:
        """Wait for the middle of a ten-minute slot; ``is_open`` says whether it can be traded in.

        It cannot if it is over already: whoever is too slow for the venue's clock misses it.
        """
        half, place = divmod(slot, HALF_DAY_SLOTS)
        minute = (AFTERNOON_MINUTE if half else MORNING_MINUTE) + 10 * place
        self._time_ns = self._midnight_ns + (minute + 5) * MINUTE_NS
        begins_ns = midnight_ns(self._date) + minute * MINUTE_NS
        self.is_open = False
        while True:
            now_ns, phase = self.venue.moment()
            if now_ns >= begins_ns + SLOT_NS:
                return
            if now_ns >= begins_ns + SLOT_NS // 2 and phase == ("afternoon" if half else "morning"):
                break
            time.sleep(LOOK_S)
        self.is_open = True
        self._look()

    def end(self) -> Array:
        """Wait for the close; take in what lapsed, the closing prices and the composite."""
        self.is_open = False
        while True:
            now_ns, phase = self.venue.moment()
            if beijing_date(now_ns) > self._date or phase not in DAY:
                break
            time.sleep(LOOK_S)
        date = number_of(self._date)
        composite = self.venue.composite_ticks(date)
        self.heard()
        state = self.exchange.state
        state.market[0]["composite_close_ticks"] = composite
        prices = [quote["close_ticks"] for quote in self.venue.quotes(date)]
        known = state.instruments[: len(self.codes)]
        known["close_ticks"] = np.where(prices, prices, known["reference_ticks"])
        self._time_ns = self._midnight_ns + 15 * 60 * MINUTE_NS
        closed = [self._noted(Event.COMPOSITE_SET, -1, composite)]
        closed += [
            self._noted(Event.CLOSE_SET, column, int(row["close_ticks"]))
            for column, row in enumerate(known)
        ]
        self.log.append(np.concatenate(closed))
        return self.log[-1]

    # orders

    def send(self, batch: Array) -> Array:
        """Send commands one after the other, each from its entity's line; return what it was told.

        What the other sides were told comes with ``heard``.
        """
        told = []
        for command in batch:
            events = self._take_in(self.venue.send(command))
            told.append(events)
            self.commands += 1
            rows = {int(command["account"])}
            if command["kind"] == Kind.BULK_OFFER:
                self._offers[int(events[0]["order_no"])] = int(command["account"])
            elif command["kind"] == Kind.BULK_ACCEPT:
                rows.add(self._offers.get(int(command["ref"]), int(command["account"])))
            self._refresh(sorted(rows))
        return np.concatenate(told) if told else np.empty(0, EVENT)

    def heard(self) -> Array:
        """Return what everybody was told that they had not asked for: deals with listings, ends."""
        events = self._take_in(self.venue.heard())
        rows = {int(row) for name in ("account", "counterparty") for row in events[name]}
        self._refresh(sorted(row for row in rows if 0 <= row < self.count))
        return events

    def _take_in(self, events: Array) -> Array:
        """Keep events, with the season's dates."""
        events["time_ns"] += self._shift_days * DAY_NS
        events["date"] = number_of(self._date + dt.timedelta(days=self._shift_days))
        self.log.append(events)
        listed = (events["kind"] == Event.TRADED) & (events["modality"] == Modality.LISTED)
        for event in events[listed]:  # who dealt knows the latest price before the feed says it
            row = self.exchange.state.instruments[event["instrument"]]
            row["last_ticks"] = event["price_ticks"]
        return events

    # allowances

    def give(self, code: str, tonnes: Array) -> None:
        """Have allowances issued and moved to the trading side, shape (entities,)."""
        column = self.codes.index(code)
        self.venue.give(column, tonnes[: self.count])
        self.moved_t[:, column] += tonnes[: self.count]
        self._refresh(range(self.count))

    def take_now(self, tonnes: Array) -> None:
        """Move allowances back to the registry side, shape (entities, instruments)."""
        for column in np.flatnonzero(tonnes.any(axis=0)):
            self.venue.take(int(column), tonnes[:, column])
            self.moved_t[:, column] -= tonnes[:, column]
        self._refresh(range(self.count))

    def _return(self) -> None:
        owed, self._owed_back = self._owed_back, None
        if owed is not None:
            self.take_now(owed)

    # the picture

    def _look(self) -> None:
        """Take over the public figures and the best prices."""
        state = self.exchange.state
        for column, quote in enumerate(self.venue.quotes(number_of(self._date))):
            row = state.instruments[column]
            for name in SEEN:
                row[name] = quote[name]
            row["close_ticks"] = row["close_ticks"] or quote["reference_ticks"]
            bid, ask = quote["bid_ticks"], quote["ask_ticks"]
            for side, rank in (
                (Side.BUY, quote["upper_limit_ticks"] - bid if bid else state.width),
                (Side.SELL, ask - quote["lower_limit_ticks"] if ask else state.width),
            ):
                state.books[2 * column + side - 1]["best_rank"] = rank

    def _set_bulk_limits(self, rules: Rules) -> None:
        """Bulk limits are not quoted; they follow from the reference (TR-21)."""
        for row in self.exchange.state.instruments[: len(self.codes)]:
            limits = price_limits(int(row["reference_ticks"]), rules.bulk_band_bp)
            row["bulk_lower_limit_ticks"], row["bulk_upper_limit_ticks"] = limits

    def _refresh(self, rows: range | list[int]) -> None:
        """Take over what accounts have, by their own snapshots."""
        if not rows:
            return
        _, tonnes = self.venue.standings([*rows])
        holdings = self.exchange.state.holdings
        for place, name in enumerate(STATES):
            holdings[name][[*rows], : tonnes.shape[1]] = tonnes[:, :, place]

    def _note_limits(self) -> None:
        rows = self.exchange.state.instruments[: len(self.codes)]
        kinds = (
            (Event.UPPER_LIMIT_SET, "upper_limit_ticks"),
            (Event.LOWER_LIMIT_SET, "lower_limit_ticks"),
        )
        noted = [
            self._noted(kind, column, int(row[name]))
            for column, row in enumerate(rows)
            for kind, name in kinds
        ]
        self.log.append(np.concatenate(noted))

    def _noted(self, kind: Event, instrument: int, ticks: int) -> Array:
        """Return an event of the market itself, shape (1,)."""
        event = np.zeros(1, EVENT)
        event["kind"], event["instrument"], event["price_ticks"] = kind, instrument, ticks
        event["account"] = event["counterparty"] = -1
        event["time_ns"] = self._time_ns
        event["date"] = number_of(self._date + dt.timedelta(days=self._shift_days))
        return event

    def events(self) -> Array:
        """Return the whole log, the two views of each deal as one."""
        return whole_deals(super().events(), self.count)


def whole_deals(events: Array, nobody: int) -> Array:
    """Return events with both views of a deal (same ``trade_no``) as one; order is kept."""
    merged = events.copy()
    keep = np.ones(len(events), bool)
    first: dict[int, int] = {}
    for place in np.flatnonzero(events["kind"] == Event.TRADED):
        known = first.setdefault(int(events[place]["trade_no"]), int(place))
        if known == place:
            continue
        one, other = merged[known], events[place]
        targets = OTHER if one["account"] != nobody else OWN
        sources = OWN if other["account"] != nobody else OTHER
        for target, source in zip(targets, sources, strict=True):
            one[target] = other[source]
        keep[place] = False
    return np.asarray(merged[keep])


def beijing_date(time_ns: int) -> dt.date:
    """Return the date in Beijing of nanoseconds since 1970 (UTC)."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=(time_ns + BEIJING_NS) // DAY_NS)


def midnight_ns(date: dt.date) -> int:
    """Return nanoseconds since 1970 (UTC) of midnight in Beijing."""
    return (date - dt.date(1970, 1, 1)).days * DAY_NS - BEIJING_NS
