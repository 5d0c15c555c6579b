"""The invariants of the rulebook's section 9A as far as the exchange sees them.

``violations(state)`` returns sentences; an empty list means that the books are sound. Anyone may
call it at any time; the tests call it after every command.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from engine.records import MODALITIES, Modality, OrderStatus, Phase, Side
from engine.state import Array, State
from engine.units import price_limits
from engine.verbs import LADDER_KINDS

_RESTS = (OrderStatus.OPEN, OrderStatus.PART_FILLED)
_BANDS = (("", Modality.LISTED), ("bulk_", Modality.BULK), ("auction_", Modality.AUCTION))


def violations(state: State) -> list[str]:
    """Return what is wrong with the books, in sentences; empty if nothing is (9A, I1-I10)."""
    checks = (_tonnes, _cash, _balances, _frozen, _books, _levels, _prices, _figures, _evening)
    return [sentence for check in checks for sentence in check(state)]


def _used(state: State) -> tuple[Array, Array, Array]:
    """Return accounts, holdings and instruments in use."""
    used = state.used()
    return used["accounts"], used["holdings"], used["instruments"]


def _open_orders(state: State) -> tuple[Array, Array]:
    """Return (rows, records) of the orders that rest."""
    orders = state.used()["orders"]
    rows = np.flatnonzero(np.isin(orders["status"], _RESTS))
    return rows, orders[rows]


def _standing(state: State) -> Array:
    """Return the day's trades that were not voided (TR-121)."""
    trades = state.used()["trades"]
    standing: Array = trades[trades["void"] == 0]
    return standing


def _tonnes(state: State) -> Iterator[str]:
    """I1: per vintage, all parts of all accounts make what was moved in less moved out."""
    _, holdings, instruments = _used(state)
    parts = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes", "judicial_tonnes")
    held = sum(holdings[part].sum(axis=0) for part in parts)
    for row in np.flatnonzero(held != instruments["tonnes_in"]):
        yield f"I1: instrument {row}: {held[row]} t held, {instruments['tonnes_in'][row]} t came in"


def _cash(state: State) -> Iterator[str]:
    """I3: all sub-ledgers and the fees make what was paid in less paid out."""
    accounts, market = _used(state)[0], state.market[0]
    held = int(accounts["cash_available_fen"].sum() + accounts["cash_frozen_fen"].sum())
    held += int(market["trading_fees_fen"] + market["settlement_fees_fen"])
    if held != market["cash_in_fen"]:
        yield f"I3: {held} fen in the ledgers, {market['cash_in_fen']} fen were paid in"


def _balances(state: State) -> Iterator[str]:
    """I2, I4: nothing is negative; what was bought and sold today adds up per vintage."""
    accounts, holdings, _ = _used(state)
    for name, rows in (("account", accounts), ("holding", holdings)):
        for field in rows.dtype.names or ():
            for where in np.argwhere(rows[field] < 0):
                yield f"I2: {name} {tuple(where.tolist())}: {field} is negative"
    traded = np.zeros(holdings.shape[1], np.int64)
    trades = _standing(state)
    np.add.at(traded, trades["instrument"], trades["qty_tonnes"])
    sold = holdings["sold_today_tonnes"].sum(axis=0)
    if state.market[0]["phase"] != Phase.POSTED:
        for row in np.flatnonzero(sold != traded):
            yield f"I4: instrument {row}: {sold[row]} t sold by accounts, {traded[row]} t traded"


