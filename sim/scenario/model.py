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


class Vintage(Record, frozen=True, kw_only=True):
    """An instrument that is there on the first day, or is admitted later by the rulebook."""

    code: str  # CEA, CEA21 … (TR-03)
    opening_cny_t: float = 0.0  # its close before the first day (TR-25); 0: admitted later (TR-24)


class RuleChange(Record, frozen=True, kw_only=True):
    """A what-if: from ``since`` on, a parameter of ``engine.rulebook.Rules`` has another value."""

    since: dt.date  # first day
    parameter: str  # a whole number of the rulebook
    value: int  # in the parameter's own unit


class Milestone(Record, frozen=True, kw_only=True):
    """A date by which a share of an obligation is to be handed in (95 % dates, quarterly ones)."""

    date: dt.date  # the day by which
    published: dt.date  # nobody can act on it before
    share: float  # of the obligation, cumulative


class Obligation(Record, frozen=True, kw_only=True):
    """What has to be surrendered, by which sectors, when, and with which vintages (CP-30…34)."""

    year: str  # "2023", "2019-2020": as the rulebook names it
    sectors: tuple[str, ...]  # who owes it (CP-01)
    emissions_mt: float  # due in all, of these sectors
    net_surplus_share: float  # (allocation - emissions) / emissions over all entities
    spread_share: float  # standard deviation of an entity's own surplus rate; 0 = everybody even
    vintage: str  # the allowances issued for it
    usable: tuple[str, ...]  # vintages that may be surrendered for it (CP-34)
    verified: dt.date  # emissions are known to their owners from here on
    plan_published: dt.date  # the allocation rule is known from here on
    deadline: dt.date  # last day of surrender (AL-14, AL-25, AL-39, AL-69)
    deadline_published: dt.date  # nobody reckons with it before
    milestones: tuple[Milestone, ...] = ()  # dates before the deadline (AL-14, AL-25)
    offset_share: float = 0.05  # CCER cap (CP-35)
    obligation_cap_share: float = 0.0  # a deficit above this share is waived (AL-13, AL-36)
    entities_share: float = 1.0  # of the sectors' entities that it concerns (arrears: a few)
    rate_min_share: float = -0.20  # an entity's surplus rate is cut here (simulation.md 5.1)
    rate_max_share: float = 0.25  # and here; industry within 0.03 (AL-81)


class Issue(Record, frozen=True, kw_only=True):
    """Allowances handed out: the ``share`` of the final allocation issued on this date."""

    date: dt.date  # credited on this day, tradable where listed (RG-23, RG-24)
    obligation: str  # Obligation.year it belongs to
    sectors: tuple[str, ...]  # to the entities of these
    share: float  # of the final allocation, cumulative
    paid_share: float = 0.0  # of this issue, sold instead of given (experiments)


class PolicyEvent(Record, frozen=True, kw_only=True):
    """A dated event that agents hear of on its date, never earlier."""

    date: dt.date  # heard on this day
    category: str  # allocation, banking, compliance, regulation, ccer, expansion, …
    title: str  # what it says
    price_sign: int = 0  # what it means for scarcity: +1 tighter, -1 looser, 0 neither
    pulse: bool = False  # it makes people look at their position
    history: bool = False  # known when the season begins; only such events lie before its first day


class OldHolding(Record, frozen=True, kw_only=True):
    """What is left of an earlier vintage when the season begins."""

    vintage: str  # of the season's vintages
    total_mt: float  # over all holders
    top_share: float  # of it with the largest holders (the five central groups)


class Sector(Record, frozen=True, kw_only=True):
    """How many entities and how large (simulation.md 5.1)."""

    name: str  # as in the rulebook (CP-01)
    entities: int  # how many
    emissions_mt: float  # a year, all entities
    size_sigma: float  # of the lognormal law of yearly emissions
    size_min_t: float = 26_000.0  # threshold of the roster (CP-01)
    size_max_t: float = 35_000_000.0  # where the law is cut


class Population(Record, frozen=True, kw_only=True):
    """Who there is."""

    sectors: tuple[Sector, ...]  # who is covered
    central_groups: int = 5  # large state groups with a desk each
    central_share: float = 0.06  # of the entities, each
    provincial_groups: int = 35  # groups of one province
    provincial_share: float = 0.35  # of the entities, all together
    group_sd_share: float = 0.01  # common part of a group's surplus rates
    old_holdings: tuple[OldHolding, ...] = ()  # who begins with allowances
    units_file: str = ""  # unit data: the allocation is computed from it, not drawn
    units_plan: str = ""  # registry/allocation plan to compute it with


