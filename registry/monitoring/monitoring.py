"""The door of this room: monitoring, reporting, verification; one transaction a call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from registry.database import Database
from registry.monitoring import entities, provinces, verified
from registry.monitoring.entities import Entity, Facility, NewEntity
from registry.monitoring.provinces import Province
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
