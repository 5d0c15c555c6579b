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
from tests.reference.composite import current_sum
from tests.reference.ledger import buying_tonnes
from tests.reference.vocabulary import EventDict, Kind, Modality, Parameter, Phase, Status
from tests.tapes import CommandDict, Tape, to_batch, to_rows

FIELDS = EVENT.names or ()
ACCOUNT_FIELDS = (
    "cash_available_fen cash_frozen_fen proceeds_today_fen open_orders buying_tonnes "
    "holding_max_tonnes blocks warned_stage cancel_at_ns cancel_on_disconnect"
)
BY_DAY = (Phase.PRE_OPEN, Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON, Phase.CLOSED)


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
        "bulk_upper_limit_ticks auction_lower_limit_ticks auction_upper_limit_ticks "
        "open_ticks high_ticks low_ticks last_ticks close_ticks weight tonnes_in halted days "
        "code mode"
    )
    orders = exchange.orders_today()[1:]
    return {
        "seq, time": (market["seq"], market["time_ns"]),
        "date, phase": (market["date"], market["phase"]),
        "instruction": market["instruction_no"],
        "tag": market["file_tag"] if market["phase"] == Phase.CONFIRMED else None,
        "halted": market["halted"],
        "composite": _composite(market),
        "cash in": market["cash_in_fen"],
        "fees": market["trading_fees_fen"] + market["settlement_fees_fen"],
        "open orders": market["open_orders"],
        "numbers": (
            market["order_base"] + market["orders"],
            market["trade_base"] + market["trades"],
            market["session_base"] + market["sessions"] - 1,
        ),
        "rules": list(state.rules[0].item()),
        "cash": _columns(state.accounts[:accounts], *ACCOUNT_FIELDS.split()),
        "holdings": state.holdings[:accounts, :instruments].tolist(),
        "instruments": _columns(state.instruments[:instruments], *columns.split()),
        "totals": _totals(exchange, instruments),
        "queues": _queues(exchange),
        "orders": _columns(
            orders,
            *("qty_tonnes", "leaves_qty", "frozen_fen", "price_ticks", "account", "instrument"),
            *("side", "status", "reason"),
        ),
        "negotiations": _negotiations(exchange),
        "sessions": _sessions(exchange),
        "trades": _columns(
            exchange.trades_today(),
            *("instrument", "modality", "price_ticks", "qty_tonnes", "buyer", "seller"),
            *("buy_order_no", "sell_order_no", "buy_fee_fen", "sell_fee_fen", "void"),
        ),
    }


def _composite(market: dict[str, int]) -> tuple[int, ...]:
    """Close in ticks; by day also the weights and the sums of weight x price."""
    names = ("weights", "sum", "open_sum", "high_sum", "low_sum")
    sums = [market[f"composite_{name}"] for name in names]
    return (market["composite_close_ticks"], *(sums if market["phase"] in BY_DAY else ()))


def _negotiations(exchange: Exchange) -> list[tuple[int, ...]]:
    """Return offer's number, responder, terms, proposer, answer's number (0 = none), status."""
    market = exchange.state.market[0]
    base = int(market["order_base"])
    rows = exchange.state.negotiations[: int(market["negotiations"])]
    names = "offer_row responder price_ticks qty_tonnes proposer answer_row status"
    return [
        (base + offer, responder, price, qty, proposer, answer and base + answer, status)
        for offer, responder, price, qty, proposer, answer, status in _columns(rows, *names.split())
    ]


def _sessions(exchange: Exchange) -> list[tuple[int, ...]]:
    """Return applicant's order number (0 = none yet) and the fields of today's sessions."""
    market = exchange.state.market[0]
    base = int(market["order_base"])
    rows = exchange.state.sessions[1 : int(market["sessions"])]
    names = (
        "order_row applicant instrument side price_ticks qty_tonnes dealt_tonnes clearing_ticks "
        "pricing status from_minute until_minute"
    )
    return [(row and base + row, *rest) for row, *rest in _columns(rows, *names.split())]


