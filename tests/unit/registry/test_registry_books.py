"""Statements, deals of an account, and the audit that anybody may ask for (9A, ST-05)."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine.records import Kind, Parameter
from registry.errors import RefusalError
from registry.statements import HoldingLine
from tests.unit.registry.registry_venue import DATES, VINTAGES, Venue


def test_a_statement_has_the_fields_of_the_national_one(venue: Venue) -> None:
    venue.close_day()
    venue.settle()
    venue.do(Kind.SET_PARAMETER, ref=Parameter.LISTED_TRADING_FEE_PPM, amount=1000)
    venue.do(Kind.SET_PARAMETER, ref=Parameter.LISTED_SETTLEMENT_FEE_PPM, amount=500)
    venue.open_day(DATES[1])
    venue.registry.deposit(1, 777)
    venue.registry.transfer_in(1, "CEA", 11)
    venue.instruct()
    venue.trade(seller=0, buyer=1, qty=100, price=5000)
    venue.trade(seller=1, buyer=2, qty=20, price=4500, instrument=1)
    venue.do(Kind.CASH_OUT, account=1, amount=33)
    venue.do(Kind.TRANSFER_OUT, account=1, instrument=1, qty_tonnes=5)
    venue.close_day()
    venue.settle()
    statement = venue.registry.statement(1, DATES[1])
    assert statement is not None
    assert statement.date == DATES[1]
    assert (statement.account.code, statement.account.name) == ("K0001", "Plant 1")
    assert statement.account.trading_account == "T00000001"
    assert statement.account.registry_account.startswith("R")
    assert statement.opening_funds == 100_000_000
    assert (statement.cash_in, statement.cash_out) == (777, 33)
    assert (statement.buy_amount, statement.buy_fee) == (500_000, 500)
    assert (statement.sell_amount, statement.sell_fee) == (90_000, 90)
    assert statement.settlement_fee == 250 + 45
    assert statement.available_funds == 100_000_000 + 777 - 33 - 500_500 + 89_910 - 295
    assert statement.holdings == (
        HoldingLine("CEA", 10_000, 11, 0, 100, 0, 10_111),
        HoldingLine("CEA21", 10_000, 0, 5, 0, 20, 9_975),
    )
    assert statement.available_funds == venue.registry.balances(1).cash_fen
    venue.sound()


def test_a_day_of_rest_continues_the_last_statement(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    venue.close_day()
    venue.settle()
    venue.open_day(DATES[1])
    venue.trade(2, 3, 5)
    venue.close_day()
    venue.settle()
    rested = venue.registry.statement(1, DATES[1])
    assert rested is not None
    assert rested.opening_funds == rested.available_funds == 100_000_000 - 480_000
    assert rested.holdings[0] == HoldingLine("CEA", 10_100, 0, 0, 0, 0, 10_100)
    assert [rested.buy_amount, rested.cash_in, rested.settlement_fee] == [0, 0, 0]


def test_statements_of_other_dates_and_people(venue: Venue) -> None:
    assert venue.registry.statement(1, DATES[0]) is None  # not yet posted
    venue.registry.open_account("NEW", "Nothing yet")
    venue.instruct()
    venue.close_day()
    venue.settle()
    nothing = venue.registry.statement(4, DATES[0])
    assert nothing is not None
    assert (nothing.opening_funds, nothing.available_funds, nothing.holdings) == (0, 0, ())
    assert venue.registry.statement(1, DATES[1]) is None
    with pytest.raises(RefusalError):
        venue.registry.statement(5, DATES[0])


def test_everything_sold_leaves_a_last_line_and_then_none(venue: Venue) -> None:
    venue.trade(0, 1, 10_000)
    venue.close_day()
    venue.settle()
    last = venue.registry.statement(0, DATES[0])
    assert last is not None
    assert last.holdings[0] == HoldingLine("CEA", 0, 10_000, 0, 0, 10_000, 0)
    venue.open_day(DATES[1])
    venue.do(Kind.CASH_OUT, account=0, amount=1)
    venue.close_day()
    venue.settle()
    after = venue.registry.statement(0, DATES[1])
    assert after is not None
    assert [line.vintage for line in after.holdings] == ["CEA21"]
    venue.sound()


def test_an_account_sees_its_deals_with_the_counterparty_tr_68(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    venue.trade(2, 0, 50, instrument=1)
    assert venue.registry.trades(0) == []  # the registry hears of them after the close
    venue.close_day()
    venue.settle()
    sold, bought = venue.registry.trades(0, DATES[0])
    assert (sold.side, sold.vintage, sold.qty_tonnes, sold.counterparty) == (
        "sell",
        "CEA",
        100,
        "K0001",
    )
    assert (bought.side, bought.vintage, bought.value_fen, bought.counterparty) == (
        "buy",
        "CEA21",
        240_000,
        "K0002",
    )
    assert venue.registry.trades(0, DATES[1]) == []
    assert venue.registry.trades(3) == []


SABOTAGE = {
    "a balance is changed": "UPDATE buckets SET balance = balance + 1 WHERE kind = 'cash'"
    " AND account = 7",
    "tonnes appear": "UPDATE buckets SET balance = balance + 1 WHERE kind = 'registry_available'"
    " AND account = 8 AND unit = 1",
    "an instruction is lost": "DELETE FROM instructions WHERE number = 3",
    "an instruction is done by hand": "UPDATE instructions SET status = 'done'"
    " WHERE status = 'pending'",
    "a settlement is forgotten": "UPDATE days SET status = 'cleared', txn = NULL",
}


@pytest.mark.parametrize("statement", SABOTAGE.values(), ids=SABOTAGE)
def test_the_audit_sees_what_was_done_behind_its_back(venue: Venue, statement: str) -> None:
    venue.trade(0, 1, 10)
    venue.close_day()
    venue.settle()
    venue.registry.deposit(0, 5)
    assert venue.registry.violations() == []
    with venue.registry.database.write() as tx:
        assert tx.execute(text(statement)).rowcount > 0
    assert venue.registry.violations() != []


def test_the_audit_sees_entries_added_behind_its_back(venue: Venue) -> None:
    row = (
        "INSERT INTO entries (txn, line, unit, debit_account, debit_kind, credit_account,"
        " credit_kind, amount) VALUES (1, 999, 1, 7, 'registry_available', 8,"
        " 'registry_available', 3)"
    )
    with venue.registry.database.write() as tx:
        tx.execute(text(row))
    found = venue.registry.violations()
    assert len(found) == 2
    assert "its entries add up to" in found[0]


@pytest.mark.parametrize("part", ["cash_available_fen", "available_tonnes"])
def test_the_audit_sees_an_exchange_that_differs_i10(venue: Venue, part: str) -> None:
    venue.trade(0, 1, 10)
    venue.sound()  # in the middle of the day
    if part == "available_tonnes":
        venue.state.holdings[2, 1][part] += 1
    else:
        venue.state.accounts[2][part] += 1
    found = venue.registry.violations(venue.state)
    assert len(found) == 1
    assert "K0002" in found[0]


def test_holdings_of_a_vintage_add_up(venue: Venue) -> None:
    for code in VINTAGES:
        rows = venue.registry.holdings(code)
        assert sum(sum(holding) for holding in rows.values()) == 4 * 20_000
    with pytest.raises(RefusalError):
        venue.registry.holdings("CEA99")
