"""A run's tables against the exchange's own events and against each other."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine.records import Event, Modality
from sim.results.compliance import COLUMNS, compliance_of
from sim.results.quotes import COMPOSITE
from sim.results.run import RUN_FILE, TABLES, Run, RunFolderError, run_of
from sim.scenario.refusing import ScenarioError
from sim.season.season import Season
from sim.simulation import simulate
from tests.unit.sim.small_seasons import short, small


@pytest.fixture(scope="module", params=["2023", "2025", "2026"])
def lived(request: pytest.FixtureRequest) -> tuple[Season, Run]:
    season = Season(small(request.param, 0.05), 1)
    for _ in season.live():
        pass
    return season, run_of(season, 1.0)


def dates(values: Any) -> Any:
    return pd.to_datetime(pd.Series(values).astype(str), format="%Y%m%d").to_numpy()


def of_kind(season: Season, kind: Event) -> pd.DataFrame:
    """Return the price events of a kind: date, instrument's code, yuan; the last of each day."""
    log = season.floor.events()
    rows = log[log["kind"] == kind]
    codes = np.array([*season.floor.codes, COMPOSITE], dtype=object)
    frame = pd.DataFrame({"date": dates(rows["date"]), "cny": rows["price_ticks"] / 100})
    frame["instrument"] = codes[rows["instrument"]] if len(rows) else ""
    return frame


def test_closes_and_limits_are_the_exchanges_tr_100_tr_20(lived: tuple[Season, Run]) -> None:
    season, run = lived
    quotes = run.quotes.set_index(["date", "instrument"])
    for kind, column in (
        (Event.CLOSE_SET, "close_cny"),
        (Event.UPPER_LIMIT_SET, "upper_limit_cny"),
        (Event.LOWER_LIMIT_SET, "lower_limit_cny"),
    ):
        said = of_kind(season, kind).set_index(["date", "instrument"])["cny"]
        own = quotes[column].drop(COMPOSITE, level="instrument")
        assert own.sort_index().equals(said.sort_index().rename(column)), kind
    assert len(quotes) == len(own) + len(season.days)


def test_composite_is_the_exchanges_of_the_date_tr_104(lived: tuple[Season, Run]) -> None:
    season, run = lived
    said = of_kind(season, Event.COMPOSITE_SET).set_index("date")["cny"]
    traded = said[said > 0]
    own = run.quotes[run.quotes["instrument"] == COMPOSITE].set_index("date")
    assert len(traded) > 150
    assert np.allclose(own.loc[traded.index, "close_cny"], traded)
    by_day = run.quotes[run.quotes["instrument"] != COMPOSITE].groupby("date")
    for name in ("listed_volume_t", "bulk_turnover_cny", "auction_volume_t"):
        assert np.allclose(own[name], by_day[name].sum())
    for name in ("touched_upper", "touched_lower"):
        assert (own[name] == by_day[name].any()).all()


def test_quotes_are_sums_of_trades(lived: tuple[Season, Run]) -> None:
    _, run = lived
    quotes = run.quotes[run.quotes["instrument"] != COMPOSITE].set_index(["date", "instrument"])
    assert len(run.trades) > 50
    for modality in ("listed", "bulk", "auction"):
        mine = run.trades[run.trades["modality"] == modality]
        sums = mine.groupby(["date", "instrument"])[["qty_tonnes", "value_cny"]].sum()
        sums = sums.reindex(quotes.index, fill_value=0)
        assert (quotes[f"{modality}_volume_t"] == sums["qty_tonnes"]).all()
        assert np.allclose(quotes[f"{modality}_turnover_cny"], sums["value_cny"])
    listed = run.trades[run.trades["modality"] == "listed"]
    days = listed.groupby(["date", "instrument"])["price_cny"].agg(["first", "max", "min"])
    names = ["open_cny", "high_cny", "low_cny"]
    assert np.allclose(quotes.loc[days.index, names], days)
    assert quotes.drop(days.index)[names].isna().all(axis=None)
    assert (quotes["touched_upper"] == (quotes["high_cny"] >= quotes["upper_limit_cny"])).all()
    assert np.allclose(run.trades["value_cny"], run.trades["price_cny"] * run.trades["qty_tonnes"])


