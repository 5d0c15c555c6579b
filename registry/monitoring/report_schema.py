"""The tables between a plan and a verified figure; all of them append only (CP-12, RG-17).

What is sent again is a further version; the highest counts. ``late`` is 1 where the deadline was
over (CP-09, CP-10, CP-11): a late paper is taken all the same, and stays late.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Table, Text

from registry.monitoring import schema
from registry.schema import KEYED, TABLE, Number, key, metadata, number, one_of, text

SUBJECTS = ("verification", "allocation")


def _of_entity() -> Column[str]:
    return Column("entity", Text, ForeignKey("entities.code"), primary_key=True)


quality_plans = Table(
    "quality_plans",  # how a year's data will be measured and controlled (CP-09)
    metadata,
    _of_entity(),
    key("year"),
    key("version"),
    text("content"),
    text("sha256"),
    number("person"),
    number("at_ns"),
    number("late"),
    **KEYED,
)

deposits = Table(
    "deposits",  # a facility's parameters of one month (CP-09)
    metadata,
    _of_entity(),
    Column("facility", Text, primary_key=True),
    key("month"),  # YYYYMM
    key("version"),
    text("set_name"),
    text("content"),  # JSON: parameter -> [value, unit, basis]
    text("emissions_t"),  # decimal, for the eye; sums are taken from the parameters
    number("person"),
    number("at_ns"),
    number("late"),
    ForeignKeyConstraint(["entity", "facility"], ["facilities.entity", "facilities.code"]),
    **KEYED,
)
Index("deposits_month", deposits.c.month)

reports = Table(
    "reports",  # an entity's annual report (CP-10)
    metadata,
    _of_entity(),
    key("year"),
    key("version"),
    number("emissions_tonnes"),
    text("content"),  # JSON: the facilities' sums and emissions
    text("sha256"),
    number("person"),
    number("at_ns"),
    number("late"),
    CheckConstraint("person > 0 AND emissions_tonnes >= 0", name="report_by"),
    **KEYED,
)
Index("reports_year", reports.c.year)

findings = Table(
    "findings",  # what the automatic checks found (plausibility.toml)
    metadata,
    key("id"),
    text("entity", ForeignKey("entities.code")),
    text("facility"),
    number("year"),
    number("month"),  # 0: of the whole year
    number("version"),  # of the deposit, or of the report where month is 0
    text("rule"),
    text("severity"),
    text("parameter"),
    text("value"),
    text("low"),
    text("high"),
    number("at_ns"),
    one_of("severity", ("error", "warning"), "finding_severity"),
    **TABLE,
)
Index("findings_year", findings.c.year, findings.c.entity)

finding_answers = Table(
    "finding_answers",  # why a finding is no mistake
    metadata,
    key("finding", ForeignKey("findings.id")),
    number("person"),
    text("words"),
    number("at_ns"),
    **TABLE,
)

verifications = Table(
    "verifications",  # how a verified figure came about, where it came about here (CP-10)
    metadata,
    _of_entity(),
    key("year"),
    key("version"),  # of the verified figure
    number("report_version"),
    text("words"),
    number("late"),
    ForeignKeyConstraint(
        ["entity", "year", "version"],
        [schema.verified.c.entity, schema.verified.c.year, schema.verified.c.version],
    ),
    **KEYED,
)

feedbacks = Table(
    "feedbacks",  # when a verified figure was told to its entity (CP-11)
    metadata,
    _of_entity(),
    key("year"),
    key("version"),
    number("person"),
    number("at_ns"),
    number("late"),
    ForeignKeyConstraint(
        ["entity", "year", "version"],
        [schema.verified.c.entity, schema.verified.c.year, schema.verified.c.version],
    ),
    **KEYED,
)

rechecks = Table(
    "rechecks",  # what an entity wants to have looked at again (CP-11)
    metadata,
    key("id"),
    text("entity", ForeignKey("entities.code")),
    number("year"),
    text("subject"),
    number("version"),  # of the verified figure in doubt; 0: of an allocation
    text("words"),
    number("person"),
    number("at_ns"),
    number("answer_until_ns"),
    one_of("subject", SUBJECTS, "recheck_subject"),
    **TABLE,
)

recheck_answers = Table(
    "recheck_answers",  # the province's answer, by somebody else (CP-11)
    metadata,
    key("recheck", ForeignKey("rechecks.id")),
    text("outcome"),
    text("words"),
    Column("version", Number),  # of the corrected figure
    number("person"),
    number("at_ns"),
    number("late"),
    one_of("outcome", ("upheld", "corrected"), "recheck_outcome"),
    **TABLE,
)

corrections = Table(
    "corrections",  # a verified figure changed on other grounds than a re-check (RG-18, AL-41)
    metadata,
    _of_entity(),
    key("year"),
    key("version"),
    text("grounds"),
    text("document"),
    number("maker"),
    number("checker"),
    CheckConstraint("maker > 0 AND checker > 0 AND maker <> checker", name="correction_people"),
    ForeignKeyConstraint(
        ["entity", "year", "version"],
        [schema.verified.c.entity, schema.verified.c.year, schema.verified.c.version],
    ),
    **KEYED,
)

APPEND_ONLY: tuple[Table, ...] = (
    *(quality_plans, deposits, reports, findings, finding_answers, verifications),
    *(feedbacks, rechecks, recheck_answers, corrections),
)
