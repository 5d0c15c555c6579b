"""Unit data: allocations of a season computed by the registry's plan instead of drawn (5.1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from registry.allocation import plan_file
from registry.allocation.calculator import compute
from sim.scenario.model import Scenario
from sim.scenario.reading import load
from sim.scenario.refusing import ScenarioError
from sim.season.people import people_of
from sim.simulation import simulate

FILE = Path(__file__).parents[3] / "docs" / "how-to" / "unit-data" / "units.csv"
PLAN = "power-2023-2024"
SAID: dict[str, object] = {
    "population.units_file": str(FILE),
    "population.units_plan": PLAN,
    "population.sectors.0.entities": 8,
    "population.sectors.0.emissions_mt": 39.84,
    "obligations.0.emissions_mt": 39.84,
    "population.central_groups": 1,
    "population.provincial_groups": 2,
    "population.old_holdings": [],
}


def with_units(key: str = "format", value: object = 1) -> Scenario:
    """Return 2024 with the units of the file, and one key changed."""
    return load("2024", {**SAID, key: value})


def test_entities_have_the_plans_allocation_and_obligation_al_31() -> None:
    people = people_of(with_units(), 3)
    of = compute(plan_file.load(PLAN), FILE).results[0]
    assert people.names == [f"Power {number}" for number in range(1, 9)]
    assert people.allocation_t[0].tolist() == of.entity.approved_t.tolist()
    assert people.due_t[0].tolist() == of.entity.obligation_t.tolist()
    assert people.size_t.tolist() == of.entity.emissions_t.tolist()
    # Power 6: 2,921,291 t + 1,978,373 t of a gas unit raised to its emissions (AL-35)
    assert people.allocation_t[0, 5] == 2_921_291 + 2_062_356
    named = [people.province_names[number] for number in people.province]
    assert named == list(of.units.entities.provinces)
    own = people.allocation_t[0] / people.due_t[0] - 1
    assert np.allclose(people.surplus_rate[0], own, atol=1e-6)
    assert np.array_equal(people.rate, people.surplus_rate[0])


def test_no_seed_moves_what_is_computed_and_behaviour_is_still_drawn() -> None:
    one, other = (people_of(with_units(), seed) for seed in (1, 2))
    assert np.array_equal(one.allocation_t, other.allocation_t)
    assert np.array_equal(one.due_t, other.due_t)
    assert not np.array_equal(one.theta_days, other.theta_days)


def test_a_whole_season_issues_and_surrenders_what_was_computed() -> None:
    table = simulate(with_units(), 1).compliance.set_index("entity")
    of = compute(plan_file.load(PLAN), FILE).results[0]
    for name, approved, due in zip(
        of.units.entities.names, of.entity.approved_t, of.entity.obligation_t, strict=True
    ):
        row = table.loc[name]
        assert row["allocation_t"] == approved
        assert row["surrendered_t"] + row["ccer_t"] + row["shortfall_t"] == due
    assert set(table["province"]) == set(of.units.entities.provinces)


def test_other_sectors_and_years_are_drawn_beside_it() -> None:
    """2025: power of 2024 is not in the file, and industry has another plan (AL-80)."""
    sizes: dict[str, object] = {f"population.sectors.{row}.entities": 3 for row in (1, 2, 3)}
    sizes |= {f"population.sectors.{row}.emissions_mt": 3.0 for row in (1, 2, 3)}
    said = {**SAID, **sizes, "obligations.0.emissions_mt": 41.0, "obligations.1.emissions_mt": 9.0}
    people = people_of(load("2025", said), 1)
    assert people.count == 8 + 9
    assert people.names[7:9] == ["Power 8", "ST00001"]
    assert people.due_t[0, :8].sum() == pytest.approx(41.0e6, rel=1e-3)
    shares = people.due_t[0, :8] / people.size_t[:8]
    assert shares.max() / shares.min() < 1.001  # in proportion to the file's emissions
    assert people.due_t[1, 8:].sum() == pytest.approx(9.0e6, rel=1e-3)


def refused(scenario: Scenario) -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        people_of(scenario, 1)
    return caught.value


def test_a_file_of_another_size_is_refused_with_key_and_expectation() -> None:
    error = refused(with_units("population.sectors.0.entities", 9))
    assert error.problems[0].key == "population.sectors.0.entities"
    assert error.problems[0].value == 9
    assert "8, as many power entities as units.csv has" in str(error)
    error = refused(with_units("obligations.0.emissions_mt", 41.0))
    assert error.problems[0].key == "obligations.0.emissions_mt"
    assert "39.8367, the emissions in units.csv" in str(error)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (",2023,II,", ",2023,V,", "row 2, class"),  # a bad row
        ("emissions_t", "emissions", "unknown"),  # a bad column
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "units.csv"
    file.write_text(FILE.read_text("utf-8").replace(old, new, 1), "utf-8")
    error = refused(with_units("population.units_file", str(file)))
    assert error.problems[0].key == "population.units_file"
    assert str(file) in str(error)
    assert said in str(error)
