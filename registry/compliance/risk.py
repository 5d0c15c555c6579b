"""Risk watch: who will fall short, by how much, at what price; what must not be sold (CP-40).

From the registry's holdings and obligations and from what the exchange hands in of open orders.
Of every entity each vintage goes to the obligation that can use it soonest; what is missing then
is short. Everything for all entities at once, as arrays (entities,). ``watch`` writes it down.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, func, select
from sqlalchemy import cast as sql_cast

from engine.records import PRICE_TICKS_MAX, Modality
from engine.state import State
from registry import ledger
from registry.accounts import Directory
from registry.compliance import eligibility, standing
from registry.compliance.penalty_rules import half_up
from registry.errors import RefusalError
from registry.monitoring import checks, entities
from registry.schema import (
    CASH,
    IN_TRANSIT,
    REGISTRY_AVAILABLE,
    STANDING,
    TRADING_AVAILABLE,
    Number,
    days,
    deals,
    units,
)
from registry.windows import moment

USABLE = (REGISTRY_AVAILABLE, IN_TRANSIT, TRADING_AVAILABLE)  # what no court has frozen
Array = np.ndarray[Any, np.dtype[Any]]


class Market(NamedTuple):
    """What the exchange hands in; accounts are trading indexes.

    ``selling_tonnes``: of open sell orders, by account and vintage. ``cash_fen``: free and locked,
    by account; who is not in it has what the registry's own books say.
    """

    selling_tonnes: Mapping[tuple[int, str], int] = {}
    cash_fen: Mapping[int, int] = {}


def market_of(state: State) -> Market:
    """Return what an exchange's state says: frozen for open sales, and all its cash."""
    known = state.market[0]
    people, kinds = int(known["accounts"]), int(known["instruments"])
    codes = [code.decode() for code in state.instruments["code"][:kinds].tolist()]
    frozen = state.holdings["frozen_tonnes"][:people, :kinds]
    selling = {
        (account, codes[row]): int(frozen[account, row])
        for account, row in np.argwhere(frozen).tolist()
    }
    rows = state.accounts[:people]
    cash = rows["cash_available_fen"] + rows["cash_frozen_fen"]
    return Market(selling, dict(enumerate(cash.tolist())))


class Risk(NamedTuple):
    """One open obligation and what is there for it, in tonnes and fen.

    ``level``: "" (covered), over_selling (covered unless the open sales are done), short,
    unaffordable (the entity's money does not buy what is missing). ``price_fen`` 0: unknown.
    """

    entity: str
    account: int | None
    province: str
    year: int
    level: str
    due_tonnes: int
    short_tonnes: int
    short_if_sold_tonnes: int
    price_fen: int
    cash_fen: int

    @property
    def cost_fen(self) -> int:
        """What the missing tonnes cost at that price."""
        return self.short_tonnes * self.price_fen


class Guard(NamedTuple):
    """A proposal to the exchange: these tonnes must stay (TR-116); ``account``: trading index."""

    entity: str
    account: int
    vintage: str
    tonnes: int


class Outlook(NamedTuple):
    """Every open obligation, and the proposals for those at risk."""

    risks: list[Risk]
    guards: list[Guard]

    @property
    def at_risk(self) -> list[Risk]:
        """Those that the province is warned of."""
        return [one for one in self.risks if one.level]


class Need(NamedTuple):
    """What everybody still owes for a year, and the years of the vintages that serve it."""

    year: int
    first: int
    last: int
    tonnes: Array


def match(
    stock: Mapping[int, Array], needs: Sequence[Need]
) -> tuple[dict[int, Array], list[Array]]:
    """Return what is used of each vintage (by its year), and what each need lacks then.

    stock, tonnes: int64 (entities,). Vintages from the oldest on serve first what can use them
    the shortest time: no other way covers more, and less stock leaves no need better off.
    """
    left = [need.tonnes.copy() for need in needs]
    order = sorted(range(len(needs)), key=lambda place: (needs[place].last, needs[place].year))
    used: dict[int, Array] = {}
    for vintage in sorted(stock):
        free = stock[vintage].copy()
        for place in order:
            if needs[place].first <= vintage <= needs[place].last:
                given = np.minimum(free, left[place])
                free -= given
                left[place] -= given
        used[vintage] = stock[vintage] - free
    return used, left


