"""Projects and their registered batches: entered by two people, issued to the owner (VM-06)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select

from engine.calendar import date_of, number_of
from engine.records import QTY_TONNES_MAX
from registry import accounts as subjects
from registry import ledger
from registry.errors import RefusalError
from registry.instructions import refuse_amount
from registry.ledger import Bucket, Move
from registry.monitoring import checks
from registry.offsets.proof import NEW_FROM, OLD_BEFORE
from registry.offsets.schema import batches, projects
from registry.profiles import VOLUNTARY, Profile
from registry.schema import ISSUED, REGISTRY_AVAILABLE, RESERVE_ID, accounts, units
from registry.windows import moment

BATCH_CODE = re.compile(r"[A-Za-z0-9]{1,16}")  # an instrument of the exchange


class Paper(NamedTuple):
    """Who asks, who agrees, when, on which document."""

    maker: int
    checker: int
    at_ns: int
    document: str


class NewProject(NamedTuple):
    """A project to enter; ``owner`` is a trading index.

    ``covered``: its installation is one under the allowance system (CP-36).
    """

    code: str
    name: str
    type: str
    owner: int
    methodology: str
    installation: str
    covered: bool = False


class Project(NamedTuple):
    """A project as it is entered; ``owner`` is a customer number."""

    code: str
    name: str
    type: str
    owner: str
    methodology: str
    installation: str
    covered: bool
    document: str


class NewBatch(NamedTuple):
    """Reductions to register; days YYYYMMDD, the period with both its ends."""

    code: str
    project: str
    registered: int
    period_first: int
    period_last: int
    tonnes: int


class Batch(NamedTuple):
    """A registered batch: a unit of the books, issued by ``transaction``."""

    code: str
    project: str
    registered: int
    period_first: int
    period_last: int
    tonnes: int
    transaction: int

    @property
    def era(self) -> str:
        """``old`` (filed before 2017-03-14) or ``new``: which obligations it serves (CP-37)."""
        return "old" if self.registered < OLD_BEFORE else "new"


def refuse_other_market(profile: Profile) -> None:
    """Raise RefusalError market_invalid unless these are the books of the voluntary market."""
    if profile.code != VOLUNTARY.code:
        raise RefusalError(
            "market_invalid", f"Reductions lie in the books of {VOLUNTARY.registry} (VM-01)."
        )


def refuse_paper(paper: Paper) -> None:
    """Raise RefusalError person_invalid, maker_is_checker, time_invalid, text_invalid (ST-07)."""
    if checks.person(paper.maker) == checks.person(paper.checker):
        raise RefusalError("maker_is_checker", "Nobody approves what he asks for (ST-07).")
    moment(paper.at_ns)
    checks.wording(paper.document, "The document")


def add_project(tx: Connection, new: NewProject, paper: Paper) -> Project:
    """Enter a project.

    RefusalError: those of ``refuse_paper``, project_invalid, text_invalid, unknown_account,
    project_exists.
    """
    refuse_paper(paper)
    if not isinstance(new.code, str) or not checks.ENTITY_CODE.fullmatch(new.code):
        raise RefusalError(
            "project_invalid", f"{new.code!r} is no project: 1 to 32 of A-Z a-z 0-9 . _ -"
        )
    for name in ("name", "type", "methodology", "installation"):
        checks.wording(getattr(new, name), f"A project's {name}")
    if not isinstance(new.covered, bool):
        raise RefusalError(
            "project_invalid", "Under the allowance system or not: true or false (CP-36)."
        )
    if tx.execute(select(projects.c.code).where(projects.c.code == new.code)).first():
        raise RefusalError("project_exists", f"There is a project {new.code!r} already.")
    row = {**new._asdict(), "owner": subjects.id_of(tx, new.owner), "covered": int(new.covered)}
    row |= {"document": paper.document, "maker": paper.maker, "checker": paper.checker}
    tx.execute(insert(projects), {**row, "entered_ns": paper.at_ns})
    return find_project(tx, new.code)


def add_batch(tx: Connection, new: NewBatch, paper: Paper) -> Batch:
    """Register reductions of a project and issue them to its owner, in one transaction (VM-06).

    RefusalError: those of ``refuse_paper``, unknown_project, batch_invalid, batch_exists,
    qty_invalid, date_invalid, registration_invalid (CP-37), period_invalid, account_closed (RG-05).
    """
    refuse_paper(paper)
    project = _project_row(tx, new.project)
    _refuse_batch(new, number_of(moment(paper.at_ns).date()))
    subjects.refuse_closed(tx, project.owner)
    if new.code in ledger.unit_ids(tx):
        raise RefusalError("batch_exists", f"There is a batch {new.code!r} already (VM-06).")
    unit = int(tx.execute(select(func.max(units.c.id))).scalar_one()) + 1
    tx.execute(insert(units), {"id": unit, "code": new.code})
    move = Move(
        Bucket(RESERVE_ID, unit, ISSUED),
        Bucket(project.owner, unit, REGISTRY_AVAILABLE),
        new.tonnes,
    )
    txn = ledger.book(tx, "issue", f"{new.project}: {paper.document}", [move], paper.at_ns)
    row: dict[str, Any] = {**new._asdict(), "unit": unit, "txn": txn}
    del row["code"]
    row |= {"document": paper.document, "maker": paper.maker, "checker": paper.checker}
    tx.execute(insert(batches), {**row, "entered_ns": paper.at_ns})
    return find_batch(tx, new.code)


def _refuse_batch(new: NewBatch, today: int) -> None:
    if not isinstance(new.code, str) or not BATCH_CODE.fullmatch(new.code):
        raise RefusalError(
            "batch_invalid", f"{new.code!r} is no batch: 1 to 16 letters and digits (VM-06)."
        )
    refuse_amount(new.tonnes, QTY_TONNES_MAX, "qty_invalid", "tonnes")
    for day in (new.registered, new.period_first, new.period_last):
        if not checks.is_whole(day) or date_of(day) is None:
            raise RefusalError("date_invalid", f"{day!r} is no date YYYYMMDD.")
    if OLD_BEFORE <= new.registered < NEW_FROM:
        raise RefusalError(
            "registration_invalid",
            "Nothing was registered between 2017-03-14 and 2024-01-22 (CP-37, VM-02).",
        )
    if new.registered > today:
        raise RefusalError("registration_invalid", f"{new.registered} is not yet (VM-06).")
    if not new.period_first <= new.period_last <= new.registered:
        raise RefusalError(
            "period_invalid", "Reductions are registered after they happened, first day first."
        )


def find_project(tx: Connection, code: str) -> Project:
    """Return one project; RefusalError unknown_project."""
    _project_row(tx, code)
    return all_projects(tx)[code]


def _project_row(tx: Connection, code: str) -> Row[Any]:
    row = tx.execute(select(projects).where(projects.c.code == str(code))).first()
    if row is None:
        raise RefusalError("unknown_project", f"There is no project {code!r}.")
    return row


def all_projects(tx: Connection) -> dict[str, Project]:
    """Return every project by code, in the order of the codes."""
    p = projects.c
    fields: list[Any] = [p[name] for name in Project._fields if name != "owner"]
    fields.insert(Project._fields.index("owner"), accounts.c.code.label("owner"))
    rows = tx.execute(
        select(*fields).join(accounts, accounts.c.id == p.owner).order_by(p.code)
    ).all()
    return {row.code: Project(*row)._replace(covered=bool(row.covered)) for row in rows}


def find_batch(tx: Connection, code: str) -> Batch:
    """Return one batch; RefusalError unknown_batch."""
    row = tx.execute(_batches().where(units.c.code == str(code))).first()
    if row is None:
        raise RefusalError("unknown_batch", f"No batch {code!r} is registered (VM-06).")
    return Batch(*row)


def all_batches(tx: Connection, project: str | None = None) -> dict[str, Batch]:
    """Return the registered batches by code, in the order of registration; of one project."""
    query = _batches().order_by(batches.c.registered, batches.c.unit)
    if project is not None:
        query = query.where(batches.c.project == project)
    return {row.code: Batch(*row) for row in tx.execute(query)}


def _batches() -> Any:
    b = batches.c
    fields = (b.project, b.registered, b.period_first, b.period_last, b.tonnes, b.txn)
    return select(units.c.code, *fields).join(units, units.c.id == b.unit)
