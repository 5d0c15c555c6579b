"""A run is its scenario and its seed: not the process, not who else is there, not the order."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import joblib
import numpy as np
import numpy.lib.recfunctions as rf
import pytest

from engine.records import Event
from sim.ensemble.workers import sample
from sim.scenario.model import Scenario
from sim.scenario.reading import load
from sim.season.people import people_of
from sim.season.season import Season
from sim.season.streams import Purpose, bells, entity_keys, units
from sim.simulation import simulate
from tests.unit.sim.small_seasons import short, small

IN_A_PROCESS = """
from tests.unit.sim.small_seasons import short
from sim.simulation import simulate
print(simulate(short(), 7).digest)
"""
LAZY = """
import sys
import sim
heavy = {"matplotlib", "optuna", "pandas", "numba", "joblib", "gymnasium", "distributed"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return short()


def test_same_seed_same_digest_here_and_in_another_process(scenario: Scenario) -> None:
    here = simulate(scenario, 7)
    assert simulate(scenario, 7).digest == here.digest
    words = [sys.executable, "-c", IN_A_PROCESS]
    there = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert there.stdout.split() == [here.digest]


def test_one_process_or_two_give_the_same_runs(scenario: Scenario) -> None:
    def digests(jobs: int) -> list[str]:
        work = joblib.delayed(sample)
        return [
            run.digest
            for run in joblib.Parallel(n_jobs=jobs)(work(scenario, seed, 0) for seed in (1, 2, 3))
        ]

    one = digests(1)
    assert one == digests(2)
    assert len(set(one)) == 3


def test_another_seed_or_another_parameter_is_another_run(scenario: Scenario) -> None:
    first = simulate(scenario, 1)
    assert first.counts["trades"] > 50
    assert simulate(scenario, 2).digest != first.digest
    assert simulate(short(**{"behaviour.reluctance": 0.11}), 1).digest != first.digest


def test_a_season_does_not_disturb_another_that_is_alive(scenario: Scenario) -> None:
    one, other = Season(scenario, 1), Season(scenario, 2)
    for _ in zip(one.live(), other.live(), strict=True):
        pass
    assert one.floor.digest() == simulate(scenario, 1).digest
    assert other.floor.digest() == simulate(scenario, 2).digest


def test_a_draw_has_a_key_and_no_neighbours() -> None:
    names = [f"PW{number:05d}" for number in range(1, 301)]
    few, many = entity_keys(3, "2024", names[:100]), entity_keys(3, "2024", names)
    assert np.array_equal(few, many[:100])
    for draw in (units, bells):
        for purpose in (Purpose.WAKE, Purpose.PRICE, Purpose.CHARACTER):
            assert np.array_equal(draw(few, purpose, 5), draw(many, purpose, 5)[:100])
            assert np.array_equal(draw(many[::-1], purpose, 5)[::-1], draw(many, purpose, 5))
    assert len(set(many.tolist())) == len(names)
    assert not np.array_equal(entity_keys(4, "2024", names), many)
    assert not np.array_equal(entity_keys(3, "2025", names), many)


def test_more_entities_leave_the_first_ones_as_they_were() -> None:
    one = small("2024")
    count = one.population.sectors[0].entities
    other = small("2024", **{"population.sectors.0.entities": count + 40})
    before, after = people_of(one, 5), people_of(other, 5)
    assert after.count == before.count + 40
    assert after.names[:count] == before.names
    kept = ("keys", "group", "province", "theta_days", "reluctance", "forecast", "attention")
    for name in kept:
        assert np.array_equal(getattr(after, name)[:count], getattr(before, name)), name
    # Sizes are scaled to the sector's total, so the first keep their proportions (5.1).
    middle = slice(0, count)
    inside = (before.size_t > 30_000) & (after.size_t[middle] > 30_000)
    inside &= before.size_t < 30_000_000
    ratio = after.size_t[middle][inside] / before.size_t[inside]
    assert ratio.max() / ratio.min() == pytest.approx(1.0, rel=1e-6)


def test_an_account_that_only_looks_on_changes_nothing(scenario: Scenario) -> None:
    alone, watched = Season(scenario, 3), Season(scenario, 3, extra_accounts=2)
    for _ in alone.live():
        pass
    for _ in watched.live():
        pass
    assert watched.counts()["decisions"] == alone.counts()["decisions"]
    mine, theirs = (deals(season) for season in (alone, watched))
    assert len(mine) > 50
    assert np.array_equal(mine, theirs)


def deals(season: Season) -> Any:
    """Return who traded what with whom, and when, as bytes-comparable rows."""
    events = season.floor.events()
    names = ["date", "account", "counterparty", "side", "qty_tonnes", "price_ticks", "amount_fen"]
    return rf.repack_fields(events[events["kind"] == Event.TRADED][names])


def test_importing_the_room_imports_nothing_heavy() -> None:
    words = [sys.executable, "-c", LAZY]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"


def test_the_api_is_reached_from_the_room() -> None:
    import sim

    assert sim.load("2024") == load("2024")
    changed = sim.load("2024", **{"banking.sales_multiple": 3})
    assert changed.banking is not None
    assert changed.banking.sales_multiple == 3.0
    for name in sim.__all__:
        assert callable(getattr(sim, name)), name
        assert name in dir(sim)
    with pytest.raises(AttributeError, match="nothing_here"):
        sim.nothing_here  # noqa: B018
