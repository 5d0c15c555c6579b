"""The seasons of the product: all load, say what was published, and never say how to behave."""

from __future__ import annotations

import csv
import datetime as dt
import re
import statistics
import tomllib
from pathlib import Path

import msgspec
import pytest

from engine.calendar import trading_days
from sim.scenario.identity import canonical, difference
from sim.scenario.model import Extras, Scenario
from sim.scenario.reading import load, season_names, smaller
from sim.season.people import people_of
from tests.unit.sim.scenario_text import season_text

ROOT = Path(__file__).parents[3]
EVENTS = ROOT.parent / "shared" / "data" / "policy_events.csv"
SEASONS = ("2021", "2022", "2023", "2024", "2025", "2026")
# CA-02: trading days of each season.
DAYS = {"2021": 114, "2022": 242, "2023": 242, "2024": 242, "2025": 243, "2026": 242}
# Of the published list: what the market itself did; a day on which nothing came (2025.toml).
NO_POLICY = {"price"}
NOTHING_CAME = dt.date(2025, 10, 20)
LOOK = {"allocation", "compliance", "banking"}  # categories that make people look


def test_six_seasons_come_with_the_product() -> None:
    assert season_names() == list(SEASONS)
    for name in SEASONS:
        assert load(name).name == name


@pytest.mark.parametrize("name", SEASONS)
def test_a_season_has_the_trading_days_of_its_year(name: str) -> None:
    season = load(name)
    assert len(list(trading_days(season.first_day, season.last_day))) == DAYS[name]


@pytest.mark.parametrize("name", SEASONS)
def test_a_season_holds_no_behaviour_and_no_institutions(name: str) -> None:
    data = tomllib.loads(season_text(name))
    assert not data.keys() & {"behaviour", "extras", "rule_changes"}
    assert load(name).extras == Extras()


def test_seasons_differ_in_rules_dates_and_population_only() -> None:
    allowed = {
        *("name", "title", "first_day", "last_day", "vintages", "obligations", "issues"),
        *("population", "events", "offsets", "banking"),
    }
    base = load("2024")
    for name in SEASONS:
        other = load(name)
        assert other.behaviour == base.behaviour
        found = {re.split(r"[.\[]", each.key)[0] for each in difference(base, other)}
        assert found <= allowed
        assert (found == set()) == (name == "2024")


@pytest.mark.parametrize("name", SEASONS)
def test_files_are_written_in_canonical_order(name: str) -> None:
    data = tomllib.loads(season_text(name))
    season = load(name)
    assert canonical(season) == season
    for key in ("vintages", "obligations", "events", "offsets"):
        built = msgspec.to_builtins(getattr(season, key))
        first = {"vintages": "code", "obligations": "sectors"}.get(key, "date")
        written = [each[first] for each in data.get(key, [])]
        assert [str(each) for each in written] == [
            str(list(each[first])) if first == "sectors" else str(each[first]) for each in built
        ]


# Told above a run of such tables, or in the head of the file.
TOLD_ABOVE = {"events", "population.old_holdings", "vintages"}
CITED_BY_THE_DATE = {"share = 0.95", "share = 1.0"}  # of a milestone, of a last issue


@pytest.mark.parametrize("name", SEASONS)
def test_every_number_has_its_source(name: str) -> None:
    table, bare = "", []
    for line in season_text(name).splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        number = re.match(r"(\w+) = -?[0-9]", line)
        if number and table not in TOLD_ABOVE and number[1] != "format":
            bare += [line] if "  # " not in line and line not in CITED_BY_THE_DATE else []
    assert not bare


@pytest.mark.parametrize("name", SEASONS)
def test_signs_and_pulses_follow_the_category(name: str) -> None:
    """docs/reference/scenario.md: history is in the prices, ccer loosens, these three wake."""
    for event in load(name).events:
        assert event.pulse == (event.category in LOOK and not event.history)
        if event.history or event.category in {"compliance", "market", "deadline", "lists"}:
            assert event.price_sign == 0
        elif event.category == "ccer":
            assert event.price_sign == -1
        elif event.category in {"regulation", "enforcement"}:
            assert event.price_sign == 1


