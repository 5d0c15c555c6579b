"""The roster: who is on the list of a year, why, and who leaves it (CP-03 … CP-06, CP-08, E83).

A list of year Y comes out when the figures of Y − 2 are the newest verified ones (CP-05), so these
are compared with the threshold unless the caller names another base year. Leaving the roster moves
nothing in the ledger: who leaves keeps what he has and may sell it (E83).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from registry.bulk import insert_many
from registry.database import insert_missing
from registry.errors import RefusalError
from registry.monitoring import boundary, checks, clock, verified
from registry.monitoring.entities import Entity, all_by_code
from registry.monitoring.schema import (
    PILOT_MARKETS,
    entities,
    facilities,
    pilots,
    roster,
    roster_log,
)
from registry.windows import moment

THRESHOLD_TONNES = 26_000  # CP-03
FIRST_YEARS = {"power": 2019, "steel": 2024, "cement": 2024, "aluminium": 2024}  # CP-01
NEWEST_FIGURES = 2  # years between a roster's year and the figures it is drawn up from
STATUS_OF = {
    "threshold": "listed",
    "listed_before": "listed",
    "below_two_years": "removed",
    "ceased": "removed",
}


class Listing(NamedTuple):
    """What is decided about an entity; the figure only where none is verified yet."""

    entity: str
    grounds: str = "threshold"
    emissions_tonnes: int | None = None

    @property
    def status(self) -> str:
        """Listed or removed."""
        return STATUS_OF[self.grounds]


class Entry(NamedTuple):
    """A row of the roster."""

    year: int
    entity: str
    sector: str
    province: str
    status: str
    grounds: str
    emissions_tonnes: int | None
    document: str
    person: int
    decided_ns: int


class Published(NamedTuple):
    """What a publication did: how many are listed and removed, and which sectors came late."""

    listed: int
    removed: int
    late_sectors: tuple[str, ...]  # CP-05


class _Facts:
    """What the rules ask about a year, read once."""

    def __init__(self, tx: Connection, year: int, base_year: int | None) -> None:
        self.year = year
        base = year - NEWEST_FIGURES if base_year is None else base_year
        self.entities = all_by_code(tx)
        self.before = listed(tx, year - 1)
        self.figure = verified.of_year(tx, base)
        self.figure_before = verified.of_year(tx, base - 1)
        self.base = base

    def below_two_years(self, code: str) -> bool:
        """Whether the two newest verified years are below the threshold (CP-04)."""
        newest = (self.figure.get(code), self.figure_before.get(code))
        return all(one is not None and one < THRESHOLD_TONNES for one in newest)


def propose(
    tx: Connection, year: int, base_year: int | None = None, ceased: Collection[str] = ()
) -> list[Listing]:
    """Return what the rules say about everybody for a year; nothing is written.

    ``ceased``: who is known to have stopped; besides these, who has only closed facilities.
    """
    facts = _Facts(tx, checks.year(year), base_year)
    stopped = set(ceased) | set(_all_closed(tx, year))
    found = []
    for code, who in facts.entities.items():
        figure = facts.figure.get(code)
        if year < FIRST_YEARS[who.sector]:
            continue
        if code in stopped:
            if code in facts.before:
                found.append(Listing(code, "ceased", figure))
        elif figure is not None and figure >= THRESHOLD_TONNES:
            found.append(Listing(code, "threshold", figure))
        elif code in facts.before:
            leaves = facts.below_two_years(code)
            grounds = "below_two_years" if leaves else "listed_before"
            found.append(Listing(code, grounds, figure))
    return found


def publish(
    tx: Connection,
    year: int,
    listings: Sequence[Listing],
    document: str,
    person: int,
    at_ns: int,
    base_year: int | None = None,
) -> Published:
    """Put entities on the roster of a year, or take them off, all or none.

    Who is listed leaves his pilot markets (CP-08). RefusalError: those of ``Judge.refuse``,
    text_invalid, person_invalid, time_invalid.
    """
    checks.wording(document, "A document")
    checks.person(person)
    moment(at_ns)
    judge = Judge(tx, year, base_year)
    for one in listings:
        judge.refuse(one)
    return write(tx, [judge.row(one, document, person, at_ns) for one in listings])


def write(tx: Connection, rows: Sequence[dict[str, Any]]) -> Published:
    """Write rows that a judge has let pass."""
    if rows:
        insert_many(tx, roster, rows)
        _log(tx, rows)
        _leave_pilots(tx, int(rows[0]["year"]))
    late = {str(row["sector"]) for row in rows if _is_late(row)}
    count = sum(row["status"] == "listed" for row in rows)
    return Published(count, len(rows) - count, tuple(sorted(late)))


class Judge:
    """Says no to listings that the rules do not allow; remembers whom it has let pass."""

    def __init__(self, tx: Connection, year: int, base_year: int | None = None) -> None:
        self._facts = _Facts(tx, checks.year(year), base_year)
        self._decided = set(
            tx.execute(select(roster.c.entity).where(roster.c.year == year)).scalars()
        )

    def refuse(self, one: Listing) -> None:
        """Raise RefusalError or remember the listing.

        unknown_entity, grounds_invalid, listed_twice, sector_not_covered (CP-01),
        outside_boundary (CP-06), no_figure and below_threshold (CP-03), not_listed_before,
        must_leave and removal_unfounded (CP-04), tonnes_invalid.
        """
        who = self._facts.entities.get(one.entity)
        if who is None:
            raise RefusalError("unknown_entity", f"There is no entity {one.entity!r}.")
        if one.grounds not in STATUS_OF:
            raise RefusalError("grounds_invalid", f"{one.grounds!r} is none of {list(STATUS_OF)}.")
        if one.entity in self._decided:
            raise RefusalError(
                "listed_twice", f"The roster of {self._facts.year} has {one.entity} already."
            )
        self._refuse_outside(who)
        if one.grounds == "threshold":
            self._refuse_small(one)
        else:
            self._refuse_unfounded(one)
        self._decided.add(one.entity)

    def _refuse_outside(self, who: Entity) -> None:
        first = FIRST_YEARS[who.sector]
        if self._facts.year < first:
            sentence = f"{who.sector} is covered from {first} (CP-01)."
            raise RefusalError("sector_not_covered", sentence)
        boundary.refuse_outside(who.sector, who.industry, who.process)

    def _refuse_small(self, one: Listing) -> None:
        figure = self.figure(one)
        if figure is None:
            raise RefusalError(
                "no_figure", f"{one.entity} has no emissions of {self._facts.base} (CP-03)."
            )
        if checks.tonnes(figure) < THRESHOLD_TONNES:
            raise RefusalError(
                "below_threshold",
                f"{one.entity} emits {figure:,} t, less than {THRESHOLD_TONNES:,} t (CP-03).",
            )

    def _refuse_unfounded(self, one: Listing) -> None:
        if one.entity not in self._facts.before:
            raise RefusalError(
                "not_listed_before", f"{one.entity} is not on the roster of the year before."
            )
        leaves = self._facts.below_two_years(one.entity)
        if one.grounds == "listed_before" and leaves:
            raise RefusalError(
                "must_leave", f"{one.entity} is below the threshold for two years (CP-04)."
            )
        if one.grounds == "below_two_years" and not leaves:
            raise RefusalError(
                "removal_unfounded", f"{one.entity} is not below it for two years (CP-04)."
            )

    def figure(self, one: Listing) -> int | None:
        """Return the verified figure of the base year, or else the listing's own."""
        return self._facts.figure.get(one.entity, one.emissions_tonnes)

    def row(self, one: Listing, document: str, person: int, at_ns: int) -> dict[str, Any]:
        """Return the roster's row of a listing that passed."""
        who = self._facts.entities[one.entity]
        return Entry(
            *(self._facts.year, one.entity, who.sector, who.province, one.status, one.grounds),
            *(self.figure(one), document, person, at_ns),
        )._asdict()


