"""The tables of the registry's people: what is asked and approved, ordered, owed, told.

Same conventions as ``registry.schema``. People are positive numbers (``maker``, ``checker``);
nobody approves what he has asked for, and the database refuses it too (ST-07).
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
)

from registry.schema import KEYED, TABLE, Number, key, metadata, number, one_of, text

PERSON_MAX = 2**31 - 1
COURT = ("freeze", "release", "deduct")  # by directive only where it concerns the trading side
BLOCKS_MAX = 63  # the exchange's five bits (engine.records.Block) and CASH_IN
CASH_IN_BLOCK = 32  # the registry's own bit: no deposits (ST-05)

requests = Table(
    "requests",  # operations by hand: who asks for what, with exactly which values
    metadata,
    key("id"),
    number("maker"),
    text("action"),
    text("payload"),  # canonical JSON
    text("sha256"),  # of number, maker, action and payload: what an approver signs
    number("made_at_ns"),
    UniqueConstraint("id", "maker"),
    CheckConstraint("maker > 0", name="maker_known"),
    **TABLE,
)

decisions = Table(
    "decisions",  # at most one a request
    metadata,
    key("request", ForeignKey("requests.id")),
    number("maker"),
    number("checker"),
    text("verdict"),
    text("note"),
    number("decided_at_ns"),
    Column("txn", Number, ForeignKey("transactions.id")),
    Column("directive", Number),
    one_of("verdict", ("approved", "refused", "withdrawn"), "decision_verdict"),
    ForeignKeyConstraint(["request", "maker"], ["requests.id", "requests.maker"]),
    CheckConstraint("checker > 0", name="checker_known"),
    CheckConstraint("(verdict = 'withdrawn') = (maker = checker)", name="two_people"),
    CheckConstraint("verdict = 'approved' OR (txn IS NULL AND directive IS NULL)", name="done_by"),
    **TABLE,
)

attempts = Table(
    "attempts",  # decisions that were refused, and why: part of the audit trail
    metadata,
    key("id"),
    number("request", ForeignKey("requests.id")),
    number("person"),
    text("verb"),
    text("code"),
    number("at_ns"),
    **TABLE,
)

directives = Table(
    "directives",  # to the exchange, beside the instructions: keyed I1, I2 … in client_order_id
    metadata,
    key("number"),
    text("kind"),
    number("account", ForeignKey("accounts.id")),
    Column("unit", Number, ForeignKey("units.id")),
    number("amount"),  # tonnes, or bits
    Column("owner", Number, ForeignKey("accounts.id")),  # of a deduction: who gets them
    number("maker"),  # 0 = the registry's own rule
    number("checker"),
    text("document"),
    text("status"),
    text("reason"),
    Column("seq", Number, unique=True),  # of the exchange's answer
    one_of("kind", (*COURT, "restrict", "lift"), "directive_kind"),
    one_of("status", ("pending", "done", "refused"), "directive_status"),
    CheckConstraint(
        "CASE WHEN kind IN ('freeze', 'release', 'deduct')"
        " THEN unit > 0 AND maker > 0 AND checker > 0 AND maker <> checker"
        " ELSE unit IS NULL END",
        name="directive_fields",
    ),
    CheckConstraint("(kind = 'deduct') = (owner IS NOT NULL)", name="directive_owner"),
    CheckConstraint("(status = 'pending') = (seq IS NULL)", name="directive_answered"),
    CheckConstraint("amount > 0", name="directive_amount"),
    **TABLE,
)
Index(
    "directives_pending",
    directives.c.number,
    sqlite_where=directives.c.status == "pending",
    postgresql_where=directives.c.status == "pending",
)

defaults = Table(
    "defaults",  # money that went missing outside the market, and who made it good (ST-11)
    metadata,
    key("id"),
    number("account", ForeignKey("accounts.id")),
    number("amount_fen"),
    number("topped_up_fen"),  # by the subject, in time
    number("covered_fen"),  # by the reserve: the claim
    number("recovered_fen"),  # of the claim
    number("limit_at_ns"),
    text("document"),
    CheckConstraint("amount_fen > 0 AND limit_at_ns > 0", name="default_fields"),
    CheckConstraint(
        "topped_up_fen >= 0 AND covered_fen >= 0 AND topped_up_fen + covered_fen <= amount_fen",
        name="default_mended",
    ),
    CheckConstraint("recovered_fen BETWEEN 0 AND covered_fen", name="default_recovered"),
    **TABLE,
)
Index("defaults_account", defaults.c.account)

notices = Table(
    "notices",  # what people are told: one account, or the public where there is none
    metadata,
    key("id"),
    text("kind"),
    Column("account", Number, ForeignKey("accounts.id")),
    number("at_ns"),
    number("date"),  # of the trading day it is about, 0 if it is about none
    text("sentence"),
    one_of(
        "kind",
        (
            *("unconfirmed", "statements_missing", "statements_written"),
            *("default", "covered", "recovered"),
            *("court", "restriction", "cancellation", "succession", "correction", "objection"),
            *("allocation", "obligation", "surrender", "certificate", "offset"),
            *("carry_over", "borrowing", "penalty", "warning", "disclosure"),
            *("verification", "recheck"),
        ),
        "notice_kind",
    ),
    **TABLE,
)
Index("notices_account", notices.c.account)

asked = Table(
    "asked",  # what subjects asked for under an id of their own: done once a day and id (F31, F32)
    metadata,
    key("account", ForeignKey("accounts.id")),
    key("date"),  # in Beijing, YYYYMMDD
    Column("request_id", Text, primary_key=True),
    text("kind"),
    number("unit", ForeignKey("units.id")),
    number("amount"),
    Column("instruction", Number, ForeignKey("instructions.number"), unique=True),
    Column("seq", Number, unique=True),  # of the exchange, which did what went out
    one_of("kind", ("cash_in", "transfer_in", "cash_out", "transfer_out"), "asked_kind"),
    CheckConstraint("amount > 0", name="asked_amount"),
    CheckConstraint("(kind IN ('cash_out', 'transfer_out')) = (seq IS NOT NULL)", name="asked_seq"),
    CheckConstraint(
        "CASE kind WHEN 'transfer_in' THEN instruction IS NOT NULL"
        " WHEN 'cash_in' THEN TRUE ELSE instruction IS NULL END",
        name="asked_instruction",  # of a deposit that went to a debt there is none (ST-11)
    ),
    **KEYED,
)

objections = Table(
    "objections",  # against a day's statement, before the next day opens (ST-06)
    metadata,
    key("date", ForeignKey("days.date")),
    key("account", ForeignKey("accounts.id")),
    key("line"),
    number("at_ns"),
    text("wording"),
    **KEYED,
)

APPEND_ONLY = (requests, decisions, attempts, notices, asked, objections)