def _queues(exchange: Exchange) -> list[tuple[int, int, int, int]]:
    """Return (instrument, side, price, number) of orders in books, by price, then oldest first.

    Age is the order's ``seq``; the engine's invariants see to it that levels stand in that order.
    """
    base, rows = int(exchange.state.market[0]["order_base"]), exchange.orders_today()
    open_rows = np.flatnonzero(
        ((rows["status"] == Status.OPEN) | (rows["status"] == Status.PART_FILLED))
        & (rows["kind"] < Kind.BEGIN_DAY)  # not bulk, not bids
    )
    columns = _columns(rows[open_rows], "instrument", "side", "price_ticks", "seq")
    aged = sorted((*c, base + int(r)) for c, r in zip(columns, open_rows, strict=True))
    return [(instrument, side, price, number) for instrument, side, price, _, number in aged]


def _totals(exchange: Exchange, instruments: int) -> list[tuple[int, ...]]:
    """Return day, year and all; the engine adds the day to year and all when the day closes."""
    rows = exchange.state.totals[:instruments].reshape(-1).tolist()
    if exchange.state.market[0]["phase"] not in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON):
        return [tuple(row) for row in rows]
    return [(q, t, yq + q, yt + t, aq + q, at + t) for q, t, yq, yt, aq, at in rows]


def twin_state(twin: Twin) -> dict[str, Any]:
    """Return the twin's memory in the shape of ``engine_state``."""
    venue = twin.venue
    return {
        "seq, time": (venue.seq, venue.time_ns),
        "date, phase": (venue.date, venue.phase),
        "instruction": venue.instruction_no,
        "tag": venue.file_tag if venue.phase is Phase.CONFIRMED else None,
        "halted": int(venue.halted),
        "composite": _twin_composite(twin),
        "cash in": venue.cash_in,
        "fees": venue.fees,
        "open orders": sum(account.open_orders for account in venue.accounts),
        "numbers": (venue.order_no + 1, venue.trade_no, venue.session_no),
        "rules": [venue.parameters[p] for p in Parameter if p is not Parameter.COMPOSITE_WEIGHT],
        **_twin_tables(venue, twin),
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
        **_twin_dealings(twin),
    }


def _twin_tables(venue: Any, twin: Twin) -> dict[str, Any]:
    """Accounts, holdings, instruments and totals of the twin."""
    return {
        "cash": [
            (
                *(*twin.cash(a.number), a.open_orders, buying_tonnes(venue, a)),
                *(a.holding_max, a.blocks, a.warned_stage, a.cancel_at_ns, a.cancel_on_disconnect),
            )
            for a in venue.accounts
        ],
        "holdings": [
            [
                (h.available, h.frozen, h.bought_today, h.sold_today, h.guarded, h.judicial)
                for h in (twin.holding(a.number, i.number) for i in venue.instruments)
            ]
            for a in venue.accounts
        ],
        "instruments": [
            (
                i.reference,
                *(end for limits in i.limits.values() for end in (limits.lower, limits.upper)),
                *(i.open, i.high, i.low, i.last, i.close, i.weight, i.tonnes_in),
                *(int(i.halted), i.days, i.code[:16], i.mode),
            )
            for i in venue.instruments
        ],
        "totals": [
            (t.day_qty, t.day_turnover, t.year_qty, t.year_turnover, t.all_qty, t.all_turnover)
            for i in venue.instruments
            for t in (i.totals[modality] for modality in Modality)
        ],
    }


def _twin_composite(twin: Twin) -> tuple[int, ...]:
    venue, composite = twin.venue, twin.venue.composite
    sums = (composite.weights, current_sum(venue), composite.open, composite.high, composite.low)
    return (composite.close, *(sums if venue.phase in BY_DAY else ()))


def _twin_dealings(twin: Twin) -> dict[str, Any]:
    venue = twin.venue
    return {
        "negotiations": [
            (
                *(n.offer.number, n.responder.number, n.price, n.qty, n.proposer.number),
                *(n.answer.number if n.answer else 0, int(n.status)),
            )
            for n in venue.negotiations
        ],
        "sessions": [
            (
                *(s.order.number if s.order else 0, s.applicant.number, s.instrument.number),
                *(int(s.side), s.limit, s.qty, s.dealt, s.clearing, int(s.pricing)),
                *(int(s.status), s.from_minute, s.until_minute),
            )
            for s in venue.sessions.values()
        ],
        "trades": [
            (
                *(t.instrument.number, int(t.modality), t.price, t.qty, t.buyer.number),
                *(t.seller.number, t.buy_no, t.sell_no, t.buy_fee, t.sell_fee, int(t.void)),
            )
            for t in venue.trades.values()
        ],
    }
