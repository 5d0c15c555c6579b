"""The door of the exchange: numbering, memory, forks, growth, room in the middle of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.exchange import Exchange
from engine.invariants import violations
from engine.records import COMMAND, Event, Kind, Mode, Phase, Side, commands
from engine.rulebook import Rulebook, parameter_commands
from engine.state import Array
from tests.unit.engine.venue import DAY, morning, send


def declarations(count: int, **fields: Any) -> Array:
    batch = commands(count)
    batch["instrument"] = 0
    for name, value in fields.items():
        batch[name] = value
    return batch


def test_commands_must_continue_the_sequence() -> None:
    exchange = Exchange()
    batch = commands(1)
    batch["seq"] = 2
    with pytest.raises(AssertionError, match="seq 2 after 0"):
        exchange.apply(batch)
    batch = commands(3)
    batch["seq"] = (1, 2, 4)
    with pytest.raises(AssertionError, match="gap"):
        exchange.apply(batch)
    assert exchange.seq == 0


def test_time_never_falls() -> None:
    exchange = Exchange()
    batch = commands(2)
    batch["seq"], batch["time_ns"] = (1, 2), (5, 4)
    with pytest.raises(AssertionError, match="time fell"):
        exchange.apply(batch)


def test_a_batch_must_be_commands() -> None:
    with pytest.raises(AssertionError, match="COMMAND"):
        Exchange().apply(np.zeros(1, np.int64))


def test_an_empty_batch_is_nothing() -> None:
    exchange = Exchange()
    before = exchange.digest()
    assert len(exchange.apply(np.zeros(0, COMMAND))) == 0
    assert exchange.digest() == before


def test_events_belong_to_the_caller() -> None:
    exchange = morning()
    first = send(exchange, declarations(1, **sell(0, 8000, 10)))
    kept = first.copy()
    for _ in range(50):
        send(exchange, declarations(40, **sell(0, 8000, 10)))
    np.testing.assert_array_equal(first, kept)


def sell(account: int, price_ticks: int, qty: int) -> dict[str, Any]:
    return {
        "kind": Kind.LIST,
        "account": account,
        "side": Side.SELL,
        "price_ticks": price_ticks,
        "qty_tonnes": qty,
    }


def test_a_sweep_larger_than_any_buffer_makes_room_and_loses_nothing() -> None:
    exchange = morning(mode=Mode.PRICE_TIME, holding=10**6)
    resting = declarations(6_000, **{**sell(0, 8000, 1), "kind": Kind.ADD})
    send(exchange, resting)
    events = send(
        exchange,
        declarations(
            1, kind=Kind.ADD, account=1, side=Side.BUY, price_ticks=8000, qty_tonnes=6_000
        ),
    )
    traded = events[events["kind"] == Event.TRADED]
    assert len(traded) == 6_000
    np.testing.assert_array_equal(np.diff(traded["other_order_no"]), 1)
    np.testing.assert_array_equal(traded["index"], np.arange(1, 6_001))
    assert len(exchange.trades_today()) == 6_000
    assert violations(exchange.state) == []


def test_a_fork_is_independent() -> None:
    exchange = morning()
    fork = exchange.fork()
    before = exchange.digest()
    send(fork, declarations(1, **sell(0, 8000, 10)))
    assert exchange.digest() == before
    assert fork.digest() != before
    send(exchange, declarations(1, **sell(0, 8000, 10)))
    assert fork.digest() == exchange.digest()


def test_accounts_and_instruments_grow() -> None:
    exchange = Exchange(accounts_max=1, instruments_max=1)
    opened = commands(500)
    opened["kind"], opened["account"] = Kind.OPEN_ACCOUNT, np.arange(500)
    assert (send(exchange, opened)["kind"] == Event.ACCOUNT_OPENED).all()
    for instrument in range(20):
        admit = commands(1)
        admit["kind"], admit["instrument"], admit["price_ticks"] = (
            Kind.ADMIT_INSTRUMENT,
            instrument,
            8000,
        )
        admit["client_order_id"] = f"CEA{instrument}"
        assert send(exchange, admit)["kind"][0] == Event.INSTRUMENT_ADMITTED
    moved = commands(1)
    moved["kind"], moved["account"], moved["instrument"] = Kind.TRANSFER_IN, 499, 19
    moved["qty_tonnes"] = 7
    send(exchange, moved)
    assert exchange.state.holdings[499, 19]["available_tonnes"] == 7
    assert violations(exchange.state) == []


def test_a_wide_band_makes_a_wide_ladder() -> None:
    exchange = Exchange()
    rules = Rulebook.on(DAY)
    state = exchange.state
    send(exchange, parameter_commands(rules, state.rules, state.instruments))
    admit = commands(1)
    admit["kind"], admit["instrument"], admit["price_ticks"] = Kind.ADMIT_INSTRUMENT, 0, 1_000_000
    send(exchange, admit)
    begin = commands(1)
    begin["kind"], begin["ref"] = Kind.BEGIN_DAY, 20260105
    send(exchange, begin)
    assert exchange.state.width >= 200_001
    assert exchange.state.market[0]["phase"] == Phase.PRE_OPEN
