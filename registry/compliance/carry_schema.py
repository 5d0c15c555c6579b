"""The tables of carry-over, borrowing, penalties, risk watch and disclosure.

Same conventions as ``registry.compliance.schema``, whose tables these rest on. What is decided is
append only; what waits for somebody else (an application, a case) moves on in place, once.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from registry.compliance.schema import STATUSES, entity
from registry.schema import KEYED, TABLE, Number, key, metadata, number, one_of, text

LEVELS = ("over_selling", "short", "unaffordable")  # of a warning (CP-40), the worst last


def _two_people(name: str) -> tuple[CheckConstraint, ...]:
    """Return the checks of a row that one person makes and another decides (ST-07)."""
    return (
        one_of("status", STATUSES, f"{name}_status"),
        CheckConstraint(
            "CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL"
            " WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL"
            " ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END AND maker > 0",
            name=f"{name}_two_people",
        ),
    )


carry_notices = Table(
    "carry_notices",  # how much an entity may carry over, computed once (AL-51, AL-54)
    metadata,
    entity(primary_key=True),
    number("account", ForeignKey("accounts.id")),
    number("base_tonnes"),  # AL-51, AL-58
    number("sold_tonnes"),  # in 2024 and 2025, of 2019-2024 vintages
    number("bought_tonnes"),
    number("position_tonnes"),  # at the end of 2025 (AL-52)
    number("limit_tonnes"),  # T
    number("books_txn"),  # the last transaction of that year: the position has no later one
    number("notice_ns"),
    CheckConstraint(
        "base_tonnes > 0 AND sold_tonnes >= 0 AND bought_tonnes >= 0 AND limit_tonnes > 0"
        " AND limit_tonnes <= position_tonnes",
        name="carry_limit",
    ),
    CheckConstraint(  # floor(base + 1.5 NS), in whole numbers
        "CASE WHEN sold_tonnes > bought_tonnes THEN"
        " 2 * limit_tonnes <= 2 * base_tonnes + 3 * (sold_tonnes - bought_tonnes)"
        " ELSE limit_tonnes <= base_tonnes END",
        name="carry_formula",
    ),
    **KEYED,
)

carry_applications = Table(
    "carry_applications",  # so many tonnes of a 2019-2024 vintage become 2025 (AL-54, AL-55)
    metadata,
    key("id"),
    entity(),
    number("unit", ForeignKey("units.id")),
    number("tonnes"),
    number("late"),  # 1 = after the window, for what a court had frozen (AL-57)
    text("document"),  # of the release; empty where it is not late
    number("due"),  # YYYYMMDD by which it is handled (AL-55), 0 = no date is set
    text("status"),
    number("maker"),
    number("applied_ns"),
    Column("checker", Number),
    Column("decided_ns", Number),
    text("note"),
    number("txn_pending", ForeignKey("transactions.id")),
    Column("txn_done", Number, ForeignKey("transactions.id")),  # recovered, or given back
    Column("txn_converted", Number, ForeignKey("transactions.id")),  # I11
    *_two_people("carry"),
    CheckConstraint("tonnes > 0 AND late IN (0, 1)", name="carry_tonnes"),
    CheckConstraint("(late = 1) = (document <> '')", name="carry_document"),
    CheckConstraint("(status = 'pending') = (txn_done IS NULL)", name="carry_done"),
    CheckConstraint("(status = 'approved') = (txn_converted IS NOT NULL)", name="carry_converted"),
    **TABLE,
)
Index("carry_applications_entity", carry_applications.c.entity)
Index("carry_applications_status", carry_applications.c.status)

borrowings = Table(
    "borrowings",  # from the 2023 pre-allocation for 2021 and 2022 (AL-24)
    metadata,
    key("id"),
    entity(),
    number("year"),  # of the obligation
    number("tonnes"),
    number("obligation_tonnes"),  # as of the request: what the ratio was judged by
    number("allocation_tonnes"),
    text("document"),  # the genuine difficulty
    text("status"),
    number("maker"),
    number("asked_ns"),
    Column("checker", Number),
    Column("decided_ns", Number),
    text("note"),
    Column("application", Number, ForeignKey("applications.id"), unique=True),  # it went straight
    Column("deduction", Number, ForeignKey("deductions.id"), unique=True),  # 1:1 in 2023
    *_two_people("borrowing"),
    CheckConstraint(
        "tonnes > 0 AND 2 * tonnes <= obligation_tonnes - allocation_tonnes"
        " AND 10 * (obligation_tonnes - allocation_tonnes) >= obligation_tonnes",
        name="borrowing_limits",
    ),
    CheckConstraint(
        "(status = 'approved') = (application IS NOT NULL)"
        " AND (application IS NULL) = (deduction IS NULL)",
        name="borrowing_done",
    ),
    **TABLE,
)
Index("borrowings_entity", borrowings.c.entity)

penalties = Table(
    "penalties",  # proposed by one, decided by another; the range is computed (CP-60 … CP-67)
    metadata,
    key("id"),
    text("subject"),  # who is fined: an entity's code, or the name of a body or a person
    Column("entity", Text, ForeignKey("entities.code")),  # NULL: none of ours
    text("offence"),
    text("regime"),
    text("clause"),
    number("year"),  # of the obligation, 0 if it is about none
    number("short_tonnes"),  # at the deadline
    number("missing_tonnes"),  # when the case was made
    number("turnover_fen"),  # average price of the month: turnover / volume (CP-63)
    number("volume_tonnes"),
    number("gains_fen"),
    number("value_fen"),  # what was traded
    number("confiscated_fen"),
    number("least_fen"),
    number("most_fen"),
    number("fine_fen"),
    number("cut_tonnes"),  # off an allocation
    number("cut_year"),  # the first year it reduces, 0 = nothing is cut
    text("document"),
    text("status"),
    number("maker"),
    number("made_ns"),
    Column("checker", Number),
    Column("decided_ns", Number),
    text("note"),
    Column("deduction", Number, ForeignKey("deductions.id"), unique=True),
    *_two_people("penalty"),
    CheckConstraint(
        "short_tonnes >= 0 AND missing_tonnes >= 0 AND turnover_fen >= 0 AND volume_tonnes >= 0"
        " AND gains_fen >= 0 AND value_fen >= 0 AND confiscated_fen >= 0",
        name="penalty_facts",
    ),
    CheckConstraint(
        "least_fen >= 0 AND fine_fen BETWEEN least_fen AND most_fen", name="penalty_range"
    ),
    CheckConstraint(
        "cut_tonnes >= 0 AND (cut_tonnes > 0) = (cut_year > 0)"
        " AND (cut_tonnes = 0 OR entity IS NOT NULL)",
        name="penalty_cut",
    ),
    CheckConstraint("deduction IS NULL OR status = 'approved'", name="penalty_deduction"),
    **TABLE,
)
Index("penalties_entity", penalties.c.entity, penalties.c.year)

correction_limits = Table(
    "correction_limits",  # until when a decision orders to correct (CP-61, CP-62)
    metadata,
    key("penalty", ForeignKey("penalties.id")),
    number("limit_ns"),  # the first moment that is too late
    CheckConstraint("limit_ns > 0", name="correction_limit"),
    **TABLE,
)

warnings = Table(
    "warnings",  # who will fall short, as it was told to the province (CP-40)
    metadata,
    key("id"),
    entity(),
    text("province", ForeignKey("provinces.code")),
    number("year"),  # of the obligation
    text("level"),
    number("due_tonnes"),  # still to come
    number("short_tonnes"),  # not there
    number("short_if_sold_tonnes"),  # not there if every open sale is done
    number("price_fen"),  # for a tonne, 0 = unknown
    number("cash_fen"),
    number("warned_ns"),
    one_of("level", LEVELS, "warning_level"),
    CheckConstraint(
        "due_tonnes > 0 AND short_tonnes >= 0 AND short_if_sold_tonnes >= short_tonnes"
        " AND price_fen >= 0 AND cash_fen >= 0",
        name="warning_figures",
    ),
    **TABLE,
)
Index("warnings_province", warnings.c.province)
Index("warnings_entity", warnings.c.entity, warnings.c.year)

guards = Table(
    "guards",  # proposed to the exchange's operator: tonnes that must stay (TR-116)
    metadata,
    key("id"),
    entity(),
    number("account", ForeignKey("accounts.id")),
    number("unit", ForeignKey("units.id")),
    number("tonnes"),  # of the trading side
    number("proposed_ns"),
    CheckConstraint("tonnes > 0", name="guard_tonnes"),
    **TABLE,
)
Index("guards_proposed", guards.c.proposed_ns)

disclosures = Table(
    "disclosures",  # what was published of a year, byte for byte (CP-39)
    metadata,
    key("id"),
    number("year"),
    text("content"),  # canonical JSON: annual figures, provinces, sectors, entities
    text("sha256"),
    number("person"),
    number("published_ns"),
    CheckConstraint("person > 0", name="disclosure_person"),
    **TABLE,
)

APPEND_ONLY: tuple[Table, ...] = (
    *(carry_notices, correction_limits, warnings, guards, disclosures),
)
