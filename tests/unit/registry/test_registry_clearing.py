"""The recomputation by itself: every way in which a file can be wrong is named (ST-03)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.deals import CASH, DEAL, POSITION, DealFile
from registry.clearing import SENTENCES_MAX, Books, differences, first_shortfalls

Array = np.ndarray[Any, np.dtype[Any]]


def books(people: int = 3, tonnes: int = 100, cash_fen: int = 10_000, last: int = 7) -> Books:
    return Books(
        np.full((people, 2), tonnes, np.int64),
        np.zeros((people, 2), np.int64),
        np.full(people, cash_fen, np.int64),
        [f"K{n}" for n in range(people)],
        last,
        np.zeros(0, np.int64),
    )


def deal(trade_no: int, seller: int, buyer: int, qty: int, price: int, **more: int) -> Array:
    row = np.zeros(1, DEAL)
    fields = {"trade_no": trade_no, "seller": seller, "buyer": buyer, "qty_tonnes": qty}
    fields |= {"price_ticks": price, "value_fen": price * qty, "modality": 10, **more}
    for name, value in fields.items():
        row[name] = value
    return row


def day(own: Books, *rows: Array) -> DealFile:
    """A file whose closing books are what the deals make of ``own``."""
    deals = np.concatenate([np.zeros(0, DEAL), *rows])
    tonnes, cash = own.tonnes.copy(), own.cash_fen.copy()
    for row in deals:
        tonnes[row["seller"], row["instrument"]] -= row["qty_tonnes"]
        tonnes[row["buyer"], row["instrument"]] += row["qty_tonnes"]
        cash[row["buyer"]] -= row["value_fen"] + row["buy_trading_fee_fen"]
        cash[row["seller"]] += row["value_fen"] - row["sell_settlement_fee_fen"]
    held = np.nonzero(tonnes)
    positions = np.zeros(len(held[0]), POSITION)
    positions["account"], positions["instrument"] = held
    positions["qty_tonnes"] = tonnes[held]
    funded = np.flatnonzero(cash)
    money = np.zeros(len(funded), CASH)
    money["account"], money["cash_fen"] = funded, cash[funded]
    return DealFile(20210716, ("CEA", "CEA21"), deals, positions, money)


def told(file: DealFile, own: Books) -> str:
    return "\n".join(differences(file, own))


def test_a_sound_day_has_no_differences() -> None:
    own = books()
    file = day(
        own,
        deal(8, 0, 1, 60, 48, buy_trading_fee_fen=3),
        deal(9, 1, 2, 100, 48, instrument=1, sell_settlement_fee_fen=4),
        deal(10, 0, 2, 40, 50),
    )
    assert differences(file, own) == []
    assert differences(day(own), own) == []  # a day without deals


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("trade_no", 9, "number 8 is due, the file has 9"),
        ("qty_tonnes", 0, "Trade 8 has a price or quantity out of bounds"),
        ("qty_tonnes", 10**10, "Trade 8 has a price or quantity out of bounds"),
        ("price_ticks", -1, "Trade 8 has a price or quantity out of bounds"),
        ("price_ticks", 49, "Trade 8 has a value that is not price x quantity"),
        ("value_fen", 2881, "Trade 8 has a value that is not price x quantity"),
        ("buy_trading_fee_fen", -1, "Trade 8 has a fee out of bounds"),
        ("sell_settlement_fee_fen", 2881, "Trade 8 costs the seller more than it brings"),
        ("buyer", 3, "Trade 8 names an account the registry does not have"),
        ("seller", -1, "Trade 8 names an account the registry does not have"),
        ("buyer", 0, "Trade 8 has one account on both sides"),
        ("instrument", 2, "Trade 8 names an instrument the file does not have"),
        ("instrument", -1, "Trade 8 names an instrument the file does not have"),
        ("seller", 2, "CEA of account K0 (trading index 0)"),
        ("buyer", 2, "cash of account K1 (trading index 1)"),
        ("instrument", 1, "CEA21 of account K0"),
    ],
)
def test_one_wrong_field_of_a_deal_is_named(field: str, value: int, words: str) -> None:
    """Among them a value that is not exactly price x quantity (ST-15)."""
    own = books()
    file = day(own, deal(8, 0, 1, 60, 48))
    wrong = file.deals.copy()
    wrong[field] = value
    assert words in told(replace(file, deals=wrong), own)


@pytest.mark.parametrize(
    ("part", "field", "value", "words"),
    [
        ("positions", "account", 3, "The position in row 0 names nobody"),
        ("positions", "instrument", 2, "The position in row 0 names nobody"),
        ("positions", "qty_tonnes", 0, "The position in row 0 names nobody"),
        ("positions", "instrument", 1, "a position or an account's cash twice"),
        ("positions", "qty_tonnes", 41, "gives 40 t, the exchange's file states 41 t"),
        ("cash", "account", -1, "The cash in row 0 names nobody"),
        ("cash", "cash_fen", -5, "The cash in row 0 names nobody"),
        ("cash", "account", 1, "a position or an account's cash twice"),
        ("cash", "cash_fen", 12_881, "gives 12,880 fen, the exchange's file states 12,881 fen"),
    ],
)
def test_one_wrong_figure_of_the_books_is_named(
    part: str, field: str, value: int, words: str
) -> None:
    own = books()
    file = day(own, deal(8, 0, 1, 60, 48))
    rows = getattr(file, part).copy()
    rows[field][0] = value
    assert words in told(replace(file, **{part: rows}), own)


def test_a_gap_or_a_repetition_in_the_numbers_is_named() -> None:
    own = books()
    rows = [deal(8, 0, 1, 1, 48), deal(10, 0, 1, 1, 48)]
    assert "number 9 is due, the file has 10" in told(day(own, *rows), own)
    rows = [deal(8, 0, 1, 1, 48), deal(8, 0, 1, 1, 48)]
    assert "number 9 is due, the file has 8" in told(day(own, *rows), own)


def test_delivery_counts_only_what_was_not_bought_today_tr_47() -> None:
    own = books()
    file = day(own, deal(8, 0, 1, 100, 48), deal(9, 1, 2, 100, 40), deal(10, 1, 2, 100, 40))
    found = differences(file, own)
    assert len(found) == 1
    assert "Trade 10 is not covered: account K1 (trading index 1) has too little CEA" in found[0]
    assert differences(file, own, goods_t_plus=0) == []


def test_with_t_plus_0_the_order_of_deals_still_counts() -> None:
    own = books(tonnes=100)
    file = day(own, deal(8, 1, 2, 150, 40), deal(9, 0, 1, 100, 48))
    assert "Trade 8 is not covered" in told(replace(file), own)
    assert "Trade 8 is not covered" in "".join(differences(file, own, goods_t_plus=0))


def test_payment_counts_what_was_sold_before_tr_48() -> None:
    own = books(cash_fen=5_000)
    first, second = deal(8, 1, 0, 100, 48), deal(9, 0, 1, 100, 95)  # 4,800, then 9,500
    assert differences(day(own, first, second), own) == []
    first["trade_no"], second["trade_no"] = 9, 8
    found = differences(day(own, second, first), own)
    assert len(found) == 1
    assert "Trade 8 is not paid for: account K1 (trading index 1)" in found[0]


def test_payment_counts_the_fees() -> None:
    own = books(cash_fen=4_800)
    assert differences(day(own, deal(8, 0, 1, 100, 48)), own) == []
    dear = day(own, deal(8, 0, 1, 100, 48))
    dear.deals["buy_trading_fee_fen"] = 1
    assert "Trade 8 is not paid for" in told(dear, own)


def test_a_turnover_beyond_arithmetic_is_refused_not_wrapped() -> None:
    own = books()
    rows = [deal(8 + n, 0, 1, 10**10 - 1, 10**7 - 1) for n in range(93)]
    file = replace(day(own), deals=np.concatenate(rows))
    assert "beyond what can be added up" in told(file, own)


def test_a_long_report_is_cut_and_counted() -> None:
    own = books(people=200)
    file = day(own)
    file.cash["cash_fen"] += 1
    found = differences(file, own)
    assert len(found) == SENTENCES_MAX + 1
    assert found[-1] == "… and 150 more of this kind."


def test_shortfalls_against_a_plain_loop() -> None:
    rng = np.random.default_rng(20210716)
    for _ in range(200):
        keys = rng.integers(0, 5, rng.integers(0, 40))
        change = rng.integers(-10, 8, len(keys))
        opening = rng.integers(0, 20, 5)
        running = opening.tolist()
        expected: dict[int, int] = {}
        for place, (key, amount) in enumerate(zip(keys.tolist(), change.tolist(), strict=True)):
            running[key] += amount
            if running[key] < 0:
                expected.setdefault(key, place)
        assert first_shortfalls(keys, change, opening).tolist() == sorted(expected.values())