def test_orders_say_what_was_filled(lived: tuple[Season, Run]) -> None:
    season, run = lived
    orders, trades = run.orders, run.trades
    listed = orders[orders["kind"].isin(["list", "take"])]
    volume = trades[trades["modality"] == "listed"]["qty_tonnes"].sum()
    assert listed["filled_tonnes"].sum() == 2 * volume  # both sides have an order
    bulk = orders[(orders["kind"] == "bulk") & (orders["end"] == "filled")]
    assert bulk["filled_tonnes"].sum() == trades[trades["modality"] == "bulk"]["qty_tonnes"].sum()
    bids = orders[orders["kind"] == "bid"]["filled_tonnes"].sum()
    assert bids == trades[trades["modality"] == "auction"]["qty_tonnes"].sum()
    taken = orders[orders["end"] != "refused"]
    assert (taken["filled_tonnes"] <= taken["qty_tonnes"]).all()
    whole = taken["filled_tonnes"] == taken["qty_tonnes"]
    assert (whole == (taken["end"] == "filled")).all()
    assert (orders[orders["end"] == "refused"]["reason"] != "").all()
    assert (taken["reason"] == "").all()
    assert set(orders["entity"]) <= set(season.people.names)
    assert orders["order_no"][orders["end"] != "refused"].is_unique


def test_trades_name_both_sides_and_their_group(lived: tuple[Season, Run]) -> None:
    season, run = lived
    people, trades = season.people, run.trades
    group = dict(zip(people.names, people.group.tolist(), strict=True))
    same = [
        group[b] == group[s] and group[b] >= 0
        for b, s in zip(trades["buyer"], trades["seller"], strict=True)
    ]
    assert same == trades["same_group"].to_list()
    assert (trades["buyer"] != trades["seller"]).all()
    log = season.floor.events()
    log = log[log["kind"] == Event.TRADED]
    assert (log["modality"] == Modality.BULK).sum() == (trades["modality"] == "bulk").sum()


def test_holdings_follow_from_the_opening_issues_and_trades(lived: tuple[Season, Run]) -> None:
    """RG-08: from snapshot to snapshot, all that changes is issued, traded or handed in."""
    season, run = lived
    keys = ["entity", "instrument"]
    log, codes = season.floor.events(), np.array(season.floor.codes, dtype=object)
    names = np.array(season.people.names, dtype=object)
    first = run.holdings[run.holdings["date"] == run.holdings["date"].min()]
    assert run.holdings["date"].min() == pd.Timestamp(season.scenario.first_day - dt.timedelta(1))
    assert first["tonnes"].sum() == season.people.old_t.sum()
    parts = []
    for kind, sign in ((Event.HOLDING_MOVED_IN, 1), (Event.HOLDING_MOVED_OUT, -1)):
        rows = log[log["kind"] == kind]
        columns = {"date": dates(rows["date"]), "entity": names[rows["account"]]}
        columns |= {"instrument": codes[rows["instrument"]], "t": sign * rows["qty_tonnes"]}
        parts.append(pd.DataFrame(columns))
    for side, sign in (("buyer", 1), ("seller", -1)):
        mine = run.trades[["date", side, "instrument", "qty_tonnes"]]
        mine = mine.rename(columns={side: "entity", "qty_tonnes": "t"})
        parts.append(mine.assign(t=sign * mine["t"]))
    moves = pd.concat(parts)  # old holdings are moved in on the first day
    checked = 0
    month_ends = run.holdings[run.holdings["moment"] == "month end"]
    for date, held in month_ends.groupby("date"):
        then = moves[moves["date"] <= date].groupby(keys)["t"].sum()
        assert (
            then[then != 0]
            .sort_index()
            .equals(held.set_index(keys)["tonnes"].sort_index().rename("t"))
        )
        checked += 1
    assert checked >= 10


