"""Key emitting entities and their facilities: who they are, and which account is theirs (RG-03)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select, update

from engine.calendar import date_of
from registry import accounts as subjects
from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import boundary, checks
from registry.monitoring.provinces import all_of
from registry.monitoring.schema import FACILITY_OF, entities, facilities
from registry.schema import accounts

KIND = "key_emitting_entity"
CAPACITY_MW = re.compile(r"[0-9]{1,6}(\.[0-9]{1,3})?")


class NewEntity(NamedTuple):
    """An entity to enter: unified code, name, province (two digits), sector (CP-01).

    ``industry`` and ``process`` (CP-06, ``registry.monitoring.boundary``) may be left empty.
    """

    code: str
    name: str
    province: str
    sector: str
    industry: str = ""
    process: str = ""


class Entity(NamedTuple):
    """An entity; ``account`` is an account's id, None until one is open."""

    code: str
    name: str
    province: str
    sector: str
    account: int | None
    industry: str = ""
    process: str = ""


class Facility(NamedTuple):
    """A unit, enterprise, line or process of an entity; dates YYYYMMDD, 0 where there is none."""

    entity: str
    code: str
    kind: str
    unit_class: str = ""
    capacity_mw: str = ""
    fuel: str = ""
    commissioned: int = 0
    closed: int = 0


def refuse_invalid(row: NewEntity, provinces: Iterable[str]) -> None:
    """Raise RefusalError entity_invalid, name_invalid, unknown_province, sector_invalid, …

    … or outside_boundary (CP-06).
    """
    if not isinstance(row.code, str) or not checks.ENTITY_CODE.fullmatch(row.code):
        raise RefusalError(
            "entity_invalid", f"{row.code!r} is no unified code: 1 to 32 of A-Z a-z 0-9 . _ -"
        )
    subjects.refuse_invalid([(row.code, str(row.name))])
    if row.province not in provinces:
        raise RefusalError("unknown_province", f"There is no province {row.province!r}.")
    checks.sector(row.sector)
    boundary.refuse_outside(row.sector, row.industry, row.process)


def add(tx: Connection, rows: Sequence[NewEntity]) -> None:
    """Enter entities; who has an account under the same number keeps it.

    RefusalError: those of ``refuse_invalid``, entity_exists (there, or twice in ``rows``),
    account_exists (the number belongs to somebody who is no key emitting entity).
    """
    known = set(all_of(tx))
    taken = set(tx.execute(select(entities.c.code)).scalars())
    strangers = strangers_of(tx)
    for row in rows:
        refuse_invalid(row, known)
        if row.code in taken:
            raise RefusalError("entity_exists", f"The entity {row.code!r} is there already.")
        if row.code in strangers:
            raise RefusalError("account_exists", f"{row.code!r} is another subject's number.")
        taken.add(row.code)
    write(tx, rows)


def strangers_of(tx: Connection) -> set[str]:
    """Return the customer numbers that belong to somebody who is no key emitting entity."""
    return set(tx.execute(select(accounts.c.code).where(accounts.c.kind != KIND)).scalars())


def write(tx: Connection, rows: Sequence[NewEntity]) -> None:
    """Insert rows that were checked, and adopt the accounts that are there."""
    if rows:
        insert_many(tx, entities, [row._asdict() for row in rows])
        adopt(tx)


def adopt(tx: Connection) -> None:
    """Give every entity without account the account that has its code, where there is one."""
    same = select(accounts.c.id).where(accounts.c.code == entities.c.code, accounts.c.kind == KIND)
    tx.execute(
        update(entities)
        .where(entities.c.account.is_(None), same.exists())
        .values(account=same.scalar_subquery())
    )


def open_accounts(tx: Connection) -> int:
    """Open the missing accounts of all entities (CP-05); the exchange is instructed too."""
    adopt(tx)
    missing = tx.execute(
        select(entities.c.code, entities.c.name)
        .where(entities.c.account.is_(None))
        .order_by(entities.c.code)
    ).all()
    subjects.open_accounts(tx, [(row.code, row.name) for row in missing])
    adopt(tx)
    return len(missing)


def find(tx: Connection, code: str) -> Entity:
    """Return one entity; RefusalError unknown_entity."""
    row = tx.execute(select(entities).where(entities.c.code == str(code))).first()
    if row is None:
        raise RefusalError("unknown_entity", f"There is no entity {code!r}.")
    return Entity(*row)


def all_by_code(tx: Connection) -> dict[str, Entity]:
    """Return every entity by code, in the order of the codes."""
    rows = tx.execute(select(entities).order_by(entities.c.code))
    return {str(row.code): Entity(*row) for row in rows}


def add_facilities(tx: Connection, rows: Sequence[Facility]) -> None:
    """Enter facilities; RefusalError as ``refuse_facility``, and facility_exists."""
    known = all_by_code(tx)
    taken = {(row.entity, row.code) for row in tx.execute(select(facilities))}
    for row in rows:
        refuse_facility(row, known.get(row.entity))
        if (row.entity, row.code) in taken:
            raise RefusalError("facility_exists", f"{row.entity} has {row.code!r} already.")
        taken.add((row.entity, row.code))
    insert_many(tx, facilities, [row._asdict() for row in rows])


def refuse_facility(row: Facility, owner: Entity | None) -> None:
    """Raise RefusalError unknown_entity, facility_invalid, kind_invalid, capacity_invalid, …"""
    if owner is None:
        raise RefusalError("unknown_entity", f"There is no entity {row.entity!r}.")
    if not isinstance(row.code, str) or not checks.ENTITY_CODE.fullmatch(row.code):
        raise RefusalError("facility_invalid", f"{row.code!r} is no code of a facility.")
    if row.kind != FACILITY_OF[owner.sector]:
        wanted = FACILITY_OF[owner.sector]
        raise RefusalError("kind_invalid", f"A facility of {owner.sector} is a {wanted}.")
    if row.capacity_mw and not CAPACITY_MW.fullmatch(row.capacity_mw):
        raise RefusalError("capacity_invalid", f"{row.capacity_mw!r} is no capacity in MW.")
    for date in (row.commissioned, row.closed):
        if date and date_of(date) is None:
            raise RefusalError("date_invalid", f"{date} is no date YYYYMMDD.")


def facilities_of(tx: Connection, entity: str) -> list[Facility]:
    """Return an entity's facilities by code; RefusalError unknown_entity."""
    find(tx, entity)
    rows = tx.execute(
        select(facilities).where(facilities.c.entity == entity).order_by(facilities.c.code)
    )
    return [Facility(*row) for row in rows]
