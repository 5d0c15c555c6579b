"""Calibration: two seasons only, comparable losses, kept trials, the same answer when resumed."""

from __future__ import annotations

import csv
import math
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import optuna
import pytest

from sim.ensemble import calibrating
from sim.ensemble.bounds import SHIPPED, Bound, BoundsError, bounds_of, given_of, read_bounds
from sim.ensemble.calibrating import Calibration, calibrate
from sim.ensemble.loss import WORST, calibration_targets, loss_of, rho
from sim.ensemble.refining import GROWTH, STEP_FIRST, STEP_LEAST, step_after
from sim.ensemble.study import CalibrationError
from sim.ensemble.workers import Stuck
from sim.results.targets import TargetsFileError
from sim.scenario.model import Behaviour
from sim.scenario.reading import load, parse
from sim.simulation import simulate
from tests.unit.sim.small_seasons import small

ONLY = ("reluctance", "bargain_weight")
LONG = """
import sys
from sim.ensemble.calibrating import calibrate

if __name__ == "__main__":
    told = lambda told: print(told.finished, flush=True)
    found = calibrate(("2021",), 500, (1,), sys.argv[1], share=0.03, jobs=2, progress=told)
    print("end", found.interrupted, found.finished, flush=True)
"""


def tried(storage: Path | None, trials: int, **more: Any) -> Calibration:
    """Calibrate two parameters on a small 2021, in this process."""
    given: dict[str, Any] = {"seasons": ("2021",), "seeds": (1,), "only": ONLY, "jobs": 1}
    return calibrate(trials=trials, storage=storage, share=0.03, **{**given, **more})


@pytest.mark.parametrize("seasons", [("2022",), ("2021", "2023"), ("2025",), ("2026",), ()])
def test_seasons_that_are_kept_aside_are_refused(seasons: Sequence[str]) -> None:
    with pytest.raises(CalibrationError, match="only 2021, 2024"):
        calibrate(seasons, 1)


def test_the_loss_is_smooth_bounded_and_never_flat() -> None:
    assert [rho(0.0), rho(3.0), rho(-3.0)] == [0.0, WORST / 2, WORST / 2]
    assert rho(0.1) == pytest.approx(0.01, rel=0.01)
    steps = [rho(z / 10) for z in range(400)]
    assert steps == sorted(set(steps))
    assert steps[-1] < WORST == rho(math.nan) == rho(math.inf)


def test_the_loss_is_the_mean_over_targets_marked_calibrate() -> None:
    targets = calibration_targets(["2021"])
    assert {each.use for each in targets} == {"calibrate"}
    assert {each.season for each in targets} == {"2021"}
    found = loss_of([simulate(small("2021"), 1)], targets)
    assert found.targets == len(found.z) == len(targets)
    assert found.value == pytest.approx(sum(map(rho, found.z.values())) / len(found.z))
    assert found.within == sum(abs(z) <= 1 for z in found.z.values())
    stuck = loss_of([Stuck("2021", 1, "no price")], targets)
    assert (stuck.value, stuck.within) == (WORST, 0)


def test_targets_without_a_row_to_calibrate_on_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "season", "metric", "value", "tolerance", "use", "source", "note"])
        rows.writerow(["Q4-2021", "2021", "share", "0.9", "0.05", "structural check", "", ""])
    with pytest.raises(TargetsFileError, match="calibrate"):
        tried(None, 1, targets=file)


def test_a_study_begins_with_the_shipped_values_and_goes_on_where_it_was(tmp_path: Path) -> None:
    storage = tmp_path / "deep" / "study.db"
    first = tried(storage, 3)
    assert first.finished == 3
    assert first.loss <= first.start_loss
    shipped = msgspec.structs.asdict(load("2021").behaviour)
    direct = loss_of([simulate(small("2021", 0.03), 1)], calibration_targets(["2021"]))
    assert first.start_loss == pytest.approx(direct.value, rel=1e-12)
    again = tried(storage, 5)
    assert again.finished == 5
    assert again.start_loss == first.start_loss
    assert again.loss <= first.loss
    done = tried(storage, 5)
    assert (done.finished, done.loss, done.parameters) == (5, again.loss, again.parameters)
    moved = {name for name, value in again.parameters.items() if value != shipped[name]}
    assert moved <= set(ONLY)


def test_the_best_is_a_scenario_with_that_very_loss(tmp_path: Path) -> None:
    found = tried(tmp_path / "study.db", 4, sampler="random")
    told = tomllib.loads(found.toml())["behaviour"]
    assert told == found.parameters
    scenario = small("2021", 0.03, **{f"behaviour.{name}": value for name, value in told.items()})
    one = loss_of([simulate(scenario, 1)], calibration_targets(["2021"]))
    assert one.value == pytest.approx(found.loss, rel=1e-9)
    assert one.within == found.within
    text = (Path(calibrating.__file__).parents[1] / "scenario/seasons/2021.toml").read_text()
    whole = parse(text + "\n" + found.toml(), "mine.toml")
    assert msgspec.structs.asdict(whole.behaviour) == found.parameters


