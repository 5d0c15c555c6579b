"""What subjects read of their days: statements and deals (ST-05, TR-68)."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select

from registry.accounts import account as find_account
from registry.accounts import accounts_by_id, id_of
from registry.schema import STANDING, accounts, days, deals, statement_holdings, statements, units
from registry.statements import (
    TONNES,
    Fill,
    HoldingLine,
    ModalityLine,
    Statement,
    row,
    sums,
)


def statement(tx: Connection, account: int, date: int) -> Statement | None:
    """Return an account's statement of a posted date; None while there is none (ST-05)."""
    find_account(tx, account)
    found = of_day(tx, date, id_of(tx, account))
    return found[0] if found else None


def of_day(tx: Connection, date: int, only: int | None = None) -> list[Statement]:
    """Return every account's statement of a date by trading index, or one account's (by id).

    Empty while the date, or a day before it, has no statements yet.
    """
    if not _told(tx, date):
        return []
    everybody = accounts_by_id(tx, only)
    last = _last_rows(tx, date, only)
    lines = _lines(tx, date, only)
    dealt = _by_modality(tx, date, only)
    found = []
    for number, who in everybody.items():
        written = last.get(number)
        mine = lines.get(number, ())
        if written is None:
            found.append(Statement(date, who, 0, 0, 0, 0, 0, 0, 0, 0, 0, ()))
        elif written.date == date:
            funds = [getattr(written, name) for name in Statement._fields[2:11]]
            found.append(Statement._make((date, who, *funds, mine, dealt.get(number, ()))))
        else:
            funds = [written.available_funds] * 2 + [0] * 7
            rested = tuple(_rested(line) for line in mine if line.closing_tonnes)
            found.append(Statement._make((date, who, *funds, rested, ())))
    return found


def _told(tx: Connection, date: int) -> bool:
    of_date = select(days.c.told).where(days.c.date == date)
    untold = select(days.c.date).where(
        days.c.date <= date, days.c.status == "posted", days.c.told == 0
    )
    return bool(tx.execute(of_date).scalar()) and tx.execute(untold).first() is None


def _rested(line: HoldingLine) -> HoldingLine:
    closing = line.closing_tonnes
    return HoldingLine(line.vintage, closing, 0, 0, 0, 0, closing, 0)


def _latest(date: int, only: int | None) -> Any:
    """Return, as a subquery, the date of each account's last statement up to ``date``."""
    s = statements.c
    chosen: list[ColumnElement[bool]] = [s.date <= date]
    if only is not None:
        chosen.append(s.account == only)
    return (
        select(s.account, func.max(s.date).label("date"))
        .where(*chosen)
        .group_by(s.account)
        .subquery()
    )


def _last_rows(tx: Connection, date: int, only: int | None) -> dict[int, Any]:
    latest, s = _latest(date, only), statements.c
    joined = (latest.c.account == s.account) & (latest.c.date == s.date)
    return {found.account: found for found in tx.execute(select(statements).join(latest, joined))}


def _lines(tx: Connection, date: int, only: int | None) -> dict[int, tuple[HoldingLine, ...]]:
    latest, s = _latest(date, only), statement_holdings.c
    figures = (*(s[name] for name in TONNES[:4]), s.closing_tonnes, s.court_frozen_tonnes)
    rows = tx.execute(
        select(s.account, units.c.code, s.opening_tonnes, *figures)
        .join(units, units.c.id == s.unit)
        .join(latest, (latest.c.account == s.account) & (latest.c.date == s.date))
        .order_by(units.c.id)
    )
    found: dict[int, list[HoldingLine]] = defaultdict(list)
    for number, *line in rows:
        found[number].append(HoldingLine._make(line))
    return {number: tuple(mine) for number, mine in found.items()}


def _by_modality(
    tx: Connection, date: int, only: int | None
) -> dict[int, tuple[ModalityLine, ...]]:
    """Return what accounts (by id) dealt on a date, per way of trading."""
    d = deals.c
    names = ModalityLine._fields[1:]
    parts = []
    for own, side, word in (("buyer", "buy", "bought"), ("seller", "sell", "sold")):
        given = {
            f"{word}_tonnes": d.qty_tonnes,
            f"{side}_amount": d.value_fen,
            "trading_fee": d[f"{side}_trading_fee_fen"],
            "settlement_fee": d[f"{side}_settlement_fee_fen"],
        }
        chosen = [d.date == date, STANDING, *([d[own] == only] if only is not None else [])]
        parts.append(row([d[own].label("account"), d.modality], names, **given).where(*chosen))
    added = sums(parts, ["account", "modality"], names)
    found: dict[int, list[ModalityLine]] = defaultdict(list)
    for number, *line in tx.execute(select(added).order_by(added.c.modality)):
        found[number].append(ModalityLine._make(line))
    return {number: tuple(mine) for number, mine in found.items()}


def fills(tx: Connection, account: int, date: int | None = None) -> list[Fill]:
    """Return an account's deals in order, of one date or of all."""
    number, d = id_of(tx, account), deals.c
    parts = []
    for side, own, other in (("buy", "buyer", "seller"), ("sell", "seller", "buyer")):
        query = (
            select(
                d.date,
                d.trade_no,
                literal(side),
                units.c.code,
                d.price_ticks,
                d.qty_tonnes,
                d.value_fen,
                d[f"{side}_trading_fee_fen"],
                d[f"{side}_settlement_fee_fen"],
                accounts.c.code,
                d.modality,
            )
            .select_from(deals)
            .join(units, units.c.id == d.unit)
            .join(accounts, accounts.c.id == d[other])
            .where(d[own] == number, STANDING)
        )
        parts.append(query if date is None else query.where(d.date == date))
    found = [Fill._make(row) for part in parts for row in tx.execute(part)]
    return sorted(found, key=lambda fill: fill.trade_no)