def _frozen(state: State) -> Iterator[str]:
    """I2: what is frozen is exactly what open orders froze."""
    accounts, holdings, _ = _used(state)
    _, orders = _open_orders(state)
    cash, buying = np.zeros(len(accounts), np.int64), np.zeros(len(accounts), np.int64)
    goods = np.zeros(holdings.shape, np.int64)
    buys, sells = orders[orders["side"] == Side.BUY], orders[orders["side"] == Side.SELL]
    np.add.at(cash, buys["account"], buys["frozen_fen"])
    np.add.at(buying, buys["account"], buys["leaves_qty"])
    np.add.at(goods, (sells["account"], sells["instrument"]), sells["leaves_qty"])
    for row in np.flatnonzero(buying != accounts["buying_tonnes"]):
        yield f"account {row}: the tonnes it wants are not those of its open orders"
    for row in np.flatnonzero(cash != accounts["cash_frozen_fen"]):
        yield f"I2: account {row}: frozen cash is not what its open orders froze"
    for where in np.argwhere(goods != holdings["frozen_tonnes"]):
        yield f"I2: holding {tuple(where.tolist())}: frozen tonnes are not those of open orders"
    count = np.bincount(orders["account"], minlength=len(accounts))
    for row in np.flatnonzero(count != accounts["open_orders"]):
        yield f"account {row}: {accounts['open_orders'][row]} open orders noted, {count[row]} rest"
    if len(orders) != state.market[0]["open_orders"]:
        yield "the market's count of open orders is wrong"


