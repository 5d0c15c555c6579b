"""P10: the digest sees every field of every row in use, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from engine import records
from engine.exchange import Exchange
from engine.records import Kind
from tests.reference.vocabulary import Phase
from tests.tapes import Tape, to_batch


def live_exchange(seed: int) -> Exchange:
    """An exchange in the afternoon with open orders and trades, on the first tape that has one."""
    for number in range(20):
        tape, commands = Tape(seed + number), []
        venue = tape.twin.venue
        for _ in range(8_000):
            commands.append(tape.step()[0])
            busy = venue.phase is Phase.AFTERNOON and venue.seq > 600
            rich = len(venue.negotiations) >= 2 and len(venue.sessions) >= 2
            if busy and rich and len(venue.resting) >= 5 and venue.trades:
                exchange = Exchange()
                exchange.apply(to_batch(commands))
                return exchange
    raise AssertionError(f"no afternoon is rich enough on tapes {seed} to {seed + 19}")


def arrays_of(exchange: Exchange) -> dict[str, np.ndarray]:
    """Every array the state owns, found by looking, not by a list that could forget one."""
    return {k: v for k, v in vars(exchange.state).items() if isinstance(v, np.ndarray)}


def in_use(exchange: Exchange) -> dict[str, np.ndarray]:
    """Each array cut to the rows that mean something, counted here and not by the digest."""
    state = exchange.state
    market = state.market[0]
    accounts, instruments = int(market["accounts"]), int(market["instruments"])
    books = 2 * instruments
    each = {name: len(getattr(state, name)) // len(state.books) for name in ("levels", "words")}
    return {
        "market": state.market,
        "rules": state.rules,
        "accounts": state.accounts[:accounts],
        "holdings": state.holdings[:accounts, :instruments],
        "instruments": state.instruments[:instruments],
        "totals": state.totals[:instruments],
        "books": state.books[:books],
        "levels": state.levels[: books * each["levels"]],
        "words": state.words[: books * each["words"]],
        "orders": state.orders[: int(market["orders"])],
        "trades": state.trades[: int(market["trades"])],
        "negotiations": state.negotiations[: int(market["negotiations"])],
        "sessions": state.sessions[: int(market["sessions"])],
    }


def places(rows: np.ndarray) -> Iterator[tuple[int, ...]]:
    """First, middle and last row of an array of any dimension."""
    shape = rows.shape
    for flat in sorted({0, rows.size // 2, rows.size - 1}):
        yield tuple(int(i) for i in np.unravel_index(flat, shape))


@pytest.fixture(scope="module")
def exchange(base_seed: int) -> Exchange:
    """One live exchange for all the looks."""
    return live_exchange(base_seed * 1_000 + 900)


def test_every_array_of_the_state_is_in_the_digest(exchange: Exchange) -> None:
    """An array that is added to the state has to be added to the digest."""
    assert set(exchange.state.used()) == set(arrays_of(exchange)) == set(in_use(exchange))


def test_every_field_of_every_array_changes_the_digest(exchange: Exchange) -> None:
    """Change one field of one row at a time; the digest differs each time and comes back."""
    before, blind = exchange.digest(), []
    looked = 0
    for name, rows in in_use(exchange).items():
        assert rows.size, f"{name} is empty: the tape is too poor for this test"
        for place in places(rows):
            for field in rows.dtype.names or (None,):
                column = rows if field is None else rows[field]
                old = column[place]
                column[place] = b"other" if column.dtype.kind == "S" else int(old) ^ 1
                if exchange.digest() == before:
                    blind.append(f"{name}{list(place)}.{field}")
                column[place] = old
                looked += 1
    assert blind == []
    assert looked > 200
    assert exchange.digest() == before


def test_a_row_beyond_the_rows_in_use_is_nobody(exchange: Exchange) -> None:
    """Room kept for later is no part of the state."""
    before = exchange.digest()
    free = exchange.state.market[0]["accounts"]
    assert free < len(exchange.state.accounts)
    exchange.state.accounts[free]["cash_available_fen"] = 7
    assert exchange.digest() == before
    exchange.state.accounts[free]["cash_available_fen"] = 0


def test_no_record_has_padding() -> None:
    """Bytes between fields would be seen by the digest but belong to no field."""
    dtypes = {n: d for n, d in vars(records).items() if isinstance(d, np.dtype)}
    assert len(dtypes) >= 12
    for name, dtype in dtypes.items():
        assert dtype.itemsize == sum(dtype[f].itemsize for f in dtype.names or ()), name


def test_reading_changes_nothing(exchange: Exchange) -> None:
    """Digest, views and a fork leave the state as it is; only a command changes it (P9)."""
    before = exchange.digest()
    exchange.orders_today()
    exchange.trades_today()
    fork = exchange.fork()
    batch = records.commands(1)
    batch["seq"], batch["time_ns"] = exchange.seq + 1, exchange.state.market[0]["time_ns"]
    batch["kind"] = Kind.NOOP
    fork.apply(batch)
    assert fork.digest() != before
    assert exchange.digest() == before
