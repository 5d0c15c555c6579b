"""What experiments add to a season: makers, institutions, state sales, a reserve, a collar."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from engine.records import Mode
from engine.rulebook import Rulebook
from sim.results.run import Run
from sim.scenario.model import Scenario
from sim.scenario.reading import load
from sim.season.extras import Others
from sim.season.people import people_of
from sim.season.season import Season
from sim.season.what_ifs import composite_weights, with_extras
from sim.simulation import simulate
from tests.unit.sim.small_seasons import short, small

STOCK = 40_000.0
ISSUED_IN_SEASON = {"first_day": dt.date(2024, 10, 21), "events": []}


def lived(scenario: Scenario, seed: int = 1) -> Season:
    season = Season(scenario, seed)
    for _ in season.live():
        pass
    return season


def deals_of(run: Run, name: str) -> pd.DataFrame:
    mine = (run.trades["buyer"] == name) | (run.trades["seller"] == name)
    return run.trades[mine]


def test_a_season_without_extras_has_none_of_this() -> None:
    scenario = short()
    assert Others.of(scenario, people_of(scenario, 1)) is None
    assert Season(scenario, 1).others is None


def test_who_is_added_and_does_nothing_changes_nobody_elses_deals() -> None:
    still = short(**{"extras.institutions": 2, "extras.institution_limit_t": 0.0})
    pd.testing.assert_frame_equal(simulate(still, 1).trades, simulate(short(), 1).trades)


def test_makers_quote_both_sides_within_their_inventory() -> None:
    scenario = short(**{"extras.market_makers": 2, "extras.maker_stock_t": STOCK})
    run = simulate(scenario, 1)
    assert {"MAKER1", "MAKER2"} <= set(run.orders["entity"])
    for name in ("MAKER1", "MAKER2"):
        mine = run.orders[run.orders["entity"] == name]
        assert set(mine["side"]) == {"buy", "sell"}
        deals = deals_of(run, name)
        assert len(deals)
        change = np.where(deals["buyer"] == name, 1, -1) * deals["qty_tonnes"]
        held = STOCK + change.cumsum()
        assert held.min() >= 0.0
        assert held.max() <= 2.0 * STOCK


def test_a_maker_at_its_limit_bids_for_no_more() -> None:
    more = {"extras.market_makers": 1, "extras.maker_stock_t": STOCK}
    season = Season(short(0.05, **more), 1)
    next(season.live())
    assert season.others is not None
    makers = season.others.makers
    assert makers is not None
    (row,) = makers.rows
    room = int(2 * STOCK) - int(makers.held_t(row)[0])
    tonnes = np.zeros(row + 1, np.int64)
    for left in (10, 0):
        tonnes[row] = room - left
        season.floor.give("CEA", tonnes)
        room = left
        bid, ask = makers._two_sides(0, row, 0)
        assert bid[-1] == left
        assert ask[-1] == int(0.04 * STOCK)


def test_a_makers_quotes_are_its_spread_apart() -> None:
    spread = 0.03
    wide = {"extras.market_makers": 1, "extras.maker_spread_share": spread}
    run = simulate(short(**wide, **{"extras.maker_stock_t": STOCK}), 1)
    mine = run.orders[(run.orders["entity"] == "MAKER1") & (run.orders["kind"] == "list")]
    best = mine.groupby(["time", "side"])["price_cny"].first().unstack().dropna()
    assert len(best) > 10
    inside = best[(best["sell"] / best["buy"] - 1.0).between(0.9 * spread, 1.1 * spread)]
    assert len(inside) > 0.8 * len(best)  # the others are cut by a limit of the day (TR-20)


def test_institutions_keep_their_limit() -> None:
    limit = 30_000.0
    more = {"extras.institutions": 3, "extras.institution_limit_t": limit}
    scenario = small("2021", 0.05, **more, **{"extras.institution_style": "trend"})
    run = simulate(scenario, 1)
    bought = run.trades[run.trades["buyer"].str.startswith("INSTITUTION")]
    assert len(bought)
    for name in ("INSTITUTION1", "INSTITUTION2", "INSTITUTION3"):
        deals = deals_of(run, name)
        held = (np.where(deals["buyer"] == name, 1, -1) * deals["qty_tonnes"]).cumsum()
        assert len(held) == 0 or (held.min() >= 0 and held.max() <= limit)


@pytest.mark.parametrize("pricing", ["uniform", "pay_as_bid"])
def test_what_is_auctioned_is_not_given(pricing: str) -> None:
    whole = people_of(small("2024", 0.05), 1).allocation_t.sum()
    more = {"extras.auction_share": 0.1, "extras.auction_pricing": pricing}
    season = lived(small("2024", 0.05, **ISSUED_IN_SEASON, **more))
    others, people = season.others, season.people
    assert others is not None
    assert others.auctioneer is not None
    assert others.sold_t.sum() == pytest.approx(0.1 * whole, rel=1e-4)
    assert others.sold_t.sum() + people.allocation_t.sum() == whole
    held = season.floor.holdings_t()[others.auctioneer.row].sum()
    run = simulate(season.scenario, 1)
    sold = run.trades[run.trades["modality"] == "auction"]
    assert set(sold["seller"]) == {"STATE"}
    assert held + sold["qty_tonnes"].sum() == pytest.approx(
        others.sold_t.sum(), abs=len(people.names)
    )
    prices = sold.groupby(["date", "instrument"])["price_cny"].nunique()
    assert bool(prices.max() == 1) == (pricing == "uniform")  # TR-83


def test_a_paid_share_of_one_issue_is_sold_as_well() -> None:
    scenario = small("2024", 0.05, **{"issues.1.paid_share": 0.5})
    others = Others.of(scenario, people_of(scenario, 1))
    assert others is not None
    whole = people_of(small("2024", 0.05), 1).allocation_t.sum()
    later = scenario.issues[1].share - scenario.issues[0].share
    assert others.sold_t.sum() == pytest.approx(0.5 * later * whole, rel=1e-4)


def test_the_reserve_withholds_a_share_of_what_is_beyond() -> None:
    reserve = {"upper_mt": 1.0, "lower_mt": 0.0, "intake_share": 0.24, "release_mt": 0.5}
    season = Season(small("2024", 0.05, **ISSUED_IN_SEASON, **{"extras.reserve": reserve}), 1)
    date = next(season.live())
    assert season.others is not None
    held = season.others.reserve
    assert held is not None
    beyond = held.circulation_t(date) - 1e6
    assert beyond > 0
    given = np.full(season.people.count, 1_000_000)
    kept = held.kept_back("CEA22", given, date)
    assert kept.sum() == pytest.approx(0.24 * beyond, abs=len(given))
    assert season.floor.holdings_t()[held.row].sum() == kept.sum()


def test_an_issue_is_what_was_withheld_and_what_was_given() -> None:
    reserve = {"upper_mt": 1.0, "lower_mt": 0.0, "intake_share": 0.24, "release_mt": 0.5}
    season = lived(small("2024", 0.05, **ISSUED_IN_SEASON, **{"extras.reserve": reserve}))
    base = lived(small("2024", 0.05, **ISSUED_IN_SEASON))
    assert season.others is not None
    assert season.others.reserve is not None
    kept = int(season.floor.holdings_t()[season.others.reserve.row].sum())
    totals = [
        int(each.floor.exchange.state.instruments["tonnes_in"].sum()) for each in (season, base)
    ]
    assert kept > 0
    assert totals[0] == totals[1]  # nothing is lost, nothing is made
    assert int(season.books.issued_t.sum()) == int(base.books.issued_t.sum())


def test_the_reserve_sells_where_little_is_held() -> None:
    reserve = {"upper_mt": 900.0, "lower_mt": 800.0, "intake_share": 0.0, "release_mt": 0.3}
    run = simulate(small("2024", 0.05, **ISSUED_IN_SEASON, **{"extras.reserve": reserve}), 1)
    sold = run.trades[run.trades["seller"] == "RESERVE"]
    assert len(sold)
    assert set(sold["modality"]) == {"auction"}
    assert len(sold["date"].unique()) <= 2  # November and December


@pytest.mark.parametrize("side", ["floor", "ceiling"])
def test_no_trade_lies_outside_a_collar(side: str) -> None:
    base = simulate(short(), 1).trades
    listed = base.loc[base["modality"] == "listed", "price_cny"]
    collar = {"floor_cny_t": 1.0, "ceiling_cny_t": 500.0}
    collar[f"{side}_cny_t"] = round(float(listed.median()), 1)
    inside = collar["floor_cny_t"], collar["ceiling_cny_t"]
    trades = simulate(short(0.05, **{"extras.collar": collar}), 1).trades
    late = trades[trades["date"] > trades["date"].min() + pd.Timedelta(days=7)]
    for modality in ("listed", "bulk"):
        mine = late.loc[late["modality"] == modality, "price_cny"]
        assert mine.between(*inside).all()
        assert modality == "bulk" or len(mine) > 10
    free = base[base["date"] > base["date"].min() + pd.Timedelta(days=7)]
    assert not free["price_cny"].between(*inside).all()


def test_price_time_matches_what_crosses_by_itself() -> None:
    scenario = short(0.05, **{"extras.matching": "price_time"})
    season = lived(scenario)
    rows = season.floor.exchange.state.instruments[: len(season.floor.codes)]
    assert (rows["mode"] == Mode.PRICE_TIME).all()
    run = simulate(scenario, 1)
    assert (run.trades["modality"] == "listed").sum() > 20
    assert "would_cross" not in set(run.orders["reason"])
    assert "wrong_mode" not in set(run.orders["reason"])


def test_goods_of_the_day_can_be_sold_without_t_plus_one() -> None:
    change = [{"since": dt.date(2021, 7, 16), "parameter": "goods_t_plus", "value": 0}]
    season = lived(short(rule_changes=change))
    assert season.floor.exchange.state.rules[0]["goods_t_plus"] == 0  # TR-47


def test_a_narrower_bulk_limit_cuts_deep_discounts() -> None:
    change = [{"since": dt.date(2021, 7, 16), "parameter": "bulk_band_bp", "value": 500}]
    scenario = small("2021", 0.1, rule_changes=change)
    run = simulate(scenario, 1)
    bulk = run.trades[run.trades["modality"] == "bulk"].merge(
        run.quotes[run.quotes["instrument"] == "CEA"][
            ["date", "lower_limit_cny", "upper_limit_cny"]
        ],
        on="date",
    )
    reference = (bulk["lower_limit_cny"] + bulk["upper_limit_cny"]) / 2.0
    assert len(bulk)
    assert (bulk["price_cny"] / reference - 1.0).abs().max() < 0.0505  # TR-21


def test_the_composite_can_have_other_weights() -> None:
    rules = Rulebook.on(dt.date(2024, 12, 2))
    codes = [each.code for each in rules.vintages]
    traded = np.array([5, 0, 7, 3])
    before, none = np.array([2, 0, 0, 9]), np.zeros(4, np.int64)
    assert composite_weights(rules, "newest", codes, traded, before) == (0, 0, 0, 1)
    assert composite_weights(rules, "volume", codes, traded, before) == (5, 0, 7, 3)
    assert composite_weights(rules, "volume", codes, none, before) == (2, 0, 0, 9)
    assert composite_weights(rules, "volume", codes, none, none) == (1, 1, 1, 1)
    assert composite_weights(rules, "volume", codes[:3], none[:3], before[:3]) == (2, 0, 0, 0)
    assert composite_weights(rules, "mean", codes, traded, before) == (1, 1, 1, 1)
    plain = with_extras(rules, load("2024"), codes, traded, before)
    assert plain == rules  # TR-104


def test_sessions_are_allowed_where_the_state_sells() -> None:
    rules = Rulebook.on(dt.date(2024, 12, 2))
    assert not rules.auction_enabled  # TR-80: from July 2025
    sells = load("2024", {"extras.auction_share": 0.05})
    assert with_extras(rules, sells, [], np.array([]), np.array([])).auction_enabled
