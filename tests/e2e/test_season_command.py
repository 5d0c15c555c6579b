"""tanshi season, sweep, score, calibrate, scenario, bench season: as somebody types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sim.results.run import RUN_FILE, Run
from sim.scenario.identity import scenario_hash
from sim.scenario.reading import load, smaller
from sim.simulation import simulate
from tests.unit.sim.small_seasons import short

ROOT = Path(__file__).parents[2]
TARGETS = ROOT / "sim" / "results" / "data" / "targets.csv"
FIGURES = {
    *("season_2024_s", "season_2025_s", "decisions_per_second", "commands_per_second"),
    *("parallel_speedup_2", "peak_rss_mib"),
}


def small_words(share: float = 0.05) -> list[str]:
    """Return the --set options of ``short()``."""
    values = {
        **{key: repr(value) for key, value in smaller(load("2021"), share).items()},
        "first_day": "2021-12-13",
        "events": "[]",
        "offsets": "[]",
    }
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def tanshi(*words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a command; its exit code must be ``code``, and never a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "tanshi", *map(str, words)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def document(done: subprocess.CompletedProcess[str]) -> Any:
    """Return the JSON that is all of stdout."""
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three saved runs of a short season."""
    folder = tmp_path_factory.mktemp("runs")
    tanshi("season", "2021", *small_words(), "--seeds", "1..3", "--out", folder)
    return folder


def test_one_season_prints_the_hash_of_its_log(tmp_path: Path) -> None:
    done = tanshi("season", "2021", *small_words(), "--seed", 5, "--json")
    figures, expected = document(done), simulate(short(), 5)
    assert figures["scenario_hash"] == expected.scenario_hash == scenario_hash(short())
    (row,) = figures["runs"]
    assert (row["digest"], row["seed"]) == (expected.digest, 5)
    assert row["counts"] == expected.counts
    assert row["facts"]["VOL"] == pytest.approx(expected.trades["qty_tonnes"].sum() / 1e6)
    assert expected.digest in done.stderr
    assert "day 15/15" in done.stderr
    file = tmp_path / "deep" / "figures.json"
    plain = tanshi("season", "2021", *small_words(), "--seed", 5, "--json", file)
    assert expected.digest in plain.stdout
    assert json.loads(file.read_text())["runs"][0]["digest"] == expected.digest


def test_several_seeds_are_kept_and_not_done_twice(kept: Path) -> None:
    saved = {run.seed: run for run in (Run.load(file.parent) for file in kept.rglob(RUN_FILE))}
    assert sorted(saved) == [1, 2, 3]
    assert saved[2].digest == simulate(short(), 2).digest
    before = {file: file.stat().st_mtime_ns for file in kept.rglob(RUN_FILE)}
    again = tanshi(
        "season", "2021", *small_words(), "--seeds", "1..3", "--out", kept, "--json", "-"
    )
    assert {row["seed"]: row["digest"] for row in document(again)["runs"]} == {
        seed: run.digest for seed, run in saved.items()
    }
    assert before == {file: file.stat().st_mtime_ns for file in kept.rglob(RUN_FILE)}
    one = tanshi("season", "2021", *small_words(), "--seed", 2, "--out", kept, "--json")
    assert document(one)["runs"][0]["digest"] == saved[2].digest
    assert before == {file: file.stat().st_mtime_ns for file in kept.rglob(RUN_FILE)}


def test_a_score_of_saved_runs(kept: Path, tmp_path: Path) -> None:
    done = tanshi("score", kept, TARGETS, "--json")
    figures = document(done)
    assert figures["runs"] == {"2021": 3}
    assert figures["scored"] > 10
    assert len(figures["worst"]) == 5
    assert "Within tolerance" in done.stderr
    for words, said in (
        ((tmp_path, TARGETS), "holds no saved run"),
        ((kept, tmp_path / "none.csv"), "targets-no-file"),
        ((kept, TARGETS, "--daily", tmp_path / "none.csv"), "none.csv"),
    ):
        assert said in tanshi("score", *words, code=2).stderr


def test_a_sweep_and_what_it_says(tmp_path: Path) -> None:
    words = ("sweep", "2021", *small_words(), "--out", tmp_path, "--seeds", "1..2", "--jobs", 1)
    grid = ("--grid", "behaviour.reluctance=0.01,0.1", "--json")
    first = document(tanshi(*words, *grid))
    assert (first["total"], first["finished"]) == (4, 4)
    asked = [run["overrides"]["behaviour.reluctance"] for run in first["runs"]]
    assert asked == [0.01, 0.01, 0.1, 0.1]
    high = short(**{"behaviour.reluctance": 0.1})
    assert first["runs"][3]["digest"] == simulate(high, 2).digest
    again = document(tanshi(*words, *grid))
    assert all(run["resumed"] for run in again["runs"])


