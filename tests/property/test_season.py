"""Whatever the population and the behaviour, a season's books stay sound and its tables add up."""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.invariants import violations
from sim.results.run import run_of
from sim.scenario.reading import load
from sim.season.people import people_of
from sim.season.season import Season
from tests.unit.sim.small_seasons import small

FIRST_DAYS = {
    "2021": dt.date(2021, 12, 20),
    "2024": dt.date(2024, 12, 16),
    "2025": dt.date(2025, 12, 15),
}


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """Return a season and a what-if of its last weeks, with everybody more eager than ever."""
    name = draw(st.sampled_from(sorted(FIRST_DAYS)))
    said: dict[str, object] = {
        "first_day": FIRST_DAYS[name],
        "events": [],
        "behaviour.hazard_urgent": draw(st.floats(0.0, 1.0)),
        "behaviour.sell_hazard": draw(st.floats(0.0, 1.0)),
        "behaviour.inactive_share": draw(st.floats(0.0, 1.0)),
        "behaviour.price_noise": draw(st.floats(0.0, 0.3)),
        "behaviour.netting_share": draw(st.floats(0.0, 1.0)),
        "behaviour.session_share": draw(st.floats(0.0, 1.0)),
        "behaviour.chunk_sigma": draw(st.floats(0.0, 4.0)),
    }
    for place, vintage in enumerate(load(name).vintages):  # all are there from the first day on
        said[f"vintages.{place}.opening_cny_t"] = vintage.opening_cny_t or 90.0
    return name, said


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(changes(), st.integers(0, 2**40), st.sampled_from([0.02, 0.05]))
def test_books_are_sound_and_tables_add_up(
    change: tuple[str, dict[str, object]], seed: int, share: float
) -> None:
    name, said = change
    season = Season(small(name, share, **said), seed)
    for date in season.live():
        assert violations(season.floor.exchange.state) == [], date
    run = run_of(season, 0.0)
    table = run.compliance
    parts = table["surrendered_t"] + table["ccer_t"] + table["shortfall_t"]
    assert (parts == table["emissions_t"]).all()
    assert (table["ccer_t"] <= table["emissions_t"] // 20).all()
    trades = run.trades
    assert (trades["buyer"] != trades["seller"]).all()
    money = table.groupby("entity").last()
    assert np.isclose(money["bought_cny"].sum(), trades["value_cny"].sum())
    assert np.isclose(money["sold_cny"].sum(), trades["value_cny"].sum())
    last = run.holdings[run.holdings["date"] == run.holdings["date"].max()]
    held = season.floor.holdings_t().sum()
    assert 2 * held - last["tonnes"].sum() == table["surrendered_t"].sum()


@settings(max_examples=40, deadline=None)
@given(
    st.floats(-0.1, 0.1),
    st.floats(0.005, 0.15),
    st.integers(0, 2**40),
    st.sampled_from(["2021", "2024", "2026"]),
)
def test_any_population_meets_its_totals_and_cuts(
    net: float, spread: float, seed: int, name: str
) -> None:
    said = {"obligations.0.net_surplus_share": net, "obligations.0.spread_share": spread}
    scenario = small(name, 0.05, **said)
    people = people_of(scenario, seed)
    due, rate = people.due_t[0], people.surplus_rate[0]
    obligation = scenario.obligations[0]
    owes = due > 0
    assert abs(people.allocation_t[0].sum() / due.sum() - 1 - net) < 1e-5
    assert rate[owes].min() >= obligation.rate_min_share
    assert rate[owes].max() <= obligation.rate_max_share
    for row, old in enumerate(scenario.population.old_holdings):
        assert abs(people.old_t[row].sum() - old.total_mt * 1e6) <= people.count