class _Books:
    """Everything the outlook looks at, read once; rows are the entities that owe."""

    def __init__(self, tx: Connection, market: Market, years: Collection[int], at_ns: int) -> None:
        found = standing.of(tx, years=years)
        self.owed = {key: one for key, one in found.items() if one.open_tonnes > 0}
        names = sorted({entity for entity, _ in self.owed})
        known = entities.all_by_code(tx)
        self.who = [known[name] for name in names]
        self.row = {name: row for row, name in enumerate(names)}
        directory = Directory(tx)
        self.index_of = directory.index_of
        self.code_of = {unit: code for code, unit in ledger.unit_ids(tx).items()}
        self.code_of = {u: c for u, c in self.code_of.items() if eligibility.is_vintage(c)}
        row_of = {one.account: row for row, one in enumerate(self.who) if one.account is not None}
        self.held = {kind: self._empty() for kind in USABLE}
        self.cash = np.zeros(len(names), np.int64)
        for bucket, balance in ledger.balances(tx, (*USABLE, CASH)).items():
            row = row_of.get(bucket.account)
            if row is None:
                continue
            if bucket.kind == CASH:
                self.cash[row] = balance
            elif bucket.unit in self.code_of:
                self.held[bucket.kind][self._year(bucket.unit)][row] += balance
        self.selling = self._empty()
        self._hand_in(market, directory, row_of)
        self.needs = [self._need(year, at_ns) for year in sorted({year for _, year in self.owed})]

    def _year(self, unit: int) -> int:
        return eligibility.year_of(self.code_of[unit])

    def _empty(self) -> dict[int, Array]:
        return {self._year(unit): np.zeros(len(self.who), np.int64) for unit in self.code_of}

    def _hand_in(self, market: Market, who: Directory, row_of: dict[int, int]) -> None:
        for (index, code), tonnes in market.selling_tonnes.items():
            year = eligibility.year_of(code)
            if not checks.is_whole(tonnes) or tonnes < 0 or year not in self.selling:
                raise RefusalError("market_invalid", f"{tonnes!r} t of {code} are no open sale.")
            row = row_of.get(who.id_of(index))
            if row is not None:
                self.selling[year][row] += tonnes
        for index, fen in market.cash_fen.items():
            if not checks.is_whole(fen) or fen < 0:
                raise RefusalError("market_invalid", f"{fen!r} fen are no cash.")
            row = row_of.get(who.id_of(index))
            if row is not None:
                self.cash[row] = fen

    def _need(self, year: int, at_ns: int) -> Need:
        tonnes = np.zeros(len(self.who), np.int64)
        for (entity, of), one in self.owed.items():
            if of == year:
                tonnes[self.row[entity]] = one.open_tonnes
        rule = eligibility.rule_of(year, at_ns)
        return Need(year, *rule.vintages, tonnes)

    def stock(self, if_sold: bool) -> dict[int, Array]:
        """Return what is usable of each vintage, without what is for sale if told so."""
        found = {}
        for year in self.selling:
            trading = self.held[TRADING_AVAILABLE][year]
            if if_sold:
                trading = np.maximum(trading - self.selling[year], 0)
            found[year] = trading + self.held[REGISTRY_AVAILABLE][year]
            found[year] += self.held[IN_TRANSIT][year]
        return found


