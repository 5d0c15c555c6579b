"""What a command of plain Python leads to: a refusal, or events in order."""

from __future__ import annotations

import numpy as np

from engine.reasons import Reason
from engine.records import EVENT, Event
from engine.state import Array, State

_BYTES = np.dtype((np.void, EVENT.itemsize))


class Outcome:
    """Collects the events of one command. General fields are filled in at the end (phase, date)."""

    def __init__(self, state: State, command: Array) -> None:
        self._state = state
        self._command = command
        self._parts: list[Array] = []

    def add(self, kind: Event, **fields: int) -> None:
        """Append one event; fields as in docs/reference/engine.md."""
        row = blank_events(1)
        row["kind"] = kind
        for name, value in fields.items():
            row[name] = value
        self._parts.append(row)

    def add_rows(self, rows: Array) -> None:
        """Append prepared events (shape (N,), dtype EVENT, kind and particular fields set)."""
        self._parts.append(rows)

    def refuse(self, reason: Reason) -> None:
        """The command is refused and must have changed nothing."""
        assert not self._parts, "a refusal stands alone"
        c = self._command
        self.add(
            Event.REFUSED,
            reason=int(reason),
            account=int(c["account"]),
            instrument=int(c["instrument"]),
            side=int(c["side"]),
            price_ticks=int(c["price_ticks"]),
            qty_tonnes=int(c["qty_tonnes"]),
            leg=int(c["leg"]),
        )

    def rows(self) -> Array:
        """Return all events with seq, time, index, date and phase as they are after the command."""
        if not self._parts:
            return blank_events(0)
        several = len(self._parts) > 1  # joining structured arrays is slow: most have one part
        rows = np.concatenate(self._parts) if several else as_bytes(self._parts[0]).copy()
        rows = rows.view(EVENT)
        market = self._state.market[0]
        rows["seq"] = self._command["seq"]
        rows["time_ns"] = self._command["time_ns"]
        rows["index"] = np.arange(len(rows))
        rows["date"] = market["date"]
        rows["phase"] = market["phase"]
        return rows


def as_bytes(rows: Array) -> Array:
    """Return events as rows of bytes: NumPy would copy structured rows field by field."""
    return rows.view(_BYTES)


def blank_events(count: int) -> Array:
    """Return ``count`` events that name nobody."""
    rows = np.zeros(count, EVENT)
    rows["account"] = -1
    rows["counterparty"] = -1
    rows["instrument"] = -1
    return rows
