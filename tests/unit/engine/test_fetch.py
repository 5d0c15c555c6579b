"""Rows are asked for ahead of need: nobody can tell by the results, whatever the commands hold."""

import numpy as np
import pytest

from engine.exchange import Exchange
from engine.fetch import ACCOUNTS, FAR, INSTRUMENTS, ORDERS, level_of, outgrows_cache, row_named
from engine.records import Kind, Mode, commands
from engine.state import Array, State
from tests.unit.engine.venue import morning, send

REFERENCE, TRADERS, TONNES = 10_000, 200, 10**6
EXTREMES = {
    "ref": [-(2**63), -1, 0, 1, 2**63 - 1],
    "account": [-(2**31), -1, TRADERS, 2**31 - 1],
    "instrument": [-(2**15), -1, 1, 2**15 - 1],
    "side": [-128, 0, 3, 127],
    "price_ticks": [-(2**31), 0, 8_999, 11_001, 2**31 - 1],
}


def opened(mode: Mode = Mode.PRICE_TIME) -> Exchange:
    """One instrument in the morning, every account with money and tonnes."""
    return morning(TRADERS, REFERENCE, mode, 10**14, TONNES)


def resting(count: int, rng: np.random.Generator, kind: Kind) -> Array:
    """Orders behind the reference price; even accounts buy and odd ones sell."""
    batch = commands(count)
    side = rng.integers(1, 3, count)
    away = rng.integers(1, 900, count)
    batch["kind"], batch["side"], batch["qty_tonnes"] = kind, side, rng.integers(1, 9, count)
    batch["instrument"] = 0
    batch["account"] = 2 * rng.integers(0, TRADERS // 2, count) + (side == 2)
    batch["price_ticks"] = REFERENCE + np.where(side == 1, -away, away)
    return batch


def nonsense(count: int, orders: int, rng: np.random.Generator, kinds: list[Kind]) -> Array:
    """Good commands and such whose numbers lie beyond everything, mixed."""
    batch = resting(count, rng, kinds[0])
    batch["kind"] = rng.choice(kinds, count)
    batch["ref"] = rng.integers(0, orders + 50, count)
    batch["account"] = rng.integers(0, TRADERS, count)
    for field, values in EXTREMES.items():
        wild = rng.random(count) < 0.1
        batch[field][wild] = rng.choice(np.array(values), int(wild.sum()))
    return batch


@pytest.mark.parametrize(
    ("mode", "kinds"),
    [
        (Mode.PRICE_TIME, [Kind.ADD, Kind.CANCEL, Kind.AMEND, Kind.TAKE_BEST]),
        (Mode.LISTED, [Kind.LIST, Kind.CANCEL, Kind.TAKE, Kind.TAKE_BEST]),
    ],
    ids=lambda value: value.name if isinstance(value, Mode) else "",
)
def test_batches_in_a_deep_book_come_to_what_single_commands_come_to(
    mode: Mode, kinds: list[Kind]
) -> None:
    rng = np.random.default_rng(7)
    exchange = opened(mode)
    for _ in range(4):
        send(exchange, resting(ORDERS // 3, rng, kinds[0]))
    assert outgrows_cache(exchange.state.arrays())
    alone = exchange.fork()
    batch = nonsense(3_000, int(exchange.state.market[0]["orders"]), rng, kinds)
    events = send(exchange, batch)
    single = [alone.apply(batch[row : row + 1]) for row in range(len(batch))]
    assert events.tobytes() == np.concatenate(single).tobytes()
    assert exchange.digest() == alone.digest()
    assert len(set(events["reason"].tolist())) > 5, "many kinds of refusals were met"
    assert len(batch) > 100 * FAR


@pytest.mark.parametrize(
    ("field", "most"),
    [("open_orders", ORDERS), ("instruments", INSTRUMENTS), ("accounts", ACCOUNTS)],
)
def test_a_small_world_is_left_alone(field: str, most: int) -> None:
    state = State()
    state.market[field] = most
    assert not outgrows_cache(state.arrays())
    state.market[field] = most + 1
    assert outgrows_cache(state.arrays())


def test_only_rows_within_bounds_are_looked_at() -> None:
    exchange = opened()
    a = exchange.state.arrays()
    lower, upper = (int(a.instruments[0][f"{end}_limit_ticks"]) for end in ("lower", "upper"))
    assert level_of(a, 0, 1, upper) == 0
    assert level_of(a, 0, 2, lower) == a.width
    for wrong in ((-1, 1, upper), (1, 1, upper), (0, 0, upper), (0, 3, upper), (0, 2, lower - 1)):
        assert level_of(a, *wrong) == -1
    assert level_of(a, 0, 2, lower + a.width) == -1
    send(exchange, resting(5, np.random.default_rng(1), Kind.ADD))
    a, base = exchange.state.arrays(), int(exchange.state.market[0]["order_base"])
    named = [row_named(a, base + number) for number in (-(2**40), 0, 1, 5, 6, 2**40)]
    assert named == [0, 0, 1, 5, 0, 0]
