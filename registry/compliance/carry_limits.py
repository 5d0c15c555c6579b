"""How much of the 2019-2024 vintages an entity may take into 2025 (AL-50 … AL-53, AL-58).

``T = min(floor(base + 1.5 x NS), position)``: NS from the registry's own deals, the position from
the history of its entries. Everything for all entities at once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, func, select
from sqlalchemy import cast as sql_cast

from registry import ledger
from registry.compliance import eligibility, standing
from registry.compliance.schema import certificates
from registry.errors import RefusalError
from registry.monitoring import entities
from registry.schema import (
    IN_TRANSIT,
    JUDICIAL,
    REGISTRY_AVAILABLE,
    STANDING,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    Number,
    buckets,
    days,
    deals,
    transactions,
    units,
)
from registry.windows import nanoseconds


class Base(NamedTuple):
    """What may be carried over without net sales, pooled over an entity's vintages (U18)."""

    tonnes: int
    clause: str


BASES = {
    "power": Base(10_000, "AL-51"),
    "steel": Base(100_000, "AL-58"),
    "cement": Base(100_000, "AL-58"),
    "aluminium": Base(100_000, "AL-58"),
}
NET_SALES_TIMES = (3, 2)  # 1.5 x NS (AL-51)
YEARS_MET = (2023, 2024)  # in time, each where there was an obligation (AL-50)
TRADED = (20240101, 20251231)  # dates of the deals that count (AL-51, E73)
POSITION_DAY = dt.date(2025, 12, 31)  # at 23:59: that minute counts (AL-52)
HELD = (REGISTRY_AVAILABLE, TRADING_AVAILABLE, JUDICIAL, TRADING_JUDICIAL, IN_TRANSIT)
FROZEN = (JUDICIAL, TRADING_JUDICIAL)


class Limit(NamedTuple):
    """An entity's limit and what it comes from, in tonnes; ``account`` is an account's id."""

    entity: str
    account: int
    base_tonnes: int
    sold_tonnes: int
    bought_tonnes: int
    position_tonnes: int

    @property
    def net_sales_tonnes(self) -> int:
        """NS: never negative."""
        return max(self.sold_tonnes - self.bought_tonnes, 0)

    @property
    def tonnes(self) -> int:
        """T."""
        times, of = NET_SALES_TIMES
        most = self.base_tonnes + times * self.net_sales_tonnes // of
        return min(most, self.position_tonnes)


def old_units(tx: Connection) -> dict[int, str]:
    """Return the 2019-2024 vintages that the registry has issued: code by unit."""
    first, last = eligibility.OLD_VINTAGES
    codes = sorted({eligibility.vintage_of(year) for year in range(first, last + 1)})
    query = select(units.c.id, units.c.code).where(units.c.code.in_(codes)).order_by(units.c.id)
    return {int(number): str(code) for number, code in tx.execute(query)}


def books_of(tx: Connection, day: dt.date) -> int:
    """Return the last transaction that counts from ``day`` or before it; 0 if there is none."""
    last = select(func.coalesce(func.max(transactions.c.id), 0))
    return int(tx.execute(last.where(transactions.c.booked_ns < end_of(day))).scalar_one())


def end_of(day: dt.date) -> int:
    """Return the first moment after a day."""
    return nanoseconds(day + dt.timedelta(days=1), dt.time(0))


def refuse_unposted(tx: Connection) -> None:
    """Raise RefusalError day_not_posted while a day whose deals count is not posted (RG-10)."""
    open_days = select(func.min(days.c.date)).where(
        days.c.date <= TRADED[1], days.c.status != "posted"
    )
    date = tx.execute(open_days).scalar()
    if date is not None:
        raise RefusalError(
            "day_not_posted", f"{date} is not posted: its deals count for the limits (AL-51)."
        )


def met_in_time(tx: Connection) -> set[str]:
    """Return the entities that met every obligation of 2023 and 2024 in time, at least one (AL-50).

    What a correction has added since must be there too; it may have come later (RG-18).
    """
    c = certificates.c
    query = select(c.entity, c.year).where(c.late == 0, c.year.in_(YEARS_MET)).distinct()
    certified = {(str(code), int(year)) for code, year in tx.execute(query)}
    met: dict[str, bool] = {}
    for (code, year), one in standing.of(tx, years=YEARS_MET).items():
        in_time = one.is_met_in_time or (code, year) in certified
        met[code] = met.get(code, True) and one.is_fulfilled and in_time
    return {code for code, good in met.items() if good}


def of_all(tx: Connection, without: Collection[str] = ()) -> tuple[list[Limit], int]:
    """Return the limits of everybody who may carry over, by entity, and the books' transaction.

    Who has nothing at the end of the year (T = 0) is left out, and so is ``without``.
    RefusalError day_not_posted.
    """
    refuse_unposted(tx)
    number = books_of(tx, POSITION_DAY)
    old = sorted(old_units(tx))
    held = _positions(tx, end_of(POSITION_DAY), old)
    dealt = {side: _dealt(tx, side, old) for side in ("seller", "buyer")}
    met = met_in_time(tx)
    limits = []
    for code, who in entities.all_by_code(tx).items():
        if code in without or code not in met or who.account is None:
            continue
        sold, bought = (dealt[side].get(who.account, 0) for side in ("seller", "buyer"))
        base, position = BASES[who.sector].tonnes, held.get(who.account, 0)
        limit = Limit(code, who.account, base, sold, bought, position)
        if limit.tonnes > 0:
            limits.append(limit)
    return limits, number


def _positions(tx: Connection, before_ns: int, old: list[int]) -> dict[int, int]:
    """Return what accounts had of the old vintages together before a moment (AL-52)."""
    then = ledger.balances_before(before_ns)
    total = sql_cast(func.sum(then.c.balance), Number)
    chosen = (then.c.unit.in_(old), then.c.kind.in_(HELD))
    query = select(then.c.account, total).where(*chosen).group_by(then.c.account)
    return {int(account): int(tonnes) for account, tonnes in tx.execute(query)}


def _dealt(tx: Connection, side: str, old: list[int]) -> dict[int, int]:
    """Return what accounts sold or bought in the two years, over all modalities (AL-51)."""
    d = deals.c
    chosen = (d.date.between(*TRADED), d.unit.in_(old), STANDING, days.c.status == "posted")
    query = (
        select(d[side], sql_cast(func.sum(d.qty_tonnes), Number))
        .join(days, days.c.date == d.date)
        .where(*chosen)
        .group_by(d[side])
    )
    return {int(account): int(tonnes) for account, tonnes in tx.execute(query)}


def frozen(
    tx: Connection, accounts: Collection[int], before_ns: int | None = None
) -> dict[tuple[int, int], int]:
    """Return what courts have frozen, in tonnes by account and unit, or had then (AL-57)."""
    then = buckets if before_ns is None else ledger.balances_before(before_ns)
    query = (
        select(then.c.account, then.c.unit, sql_cast(func.sum(then.c.balance), Number))
        .where(then.c.kind.in_(FROZEN), then.c.account.in_(sorted(accounts)))
        .group_by(then.c.account, then.c.unit)
    )
    return {(int(row[0]), int(row[1])): int(row[2]) for row in tx.execute(query)}
