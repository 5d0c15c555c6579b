"""The door of this room: monitoring, reporting, verification; one transaction a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from registry.database import Database
from registry.monitoring import (
    bulk,
    deposits,
    entities,
    exporting,
    findings,
    plans,
    provinces,
    rechecks,
    reports,
    roster,
    verification,
    verified,
)
from registry.monitoring.bulk import Summary
from registry.monitoring.deposits import Deposit, Reported, Taken
from registry.monitoring.entities import Entity, Facility, NewEntity
from registry.monitoring.findings import Kept
from registry.monitoring.plans import Plan
from registry.monitoring.provinces import Province
from registry.monitoring.rechecks import Change, Recheck
from registry.monitoring.reports import Refused, Report
from registry.monitoring.roster import Entry, Listing, Published
from registry.monitoring.verification import Adjusted, Feedback, Verified
from registry.monitoring.verified import Figure, Version


class Monitoring:
    """Who is covered and what was verified (CP-01 … CP-12)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Provinces and entities

    def open_provinces(self) -> None:
        """Open the national account, 31 provinces and the corps (RG-04); again does nothing."""
        with self._database.write() as tx:
            provinces.open_all(tx)

    def provinces(self) -> dict[str, Province]:
        """Return the provinces by code."""
        with self._database.read() as tx:
            return provinces.all_of(tx)

    def add_entities(self, rows: Sequence[NewEntity | tuple[str, str, str, str]]) -> None:
        """Enter (code, name, province, sector) rows, all or none; see ``entities.add``."""
        with self._database.write() as tx:
            entities.add(tx, [NewEntity(*row) for row in rows])

    def open_accounts(self) -> int:
        """Open the accounts that entities still lack (CP-05); return how many."""
        with self._database.write() as tx:
            return entities.open_accounts(tx)

    def entity(self, code: str) -> Entity:
        """Return one entity; RefusalError unknown_entity."""
        with self._database.read() as tx:
            return entities.find(tx, code)

    def entities(self) -> dict[str, Entity]:
        """Return every entity by code."""
        with self._database.read() as tx:
            return entities.all_by_code(tx)

    def add_facilities(self, rows: Sequence[Facility]) -> None:
        """Enter facilities, all or none; see ``entities.add_facilities``."""
        with self._database.write() as tx:
            entities.add_facilities(tx, rows)

    def facilities(self, entity: str) -> list[Facility]:
        """Return an entity's facilities."""
        with self._database.read() as tx:
            return entities.facilities_of(tx, entity)

    # The roster

    def propose_roster(
        self, year: int, base_year: int | None = None, ceased: Collection[str] = ()
    ) -> list[Listing]:
        """Return what CP-03 and CP-04 say about everybody; see ``roster.propose``."""
        with self._database.read() as tx:
            return roster.propose(tx, year, base_year, ceased)

    def publish_roster(
        self,
        year: int,
        listings: Sequence[Listing],
        document: str,
        person: int,
        at_ns: int,
        base_year: int | None = None,
    ) -> Published:
        """Put entities on the roster of a year, or take them off; see ``roster.publish``."""
        with self._database.write() as tx:
            return roster.publish(tx, year, listings, document, person, at_ns, base_year)

    def strike(self, year: int, entity: str, document: str, person: int, at_ns: int) -> None:
        """Take somebody who has ceased production off the roster of a year (CP-04)."""
        with self._database.write() as tx:
            roster.strike(tx, year, entity, document, person, at_ns)

    def roster(
        self, year: int, province: str | None = None, sector: str | None = None
    ) -> list[Entry]:
        """Return the roster of a year, of one province or sector if told so (CP-05)."""
        with self._database.read() as tx:
            return roster.of_year(tx, year, province, sector)

    def note_pilots(self, rows: Sequence[tuple[str, str]]) -> None:
        """Note (entity, pilot market) pairs (CP-08)."""
        with self._database.write() as tx:
            roster.note_pilots(tx, rows)

    def pilot_exits(self, year: int) -> list[tuple[str, str]]:
        """Return (entity, pilot market) of those whom the roster of a year took out (CP-08)."""
        with self._database.read() as tx:
            return roster.pilot_exits(tx, year)

    # Plans, deposits, reports (CP-09, CP-10)

    def file_plans(
        self, year: int, rows: Sequence[tuple[str, Mapping[str, Any]]], person: int, at_ns: int
    ) -> list[Plan]:
        """File data-quality plans of a year, all or none; see ``plans.file``."""
        with self._database.write() as tx:
            return plans.file(tx, year, rows, person, at_ns)

    def plans(self, year: int) -> list[Plan]:
        """Return every version of every plan of a year."""
        with self._database.read() as tx:
            return plans.of_year(tx, year)

    def deposit(self, rows: Sequence[Deposit], person: int, at_ns: int) -> list[Taken]:
        """Take monthly deposits, all or none; see ``deposits.Desk.take``."""
        with self._database.write() as tx:
            return deposits.deposit(tx, rows, person, at_ns)

    def overdue(self, year: int, at_ns: int) -> list[tuple[str, str, int]]:
        """Return (entity, facility, month) of deposits that are due and not there (CP-09)."""
        with self._database.read() as tx:
            return deposits.overdue(tx, year, at_ns)

    def report(self, year: int, entity: str, person: int, at_ns: int) -> Report:
        """Report a year from its deposits; see ``reports.report``."""
        with self._database.write() as tx:
            return reports.report(tx, year, entity, person, at_ns)

    def report_all(
        self, year: int, person: int, at_ns: int, only: Collection[str] | None = None
    ) -> tuple[list[Report], list[Refused]]:
        """Report a year of everybody listed, or of these; who cannot is in the second list."""
        with self._database.write() as tx:
            return reports.report_all(tx, year, person, at_ns, only)

    def report_totals(
        self, year: int, rows: Mapping[str, Mapping[str, Reported]], person: int, at_ns: int
    ) -> list[Report]:
        """Report a year from totals where no deposits were due; see ``reports.report_totals``."""
        with self._database.write() as tx:
            return reports.report_totals(tx, year, rows, person, at_ns)

    def reports(self, year: int) -> dict[str, Report]:
        """Return the reports of a year that count, by entity."""
        with self._database.read() as tx:
            return reports.newest(tx, year)

    def findings(
        self, year: int, entity: str | None = None, open_errors_only: bool = False
    ) -> list[Kept]:
        """Return what the plausibility checks found about the papers that count."""
        with self._database.read() as tx:
            return findings.of_year(tx, year, entity, open_errors_only)

    def answer_finding(self, number: int, words: str, person: int, at_ns: int) -> None:
        """Say why a finding is no mistake; see ``findings.answer``."""
        with self._database.write() as tx:
            findings.answer(tx, number, words, person, at_ns)

    # Verification, feedback, re-check (CP-10, CP-11)

    def verify(
        self,
        year: int,
        verifier: int,
        at_ns: int,
        words: str,
        only: Collection[str] | None = None,
        adjusted: Adjusted | None = None,
    ) -> Verified:
        """Verify the reports of a year, or of these entities; see ``verification.verify``."""
        with self._database.write() as tx:
            return verification.verify(tx, year, verifier, at_ns, words, only, adjusted)

    def feed_back(
        self, year: int, person: int, at_ns: int, only: Collection[str] | None = None
    ) -> list[Feedback]:
        """Tell verified figures to their entities; see ``verification.feed_back``."""
        with self._database.write() as tx:
            return verification.feed_back(tx, year, person, at_ns, only)

    def ask_recheck(
        self,
        entity: str,
        year: int,
        words: str,
        person: int,
        at_ns: int,
        allocated_ns: int | None = None,
    ) -> Recheck:
        """Ask for a re-check of a verification or an allocation; see ``rechecks.ask``."""
        with self._database.write() as tx:
            return rechecks.ask(tx, entity, year, words, person, at_ns, allocated_ns)

    def answer_recheck(
        self,
        number: int,
        words: str,
        person: int,
        at_ns: int,
        emissions_tonnes: int | None = None,
        facilities: Mapping[str, int] | None = None,
    ) -> Recheck:
        """Answer a re-check, with tonnes: corrected; see ``rechecks.answer``."""
        with self._database.write() as tx:
            order = (number, words, person, at_ns, emissions_tonnes, facilities)
            return rechecks.answer(tx, *order)

    def rechecks(self, year: int, entity: str | None = None) -> list[Recheck]:
        """Return the re-checks of a year in order."""
        with self._database.read() as tx:
            return rechecks.of_year(tx, year, entity)

    def correct(
        self, figure: Figure, grounds: str, document: str, maker: int, checker: int, at_ns: int
    ) -> Version:
        """Change a verified figure on other grounds; see ``rechecks.correct`` (RG-18)."""
        with self._database.write() as tx:
            return rechecks.correct(tx, figure, grounds, document, maker, checker, at_ns)

    def changes(self, year: int, since_ns: int = 0) -> list[Change]:
        """Return whose verified quantity changed, for issue and claw-back (RG-18)."""
        with self._database.read() as tx:
            return rechecks.changes(tx, year, since_ns)

    def verified_facilities(self, year: int) -> dict[str, dict[str, int]]:
        """Return entity -> facility -> verified whole tonnes, of figures that say so."""
        with self._database.read() as tx:
            return verification.facilities_of_year(tx, year)

    # Verified figures

    def verified_tonnes(self, entity: str, year: int) -> int | None:
        """Return an entity's verified emissions of a year; None while there are none."""
        with self._database.read() as tx:
            return verified.tonnes(tx, entity, year)

    def verified_of_year(self, year: int) -> dict[str, int]:
        """Return all verified emissions of a year, by entity."""
        with self._database.read() as tx:
            return verified.of_year(tx, year)

    def record_verified(
        self,
        entity: str,
        year: int,
        emissions_tonnes: int,
        verifier: int,
        at_ns: int,
        content: Mapping[str, Any] | None = None,
    ) -> Version:
        """Write one verified figure down as it comes from outside; see ``verified.record``."""
        row = Figure(entity, year, emissions_tonnes, content or {})
        return self.record_verified_many([row], verifier, at_ns)[0]

    def record_verified_many(
        self, rows: Sequence[Figure | tuple[str, int, int]], verifier: int, at_ns: int
    ) -> list[Version]:
        """Write (entity, year, emissions_tonnes) rows down, all or none."""
        with self._database.write() as tx:
            return verified.record(tx, [Figure(*row) for row in rows], verifier, at_ns)

    # Tables

    def import_table(
        self,
        table: str,
        path: Path,
        person: int,
        at_ns: int,
        year: int | None = None,
        document: str = "",
        strict: bool = False,
        scope: bulk.Scope | None = None,
    ) -> Summary:
        """Take a CSV, Parquet or JSON table in; bad rows are in the summary; see ``bulk.read``."""
        with self._database.write() as tx:
            return bulk.read(tx, table, path, person, at_ns, year, document, strict, scope)

    def export_table(self, table: str, path: Path, year: int | None = None) -> int:
        """Write a table to a .csv or .parquet file; return its rows; see ``exporting``."""
        with self._database.read() as tx:
            columns, rows = exporting.table(tx, table, year)
        return bulk.write(path, columns, rows)
