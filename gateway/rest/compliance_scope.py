"""Whose papers of the compliance year a key sees: its own entity's, its province's, or all.

What lies outside answers as what does not exist, in the same words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
from sqlalchemy import select

from gateway.authority import PROVINCIAL_AUTHORITY
from gateway.keys import Key
from gateway.rest.answers import ProblemError
from registry import accounts
from registry.compliance import papers, surrender
from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.schema import entities

Kind = TypeVar("Kind", bound=msgspec.Struct)


class Seen(NamedTuple):
    """The entities a key sees, None for every one; ``own`` is its account's customer number."""

    entities: frozenset[str] | None
    own: str = ""

    def has(self, entity: str) -> bool:
        """Whether an entity is among them."""
        return self.entities is None or entity in self.entities

    @property
    def only(self) -> str | None:
        """The one entity that is seen; None where there are more or fewer."""
        one = self.entities is not None and len(self.entities) == 1
        return next(iter(self.entities or ())) if one else None

    def entity(self) -> str:
        """Return the account's own entity; RefusalError unknown_entity."""
        if self.only is None:
            raise RefusalError("unknown_entity", "This account is of no key emitting entity.")
        return self.only


def seen_by(registry: Registry, key: Key) -> Seen:
    """Return what the holder of a key sees; the table of roles has let him in already."""
    e = entities.c
    with registry.database.read() as tx:
        if key.account >= 0:
            query = select(e.code).where(e.account == accounts.id_of(tx, key.account))
            own = accounts.account(tx, key.account).code
            return Seen(frozenset(tx.execute(query).scalars()), own)
        if PROVINCIAL_AUTHORITY in key.roles:
            query = select(e.code).where(e.province == key.province)
            return Seen(frozenset(tx.execute(query).scalars()))
    return Seen(None)


def refuse_unseen(registry: Registry, seen: Seen, paper: str, numbers: Collection[int]) -> None:
    """Raise RefusalError unknown_application for the first one that is not there, or not seen."""
    with registry.database.read() as tx:
        if paper == "surrender":
            found = surrender.found(tx, numbers=numbers)
            known = {one.number for one in found if seen.has(one.entity) or one.payer == seen.own}
        else:
            owners = papers.owners(tx, paper, numbers).items()
            known = {number for number, entity in owners if seen.has(entity)}
    for number in numbers:
        if number not in known:
            raise RefusalError("unknown_application", f"There is no application {number}.")


def refuse_foreign(seen: Seen, entity: str) -> None:
    """Raise RefusalError unknown_entity for one that is not seen."""
    if not seen.has(entity):
        raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")


def view(kind: type[Kind], row: Any, **more: Any) -> Kind:
    """Return a row of the registry as its message: ``at_ns`` becomes ``at_us``, 0 and 1 a fact."""
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        name = field.name
        if name in more:
            values[name] = more[name]
        elif name.endswith("_us"):
            values[name] = getattr(row, f"{name[:-3]}_ns") // 1000
        else:
            value = getattr(row, name)
            values[name] = bool(value) if field.type is bool else value
    return kind(**values)


def views(kind: type[Kind], rows: Iterable[Any]) -> list[Kind]:
    """Return rows as messages."""
    return [view(kind, row) for row in rows]


def taken(content: Mapping[str, Any], kind: type[Kind]) -> Kind:
    """Return what was sent as its message; ProblemError 422 invalid_request."""
    if not _printable(content):
        raise ProblemError(422, "invalid_request", "A text has a character that cannot be printed.")
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "invalid_request", str(error)) from error


def _printable(content: Any) -> bool:
    if isinstance(content, str):
        return content.isprintable()
    if isinstance(content, Mapping):
        return all(map(_printable, (*content.keys(), *content.values())))
    return not isinstance(content, list) or all(map(_printable, content))
