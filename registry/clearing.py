"""Clearing: the registry's own recomputation of a day, as arithmetic on arrays (ST-03).

Nothing here touches the database. Deal by deal, delivery versus payment, no netting between
counterparties: the seller's tonnes must be there without what was bought today (TR-47), the
buyer's money must be there with what was sold today (TR-48). Then the books that result are
compared with the ones the exchange states. Whatever differs becomes a sentence; no sentence means
cleared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from engine.deals import DealFile
from engine.records import CASH_FEN_MAX, PRICE_TICKS_MAX, QTY_TONNES_MAX

SENTENCES_MAX = 50  # of one kind; the rest is counted
TURNOVER_MAX = 9.0e18  # fen: below it no sum here can leave int64
FEES = (
    "buy_trading_fee_fen",
    "buy_settlement_fee_fen",
    "sell_trading_fee_fen",
    "sell_settlement_fee_fen",
)

Array = np.ndarray[Any, np.dtype[Any]]


class Books(NamedTuple):
    """The trading side as the registry has it after the close, before the day's deals.

    tonnes and judicial (frozen by a court: not sellable, stated by the exchange all the same):
    int64 (accounts, instruments of the file); cash_fen: int64 (accounts,); names by row. voided:
    int64, ascending, the trades the exchange has undone (TR-121).
    """

    tonnes: Array
    judicial: Array
    cash_fen: Array
    names: list[str]
    last_trade_no: int
    voided: Array

    def due(self, count: int) -> Array:
        """Return the trade numbers of the next ``count`` deals: in order, without the undone."""
        numbers = self.last_trade_no + 1 + np.arange(count + len(self.voided))
        standing: Array = numbers[~np.isin(numbers, self.voided)][:count]
        return standing

    def name(self, account: int) -> str:
        """Return how a report calls an account."""
        return f"account {self.names[account]} (trading index {account})"


def differences(file: DealFile, books: Books, goods_t_plus: int = 1) -> list[str]:
    """Return one sentence for everything in which file and recomputation differ; none = cleared."""
    found = [*deal_flaws(file, books), *balance_flaws(file, books)]
    if found:
        return found  # a file that contradicts itself cannot be recomputed
    return [
        *goods_not_covered(file, books, goods_t_plus),
        *cash_not_covered(file, books),
        *tonnes_differ(file, books),
        *cash_differs(file, books),
    ]


def deal_flaws(file: DealFile, books: Books) -> list[str]:
    """Check every deal by itself: numbers, parties, bounds, value = price x quantity (ST-15)."""
    deals, found = file.deals, []
    expected = books.due(len(deals))
    if not np.array_equal(deals["trade_no"], expected):
        row = int(np.argmax(deals["trade_no"] != expected))
        found.append(
            f"Trade numbers must follow each other: number {expected[row]} is due, the file has "
            f"{deals['trade_no'][row]}."
        )
    price, qty = deals["price_ticks"].astype(np.int64), deals["qty_tonnes"]
    bounded = (price >= 1) & (price <= PRICE_TICKS_MAX) & (qty >= 1) & (qty <= QTY_TONNES_MAX)
    value = np.where(bounded, price, 0) * np.where(bounded, qty, 0)
    fees = np.stack([deals[name] for name in FEES])
    sell_fees = deals["sell_trading_fee_fen"] + deals["sell_settlement_fee_fen"]
    parties = _known(deals["buyer"], books) & _known(deals["seller"], books)
    checks = (
        (bounded, "has a price or quantity out of bounds"),
        (deals["value_fen"] == value, "has a value that is not price x quantity"),
        (((fees >= 0) & (fees <= CASH_FEN_MAX)).all(axis=0), "has a fee out of bounds"),
        (sell_fees <= value, "costs the seller more than it brings"),
        (parties, "names an account the registry does not have"),
        (deals["buyer"] != deals["seller"], "has one account on both sides"),
        (
            (deals["instrument"] >= 0) & (deals["instrument"] < len(file.codes)),
            "names an instrument the file does not have",
        ),
    )
    for sound, words in checks:
        found += _tell(np.flatnonzero(~sound), partial(_trade, deals, words))
    if deals["value_fen"].astype(float).sum() + fees.astype(float).sum() > TURNOVER_MAX:
        found.append("The day's turnover is beyond what can be added up.")
    return found


def balance_flaws(file: DealFile, books: Books) -> list[str]:
    """Check what the file states: known accounts and instruments, each once, nothing below one."""
    positions, cash = file.positions, file.cash
    found = []
    known = _known(positions["account"], books)
    known &= (positions["instrument"] >= 0) & (positions["instrument"] < len(file.codes))
    found += _tell(
        np.flatnonzero(~known | (positions["qty_tonnes"] < 1)),
        lambda row: f"The position in row {row} names nobody, nothing or no quantity.",
    )
    found += _tell(
        np.flatnonzero(~_known(cash["account"], books) | (cash["cash_fen"] < 1)),
        lambda row: f"The cash in row {row} names nobody or no amount.",
    )
    pairs = positions[["account", "instrument"]]
    if len(np.unique(pairs)) != len(pairs) or len(np.unique(cash["account"])) != len(cash):
        found.append("The file states a position or an account's cash twice.")
    return found


def goods_not_covered(file: DealFile, books: Books, goods_t_plus: int) -> list[str]:
    """Delivery: name the first deal of each seller and vintage that the seller cannot deliver."""
    deals = file.deals
    width = max(1, len(file.codes))
    sold = deals["seller"].astype(np.int64) * width + deals["instrument"]
    bought = deals["buyer"].astype(np.int64) * width + deals["instrument"]
    if goods_t_plus:  # TR-47: what was bought today does not help
        keys, change = sold, -deals["qty_tonnes"]
        rows = np.arange(len(deals))
    else:
        keys = np.stack([sold, bought], axis=1).reshape(-1)
        change = np.stack([-deals["qty_tonnes"], deals["qty_tonnes"]], axis=1).reshape(-1)
        rows = np.repeat(np.arange(len(deals)), 2)
    short = first_shortfalls(keys, change, books.tonnes.reshape(-1))
    return _tell(
        rows[short],
        lambda row: _trade(
            deals,
            f"is not covered: {books.name(int(deals['seller'][row]))} has too little "
            f"{file.codes[int(deals['instrument'][row])]} that was not bought today",
            row,
        ),
    )


def cash_not_covered(file: DealFile, books: Books) -> list[str]:
    """Payment: name the first deal of each buyer that the buyer cannot pay with its fees."""
    deals = file.deals
    paid, received = payments(deals)
    keys = np.stack([deals["buyer"], deals["seller"]], axis=1).reshape(-1)
    change = np.stack([-paid, received], axis=1).reshape(-1)
    short = first_shortfalls(keys, change, books.cash_fen)
    return _tell(
        np.repeat(np.arange(len(deals)), 2)[short],
        lambda row: _trade(
            deals,
            f"is not paid for: {books.name(int(deals['buyer'][row]))} has too little cash",
            row,
        ),
    )


def payments(deals: Array) -> tuple[Array, Array]:
    """Return what each buyer pays and each seller receives, in fen, shape (deals,) each."""
    paid = deals["value_fen"] + deals["buy_trading_fee_fen"] + deals["buy_settlement_fee_fen"]
    received = deals["value_fen"] - deals["sell_trading_fee_fen"] - deals["sell_settlement_fee_fen"]
    return paid, received


def first_shortfalls(keys: Array, change: Array, opening: Array) -> Array:
    """Return, per key, the place of the first change that brings its running balance below zero.

    keys, change: shape (n,), in the order of the deals; opening: balance by key. Ascending places.
    """
    if not len(keys):
        return np.zeros(0, np.int64)
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=sorted_keys[0] - 1))
    lengths = np.diff(starts, append=len(keys))
    running = np.cumsum(change[order])
    before = np.repeat(running[starts] - change[order][starts], lengths)
    short = np.flatnonzero(opening[sorted_keys] + running - before < 0)
    _, first = np.unique(sorted_keys[short], return_index=True)
    places: Array = np.sort(order[short[first]])
    return places


def tonnes_differ(file: DealFile, books: Books) -> list[str]:
    """Compare every trading-side holding after the day with the exchange's positions (I10)."""
    deals = file.deals
    own = books.tonnes + books.judicial
    np.subtract.at(own, (deals["seller"], deals["instrument"]), deals["qty_tonnes"])
    np.add.at(own, (deals["buyer"], deals["instrument"]), deals["qty_tonnes"])
    stated = np.zeros_like(own)
    stated[file.positions["account"], file.positions["instrument"]] = file.positions["qty_tonnes"]
    where = np.argwhere(own != stated)
    return _tell(
        range(len(where)),
        lambda place: _differs(
            books.name(int(where[place][0])),
            file.codes[where[place][1]],
            int(own[tuple(where[place])]),
            int(stated[tuple(where[place])]),
            "t",
        ),
    )


