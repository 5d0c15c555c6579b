"""The tables of issue, obligation and surrender; ``carry_schema`` has those of the rest.

Same conventions as ``registry.schema``. ``entity`` is the entity's unified code, ``unit`` the
vintage, ``account`` the account's id; people are positive numbers. What is decided is append only;
a row that waits for somebody else (an application, an earmark, a claim) moves on in place, and the
ledger's entries tell its whole story.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from registry.schema import KEYED, TABLE, Number, key, metadata, number, one_of, text

STAGES = ("pre", "final", "additional")
ORIGINS = ("own", "help", "forced", "borrowed")  # whose tonnes fulfil (CP-32, AL-42, AL-40, AL-24)
STATUSES = ("pending", "approved", "rejected", "withdrawn")
GROUNDS = (  # of a deduction: AL-41, AL-67, AL-24, CP-60, CP-61
    *("correction", "unpaid", "borrowed", "hardship", "claw_back", "penalty"),
)
REASONS = (  # of a differentiated issue: AL-26, AL-40, AL-66; "" = an ordinary one
    *("", "court_freeze", "unpaid", "risk", "closed", "lawsuit", "debts"),
)


def entity(*rest: Any, **options: Any) -> Column[str]:
    """Return the column that names a key emitting entity."""
    return Column("entity", Text, ForeignKey("entities.code"), *rest, nullable=False, **options)


allocation_files = Table(
    "allocation_files",  # what the platform handed over: the rows as they were signed (7.3)
    metadata,
    key("id"),
    text("plan"),
    number("year"),
    text("stage"),
    text("document"),
    text("content"),  # canonical JSON: the rows
    text("sha256"),  # of the content: what the province's paper and the checker quote
    number("entities"),
    number("tonnes"),
    number("maker"),
    number("made_ns"),
    one_of("stage", STAGES, "allocation_file_stage"),
    CheckConstraint("maker > 0 AND entities > 0", name="allocation_file_made"),
    **TABLE,
)

allocations = Table(
    "allocations",  # one row an entity and stage; only corrections may come again (RG-18)
    metadata,
    key("id"),
    number("file", ForeignKey("allocation_files.id")),
    text("plan"),
    number("year"),
    entity(),
    text("stage"),
    number("unit", ForeignKey("units.id")),
    number("tonnes"),  # pre: due early; final, additional: approved altogether
    number("waived_tonnes"),  # not owed: relief (AL-13), units out of scope (AL-04)
    number("deduction_tonnes"),  # netted; negative: credited back (AL-67)
    number("issued_tonnes"),  # to the entity's account
    number("earmarked_tonnes"),  # to the provincial account (AL-26, AL-40, AL-66)
    number("taken_back_tonnes"),  # from the entity's account, or from its earmark (AL-34)
    number("owed_tonnes"),  # to be taken back and not there: a deduction (AL-67)
    text("reason"),  # of a differentiated issue
    text("sha256"),  # of the row
    number("decided_ns"),
    Column("txn", Number, ForeignKey("transactions.id")),  # NULL: nothing moved
    one_of("stage", STAGES, "allocation_stage"),
    one_of("reason", REASONS, "allocation_reason"),
    CheckConstraint(
        "tonnes >= 0 AND waived_tonnes >= 0 AND issued_tonnes >= 0 AND earmarked_tonnes >= 0"
        " AND taken_back_tonnes >= 0 AND owed_tonnes >= 0",
        name="allocation_tonnes",
    ),
    CheckConstraint("stage <> 'pre' OR earmarked_tonnes = 0", name="earmarked_at_the_end"),
    **TABLE,
)
Index("allocations_entity", allocations.c.entity, allocations.c.year)
Index(
    "allocations_once",
    *(allocations.c.entity, allocations.c.year, allocations.c.stage),
    unique=True,
    sqlite_where=allocations.c.stage != "additional",
    postgresql_where=allocations.c.stage != "additional",
)

deductions = Table(
    "deductions",  # what the next issues are reduced by (AL-41, AL-67)
    metadata,
    key("id"),
    entity(),
    number("from_year"),  # the first plan year whose issue it reduces
    text("grounds"),
    number("tonnes"),
    text("document"),
    number("decided_ns"),
    one_of("grounds", GROUNDS, "deduction_grounds"),
    CheckConstraint("tonnes > 0", name="deduction_tonnes"),
    **TABLE,
)
Index("deductions_entity", deductions.c.entity)

deduction_uses = Table(
    "deduction_uses",  # netted by an allocation; negative: credited back to what remains (AL-67)
    metadata,
    key("allocation", ForeignKey("allocations.id")),
    key("deduction", ForeignKey("deductions.id")),
    number("tonnes"),
    CheckConstraint("tonnes <> 0", name="deduction_use_tonnes"),
    **KEYED,
)
Index("deduction_uses_deduction", deduction_uses.c.deduction)

earmarks = Table(
    "earmarks",  # an entity's allowances on the provincial account (AL-26, AL-40, AL-66)
    metadata,
    key("id"),
    number("allocation", ForeignKey("allocations.id"), unique=True),
    entity(),
    number("year"),
    number("unit", ForeignKey("units.id")),
    number("account", ForeignKey("accounts.id")),  # the province's
    text("reason"),
    number("tonnes"),
    number("forced_tonnes"),  # surrendered from here
    number("released_tonnes"),  # given to the entity
    number("recovered_tonnes"),  # taken back by a correction (RG-18)
    one_of("reason", REASONS[1:], "earmark_reason"),
    CheckConstraint(
        "tonnes > 0 AND forced_tonnes >= 0 AND released_tonnes >= 0 AND recovered_tonnes >= 0"
        " AND forced_tonnes + released_tonnes + recovered_tonnes <= tonnes",
        name="earmark_tonnes",
    ),
    **TABLE,
)
Index("earmarks_entity", earmarks.c.entity)

obligations = Table(
    "obligations",  # what an entity has to surrender for a year, as of the latest verification
    metadata,
    entity(primary_key=True),
    key("year"),
    number("version"),  # of the verified figure; corrections raise it (RG-18)
    number("verified_tonnes"),
    number("waived_tonnes"),  # AL-13
    number("tonnes"),
    number("deadline_ns"),  # the first moment that is too late (CP-41)
    number("ccer_max_tonnes"),  # CP-35
    number("notice_ns"),  # of the compliance notice (CP-32)
    CheckConstraint(
        "waived_tonnes >= 0 AND tonnes >= 0 AND tonnes = verified_tonnes - waived_tonnes"
        " AND version > 0",
        name="obligation_tonnes",
    ),
    CheckConstraint(
        "ccer_max_tonnes >= 0 AND 20 * ccer_max_tonnes <= tonnes", name="ccer_five_percent"
    ),
    **KEYED,
)
Index("obligations_year", obligations.c.year)

obligation_notices = Table(
    "obligation_notices",  # every notice that was given: the obligation's whole history (CP-32)
    metadata,
    entity(primary_key=True),
    key("year"),
    key("line"),
    number("version"),
    number("verified_tonnes"),
    number("waived_tonnes"),
    number("tonnes"),
    number("notice_ns"),
    **KEYED,
)

applications = Table(
    "applications",  # for surrender, by the entity, a helper, or on the province's mandate
    metadata,
    key("id"),
    entity(),
    number("year"),  # of the obligation
    number("unit", ForeignKey("units.id")),
    number("tonnes"),
    text("origin"),
    number("payer", ForeignKey("accounts.id")),  # whose tonnes: the entity, a helper, the province
    text("document"),  # the province's consent or mandate; empty where the entity surrenders
    text("status"),
    number("late"),  # 1 = applied after the deadline: arrears (CP-41, AL-68)
    number("maker"),
    number("applied_ns"),
    Column("checker", Number),
    Column("decided_ns", Number),
    text("note"),
    Column("txn_pending", Number, ForeignKey("transactions.id")),  # NULL: never waited
    Column("txn_done", Number, ForeignKey("transactions.id")),
    one_of("origin", ORIGINS, "application_origin"),
    one_of("status", STATUSES, "application_status"),
    CheckConstraint("tonnes > 0 AND late IN (0, 1) AND maker > 0", name="application_made"),
    CheckConstraint(
        "CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL AND"
        " txn_done IS NULL AND txn_pending IS NOT NULL"
        " WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL"
        " ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL"
        " AND txn_done IS NOT NULL END",
        name="application_two_people",
    ),
    CheckConstraint("origin = 'own' OR document <> ''", name="application_document"),
    **TABLE,
)
Index("applications_obligation", applications.c.entity, applications.c.year)
Index("applications_year", applications.c.year, applications.c.status)

offset_uses = Table(
    "offset_uses",  # voluntary reductions used for an obligation: a proof counts once (RG-12)
    metadata,
    key("id"),
    entity(),
    number("year"),
    number("tonnes"),
    text("batch"),
    text("proof"),  # its number in the CCER registry
    text("proof_sha256"),
    number("registered"),  # YYYYMMDD of the batch (CP-37)
    text("status"),
    number("late"),  # 1 = applied for after the deadline (CP-41)
    number("maker"),
    number("applied_ns"),
    Column("checker", Number),
    Column("decided_ns", Number),
    text("note"),
    one_of("status", STATUSES, "offset_status"),
    CheckConstraint("tonnes > 0 AND late IN (0, 1) AND maker > 0", name="offset_made"),
    CheckConstraint(
        "CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL"
        " WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL"
        " ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END",
        name="offset_two_people",
    ),
    **TABLE,
)
Index("offset_uses_obligation", offset_uses.c.entity, offset_uses.c.year)
Index(
    "offset_uses_once",
    offset_uses.c.proof,
    unique=True,
    sqlite_where=offset_uses.c.status.in_(("pending", "approved")),
    postgresql_where=offset_uses.c.status.in_(("pending", "approved")),
)

certificates = Table(
    "certificates",  # an obligation was fulfilled (CP-32)
    metadata,
    key("id"),
    entity(),
    number("year"),
    number("version"),  # of the obligation
    number("tonnes"),
    number("surrendered_tonnes"),
    number("offset_tonnes"),
    number("late"),  # 1 = something was applied for after the deadline
    number("fulfilled_ns"),
    text("sha256"),
    UniqueConstraint("entity", "year", "version"),
    CheckConstraint("surrendered_tonnes + offset_tonnes >= tonnes", name="certificate_covers"),
    **TABLE,
)

APPEND_ONLY: tuple[Table, ...] = (
    allocation_files,
    allocations,
    deductions,
    deduction_uses,
    obligation_notices,
    certificates,
)
