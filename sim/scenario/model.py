"""What a scenario says: typed records of every section of its file.

Units end the names: ``_t`` tonnes CO2e (or allowances), ``_mt`` million tonnes, ``_cny_t`` yuan per
tonne, ``_share`` a part of one, ``_days`` days of the calendar. Dates are Beijing dates. A season
file holds rules, dates and population; behaviour parameters (``Behaviour``) are one set for all
seasons (docs/reference/season.md).
"""

from __future__ import annotations

import datetime as dt

import msgspec


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of a scenario file; unknown keys are refused."""


class Vintage(Record):
    """An instrument that is there on the first day, or is admitted later by the rulebook."""

    code: str  # CEA, CEA21 … (TR-03)
    opening_cny_t: float  # its close before the first day (TR-24, TR-25)


class RuleChange(Record):
    """A what-if: from ``since`` on, a parameter of ``engine.rulebook.Rules`` has another value."""

    since: dt.date
    parameter: str
    value: int


class Milestone(Record):
    """A date by which a share of an obligation is to be handed in (95 % dates, quarterly ones)."""

    date: dt.date
    published: dt.date  # nobody can act on it before
    share: float  # of the obligation, cumulative


class Obligation(Record):
    """What has to be surrendered, by which sectors, when, and with which vintages (CP-30…34)."""

    year: str  # "2023", "2019-2020": as the rulebook names it
    sectors: tuple[str, ...]
    emissions_mt: float  # due in all, of these sectors
    net_surplus_share: float  # (allocation - emissions) / emissions over all entities
    spread_share: float  # standard deviation of an entity's own surplus rate; 0 = everybody even
    vintage: str  # the allowances issued for it
    usable: tuple[str, ...]  # vintages that may be surrendered for it (CP-34)
    verified: dt.date  # emissions are known to their owners from here on
    plan_published: dt.date  # the allocation rule is known from here on
    deadline: dt.date
    deadline_published: dt.date
    milestones: tuple[Milestone, ...] = ()
    offset_share: float = 0.05  # CCER cap (CP-35)
    obligation_cap_share: float = 0.0  # deficit above this share of emissions is waived (AL-16)


class Issue(Record):
    """Allowances handed out: the ``share`` of the final allocation issued on this date."""

    date: dt.date
    obligation: str  # Obligation.year it belongs to
    sectors: tuple[str, ...]
    share: float  # of the final allocation, cumulative
    paid_share: float = 0.0  # of this issue, sold instead of given (experiments)


class PolicyEvent(Record):
    """A dated event that agents hear of on its date, never earlier."""

    date: dt.date
    category: str  # allocation, banking, compliance, regulation, ccer, expansion, …
    title: str
    price_sign: int = 0  # what it means for scarcity: +1 tighter, -1 looser, 0 neither
    pulse: bool = False  # it makes people look at their position


class OldHolding(Record):
    """What is left of an earlier vintage when the season begins."""

    vintage: str
    total_mt: float
    top_share: float  # of it with the largest holders (the five central groups)


class Sector(Record):
    """How many entities and how large (simulation.md 5.1)."""

    name: str
    entities: int
    emissions_mt: float  # a year, all entities
    size_sigma: float  # of the lognormal law of yearly emissions
    size_min_t: float = 26_000.0  # threshold of the roster (CP-01)
    size_max_t: float = 35_000_000.0


class Population(Record):
    """Who there is."""

    sectors: tuple[Sector, ...]
    central_groups: int = 5
    central_share: float = 0.06  # of the entities, each
    provincial_groups: int = 35
    provincial_share: float = 0.35  # of the entities, all together
    group_sd_share: float = 0.01  # common part of a group's surplus rates
    old_holdings: tuple[OldHolding, ...] = ()
    units_file: str = ""  # unit data: the allocation is computed from it, not drawn
    units_plan: str = ""  # registry/allocation plan to compute it with


class OffsetSupply(Record):
    """CCER that come on offer from ``date`` on (CP-37)."""

    date: dt.date
    stock_mt: float
    price_cny_t: float


class Banking(Record):
    """Carry-over of old vintages (AL-50…58): T = base + multiple x net sales."""

    published: dt.date  # the draft: from here on holders reckon with it
    vintages: tuple[str, ...]
    base_t: float
    industry_base_t: float
    sales_multiple: float
    net_sales_from: dt.date
    net_sales_until: dt.date
    converted_until: dt.date  # worth nothing for compliance after this date


class Reserve(Record):
    """A stability reserve (experiments): takes from holders above, gives below a threshold."""

    upper_mt: float
    lower_mt: float
    intake_share: float
    release_mt: float


class PriceCollar(Record):
    """A floor and a ceiling kept by the exchange (experiments)."""

    floor_cny_t: float
    ceiling_cny_t: float


class Extras(Record):
    """Agents and institutions that today's rules do not know; all off by default."""

    market_makers: int = 0
    maker_spread_share: float = 0.02
    maker_stock_t: float = 500_000.0
    institutions: int = 0
    institution_limit_t: float = 1_000_000.0
    auction_share: float = 0.0  # of the allocation, sold by the state in one-way bidding (TR-95)
    matching: str = "listed"  # or "price_time"
    collar: PriceCollar | None = None
    reserve: Reserve | None = None


class Behaviour(Record):
    """How entities act: one set for all seasons. Filled in by sim/scenario/behaviour.toml."""


class Scenario(Record):
    """A whole season: rules + calendar + policy events + population + behaviour."""

    format: int  # of the file: 1
    name: str
    title: str
    first_day: dt.date
    last_day: dt.date
    vintages: tuple[Vintage, ...]
    obligations: tuple[Obligation, ...]
    issues: tuple[Issue, ...]
    population: Population
    events: tuple[PolicyEvent, ...] = ()
    offsets: tuple[OffsetSupply, ...] = ()
    banking: Banking | None = None
    rule_changes: tuple[RuleChange, ...] = ()
    extras: Extras = Extras()
    behaviour: Behaviour = Behaviour()
