"""Engine and twin side by side: play commands on both, say the first thing that differs."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np

from engine.exchange import Exchange
from engine.invariants import violations
from engine.records import EVENT
from tests.reference import Twin
from tests.reference.vocabulary import EventDict, Parameter, Phase, Status
from tests.tapes import CommandDict, Tape, to_batch, to_rows

FIELDS = EVENT.names or ()


def first_difference(engine_rows: list[Any], twin_rows: list[Any]) -> str | None:
    """Compare events field by field; describe the first pair that differs, None if none does."""
    if engine_rows == twin_rows:
        return None
    for number in range(max(len(engine_rows), len(twin_rows))):
        ours = engine_rows[number] if number < len(engine_rows) else None
        theirs = twin_rows[number] if number < len(twin_rows) else None
        if ours is None or theirs is None:
            return f"only one side has an event: engine {ours}, twin {theirs}"
        if ours != theirs:
            unlike = {
                name: f"engine {a}, twin {int(b)}"
                for name, a, b in zip(FIELDS, ours, theirs, strict=True)
                if a != b
            }
            return f"seq {ours[0]}, event {number} of the batch: {unlike}"
    return None


def play(exchange: Exchange, commands: list[CommandDict], expected: list[EventDict]) -> str | None:
    """Apply commands as one batch; return the first difference to the twin's events."""
    caused = exchange.apply(to_batch(commands)).tolist()
    difference = first_difference(caused, to_rows(expected))
    if difference is None:
        return None
    seq = next((e["seq"] for e in expected), 0)
    if difference.startswith("seq "):
        seq = int(difference.split()[1].rstrip(","))
    command = next((c for c in commands if c["seq"] == seq), None)
    return f"{difference}\n    command: {command}"


def run_tape(
    seed: int, count: int, batch_max: int, flavour: str = "plain"
) -> Iterator[tuple[int, str | None]]:
    """Play a tape on both sides; after each batch yield commands done and what is wrong, if so.

    The batch sizes are drawn from 1 to ``batch_max``. The twin's own invariants are looked at
    after every command, the engine's and the equality of all balances after every batch.
    """
    tape, exchange = Tape(seed, flavour), Exchange()
    sizes, done = Random(seed + 1), 0
    while done < count:
        size = min(sizes.randint(1, batch_max), count - done)
        commands, expected = [], []
        for _ in range(size):
            command, caused = tape.step()
            commands.append(command)
            expected += caused
            unsound = tape.twin.violations()
            if unsound:
                yield done, f"twin, seq {command['seq']}: {unsound}"
                return
        problem = play(exchange, commands, expected)
        if problem is None:
            problem = unlike_or_unsound(exchange, tape.twin)
        done += size
        yield done, problem


def unlike_or_unsound(exchange: Exchange, twin: Twin) -> str | None:
    """Return broken invariants of the engine or differing balances; None when all is well."""
    found = [*violations(exchange.state), *state_differences(exchange, twin)]
    return f"seq {exchange.seq}: {'; '.join(found[:5])}" if found else None


def state_differences(exchange: Exchange, twin: Twin) -> list[str]:
    """Compare what both remember: money, tonnes, figures, totals, orders, rules, books."""
    ours, theirs = engine_state(exchange), twin_state(twin)
    assert ours.keys() == theirs.keys()
    return [
        f"{name}{place}: engine {a}, twin {b}"
        for name in ours
        if ours[name] != theirs[name]
        for place, a, b in [_first_unlike(ours[name], theirs[name])]
    ]


def _first_unlike(ours: Any, theirs: Any) -> tuple[str, Any, Any]:
    """Return where two values differ first, and what stands there on both sides."""
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        row = next(row for row in range(len(ours)) if ours[row] != theirs[row])
        return f"[{row}]", ours[row], theirs[row]
    return "", ours, theirs


def _columns(rows: np.ndarray, *names: str) -> list[Any]:
    return rows[list(names)].tolist()  # type: ignore[no-any-return]