class OffsetSupply(Record, frozen=True, kw_only=True):
    """CCER that come on offer from ``date`` on (CP-37)."""

    date: dt.date  # first day of the offer
    stock_mt: float  # on offer, over all
    price_cny_t: float  # asked for it


class Banking(Record, frozen=True, kw_only=True):
    """Carry-over of old vintages (AL-50…58): T = base + multiple x net sales."""

    published: dt.date  # the draft: from here on holders reckon with it
    decided: dt.date  # the final rule: from here on they sell for it
    vintages: tuple[str, ...]  # those the limit is about
    base_t: float  # of an entity in power (AL-51)
    industry_base_t: float  # of one in other sectors (AL-58)
    sales_multiple: float  # times net sales (AL-51)
    net_sales_from: dt.date  # first day that counts
    net_sales_until: dt.date  # last day that counts
    conversions: tuple[dt.date, ...] = ()  # days on which old vintages become new ones (AL-55)
    converted_to: str = ""  # the new vintage
    converted_share: float = 0.0  # of a holding, where earlier net sales are not simulated
    converted_until: dt.date  # worth nothing for compliance after this date


class Reserve(Record, frozen=True, kw_only=True):
    """A stability reserve (experiments): takes from holders above, gives below a threshold."""

    upper_mt: float  # holdings above this: it takes in
    lower_mt: float  # holdings below this: it releases
    intake_share: float  # of what is above
    release_mt: float  # at a time


class PriceCollar(Record, frozen=True, kw_only=True):
    """A floor and a ceiling kept by the exchange (experiments)."""

    floor_cny_t: float  # no trade below
    ceiling_cny_t: float  # no trade above


class Extras(Record, frozen=True, kw_only=True):
    """Agents and institutions that today's rules do not know; all off by default."""

    market_makers: int = 0  # how many
    maker_spread_share: float = 0.02  # between their two quotes
    maker_stock_t: float = 500_000.0  # each begins with
    institutions: int = 0  # how many
    institution_limit_t: float = 1_000_000.0  # most that one may hold
    institution_style: str = "mixed"  # "trend", "value", or both in turn
    auction_share: float = 0.0  # of the allocation, sold by the state in one-way bidding (TR-95)
    auction_pricing: str = "uniform"  # or "pay_as_bid" (TR-83)
    matching: str = "listed"  # or "price_time"
    composite: str = "rule"  # of the date; "mean", by "volume", the "newest" vintage (TR-104)
    collar: PriceCollar | None = None  # off without it
    reserve: Reserve | None = None  # off without it


