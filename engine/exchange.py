"""The exchange: one function over the state. ``Exchange().apply(commands) -> events``.

Orders run through the compiled kernel in batches; the day cycle, accounts and parameters through
plain Python (engine/day.py, engine/accounts.py) over the same arrays. Everything that changes the
state is a command, so the same commands give the same events and the same digest anywhere.
"""

from __future__ import annotations

import numpy as np

from engine.funding import FUNDING, fund
from engine.handlers import COLD_HANDLERS
from engine.kernel import (
    COLD_COMMAND,
    DONE,
    NEED_ROOM,
    ROOM_PER_COMMAND,
    SEQ_AFTER,
    SEQ_GAP,
    TIME_FELL,
    run,
)
from engine.outcome import Outcome, as_bytes
from engine.reasons import Reason
from engine.records import COMMAND, EVENT, Kind, commands
from engine.state import Array, State
from engine.verbs import warm_up_verbs

RUN_FROM = 16  # commands from which looking for a run of instructions pays


class Exchange:
    """The venue's memory and the one way to change it."""

    def __init__(self, accounts_max: int = 64, instruments_max: int = 8) -> None:
        self.state = State(accounts_max, instruments_max)

    @property
    def seq(self) -> int:
        """Number of the last command applied."""
        return int(self.state.market[0]["seq"])

    def digest(self) -> str:
        """Return the SHA-256 of the whole state in hexadecimal."""
        return self.state.digest()

    def apply(self, batch: Array) -> Array:
        """Apply commands in order and return their events.

        batch: shape (N,), dtype COMMAND; ``seq`` continues the last one without a gap and
        ``time_ns`` never falls (a breach is a bug of the caller: AssertionError, nothing changed).
        Returns shape (M,), dtype EVENT, memory of the caller's own. Refusals are events.
        """
        assert batch.dtype == COMMAND, "commands must be COMMAND records"
        state = self.state
        state.ensure_orders(len(batch))
        state.ensure_trades(len(batch))
        events = np.empty(2 * len(batch) + 64, EVENT)
        position = n = 0
        while position < len(batch):
            position, n, stopped = run(state.arrays(), batch, position, events, n)
            if stopped == COLD_COMMAND:
                if len(batch) - position >= RUN_FROM and int(batch[position]["kind"]) in FUNDING:
                    begun = position
                    position, n = fund(state.arrays(), batch, position, events, n)
                    if position > begun:
                        continue
                events, n = self._apply_cold(batch[position], events, n)
                state.ensure_orders(len(batch) - position)
                position += 1
            elif stopped == NEED_ROOM:
                events = _roomier(events, n, len(events) + int(state.market[0]["open_orders"]))
                state.ensure_trades(int(state.market[0]["open_orders"]) + 1)
            else:
                assert stopped == DONE, self._misnumbered(batch, stopped)
        return events[:n]

    def _misnumbered(self, batch: Array, stopped: int) -> str:
        """Say what the sequencer did wrong: nothing of such a batch is applied."""
        after = f"seq {batch[0]['seq']} after {self.seq}"
        return {SEQ_AFTER: after, SEQ_GAP: "seq has a gap", TIME_FELL: "time fell"}[stopped]

    def _apply_cold(self, command: Array, events: Array, n: int) -> tuple[Array, int]:
        """Run one command of plain Python; return the events with its own appended."""
        market = self.state.market[0]
        market["seq"] = command["seq"]
        market["time_ns"] = command["time_ns"]
        outcome = Outcome(self.state, command)
        handler = COLD_HANDLERS.get(int(command["kind"]))
        if handler is None:
            outcome.refuse(Reason.UNKNOWN_KIND)
        else:
            handler(self.state, command, outcome)
        rows = outcome.rows()
        if n + len(rows) + ROOM_PER_COMMAND > len(events):
            events = _roomier(events, n, len(rows) + ROOM_PER_COMMAND)
        as_bytes(events)[n : n + len(rows)] = as_bytes(rows)
        return events, n + len(rows)

    def orders_today(self) -> Array:
        """Return today's orders: row 0 is nobody, order number = market.order_base + row."""
        return self.state.orders[: int(self.state.market[0]["orders"])]

    def trades_today(self) -> Array:
        """Return today's trades: trade number = market.trade_base + row + 1."""
        return self.state.trades[: int(self.state.market[0]["trades"])]

    def fork(self) -> Exchange:
        """Return an independent exchange in the same state."""
        twin = Exchange.__new__(Exchange)
        twin.state = self.state.copy()
        return twin


def _roomier(events: Array, n: int, more: int) -> Array:
    """Return the first ``n`` events in an array with room for at least ``more`` further ones."""
    grown = np.empty(n + max(more, len(events)), EVENT)
    as_bytes(grown)[:n] = as_bytes(events)[:n]
    return grown


def warm_up() -> None:
    """Compile (or load) the kernels; call before the first client may connect."""
    exchange = Exchange()
    batch = commands(1)
    batch["kind"], batch["seq"] = Kind.LIST, 1
    exchange.apply(batch)
    fund(exchange.state.arrays(), batch, len(batch), np.empty(1, EVENT), 0)
    warm_up_verbs()
