"""The season as a Gymnasium environment: interface, actions, what can be known, refusals."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from pettingzoo.test import parallel_api_test

from engine.invariants import violations
from engine.records import Event, Modality
from sim.environment import ENV_ID, Choice, SeasonEnv, SettingError, SeveralEnv, parallel_env
from sim.environment.acting import What
from sim.environment.observing import UNKNOWN_DAYS
from sim.scenario.reading import season_names
from sim.season.season import Season

SMALL = 0.05
HOLD = np.array([What.HOLD, 0, 0, 0])
AT_LAST, ALL = 10, 9
NEED, SURPLUS, BOUGHT, SOLD, CASH, REFUSED = 0, 1, 2, 3, 5, 6


def do(what: What, vintage: int = 0, price: int = AT_LAST, share: int = ALL) -> np.ndarray:
    return np.array([what, vintage, price, share])


def played(env: SeasonEnv, seed: int, rng_seed: int, steps: int = 10**6) -> list[Any]:
    """Return what random actions bring: (observation, reward, info) of every step."""
    env.action_space.seed(rng_seed)
    env.reset(seed=seed)
    found: list[Any] = []
    done = False
    while not done and len(found) < steps:
        seen, reward, done, _, info = env.step(env.action_space.sample())
        found.append((seen, reward, info))
    return found


def test_it_is_registered_and_passes_gymnasiums_own_check() -> None:
    env = gymnasium.make(ENV_ID, scenario="2021", share=SMALL)
    check_env(env.unwrapped)  # a warning is an error here


def test_it_can_be_made_by_module_and_name() -> None:
    env = gymnasium.make("sim.environment:tanshi/Season-v0", scenario="2021", share=SMALL)
    assert isinstance(env.unwrapped, SeasonEnv)


@pytest.mark.parametrize("ended", ["2021", "2024"])
def test_a_season_of_random_actions_stays_inside_the_space_and_the_books_sound(ended: str) -> None:
    env = SeasonEnv(ended, SMALL)
    steps = played(env, 3, 4)
    season = env.table.season
    assert all(env.observation_space.contains(seen) for seen, _, _ in steps)
    assert len(steps) == len(season.days)
    assert steps[-1][2]["surrenders"][0]["due_t"] > 0
    assert not violations(season.floor.exchange.state)


@pytest.mark.parametrize("name", season_names())
def test_every_season_can_be_begun_and_its_vintages_fit(name: str) -> None:
    env = SeasonEnv(name, SMALL, position="any")
    seen, info = env.reset(seed=1)
    assert env.observation_space.contains(seen)
    assert len(info["vintages"]) <= env.table.vintages
    assert env.observation_space.contains(env.step(HOLD)[0])


def test_the_same_seed_and_actions_give_the_same_episode() -> None:
    env = SeasonEnv("2021", SMALL)
    first, second, third = (played(env, seed, 5) for seed in (7, 7, 8))
    for (seen, reward, info), (again, reward_again, info_again) in zip(first, second, strict=True):
        assert all((seen[name] == again[name]).all() for name in seen)
        assert (reward, info) == (reward_again, info_again)
    assert first[0][2]["season_seed"] != third[0][2]["season_seed"]
    assert [each[1] for each in first] != [each[1] for each in third]


def test_without_a_seed_every_reset_is_another_season() -> None:
    env = SeasonEnv("2021", SMALL)
    env.reset(seed=1)
    seeds = {env.reset()[1]["season_seed"] for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_several_seasons_can_be_played_side_by_side(mode: str) -> None:
    both = gymnasium.make_vec(
        ENV_ID, num_envs=2, vectorization_mode=mode, scenario="2021", share=SMALL
    )
    try:
        seen, info = both.reset(seed=[3, 4])
        assert info["season_seed"].tolist() == [3, 4]
        refused = np.array([do(What.WITHDRAW), HOLD])  # one has news, the other has none
        for _ in range(3):
            seen, _, _, _, info = both.step(refused)
        assert info["refused"].tolist() == ["unknown_order", ""]
    finally:
        both.close()
    alone = SeasonEnv("2021", SMALL)
    alone.reset(seed=4)
    for _ in range(3):
        own = alone.step(HOLD)[0]
    assert all((seen[name][1] == own[name]).all() for name in own)


def test_a_step_may_be_ten_minutes() -> None:
    env = SeasonEnv("2021", SMALL, step="slot")
    seen, info = env.reset(seed=1)
    assert (seen["calendar"][0], info["date"]) == (0, "2021-07-16")
    for slot in range(1, 24):
        seen = env.step(HOLD)[0]
        assert seen["calendar"][0] == slot
    assert env.step(HOLD)[4]["date"] == "2021-07-19"


def test_a_listing_freezes_rests_and_comes_back_when_it_is_withdrawn() -> None:
    env = SeasonEnv("2024", SMALL, position="long", size=1.0, step="slot")
    seen, _ = env.reset(seed=1)
    vintage = int(seen["holdings"][:, 0].argmax())
    have = seen["holdings"][vintage, 0]
    top = 20  # +10 % is above what anybody pays on the first morning
    seen = env.step(do(What.LIST_SELL, vintage, price=top, share=0))[0]
    frozen = seen["holdings"][vintage, 1]
    assert frozen == min(np.ceil(0.1 * have), 99_999)  # TR-11
    assert seen["orders"][vintage, 1].tolist() == [frozen, seen["prices"][vintage, 3]]
    at_top = seen["asks"][vintage, :, 0] == seen["prices"][vintage, 3]
    assert seen["asks"][vintage, at_top, 1].sum() >= frozen
    seen = env.step(do(What.WITHDRAW, vintage))[0]
    assert seen["holdings"][vintage].tolist() == [have, 0, 0]
    assert seen["orders"][vintage].sum() == 0


def test_a_listed_order_is_cut_to_the_most_that_is_allowed() -> None:  # TR-11
    env = SeasonEnv("2024", 0.2, position="long", size=1.0, step="slot")
    seen, _ = env.reset(seed=1)
    vintage = int(seen["holdings"][:, 0].argmax())
    assert seen["holdings"][vintage, 0] > 100_000
    seen, _, _, _, info = env.step(do(What.LIST_SELL, vintage, price=20))
    assert info["refused"] == ""
    assert seen["orders"][vintage, 1, 0] == 99_999


def test_what_is_invalid_is_refused_with_a_reason_and_nothing_is_lost() -> None:
    env = SeasonEnv("2024", SMALL, step="slot")
    before, _ = env.reset(seed=1)
    later = env.table.vintages - 1  # CEA23 comes in October (TR-04)
    for action, code in (
        (do(What.LIST_BUY, later), "unknown_instrument"),
        (do(What.LIST_SELL), "qty_invalid"),  # nothing to sell
        (do(What.WITHDRAW), "unknown_order"),
        (do(What.TAKE_BUY, price=0), "nothing_to_take"),
        (do(What.BULK_BUY), "phase_closed"),  # bulk is for the afternoon (TR-31)
    ):
        seen, reward, _, _, info = env.step(action)
        assert info["refused"] == code
        assert info["sentence"]
        assert seen["own"][REFUSED] == 1
        assert reward == 0
        assert (seen["holdings"] == before["holdings"]).all()
    seen, _, _, _, info = env.step(HOLD)
    assert (info["refused"], info["sentence"]) == ("", "")
    assert seen["own"][REFUSED] == 0


def test_bulk_below_the_least_quantity_is_refused() -> None:  # TR-12
    env = SeasonEnv("2024", SMALL, size=0.0)  # a tenth of what the smallest could want
    env.reset(seed=1)
    seen, _, _, _, info = env.step(do(What.BULK_BUY, share=0))
    assert info["refused"] == "qty_below_min"
    assert seen["desk"].sum() == 0


def test_a_price_outside_the_band_is_refused() -> None:  # TR-20
    env = SeasonEnv("2024", SMALL, step="slot")
    seen, _ = env.reset(seed=1)
    codes = []
    done = False
    while not done and "price_out_of_band" not in codes:  # the last price has to move first
        moved = np.flatnonzero(seen["prices"][:, 0] > seen["prices"][:, 1] * 1.01)
        vintage = int(moved[0]) if len(moved) else 0
        action = do(What.LIST_BUY, vintage, price=20, share=0) if len(moved) else HOLD
        seen, _, done, _, info = env.step(action)
        codes.append(info["refused"])
    assert "price_out_of_band" in codes


def test_a_taker_pays_what_is_asked_and_cannot_spend_more_than_its_budget() -> None:
    rich, poor = (
        SeasonEnv("2024", SMALL, size=0.8, budget_cny=budget) for budget in (None, 1000.0)
    )
    for env in (rich, poor):
        seen, _ = env.reset(seed=1)
        assert seen["own"][CASH] == 0
        codes, done = set(), False
        while not done:
            asks = seen["asks"][:, 0, 1]
            action = do(What.TAKE_BUY, int(asks.argmax()), 20) if asks.any() else HOLD
            before = seen
            seen, _, done, _, info = env.step(action)
            codes.add(info["refused"])
            for fill in info["fills"]:
                row = info["vintages"].index(fill["vintage"])
                assert fill["side"] == "buy"
                assert fill["price_cny"] in before["asks"][row, :, 0]
        if env is poor:
            assert "insufficient_funds" in codes
            assert -1000.0 <= seen["own"][CASH] <= 0
        else:
            assert "insufficient_funds" not in codes
            assert seen["own"][BOUGHT] > 0
            assert seen["own"][CASH] < -1000.0


@pytest.mark.parametrize(
    ("position", "what", "price"), [("short", What.BULK_BUY, 14), ("long", What.BULK_SELL, 8)]
)
def test_the_bulk_desk_deals_within_the_limit(position: str, what: What, price: int) -> None:
    env = SeasonEnv("2024", 0.2, position=position, size=1.0)  # TR-70
    seen, _ = env.reset(seed=2)
    deals, done = [], False
    while not done and len(deals) < 2:
        vintage = int(seen["holdings"][:, 0].argmax()) if what == What.BULK_SELL else len(deals)
        limit = round(seen["prices"][vintage, 0] * (1 + 0.03 * (price - AT_LAST)) * 100) / 100
        seen, _, done, _, info = env.step(do(what, vintage, price))
        for fill in info["fills"]:
            assert fill["modality"] == "bulk"
            assert fill["qty_tonnes"] >= 100_000  # TR-12
            assert (
                fill["price_cny"] <= limit
                if what == What.BULK_BUY
                else (fill["price_cny"] >= limit)
            )
            deals.append(fill)
    assert deals


def test_only_what_is_published_can_be_seen() -> None:
    env = SeasonEnv("2024", SMALL)
    seen, info = env.reset(seed=1)
    season = env.table.season
    row = season.rows[0]
    obligation = season.scenario.obligations[0]
    need_before = None
    done = False
    while not done:
        date = dt.date.fromisoformat(info["date"])
        if date < obligation.deadline_published:
            assert seen["calendar"][3] == seen["calendar"][5] == UNKNOWN_DAYS
            need_before = seen["own"][NEED] if date < obligation.verified else need_before
        else:
            assert seen["calendar"][5] == (obligation.deadline - date).days
        seen, _, done, _, info = env.step(HOLD)
    owed = season.people.due_t[0, row] - season.people.allocation_t[0, row]
    owed -= season.people.old_t[:, row].sum()
    assert need_before != owed  # a forecast, not the truth
    error = season.scenario.behaviour.forecast_error_share
    assert abs(need_before - owed) < 6 * error * season.people.due_t[0, row]


def test_bulk_volumes_are_public_only_when_the_day_is_over() -> None:  # TR-141
    env = SeasonEnv("2024", 0.2, step="slot", position="any")
    seen, info = env.reset(seed=1)
    floor = env.table.season.floor
    public, done = {info["date"]: seen["volumes"][:, 1:3].sum()}, False
    while not done and info["date"] < "2024-12-20":
        seen, _, done, _, info = env.step(HOLD)
        public.setdefault(info["date"], seen["volumes"][:, 1:3].sum())
        assert public[info["date"]] == seen["volumes"][:, 1:3].sum()  # the same all day
    deals = floor.events()
    deals = deals[deals["kind"] == Event.TRADED]
    days = sorted(public)
    for day, following in itertools.pairwise(days):
        own = deals[deals["date"] == int(day.replace("-", ""))]
        known = own["qty_tonnes"][own["modality"] != Modality.AUCTION].sum()
        assert public[following] == known
    assert max(public.values()) > 0


def test_the_five_best_levels_are_those_of_the_book() -> None:
    env = SeasonEnv("2024", 0.2, step="slot", position="any")
    seen, _ = env.reset(seed=1)
    found = 0
    for _ in range(24 * 40):
        orders = env.table.season.floor.exchange.orders_today()
        for row, column in ((0, "bids"), (1, "asks")):
            for vintage in range(3):
                rest = orders[
                    (orders["instrument"] == vintage)
                    & (orders["side"] == row + 1)
                    & np.isin(orders["status"], (1, 2))
                    & (orders["kind"] == 1)
                ]
                prices = np.unique(rest["price_ticks"])
                best = prices[::-1][:5] if column == "bids" else prices[:5]
                levels = [
                    [price / 100, rest["leaves_qty"][rest["price_ticks"] == price].sum()]
                    for price in best
                ]
                shown = seen[column][vintage]
                assert shown[shown[:, 1] > 0].tolist() == levels
                found += len(levels)
        seen = env.step(HOLD)[0]
    assert found > 10


def test_it_is_told_as_text() -> None:
    env = SeasonEnv("2021", SMALL, render_mode="ansi")
    _, info = env.reset(seed=1)
    text = env.render() or ""
    assert info["entity"] in text
    assert "2021-07-16 slot 12" in text
    assert "CEA" in text
    silent = SeasonEnv("2021", SMALL)
    silent.reset(seed=1)
    assert silent.render() is None


def test_an_action_outside_the_space_and_a_step_after_the_end_are_errors() -> None:
    env = SeasonEnv("2021", SMALL)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(HOLD)
    env.reset(seed=1)
    with pytest.raises(gymnasium.error.InvalidAction):
        env.step(np.array([8, 0, 0, 0]))
    while not env.step(HOLD)[2]:
        pass
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(HOLD)


@pytest.mark.parametrize(
    ("arguments", "setting"),
    [
        ({"share": 0.0}, "share"),
        ({"size": 1.5}, "size"),
        ({"position": "rich"}, "position"),
        ({"step": "week"}, "step"),
        ({"slot": 24}, "slot"),
        ({"budget_cny": -1.0}, "budget_cny"),
        ({"penalty_share": 2.0}, "penalty_share"),
        ({"reward_unit_cny": 0.0}, "reward_unit_cny"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(arguments: dict[str, Any], setting: str) -> None:
    with pytest.raises(SettingError) as refused:
        SeasonEnv(scenario="2021", **{"share": SMALL, **arguments})
    assert refused.value.setting == setting


def test_an_unknown_entity_is_refused_and_a_known_one_is_played() -> None:
    with pytest.raises(SettingError, match="PW00001"):
        SeasonEnv("2021", SMALL, entity="PW99999").reset(seed=1)
    env = SeasonEnv("2021", SMALL, entity="PW00017")
    assert {env.reset(seed=seed)[1]["entity"] for seed in (1, 2)} == {"PW00017"}


def test_size_and_position_choose_whom_they_say() -> None:
    people = Season(SeasonEnv("2024", SMALL).table.scenario, 1).people
    rows = {}
    for position in ("short", "long"):
        for size in (0.0, 1.0):
            row = Choice(size=size, position=position).row(people)
            have = people.allocation_t[:, row].sum() + people.old_t[:, row].sum()
            assert (have < people.due_t[:, row].sum()) == (position == "short")
            rows[position, size] = people.size_t[row]
        assert rows[position, 0.0] < rows[position, 1.0]


def test_several_agents_pass_pettingzoos_own_check() -> None:
    parallel_api_test(parallel_env(scenario="2021", share=SMALL), num_cycles=200)


def test_one_agent_alone_is_the_same_in_both_environments() -> None:
    single = SeasonEnv("2021", SMALL, size=0.7)
    several = SeveralEnv([Choice(size=0.7)], "2021", SMALL)
    single.action_space.seed(3)
    single.reset(seed=4)
    several.reset(seed=4)
    done = False
    while not done:
        action = single.action_space.sample()
        seen, reward, done, _, _ = single.step(action)
        seens, rewards, dones, _, _ = several.step({"seat_0": action})
        assert all((seen[name] == seens["seat_0"][name]).all() for name in seen)
        assert (reward, done) == (rewards["seat_0"], dones["seat_0"])
    assert several.agents == []
    assert single.table.season.floor.digest() == several.table.season.floor.digest()


def test_two_agents_may_not_play_the_same_entity() -> None:
    with pytest.raises(SettingError, match="different"):
        SeveralEnv(["PW00003", "PW00003"], "2021", SMALL).reset(seed=1)
    with pytest.raises(SettingError):
        SeveralEnv([], "2021", SMALL)
