"""Earmarks on provincial accounts: forced surrender on the province's mandate, then the release.

The registry surrenders what the entity owes from its earmarks: every year's obligation from its
own vintage first, then what else they may serve; what is left is given to the entity (AL-26,
AL-40, AL-66).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, insert, select, update

from registry import ledger, notices
from registry.compliance import certificates, eligibility, standing
from registry.compliance.schema import applications, earmarks
from registry.compliance.standing import Standing
from registry.compliance.surrender import last_number
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks, entities, verified
from registry.schema import REGISTRY_AVAILABLE, SURRENDERED, units


class Mandate(NamedTuple):
    """The province's mandate: for whom, on which document, by which two people, when."""

    entity: str
    document: str
    maker: int
    checker: int
    at_ns: int


class Earmark(NamedTuple):
    """An entity's allowances on the provincial account, in tonnes."""

    number: int
    entity: str
    year: int
    vintage: str
    reason: str
    tonnes: int
    forced_tonnes: int
    released_tonnes: int
    recovered_tonnes: int

    @property
    def left_tonnes(self) -> int:
        """What is still there."""
        return self.tonnes - self.forced_tonnes - self.released_tonnes - self.recovered_tonnes


class Forced(NamedTuple):
    """What a mandate came to, in tonnes; ``owed_tonnes``: still missing, all years together."""

    surrendered_tonnes: int
    released_tonnes: int
    owed_tonnes: int
    txn: int


def force(tx: Connection, mandate: Mandate) -> Forced:
    """Surrender from all earmarks of an entity, and release what is left (AL-40, AL-66).

    RefusalError: unknown_entity, text_invalid, maker_is_checker, nothing_earmarked, no_notice (the
    obligation of the earmark's year, or of the year cleared together with it, is not set yet).
    """
    owner = entities.find(tx, mandate.entity)
    checks.wording(mandate.document, "The province's mandate")
    if mandate.maker == mandate.checker:
        raise RefusalError("maker_is_checker", "Nobody approves what he has asked for (ST-07).")
    waiting = [row for row in _rows(tx, mandate.entity) if _left(row) > 0]
    if not waiting:
        raise RefusalError(
            "nothing_earmarked", f"{owner.code} has nothing on the provincial account (AL-40)."
        )
    due = standing.of(tx, [owner.code])
    _refuse_early(tx, owner.code, waiting, due)
    owed = {year: one.open_tonnes for (_, year), one in due.items()}
    parts = _parts(waiting, owed, mandate.at_ns)
    account = int(owner.account or 0)
    surrendered = _surrender(tx, mandate, account, parts)
    released = _release(tx, mandate, account, waiting, parts)
    certificates.certify(tx, {(owner.code, year) for _, year, _ in parts}, mandate.at_ns)
    forced = sum(tonnes for _, _, tonnes in parts)
    total = sum(_left(row) for row in waiting) - forced
    _tell(tx, mandate, account, forced, total)
    return Forced(forced, total, sum(owed.values()), surrendered or released)


def _rows(tx: Connection, entity: str | None) -> list[Row[Any]]:
    query = (
        select(earmarks, units.c.code.label("vintage"))
        .join(units, units.c.id == earmarks.c.unit)
        .order_by(earmarks.c.year, earmarks.c.id)
    )
    query = query if entity is None else query.where(earmarks.c.entity == entity)
    return list(tx.execute(query).all())


def _left(row: Row[Any]) -> int:
    return int(row.tonnes - row.forced_tonnes - row.released_tonnes - row.recovered_tonnes)


def _refuse_early(
    tx: Connection,
    entity: str,
    waiting: Iterable[Row[Any]],
    due: dict[tuple[str, int], Standing],
) -> None:
    """Refuse while what the earmarks are for is not known yet."""
    for row in waiting:
        if (entity, row.year) not in due:
            raise standing.no_notice(entity, row.year)
        for pair in eligibility.TOGETHER:
            for year in pair if row.year in pair else ():
                emitted = verified.tonnes(tx, entity, year)
                if emitted is not None and (entity, year) not in due:
                    raise standing.no_notice(entity, year)


