"""The door of this room: monitoring, reporting, verification; one transaction a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from registry.database import Database
from registry.monitoring import entities, provinces, roster, verified
from registry.monitoring.entities import Entity, Facility, NewEntity
from registry.monitoring.provinces import Province
from registry.monitoring.roster import Entry, Listing, Published
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