class Behaviour(Record, frozen=True, kw_only=True):
    """How entities act: one set for all seasons (simulation.md 5.3, 5.5).

    A *moment* is one wake-up; shares are of one. Calibrated values and which of them are given
    are told in docs/explanation/season-model.md.
    """

    wakes_per_day: float  # mean wake-ups of an entity on a trading day
    # 1 procrastinating buyers: chance of acting at a moment
    hazard_base: float  # of a bulk deal, far from the date
    listed_base: float  # of a listed order, far from the date
    hazard_urgent: float  # added at full urgency
    far_share: float  # of every hazard while no deadline is expected within a year
    wake_urgent: float  # further wake-ups a day at full urgency
    theta_median_days: float  # lognormal: when urgency begins, before the binding date
    theta_sigma: float  # of its logarithm
    urgency_width_days: float  # how gradually urgency sets in
    year_end_urgency: float  # of the last days of a year, where budgets expire; 1 = as a deadline
    milestone_share: float  # of entities that act for a milestone; the others for the deadline
    pulse_gain: float  # an allocation or a plan multiplies the hazard by 1 + gain …
    pulse_days: float  # … fading over so many days
    small_cost_t: float  # below this need an entity waits …
    small_days: float  # … until so many days before the date
    # 2 bids
    anchor_memory: float  # weight of one's own memory in the anchor, the rest is the last price
    memory_rate: float  # share of the way a memory goes towards the close each day
    bid_discount: float  # below the anchor without urgency
    bid_urgency: float  # above it at full urgency
    relaxed_step_cny: float  # quotes are whole multiples of it while nothing presses, else of 0.10
    price_noise: float  # standard deviation of a quote around its value
    # common attention and mood: what the calendar does not hold
    attention_sd: float  # standard deviation of the log of everybody's activity
    attention_decay: float  # of it that is left after a day
    mood_sd: float  # of a day's common shock to what allowances are thought to be worth, log
    mood_urgent: float  # what full urgency adds to that, times itself
    mood_decay: float  # of the mood that is left after a day
    # 3 hoarding sellers
    inactive_share: float  # of surplus holders who do nothing in a season
    idle_gain: float  # log price above the own memory at which even they sell
    reluctance: float  # mean of the exponential premium asked
    seller_squeeze: float  # what sellers ask more at full urgency of the buyers, log
    seller_pressure: float  # share of the premium given up at full compliance pressure
    sell_hazard: float  # chance that a seller acts at a moment
    seller_gain: float  # factor on it per log price above the own memory, beside 1
    seller_rush: float  # what full urgency adds to it, times itself
    learning: float  # log price step after a day without a deal (or with one)
    seller_learning: float  # share of it by which sellers give way without a deal
    learning_decay: float  # what is left of that step after a day
    # 4 banking
    banking_gain: float  # selling hazard per share of the tonnes that have to be sold
    offer_base: float  # chance that a holder of earlier vintages offers in bulk by itself
    offer_gain: float  # chance that a large holder offers in bulk, per share it has to sell
    # sizes
    chunk_median_t: float  # of a listed order, lognormal
    chunk_sigma: float  # of its logarithm
    stock_share: float  # of a surplus that its holder lists at a moment, at least
    listed_share: float  # chance that a large need is taken to the listed book at a moment
    # 6 group desks
    netting_share: float  # of groups that net before or after a binding date
    news_netting_share: float  # after a final allocation, or news that make people look
    floor_share: float  # of transfers priced near the lower bulk limit
    netting_part: float  # of what could be netted that is, where no date binds
    netting_days: float  # mean days a desk takes after a trigger
    accounts_netting: float  # share of groups that net for the accounts of a quarter
    # 7 bulk negotiation
    search_degree: float  # sellers a buyer meets at a moment
    same_province_share: float  # of the sellers met
    bargain_weight: float  # of the buyer: 1 = the seller's reservation price
    size_discount: float  # per doubling above 100,000 t
    relaxed_part: float  # of its need that a buyer takes in one bulk deal while nothing presses
    round_share: float  # of deals in whole multiples of 100,000 t
    # position
    buffer_share: float  # precaution, of the need
    forward_share: float  # of next year's expected deficit an entity would buy early
    forecast_error_share: float  # of emissions, before verification
    abatement_share_per_cny: float  # of yearly emissions avoided per yuan of the price
    # 8, 10, 12
    offset_search_cost_cny_t: float  # on top of the price of an offset
    attention_share: float  # who hears of an event on its day; the others later, at this rate
    news_share: float  # log price step of a regulation
    minor_news_share: float  # of any other event with a sign
    session_share: float  # chance a day that a large seller who has to sell all calls a session


class Scenario(Record, frozen=True, kw_only=True):
    """A whole season: rules + calendar + policy events + population + behaviour."""

    format: int  # of the file: 1
    name: str  # the file's own name; results carry it
    title: str  # one line for people
    first_day: dt.date  # first trading day (CA-01)
    last_day: dt.date  # last trading day
    vintages: tuple[Vintage, ...]  # every instrument of the season (TR-03, TR-04)
    obligations: tuple[Obligation, ...]  # what is owed (CP-30 …)
    issues: tuple[Issue, ...]  # what is handed out (AL-12 …)
    population: Population  # who there is
    behaviour: Behaviour  # as in behaviour.toml unless the file has its own
    events: tuple[PolicyEvent, ...] = ()  # what is published (policy_events.csv)
    offsets: tuple[OffsetSupply, ...] = ()  # CCER on offer (ccer.csv)
    banking: Banking | None = None  # the limit on carry-over; none before 2024
    rule_changes: tuple[RuleChange, ...] = ()  # what-ifs
    extras: Extras = Extras()  # institutions and agents of experiments
