"""From the platform to the registry: rows are checked and recomputed before anybody signs (7.3).

A row may be refused (it makes no sense, or comes out of order); a figure may mismatch (the
registry's own computation from the plan and the stored inputs differs). Unless told otherwise one
of either sends the whole file back, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry.allocation import engine, reading
from registry.allocation.exact import sums
from registry.allocation.plan import OUT_OF_SCOPE
from registry.compliance import books, rows
from registry.compliance.books import Books, Order
from registry.compliance.rows import AllocationRow, Mismatch, RefusedRow, RowError, refuse
from registry.compliance.schema import allocation_files
from registry.errors import RefusalError, StopError
from registry.monitoring import checks
from registry.windows import moment


class Handover(NamedTuple):
    """What became of the platform's rows.

    ``file`` is the number of the file that was kept and ``sha256`` its hash: what is approved; 0
    and "" where everything went back.
    """

    file: int
    sha256: str
    entities: int
    tonnes: int
    refused: tuple[RefusedRow, ...]
    mismatches: tuple[Mismatch, ...]


class Paper(NamedTuple):
    """Who hands over, on which document of the province, when."""

    maker: int
    document: str
    at_ns: int


def hand_over(
    tx: Connection,
    what: Order,
    given: Iterable[AllocationRow | Mapping[str, Any]],
    paper: Paper,
    units: Iterable[Mapping[str, str]] | None = None,
    strict: bool = True,
) -> Handover:
    """Check rows, recompute them from ``units`` (the calculator's columns), keep the file.

    Not ``strict``: rows refused or mismatching stay out, and the others are kept.
    """
    checks.person(paper.maker)
    checks.wording(paper.document, "The province's document")
    moment(paper.at_ns)
    sound, refused = rows.read(given)
    state = books.read(tx, what, paper.at_ns)
    taken, more = refuse_rows(what, state, sound)
    mismatches = _early_bounds(what, state, taken)
    balance: rows.Balance = {}
    if units is not None:
        differ, unread, balance = recompute(what, state, taken.values(), units)
        mismatches, more = mismatches + differ, more + unread
    refused = sorted(refused + more)
    wrong = {one.entity for one in mismatches}
    kept = [row for row in taken.values() if row.entity not in wrong]
    if (strict and (refused or mismatches)) or not kept:
        return Handover(0, "", 0, 0, tuple(refused), tuple(mismatches))
    number, sha256 = _keep(tx, what, kept, paper, balance)
    total = sum(row.tonnes for row in kept)
    return Handover(number, sha256, len(kept), total, tuple(refused), tuple(mismatches))


def _keep(
    tx: Connection, what: Order, kept: list[AllocationRow], paper: Paper, balance: rows.Balance
) -> tuple[int, str]:
    last = tx.execute(select(func.coalesce(func.max(allocation_files.c.id), 0))).scalar_one()
    content = rows.content(kept, balance)
    sha256 = checks.sha256(content)
    tx.execute(
        insert(allocation_files),
        {
            "id": last + 1,
            "plan": what.plan.name,
            "year": what.year,
            "stage": what.stage,
            "document": paper.document,
            "content": content,
            "sha256": sha256,
            "entities": len(kept),
            "tonnes": sum(row.tonnes for row in kept),
            "maker": paper.maker,
            "made_ns": paper.at_ns,
        },
    )
    return last + 1, sha256


def kept_file(tx: Connection, number: int, sha256: str) -> tuple[Order, list[AllocationRow], str]:
    """Return what a kept file orders, its rows and its document.

    RefusalError unknown_file, file_differs (another hash); StopError file_altered.
    """
    row = tx.execute(select(allocation_files).where(allocation_files.c.id == number)).first()
    if row is None:
        raise RefusalError("unknown_file", f"The platform has handed over no file {number}.")
    if checks.sha256(row.content) != row.sha256:
        raise StopError("file_altered", f"File {number} is not what was handed over.")
    if sha256 != row.sha256:
        raise RefusalError("file_differs", f"This is not the hash of file {number} (7.3).")
    return books.order(row.plan, row.year, row.stage), rows.of_content(row.content), row.document


def refuse_rows(
    what: Order, state: Books, given: Mapping[int, AllocationRow]
) -> tuple[dict[int, AllocationRow], list[RefusedRow]]:
    """Return the rows that the books allow, and the others with their reasons."""
    early = {
        state.entities[entity][2:4]  # province and sector
        for entity, prior in state.prior.items()
        if "pre" in prior.stages
    }
    taken, refused = {}, []
    for number, row in given.items():
        try:
            _refuse_stranger(what, state, row)
            _refuse_order(what, state, row, early)
            _refuse_relief(what, state, row)
        except RowError as error:
            refused.append(RefusedRow(number, error.field, error.code, error.sentence))
        else:
            taken[number] = row
    return taken, refused


def _refuse_stranger(what: Order, state: Books, row: AllocationRow) -> None:
    found = state.entities.get(row.entity)
    if found is None:
        refuse("entity", "unknown_entity", f"there is no entity {row.entity!r}")
    elif found.account is None:
        refuse("entity", "no_account", f"{row.entity} has no account yet (RG-03, CP-05)")
    elif found.account in state.closed:
        refuse("entity", "account_closed", f"the account of {row.entity} is closed (RG-05)")
    elif found.sector not in what.plan.sectors:
        refuse("entity", "sector_not_in_plan", f"{what.plan.name} is not for {found.sector}")


def _refuse_order(
    what: Order, state: Books, row: AllocationRow, early: set[tuple[str, str]]
) -> None:
    """Refuse what comes twice or before what it needs."""
    prior = state.prior.get(row.entity)
    stages = prior.stages if prior else set()
    if what.stage == "additional":
        if prior is None or "final" not in stages:
            refuse(
                "entity",
                "final_missing",
                f"{row.entity}: a correction follows the final issue of {what.year} (RG-18)",
            )
        elif (row.tonnes, books.waived(what, state, row)) == (
            prior.entitled_tonnes,
            prior.waived_tonnes,
        ):
            refuse(
                "tonnes",
                "nothing_changed",
                f"{row.entity} has {row.tonnes:,} t approved already (RG-18)",
            )
    elif what.stage in stages or "final" in stages:
        refuse(
            "entity",
            "issued_before",
            f"{row.entity} has had its {what.year} allocation"
            f" ({', '.join(sorted(stages))}); what changes later is additional (RG-18)",
        )
    rule = what.plan.pre_allocation.get(what.year)
    province, sector = state.entities[row.entity][2:4]
    if what.stage == "final" and rule is not None and (province, sector) not in early:
        refuse(
            "entity",
            "pre_allocation_missing",
            f"{sector} of province {province} has had no early share of"
            f" {what.year}: it comes before the final issue ({rule.share.clause})",
        )
    if what.stage != "pre" and row.entity not in state.verified:
        refuse(
            "entity",
            "not_verified",
            f"{row.entity} has no verified emissions of {what.year}:"
            " the final approval follows them (CP-10)",
        )


def _refuse_relief(what: Order, state: Books, row: AllocationRow) -> None:
    """Refuse reasons and relief that the plan does not know."""
    name, differentiated = what.plan.name, what.plan.differentiated
    if row.reason and differentiated is None:
        refuse("reason", "not_in_plan", f"{name} has no differentiated allocation")
    if row.reason and differentiated and row.reason not in differentiated.reasons:
        known = ", ".join(differentiated.reasons)
        refuse("reason", "unknown_reason", f"{name} knows {known} ({differentiated.clause})")
    if row.reason and differentiated and what.stage == "pre" and row.tonnes:
        refuse(
            "tonnes",
            "differentiated_early",
            f"a differentiated allocation is issued at the end only ({differentiated.clause})",
        )
    waived = row.waived_tonnes or 0
    relieved = any(one.side == "obligation" for one in what.plan.relief)
    relieved |= any(
        one.treatment == OUT_OF_SCOPE and what.year in one.years for one in what.plan.special
    )
    if waived and (not relieved or what.stage == "pre"):
        refuse(
            "waived_tonnes",
            "not_in_plan",
            f"{name} waives nothing of an obligation of {what.year}, {what.stage} (AL-04, AL-13)",
        )
    if waived > state.verified.get(row.entity, waived):
        refuse("waived_tonnes", "tonnes_invalid", "more is waived than was emitted (AL-13)")


def _early_bounds(what: Order, state: Books, taken: Mapping[int, AllocationRow]) -> list[Mismatch]:
    """Return early shares above the plan's share of the stored base emissions (AL-33, AL-63)."""
    rule = what.plan.pre_allocation.get(what.year)
    if what.stage != "pre" or rule is None or rule.of_output.value:
        return []
    found = []
    for row in taken.values():
        base = state.base_verified.get(row.entity)
        if base is None:
            continue
        most = int(base * rule.share.value)
        if row.tonnes > most:
            found.append(Mismatch(row.entity, "tonnes", row.tonnes, most))
    return found


def recompute(
    what: Order,
    state: Books,
    given: Iterable[AllocationRow],
    units: Iterable[Mapping[str, str]],
) -> tuple[list[Mismatch], list[RefusedRow], rows.Balance]:
    """Compute the year from its units, and return every figure that differs (7.3).

    Last the balance values that were solved on the way (AL-82).
    """
    platform = {row.entity: row for row in given}
    read = reading.read_rows(what.plan, enumerate(units, 1), what.year)
    unread = [RefusedRow(*row) for row in read.refused]
    of_year = read.units.get(what.year)
    if of_year is None:
        return [], unread, {}
    own = engine.allocate(what.plan, of_year, state.balance)
    computed = {row.entity: row for row in rows.of_result(own, what.stage)}
    found = [
        Mismatch(
            entity,
            "entity",
            "given" if entity in platform else "",
            "computed" if entity in computed else "",
        )
        for entity in sorted(platform.keys() ^ computed.keys())
    ]
    for entity in sorted(platform.keys() & computed.keys()):
        for field, mine in computed[entity]._asdict().items():
            theirs = getattr(platform[entity], field)
            if theirs is not None and theirs != mine:
                found.append(Mismatch(entity, field, theirs, mine))
    names = of_year.entities.names
    emitted = sums(of_year.entity, of_year.emissions_t, len(names))
    for entity, tonnes in zip(names, emitted.tolist(), strict=True):
        stored = state.verified.get(entity)
        if what.stage != "pre" and stored is not None and stored != tonnes:
            found.append(Mismatch(entity, "emissions_tonnes", tonnes, stored))
    return found, unread, rows.solved_balance(own) if what.stage == "final" else {}
