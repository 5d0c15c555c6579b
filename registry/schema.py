"""The registry's tables: every one, in one file.

A *bucket* is (account, unit, kind): what one account has of one thing in one state. An *entry*
takes an amount from one bucket and gives it to another of the same unit, so a transaction that
does not sum to zero cannot be written down (ADR 0003). Unit 0 is money in fen; every other unit
is a vintage in tonnes. Dates are integers YYYYMMDD, as in the engine.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects import sqlite

FORMAT = 1  # of the schema; another one is refused at start
FEN = 0  # the unit of money

# Kinds of buckets. The two sources hold minus what has come into being through them.
ISSUED = "issued"  # source of tonnes (RG-09)
BANK = "bank"  # source of money: the special account at the settlement bank (ST-02)
REGISTRY_AVAILABLE = "registry_available"  # RG-06
IN_TRANSIT = "in_transit"  # instructed, not yet done by the exchange: tonnes or fen
TRADING_AVAILABLE = "trading_available"  # RG-06
CASH = "cash"  # a subject's money sub-ledger (ST-02)
FEES = "fees"  # what the exchange and the registry have earned (TR-130)
SOURCES = (ISSUED, BANK)
KINDS = (*SOURCES, REGISTRY_AVAILABLE, IN_TRANSIT, TRADING_AVAILABLE, CASH, FEES)

# The accounts that are there before anybody comes: their ids.
RESERVE_ID, BANK_ID, EXCHANGE_FEES_ID, REGISTRY_FEES_ID = 1, 2, 3, 4

# Kinds of transactions.
TRANSACTIONS = ("issue", "deposit", "transfer_in", "arrival", "refusal", "out", "settlement")

Number = BigInteger().with_variant(
    sqlite.INTEGER(), "sqlite"
)  # SQLite's STRICT tables want INTEGER
TABLE: dict[str, Any] = {"sqlite_strict": True}
KEYED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}

metadata = MetaData()


def _number(name: str, *rest: Any, **options: Any) -> Column[int]:
    return Column(name, Number, *rest, nullable=False, **options)


def _text(name: str, *rest: Any, **options: Any) -> Column[str]:
    return Column(name, Text, *rest, nullable=False, **options)


def _key(name: str, *rest: Any) -> Column[int]:
    return Column(name, Number, *rest, primary_key=True, autoincrement=False)


def _one_of(column: str, words: tuple[str, ...], name: str) -> CheckConstraint:
    quoted = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({quoted})", name=name)


formats = Table("formats", metadata, _key("format"), **TABLE)

accounts = Table(
    "accounts",
    metadata,
    _key("id"),
    _text("code", unique=True),  # the customer number
    _text("name"),
    _text("kind"),
    _text("registry_account", unique=True),
    Column("trading_account", Text, unique=True),
    Column("trading_index", Number, unique=True),  # the exchange's row: 0, 1, 2 … without gaps
    _one_of(
        "kind", ("key_emitting_entity", "other", "fees", "bank", "issue_reserve"), "account_kind"
    ),
    CheckConstraint(
        "(trading_index IS NULL) = (trading_account IS NULL) AND trading_index >= 0",
        name="trading_side",
    ),
    **TABLE,
)

units = Table("units", metadata, _key("id"), _text("code", unique=True), **TABLE)

buckets = Table(
    "buckets",
    metadata,
    _key("account", ForeignKey("accounts.id")),
    _key("unit", ForeignKey("units.id")),
    Column("kind", Text, primary_key=True),
    _number("balance"),
    _one_of("kind", KINDS, "bucket_kind"),
    CheckConstraint(
        "CASE WHEN kind IN ('issued', 'bank') THEN balance <= 0 ELSE balance >= 0 END",
        name="balance_sign",  # nobody can have less than nothing (I2)
    ),
    CheckConstraint(
        "CASE WHEN kind IN ('bank', 'cash', 'fees') THEN unit = 0"
        " WHEN kind = 'in_transit' THEN unit >= 0 ELSE unit > 0 END",
        name="bucket_unit",
    ),
    **KEYED,
)

transactions = Table(
    "transactions",
    metadata,
    _key("id"),
    _text("kind"),
    Column("date", Number),  # the trading day of a settlement
    _text("note"),
    _one_of("kind", TRANSACTIONS, "transaction_kind"),
    **TABLE,
)

entries = Table(
    "entries",
    metadata,
    _key("txn", ForeignKey("transactions.id")),
    _key("line"),
    _number("unit"),
    _number("debit_account"),  # loses the amount
    _text("debit_kind"),
    _number("credit_account"),  # gains it
    _text("credit_kind"),
    _number("amount"),
    Column("trade_no", Number),  # of a settlement: the deal it pays or delivers
    ForeignKeyConstraint(
        ["debit_account", "unit", "debit_kind"], ["buckets.account", "buckets.unit", "buckets.kind"]
    ),
    ForeignKeyConstraint(
        ["credit_account", "unit", "credit_kind"],
        ["buckets.account", "buckets.unit", "buckets.kind"],
    ),
    CheckConstraint("amount > 0", name="amount_positive"),
    CheckConstraint(
        "debit_account <> credit_account OR debit_kind <> credit_kind", name="two_buckets"
    ),
    **KEYED,
)

instructions = Table(
    "instructions",  # to the exchange, numbered 1 … n without gaps
    metadata,
    _key("number"),
    _text("kind"),
    _number("account", ForeignKey("accounts.id")),
    Column("unit", Number, ForeignKey("units.id")),
    _number("amount"),  # tonnes, fen or 0
    _text("status"),
    _text("reason"),
    _one_of("kind", ("open_account", "cash_in", "transfer_in"), "instruction_kind"),
    _one_of("status", ("pending", "done", "refused"), "instruction_status"),
    CheckConstraint(
        "CASE kind WHEN 'open_account' THEN amount = 0 AND unit IS NULL"
        " WHEN 'cash_in' THEN amount > 0 AND unit = 0 ELSE amount > 0 AND unit > 0 END",
        name="instruction_fields",
    ),
    **TABLE,
)
Index(
    "instructions_pending",
    instructions.c.number,
    sqlite_where=instructions.c.status == "pending",
    postgresql_where=instructions.c.status == "pending",
)

inbox = Table(
    "inbox",  # what the exchange has told, by its seq: heard once, answered for ever
    metadata,
    _key("seq"),
    _text("kind"),
    _text("sha256"),  # of the content: the same seq with another content stops (F32)
    _text("answer"),
    _one_of("kind", ("cash_out", "transfer_out"), "inbox_kind"),
    **TABLE,
)

days = Table(
    "days",
    metadata,
    _key("date"),
    _text("status"),
    _text("sha256"),  # of the deal file last looked at
    _number("tag"),
    _number("deals"),
    _text("report"),  # JSON list of sentences: what differs
    _number("attempts"),
    _number("seen_txn"),  # the books as they were when the file was last looked at
    _number("seen_instruction"),
    Column("txn", Number, ForeignKey("transactions.id"), unique=True),
    _one_of("status", ("cleared", "differs", "posted"), "day_status"),
    CheckConstraint("(status = 'posted') = (txn IS NOT NULL)", name="posted_by_txn"),
    CheckConstraint("(status = 'differs') = (report <> '[]')", name="reported"),
    **TABLE,
)

deals = Table(
    "deals",  # one row a trade: cleared gross, never netted (ST-03)
    metadata,
    _key("trade_no"),
    _number("date", ForeignKey("days.date")),
    _number("seq"),
    _number("time_ns"),
    _number("unit", ForeignKey("units.id")),
    _number("price_ticks"),
    _number("qty_tonnes"),
    _number("value_fen"),
    _number("buyer", ForeignKey("accounts.id")),
    _number("seller", ForeignKey("accounts.id")),
    _number("buy_trading_fee_fen"),
    _number("buy_settlement_fee_fen"),
    _number("sell_trading_fee_fen"),
    _number("sell_settlement_fee_fen"),
    _number("modality"),
    _number("taker_side"),
    CheckConstraint("qty_tonnes > 0 AND value_fen = price_ticks * qty_tonnes", name="deal_value"),
    CheckConstraint("buyer <> seller", name="deal_sides"),
    **TABLE,
)
Index("deals_date", deals.c.date)
Index("deals_buyer", deals.c.buyer)
Index("deals_seller", deals.c.seller)

statements = Table(
    "statements",  # a subject's money on one day: the fields of rules.md section 2, in fen
    metadata,
    _key("date", ForeignKey("days.date")),
    _key("account", ForeignKey("accounts.id")),
    _number("opening_funds"),
    _number("cash_in"),
    _number("cash_out"),
    _number("buy_amount"),
    _number("buy_fee"),
    _number("sell_amount"),
    _number("sell_fee"),
    _number("settlement_fee"),
    _number("available_funds"),
    CheckConstraint(
        "opening_funds + cash_in - cash_out - buy_amount - buy_fee + sell_amount - sell_fee"
        " - settlement_fee = available_funds AND opening_funds >= 0",
        name="statement_sum",
    ),
    **KEYED,
)

statement_holdings = Table(
    "statement_holdings",  # its trading-side tonnes of one vintage on that day
    metadata,
    _key("date"),
    _key("account"),
    _key("unit", ForeignKey("units.id")),
    _number("opening_tonnes"),
    _number("moved_in_tonnes"),
    _number("moved_out_tonnes"),
    _number("bought_tonnes"),
    _number("sold_tonnes"),
    _number("closing_tonnes"),
    ForeignKeyConstraint(["date", "account"], ["statements.date", "statements.account"]),
    CheckConstraint(
        "opening_tonnes + moved_in_tonnes - moved_out_tonnes + bought_tonnes - sold_tonnes"
        " = closing_tonnes AND opening_tonnes >= 0",
        name="holding_sum",
    ),
    **KEYED,
)

APPEND_ONLY = (transactions, entries, deals, inbox)  # RG-17: corrected by new rows, never deleted