def engine_state(exchange: Exchange) -> dict[str, Any]:
    """Return the engine's memory as plain lists."""
    state = exchange.state
    market = dict(zip(state.market.dtype.names or (), state.market[0].item(), strict=True))
    accounts, instruments = market["accounts"], market["instruments"]
    columns = (
        "reference_ticks lower_limit_ticks upper_limit_ticks bulk_lower_limit_ticks "
        "bulk_upper_limit_ticks open_ticks high_ticks low_ticks last_ticks close_ticks weight "
        "tonnes_in code mode"
    )
    orders = exchange.orders_today()[1:]
    return {
        "seq, time": (market["seq"], market["time_ns"]),
        "date, phase": (market["date"], market["phase"]),
        "instruction": market["instruction_no"],
        "tag": market["file_tag"] if market["phase"] == Phase.CONFIRMED else None,
        "composite": market["composite_close_ticks"],
        "cash in": market["cash_in_fen"],
        "fees": market["trading_fees_fen"] + market["settlement_fees_fen"],
        "open orders": market["open_orders"],
        "numbers": (
            market["order_base"] + market["orders"],
            market["trade_base"] + market["trades"],
        ),
        "rules": list(state.rules[0].item()),
        "cash": _columns(
            state.accounts[:accounts],
            *("cash_available_fen", "cash_frozen_fen", "proceeds_today_fen", "open_orders"),
        ),
        "holdings": state.holdings[:accounts, :instruments].tolist(),
        "instruments": _columns(state.instruments[:instruments], *columns.split()),
        "totals": _totals(exchange, instruments),
        "queues": _queues(exchange),
        "orders": _columns(
            orders,
            *("qty_tonnes", "leaves_qty", "frozen_fen", "price_ticks", "account", "instrument"),
            *("side", "status", "reason"),
        ),
    }


def _queues(exchange: Exchange) -> list[tuple[int, int, int, int]]:
    """Return (instrument, side, price, number) of open orders, by price, then oldest first.

    Age is the order's ``seq``; the engine's invariants see to it that levels stand in that order.
    """
    base, rows = int(exchange.state.market[0]["order_base"]), exchange.orders_today()
    open_rows = np.flatnonzero(
        (rows["status"] == Status.OPEN) | (rows["status"] == Status.PART_FILLED)
    )
    columns = _columns(rows[open_rows], "instrument", "side", "price_ticks", "seq")
    aged = sorted((*c, base + int(r)) for c, r in zip(columns, open_rows, strict=True))
    return [(instrument, side, price, number) for instrument, side, price, _, number in aged]


def _totals(exchange: Exchange, instruments: int) -> list[tuple[int, ...]]:
    """Return day, year and all; the engine adds the day to year and all when the day closes."""
    rows = exchange.state.totals[:instruments, 0].tolist()
    if exchange.state.market[0]["phase"] not in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON):
        return rows  # type: ignore[no-any-return]
    return [(q, t, yq + q, yt + t, aq + q, at + t) for q, t, yq, yt, aq, at in rows]


def twin_state(twin: Twin) -> dict[str, Any]:
    """Return the twin's memory in the shape of ``engine_state``."""
    venue = twin.venue
    return {
        "seq, time": (venue.seq, venue.time_ns),
        "date, phase": (venue.date, venue.phase),
        "instruction": venue.instruction_no,
        "tag": venue.file_tag if venue.phase is Phase.CONFIRMED else None,
        "composite": venue.composite_close,
        "cash in": venue.cash_in,
        "fees": venue.fees,
        "open orders": len(venue.resting),
        "numbers": (venue.order_no + 1, venue.trade_no),
        "rules": [venue.parameters[p] for p in Parameter if p is not Parameter.COMPOSITE_WEIGHT],
        "cash": [(*twin.cash(a.number), a.open_orders) for a in venue.accounts],
        "holdings": [
            [
                (h.available, h.frozen, h.bought_today, h.sold_today)
                for h in (twin.holding(a.number, i.number) for i in venue.instruments)
            ]
            for a in venue.accounts
        ],
        "instruments": [
            (
                *(i.reference, i.lower_limit, i.upper_limit, i.bulk_lower_limit),
                *(i.bulk_upper_limit, i.open, i.high, i.low, i.last, i.close, i.weight),
                *(i.tonnes_in, i.code[:16], i.mode),
            )
            for i in venue.instruments
        ],
        "totals": [
            (i.day_qty, i.day_turnover, i.year_qty, i.year_turnover, i.all_qty, i.all_turnover)
            for i in venue.instruments
        ],
        "queues": [
            (i.number, int(side), price, number)
            for i in venue.instruments
            for side, ladder in i.book.items()
            for price, level in ladder.items()
            for number in level
        ],
        "orders": [
            (
                *(o.qty, o.leaves, o.frozen, o.price, o.account.number, o.instrument.number),
                *(int(o.side), int(o.status), int(o.reason)),
            )
            for o in venue.orders.values()
        ],
    }
