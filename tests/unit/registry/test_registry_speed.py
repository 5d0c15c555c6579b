"""A busy day is settled quickly: ten thousand deals, thirty times a national day (ST-13)."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from engine.deals import CASH, DEAL, POSITION, DealFile
from registry.institution import Registry

PEOPLE, DEALS = 400, 10_000
TONNES, CASH_FEN = 100_000, 10**11
CPU_S_MAX = 2.0  # measured 0.2-0.3 s; see docs/reference/registry.md


def busy_day() -> DealFile:
    chance = np.random.default_rng(20210716)
    deals = np.zeros(DEALS, DEAL)
    deals["trade_no"] = 1 + np.arange(DEALS)
    deals["buyer"] = chance.integers(0, PEOPLE, DEALS)
    deals["seller"] = (deals["buyer"] + chance.integers(1, PEOPLE, DEALS)) % PEOPLE
    deals["price_ticks"] = chance.integers(4_320, 5_280, DEALS)
    deals["qty_tonnes"] = chance.integers(1, 200, DEALS)
    deals["value_fen"] = deals["price_ticks"].astype(np.int64) * deals["qty_tonnes"]
    positions, cash = np.zeros(PEOPLE, POSITION), np.zeros(PEOPLE, CASH)
    positions["account"] = cash["account"] = np.arange(PEOPLE)
    positions["qty_tonnes"], cash["cash_fen"] = TONNES, CASH_FEN
    np.add.at(positions["qty_tonnes"], deals["buyer"], deals["qty_tonnes"])
    np.subtract.at(positions["qty_tonnes"], deals["seller"], deals["qty_tonnes"])
    np.add.at(cash["cash_fen"], deals["seller"], deals["value_fen"])
    np.subtract.at(cash["cash_fen"], deals["buyer"], deals["value_fen"])
    return DealFile(20210716, ("CEA",), deals, positions, cash)


def test_ten_thousand_deals_are_cleared_and_posted_st_13(tmp_path: Path) -> None:
    with Registry.open(f"sqlite:///{tmp_path}/registry.db") as registry:
        who = registry.open_accounts([(f"K{n:04d}", f"Plant {n}") for n in range(PEOPLE)])
        registry.issue_many([("CEA", n, TONNES) for n in who])
        registry.deposit_many([(n, CASH_FEN) for n in who])
        registry.transfer_in_many([(n, "CEA", TONNES) for n in who])
        registry.record_done(3 * PEOPLE)
        file = busy_day()
        began = time.process_time()
        assert registry.clear(file).sound
        registry.post(file.date, file.tag)
        took = time.process_time() - began
        print(f"{DEALS:,} deals: {took:.2f} s")
        assert took < CPU_S_MAX
        assert registry.violations() == []
        assert sum(len(registry.trades(n)) for n in range(0, PEOPLE, 40)) > 0
