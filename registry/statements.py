"""What subjects are told in the evening (ST-05): money and tonnes, opening to closing.

A statement is written for every account whose trading side moved since the last posting. An
account that rested has the closing figures of its last statement, so nothing needs to be written
for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    func,
    insert,
    literal,
    select,
    union_all,
)
from sqlalchemy import cast as sql_cast

from registry import ledger
from registry.accounts import Account
from registry.schema import (
    CASH,
    FEN,
    STANDING,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    Number,
    days,
    deals,
    entries,
    statement_holdings,
    statements,
    transactions,
)

MONEY = (
    "cash_in",
    "cash_out",
    "buy_amount",
    "buy_fee",
    "sell_amount",
    "sell_fee",
    "settlement_fee",
)
TONNES = (
    "moved_in_tonnes",
    "moved_out_tonnes",
    "bought_tonnes",
    "sold_tonnes",
    "court_frozen_tonnes",
)


class HoldingLine(NamedTuple):
    """One vintage on a statement, in tonnes of the trading side."""

    vintage: str
    opening_tonnes: int
    moved_in_tonnes: int
    moved_out_tonnes: int
    bought_tonnes: int
    sold_tonnes: int
    closing_tonnes: int
    court_frozen_tonnes: int = 0  # less released; frozen ones are not in ``closing_tonnes`` (RG-16)


class ModalityLine(NamedTuple):
    """What an account dealt in one way of trading (10 listed, 20 bulk, 21 bidding) on a day."""

    modality: int
    bought_tonnes: int
    buy_amount: int
    sold_tonnes: int
    sell_amount: int
    trading_fee: int
    settlement_fee: int


class Statement(NamedTuple):
    """The daily statement with the fields of the national one (rules.md section 2), in fen."""

    date: int
    account: Account
    opening_funds: int
    available_funds: int
    buy_amount: int
    buy_fee: int
    cash_in: int
    sell_amount: int
    sell_fee: int
    cash_out: int
    settlement_fee: int
    holdings: tuple[HoldingLine, ...]
    modalities: tuple[ModalityLine, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the statement as plain data: the national one's fields, then the lines."""
        fields = self._asdict()
        who = fields.pop("account")
        return {
            "date": fields.pop("date"),
            "customer_no": who.code,
            "name": who.name,
            "trading_account": who.trading_account,
            "registry_account": who.registry_account,
            **fields,
            "holdings": [line._asdict() for line in self.holdings],
            "modalities": [line._asdict() for line in self.modalities],
        }


class Fill(NamedTuple):
    """One side of a cleared deal as its owner sees it, with the counterparty (TR-68)."""

    date: int
    trade_no: int
    side: str  # buy, sell
    vintage: str
    price_ticks: int
    qty_tonnes: int
    value_fen: int
    trading_fee_fen: int
    settlement_fee_fen: int
    counterparty: str  # its customer number
    modality: int


def write(tx: Connection, date: int, number: int) -> None:
    """Write the statements of the day that transaction ``number`` settled, as of that moment."""
    earlier = select(func.coalesce(func.max(days.c.txn), 0)).where(days.c.txn < number)
    span = (entries.c.txn > earlier.scalar_subquery()) & (entries.c.txn < number)
    then = ledger.balances_at(number)
    _write_money(tx, date, span, then)
    _write_tonnes(tx, date, span, then)


def row(key: Sequence[ColumnElement[Any]], names: Sequence[str], **given: Any) -> Select[Any]:
    """Return a query of key columns and named amounts, zero where nothing is given."""
    amounts = [given.get(name, literal(0)).label(name) for name in names]
    return select(*key, *amounts)


def _refused_after_all() -> Select[Any]:
    """Return the transactions that give back what the exchange refused: less has come in."""
    return select(transactions.c.id).where(transactions.c.kind == "refusal")


def sums(parts: Sequence[Select[Any]], key: Sequence[str], names: Sequence[str]) -> Any:
    """Return the amounts of all parts added up by key, as a subquery."""
    rows = union_all(*parts).subquery()
    totals = [sql_cast(func.sum(rows.c[name]), Number).label(name) for name in names]
    keys = [rows.c[name] for name in key]
    return select(*keys, *totals).group_by(*keys).subquery()


