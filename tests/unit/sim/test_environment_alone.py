"""An agent changes nothing but by what it does: the others' draws, and what is charged to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from engine.records import Event, Modality, Side
from sim.environment import SeasonEnv, SeveralEnv
from sim.environment.acting import What
from sim.results.run import run_of
from sim.scenario.model import Scenario
from sim.season.season import Season

SMALL = 0.05
HOLD = np.array([What.HOLD, 0, 0, 0])
DEFICIT = {"position": "short", "size": 0.9}


class IdleSeason(Season):
    """The plain season in which one entity never looks at the market, told in its own words."""

    def __init__(self, scenario: Scenario, seed: int, row: int) -> None:
        super().__init__(scenario, seed)
        self.row = row

    def _slot(self, day: Any, slot: int) -> None:
        self.mind[self.row]["wake_chance"] = 0.0  # never wakes
        self.mind[self.row]["wanted_t"] = 0  # and nothing for its group's desk or a bargain
        self.mind[self.row]["forward_t"] = 0
        super()._slot(day, slot)


def hold(env: SeasonEnv, seed: int) -> float:
    """Do nothing for a season; return the sum of the rewards."""
    env.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        _, reward, done, _, _ = env.step(HOLD)
        total += reward
    return total


def log_of(season: Season) -> np.ndarray:
    return season.floor.events()


@pytest.mark.parametrize("name", ["2021", "2024"])
@pytest.mark.parametrize("step", ["day", "slot"])
def test_an_agent_that_never_acts_leaves_the_season_of_an_idle_entity(name: str, step: str) -> None:
    if (name, step) == ("2024", "slot"):
        name = "2022"  # a year without a deadline, at a tenth of the steps of two
    env = SeasonEnv(name, SMALL, step=step, **DEFICIT)
    hold(env, 5)
    ours = env.table.season
    idle = IdleSeason(ours.scenario, 5, ours.rows[0])
    list(idle.live())
    assert (log_of(ours) == log_of(idle)).all()
    assert ours.floor.digest() == idle.floor.digest()
    assert ours.decisions == idle.decisions


def test_until_the_entity_would_have_acted_the_log_is_that_of_the_full_season() -> None:
    """For one too small for bulk: the mere wish of a large one is seen by those who look for it."""
    full = Season(SeasonEnv("2024", SMALL).table.scenario, 6)
    list(full.live())
    log, people = log_of(full), full.people
    acts = np.isin(log["kind"], (Event.ACCEPTED, Event.TRADED, Event.BULK_OFFERED, Event.REFUSED))
    firsts = {}
    for row in np.flatnonzero(people.size_t < 400_000):
        own = np.flatnonzero(acts & ((log["account"] == row) | (log["counterparty"] == row)))
        if len(own):
            firsts[int(own[0])] = int(row)
    first = max(firsts)  # of those who act, the one that begins last
    env = SeasonEnv("2024", SMALL, entity=people.names[firsts[first]])
    hold(env, 6)
    assert acts[:first].sum() > 20  # there was something to compare
    assert (log[:first] == log_of(env.table.season)[:first]).all()


def test_until_an_agents_first_action_everybody_does_the_same() -> None:
    one, other = (SeasonEnv("2024", SMALL, step="slot", **DEFICIT) for _ in range(2))
    for env in (one, other):
        env.reset(seed=9)
    for _ in range(24 * 5):
        one.step(HOLD)
        other.step(HOLD)
    agreed = len(log_of(one.table.season))
    assert (log_of(one.table.season) == log_of(other.table.season)).all()
    one.step(np.array([What.LIST_BUY, 0, 8, 3]))  # 2 % below the last price
    other.step(HOLD)
    listed = log_of(one.table.season)
    assert (listed[:agreed] == log_of(other.table.season)[:agreed]).all()
    assert listed[agreed]["kind"] == Event.ACCEPTED
    assert listed[agreed]["account"] == one.table.season.rows[0]


def test_a_refused_action_leaves_a_mark_in_the_log_and_nothing_else() -> None:
    one, other = (SeasonEnv("2024", SMALL, **DEFICIT) for _ in range(2))
    hold(other, 2)
    one.reset(seed=2)
    for _ in range(15):  # CEA23 is not there before October (TR-04)
        assert one.step(np.array([What.LIST_SELL, 3, 10, 9]))[4]["refused"] == "unknown_instrument"
    ours, theirs = log_of(one.table.season), log_of(other.table.season)
    kept = ours[ours["kind"] != Event.REFUSED]
    fields = [name for name in ours.dtype.names or () if name != "seq"]
    assert len(ours) > len(kept)
    assert (kept[fields] == theirs[: len(kept)][fields]).all()


def test_agents_besides_leave_the_draws_of_the_others_alone() -> None:
    alone = SeasonEnv("2021", SMALL, entity="PW00005")
    several = SeveralEnv(["PW00005", "PW00009"], "2021", SMALL)
    alone.reset(seed=3)
    several.reset(seed=3)
    one, two = alone.table.season, several.table.season
    for name in ("keys", "size_t", "surplus_rate", "due_t", "theta_days", "reluctance"):
        assert (getattr(one.people, name) == getattr(two.people, name)).all()


@pytest.mark.parametrize("name", ["2021", "2024", "2026"])
def test_the_sum_of_rewards_is_the_cost_in_the_compliance_table(name: str) -> None:
    """Random trading, then the bill: purchases less sales, offsets, fine, missing tonnes."""
    env = SeasonEnv(name, SMALL, penalty_share=1.0, reward_unit_cny=1.0, **DEFICIT)
    env.action_space.seed(2)
    env.reset(seed=4)
    total, done = 0.0, False
    while not done:
        _, reward, done, _, info = env.step(env.action_space.sample())
        total += reward
    season = env.table.season
    table = run_of(season, 0.0).compliance
    own = table[table["entity"] == info["entity"]]
    price = season.surrenders[-1].money.december_cny_t
    bill = own["cost_cny"].iloc[-1] + own["penalty_high_cny"].sum()
    bill += own["shortfall_t"].sum() * price
    assert own["bought_t"].iloc[-1] + own["sold_t"].iloc[-1] > 0
    assert total == pytest.approx(-bill, rel=1e-9)


def test_what_offsets_cost_is_charged() -> None:  # CP-35
    full = Season(SeasonEnv("2021", SMALL).table.scenario, 4)
    list(full.live())
    user = full.people.names[int(full.offsets.cost_cny.argmax())]
    env = SeasonEnv("2021", SMALL, entity=user, reward_unit_cny=1.0, penalty_share=0.0)
    total = hold(env, 4)
    season = env.table.season
    row, end = season.rows[0], season.surrenders[-1]
    used, short = int(end.offset_t[row]), int(end.short_t[row])
    assert used > 0
    bill = float(season.offsets.cost_cny[row]) + short * end.money.december_cny_t
    assert total == pytest.approx(-bill - 20_000.0 * (short > 0))


@pytest.mark.parametrize(
    ("name", "clause"), [("2021", "CP-60"), ("2024", "CP-61"), ("2026", "CP-62")]
)
def test_who_does_nothing_pays_the_fine_of_its_time(name: str, clause: str) -> None:
    least, most = (
        SeasonEnv(name, SMALL, penalty_share=share, reward_unit_cny=1.0, **DEFICIT)
        for share in (0.0, 1.0)
    )
    totals = [hold(env, 4) for env in (least, most)]
    season = least.table.season
    row = season.rows[0]
    short = sum(int(end.short_t[row]) for end in season.surrenders)
    price = season.surrenders[-1].money.december_cny_t
    assert short > 0
    spread = {"CP-60": 10_000.0, "CP-61": 5 * price * short, "CP-62": 4e6}[clause]
    assert totals[0] - totals[1] == pytest.approx(spread)
    fine = {"CP-60": 20_000.0, "CP-61": 5 * price * short, "CP-62": 1e6}[clause]
    offsets = float(season.offsets.cost_cny[row])
    assert -totals[0] == pytest.approx(fine + short * price + offsets)


@pytest.mark.parametrize("name", ["2022", "2024"])  # without and with a surrender
def test_shaping_adds_up_to_the_need_at_the_start(name: str) -> None:
    plain, shaped = (
        SeasonEnv(name, SMALL, shaping=shaping, reward_unit_cny=1.0, **DEFICIT)
        for shaping in (False, True)
    )
    totals = []
    for env in (plain, shaped):
        env.action_space.seed(6)
        seen, _ = env.reset(seed=6)
        start = seen["own"][0] * env.table.season.floor.composite_ticks() / 100.0
        total, done = 0.0, False
        while not done:
            _, reward, done, _, _ = env.step(env.action_space.sample())
            total += reward
        totals.append(total)
    assert start > 0
    assert totals[1] - totals[0] == pytest.approx(start)


def test_what_is_left_over_counts_if_it_is_asked_for() -> None:
    poor, rich = (
        SeasonEnv("2021", SMALL, position="long", size=0.9, rest_share=share, reward_unit_cny=1.0)
        for share in (0.0, 1.0)
    )
    difference = hold(rich, 2) - hold(poor, 2)
    season = rich.table.season
    row = season.rows[0]
    date, moment, held = season.snapshots[-1]
    assert (date, moment) == (dt.date(2021, 12, 31), "after surrender")
    left = int(held[row].sum())
    assert left > 0
    assert difference == pytest.approx(left * season.floor.composite_ticks() / 100.0)


def test_a_budget_is_paid_out_at_the_start_and_changes_nothing_else() -> None:
    free, cut = (SeasonEnv("2021", SMALL, budget_cny=budget, **DEFICIT) for budget in (None, 5e6))
    hold(free, 1)
    hold(cut, 1)
    ours, theirs = log_of(cut.table.season), log_of(free.table.season)
    kept = ours[ours["kind"] != Event.CASH_MOVED_OUT]
    fields = [name for name in ours.dtype.names or () if name != "seq"]
    assert len(ours) == len(kept) + 1
    assert (kept[fields] == theirs[fields]).all()
    account = cut.table.season.floor.exchange.state.accounts[cut.table.season.rows[0]]
    assert int(account["cash_available_fen"]) == 500_000_000


def test_the_group_does_not_net_for_an_entity_that_is_played() -> None:
    full = Season(SeasonEnv("2024", 0.2).table.scenario, 1)
    list(full.live())
    trades = run_of(full, 0.0).trades
    netted = trades[trades["same_group"] & (trades["modality"] == "bulk")]
    env = SeasonEnv("2024", 0.2, entity=netted["buyer"].iloc[0])
    hold(env, 1)
    row, log = env.table.season.rows[0], log_of(env.table.season)
    deals = log[log["kind"] == Event.TRADED]
    assert not ((deals["account"] == row) | (deals["counterparty"] == row)).any()
    assert (deals["modality"] == Modality.BULK).any()  # the others did deal in bulk


def test_everybody_hears_of_the_deals_that_agents_make() -> None:
    env = SeasonEnv("2021", SMALL, size=1.0)
    env.action_space.seed(1)
    seen, _ = env.reset(seed=1)
    done = False
    while not done:
        asked = seen["asks"][0, 0, 1] > 0
        action = np.array([What.TAKE_BUY if asked else What.BULK_BUY, 0, 14, 9])
        seen, _, done, _, _ = env.step(action)
    season = env.table.season
    deals = log_of(season)[log_of(season)["kind"] == Event.TRADED]
    buys = deals["side"] == Side.BUY
    buyer = np.where(buys, deals["account"], deals["counterparty"])
    seller = np.where(buys, deals["counterparty"], deals["account"])
    assert (buyer == season.rows[0]).sum() > 2
    count = season.people.count
    for who, name in ((buyer, "bought_t"), (seller, "sold_t")):
        assert (np.bincount(who, deals["qty_tonnes"], count) == season.mind[name]).all()
