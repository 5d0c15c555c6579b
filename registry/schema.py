"""The registry's tables: ledger, exchange and evening; offices.py has those of its people.

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
    select,
)
from sqlalchemy.dialects import sqlite

FORMAT = 5  # of the schema; older ones are upgraded at start, any other is refused
FEN = 0  # the unit of money

# Kinds of buckets. The two sources hold minus what has come into being through them.
ISSUED = "issued"  # source of tonnes (RG-09)
BANK = "bank"  # source of money: the special account at the settlement bank (ST-02)
REGISTRY_AVAILABLE = "registry_available"  # RG-06
IN_TRANSIT = "in_transit"  # instructed, not yet done by the exchange: tonnes or fen
TRADING_AVAILABLE = "trading_available"  # RG-06
JUDICIAL = "judicial"  # frozen by a court on the registry side (RG-15)
TRADING_JUDICIAL = "trading_judicial"  # frozen by a court on the trading side
PENDING = "pending"  # an application waits: surrender, carry-over, cancellation (RG-06)
CANCELLED = "cancelled"  # voluntarily, for ever (RG-13): nothing leaves it
SURRENDERED = "surrendered"  # for an obligation, for ever (CP-32)
RECOVERED = "recovered"  # taken back: carried over (AL-55), or an issue that was too much (RG-18)
CASH = "cash"  # a subject's money sub-ledger (ST-02)
FEES = "fees"  # what the exchange and the registry have earned (TR-130)
RESERVE = "reserve"  # the settlement risk reserve (ST-08)
SOURCES = (ISSUED, BANK)
GOODS = (
    REGISTRY_AVAILABLE,
    IN_TRANSIT,
    TRADING_AVAILABLE,
    JUDICIAL,
    TRADING_JUDICIAL,
    PENDING,
    CANCELLED,
    SURRENDERED,
    RECOVERED,
)
FINAL = (CANCELLED, SURRENDERED, RECOVERED)  # nothing ever leaves these
KINDS = (*SOURCES, *GOODS, CASH, FEES, RESERVE)

# The accounts that are there before anybody comes: their ids. The reserve's money lies in a bank
# account of its own (ST-08), apart from the special account of the subjects (ST-02).
RESERVE_ID, BANK_ID, EXCHANGE_FEES_ID, REGISTRY_FEES_ID = 1, 2, 3, 4
RISK_RESERVE_ID, RESERVE_BANK_ID = 5, 6

# Kinds of transactions.
TRANSACTIONS = (
    *("issue", "deposit", "transfer_in", "arrival", "refusal", "out", "settlement"),
    *("freeze", "release", "deduction", "cancellation", "succession", "correction"),
    *("bank_debit", "top_up", "reserve_in", "cover", "recovery"),
    *("allocation", "claw_back", "apply", "reject", "surrender", "carry_over", "conversion"),
    *("help", "offset"),
)

Number = BigInteger().with_variant(
    sqlite.INTEGER(), "sqlite"
)  # SQLite's STRICT tables want INTEGER
TABLE: dict[str, Any] = {"sqlite_strict": True}
KEYED: dict[str, Any] = {"sqlite_strict": True, "sqlite_with_rowid": False}

metadata = MetaData()


def number(name: str, *rest: Any, **options: Any) -> Column[int]:
    """Return a column of whole numbers that is never empty."""
    return Column(name, Number, *rest, nullable=False, **options)


def text(name: str, *rest: Any, **options: Any) -> Column[str]:
    """Return a column of text that is never NULL."""
    return Column(name, Text, *rest, nullable=False, **options)


def key(name: str, *rest: Any) -> Column[int]:
    """Return a column of the primary key."""
    return Column(name, Number, *rest, primary_key=True, autoincrement=False)


def one_of(column: str, words: tuple[str, ...], name: str) -> CheckConstraint:
    """Return the check that a column holds one of these words."""
    quoted = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({quoted})", name=name)


formats = Table("formats", metadata, key("format"), text("profile"), **TABLE)

accounts = Table(
    "accounts",
    metadata,
    key("id"),
    text("code", unique=True),  # the customer number
    text("name"),
    text("kind"),
    text("registry_account", unique=True),
    Column("trading_account", Text, unique=True),
    Column("trading_index", Number, unique=True),  # the exchange's row: 0, 1, 2 … without gaps
    number("blocks", server_default="0"),  # what the registry has restricted: bits (ST-12)
    one_of(
        "kind",
        (
            *("key_emitting_entity", "other", "fees", "bank", "issue_reserve", "risk_reserve"),
            *("national", "province"),
        ),
        "account_kind",
    ),
    CheckConstraint(
        "(trading_index IS NULL) = (trading_account IS NULL) AND trading_index >= 0",
        name="trading_side",
    ),
    **TABLE,
)

units = Table("units", metadata, key("id"), text("code", unique=True), **TABLE)

buckets = Table(
    "buckets",
    metadata,
    key("account", ForeignKey("accounts.id")),
    key("unit", ForeignKey("units.id")),
    Column("kind", Text, primary_key=True),
    number("balance"),
    one_of("kind", KINDS, "bucket_kind"),
    CheckConstraint(
        "CASE WHEN kind IN ('issued', 'bank') THEN balance <= 0 ELSE balance >= 0 END",
        name="balance_sign",  # nobody can have less than nothing (I2)
    ),
    CheckConstraint(
        "CASE WHEN kind IN ('bank', 'cash', 'fees', 'reserve') THEN unit = 0"
        " WHEN kind = 'in_transit' THEN unit >= 0 ELSE unit > 0 END",
        name="bucket_unit",
    ),
    **KEYED,
)

transactions = Table(
    "transactions",
    metadata,
    key("id"),
    text("kind"),
    Column("date", Number),  # the trading day of a settlement
    text("note"),
    Column("corrects", Number, ForeignKey("transactions.id"), unique=True),  # RG-17
    number("booked_ns"),  # the moment it counts from: ``ledger.begin``
    one_of("kind", TRANSACTIONS, "transaction_kind"),
    **TABLE,
)

entries = Table(
    "entries",
    metadata,
    key("txn", ForeignKey("transactions.id")),
    key("line"),
    number("unit"),
    number("debit_account"),  # loses the amount
    text("debit_kind"),
    number("credit_account"),  # gains it
    text("credit_kind"),
    number("amount"),
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
    CheckConstraint(  # RG-13, E52; CP-32; AL-55
        "debit_kind NOT IN ('cancelled', 'surrendered', 'recovered')", name="final_for_ever"
    ),
    **KEYED,
)

instructions = Table(
    "instructions",  # to the exchange, numbered 1 … n without gaps
    metadata,
    key("number"),
    text("kind"),
    number("account", ForeignKey("accounts.id")),
    Column("unit", Number, ForeignKey("units.id")),
    number("amount"),  # tonnes, fen or 0
    text("status"),
    text("reason"),
    one_of("kind", ("open_account", "cash_in", "transfer_in"), "instruction_kind"),
    one_of("status", ("pending", "done", "refused"), "instruction_status"),
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
    key("seq"),
    text("kind"),
    text("sha256"),  # of the content: the same seq with another content stops (F32)
    text("answer"),
    one_of(
        "kind",
        ("cash_out", "transfer_out", "freeze", "release", "deduct", "void"),
        "inbox_kind",
    ),
    **TABLE,
)

days = Table(
    "days",
    metadata,
    key("date"),
    text("status"),
    text("sha256"),  # of the deal file last looked at
    number("tag"),
    number("deals"),
    text("report"),  # JSON list of sentences: what differs
    number("attempts"),
    number("seen_txn"),  # the books as they were when the file was last looked at
    number("seen_instruction"),
    number("seen_voids"),
    number("told", server_default="0"),  # 1 = its statements are written (ST-05)
    Column("txn", Number, ForeignKey("transactions.id"), unique=True),
    one_of("status", ("cleared", "differs", "posted"), "day_status"),
    CheckConstraint("(status = 'posted') = (txn IS NOT NULL)", name="posted_by_txn"),
    CheckConstraint("(status = 'differs') = (report <> '[]')", name="reported"),
    **TABLE,
)

deals = Table(
    "deals",  # one row a trade: cleared gross, never netted (ST-03)
    metadata,
    key("trade_no"),
    number("date", ForeignKey("days.date")),
    number("seq"),
    number("time_ns"),
    number("unit", ForeignKey("units.id")),
    number("price_ticks"),
    number("qty_tonnes"),
    number("value_fen"),
    number("buyer", ForeignKey("accounts.id")),
    number("seller", ForeignKey("accounts.id")),
    number("buy_trading_fee_fen"),
    number("buy_settlement_fee_fen"),
    number("sell_trading_fee_fen"),
    number("sell_settlement_fee_fen"),
    number("modality"),
    number("taker_side"),
    CheckConstraint("qty_tonnes > 0 AND value_fen = price_ticks * qty_tonnes", name="deal_value"),
    CheckConstraint("buyer <> seller", name="deal_sides"),
    **TABLE,
)
voids = Table(
    "voids",  # trades the exchange has undone before settlement (TR-121), by two people
    metadata,
    key("trade_no"),
    number("seq", unique=True),
    number("maker"),
    number("checker"),
    CheckConstraint("maker <> checker", name="void_two_people"),
    **TABLE,
)
STANDING = deals.c.trade_no.not_in(select(voids.c.trade_no))  # a deal that was not undone
Index("deals_date", deals.c.date)
Index("deals_buyer", deals.c.buyer)
Index("deals_seller", deals.c.seller)

statements = Table(
    "statements",  # a subject's money on one day: the fields of rules.md section 2, in fen
    metadata,
    key("date", ForeignKey("days.date")),
    key("account", ForeignKey("accounts.id")),
    number("opening_funds"),
    number("cash_in"),
    number("cash_out"),
    number("buy_amount"),
    number("buy_fee"),
    number("sell_amount"),
    number("sell_fee"),
    number("settlement_fee"),
    number("available_funds"),
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
    key("date"),
    key("account"),
    key("unit", ForeignKey("units.id")),
    number("opening_tonnes"),
    number("moved_in_tonnes"),
    number("moved_out_tonnes"),
    number("bought_tonnes"),
    number("sold_tonnes"),
    number("court_frozen_tonnes"),  # frozen less released on that day (RG-15)
    number("closing_tonnes"),
    ForeignKeyConstraint(["date", "account"], ["statements.date", "statements.account"]),
    CheckConstraint(
        "opening_tonnes + moved_in_tonnes - moved_out_tonnes + bought_tonnes - sold_tonnes"
        " - court_frozen_tonnes = closing_tonnes AND opening_tonnes >= 0",
        name="holding_sum",
    ),
    **KEYED,
)

APPEND_ONLY = (  # RG-17: corrected by new rows, never deleted
    transactions,
    entries,
    deals,
    voids,
    inbox,
)
TIED = (entries, deals)  # by the thousand an evening: on PostgreSQL ``registry.ties`` ties them
for _table in TIED:
    for _key in _table.foreign_key_constraints:
        _key.ddl_if(dialect="sqlite")
