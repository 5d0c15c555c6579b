"""The effective-dated rulebook: which rules are in force on a day, and by which clause.

``Rulebook.on(date)`` gives every parameter of that day as one frozen record. The exchange itself
never reads it: the venue compares it with ``state.rules`` and sends the differences as commands
(``parameter_commands``, ``admission_commands``), so the journal holds every rule ever in force.
A what-if is ``dataclasses.replace(Rulebook.on(date), listed_band_bp=2_000)``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from engine.records import COMMAND, RULES, Kind, Mode, Parameter, commands
from engine.rulebook_data import ENTRIES, LAUNCH_DAY, Entry, Vintage, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Every parameter in force on ``date``; units end the names, 0 / 1 are no / yes.

    Minutes count from midnight, Beijing wall time. Where a limit is 0 it is off (TR-111, TR-112).
    ``composite_weights`` has one share per vintage, in the order of ``vintages``.
    """

    date: dt.date
    # section 0.4
    vintages: tuple[Vintage, ...]
    composite_weights: tuple[int, ...]
    modalities: tuple[str, ...]
    penalty_regime: str
    sectors: tuple[str, ...]
    # product, quotation
    participants: tuple[str, ...]
    tick_fen: int
    qty_step_tonnes: int
    listed_qty_min: int
    listed_qty_max: int
    bulk_qty_min: int
    auction_qty_min: int
    auction_bid_qty_min: int
    # price bands; auction_floor_bp: what the seller may choose, relative to the reference
    listed_band_bp: int
    bulk_band_bp: int
    auction_floor_bp: tuple[int, ...]
    auction_band_bp: int
    # sessions
    utc_offset_minutes: int
    day_begins_minute: int
    listed_windows: tuple[Window, ...]
    bulk_windows: tuple[Window, ...]
    auction_windows: tuple[Window, ...]
    pre_open_entry: int
    lunch_entry: int
    lunch_cancel: int
    # orders
    open_orders_max: int
    amend_allowed: int
    goods_t_plus: int
    cash_t_plus: int
    cash_withdrawal_t_plus: int
    self_trade_allowed: int
    record_years_min: int
    # the three modalities
    take_levels_max: int
    allow_crossed_listings: int
    quotes_anonymous: int
    bulk_visibilities: tuple[str, ...]
    auction_buyer_initiated: int
    auction_pricing_modes: tuple[str, ...]
    auction_sealed: int
    # risk control
    holding_max_tonnes: int
    large_holder_tonnes: int
    account_sell_max_tonnes: int
    circuit_breaker_bp: int
    # fees
    listed_trading_fee_ppm: int
    listed_settlement_fee_ppm: int
    bulk_trading_fee_ppm: int
    bulk_settlement_fee_ppm: int
    auction_trading_fee_ppm: int
    auction_settlement_fee_ppm: int
    # the first day of an instrument
    free_first_day: int
    first_day_upper_ticks: int
    # information, evening, windows of the registry
    quote_levels_max: int
    bulletin_minute: int
    positions_due_minute: int
    deal_file_minute: int
    transfer_window: Window
    cash_in_window: Window
    cash_out_window: Window

    entries: tuple[Entry, ...] = field(repr=False, compare=False, default=())

    @property
    def bulk_enabled(self) -> int:
        """1 if bulk agreement is among the modalities."""
        return int("bulk" in self.modalities)

    @property
    def auction_enabled(self) -> int:
        """1 if one-way bidding is among the modalities."""
        return int("auction" in self.modalities)

    def clauses(self, name: str) -> tuple[str, ...]:
        """Return the clauses behind parameter ``name`` on this day, e.g. ``("TR-20", ...)``.

        Raises:
            KeyError: there is no such parameter.
        """
        return self.entry(name).clauses

    def entry(self, name: str) -> Entry:
        """Return the entry in force: value, since when, clauses, certainty. KeyError as above."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(f"the rulebook has no parameter {name!r}")


PARAMETERS: tuple[str, ...] = tuple(
    item.name for item in fields(Rules) if item.name not in {"date", "entries"}
)


class Rulebook:
    """The national rulebook over time. A namespace: there is one, and it never changes."""

    @staticmethod
    def on(date: dt.date) -> Rules:
        """Return the rules in force on ``date``, a trading day or not.

        Raises:
            ValueError: ``date`` lies before the launch on 2021-07-16.
        """
        if date < LAUNCH_DAY:
            raise ValueError(f"no rules on {date}: the market opened on {LAUNCH_DAY}")
        latest: dict[str, Entry] = {}
        for entry in sorted(ENTRIES, key=lambda each: each.since):
            if entry.since <= date:
                latest[entry.name] = entry
        values: dict[str, Any] = {name: entry.value for name, entry in latest.items()}
        return Rules(date=date, entries=tuple(latest.values()), **values)

    @staticmethod
    def history(name: str) -> tuple[Entry, ...]:
        """Return every entry of parameter ``name``, oldest first.

        Raises:
            KeyError: there is no such parameter.
        """
        found = sorted((each for each in ENTRIES if each.name == name), key=lambda each: each.since)
        if not found:
            raise KeyError(f"the rulebook has no parameter {name!r}")
        return tuple(found)


def parameter_commands(
    rules: Rules, state_rules: np.ndarray | np.void, instruments: np.ndarray
) -> np.ndarray:
    """Return the SET_PARAMETER commands that bring an exchange to ``rules``.

    Args:
        rules: what should be in force.
        state_rules: what is: ``state.rules`` (shape (1,)) or its row, dtype RULES.
        instruments: ``state.instruments``, dtype INSTRUMENT; rows without a code are ignored.
            Vintages the rulebook does not name (a what-if instrument) keep their weight.

    Returns:
        shape (n,), dtype COMMAND, only differences, ``seq`` and ``time_ns`` 0. Admit new vintages
        first: a weight needs its instrument.
    """
    now = state_rules[0] if isinstance(state_rules, np.ndarray) else state_rules
    changes: list[tuple[int, int, int]] = []
    for number, name in enumerate(RULES.names or (), start=1):
        value = int(getattr(rules, name))
        if int(now[name]) != value:
            changes.append((int(Parameter(number)), value, -1))
    weights = {
        vintage.code.encode(): share
        for vintage, share in zip(rules.vintages, rules.composite_weights, strict=True)
    }
    for row, instrument in enumerate(instruments):
        weight = weights.get(bytes(instrument["code"]))
        if weight is not None and int(instrument["weight"]) != weight:
            changes.append((int(Parameter.COMPOSITE_WEIGHT), weight, row))
    batch = commands(len(changes))
    for command, (parameter, value, row) in zip(batch, changes, strict=True):
        command["kind"] = Kind.SET_PARAMETER
        command["ref"] = parameter
        command["amount"] = value
        command["instrument"] = row
    return batch


def admissions(rules: Rules, codes_already: Iterable[str]) -> list[tuple[str, int]]:
    """Return (code, reference_ticks) of the vintages still to be admitted under ``rules``.

    The reference is 4800 for the launch vintage and 0 for all others: 0 lets the exchange take its
    own composite close (TR-24). An exchange that starts later than the launch has none yet; its
    venue passes references of its own (``Vintage.first_reference_ticks`` or today's).
    """
    known = set(codes_already)
    return [
        (vintage.code, vintage.first_reference_ticks if vintage.first_day == LAUNCH_DAY else 0)
        for vintage in rules.vintages
        if vintage.code not in known
    ]


def admission_commands(
    pairs: Iterable[tuple[str, int]], instruments_in_use: int, mode: Mode = Mode.LISTED
) -> np.ndarray:
    """Return ADMIT_INSTRUMENT commands for (code, reference_ticks) pairs, taking the next rows.

    Shape (n,), dtype COMMAND, ``seq`` and ``time_ns`` 0.
    """
    wanted = list(pairs)
    batch = np.zeros(0, COMMAND) if not wanted else commands(len(wanted))
    for row, (code, reference_ticks) in enumerate(wanted):
        batch[row]["kind"] = Kind.ADMIT_INSTRUMENT
        batch[row]["instrument"] = instruments_in_use + row
        batch[row]["price_ticks"] = reference_ticks
        batch[row]["mode"] = mode
        batch[row]["client_order_id"] = code.encode("ascii")
    return batch