def cash_differs(file: DealFile, books: Books) -> list[str]:
    """Compare every subject's money after the day with the exchange's figure (I10)."""
    paid, received = payments(file.deals)
    own = books.cash_fen.copy()
    np.subtract.at(own, file.deals["buyer"], paid)
    np.add.at(own, file.deals["seller"], received)
    stated = np.zeros_like(own)
    stated[file.cash["account"]] = file.cash["cash_fen"]
    return _tell(
        np.flatnonzero(own != stated),
        lambda row: _differs(books.name(row), "cash", int(own[row]), int(stated[row]), "fen"),
    )


def _known(accounts: Array, books: Books) -> Array:
    known: Array = (accounts >= 0) & (accounts < len(books.names))
    return known


def _trade(deals: Array, words: str, row: int) -> str:
    return f"Trade {deals['trade_no'][row]} {words}."


def _differs(who: str, what: str, own: int, stated: int, unit: str) -> str:
    return (
        f"{what} of {who}: the registry's recomputation gives {own:,} {unit}, the exchange's file "
        f"states {stated:,} {unit}."
    )


def _tell(rows: Iterable[int] | Array, sentence: Callable[[int], str]) -> list[str]:
    """Return a sentence for each row, up to the limit, then how many more there are."""
    chosen = [int(row) for row in rows]
    told = [sentence(row) for row in chosen[:SENTENCES_MAX]]
    if len(chosen) > SENTENCES_MAX:
        told.append(f"… and {len(chosen) - SENTENCES_MAX} more of this kind.")
    return told