def strike(tx: Connection, year: int, entity: str, document: str, person: int, at_ns: int) -> None:
    """Take somebody off the roster during the year: he has ceased production (CP-04).

    RefusalError not_listed.
    """
    checks.wording(document, "A document")
    moment(at_ns)
    refuse_unlisted(tx, entity, year)
    decided: dict[str, Any] = {"status": "removed", "grounds": "ceased", "document": document}
    decided |= {"person": checks.person(person), "decided_ns": at_ns}
    mine = (roster.c.year == year) & (roster.c.entity == entity)
    tx.execute(update(roster).where(mine).values(**decided))
    _log(tx, [{"year": year, "entity": entity, "emissions_tonnes": None, **decided}])


def refuse_unlisted(tx: Connection, entity: str, year: int) -> str:
    """Return the sector of who is listed in a year; RefusalError not_listed."""
    row = tx.execute(
        select(roster.c.sector, roster.c.status).where(
            roster.c.year == checks.year(year), roster.c.entity == entity
        )
    ).first()
    if row is None or row.status != "listed":
        raise RefusalError("not_listed", f"{entity!r} is not on the roster of {year} (CP-05).")
    return str(row.sector)


def of_year(
    tx: Connection, year: int, province: str | None = None, sector: str | None = None
) -> list[Entry]:
    """Return the roster of a year, of one province or sector if told so, by entity (CP-05)."""
    query = select(*(roster.c[name] for name in Entry._fields)).where(roster.c.year == year)
    if province is not None:
        query = query.where(roster.c.province == province)
    if sector is not None:
        query = query.where(roster.c.sector == sector)
    return [Entry(*row) for row in tx.execute(query.order_by(roster.c.entity))]