def test_ctrl_c_keeps_finished_runs_and_the_same_command_goes_on(tmp_path: Path) -> None:
    words = ["season", "2021", *small_words(0.1), "--seeds", "1..60", "--out", str(tmp_path)]
    child = subprocess.Popen(
        [sys.executable, "-m", "tanshi", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert child.stderr is not None
    said = []
    for line in child.stderr:
        said.append(line)
        if line.startswith("run 3/60"):
            break
    os.killpg(child.pid, signal.SIGINT)
    out, errors = child.communicate(timeout=120)
    everything = "".join(said) + errors
    assert child.returncode == 130, out + everything
    assert "Traceback" not in everything
    assert "of 60 runs are in" in errors
    runs = [Run.load(file.parent) for file in tmp_path.rglob(RUN_FILE)]
    assert 3 <= len(runs) < 60
    kept = {run.seed: run.digest for run in runs}
    words[words.index("1..60")] = "1..4"
    again = document(tanshi(*words, "--json"))
    digests = {row["seed"]: row["digest"] for row in again["runs"]}
    assert sorted(digests) == [1, 2, 3, 4]
    assert all(digests[seed] == kept[seed] for seed in set(kept) & set(digests))


def test_calibrate_goes_on_and_writes_its_best(tmp_path: Path) -> None:
    words = ("calibrate", "--season", "2021", "--seeds", "1", "--share", "0.03", "--jobs", 1)
    kept = (
        "--storage",
        tmp_path / "study.db",
        "--only",
        "reluctance",
        "--out",
        tmp_path / "b.toml",
    )
    first = document(tanshi(*words, *kept, "--trials", 2, "--json"))
    assert first["finished"] == 2
    assert "[behaviour]" in (tmp_path / "b.toml").read_text()
    again = tanshi(*words, *kept, "--trials", 3, "--json")
    assert document(again)["finished"] == 3
    assert "trial 3/3" in again.stderr
    assert "trial 2/3" not in again.stderr
    assert "other seeds" in tanshi(*words, *kept, "--seeds", "1..2", code=2).stderr


def test_a_scenario_is_explained_hashed_and_compared() -> None:
    assert tanshi("scenario", "2024", "--hash").stdout.strip() == scenario_hash(load("2024"))
    assert "Timeline" in tanshi("scenario", "2024").stdout
    words = ("scenario", "2024", "2024", "--set", "banking.sales_multiple=3", "--json")
    figures = document(tanshi(*words))
    assert [row["key"] for row in figures["difference"]] == ["banking.sales_multiple"]
    assert len(set(figures["hashes"])) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("season", "2027"), "expected a season"),
        (("season", "none.toml"), "a file of UTF-8 text"),
        (("season", "2024", "--set", "behaviour.reluctence=1"), "did you mean reluctance"),
        (("season", "2024", "--set", "reluctance"), "KEY=VALUE"),
        (("season", "2024", "--seeds", "9..1"), "the first and the last"),
        (("season", "2024", "--out", "README.md", "--seed", "1"), "a folder to write to"),
        (("sweep", "2024", "--out", "README.md"), "a folder to write to"),
        (("sweep", "2024", "--out", "x", "--backend", "ray"), "loky, dask"),
        (("sweep", "2024", "--out", "x", "--backend", "dask"), "--cluster"),
        (("sweep", "2024", "--out", "x", "--grid", "a"), "KEY=VALUE"),
        (("calibrate", "--season", "2022"), "only 2021, 2024"),
        (("calibrate", "--fix", "reluctance=high"), "a number was expected"),
        (("calibrate", "--bounds", "none.toml"), "a readable TOML file"),
        (("scenario", "2024", "20x4"), "expected a season"),
    ],
)
def test_bad_input_is_refused_in_words(words: tuple[str, ...], said: str) -> None:
    done = tanshi(*words, code=2)
    assert said in done.stderr
    assert not done.stdout


def test_the_benchmark_has_its_six_figures() -> None:
    figures = document(tanshi("bench", "season", "--quick", "--json"))
    assert set(figures) >= FIGURES | {"machine"}
    assert all(figures[name] > 0 for name in FIGURES)
    assert figures["peak_rss_mib"] < 1024
    assert figures["machine"]["cores"] >= 1
