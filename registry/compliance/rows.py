"""The platform's rows of an allocation: what they must look like, and the hash that is signed.

Pure. ``of_result`` makes the rows from a result of ``registry.allocation``; ``read`` takes them
from anybody else, refusing each bad one with its number.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from registry.allocation import report
from registry.allocation.engine import Allocation
from registry.allocation.exact import sums
from registry.compliance.schema import REASONS
from registry.errors import RefusalError
from registry.monitoring import checks
from registry.monitoring.schema import TONNES_MAX

FIELDS = ("entity", "tonnes", "reason", "waived_tonnes")
Balance = Mapping[str, str]  # t/t of a sector, a decimal as text


class AllocationRow(NamedTuple):
    """What one entity is to have: early (stage pre) or altogether (final, additional), in tonnes.

    ``reason``: of a differentiated issue, else "" (AL-26, AL-40, AL-66). ``waived_tonnes``: what
    of the verified tonnes is not owed: relief on the side of the obligation (AL-13), and units out
    of scope, which have neither quota nor obligation (AL-04, AL-86); None: the plan's relief.
    """

    entity: str
    tonnes: int
    reason: str = ""
    waived_tonnes: int | None = None


class RefusedRow(NamedTuple):
    """A row that was not taken: its number (the first is 1), the field, a stable code, why."""

    row: int
    field: str
    code: str
    reason: str


class Mismatch(NamedTuple):
    """Where the registry's own computation differs from the platform's (7.3)."""

    entity: str
    field: str
    platform: int | str
    registry: int | str


def of_result(of: Allocation, stage: str) -> list[AllocationRow]:
    """Return the rows of a computed plan year for a stage."""
    field = "pre_allocation_t" if stage == "pre" else "approved_t"
    outside, found = outside_t(of), []
    for row in report.entities(of):
        waived = 0 if stage == "pre" else int(row["waived_t"]) + outside[str(row["entity"])]
        found.append(
            AllocationRow(str(row["entity"]), int(row[field]), str(row["differentiated"]), waived)
        )
    return found


def outside_t(of: Allocation) -> dict[str, int]:
    """Return the emissions of units out of scope by entity, in tonnes (AL-04, AL-86)."""
    names = of.units.entities.names
    tonnes = sums(of.units.entity, of.units.emissions_t * ~of.unit.in_scope, len(names))
    return dict(zip(names, tonnes.tolist(), strict=True))


def solved_balance(of: Allocation) -> Balance:
    """Return the balance values that a computation has found by itself, by sector (AL-82)."""
    found = report.balance_values([of])
    return {
        str(one["sector"]): str(one["balance_value"]) for one in found if one["solved"] == "yes"
    }


def read(
    rows: Iterable[AllocationRow | Mapping[str, Any]],
) -> tuple[dict[int, AllocationRow], list[RefusedRow]]:
    """Return the sound rows by number, and the others with their reasons."""
    sound: dict[int, AllocationRow] = {}
    refused: list[RefusedRow] = []
    seen: set[str] = set()
    for number, given in enumerate(rows, 1):
        try:
            row = _row(given)
            if row.entity in seen:
                refuse("entity", "duplicate_entity", f"{row.entity} has a row already")
        except RowError as error:
            refused.append(RefusedRow(number, error.field, error.code, error.sentence))
            continue
        seen.add(row.entity)
        sound[number] = row
    return sound, refused


class RowError(RefusalError):
    """A row that cannot be taken, and which field of it is wrong."""

    def __init__(self, field: str, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.field = field


def refuse(field: str, code: str, sentence: str) -> None:
    """Raise RowError."""
    raise RowError(field, code, sentence)


def _row(given: AllocationRow | Mapping[str, Any]) -> AllocationRow:
    values = given._asdict() if isinstance(given, AllocationRow) else given
    if not isinstance(values, Mapping) or not {"entity", "tonnes"} <= set(values) <= set(FIELDS):
        raise RowError("", "fields_invalid", f"a row has entity, tonnes, and of {FIELDS} no other")
    row = AllocationRow(**values)
    if not isinstance(row.entity, str) or not checks.ENTITY_CODE.fullmatch(row.entity):
        refuse("entity", "entity_invalid", f"{row.entity!r} is no unified code")
    for field in ("tonnes", "waived_tonnes"):
        value = getattr(row, field)
        if value is None and field == "waived_tonnes":
            continue
        if not checks.is_whole(value) or not 0 <= value <= TONNES_MAX:
            refuse(field, "tonnes_invalid", f"{value!r} is no number of whole tonnes, 0 or more")
    if row.reason not in REASONS:
        known = ", ".join(REASONS[1:])
        refuse("reason", "unknown_reason", f"{row.reason!r} is none of {known} (AL-40, AL-66)")
    return row


def content(rows: Iterable[AllocationRow], balance: Balance | None = None) -> str:
    """Return the rows as canonical JSON, ordered by entity; last the balance values, if any."""
    ordered: list[Any] = [list(row) for row in sorted(rows, key=lambda one: one.entity)]
    ordered += [dict(sorted(balance.items()))] if balance else []
    return json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)


def of_content(text: str) -> list[AllocationRow]:
    """Return the rows that ``content`` wrote."""
    return [AllocationRow(*row) for row in json.loads(text) if isinstance(row, list)]


def balance_of(text: str) -> Balance:
    """Return the balance values that ``content`` wrote, in t/t by sector (AL-82)."""
    return next((row for row in json.loads(text) if isinstance(row, dict)), {})


def sha256(row: AllocationRow) -> str:
    """Return the hash of one row."""
    return checks.sha256(content([row]))
