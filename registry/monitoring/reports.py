"""The annual report: a year's deposits added up, or a year's totals where none were due (CP-10)."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from registry.allocation.cells import CellError
from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks, clock, parameters, plausibility, roster, verified
from registry.monitoring.deposits import Reported, Stored, at_work, stored, verified_years
from registry.monitoring.emissions import emissions_t, text_of, whole_tonnes
from registry.monitoring.entities import Facility
from registry.monitoring.findings import Found, write
from registry.monitoring.plausibility import Month
from registry.monitoring.report_schema import deposits, reports
from registry.monitoring.schema import facilities
from registry.windows import moment

MONTHS_RULE, YEAR_RULE = "PC-61", "PC-62"


class Report(NamedTuple):
    """An annual report: the facilities' whole tonnes and their sum."""

    entity: str
    year: int
    version: int
    emissions_tonnes: int
    facilities: Mapping[str, Mapping[str, Any]]
    sha256: str
    person: int
    is_late: bool


class Refused(NamedTuple):
    """An entity that was left out of a run, with a code and a sentence."""

    entity: str
    code: str
    reason: str


class _Books:
    """What reporting of one year needs, read once."""

    def __init__(self, tx: Connection, year: int, person: int, at_ns: int) -> None:
        self.tx, self.year, self.at_ns = tx, checks.year(year), at_ns
        self.person = checks.person(person)
        moment(at_ns)
        clock.refuse_early(dt.date(year, 12, 31), at_ns, "An annual report")
        self.sectors = roster.sectors(tx)
        self.listed = roster.listed(tx, year)
        self.verified = {entity for entity, _ in verified_years(tx, {year})}
        self.last_year = verified.of_year(tx, year - 1)
        self.versions = _versions(tx, year)
        self.facilities: dict[str, dict[str, Facility]] = defaultdict(dict)
        for row in tx.execute(select(facilities).order_by(facilities.c.code)):
            self.facilities[row.entity][row.code] = Facility(*row)
        self.rows: list[dict[str, Any]] = []
        self.found: list[Found] = []

    def refuse(self, entity: str) -> None:
        """Raise RefusalError unknown_entity, not_listed (CP-05) or verified_already (CP-11)."""
        if entity not in self.sectors:
            raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")
        if entity not in self.listed:
            raise RefusalError(
                "not_listed", f"{entity} is not on the roster of {self.year} (CP-05)."
            )
        if entity in self.verified:
            raise RefusalError(
                "verified_already", f"{self.year} of {entity} is verified; ask for a re-check."
            )

    def add(self, entity: str, parts: Mapping[str, dict[str, Any]]) -> Report:
        """Remember a report whose facilities are ``parts``, with the checks of the whole year."""
        total = sum(int(part["emissions_tonnes"]) for part in parts.values())
        version = self.versions.get(entity, 0) + 1
        self._look_back(entity, version, total)
        late = clock.is_late("annual_report", self.sectors[entity], self.year, self.at_ns)
        content = checks.canonical({"facilities": parts})
        sha256 = checks.sha256(content)
        row = {"entity": entity, "year": self.year, "version": version, "late": int(late)}
        row |= {"emissions_tonnes": total, "content": content, "sha256": sha256}
        self.rows.append({**row, "person": self.person, "at_ns": self.at_ns})
        return Report(entity, self.year, version, total, parts, sha256, self.person, late)

    def note(self, entity: str, facility: str, finding: plausibility.Finding) -> None:
        """Remember a finding about the report that ``add`` will write next."""
        version = self.versions.get(entity, 0) + 1
        self.found.append(Found(entity, facility, self.year, 0, version, finding))

    def _look_back(self, entity: str, version: int, total: int) -> None:
        before = self.last_year.get(entity)
        rule = plausibility.rules()[YEAR_RULE]
        if not before:
            return
        if plausibility.change_percent(Fraction(total), Fraction(before)) > rule.percent:
            part = before * rule.percent / 100
            bounds = text_of(before - part), text_of(before + part)
            found = plausibility.finding(YEAR_RULE, str(total), *bounds)
            self.found.append(Found(entity, "", self.year, 0, version, found))

    def close(self) -> None:
        """Write the reports and their findings."""
        insert_many(self.tx, reports, self.rows)
        write(self.tx, self.found, self.at_ns)


def report(tx: Connection, year: int, entity: str, person: int, at_ns: int) -> Report:
    """Report a year from its deposits.

    RefusalError: too_early, those of ``_Books.refuse``, no_deposits (CP-09), person_invalid.
    """
    done, refused = report_all(tx, year, person, at_ns, [entity])
    if refused:
        raise RefusalError(refused[0].code, refused[0].reason)
    return done[0]