def outlook(
    tx: Connection,
    market: Market,
    at_ns: int,
    years: Collection[int] = (),
    price_fen: int | None = None,
) -> Outlook:
    """Return where every open obligation (of some years) will end if nothing more is bought.

    ``price_fen``: of a tonne; None: the latest close of a vintage that serves the year.
    RefusalError: time_invalid, price_invalid, market_invalid, unknown_account, unknown_vintage.
    """
    moment(at_ns)
    if price_fen is not None and (
        not checks.is_whole(price_fen) or not 0 < price_fen <= PRICE_TICKS_MAX
    ):
        raise RefusalError("price_invalid", f"{price_fen!r} is no price in fen.")
    books = _Books(tx, market, years, at_ns)
    used, short = match(books.stock(False), books.needs)
    _, if_sold = match(books.stock(True), books.needs)
    closes = {} if price_fen is not None else latest_closes(tx)
    cash = books.cash.copy()  # what is left for the later years
    risks = []
    for need, missing, then in zip(books.needs, short, if_sold, strict=True):
        price = price_fen or price_for(closes, need)
        risks += [
            _risk(books, need, row, (missing, then, cash), price)
            for row in np.flatnonzero(need.tonnes).tolist()
        ]
        cash = _left(cash, missing, price)
    risks.sort(key=lambda one: (one.entity, one.year))
    return Outlook(risks, _guards(books, used, {one.entity for one in risks if one.level}))


def _risk(
    books: _Books, need: Need, row: int, found: tuple[Array, Array, Array], price: int
) -> Risk:
    short, if_sold, cash = (int(one[row]) for one in found)
    level = "unaffordable" if short * price > cash else "short" if short else ""
    level = level or ("over_selling" if if_sold else "")
    who, due = books.who[row], int(need.tonnes[row])
    head = (who.code, who.account, who.province, need.year, level)
    return Risk(*head, due, short, if_sold, price, cash)


def _left(cash: Array, tonnes: Array, price: int) -> Array:
    """Return the money that is left for later years after what is missing was bought."""
    if not price:
        return cash
    affordable = cash // price
    left: Array = np.where(tonnes > affordable, 0, cash - np.minimum(tonnes, affordable) * price)
    return left


def _guards(books: _Books, used: Mapping[int, Array], at_risk: Collection[str]) -> list[Guard]:
    """Propose that what is needed of the trading side stays there (TR-116)."""
    found = []
    for unit, code in books.code_of.items():
        year = eligibility.year_of(code)
        trading = books.held[TRADING_AVAILABLE][year]
        needed = used[year] - books.held[REGISTRY_AVAILABLE][year] - books.held[IN_TRANSIT][year]
        tonnes = np.minimum(np.maximum(needed, 0), trading)
        for row in np.flatnonzero(tonnes).tolist():
            who = books.who[row]
            if who.code in at_risk and who.account is not None:
                found.append(
                    Guard(
                        who.code, books.index_of[who.account], books.code_of[unit], int(tonnes[row])
                    )
                )
    return sorted(found)


def latest_closes(tx: Connection) -> dict[int, tuple[int, int]]:
    """Return date and close in fen of each vintage (by its year) on its last day of trade.

    The close is that day's listed turnover over volume, half up to 0.01 yuan (TR-100).
    """
    d = deals.c
    listed = (d.modality == int(Modality.LISTED), STANDING, days.c.status == "posted")
    joined = deals.join(days, days.c.date == d.date)
    last = (
        select(d.unit, func.max(d.date).label("date"))
        .select_from(joined)
        .where(*listed)
        .group_by(d.unit)
        .subquery()
    )
    turnover, volume = (
        sql_cast(func.sum(column), Number) for column in (d.value_fen, d.qty_tonnes)
    )
    rows = tx.execute(
        select(units.c.code, d.date, turnover, volume)
        .select_from(joined.join(units, units.c.id == d.unit))
        .join(last, (last.c.unit == d.unit) & (last.c.date == d.date))
        .where(*listed)
        .group_by(units.c.code, d.date)
    )
    return {
        eligibility.year_of(code): (int(date), half_up(Fraction(int(fen), int(tonnes))))
        for code, date, fen, tonnes in rows
        if eligibility.is_vintage(code)
    }


def price_for(closes: Mapping[int, tuple[int, int]], need: Need) -> int:
    """Return the newest close of a vintage that serves a need, of several the lowest; 0 = none."""
    serving = [
        (-date, fen) for year, (date, fen) in closes.items() if need.first <= year <= need.last
    ]
    return min(serving)[1] if serving else 0
