"""Warnings to the provinces and proposals to the exchange, written down (CP-40, TR-116).

Nothing is executed here: a GUARD_HOLDING is the exchange operator's to give.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry import ledger, notices
from registry.accounts import Directory
from registry.compliance.carry_schema import guards, warnings
from registry.compliance.risk import Guard, Market, Outlook, Risk, outlook
from registry.monitoring import provinces
from registry.schema import accounts, units


class Warned(NamedTuple):
    """A warning as it was written down."""

    number: int
    entity: str
    province: str
    year: int
    level: str
    due_tonnes: int
    short_tonnes: int
    short_if_sold_tonnes: int
    price_fen: int
    cash_fen: int
    warned_ns: int

    @property
    def cost_fen(self) -> int:
        """What the missing tonnes cost at that price."""
        return self.short_tonnes * self.price_fen


def warn(
    tx: Connection,
    market: Market,
    at_ns: int,
    years: Collection[int] = (),
    price_fen: int | None = None,
) -> Outlook:
    """Write the warnings and proposals down and tell the provinces; return the outlook (CP-40)."""
    found = outlook(tx, market, at_ns, years, price_fen)
    account_of = {code: one.account for code, one in provinces.all_of(tx).items()}
    last = int(tx.execute(select(func.coalesce(func.max(warnings.c.id), 0))).scalar_one())
    rows, told = [], []
    for number, one in enumerate(found.at_risk, last + 1):
        row = one._asdict()
        del row["account"]
        rows.append({"id": number, **row, "warned_ns": at_ns})
        told.append((account_of[one.province], _sentence(one)))
    if rows:
        tx.execute(insert(warnings), rows)
        notices.tell_many(tx, "warning", told, at_ns)
    _propose(tx, found.guards, at_ns)
    return found


def _sentence(one: Risk) -> str:
    words = {
        "over_selling": f"{one.short_if_sold_tonnes:,} t will be missing if its sales are done",
        "short": f"{one.short_tonnes:,} t are missing",
        "unaffordable": f"{one.short_tonnes:,} t are missing and not paid for",
    }
    cost = f", {one.cost_fen:,} fen at {one.price_fen:,} a tonne" if one.cost_fen else ""
    return (
        f"{one.entity} owes {one.due_tonnes:,} t of {one.year}: {words[one.level]}{cost} (CP-40)."
    )


def _propose(tx: Connection, proposed: Sequence[Guard], at_ns: int) -> None:
    if not proposed:
        return
    last = int(tx.execute(select(func.coalesce(func.max(guards.c.id), 0))).scalar_one())
    who, unit_of = Directory(tx), ledger.unit_ids(tx)
    rows = [
        {"id": number, "entity": one.entity, "account": who.ids[one.account]}
        | {"unit": unit_of[one.vintage], "tonnes": one.tonnes, "proposed_ns": at_ns}
        for number, one in enumerate(proposed, last + 1)
    ]
    tx.execute(insert(guards), rows)


def warned(tx: Connection, province: str | None = None, entity: str | None = None) -> list[Warned]:
    """Return the warnings in order, of one province or entity if told so."""
    w = warnings.c
    query = select(*(w["id" if n == "number" else n] for n in Warned._fields)).order_by(w.id)
    query = query if province is None else query.where(w.province == province)
    query = query if entity is None else query.where(w.entity == entity)
    return [Warned(*row) for row in tx.execute(query)]


def proposed(tx: Connection) -> list[Guard]:
    """Return the proposals of the last round, for the exchange's operator (TR-116)."""
    g = guards.c
    last = select(func.max(warnings.c.warned_ns)).scalar_subquery()
    query = (
        select(g.entity, accounts.c.trading_index, units.c.code, g.tonnes)
        .join(accounts, accounts.c.id == g.account)
        .join(units, units.c.id == g.unit)
        .where(g.proposed_ns == last)
        .order_by(g.id)
    )
    return [Guard(*row) for row in tx.execute(query)]
