"""The stylised facts: by hand on small tables, and on the observed days against the targets."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sim.results.days import Window, days_of
from sim.results.facts import close_of, facts, facts_of_days
from sim.results.observed import SHIPPED as OBSERVED
from sim.results.observed import (
    ObservedFileError,
    as_toml,
    facts_of_daily,
    monthly,
    monthly_facts,
    observed_facts,
    read_daily,
    read_monthly,
    yearly,
)
from sim.results.targets import SHIPPED, read_targets
from tests.unit.sim.market_tables import compliance, quotes

DATA = Path(__file__).parents[4] / "shared" / "data"
DAILY, MONTHLY = DATA / "cea_daily.csv", DATA / "cea_monthly.csv"
needs_daily = pytest.mark.skipif(not DAILY.exists(), reason=f"no ../shared/data/{DAILY.name}")
PRINTED = {row.id: row.value for row in read_targets(SHIPPED)}
SCALARS = [
    (row.name, row.years[0]) for row in read_targets(SHIPPED) if len(row.parts) == 1 and row.name
]
BY_MONTH = {"Q4", "ND", "DEC", "BULK"}
OF_RUNS = {"COMP", "LIM"}


def rounded(value: float, printed: str) -> str:
    """``value`` with as many decimals as the printed one."""
    text = f"{value:.{len(printed.partition('.')[2])}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@needs_daily
@pytest.mark.parametrize(("name", "year"), SCALARS)
def test_definition_gives_the_observed_value(name: str, year: int) -> None:
    if name in OF_RUNS:
        pytest.skip("not a statistic of the daily file")
    found = facts_of_daily(read_daily(DAILY), year) | monthly_facts(read_monthly(MONTHLY), year)
    printed = PRINTED[f"{name}-{year}"]
    assert rounded(found[name], printed) == rounded(float(printed), printed)


@needs_daily
def test_definitions_of_several_parts_give_the_observed_values() -> None:
    daily = read_daily(DAILY)
    first, last = facts_of_daily(daily, 2021), facts_of_daily(daily, 2024)
    assert (first["LIM.upper"], first["LIM.lower"]) == (8, 1)
    assert facts_of_daily(daily, 2022)["LIM"] == 0
    assert "LIM" not in last  # composite closes have no limit
    assert 42 <= first["P.oct_nov_level"] <= 44
    assert first["P.end"] == 54.22
    assert (last["P.peak"], last["P.end"]) == (105.65, 97.49)
    assert 97 <= last["P.q4_low"] <= last["P.q4_peak"] <= 106
    assert rounded(first["VOL"], "178.8") == "178.8"
    assert rounded(last["SPLIT.listed"], "37.0") == "37"
    assert rounded(last["SPLIT.bulk"], "151.6") == "151.6"


@needs_daily
def test_shipped_figures_are_computed_from_the_bulletins() -> None:
    assert as_toml(read_daily(DAILY), read_monthly(MONTHLY)) == OBSERVED.read_text("utf-8")


@needs_daily
def test_a_season_takes_less_than_twenty_milliseconds() -> None:
    daily = read_daily(DAILY)
    season = daily[daily["date"].dt.year == 2024]
    facts(season)
    took = []
    for _ in range(10):
        start = time.perf_counter()
        facts(season)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.020


@pytest.mark.parametrize("year", [2021, 2022, 2024])
@pytest.mark.parametrize("name", sorted(BY_MONTH))
def test_shipped_months_give_the_observed_shares(name: str, year: int) -> None:
    printed = PRINTED[f"{name}-{year}"]
    assert rounded(monthly_facts(monthly(), year)[name], printed) == rounded(
        float(printed), printed
    )
    assert observed_facts(year)[name] == pytest.approx(float(printed), abs=6e-4)


def test_january_and_february_of_the_next_year() -> None:
    assert round(monthly_facts(monthly(), 2021)["JF"], 3) == 0.060
    assert "JF" not in monthly_facts(monthly(), 2022)  # the next season is kept aside
    november = quotes("2023-11-01", 90)
    found = facts(november)
    dates = november["date"]
    late, early = (dates <= "2023-12-31").sum(), (dates.between("2024-01-01", "2024-02-29")).sum()
    assert found["JF"] == pytest.approx(early / late)
    assert found["VOL"] == pytest.approx(late * 2_000 / 1e6)
    assert "JF" not in facts(quotes("2023-11-01", 60))


def test_no_season_kept_aside_is_shipped() -> None:
    assert not observed_facts(2023)
    assert not observed_facts(2025)
    assert {month[:4] for month in monthly()["month"]} == {"2021", "2022", "2024"}
    assert set(yearly()["year"]) == {"2021", "2022", "2024"}
    assert {year for row in read_targets(SHIPPED) for year in row.years} == {2021, 2022, 2023, 2024}
    assert [row.id for row in read_targets(SHIPPED) if 2023 in row.years] == ["LIM-2223"]


def test_volume_facts_by_hand() -> None:
    # Two weeks, Monday 2021-12-20 on: 1 t a day, then 9 t on the last.
    volume = [1.0] * 9 + [9.0]
    found = facts(quotes("2021-12-20", 10, listed_volume_t=volume))
    assert found["DEC"] == found["Q4"] == 1
    assert found["TOP10"] == 1
    assert found["WPK"] == pytest.approx(13 / 18)
    assert found["THIN"] == 1
    assert found["NOBULK"] == 1
    assert found["GINI"] == pytest.approx(2 * (45 + 90) / (10 * 18) - 1.1)
    assert "BDMED" not in found
    assert "BSIZE" not in found


def test_bulk_discount_by_hand() -> None:
    # Two-leg days: -10 % on 100 kt, -30 % on 300 kt; a bulk day without a listed trade has none.
    found = facts(
        quotes(
            "2024-03-04",
            4,
            listed_volume_t=[2_000, 2_000, 0, 2_000],
            listed_turnover_cny=[1e5, 1e5, 0, 1e5],
            bulk_volume_t=[1e5, 3e5, 5e5, 0],
            bulk_turnover_cny=[45e5, 105e5, 200e5, 0],
        )
    )
    assert found["BDMED"] == pytest.approx(-0.20)
    assert found["BDVW"] == pytest.approx(-0.25)
    assert found["BDTAIL"] == pytest.approx(0.5)
    assert found["BSIZE"] == pytest.approx(0.3)
    assert found["NOBULK"] == pytest.approx(0.25)
    assert found["BULK"] == pytest.approx(9e5 / 906_000)


def test_returns_need_two_traded_days_on_one_basis() -> None:
    closes, listed = [50, 55, 55, 60, 60, 66], [10, 10, 0, 10, 10, 10]
    found = facts(quotes("2024-03-04", 6, close_cny=closes, listed_volume_t=listed))
    # Left: 50-55, 60-60, 60-66.
    ups = [np.log(1.1), 0.0, np.log(1.1)]
    assert found["ZERO"] == pytest.approx(1 / 3)
    assert found["SD"] == pytest.approx(np.std(ups, ddof=1))
    basis = ["a", "a", "a", "a", "b", "b"]
    narrower = facts(
        quotes("2024-03-04", 6, close_cny=closes, listed_volume_t=listed, price_basis=basis)
    )
    assert narrower["ZERO"] == 0  # the unchanged close was between two bases


def test_the_change_of_the_composite_rule_is_no_return() -> None:
    table = quotes("2023-08-24", 4, close_cny=[60, 61, 80, 81])  # 28 August is the third day
    assert facts(table)["SD"] == pytest.approx(np.std(np.log([61 / 60, 81 / 80]), ddof=1))


def test_days_of_2022_count_from_the_day_on_which_they_are_observed() -> None:
    table = quotes("2022-05-23", 6, listed_volume_t=[9e6, 9e6, 9e6, 500, 500, 500])
    found = facts(table)
    assert found["THIN"] == 1
    assert found["VOL"] == pytest.approx(27.0015)


def test_window_narrows_the_days() -> None:
    table = quotes("2024-01-01", 250)
    window = Window(np.datetime64("2024-03-01"), np.datetime64("2024-03-31"))
    assert facts(table, window=window)["VOL"] == pytest.approx(21 * 2_000 / 1e6)


def test_one_close_in_words() -> None:
    days = days_of(quotes("2024-10-01", 5, close_cny=[99, 101, 97, 105, 103]))
    asked = ("start", "end", "low", "peak", "level", "mean")
    assert [close_of(days, each) for each in asked] == [99, 103, 97, 105, 101, 101]
    saturday = np.datetime64("2024-10-05")
    assert close_of(days, "level", Window(saturday, saturday)) == 105
    assert np.isnan(close_of(days, "peak", Window(np.datetime64("2025-01-01"))))


def test_entities_by_hand() -> None:
    found = facts(quotes("2024-12-02", 5), compliance=compliance())
    assert (found["PART"], found["PART.share"], found["COMP"]) == (2, 0.5, 1)
    assert (found["CCER"], found["CCER.users"]) == (0.05, 1)
    assert (found["DEF"], found["DEF.share"], found["DEF.sum"]) == (1, 0.25, 0.1)
    assert found["DEF.net"] == pytest.approx(-0.1)
    assert found["COMP.rate"] == pytest.approx(1 - 10 / 4e6)
    assert found["VOL.share"] == pytest.approx(10_000 / 4e6)


def test_two_obligation_years_of_an_entity_are_one_entity() -> None:
    both = compliance(entity=["a", "a", "b", "b"])  # a: -100 kt + 0; b: 0 + 200 kt
    found = facts(quotes("2021-12-20", 5), compliance=both)
    assert (found["DEF"], found["DEF.share"], found["PART"]) == (1, 0.5, 1)


def test_participants_from_trades_where_there_is_no_compliance() -> None:
    trades = pd.DataFrame({"buyer": ["a", "b", "a"], "seller": ["c", "c", "d"]})
    assert facts(quotes("2024-12-02", 5), trades)["PART"] == 4


def test_limit_days_of_a_run_are_its_own_flags() -> None:
    table = quotes("2024-12-02", 3, touched_upper=[True, True, False], touched_lower=[False] * 3)
    found = facts(table)
    assert (found["LIM"], found["LIM.upper"], found["LIM.lower"]) == (2, 2, 0)
    assert "LIM" not in facts(quotes("2024-12-02", 3))


def test_only_composite_rows_count_and_nothing_comes_of_nothing() -> None:
    table = quotes("2024-12-02", 3)
    vintage = table.assign(instrument="CEA24", listed_volume_t=1e9)
    assert facts(pd.concat([vintage, table])) == facts(table)
    assert facts(vintage) == {}
    assert facts_of_days(days_of(vintage)) == {}


def test_a_market_without_trades_has_no_nan_among_its_facts() -> None:
    found = facts(quotes("2024-01-01", 30, listed_volume_t=0.0, listed_turnover_cny=0.0))
    assert all(np.isfinite(list(found.values())))
    assert found["VOL"] == 0
    assert "Q4" not in found
    assert "SD" not in found


HEAD = (
    "date,open_cny_t,high_cny_t,low_cny_t,close_cny_t,price_basis,listed_volume_t,"
    "listed_turnover_cny,bulk_volume_t,bulk_turnover_cny,auction_volume_t,auction_turnover_cny\n"
)


def test_daily_file_as_quotes(tmp_path: Path) -> None:
    file = tmp_path / "daily.csv"
    file.write_text(
        HEAD + "2021-07-16,48,,,50,listed,10,500.00,0,0.00,0,0.00\n"
        "2021-07-19,50,55.00,49,54,listed,10,540.00,5,200.00,0,0.00\n",
        encoding="utf-8",
    )
    table = read_daily(file)
    assert table["touched_upper"].tolist() == [False, True]
    assert table["bulk_turnover_cny"].tolist() == [0, 200]
    assert facts_of_daily(table, 2021)["LIM"] == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [("date\n", "no column"), (HEAD, "no rows"), (HEAD + "2021-13-01,,,,5,listed,1,1\n", "line 2")],
)
def test_a_daily_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, named: str) -> None:
    file = tmp_path / "daily.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ObservedFileError, match=named):
        read_daily(file)
    with pytest.raises(ObservedFileError, match="missing"):
        read_daily(tmp_path / "missing.csv")
    with pytest.raises(ObservedFileError, match="missing"):
        read_monthly(tmp_path / "missing.csv")
