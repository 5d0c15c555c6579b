"""A scenario that does not fit together is refused: file, key, value, expectation, stable code."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from sim.scenario.reading import load, parse
from sim.scenario.refusing import CODES, Problem, ScenarioError
from tests.unit.sim.scenario_text import season_text

DAY = dt.date.fromisoformat


def refused(overrides: dict[str, object], season: str = "2024") -> tuple[Problem, ...]:
    with pytest.raises(ScenarioError) as caught:
        load(season, overrides)
    assert caught.value.code == "scenario_invalid"
    assert caught.value.file == f"{season}.toml"
    for problem in caught.value.problems:
        assert problem.code in CODES
        assert problem.file in {f"{season}.toml", "behaviour.toml"}
        assert str(problem) in str(caught.value)
    return caught.value.problems


def one(overrides: dict[str, object], season: str = "2024") -> Problem:
    (problem,) = refused(overrides, season)
    return problem


# overrides of season 2024, then code, key and a part of what was expected
SPELLING = [
    ({"tite": "x"}, "unknown_key", "tite", "did you mean title?"),
    ({"weather": 1}, "unknown_key", "weather", "one of format, name, title"),
    ({"banking.sales_multipel": 3.0}, "unknown_key", "banking.sales_multipel", "sales_multiple"),
    ({"behaviour.hazard_bas": 0.1}, "unknown_key", "behaviour.hazard_bas", "hazard_base"),
    ({"title": 2024}, "wrong_type", "title", "a text in quotes"),
    ({"first_day": "2024-01-02"}, "wrong_type", "first_day", "a date such as"),
    ({"first_day": dt.datetime(2024, 1, 2, 9)}, "wrong_type", "first_day", "a date"),
    ({"events.0.pulse": 1}, "wrong_type", "events.0.pulse", "true or false"),
    ({"population.central_groups": True}, "wrong_type", "population.central_groups", "whole"),
    ({"population.central_groups": 5.5}, "wrong_type", "population.central_groups", "whole"),
    ({"vintages": 3}, "wrong_type", "vintages", "a list of Vintage"),
    ({"population": []}, "wrong_type", "population", "a table of Population"),
    ({"banking.base_t": "10000"}, "wrong_type", "banking.base_t", "a number in tonnes"),
    ({"title": None}, "missing_key", "title", "a text"),
    ({"behaviour.hazard_base": None}, "missing_key", "behaviour.hazard_base", "a number"),
    ({"population.sectors.7.entities": 1}, "unknown_key", "population.sectors.7.entities", "leads"),
    ({"title.deep": 1}, "unknown_key", "title.deep", "leads to a value"),
]
RANGES = [
    ({"format": 2}, "out_of_range", "format", "1, the only version"),
    ({"name": " "}, "out_of_range", "name", "a name"),
    ({"population.group_sd_share": 1.2}, "out_of_range", "population.group_sd_share", "0 to 1"),
    ({"banking.base_t": -1.0}, "out_of_range", "banking.base_t", "0 or more, in tonnes"),
    ({"banking.base_t": float("nan")}, "out_of_range", "banking.base_t", "finite"),
    ({"banking.base_t": 10**30}, "out_of_range", "banking.base_t", "9223372036854775807"),
    ({"events.0.price_sign": 2}, "out_of_range", "events.0.price_sign", "-1 (looser)"),
    ({"vintages.0.opening_cny_t": 0.0}, "out_of_range", "vintages.0.opening_cny_t", "TR-25"),
    ({"vintages.3.opening_cny_t": 99.0}, "out_of_range", "vintages.3.opening_cny_t", "TR-24"),
    (
        {"population.sectors.0.size_sigma": 0.0},
        "out_of_range",
        "population.sectors.0.size_sigma",
        "",
    ),
    ({"population.central_groups": -5}, "out_of_range", "population.central_groups", "0 or more"),
    ({"behaviour.inactive_share": 1.5}, "out_of_range", "behaviour.inactive_share", "0 to 1"),
]
NAMES = [
    ({"extras.matching": "pricetime"}, "unknown_name", "extras.matching", "mean price_time?"),
    ({"banking.vintages": ["CEA24"]}, "unknown_name", "banking.vintages", "CEA, CEA21"),
    (
        {"population.old_holdings.0.vintage": "CEA20"},
        *("unknown_name", "population.old_holdings.0.vintage", "did you mean CEA2"),
    ),
    (
        {"rule_changes": [{"since": DAY("2024-03-01"), "parameter": "listed_band", "value": 500}]},
        *("unknown_name", "rule_changes.0.parameter", "did you mean listed_band_bp?"),
    ),
    (
        {"rule_changes": [{"since": DAY("2024-03-01"), "parameter": "vintages", "value": 5}]},
        *("unknown_name", "rule_changes.0.parameter", "one of"),
    ),
]
DATES = [
    ({"first_day": DAY("2024-01-01")}, "inconsistent_dates", "first_day", "a trading day"),
    (
        {"obligations.0.verified": DAY("2025-01-15")},
        *("inconsistent_dates", "obligations.0.verified", "on or before deadline 2024-12-31"),
    ),
    (
        {"obligations.0.plan_published": DAY("2025-01-15")},
        *("inconsistent_dates", "obligations.0.plan_published", "deadline 2024-12-31"),
    ),
    (
        {"obligations.0.deadline_published": DAY("2025-01-15")},
        *("inconsistent_dates", "obligations.0.deadline_published", "deadline 2024-12-31"),
    ),
    (
        {"issues.1.date": DAY("2025-02-01")},
        *("inconsistent_dates", "issues.1.date", "the deadline of 2023"),
    ),
    (
        {"events.2.date": DAY("2023-12-01")},
        *("inconsistent_dates", "events.2.date", "or history = true"),
    ),
    ({"events.2.history": True}, "inconsistent_dates", "events.2.date", "for history is true"),
    ({"events.2.date": DAY("2025-01-01")}, "inconsistent_dates", "events.2.date", "last_day"),
    ({"offsets.0.date": DAY("2025-01-01")}, "inconsistent_dates", "offsets.0.date", "last_day"),
    (
        {"banking.net_sales_from": DAY("2026-01-01")},
        *("inconsistent_dates", "banking.net_sales_from", "net_sales_until 2025-12-31"),
    ),
    (
        {"banking.converted_until": DAY("2025-06-10")},
        *("inconsistent_dates", "banking.net_sales_until", "converted_until 2025-06-10"),
    ),
    (
        {"rule_changes": [{"since": DAY("2025-01-01"), "parameter": "goods_t_plus", "value": 0}]},
        *("inconsistent_dates", "rule_changes.0.since", "last_day"),
    ),
]
RESERVE = {"upper_mt": 10.0, "lower_mt": 20.0, "intake_share": 0.1, "release_mt": 5.0}
TOTALS = [
    ({"issues.1.share": 0.9}, "inconsistent_totals", "issues.1.share", "1, the last issue of"),
    ({"issues.0.share": 1.0}, "inconsistent_totals", "issues.1.share", "more than the 1 issued"),
    ({"issues": []}, "inconsistent_totals", "issues", "at least one issue for obligation 2023"),
    (
        {"population.sectors.0.entities": 30},
        *("inconsistent_totals", "population.provincial_groups", "30 entities"),
    ),
    (
        {"population.central_share": 0.2},
        *("inconsistent_totals", "population.provincial_share", "of 1 or less"),
    ),
    (
        {"population.old_holdings.1.vintage": "CEA"},
        *("inconsistent_totals", "population.old_holdings", "only once"),
    ),
    (
        {"obligations.0.emissions_mt": 524.0},
        *("inconsistent_totals", "obligations.0.emissions_mt", "about 5240, 1 x"),
    ),
    (
        {"obligations.0.net_surplus_share": -0.5},
        *("inconsistent_totals", "obligations.0.net_surplus_share", "rate_min_share -0.2"),
    ),
    (
        {"obligations.0.usable": ["CEA", "CEA21"]},
        *("inconsistent_totals", "obligations.0.usable", "its own vintage CEA23"),
    ),
    (
        {"population.sectors.0.size_max_t": 20_000.0},
        *("inconsistent_totals", "population.sectors.0.size_max_t", "more than size_min_t"),
    ),
    (
        {"population.units_plan": "power-2023-2024"},
        *("inconsistent_totals", "population.units_file", "both or neither"),
    ),
    (
        {"extras.collar": {"floor_cny_t": 120.0, "ceiling_cny_t": 40.0}},
        *("inconsistent_totals", "extras.collar.floor_cny_t", "less than ceiling_cny_t 40"),
    ),
    (
        {"extras.reserve": RESERVE},
        *("inconsistent_totals", "extras.reserve.lower_mt", "less than upper_mt 10"),
    ),
]


@pytest.mark.parametrize(
    ("overrides", "code", "key", "expected"),
    [*SPELLING, *RANGES, *NAMES, *DATES, *TOTALS],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else None,
)
def test_each_mistake_is_told_with_its_place(
    overrides: dict[str, object], code: str, key: str, expected: str
) -> None:
    problem = one(overrides)
    assert (problem.code, problem.key) == (code, key)
    assert expected in problem.expected


@pytest.mark.parametrize(
    ("name", "full"),
    [("opening_cny", "opening_cny_t"), ("opening", "opening_cny_t")],
)
def test_a_number_without_its_unit_is_refused(name: str, full: str) -> None:
    found = refused({f"vintages.0.{name}": 80.0, "vintages.0.opening_cny_t": None}, "2021")
    problem = found[0]
    assert problem.code in {"missing_unit", "unknown_key"}
    assert problem.key == f"vintages.0.{name}"
    assert problem.value == 80.0
    assert full in problem.expected


def test_price_80_asks_for_its_unit() -> None:
    problem = one({"offsets.0.price": 80, "offsets.0.price_cny_t": None})
    assert problem.code == "missing_unit"
    assert str(problem) == (
        "2024.toml: offsets.0.price = 80: expected the unit in the name: "
        "price_cny_t (yuan per tonne) [missing_unit]"
    )


def test_milestones_lie_before_the_deadline_and_rise() -> None:
    def key(number: int, what: str) -> str:
        return f"obligations.0.milestones.{number}.{what}"

    problem = one({key(0, "date"): DAY("2022-01-15")}, "2021")
    assert (problem.code, problem.key) == ("inconsistent_dates", key(0, "date"))
    problem = one({key(0, "published"): DAY("2021-12-20")}, "2021")
    assert (problem.code, problem.key) == ("inconsistent_dates", key(0, "published"))
    twice = [{"date": DAY("2021-12-01"), "published": DAY("2021-11-01"), "share": 0.5}] * 2
    found = refused({"obligations.0.milestones": twice}, "2021")
    assert [each.key for each in found] == [key(1, "date"), key(1, "share")]


def test_a_milestone_is_a_part_of_the_obligation() -> None:
    problem = one({"obligations.0.milestones.0.share": 95.0}, "2021")
    assert (problem.code, problem.expected) == ("out_of_range", "a share from 0 to 1")


def test_arrears_get_no_allowances() -> None:
    issue = {"date": DAY("2022-01-05"), "obligation": "2019-2020", "sectors": ["power"]}
    problem = one({"issues.0": {**issue, "share": 1.0}, "issues.1.share": 1.0}, "2022")
    assert (problem.code, problem.key) == ("inconsistent_totals", "issues.0.share")


def test_all_problems_are_told_at_once() -> None:
    found = refused(
        {
            "titel": "x",
            "banking.base_t": -1,
            "issues.1.share": 0.9,
            "obligations.0.verified": DAY("2025-01-15"),
            "population.old_holdings.0.vintage": "CEA19",
        }
    )
    assert {each.code for each in found} == {
        *("unknown_key", "out_of_range", "inconsistent_totals"),
        *("inconsistent_dates", "unknown_name"),
    }


def test_a_wrong_type_hides_only_what_leans_on_it() -> None:
    found = refused(
        {
            "title": 1,
            "events.1.date": "soon",
            "banking.base": 5,
            "banking.base_t": None,
            "banking.net_sales_from": DAY("2026-01-01"),
            "offsets.0.date": DAY("2025-01-01"),
            "issues.1.share": 0.9,
        }
    )
    assert {each.key for each in found} == {
        *("title", "events.1.date", "banking.base", "banking.net_sales_from"),
        *("offsets.0.date", "issues.1.share"),
    }
    made_up = {"obligations.0.deadline": "never", "issues.1.share": 0.9, "banking.base_t": -1}
    assert {each.key for each in refused(made_up)} == {"obligations.0.deadline", "banking.base_t"}
    assert {each.key for each in refused({"first_day": 1})} == {"first_day"}
    assert {each.key for each in refused({"population": None})} == {"population"}


def test_a_mistake_in_the_shipped_behaviour_names_that_file() -> None:
    problem = one({"behaviour.inactive_share": "many"})
    assert problem.file == "behaviour.toml"


def test_no_season_no_file_no_toml(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="did you mean 2024") as caught:
        load("20244")
    assert caught.value.code == "scenario_unknown"
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "none.toml")
    assert caught.value.code == "scenario_unknown"
    for text in ("format = ", "a = [" * 5000, "a = " + "9" * 5000):
        with pytest.raises(ScenarioError) as caught:
            parse(text, "mine.toml")
        assert caught.value.code == "scenario_unreadable"
        assert caught.value.file == "mine.toml"


def test_unit_data_are_looked_for_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    units = 'units_file = "units.csv"\nunits_plan = "power-2023-2024"'
    file.write_text(season_text("2024").replace("[population]\n", f"[population]\n{units}\n"))
    with pytest.raises(ScenarioError, match="a file of unit data"):
        load(file)
    (tmp_path / "units.csv").write_text("unit\n")
    assert load(file).population.units_file == str(tmp_path / "units.csv")
