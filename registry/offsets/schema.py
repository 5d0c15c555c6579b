"""The tables of voluntary reductions: projects, batches, cancellations, proofs (VM-06, VM-10).

Same conventions as ``registry.schema``. A batch is a unit of the books of the voluntary market;
what is held of it lies in the ledger's buckets, like allowances. ``registered`` and the ends of the
reduction period are days YYYYMMDD.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from registry.schema import TABLE, Number, key, metadata, number, one_of, text

KINDS = ("offset", "voluntary", "other")  # of cancellations (VM-10)
STATUSES = ("pending", "approved", "rejected", "withdrawn")

projects = Table(
    "projects",
    metadata,
    Column("code", Text, primary_key=True),  # 1..32 of A-Z a-z 0-9 . _ -
    text("name"),
    text("type"),  # offshore wind, afforestation …
    text("methodology"),
    number("owner", ForeignKey("accounts.id")),
    text("installation"),  # where the reduction happens
    number("covered"),  # 1 = an installation under the allowance system (CP-36)
    text("document"),
    number("maker"),
    number("checker"),
    number("entered_ns"),
    CheckConstraint("covered IN (0, 1)", name="project_covered"),
    CheckConstraint("maker > 0 AND checker > 0 AND maker <> checker", name="project_two_people"),
    **TABLE,
)

batches = Table(
    "batches",  # registered reductions of one project: issued to its owner at once
    metadata,
    key("unit", ForeignKey("units.id")),
    text("project", ForeignKey("projects.code")),
    number("registered"),
    number("period_first"),
    number("period_last"),
    number("tonnes"),
    number("txn", ForeignKey("transactions.id"), unique=True),
    text("document"),
    number("maker"),
    number("checker"),
    number("entered_ns"),
    CheckConstraint(
        "registered < 20170314 OR registered >= 20240122", name="batch_old_or_new"
    ),  # between, nothing could be filed (CP-37)
    CheckConstraint(
        "period_first <= period_last AND period_last <= registered", name="batch_period"
    ),
    CheckConstraint("tonnes > 0", name="batch_tonnes"),
    CheckConstraint("maker > 0 AND checker > 0 AND maker <> checker", name="batch_two_people"),
    **TABLE,
)
Index("batches_project", batches.c.project)

cancellations = Table(
    "cancellations",  # asked for by the owner, decided by somebody else; approved = for ever
    metadata,
    key("id"),
    number("account", ForeignKey("accounts.id")),
    number("unit", ForeignKey("batches.unit")),
    text("kind"),
    number("tonnes"),
    text("beneficiary"),  # of an offset the entity's unified code; else a name, or empty
    Column("obligation_year", Number),
    text("purpose"),
    text("document"),
    text("sha256"),  # of all of the above: what the checker quotes
    text("status"),
    number("maker"),
    number("applied_ns"),
    Column("checker", Number),
    Column("decided_ns", Number),
    text("note"),
    number("txn_pending", ForeignKey("transactions.id")),
    Column("txn_done", Number, ForeignKey("transactions.id")),
    one_of("kind", KINDS, "cancellation_kind"),
    one_of("status", STATUSES, "cancellation_status"),
    CheckConstraint("tonnes > 0 AND maker > 0", name="cancellation_made"),
    CheckConstraint(
        "CASE kind WHEN 'offset' THEN obligation_year IS NOT NULL AND beneficiary <> ''"
        " ELSE obligation_year IS NULL END",
        name="offset_for_whom",
    ),
    CheckConstraint(
        "CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL"
        " AND txn_done IS NULL"
        " WHEN 'withdrawn' THEN checker = maker AND txn_done IS NOT NULL"
        " ELSE checker > 0 AND checker <> maker AND txn_done IS NOT NULL END",
        name="cancellation_two_people",
    ),
    **TABLE,
)
Index("cancellations_account", cancellations.c.account)
Index("cancellations_unit", cancellations.c.unit)

proofs = Table(
    "proofs",  # what another registry may check: one an approved cancellation (RG-12)
    metadata,
    key("id"),
    number("cancellation", ForeignKey("cancellations.id"), unique=True),
    text("content"),  # canonical JSON
    text("sha256"),  # of the content
    number("issued_ns"),
    **TABLE,
)

APPEND_ONLY: tuple[Table, ...] = (projects, batches, proofs)
