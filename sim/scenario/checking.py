"""What the sections of a scenario must say together: dates in order, totals that add up, names.

The reader has already held every single value to its type and its unit; here they meet. Every
broken agreement becomes a ``Problem``; nothing stops at the first.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable

from engine.calendar import LAUNCH, is_trading_day
from engine.rulebook import PARAMETERS, Rulebook
from engine.rulebook_data import ENTRIES
from engine.rulebook_data import Vintage as Instrument
from registry.allocation.plan_file import names as plan_names
from sim.scenario.model import Issue, Milestone, Obligation, Scenario, Sector
from sim.scenario.refusing import Problem

FORMAT = 1
MATCHINGS = ("listed", "price_time")
STYLES = ("mixed", "trend", "value")
PRICINGS = ("uniform", "pay_as_bid")
COMPOSITES = ("rule", "mean", "volume", "newest")
YEAR = re.compile(r"(\d{4})(?:-(\d{4}))?")
ARREARS = -1.0  # net surplus of an obligation for which nothing more is issued
TOTAL_TOLERANCE = 0.05  # what an obligation may lie off its sectors' emissions
SHARE_TOLERANCE = 1e-9


class _Report:
    """Collects problems in the words of their kind."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def dates(self, key: str, value: dt.date, expected: str) -> None:
        self.problems.append(Problem("inconsistent_dates", key, value, expected))

    def totals(self, key: str, value: object, expected: str) -> None:
        self.problems.append(Problem("inconsistent_totals", key, value, expected))

    def outside(self, key: str, value: object, expected: str) -> None:
        self.problems.append(Problem("out_of_range", key, value, expected))

    def name(self, key: str, value: str, known: Iterable[str]) -> None:
        """Report ``value`` unless it is one of ``known``, with the likeliest of them."""
        names = list(known)
        if value not in names:
            close = difflib.get_close_matches(value, names, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            said = f"one of {', '.join(names)}{hint}"
            self.problems.append(Problem("unknown_name", key, value, said))

    def order(self, key: str, value: dt.date, until: dt.date, until_key: str) -> None:
        """Report ``value`` when it lies after ``until``."""
        if value > until:
            self.dates(key, value, f"a day on or before {until_key} {until}")

    def once(self, key: str, values: Iterable[object]) -> None:
        """Report everything that is there twice."""
        for value, count in Counter(values).items():
            if count > 1:
                self.totals(key, value, f"each only once, it is there {count} times")


# What cannot be judged when a value of a section was made up; a section never judges itself then.
LEANING = {
    "first_day": {"last_day", "vintages", "obligations", "events", "rule_changes"},
    "last_day": {"first_day", "vintages", "events", "offsets", "rule_changes"},
    "vintages": {"banking", "population"},
    "population": {"obligations", "issues"},
    "obligations": {"issues"},
}


def check(scenario: Scenario, blank: set[str], problems: list[Problem]) -> None:
    """Add to ``problems`` everything in ``scenario`` that does not fit together.

    ``blank`` names the sections with made-up values; nothing is said that leans on them.
    """
    found: list[Problem] = []
    _all(scenario, _Report(found))
    silent = blank.union(*(LEANING.get(section, set()) for section in blank))
    problems += [each for each in found if each.key.split(".")[0] not in silent]


def _all(scenario: Scenario, report: _Report) -> None:
    if scenario.format != FORMAT:
        report.outside("format", scenario.format, f"{FORMAT}, the only version there is")
    if not scenario.name.strip():
        report.outside("name", scenario.name, "a name")
    _season(scenario, report)
    _vintages(scenario, report)
    for index, obligation in enumerate(scenario.obligations):
        _obligation(scenario, obligation, f"obligations.{index}", report)
    pairs = [(each.year, name) for each in scenario.obligations for name in each.sectors]
    report.once("obligations", pairs)
    _issues(scenario, report)
    _events(scenario, report)
    _population(scenario, report)
    _rules(scenario, report)
    _extras(scenario, report)


def _season(scenario: Scenario, report: _Report) -> None:
    report.order("first_day", scenario.first_day, scenario.last_day, "last_day")
    if scenario.first_day < LAUNCH:
        report.dates("first_day", scenario.first_day, f"a day on or after the launch {LAUNCH}")
    for key in ("first_day", "last_day"):
        day: dt.date = getattr(scenario, key)
        if day >= LAUNCH and not is_trading_day(day):
            report.dates(key, day, "a trading day (CA-01, CA-03)")


def _instruments() -> dict[str, Instrument]:
    """Return every vintage that the rulebook ever admits, by code (TR-04)."""
    last = max(entry.since for entry in ENTRIES)
    return {each.code: each for each in Rulebook.on(last).vintages}


def _vintages(scenario: Scenario, report: _Report) -> None:
    known = _instruments()
    report.once("vintages", [each.code for each in scenario.vintages])
    for index, vintage in enumerate(scenario.vintages):
        key = f"vintages.{index}"
        report.name(f"{key}.code", vintage.code, known)
        if vintage.code not in known:
            continue
        admitted = known[vintage.code].first_day
        report.order(f"{key}.code", admitted, scenario.last_day, "last_day")
        opening = f"{key}.opening_cny_t"
        if admitted <= scenario.first_day and vintage.opening_cny_t == 0:
            report.outside(opening, None, f"its close before {scenario.first_day} (TR-25)")
        if admitted > scenario.first_day and vintage.opening_cny_t:
            said = f"nothing: it is admitted on {admitted} at the composite (TR-24)"
            report.outside(opening, vintage.opening_cny_t, said)
    there = {each.code for each in scenario.vintages}
    for code, instrument in known.items():
        if instrument.first_day <= scenario.last_day and code not in there:
            report.totals("vintages", sorted(there), f"{code} too, admitted by the last day")


def _obligation(scenario: Scenario, due: Obligation, key: str, report: _Report) -> None:
    sectors = {each.name for each in scenario.population.sectors}
    for name in due.sectors:
        report.name(f"{key}.sectors", name, sectors)
    if not due.sectors:
        report.outside(f"{key}.sectors", due.sectors, "at least one sector")
    for name in (due.vintage, *due.usable):
        report.name(f"{key}.usable", name, _instruments())
    if due.vintage not in due.usable:
        report.totals(f"{key}.usable", due.usable, f"its own vintage {due.vintage} among them")
    if due.deadline < scenario.first_day:
        report.dates(f"{key}.deadline", due.deadline, f"a day from {scenario.first_day} on")
    report.order(f"{key}.verified", due.verified, due.deadline, "deadline")
    report.order(f"{key}.plan_published", due.plan_published, due.deadline, "deadline")
    report.order(f"{key}.deadline_published", due.deadline_published, due.deadline, "deadline")
    _rates(due, key, report)
    _milestones(due.milestones, due, key, report)
    _emissions(scenario, due, key, report)


def _rates(due: Obligation, key: str, report: _Report) -> None:
    low, high = due.rate_min_share, due.rate_max_share
    if not low <= due.net_surplus_share <= high:
        said = f"a share from rate_min_share {low:g} to rate_max_share {high:g}"
        report.totals(f"{key}.net_surplus_share", due.net_surplus_share, said)


def _milestones(
    milestones: tuple[Milestone, ...], due: Obligation, key: str, report: _Report
) -> None:
    date, share = dt.date.min, 0.0
    for index, milestone in enumerate(milestones):
        at = f"{key}.milestones.{index}"
        report.order(f"{at}.date", milestone.date, due.deadline, "deadline")
        report.order(f"{at}.published", milestone.published, milestone.date, "date")
        if milestone.date <= date:
            report.dates(f"{at}.date", milestone.date, f"a day after the one before, {date}")
        if milestone.share <= share:
            report.totals(f"{at}.share", milestone.share, f"more than the one before, {share:g}")
        date, share = milestone.date, milestone.share


def _emissions(scenario: Scenario, due: Obligation, key: str, report: _Report) -> None:
    match = YEAR.fullmatch(due.year)
    if match is None or int(match[2] or match[1]) < int(match[1]):
        report.outside(f"{key}.year", due.year, 'a year "2023" or years "2019-2020"')
        return
    if due.net_surplus_share == ARREARS:  # only what is still owed
        return
    years = int(match[2] or match[1]) - int(match[1]) + 1
    of = [each.emissions_mt for each in scenario.population.sectors if each.name in due.sectors]
    total = years * sum(of)
    if of and abs(due.emissions_mt - total) > TOTAL_TOLERANCE * total:
        said = f"about {total:g}, {years} x the yearly emissions of its sectors in the population"
        report.totals(f"{key}.emissions_mt", due.emissions_mt, said)


def _issues(scenario: Scenario, report: _Report) -> None:
    dues = {(each.year, name): each for each in scenario.obligations for name in each.sectors}
    steps: dict[tuple[str, str], list[tuple[dt.date, float, str]]] = defaultdict(list)
    for index, issue in enumerate(scenario.issues):
        key = f"issues.{index}"
        report.name(f"{key}.obligation", issue.obligation, sorted({year for year, _ in dues}))
        _issue(issue, key, dues, report)
        for name in issue.sectors:
            steps[issue.obligation, name].append((issue.date, issue.share, key))
    for pair, due in dues.items():
        _shares(sorted(steps[pair]), pair, due, report)


def _issue(
    issue: Issue, key: str, dues: dict[tuple[str, str], Obligation], report: _Report
) -> None:
    with_year = [name for year, name in dues if year == issue.obligation]
    owners = [dues[issue.obligation, name] for name in issue.sectors if name in with_year]
    if any(each is not owners[0] for each in owners):
        said = f"sectors of one obligation of {issue.obligation}; issue the others beside it"
        report.totals(f"{key}.sectors", list(issue.sectors), said)
    for name in issue.sectors if with_year else ():
        report.name(f"{key}.sectors", name, with_year)
        if (issue.obligation, name) in dues:
            deadline = dues[issue.obligation, name].deadline
            report.order(f"{key}.date", issue.date, deadline, f"the deadline of {issue.obligation}")


def _shares(
    steps: list[tuple[dt.date, float, str]],
    pair: tuple[str, str],
    due: Obligation,
    report: _Report,
) -> None:
    """Issues of one obligation and sector: shares are cumulative, rise, and end at 1."""
    of = f"obligation {pair[0]}, {pair[1]}"
    if due.net_surplus_share == ARREARS:
        if steps:
            report.totals(f"{steps[0][2]}.share", steps[0][1], f"no issue for arrears ({of})")
        return
    before = 0.0
    for _, share, key in steps:
        if share <= before:
            said = f"more than the {before:g} issued before, shares are cumulative ({of})"
            report.totals(f"{key}.share", share, said)
        before = share
    if not steps:
        report.totals("issues", None, f"at least one issue for {of}")
    elif abs(before - 1.0) > SHARE_TOLERANCE:
        report.totals(f"{steps[-1][2]}.share", before, f"1, the last issue of {of}")


def _events(scenario: Scenario, report: _Report) -> None:
    for index, event in enumerate(scenario.events):
        key = f"events.{index}.date"
        report.order(key, event.date, scenario.last_day, "last_day")
        if event.history and event.date >= scenario.first_day:
            said = f"a day before first_day {scenario.first_day}, for history is true"
            report.dates(key, event.date, said)
        if not event.history and event.date < scenario.first_day:
            said = f"a day from first_day {scenario.first_day} on, or history = true"
            report.dates(key, event.date, said)
    for index, offset in enumerate(scenario.offsets):
        report.order(f"offsets.{index}.date", offset.date, scenario.last_day, "last_day")


def _population(scenario: Scenario, report: _Report) -> None:
    population = scenario.population
    report.once("population.sectors", [each.name for each in population.sectors])
    for index, sector in enumerate(population.sectors):
        _sector(sector, f"population.sectors.{index}", report)
    grouped = population.central_groups * population.central_share + population.provincial_share
    if grouped > 1.0 + SHARE_TOLERANCE:
        said = "central_groups x central_share + provincial_share of 1 or less"
        report.totals("population.provincial_share", population.provincial_share, said)
    groups = population.central_groups + population.provincial_groups
    entities = sum(each.entities for each in population.sectors)
    if groups > entities:
        said = f"no more groups than the {entities} entities, with central_groups {groups}"
        report.totals("population.provincial_groups", population.provincial_groups, said)
    report.once("population.old_holdings", [each.vintage for each in population.old_holdings])
    there = [each.code for each in scenario.vintages]
    for index, holding in enumerate(population.old_holdings):
        report.name(f"population.old_holdings.{index}.vintage", holding.vintage, there)
    _units(scenario, report)


def _sector(sector: Sector, key: str, report: _Report) -> None:
    if sector.entities < 1:
        report.outside(f"{key}.entities", sector.entities, "1 or more")
        return
    if sector.size_sigma <= 0:
        report.outside(f"{key}.size_sigma", sector.size_sigma, "more than 0")
    low, high = sector.size_min_t, sector.size_max_t
    mean = sector.emissions_mt * 1e6 / sector.entities
    if not low < high:
        report.totals(f"{key}.size_max_t", high, f"more than size_min_t {low:g}")
    elif mean < low:  # above size_max_t the shape of the law gives way: few entities stand for many
        said = f"a mean per entity of size_min_t {low:g} or more, not {mean:g}"
        report.totals(f"{key}.emissions_mt", sector.emissions_mt, said)


def _units(scenario: Scenario, report: _Report) -> None:
    file, plan = scenario.population.units_file, scenario.population.units_plan
    if bool(file) != bool(plan):
        key = "units_plan" if file else "units_file"
        report.totals(f"population.{key}", "", "units_file and units_plan, both or neither")
    if plan:
        report.name("population.units_plan", plan, plan_names())


def _rules(scenario: Scenario, report: _Report) -> None:
    rules = Rulebook.on(max(LAUNCH, scenario.first_day))
    whole = [name for name in PARAMETERS if type(getattr(rules, name)) is int]
    for index, change in enumerate(scenario.rule_changes):
        key = f"rule_changes.{index}"
        report.name(f"{key}.parameter", change.parameter, whole)
        report.order(f"{key}.since", change.since, scenario.last_day, "last_day")
    if scenario.banking is None:
        return
    banking = scenario.banking
    for name in banking.vintages:
        report.name("banking.vintages", name, [each.code for each in scenario.vintages])
    until, end = banking.net_sales_until, banking.converted_until
    report.order("banking.net_sales_from", banking.net_sales_from, until, "net_sales_until")
    report.order("banking.net_sales_until", until, end, "converted_until")
    report.order("banking.published", banking.published, end, "converted_until")


def _extras(scenario: Scenario, report: _Report) -> None:
    extras = scenario.extras
    report.name("extras.matching", extras.matching, MATCHINGS)
    report.name("extras.institution_style", extras.institution_style, STYLES)
    report.name("extras.auction_pricing", extras.auction_pricing, PRICINGS)
    report.name("extras.composite", extras.composite, COMPOSITES)
    collar, reserve = extras.collar, extras.reserve
    if collar is not None and not 0 < collar.floor_cny_t < collar.ceiling_cny_t:
        said = f"more than 0 and less than ceiling_cny_t {collar.ceiling_cny_t:g}"
        report.totals("extras.collar.floor_cny_t", collar.floor_cny_t, said)
    if reserve is not None and not reserve.lower_mt < reserve.upper_mt:
        said = f"less than upper_mt {reserve.upper_mt:g}"
        report.totals("extras.reserve.lower_mt", reserve.lower_mt, said)