def report_all(
    tx: Connection, year: int, person: int, at_ns: int, entities: Collection[str] | None = None
) -> tuple[list[Report], list[Refused]]:
    """Report a year of these entities, or of everybody listed, from their deposits.

    Who cannot report is left out, with the code: the others are done.
    """
    books = _Books(tx, year, person, at_ns)
    first, last = year * 100 + 1, year * 100 + 12
    wanted: list[ColumnElement[bool]] = [deposits.c.month.between(first, last)]
    if entities is not None and len(entities) == 1:
        wanted.append(deposits.c.entity == next(iter(entities)))
    held: dict[str, dict[str, list[Stored]]] = defaultdict(lambda: defaultdict(list))
    for one in stored(tx, *wanted):
        held[one.entity][one.facility].append(one)
    done, refused = [], []
    for entity in sorted(books.listed if entities is None else set(entities)):
        try:
            books.refuse(entity)
            if entity not in held:
                raise RefusalError(
                    "no_deposits", f"{entity} has no deposits of {year} (CP-09, CP-10)."
                )
            done.append(books.add(entity, _from_deposits(books, entity, held[entity])))
        except RefusalError as error:
            refused.append(Refused(entity, error.code, error.sentence))
    books.close()
    return done, refused


def _from_deposits(
    books: _Books, entity: str, held: Mapping[str, Sequence[Stored]]
) -> dict[str, dict[str, Any]]:
    parts = {}
    for code, facility in books.facilities[entity].items():
        months = held.get(code, ())
        there = {one.month for one in months}
        for month in at_work(facility, books.year):
            if month not in there:
                books.note(entity, code, plausibility.finding(MONTHS_RULE, str(month)))
        if months:
            parts[code] = _sums(months)
    return parts


def _sums(months: Sequence[Stored]) -> dict[str, Any]:
    """Add a facility's months up: exactly, then half up to whole tonnes once (U27)."""
    exact = Fraction(0)
    sums: dict[str, Fraction] = {}
    for one in months:
        exact += emissions_t(one.set_name, one.values, one.month // 100)
        known = parameters.parameters(one.set_name)
        for name, given in one.values.items():
            if known[name].sums:
                sums[name] = sums.get(name, Fraction(0)) + given.value
    return _part(months[0].set_name, len(months), sums, exact)


def _part(
    set_name: str, months: int, sums: Mapping[str, Fraction], exact: Fraction
) -> dict[str, Any]:
    return {
        "set": set_name,
        "months": months,
        "sums": {name: text_of(one, 8) for name, one in sorted(sums.items())},
        "emissions_t": text_of(exact),
        "emissions_tonnes": whole_tonnes(exact),
    }


def report_totals(
    tx: Connection,
    year: int,
    rows: Mapping[str, Mapping[str, Reported]],
    person: int,
    at_ns: int,
) -> list[Report]:
    """Report a year from totals of the year (entity -> facility -> parameters), all or none.

    For years without monthly deposits. RefusalError: deposits_due (CP-09: they were due, so the
    report comes from them), unknown_facility, those of ``report`` and of ``parameters.parse``.
    """
    books = _Books(tx, year, person, at_ns)
    done = []
    for entity, reported in rows.items():
        books.refuse(entity)
        if clock.due("deposit", books.sectors[entity], year * 100 + 12) is not None:
            raise RefusalError(
                "deposits_due", f"{entity} deposits {year} by month and reports that (CP-09)."
            )
        for code, facility in books.facilities[entity].items():
            if code not in reported and at_work(facility, year):
                books.note(entity, code, plausibility.finding(MONTHS_RULE, str(year)))
        parts = {code: _from_totals(books, entity, code, cells) for code, cells in reported.items()}
        done.append(books.add(entity, parts))
    books.close()
    return done


def _from_totals(books: _Books, entity: str, code: str, cells: Reported) -> dict[str, Any]:
    facility = books.facilities[entity].get(code)
    if facility is None:
        raise RefusalError("unknown_facility", f"{entity!r} has no facility {code!r}.")
    set_name = parameters.set_of(books.sectors[entity], facility.fuel)
    try:
        values = {name: parameters.parse(set_name, name, *one) for name, one in cells.items()}
        parameters.refuse_incomplete(set_name, values)
    except CellError as error:
        raise RefusalError(error.code, f"{entity}/{code}: {error.reason}") from error
    exact = emissions_t(set_name, values, books.year)
    if exact < 0:
        raise RefusalError("emissions_negative", f"{entity}/{code} would emit less than nothing.")
    capacity = Fraction(facility.capacity_mw) if facility.capacity_mw else None
    for found in plausibility.check(Month(set_name, books.year * 100, values, exact, capacity)):
        books.note(entity, code, found)
    known = parameters.parameters(set_name)
    sums = {name: one.value for name, one in values.items() if known[name].sums}
    return _part(set_name, 0, sums, exact)


def newest(tx: Connection, year: int) -> dict[str, Report]:
    """Return the reports of a year that count, by entity."""
    rows = tx.execute(
        select(reports).where(reports.c.year == year).order_by(reports.c.entity, reports.c.version)
    )
    return {
        str(row.entity): Report(
            row.entity,
            row.year,
            row.version,
            row.emissions_tonnes,
            json.loads(row.content)["facilities"],
            row.sha256,
            row.person,
            bool(row.late),
        )
        for row in rows
    }


def _versions(tx: Connection, year: int) -> dict[str, int]:
    r = reports.c
    newest_ones = select(r.entity, func.max(r.version)).where(r.year == year).group_by(r.entity)
    return {str(entity): int(version) for entity, version in tx.execute(newest_ones)}
