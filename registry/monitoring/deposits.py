"""Monthly deposits: a facility's parameters, computed and checked as they come in (CP-09)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, func, select

from registry.allocation.cells import CellError
from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks, clock, parameters, plans, plausibility, roster
from registry.monitoring.emissions import emissions_t, text_of
from registry.monitoring.entities import Facility
from registry.monitoring.findings import Found, write
from registry.monitoring.plausibility import Month
from registry.monitoring.report_schema import deposits
from registry.monitoring.schema import facilities, verified
from registry.windows import moment

Reported = Mapping[str, Sequence[str]]  # parameter -> (value, unit) or (value, unit, basis)


class Deposit(NamedTuple):
    """What a facility reports of a month YYYYMM."""

    entity: str
    facility: str
    month: int
    reported: Reported


class Taken(NamedTuple):
    """A deposit that was taken."""

    entity: str
    facility: str
    month: int
    version: int
    emissions_t: str
    is_late: bool
    findings: int


class Desk:
    """Takes deposits one by one, with what the books say read once; writes them all at the end."""

    def __init__(self, tx: Connection, months: Iterable[int], person: int, at_ns: int) -> None:
        self._tx = tx
        self._person = checks.person(person)
        self._at_ns = at_ns
        moment(at_ns)
        wanted = {month for one in months for month in (one, previous(one))}
        years = {month // 100 for month in wanted}
        self._facilities = {
            (row.entity, row.code): Facility(*row) for row in tx.execute(select(facilities))
        }
        self._sectors = roster.sectors(tx)
        self._listed = {year: roster.listed(tx, year) for year in years}
        self._planned = {year: plans.planned(tx, year) for year in years}
        self._verified = verified_years(tx, years)
        self._versions = _versions(tx, wanted)
        self._known = {
            (one.entity, one.facility, one.month): (one.set_name, one.values)
            for one in stored(tx, deposits.c.month.in_(sorted(wanted)))
        }
        self._taken: dict[tuple[str, str, int], Taken] = {}
        self._rows: list[dict[str, Any]] = []
        self._found: list[Found] = []

    def take(self, one: Deposit) -> Taken:
        """Check and remember a deposit.

        RefusalError: unknown_facility, month_invalid, too_early (CP-09), not_listed (CP-05),
        no_quality_plan (CP-09), facility_not_at_work, verified_already, deposited_twice.
        CellError (field, code, reason): those of ``parameters.parse``, missing_parameter,
        emissions_negative.
        """
        facility = self.refuse(one.entity, one.facility, one.month)
        set_name = self.set_of(facility)
        values = {
            name: parameters.parse(set_name, name, *cells) for name, cells in one.reported.items()
        }
        return self.take_values(facility, one.month, values)

    def set_of(self, facility: Facility) -> str:
        """Return which parameters a facility reports."""
        return parameters.set_of(self._sectors[facility.entity], facility.fuel)

    def take_values(self, facility: Facility, month: int, values: parameters.Values) -> Taken:
        """Remember a month of a facility that ``refuse`` has let pass.

        CellError missing_parameter, emissions_negative.
        """
        set_name = self.set_of(facility)
        parameters.refuse_incomplete(set_name, values)
        exact = emissions_t(set_name, values, month // 100)
        if exact < 0:
            raise CellError("value", "emissions_negative", "These values give negative emissions.")
        return self._remember(facility, _month(set_name, month, values, exact, facility))

    def refuse(self, entity: str, code: str, month: int) -> Facility:
        """Return the facility, or raise RefusalError if it has nothing to deposit now."""
        facility = self._facilities.get((entity, code))
        if facility is None:
            raise RefusalError("unknown_facility", f"{entity!r} has no facility {code!r}.")
        year = month // 100
        clock.refuse_early(clock.month_end(month), self._at_ns, "A deposit")
        if entity not in self._listed.get(year, ()):
            raise RefusalError("not_listed", f"{entity} is not on the roster of {year} (CP-05).")
        due = clock.due("quality_plan", self._sectors[entity], year)
        if due is not None and entity not in self._planned[year]:
            raise RefusalError(
                "no_quality_plan", f"{entity} has no data-quality plan of {year} ({due.clause})."
            )
        if month not in at_work(facility, year):
            raise RefusalError("facility_not_at_work", f"{code} was not at work in {month}.")
        if (entity, year) in self._verified:
            raise RefusalError(
                "verified_already", f"{year} of {entity} is verified; ask for a re-check (CP-11)."
            )
        if (entity, code, month) in self._taken:
            raise RefusalError("deposited_twice", f"{entity}/{code} has {month} twice.")
        return facility

    def _remember(self, facility: Facility, now: Month) -> Taken:
        key = (facility.entity, facility.code, now.month)
        self._known[key] = (now.set_name, now.values)
        version = self._versions.get(key, 0) + 1
        late = clock.is_late("deposit", self._sectors[facility.entity], now.month, self._at_ns)
        found = plausibility.check(now, self._before(facility, now.month))
        year = now.month // 100
        self._found += [
            Found(facility.entity, facility.code, year, now.month, version, one) for one in found
        ]
        taken = Taken(*key, version, text_of(now.emissions), late, len(found))
        self._taken[key] = taken
        content = checks.canonical(parameters.to_content(now.values, now.set_name))
        row = {"entity": facility.entity, "facility": facility.code, "month": now.month}
        row |= {"version": version, "set_name": now.set_name, "content": content}
        row |= {"emissions_t": taken.emissions_t, "person": self._person}
        self._rows.append({**row, "at_ns": self._at_ns, "late": int(late)})
        return taken

    def _before(self, facility: Facility, month: int) -> Month | None:
        before = previous(month)
        known = self._known.get((facility.entity, facility.code, before))
        if known is None:
            return None
        set_name, values = known
        exact = emissions_t(set_name, values, before // 100)
        return _month(set_name, before, values, exact, facility)

    def close(self) -> list[Taken]:
        """Write everything that was taken, in few statements."""
        insert_many(self._tx, deposits, self._rows)
        write(self._tx, self._found, self._at_ns)
        return list(self._taken.values())


class Stored(NamedTuple):
    """A deposit as the books have it: the version that counts."""

    entity: str
    facility: str
    month: int
    version: int
    set_name: str
    values: parameters.Values
    is_late: bool


def deposit(tx: Connection, rows: Sequence[Deposit], person: int, at_ns: int) -> list[Taken]:
    """Take deposits, all or none, older months first; RefusalError as ``Desk.take`` says."""
    for row in rows:
        clock.month_end(row.month)
    desk = Desk(tx, {row.month for row in rows}, person, at_ns)
    for row in sorted(rows, key=lambda one: one.month):
        try:
            desk.take(row)
        except CellError as error:
            where = f"{row.entity}/{row.facility} {row.month}"
            raise RefusalError(error.code, f"{where}: {error.reason}") from error
    return desk.close()


def of_year(tx: Connection, year: int) -> Iterable[Stored]:
    """Yield the deposits of a year that count."""
    return stored(tx, deposits.c.month.between(year * 100 + 1, year * 100 + 12))


def filed_by(tx: Connection, year: int, person: int) -> set[str]:
    """Return for whom a person has made deposits of a year."""
    d = deposits.c
    of_person = (d.person == person) & d.month.between(year * 100 + 1, year * 100 + 12)
    return set(tx.execute(select(d.entity).distinct().where(of_person)).scalars())


def stored(tx: Connection, *wanted: Any) -> Iterable[Stored]:
    """Yield the deposits that count, by entity, facility and month."""
    for row in tx.execute(_latest(*wanted)):
        values = parameters.from_content(json.loads(row.content))
        yield Stored._make([*row[:5], values, bool(row.late)])


def _latest(*wanted: Any) -> Select[Any]:
    d, other = deposits.c, deposits.alias()
    last = (
        select(func.max(other.c.version))
        .where(other.c.entity == d.entity, other.c.facility == d.facility, other.c.month == d.month)
        .scalar_subquery()
    )
    columns = (d.entity, d.facility, d.month, d.version, d.set_name, d.content, d.late)
    return (
        select(*columns).where(d.version == last, *wanted).order_by(d.entity, d.facility, d.month)
    )


def _versions(tx: Connection, months: set[int]) -> dict[tuple[str, str, int], int]:
    d = deposits.c
    rows = tx.execute(
        select(d.entity, d.facility, d.month, func.max(d.version))
        .where(d.month.in_(sorted(months)))
        .group_by(d.entity, d.facility, d.month)
    )
    return {(str(row[0]), str(row[1]), int(row[2])): int(row[3]) for row in rows}


def verified_years(tx: Connection, years: set[int]) -> set[tuple[str, int]]:
    """Return (entity, year) of what is verified among these years."""
    query = select(verified.c.entity, verified.c.year).where(verified.c.year.in_(sorted(years)))
    return {(str(entity), int(year)) for entity, year in tx.execute(query)}


def at_work(facility: Facility, year: int) -> list[int]:
    """Return the months YYYYMM of a year in which a facility was at work, wholly or partly."""
    first = facility.commissioned // 100
    last = facility.closed // 100 or 999_912
    return [month for month in range(year * 100 + 1, year * 100 + 13) if first <= month <= last]


def overdue(tx: Connection, year: int, at_ns: int) -> list[tuple[str, str, int]]:
    """Return (entity, facility, month) of a year's deposits that are due and not there (CP-09)."""
    moment(at_ns)
    sectors = roster.sectors(tx)
    listed = roster.listed(tx, checks.year(year))
    there = _versions(tx, set(range(year * 100 + 1, year * 100 + 13)))
    found = []
    query = select(facilities).order_by(facilities.c.entity, facilities.c.code)
    for row in tx.execute(query):
        if row.entity in listed:
            sector = sectors[row.entity]
            found += [
                (str(row.entity), str(row.code), month)
                for month in at_work(Facility(*row), year)
                if (row.entity, row.code, month) not in there
                and clock.is_late("deposit", sector, month, at_ns)
            ]
    return found


def previous(month: int) -> int:
    """Return the month before a month YYYYMM."""
    return month - 1 if month % 100 > 1 else month - 89


def _month(
    set_name: str, month: int, values: parameters.Values, exact: Fraction, facility: Facility
) -> Month:
    capacity = Fraction(facility.capacity_mw) if facility.capacity_mw else None
    return Month(set_name, month, values, exact, capacity)