def _books(state: State) -> Iterator[str]:
    """Books agree with their levels: occupied levels, best rank, bitmap."""
    width = state.width
    words_each = width // 32 + width // 1024
    for book in range(2 * int(state.market[0]["instruments"])):
        levels = state.levels[book * width : (book + 1) * width]
        occupied = np.flatnonzero(levels["orders"])
        row = state.books[book]
        words = state.words[book * words_each : (book + 1) * words_each]
        bits = (words[: width // 32, None] >> np.arange(32)) & 1
        if not np.array_equal(np.flatnonzero(bits.reshape(-1)), occupied):
            yield f"book {book}: the bitmap does not show the occupied levels"
        groups = (words[width // 32 :, None] >> np.arange(32)) & 1
        if not np.array_equal(groups.reshape(-1) != 0, words[: width // 32] != 0):
            yield f"book {book}: the upper bitmap does not show the occupied words"
        best = int(occupied[0]) if len(occupied) else width
        if row["best_rank"] != best or row["levels"] != len(occupied):
            yield f"book {book}: best rank or count of levels is wrong"
        if row["orders"] != levels["orders"].sum():
            yield f"book {book}: count of orders is wrong"


def _levels(state: State) -> Iterator[str]:
    """Every open order stands in the level of its price, oldest first, and nobody else does."""
    rows, orders = _open_orders(state)
    expected: dict[int, list[tuple[int, int]]] = {}
    for row, order in zip(rows.tolist(), orders, strict=True):
        if order["kind"] not in LADDER_KINDS:
            continue
        expected.setdefault(_level_of(state, order), []).append((int(order["seq"]), row))
    for level in np.flatnonzero(state.levels["orders"]).tolist():
        chain = list(_chain(state, int(state.levels[level]["head"])))
        wanted = [row for _, row in sorted(expected.pop(level, []))]
        if chain != wanted:
            yield f"level {level}: its chain is {chain}, its open orders are {wanted}"
        qty = sum(int(state.orders[row]["leaves_qty"]) for row in chain)
        if qty != state.levels[level]["qty_tonnes"] or len(chain) != state.levels[level]["orders"]:
            yield f"level {level}: quantity or count is wrong"
        if chain and state.levels[level]["tail"] != chain[-1]:
            yield f"level {level}: the tail is not the youngest order"
    for level in expected:
        yield f"level {level}: open orders stand in no level"


def _level_of(state: State, order: Array) -> int:
    """Return the level that an order's price belongs to."""
    instrument = state.instruments[order["instrument"]]
    if order["side"] == Side.SELL:
        rank = int(order["price_ticks"]) - int(instrument["lower_limit_ticks"])
    else:
        rank = int(instrument["upper_limit_ticks"]) - int(order["price_ticks"])
    return (2 * int(order["instrument"]) + int(order["side"]) - 1) * state.width + rank


def _chain(state: State, row: int) -> Iterator[int]:
    """Walk a level from its oldest order; stops at a broken link instead of running in circles."""
    for _ in range(int(state.market[0]["orders"])):
        if row == 0:
            return
        yield row
        row = int(state.orders[row]["next"])


def _prices(state: State) -> Iterator[str]:
    """I5, I6: every deal of the day, and every open listing, lies inside its modality's band."""
    orders, trades = _open_orders(state)[1], state.used()["trades"]
    listings = orders[np.isin(orders["kind"], LADDER_KINDS)]
    yield from _outside(state, "open order", listings, "")
    for prefix, modality in _BANDS:
        deals = trades[trades["modality"] == modality]
        yield from _outside(state, f"{modality.name.lower()} trade", deals, prefix)
    if state.market[0]["phase"] in (Phase.NEW, Phase.POSTED):
        return  # the rules of the next day may be in force already
    bulk = trades[trades["modality"] == Modality.BULK]
    for row in np.flatnonzero(bulk["qty_tonnes"] < state.rules[0]["bulk_qty_min"]):
        yield f"I6: bulk trade {row} is smaller than the modality's least"


def _outside(state: State, name: str, rows: Array, prefix: str) -> Iterator[str]:
    """Say which rows have a price outside their instrument's band."""
    limits = _used(state)[2][rows["instrument"]]
    below = rows["price_ticks"] < limits[f"{prefix}lower_limit_ticks"]
    above = rows["price_ticks"] > limits[f"{prefix}upper_limit_ticks"]
    for row in np.flatnonzero(below | above):
        yield f"I5: {name} {row} of the day lies outside the band"


def _figures(state: State) -> Iterator[str]:
    """I7, I8: the day's figures agree with the day's trades and with each other."""
    trades = _standing(state)
    for index, row in enumerate(_used(state)[2]):
        mine = trades[trades["instrument"] == index]
        yield from _totals(state, index, mine)
        day = mine[mine["modality"] == Modality.LISTED]
        prices, total = day["price_ticks"].astype(np.int64), state.totals[index, 0]
        turnover = int((prices * day["qty_tonnes"]).sum())
        wanted = (0, 0, 0, 0)
        if len(day):
            wanted = (int(prices[0]), int(prices.max()), int(prices.min()), int(prices[-1]))
        seen = tuple(int(row[f"{name}_ticks"]) for name in ("open", "high", "low", "last"))
        if seen != wanted:
            yield f"I8: instrument {index}: open, high, low, last {seen}, trades say {wanted}"
        ended = state.market[0]["phase"] >= Phase.CLOSED
        qty = int(total["day_qty_tonnes"])
        if ended and qty and abs(int(row["close_ticks"]) * qty - turnover) * 2 > qty:
            yield f"I7: instrument {index}: the close is not the mean of the listed trades"


def _totals(state: State, instrument: int, trades: Array) -> Iterator[str]:
    """The day's volume and turnover of each modality are the sums of its standing trades."""
    for row, modality in enumerate(MODALITIES):
        deals = trades[trades["modality"] == modality]
        total = state.totals[instrument, row]
        turnover = (deals["price_ticks"].astype(np.int64) * deals["qty_tonnes"]).sum()
        if total["day_qty_tonnes"] != deals["qty_tonnes"].sum():
            yield f"instrument {instrument}: the day's {modality.name} volume is not its trades'"
        if total["day_turnover_fen"] != turnover:
            yield f"instrument {instrument}: the day's {modality.name} turnover is not its trades'"


def _evening(state: State) -> Iterator[str]:
    """I10: after the close nothing is open and nothing frozen; bands hang on the reference."""
    market = state.market[0]
    if market["phase"] >= Phase.CLOSED and len(_open_orders(state)[0]):
        yield "I10: orders are open after the close"
    if market["phase"] in (Phase.NEW, Phase.POSTED):
        return
    for index, row in enumerate(_used(state)[2]):
        if state.rules[0]["free_first_day"] and row["days"] == 1:
            continue
        limits = price_limits(int(row["reference_ticks"]), int(state.rules[0]["listed_band_bp"]))
        if (int(row["lower_limit_ticks"]), int(row["upper_limit_ticks"])) != limits:
            yield f"TR-23: instrument {index}: the band does not hang on the reference"
