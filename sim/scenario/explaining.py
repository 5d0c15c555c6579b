"""A scenario for people: its days in order, who there is, what is due, how everybody acts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from rich.console import Group
from rich.markup import escape
from rich.table import Table

from sim.scenario.decoding import UNITS, unit_of
from sim.scenario.identity import Difference, canonical, scenario_hash
from sim.scenario.model import Obligation, Scenario

SIGNS = {-1: "looser", 0: "", 1: "tighter"}


def explain(scenario: Scenario) -> Group:
    """Return tables for ``rich.print``: the season, its timeline, its entities, its behaviour."""
    scenario = canonical(scenario)
    return Group(
        _head(scenario), _timeline(scenario), _dues(scenario), _people(scenario), _acting(scenario)
    )


def explain_difference(differences: list[Difference]) -> Table:
    """Return a table of what two scenarios have not in common."""
    table = _table("Difference", "key", "first", "second")
    for each in differences:
        table.add_row(*(escape(str(cell)) for cell in each))  # keys have brackets
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _head(scenario: Scenario) -> Table:
    table = _table(escape(scenario.title), "what", "value")
    table.add_row("name", escape(scenario.name))
    table.add_row("hash", scenario_hash(scenario))
    table.add_row("days", f"{scenario.first_day} to {scenario.last_day}")
    for vintage in scenario.vintages:
        opening = (
            f"{vintage.opening_cny_t:.2f} CNY/t" if vintage.opening_cny_t else "admitted later"
        )
        table.add_row(vintage.code, opening)
    if scenario.banking is not None:
        rule = scenario.banking
        table.add_row(
            "carry-over",
            f"{rule.base_t:,.0f} t (industry {rule.industry_base_t:,.0f} t) "
            f"+ {rule.sales_multiple:g} x net sales, until {rule.converted_until}",
        )
    for change in scenario.rule_changes:
        table.add_row("rule change", f"{change.parameter} = {change.value} from {change.since}")
    for name, value in msgspec.structs.asdict(scenario.extras).items():
        if value != msgspec.structs.asdict(type(scenario.extras)())[name]:
            table.add_row(f"extra: {name}", str(value))
    return table


def _timeline(scenario: Scenario) -> Table:
    table = _table("Timeline", "date", "what", "meaning")
    for date, what, meaning in sorted(_dated(scenario)):
        inside = scenario.first_day <= date <= scenario.last_day
        table.add_row(date.isoformat(), escape(what), meaning, style="" if inside else "dim")
    return table


def _dated(scenario: Scenario) -> Iterator[tuple[dt.date, str, str]]:
    """Give everything that has a date: when, what, and what it does."""
    for event in scenario.events:
        words = [SIGNS[event.price_sign]] if event.price_sign in SIGNS else []
        words += ["makes people look"] if event.pulse else []
        words += ["history"] if event.history else []
        yield event.date, f"{event.category}: {event.title}", ", ".join(filter(None, words))
    for issue in scenario.issues:
        of = f"{issue.obligation} ({', '.join(issue.sectors)})"
        yield issue.date, f"issue for {of}", f"{issue.share:.0%} of the final allocation"
    for due in scenario.obligations:
        of = f"{due.year} ({', '.join(due.sectors)})"
        yield due.verified, f"emissions of {of} verified", ""
        for milestone in due.milestones:
            yield milestone.date, f"milestone of {of}", f"{milestone.share:.0%} surrendered"
        yield due.deadline, f"deadline of {of}", f"known from {due.deadline_published}"
    for offset in scenario.offsets:
        price = f"{offset.price_cny_t:.2f} CNY/t"
        yield offset.date, f"{offset.stock_mt:g} Mt of offsets on offer", price


def _dues(scenario: Scenario) -> Table:
    table = _table(
        "Obligations", "year", "sectors", "due, Mt", "net surplus", "spread", "vintage", "usable"
    )
    for due in scenario.obligations:
        table.add_row(*_due(due))
    return table


def _due(due: Obligation) -> tuple[str, ...]:
    return (
        due.year,
        ", ".join(due.sectors),
        f"{due.emissions_mt:,.0f}",
        f"{due.net_surplus_share:+.2%}",
        f"{due.spread_share:.2%}",
        due.vintage,
        ", ".join(due.usable),
    )


def _people(scenario: Scenario) -> Table:
    population = scenario.population
    table = _table("Population", "who", "entities", "Mt a year", "note")
    for sector in population.sectors:
        note = f"lognormal, sigma {sector.size_sigma:g}"
        table.add_row(sector.name, f"{sector.entities:,}", f"{sector.emissions_mt:,.0f}", note)
    groups = (
        ("central groups", population.central_groups, f"{population.central_share:.0%} each"),
        ("provincial groups", population.provincial_groups, f"{population.provincial_share:.0%}"),
    )
    for who, count, share in groups:
        table.add_row(f"{count} {who}", "", "", f"{share} of the entities")
    for holding in population.old_holdings:
        note = f"{holding.total_mt:,.1f} Mt, {holding.top_share:.0%} with the largest holders"
        table.add_row(f"old {holding.vintage}", "", "", note)
    return table


def _acting(scenario: Scenario) -> Table:
    table = _table("Behaviour (one set for all seasons)", "parameter", "value", "unit")
    for name, value in msgspec.structs.asdict(scenario.behaviour).items():
        table.add_row(name, f"{value:g}", UNITS.get(unit_of(name), ""))
    return table
