"""The tables of this room that others read: provinces, entities, facilities, roster, verified.

Same conventions as ``registry.schema``. What is reported and checked on the way to a verified
figure lies in ``registry.monitoring.report_schema``.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table, Text

from registry.schema import KEYED, TABLE, Number, key, metadata, number, one_of, text

SECTORS = ("power", "steel", "cement", "aluminium")  # CP-01
FACILITY_OF = {"power": "unit", "steel": "enterprise", "cement": "line", "aluminium": "process"}
GROUNDS = ("threshold", "listed_before", "below_two_years", "ceased")
PILOT_MARKETS = (
    *("beijing", "tianjin", "shanghai", "chongqing"),
    *("hubei", "guangdong", "shenzhen", "fujian"),
)
TONNES_MAX = 2**53  # of one entity's year: exact in every tool that reads a table

provinces = Table(
    "provinces",  # 31 and the production and construction corps (RG-04)
    metadata,
    Column("code", Text, primary_key=True),  # GB/T 2260, two digits; "66" the corps
    text("name"),
    number("account", ForeignKey("accounts.id"), unique=True),  # of kind province
    **TABLE,
)

entities = Table(
    "entities",  # key emitting entities, whether they have an account already or not
    metadata,
    Column("code", Text, primary_key=True),  # the unified code: 1..32 of A-Z a-z 0-9 . _ -
    text("name"),
    text("province", ForeignKey("provinces.code")),
    text("sector"),
    Column("account", Number, ForeignKey("accounts.id"), unique=True),  # NULL until it is opened
    text("industry", server_default=""),  # code of GB/T 4754; empty where nobody has told (CP-06)
    text("process", server_default=""),  # what the boundary asks besides the code; see boundary.py
    one_of("sector", SECTORS, "entity_sector"),
    **TABLE,
)
Index("entities_province", entities.c.province)

facilities = Table(
    "facilities",  # what an entity reports and is given allowances for, one by one
    metadata,
    Column("entity", Text, ForeignKey("entities.code"), primary_key=True),
    Column("code", Text, primary_key=True),
    text("kind"),
    text("unit_class"),  # of a power unit: AL-03; empty where there is none
    text("capacity_mw"),  # exact decimal; empty where there is none
    text("fuel"),  # coal, gas …; empty where there is none
    number("commissioned"),  # YYYYMMDD, 0 = before anybody asked
    number("closed"),  # YYYYMMDD, 0 = at work
    one_of("kind", tuple(FACILITY_OF.values()), "facility_kind"),
    **KEYED,
)

roster = Table(
    "roster",  # one row an entity and year: on the list, or struck off it (CP-03, CP-04)
    metadata,
    key("year"),
    Column("entity", Text, ForeignKey("entities.code"), primary_key=True),
    text("sector"),  # as of that year
    text("province"),
    text("status"),
    text("grounds"),
    Column("emissions_tonnes", Number),  # what the threshold was compared with; NULL: nothing
    text("document"),
    number("person"),
    number("decided_ns"),
    one_of("sector", SECTORS, "roster_sector"),
    one_of("status", ("listed", "removed"), "roster_status"),
    one_of("grounds", GROUNDS, "roster_grounds"),
    CheckConstraint(
        "(status = 'removed') = (grounds IN ('below_two_years', 'ceased'))", name="removed_because"
    ),
    CheckConstraint("person > 0", name="roster_person"),
    **KEYED,
)

roster_log = Table(
    "roster_log",  # everything that was ever decided about the roster, in order
    metadata,
    key("line"),
    number("year"),
    text("entity", ForeignKey("entities.code")),
    text("status"),
    text("grounds"),
    Column("emissions_tonnes", Number),
    text("document"),
    number("person"),
    number("decided_ns"),
    **TABLE,
)

pilots = Table(
    "pilots",  # who took part in a pilot market, and the roster year that ended it (CP-08)
    metadata,
    Column("entity", Text, ForeignKey("entities.code"), primary_key=True),
    Column("market", Text, primary_key=True),
    number("left_year"),  # 0 = still there
    one_of("market", PILOT_MARKETS, "pilot_market"),
    **KEYED,
)

verified = Table(
    "verified",  # the figure everything downstream reads: the highest version counts
    metadata,
    Column("entity", Text, ForeignKey("entities.code"), primary_key=True),
    key("year"),
    key("version"),
    number("emissions_tonnes"),
    text("content"),  # canonical JSON: what was verified
    text("sha256"),  # of the content
    number("verifier"),
    number("decided_ns"),
    CheckConstraint(f"emissions_tonnes BETWEEN 0 AND {TONNES_MAX}", name="verified_tonnes"),
    CheckConstraint("version > 0 AND verifier > 0", name="verified_by"),
    **KEYED,
)
Index("verified_year", verified.c.year)

APPEND_ONLY: tuple[Table, ...] = (roster_log, verified)