def note_pilots(tx: Connection, rows: Iterable[tuple[str, str]]) -> None:
    """Note (entity, pilot market) pairs (CP-08); RefusalError unknown_entity, market_invalid."""
    known = all_by_code(tx)
    noted = []
    for entity, market in rows:
        if entity not in known:
            raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")
        if market not in PILOT_MARKETS:
            raise RefusalError("market_invalid", f"{market!r} is no pilot market (CP-08).")
        noted.append({"entity": entity, "market": market, "left_year": 0})
    insert_missing(tx, pilots, noted)


def pilot_exits(tx: Connection, year: int) -> list[tuple[str, str]]:
    """Return (entity, pilot market) of those whom the roster of a year took out (CP-08)."""
    names = (pilots.c.entity, pilots.c.market)
    query = select(*names).where(pilots.c.left_year == year).order_by(*names)
    return [(str(entity), str(market)) for entity, market in tx.execute(query)]


def sectors(tx: Connection) -> dict[str, str]:
    """Return every entity's sector."""
    return {
        str(row.code): str(row.sector)
        for row in tx.execute(select(entities.c.code, entities.c.sector))
    }


def listed(tx: Connection, year: int) -> set[str]:
    """Return who is on the roster of a year and not removed."""
    query = select(roster.c.entity).where(roster.c.year == year, roster.c.status == "listed")
    return set(tx.execute(query).scalars())


def _all_closed(tx: Connection, year: int) -> Iterable[str]:
    """Return who has facilities, all of them closed before the year began."""
    open_still = (facilities.c.closed == 0) | (facilities.c.closed >= year * 10_000 + 101)
    query = (
        select(facilities.c.entity)
        .distinct()
        .where(facilities.c.entity.not_in(select(facilities.c.entity).where(open_still)))
    )
    return tx.execute(query).scalars()


def _leave_pilots(tx: Connection, year: int) -> None:
    on_list = select(roster.c.entity).where(roster.c.year == year, roster.c.status == "listed")
    tx.execute(
        update(pilots)
        .where(pilots.c.left_year == 0, pilots.c.entity.in_(on_list))
        .values(left_year=year)
    )


def _log(tx: Connection, rows: Sequence[dict[str, Any]]) -> None:
    last = tx.execute(select(func.coalesce(func.max(roster_log.c.line), 0))).scalar_one()
    names = [column.name for column in roster_log.c if column.name != "line"]
    insert_many(
        tx,
        roster_log,
        [
            {"line": int(last) + step, **{name: row[name] for name in names}}
            for step, row in enumerate(rows, 1)
        ],
    )


def _is_late(row: dict[str, Any]) -> bool:
    return clock.is_late("roster", str(row["sector"]), int(row["year"]), int(row["decided_ns"]))