def _parts(
    waiting: list[Row[Any]], owed: dict[int, int], at_ns: int
) -> list[tuple[Row[Any], int, int]]:
    """Return (earmark, obligation year, tonnes); what is given is taken off ``owed``.

    Every year is served by its own vintage first. The rest of each goes to the year cleared
    together with it, then to the others it may serve, the oldest first (AL-26, AL-40).
    """
    left = {row.id: _left(row) for row in waiting}
    parts = []
    for own in (True, False):
        for row in waiting:
            for year in [row.year] if own else _others(row.year, owed):
                given = min(left[row.id], owed.get(year, 0))
                if given > 0 and eligibility.is_eligible(row.vintage, year, at_ns):
                    parts.append((row, year, given))
                    owed[year] -= given
                    left[row.id] -= given
    return parts


def _others(own: int, owed: dict[int, int]) -> list[int]:
    pair = next((each for each in eligibility.TOGETHER if own in each), (own,))
    return sorted(owed.keys() - {own}, key=lambda year: (year not in pair, year))


def _surrender(
    tx: Connection, mandate: Mandate, account: int, parts: list[tuple[Row[Any], int, int]]
) -> int:
    if not parts:
        return 0
    moves = [
        Move(
            Bucket(row.account, row.unit, REGISTRY_AVAILABLE),
            Bucket(account, row.unit, SURRENDERED),
            tonnes,
        )
        for row, _, tonnes in parts
    ]
    txn = ledger.book(tx, "surrender", f"forced: {mandate.document}", moves, mandate.at_ns)
    head: dict[str, Any] = {"entity": mandate.entity, "origin": "forced", "status": "approved"}
    head |= {"document": mandate.document, "maker": mandate.maker, "checker": mandate.checker}
    head |= {"applied_ns": mandate.at_ns, "decided_ns": mandate.at_ns, "note": ""}
    rows = []
    for number, (row, year, tonnes) in enumerate(parts, last_number(tx) + 1):
        late = int(eligibility.is_late(year, mandate.at_ns))
        part = {"id": number, "year": year, "unit": row.unit, "tonnes": tonnes, "late": late}
        rows.append({**head, **part, "payer": row.account, "txn_done": txn})
    tx.execute(insert(applications), rows)
    for row, _, tonnes in parts:
        _count(tx, row.id, "forced_tonnes", tonnes)
    return txn


def _release(
    tx: Connection,
    mandate: Mandate,
    account: int,
    waiting: list[Row[Any]],
    parts: list[tuple[Row[Any], int, int]],
) -> int:
    """Give the entity what no obligation needs; return the transaction, 0 if nothing is left."""
    moves = []
    for row in waiting:
        left = _left(row) - sum(tonnes for one, _, tonnes in parts if one.id == row.id)
        if left > 0:
            province = Bucket(row.account, row.unit, REGISTRY_AVAILABLE)
            moves.append(Move(province, Bucket(account, row.unit, REGISTRY_AVAILABLE), left))
            _count(tx, row.id, "released_tonnes", left)
    if not moves:
        return 0
    return ledger.book(tx, "allocation", f"released: {mandate.document}", moves, mandate.at_ns)


def _count(tx: Connection, earmark: int, column: str, tonnes: int) -> None:
    counted = {column: earmarks.c[column] + tonnes}
    tx.execute(update(earmarks).where(earmarks.c.id == earmark).values(counted))


def _tell(tx: Connection, mandate: Mandate, account: int, forced: int, released: int) -> None:
    sentence = (
        f"On the province's mandate {forced:,} t were surrendered from the provincial account and "
        f"{released:,} t released to you: {mandate.document} (AL-40, AL-66)."
    )
    notices.tell(tx, "surrender", sentence, account, mandate.at_ns)


def found(tx: Connection, entity: str | None = None) -> list[Earmark]:
    """Return earmarks by year, of one entity if told so."""
    return [
        Earmark(
            *(row.id, row.entity, row.year, row.vintage, row.reason, row.tonnes),
            *(row.forced_tonnes, row.released_tonnes, row.recovered_tonnes),
        )
        for row in _rows(tx, entity)
    ]
