"""The example agent runs, improves its rule, and the speed table is printed."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sim.environment import SeasonEnv, speed

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "docs/examples/python/season_agent.py"


@pytest.fixture(scope="module")
def agent() -> ModuleType:
    spec = importlib.util.spec_from_file_location("season_agent", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_search_improves_the_rule_and_the_rule_beats_doing_nothing(agent: ModuleType) -> None:
    env = SeasonEnv("2024", 0.05)
    seeds = range(1)
    nothing, first = (agent.mean_return(env, rule, seeds) for rule in (None, agent.FIRST))
    best = agent.search(env, rounds=2, tries=4, seeds=seeds)
    assert nothing < first < agent.mean_return(env, best, seeds) < 0


def test_the_example_runs_as_a_program() -> None:
    sizes = ["--season", "2021", "--share", "0.02", "--rounds", "1", "--tries", "2", "--seeds", "1"]
    ran = subprocess.run(
        [sys.executable, str(EXAMPLE), *sizes],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    assert re.search(r"round 1: best so far +-?\d+\.\d+ million yuan", ran.stdout)
    for name in ("nothing done", "first rule", "found rule"):
        assert re.search(rf"{name} +-?\d+\.\d+", ran.stdout)


def test_the_speed_of_the_environment_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main(["--episodes", "1", "--rows", "1"]) == 0
    printed = capsys.readouterr().out.splitlines()
    numbers = printed[-1].split()
    assert numbers[0] == "2021"
    assert int(numbers[3]) == 114  # trading days of the season
    assert float(numbers[-1]) > 1


def test_a_wrong_count_of_episodes_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        speed.main(["--episodes", "0"])
    assert refused.value.code == 2
    assert "episodes" in capsys.readouterr().err