def _write_money(tx: Connection, date: int, span: ColumnElement[bool], then: Subquery) -> None:
    """Write a statement for every account whose trading side moved."""
    d, e = deals.c, entries.c
    gain, loss = e.credit_account.label("account"), e.debit_account.label("account")
    taken_back = _refused_after_all()
    of_day = (d.date == date) & STANDING
    parts = [
        row([gain], MONEY, cash_in=e.amount).where(span, e.credit_kind == CASH),
        row([loss], MONEY, cash_in=-e.amount).where(
            span, e.debit_kind == CASH, e.txn.in_(taken_back)
        ),
        row([loss], MONEY, cash_out=e.amount).where(
            span, e.debit_kind == CASH, e.txn.not_in(taken_back)
        ),
        row([gain], MONEY).where(span, e.credit_kind == TRADING_AVAILABLE),
        row([loss], MONEY).where(span, e.debit_kind.in_((TRADING_AVAILABLE, TRADING_JUDICIAL))),
        row(
            [d.buyer.label("account")],
            MONEY,
            buy_amount=d.value_fen,
            buy_fee=d.buy_trading_fee_fen,
            settlement_fee=d.buy_settlement_fee_fen,
        ).where(of_day),
        row(
            [d.seller.label("account")],
            MONEY,
            sell_amount=d.value_fen,
            sell_fee=d.sell_trading_fee_fen,
            settlement_fee=d.sell_settlement_fee_fen,
        ).where(of_day),
    ]
    moved = sums(parts, ["account"], MONEY)
    m = moved.c
    closing = func.coalesce(then.c.balance, 0)
    change = (
        m.cash_in
        - m.cash_out
        - m.buy_amount
        - m.buy_fee
        + m.sell_amount
        - m.sell_fee
        - m.settlement_fee
    )
    query = select(literal(date), m.account, closing - change, *(m[n] for n in MONEY), closing)
    cash = (then.c.account == m.account) & (then.c.unit == FEN) & (then.c.kind == CASH)
    query = query.select_from(moved.outerjoin(then, cash))
    names = ["date", "account", "opening_funds", *MONEY, "available_funds"]
    tx.execute(insert(statements).from_select(names, query))


def _write_tonnes(tx: Connection, date: int, span: ColumnElement[bool], then: Subquery) -> None:
    """Write a line for every vintage that an account with a statement has, or had this morning."""
    d, e = deals.c, entries.c
    gain = [e.credit_account.label("account"), e.unit]
    loss = [e.debit_account.label("account"), e.unit]
    taken_back = _refused_after_all()
    frozen, freed = e.credit_kind == TRADING_JUDICIAL, e.debit_kind == TRADING_JUDICIAL
    here = span & (e.credit_kind == TRADING_AVAILABLE)
    gone = span & (e.debit_kind == TRADING_AVAILABLE) & ~frozen
    of_day = (d.date == date) & STANDING
    parts = [
        row(gain, TONNES, moved_in_tonnes=e.amount).where(here, ~freed),
        row(loss, TONNES, moved_in_tonnes=-e.amount).where(gone, e.txn.in_(taken_back)),
        row(loss, TONNES, moved_out_tonnes=e.amount).where(gone, e.txn.not_in(taken_back)),
        row(loss, TONNES, court_frozen_tonnes=e.amount).where(span, frozen),
        row(gain, TONNES, court_frozen_tonnes=-e.amount).where(here, freed),
        row([d.buyer.label("account"), d.unit], TONNES, bought_tonnes=d.qty_tonnes).where(of_day),
        row([d.seller.label("account"), d.unit], TONNES, sold_tonnes=d.qty_tonnes).where(of_day),
    ]
    moved = sums(parts, ["account", "unit"], TONNES)
    m = moved.c
    told = statements.alias()
    figures = [func.coalesce(m[name], 0) for name in TONNES]
    closing = then.c.balance
    opening = closing - figures[0] + figures[1] - figures[2] + figures[3] + figures[4]
    joined = told.join(then, then.c.account == told.c.account).outerjoin(
        moved, (m.account == then.c.account) & (m.unit == then.c.unit)
    )
    query = (
        select(literal(date), then.c.account, then.c.unit, opening, *figures, closing)
        .select_from(joined)
        .where(
            told.c.date == date,
            then.c.kind == TRADING_AVAILABLE,
            (closing > 0) | m.account.is_not(None),
        )
    )
    names = ["date", "account", "unit", "opening_tonnes", *TONNES, "closing_tonnes"]
    tx.execute(insert(statement_holdings).from_select(names, query))