@pytest.mark.skipif(not EVENTS.exists(), reason=f"no ../shared/data/{EVENTS.name}")
def test_published_events_are_all_there() -> None:
    told = {(each.date, each.category) for name in SEASONS for each in load(name).events}
    dates = {date for date, _ in told}
    spans = [(load(name).first_day, load(name).last_day) for name in SEASONS]
    with EVENTS.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            day = dt.date.fromisoformat(row["date"])
            inside = any(first <= day <= last for first, last in spans)
            if not inside or row["category"] in NO_POLICY or day == NOTHING_CAME:
                continue
            assert day in dates, row
            if (day, row["category"]) not in told:
                assert (day, row["category"]) == (dt.date(2026, 2, 9), "policy")


def test_openings_are_the_published_closes() -> None:
    def mean(name: str) -> float:
        return statistics.mean(v.opening_cny_t for v in load(name).vintages if v.opening_cny_t)

    assert mean("2021") == 48.00  # TR-24
    assert mean("2022") == 54.22
    assert mean("2023") == 55.00
    assert mean("2024") == pytest.approx(97.49 / 1.2275, abs=0.005)
    assert mean("2025") == pytest.approx(97.49, abs=0.005)  # TR-104: the plain mean
    assert mean("2026") == pytest.approx(74.63)


def test_obligations_are_the_published_totals() -> None:
    def due(name: str, year: str) -> float:
        return sum(each.emissions_mt for each in load(name).obligations if each.year == year)

    assert due("2021", "2019-2020") == 9000.0
    assert due("2024", "2023") == 5240.0
    assert due("2025", "2024") == 8194.0  # CP-39
    assert sum(each.entities for each in load("2025").population.sectors) == 3534
    assert sum(each.entities for each in load("2026").population.sectors) == 3378  # CP-01
    for season in map(load, ("2022", "2023")):  # the same obligations, seen a year apart
        pair = [each for each in season.obligations if each.year in {"2021", "2022"}]
        assert pair == list(load("2023").obligations)


def test_old_holdings_follow_from_season_to_season() -> None:
    """What is left = what was left + issued - due + offsets used in place of allowances."""

    def left(name: str) -> float:
        return sum(each.total_mt for each in load(name).population.old_holdings)

    def net(name: str) -> float:
        dues = load(name).obligations
        return sum(each.net_surplus_share * each.emissions_mt for each in dues)

    def used(name: str) -> float:
        return sum(each.stock_mt for each in load(name).offsets)

    late = 0.005 * load("2021").obligations[0].emissions_mt  # cea_annual.csv: 99.5 % in time
    assert left("2022") == pytest.approx(net("2021") + used("2021") + late, abs=0.1)
    arrears = load("2022").obligations[0].emissions_mt
    assert arrears <= late
    assert left("2023") == pytest.approx(left("2022") - arrears, abs=0.1)
    assert left("2024") == pytest.approx(left("2023") + net("2023") + used("2023"), abs=0.5)
    assert left("2025") == pytest.approx(left("2024") + net("2024") + used("2024"), abs=0.5)
    traded_2025 = 8.84  # ccer.csv: the most that can have been used
    assert left("2026") == pytest.approx(left("2025") + net("2025") + traded_2025, abs=0.5)


def test_the_first_cycle_has_the_published_deficits() -> None:
    """entities.csv: 847 of 2,011 in deficit, 188 Mt in all; tolerances of target DEF-2021."""
    shares, tonnes = [], []
    for seed in range(1, 16):
        people = people_of(load("2021"), seed)
        short = (people.due_t - people.allocation_t).clip(0)[0]
        shares.append(float((short > 0).mean()))
        tonnes.append(float(short.sum()))
    assert statistics.median(shares) == pytest.approx(847 / 2011, abs=0.03)
    assert statistics.median(tonnes) == pytest.approx(188e6, rel=0.10)


@pytest.mark.parametrize("name", SEASONS)
def test_a_smaller_season_is_a_season(name: str) -> None:
    season = load(name)
    small: Scenario = load(name, smaller(season, 0.05))
    assert small.population.sectors[0].entities == round(season.population.sectors[0].entities / 20)
    for less, due in zip(small.obligations, season.obligations, strict=True):
        assert less.emissions_mt == pytest.approx(due.emissions_mt / 20)
    with pytest.raises(ValueError, match="share"):
        smaller(season, 0.0)
