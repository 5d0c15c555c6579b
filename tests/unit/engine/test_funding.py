"""A run of instructions does what each of them does alone (TR-08, ST-14, RG-07, RG-23)."""

from __future__ import annotations

import numpy as np
import pytest

from engine.exchange import RUN_FROM, Exchange
from engine.funding import FUNDING
from engine.records import (
    CASH_FEN_MAX,
    QTY_TONNES_MAX,
    Block,
    Event,
    Kind,
    Mode,
    Phase,
    commands,
)


def numbered(exchange: Exchange, batch: np.ndarray) -> np.ndarray:
    batch["seq"] = exchange.seq + np.arange(1, len(batch) + 1)
    batch["time_ns"] = batch["seq"]
    return batch


def started(phase: Phase = Phase.NEW) -> Exchange:
    """Two instruments; with a phase other than NEW a day that has got there."""
    exchange = Exchange()
    for row in range(2):
        batch = commands(1)
        batch["kind"], batch["instrument"], batch["mode"] = Kind.ADMIT_INSTRUMENT, row, Mode.LISTED
        batch["price_ticks"], batch["client_order_id"] = 10_000, f"CEA2{row}"
        exchange.apply(numbered(exchange, batch))
    steps = {
        Phase.NEW: [],
        Phase.MORNING: [(Kind.BEGIN_DAY, 20260105), (Kind.SET_PHASE, Phase.MORNING)],
    }
    steps[Phase.CLOSED] = [
        *steps[Phase.MORNING],
        *((Kind.SET_PHASE, phase) for phase in (Phase.LUNCH, Phase.AFTERNOON)),
        (Kind.CLOSE_DAY, 0),
    ]
    for kind, ref in steps[phase]:
        batch = commands(1)
        batch["kind"], batch["ref"] = kind, ref
        exchange.apply(numbered(exchange, batch))
    assert exchange.state.market[0]["phase"] == phase
    return exchange


def drawn(seed: int, count: int) -> np.ndarray:
    """Instructions, most of which go through, among a few of other kinds."""
    rng = np.random.default_rng(seed)
    batch = commands(count)
    kinds = [int(kind) for kind in (*sorted(FUNDING), Kind.NOOP, Kind.WARN_ACCOUNT, Kind.LIST)]
    batch["kind"] = rng.choice(kinds, count, p=[0.3, 0.3, 0.3, 0.04, 0.03, 0.03])
    opens = batch["kind"] == Kind.OPEN_ACCOUNT
    batch["account"] = rng.integers(0, count // 4, count)
    right = rng.random(opens.sum()) < 0.9
    batch["account"][opens] = np.cumsum(right) - np.where(right, 1, 2)
    batch["instrument"] = rng.integers(-1, 3, count)
    batch["amount"] = rng.choice([0, -1, 1, 10**9, CASH_FEN_MAX, CASH_FEN_MAX + 1], count)
    batch["qty_tonnes"] = rng.choice([0, -5, 1, 10**4, QTY_TONNES_MAX, QTY_TONNES_MAX + 1], count)
    batch["ref"] = np.where(rng.random(count) < 0.6, np.arange(count), 0)
    back = rng.random(count) < 0.1
    batch["ref"][back] = np.maximum(0, batch["ref"][back] - 9)
    batch["ref"][opens] = 0  # one refused by its number would leave a gap for good
    return batch


def both_ways(exchange: Exchange, batch: np.ndarray) -> tuple[np.ndarray, Exchange]:
    """Apply as a run and one by one; both have to agree."""
    alone = exchange.fork()
    numbered(exchange, batch)
    one_by_one = np.concatenate([alone.apply(batch[at : at + 1]) for at in range(len(batch))])
    events = exchange.apply(batch)
    assert events.tobytes() == one_by_one.tobytes()
    assert exchange.digest() == alone.digest()
    return events, exchange


@pytest.mark.parametrize("phase", [Phase.NEW, Phase.MORNING, Phase.CLOSED])
@pytest.mark.parametrize("seed", range(8))
def test_a_run_is_as_one_by_one(seed: int, phase: Phase) -> None:
    events, _ = both_ways(started(phase), drawn(seed, 600))
    kinds = set(events["kind"].tolist())
    done = {Event.CASH_MOVED_IN, Event.HOLDING_MOVED_IN} if phase != Phase.CLOSED else set()
    assert kinds >= {Event.ACCOUNT_OPENED, Event.REFUSED, *done}


def test_more_money_than_the_market_may_hold_is_refused_in_a_run() -> None:
    exchange = started()
    batch = commands(40)
    batch["kind"][:20], batch["account"][:20] = Kind.OPEN_ACCOUNT, np.arange(20)
    batch["kind"][20:], batch["account"][20:] = Kind.CASH_IN, np.arange(20)
    batch["amount"][20:] = CASH_FEN_MAX
    events, _ = both_ways(exchange, batch)
    assert (events["kind"][20:] == Event.REFUSED).sum() == 11, "nine times 10^18 fen is the bound"


def test_an_instruction_is_done_once_also_right_behind_itself() -> None:
    exchange = started()
    opens = commands(20)
    opens["kind"], opens["account"] = Kind.OPEN_ACCOUNT, np.arange(20)
    both_ways(exchange, opens)
    batch = commands(40)
    batch["kind"], batch["account"], batch["amount"] = Kind.CASH_IN, np.arange(40) // 2, 7
    batch["ref"] = np.arange(40) // 2 + 1
    events, exchange = both_ways(exchange, batch)
    assert (events["kind"][1::2] == Event.REFUSED).all(), "IN-02: a number is done once"
    assert exchange.state.market[0]["cash_in_fen"] == 20 * 7


def test_an_account_that_may_not_transfer_in_is_refused_in_a_run() -> None:
    exchange = started()
    batch = commands(20)
    batch["kind"], batch["account"] = Kind.OPEN_ACCOUNT, np.arange(20)
    both_ways(exchange, batch)
    exchange.state.accounts["blocks"][3] = Block.TRANSFER_IN
    moves = commands(20)
    moves["kind"], moves["account"] = Kind.TRANSFER_IN, np.arange(20)
    moves["instrument"], moves["qty_tonnes"] = 1, 5
    events, exchange = both_ways(exchange, moves)
    assert np.flatnonzero(events["kind"] == Event.REFUSED).tolist() == [3]
    assert exchange.state.holdings[4, 1]["available_tonnes"] == 5


def test_the_runs_of_these_tests_are_long_enough() -> None:
    assert RUN_FROM <= 20
