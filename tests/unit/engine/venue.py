"""A small funded exchange for engine tests."""

from __future__ import annotations

from datetime import date

import numpy as np

from engine.exchange import Exchange
from engine.records import Event, Kind, Mode, Phase, commands
from engine.rulebook import Rulebook, parameter_commands
from engine.state import Array

DAY = date(2026, 1, 5)


def send(exchange: Exchange, batch: Array) -> Array:
    """Number a batch, apply it, return the events."""
    batch["seq"] = exchange.seq + 1 + np.arange(len(batch))
    batch["time_ns"] = batch["seq"]
    return exchange.apply(batch)


def morning(
    accounts: int = 3,
    reference_ticks: int = 8000,
    mode: Mode = Mode.LISTED,
    cash_fen: int = 10**12,
    holding: int = 10**5,
) -> Exchange:
    """An exchange in its morning session: one instrument, accounts with cash and goods."""
    exchange = Exchange()
    state = exchange.state
    send(exchange, parameter_commands(Rulebook.on(DAY), state.rules, state.instruments))
    lift = commands(1)
    lift["kind"], lift["ref"], lift["amount"] = Kind.SET_PARAMETER, 8, 0  # any number of orders
    send(exchange, lift)
    admit = commands(1)
    admit["kind"], admit["instrument"], admit["mode"] = Kind.ADMIT_INSTRUMENT, 0, mode
    admit["price_ticks"], admit["client_order_id"] = reference_ticks, "CEA25"
    send(exchange, admit)
    for kind, field, value in (
        (Kind.OPEN_ACCOUNT, "amount", 0),
        (Kind.CASH_IN, "amount", cash_fen),
        (Kind.TRANSFER_IN, "qty_tonnes", holding),
    ):
        batch = commands(accounts)
        batch["kind"], batch["account"], batch["instrument"] = kind, np.arange(accounts), 0
        batch[field] = value
        send(exchange, batch)
    start = commands(2)
    start["kind"], start["ref"] = (Kind.BEGIN_DAY, Kind.SET_PHASE), (20260105, Phase.MORNING)
    events = send(exchange, start)
    assert not (events["kind"] == Event.REFUSED).any()
    return exchange
