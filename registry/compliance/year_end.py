"""The surrender of a whole year in one transaction: every entity's own stock, oldest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from registry import ledger
from registry.bulk import insert_many
from registry.compliance import certificates, eligibility, standing
from registry.compliance.schema import applications
from registry.compliance.surrender import last_number
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks
from registry.monitoring.schema import entities
from registry.schema import PENDING, REGISTRY_AVAILABLE, SURRENDERED, buckets
from registry.windows import moment


class Surrendered(NamedTuple):
    """What a surrender of everybody came to: entities, applications, certificates, tonnes.

    ``short``: entity and missing tonnes of everybody whose registry side did not cover it all.
    """

    entities: int
    applications: int
    certificates: int
    tonnes: int
    short: tuple[tuple[str, int], ...]


class Part(NamedTuple):
    """So much of one entity's vintage for its obligation."""

    entity: str
    account: int
    unit: int
    tonnes: int
    late: int


def surrender_all(
    tx: Connection,
    year: int,
    maker: int,
    checker: int,
    at_ns: int,
    only: Collection[str] | None = None,
) -> Surrendered:
    """Surrender what every entity still owes for ``year`` from its registry side, and approve it.

    Eligible vintages only, the oldest first (CP-34); as the entities' applications would, each
    part becomes one, applied for by ``maker`` and approved by ``checker``. RefusalError:
    person_invalid, time_invalid, maker_is_checker, year_not_covered, no_notice (nobody has one).
    """
    checks.person(maker)
    checks.person(checker)
    moment(at_ns)
    if maker == checker:
        raise RefusalError("maker_is_checker", "Nobody approves what he has applied for (ST-07).")
    eligibility.deadline_ns(checks.year(year))
    due = standing.of(tx, only, [year])
    if not due:
        raise RefusalError("no_notice", f"Nobody has a compliance notice for {year} yet (CP-32).")
    parts, short = _parts(tx, due, year, at_ns)
    if parts:
        _book(tx, year, parts, maker, checker, at_ns)
    certified = certificates.certify(tx, {(one.entity, year) for one in parts}, at_ns)
    names = {one.entity for one in parts}
    total = sum(one.tonnes for one in parts)
    return Surrendered(len(names), len(parts), certified, total, tuple(short))


def _parts(
    tx: Connection, due: dict[tuple[str, int], standing.Standing], year: int, at_ns: int
) -> tuple[list[Part], list[tuple[str, int]]]:
    """Return what everybody gives, and what is missing then."""
    late = eligibility.is_late(year, at_ns)
    ordered = sorted(
        (eligibility.year_of(code), unit)
        for code, unit in ledger.unit_ids(tx).items()
        if eligibility.is_vintage(code) and eligibility.is_eligible(code, year, at_ns)
    )
    stock = _stock(tx, [unit for _, unit in ordered])
    names = {entity for entity, _ in due}
    e = entities.c
    query = select(e.code, e.account).where(standing.chosen(e.code, names))
    account_of = {str(row[0]): row[1] for row in tx.execute(query)}
    parts, short = [], []
    for (entity, _), one in due.items():
        owed, account = one.open_tonnes, account_of[entity]
        held = stock.get(account, {})
        for _, unit in ordered:
            given = min(owed, held.get(unit, 0))
            if given > 0:
                parts.append(Part(entity, account, unit, given, int(late)))
                owed -= given
        if owed:
            short.append((entity, owed))
    return parts, short


def _stock(tx: Connection, eligible: list[int]) -> dict[int, dict[int, int]]:
    b = buckets.c
    found: dict[int, dict[int, int]] = defaultdict(dict)
    query = select(b.account, b.unit, b.balance).where(
        b.kind == REGISTRY_AVAILABLE, b.unit.in_(eligible), b.balance > 0
    )
    for account, unit, balance in tx.execute(query):
        found[account][unit] = int(balance)
    return found


def _book(
    tx: Connection, year: int, parts: list[Part], maker: int, checker: int, at_ns: int
) -> None:
    waiting, gone = [], []
    for one in parts:
        free, pending, surrendered = (
            Bucket(one.account, one.unit, kind)
            for kind in (REGISTRY_AVAILABLE, PENDING, SURRENDERED)
        )
        waiting.append(Move(free, pending, one.tonnes))
        gone.append(Move(pending, surrendered, one.tonnes))
    note = f"surrender of {year}"
    txn_pending = ledger.book(tx, "apply", note, waiting, at_ns)
    txn_done = ledger.book(tx, "surrender", note, gone, at_ns)
    head: dict[str, Any] = {"year": year, "origin": "own", "document": "", "status": "approved"}
    head |= {"maker": maker, "applied_ns": at_ns, "checker": checker, "decided_ns": at_ns}
    head |= {"note": "", "txn_pending": txn_pending, "txn_done": txn_done}
    rows = []
    for number, one in enumerate(parts, last_number(tx) + 1):
        row = {"id": number, "entity": one.entity, "payer": one.account, "unit": one.unit}
        rows.append({**head, **row, "tonnes": one.tonnes, "late": one.late})
    insert_many(tx, applications, rows)