def test_compliance_adds_up_cp_30_cp_31(lived: tuple[Season, Run]) -> None:
    season, run = lived
    table, people = run.compliance, season.people
    assert set(table.columns) == set(COLUMNS)
    parts = table["surrendered_t"] + table["ccer_t"] + table["shortfall_t"]
    assert (parts == table["emissions_t"]).all()
    assert (table["late_t"] == table["shortfall_t"]).all()
    assert ((table["penalty_low_cny"] > 0) == (table["shortfall_t"] > 0)).all()
    assert (table["penalty_low_cny"] <= table["penalty_high_cny"]).all()
    assert table["shortfall_t"].sum() < 0.02 * table["emissions_t"].sum()
    expected = sum(int((people.due_t[row] > 0).sum()) for row in range(len(people.due_t)))
    assert len(table) == expected
    last = table.groupby("entity").last()
    for side, column in (("buyer", "bought"), ("seller", "sold")):
        mine = run.trades.groupby(side)[["qty_tonnes", "value_cny"]].sum().reindex(last.index)
        assert (last[f"{column}_t"] == mine["qty_tonnes"].fillna(0)).all()
        assert np.allclose(last[f"{column}_cny"], mine["value_cny"].fillna(0))
    assert (last["traded"] == (last["bought_t"] + last["sold_t"] > 0)).all()
    paid = last["cost_cny"] - last["bought_cny"] + last["sold_cny"]
    assert paid.sum() == pytest.approx(season.offsets.cost_cny.sum())


def test_what_was_surrendered_left_the_holdings(lived: tuple[Season, Run]) -> None:
    season, run = lived
    last = run.holdings[run.holdings["moment"] == "after surrender"]
    handed_in = run.compliance["surrendered_t"].sum()
    before = season.floor.holdings_t().sum()
    assert before - last["tonnes"].sum() == handed_in


def test_a_run_is_saved_and_read_back(lived: tuple[Season, Run], tmp_path: Path) -> None:
    _, run = lived
    back = Run.load(run.save(tmp_path / "run"))
    for name in TABLES:
        assert name == "compliance" or getattr(run, name)["date"].dtype == "datetime64[ns]"
        pd.testing.assert_frame_equal(getattr(back, name), getattr(run, name))
    for name in ("season", "seed", "scenario_hash", "digest", "seconds", "counts"):
        assert getattr(back, name) == getattr(run, name)
    facts = json.loads((tmp_path / "run" / RUN_FILE).read_text())
    assert facts["versions"]["numpy"] == np.__version__


def test_an_incomplete_folder_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="no saved run"):
        Run.load(tmp_path)
    (tmp_path / RUN_FILE).write_text('{"season": "2024"}')
    with pytest.raises(RunFolderError, match="seed"):
        Run.load(tmp_path)


def test_the_digest_is_the_hash_of_the_log() -> None:
    season = Season(short(), 5)
    for _ in season.live():
        pass
    log = season.floor.events()
    assert season.floor.digest() == hashlib.sha256(log.tobytes()).hexdigest()
    assert run_of(season, 0.0).digest == season.floor.digest()


def test_a_season_without_a_deadline_has_an_empty_table_of_the_same_columns() -> None:
    full = simulate(short(), 1).compliance
    season = Season(short(), 1)
    none = compliance_of(season.scenario, season.people, [])
    assert len(none) == 0
    assert set(none.columns) == set(full.columns)
    assert all(none[name].dtype == full[name].dtype for name in none.columns)


def test_what_simulate_cannot_use_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match=r"a Scenario is expected.*sim\.load.*not '2024'"):
        simulate("2024", 1)  # type: ignore[arg-type]
    for seed in ("1", 1.0, None, True):
        with pytest.raises(TypeError, match="a whole number is expected as seed, not"):
            simulate(short(), seed)  # type: ignore[arg-type]
    with pytest.raises(ScenarioError, match="a season"):
        small("2019")
    numpys: Any = np.int64(3)
    assert simulate(short(), numpys).digest == simulate(short(), 3).digest
