"""Whatever waits for a decision, decided in one way: surrender, offset, carry-over, borrowing …"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import Connection, Table, select

from registry.compliance import borrowing, carry_deciding, deciding, offsetting, penalties
from registry.compliance.carry_schema import borrowings, carry_applications
from registry.compliance.carry_schema import penalties as penalties_table
from registry.compliance.deciding import Decision
from registry.compliance.schema import applications, offset_uses
from registry.errors import RefusalError

TABLES: Mapping[str, Table] = {
    "surrender": applications,
    "offset": offset_uses,
    "carry_over": carry_applications,
    "borrowing": borrowings,
    "penalty": penalties_table,
}


def decide(tx: Connection, paper: str, numbers: Sequence[int], decision: Decision) -> None:
    """Decide on papers of one kind, all or none.

    RefusalError: paper_invalid, application_twice, and those of the kind.
    """
    if paper not in TABLES:
        raise RefusalError("paper_invalid", f"{paper!r} is none of {', '.join(TABLES)}.")
    if len(set(numbers)) != len(numbers):
        raise RefusalError("application_twice", "An application is decided once, not twice.")
    many = MANY.get(paper)
    if many is not None:
        many(tx, numbers, decision)
        return
    for number in numbers:
        ONE[paper](tx, number, decision)


MANY: Mapping[str, Callable[[Connection, Sequence[int], Decision], object]] = {
    "surrender": deciding.decide,
    "carry_over": carry_deciding.decide,
}
ONE: Mapping[str, Callable[[Connection, int, Decision], object]] = {
    "offset": offsetting.decide,
    "borrowing": borrowing.decide,
    "penalty": penalties.decide,
}


def owners(tx: Connection, paper: str, numbers: Collection[int]) -> dict[int, str]:
    """Return whose papers these are, by number: the entity's code, "" where it is none of ours."""
    c = TABLES[paper].c
    rows = tx.execute(select(c.id, c.entity).where(c.id.in_(sorted(numbers))))
    return {int(number): str(entity or "") for number, entity in rows}
