"""Baselines: what they are made of, and that a score takes them like runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from sim.experiments.baselines import (
    BaselineError,
    baseline_no_groups,
    baseline_profile,
    baseline_zero_intelligence,
    season_before,
)
from sim.results.observed import monthly, observed_facts
from sim.results.score import score
from sim.results.targets import read_targets
from sim.scenario.reading import load
from sim.simulation import simulate
from tanshi import app
from tests.unit.sim.small_seasons import short, small

TARGETS = Path("sim/results/data/targets.csv")


def test_the_profile_has_the_months_of_the_season_before() -> None:
    run = baseline_profile(load("2024"), 1)
    found = run.quotes.groupby(run.quotes["date"].dt.month)["listed_volume_t"].sum()
    months = monthly().set_index("month")["listed_volume_t"]
    for month in range(1, 13):
        assert found[month] == pytest.approx(months[f"2022-{month:02d}"], rel=1e-3, abs=20)


def test_the_profiles_price_is_a_random_walk() -> None:
    closes = [baseline_profile(load("2024"), seed).quotes["close_cny"] for seed in range(12)]
    steps = np.concatenate([np.diff(np.log(each)) for each in closes])
    assert steps.std() == pytest.approx(observed_facts(2022)["SD"], rel=0.05)
    assert abs(np.corrcoef(steps[1:], steps[:-1])[0, 1]) < 0.06
    assert not closes[0].equals(closes[1])
    pd.testing.assert_series_equal(closes[3], baseline_profile(load("2024"), 3).quotes["close_cny"])


def test_days_of_the_profile_follow_the_daily_file() -> None:
    days = pd.date_range("2022-12-01", "2022-12-30", freq="B")
    volume = np.where(np.arange(len(days)) == 3, 1e6, 0.0)
    columns = {f"{name}_volume_t": volume for name in ("listed", "bulk", "auction")}
    daily = pd.DataFrame({"date": days, **columns})
    quotes = baseline_profile(load("2024"), 1, daily).quotes
    december = quotes.loc[quotes["date"].dt.month == 12, "listed_volume_t"]
    assert (december > 0).sum() == 1
    assert december.sum() == pytest.approx(
        monthly().set_index("month")["listed_volume_t"]["2022-12"]
    )


def test_the_first_season_has_none_before_it() -> None:
    assert season_before(2024) == 2022
    with pytest.raises(BaselineError, match="2021"):
        baseline_profile(load("2021"), 1)


def test_without_groups_nobody_deals_inside_one() -> None:
    scenario = small("2021", 0.1)
    run = baseline_no_groups(scenario, 1)
    assert set(run.compliance["group"]) == {""}
    assert not run.trades["same_group"].any()


def test_without_groups_nothing_that_was_held_is_lost() -> None:
    scenario = small("2024", 0.05)
    held = []
    for run in (baseline_no_groups(scenario, 1), simulate(scenario, 1)):
        first = run.holdings[run.holdings["date"] == run.holdings["date"].min()]
        held.append(first["tonnes"].sum())
    assert held[0] == pytest.approx(held[1], rel=1e-3)


def test_zero_intelligence_prices_are_even_between_the_limits() -> None:
    run = baseline_zero_intelligence(small("2021", 0.1), 1)
    asked = run.orders[run.orders["kind"] == "list"]
    limits = run.quotes[run.quotes["instrument"] == "CEA"].set_index("date")
    lower = limits["lower_limit_cny"].reindex(asked["date"]).to_numpy()
    upper = limits["upper_limit_cny"].reindex(asked["date"]).to_numpy()
    place = (asked["price_cny"].to_numpy() - lower) / (upper - lower)
    # what is listed did not cross: bids lie low, asks lie high, and all of the band is used
    assert place.min() < 0.1
    assert place.max() > 0.9
    assert len(run.trades)
    bulk = run.trades["modality"] == "bulk"
    assert run.trades.loc[~bulk, "qty_tonnes"].max() < 100_000  # TR-11


def test_a_score_takes_baselines_like_runs() -> None:
    targets = [row for row in read_targets(TARGETS) if row.season == "2024"]
    table = score([baseline_profile(load("2024"), seed) for seed in (1, 2)], targets)
    assert table.runs == {2024: 2}
    by_id = {row.target.id: row for row in table.rows}
    assert by_id["Q4-2024"].scored
    assert not by_id["COMP-2024"].scored  # no entity complies in a profile
    lived = score(baseline_zero_intelligence(short(), 1), read_targets(TARGETS))
    assert lived.scored > 5


def test_the_command_shows_all_side_by_side() -> None:
    asked = ["baselines", str(TARGETS), "--season", "2021", "--seeds", "1..1", "--share", "0.05"]
    result = CliRunner().invoke(app, [*asked, "--jobs", "1", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert set(document["kinds"]) == {"model", "no groups", "zero intelligence"}
    assert document["missing"] == ["season 2021: no season before it has published months"]
    assert {row["season"] for row in document["rows"]} == {"2021"}
    assert all(set(row["z"]) == set(document["kinds"]) for row in document["rows"])
    refused = CliRunner().invoke(app, ["baselines", "nowhere.csv", "--seeds", "1"])
    assert refused.exit_code == 2