def test_losses_that_cannot_be_compared_are_not_mixed(tmp_path: Path) -> None:
    storage = tmp_path / "study.db"
    tried(storage, 1)
    with pytest.raises(CalibrationError, match=r"other seeds.*another study name"):
        tried(storage, 2, seeds=(1, 2))
    with pytest.raises(CalibrationError, match=r"other .*scenarios"):
        tried(storage, 2, fixed={"netting_share": 0.25})
    assert tried(storage, 1, seeds=(1, 2), study="second").finished == 1
    (tmp_path / "no.db").write_text("this is no database, only a text of some length")
    with pytest.raises(CalibrationError, match="a database of studies"):
        tried(tmp_path / "no.db", 1)
    with pytest.raises(CalibrationError, match="sampler 'best'"):
        tried(None, 1, sampler="best")


@pytest.mark.parametrize("sampler", ["tpe", "refine", "random"])
def test_every_sampler_stays_within_the_bounds(tmp_path: Path, sampler: str) -> None:
    bounds = {"reluctance": Bound(0.01, 0.02, log=True), "bargain_weight": (0.4, 0.5)}
    found = tried(tmp_path / "a.db", 6, sampler=sampler, bounds=bounds, only=())
    trials = optuna.load_study(study_name="calibration", storage=f"sqlite:///{tmp_path}/a.db")
    assert found.finished == len(trials.trials) == 6
    for trial in trials.trials:
        assert 0.01 <= trial.params["reluctance"] <= 0.02
        assert 0.4 <= trial.params["bargain_weight"] <= 0.5
    assert len({trial.params["reluctance"] for trial in trials.trials}) >= 3


def test_hopeless_trials_are_pruned_after_their_first_seed(tmp_path: Path) -> None:
    wide = {"hazard_base": (0.0005, 0.03), "listed_base": (0.0005, 0.05)}
    given = {"seeds": (1, 2), "sampler": "random", "bounds": wide, "only": ()}
    found = tried(tmp_path / "a.db", 18, prune=True, **given)
    trials = optuna.load_study(study_name="calibration", storage=f"sqlite:///{tmp_path}/a.db")
    assert 0 < found.pruned <= 8
    states = optuna.trial.TrialState
    for trial in trials.trials:
        assert len(trial.intermediate_values) == (1 if trial.state == states.PRUNED else 2)
    assert trials.best_trial.value == found.loss


def test_an_interrupt_keeps_finished_trials(tmp_path: Path) -> None:
    storage = tmp_path / "study.db"
    words = [sys.executable, "-c", LONG, str(storage)]
    child = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) >= 2:
            break
    os.killpg(child.pid, signal.SIGINT)
    out, errors = child.communicate(timeout=60)
    _, interrupted, kept = out.strip().splitlines()[-1].split()
    assert (child.returncode, interrupted) == (0, "True"), errors
    assert "Traceback" not in errors
    assert int(kept) >= 2
    more = {"only": (), "jobs": 2}
    again = tried(storage, int(kept) + 1, **more)
    assert again.finished == int(kept) + 1


def test_the_step_of_the_refinement_follows_success() -> None:
    assert step_after([]) == STEP_FIRST
    assert step_after([5.0, 4.0]) == pytest.approx(STEP_FIRST * GROWTH**2)
    assert step_after([5.0, 6.0, 6.0, 6.0, 6.0]) == pytest.approx(STEP_FIRST)
    assert step_after([1.0] + [2.0] * 100) == STEP_LEAST


def test_bounds_of_the_product_name_every_parameter_once() -> None:
    names = {each.name for each in msgspec.structs.fields(Behaviour)}
    free, given = read_bounds(SHIPPED), given_of()
    assert not set(free) & set(given)
    assert set(free) | set(given) == names
    assert all(bound.why for bound in free.values())
    shipped = msgspec.structs.asdict(load("2021").behaviour)
    outside = {n: shipped[n] for n, b in free.items() if not b.low <= shipped[n] <= b.high}
    assert not outside


def test_a_bound_goes_from_place_to_value_and_back() -> None:
    for bound in (Bound(0.001, 0.1, log=True), Bound(-2.0, 3.0)):
        for place in (0.0, 0.3, 1.0):
            assert bound.place(bound.value(place)) == pytest.approx(place)
        assert bound.low <= bound.value(-1) == pytest.approx(bound.low)
        assert bound.high >= bound.value(2) == pytest.approx(bound.high)
    assert Bound(0.01, 1.0, log=True).value(0.5) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[reluctence]\nlow = 0\nhigh = 1", "did you mean reluctance"),
        ("[reluctance]\nlow = 0.2\nhigh = 0.1", "below high"),
        ("[reluctance]\nlow = 0\nhigh = 1\nscale = 'log'", "above 0"),
        ("[reluctance]\nlow = 0\nhigh = 1\nscale = 'cube'", "scale 'cube'"),
        ("[reluctance]\nlow = 0\nhigh = 1\nmiddle = 0.5", "unknown keys middle"),
        ("[reluctance]\nlow = 0\nhigh = true", "numbers were expected"),
        ("reluctance = 1", "low and high"),
        ("[given]\nnobody = 'x'", "nobody is no parameter"),
        ("", "at least one parameter"),
        ("[reluctance", "a readable TOML file"),
    ],
)
def test_bad_bounds_are_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bounds.toml"
    file.write_text(text)
    with pytest.raises(BoundsError, match=said):
        bounds_of(file)


def test_what_leaves_nothing_to_search_is_refused() -> None:
    with pytest.raises(BoundsError, match="nobody is no parameter"):
        bounds_of(None, ["nobody"])
    with pytest.raises(CalibrationError, match="every parameter is fixed"):
        tried(None, 1, fixed=dict.fromkeys(ONLY, 0.5))
    with pytest.raises(CalibrationError, match="at least one"):
        tried(None, 1, seeds=())
