"""The deal file: deals, fees by component, positions, money, and a hash that sees all of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from engine.deals import deal_file
from engine.exchange import Exchange
from engine.records import Kind, Side, commands
from engine.state import Array
from tests.unit.engine.venue import morning, send


def traded_exchange() -> tuple[Exchange, Array]:
    exchange = morning()
    exchange.state.rules["listed_trading_fee_ppm"] = 6_000
    exchange.state.rules["listed_settlement_fee_ppm"] = 1_500
    batch = commands(2)
    batch["kind"], batch["account"], batch["instrument"] = (Kind.LIST, Kind.TAKE), (0, 1), 0
    batch["side"], batch["price_ticks"], batch["qty_tonnes"] = Side.SELL, 8001, (10, 7)
    batch["ref"] = (0, 1)
    return exchange, send(exchange, batch)


def test_deals_carry_value_and_both_fees() -> None:
    exchange, _ = traded_exchange()
    file = deal_file(exchange.state)
    assert file.codes == ("CEA25",)
    deal = file.deals[0]
    assert (deal["trade_no"], deal["buyer"], deal["seller"]) == (1, 1, 0)
    assert deal["value_fen"] == 8001 * 7 == 56_007
    assert deal["buy_trading_fee_fen"] == deal["sell_trading_fee_fen"] == 336  # 336.042
    assert deal["buy_settlement_fee_fen"] == deal["sell_settlement_fee_fen"] == 84  # 84.0105


def test_positions_and_cash_are_the_exchanges_own_books() -> None:
    exchange, _ = traded_exchange()
    file = deal_file(exchange.state)
    held = {int(p["account"]): int(p["qty_tonnes"]) for p in file.positions}
    assert held == {0: 99_993, 1: 100_007, 2: 100_000}
    cash = {int(c["account"]): int(c["cash_fen"]) for c in file.cash}
    assert cash == {0: 10**12 + 56_007 - 420, 1: 10**12 - 56_007 - 420, 2: 10**12}


def test_the_hash_sees_every_byte() -> None:
    exchange, _ = traded_exchange()
    file = deal_file(exchange.state)
    hashes = {file.sha256()}
    for name in ("deals", "positions", "cash"):
        rows = getattr(file, name)
        for field in rows.dtype.names:
            changed = rows.copy()
            changed[field][0] += 1
            hashes.add(replace(file, **{name: changed}).sha256())
    hashes.add(replace(file, date=file.date + 1).sha256())
    hashes.add(replace(file, codes=("CEA24",)).sha256())
    fields = sum(len(getattr(file, name).dtype.names) for name in ("deals", "positions", "cash"))
    assert len(hashes) == fields + 3
    assert 0 <= file.tag < 2**63


def test_a_day_without_deals_has_an_empty_file() -> None:
    file = deal_file(morning().state)
    assert len(file.deals) == 0
    assert len(file.positions) == 3
    assert np.array_equal(file.cash["cash_fen"], [10**12] * 3)
