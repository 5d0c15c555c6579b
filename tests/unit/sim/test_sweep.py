"""Sweeps: every arm with every seed, once, on disk, whatever does the work, whoever interrupts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sim.ensemble.sweeping import ARM_FILE, SweepError, combinations, sweep
from sim.results.run import RUN_FILE, Run
from sim.scenario.identity import scenario_hash
from sim.scenario.refusing import ScenarioError
from tests.unit.sim.small_seasons import short

GRID = {"behaviour.reluctance": [0.01, 0.1]}
SEEDS = (1, 2, 3)
LONG = """
import signal
import sys
from sim.ensemble.sweeping import sweep
from tests.unit.sim.small_seasons import short

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    grid = {"behaviour.reluctance": [0.01, 0.1]}
    told = lambda done, total, run: print(done, total, run.resumed, flush=True)
    found = sweep(short(0.1), grid, range(40), sys.argv[1], jobs=2, progress=told)
    print("end", found.interrupted, len(found.runs), found.total, flush=True)
"""


def test_a_run_per_arm_and_seed_is_on_disk_and_readable(tmp_path: Path) -> None:
    found = sweep(short(), GRID, SEEDS, tmp_path, jobs=1)
    assert len(found.runs) == found.total == 6
    assert not found.interrupted
    table = found.table()
    assert table["behaviour.reluctance"].tolist() == [0.01] * 3 + [0.1] * 3
    assert table["seed"].tolist() == [1, 2, 3] * 2
    assert table["digest"].nunique() == 6
    for run in found.runs:
        saved = Run.load(run.folder)
        assert (saved.digest, saved.seed) == (run.digest, run.seed)
        assert len(saved.trades) == run.counts["trades"] > 0
        about = json.loads((run.folder.parent / ARM_FILE).read_text())
        assert about["overrides"] == run.overrides
        assert about["scenario_hash"] == saved.scenario_hash
        assert scenario_hash(short(**run.overrides)) == saved.scenario_hash


def test_any_number_of_processes_gives_the_same(tmp_path: Path) -> None:
    one = sweep(short(), GRID, SEEDS, tmp_path / "one", jobs=1)
    two = sweep(short(), GRID, SEEDS, tmp_path / "two", jobs=2)
    assert one.digests() == two.digests()
    assert [run.seed for run in one.runs] == [run.seed for run in two.runs]


def test_two_workers_of_a_dask_cluster_give_the_same(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path / "scratch"),
    )
    with cluster, distributed.Client(cluster) as client:
        processes = set(client.run(os.getpid).values())
        assert len(processes - {os.getpid()}) == 2
        there = sweep(short(), GRID, SEEDS, tmp_path / "dask", backend="dask")
        tasks = client.run(lambda dask_worker: len(dask_worker.state.log))
    assert all(count > 0 for count in tasks.values())
    here = sweep(short(), GRID, SEEDS, tmp_path / "here", jobs=1)
    assert len(there.runs) == 6
    assert there.digests() == here.digests()


def test_finished_runs_are_left_alone_and_unfinished_ones_are_not(tmp_path: Path) -> None:
    first = sweep(short(), GRID, SEEDS, tmp_path, jobs=1)
    times = {run.folder: (run.folder / RUN_FILE).stat().st_mtime_ns for run in first.runs}
    torn, empty = first.runs[0].folder, first.runs[4].folder
    (torn / RUN_FILE).write_text('{"season": "2021", "se')
    (empty / RUN_FILE).unlink()
    again = sweep(short(), GRID, SEEDS, tmp_path, jobs=1)
    lived = {run.folder for run in again.runs if not run.resumed}
    assert lived == {torn, empty}
    assert again.digests() == first.digests()
    for run in again.runs:
        same = (run.folder / RUN_FILE).stat().st_mtime_ns == times[run.folder]
        assert same == run.resumed
    assert not any(run.resumed for run in sweep(short(), GRID, [1], tmp_path, resume=False).runs)


def test_a_run_of_another_seed_in_the_folder_is_not_taken_for_finished(tmp_path: Path) -> None:
    first = sweep(short(), None, [1, 2], tmp_path, jobs=1)
    (first.runs[0].folder / RUN_FILE).write_bytes((first.runs[1].folder / RUN_FILE).read_bytes())
    again = sweep(short(), None, [1, 2], tmp_path, jobs=1)
    assert [run.resumed for run in again.runs] == [False, True]
    assert again.digests() == first.digests()


def test_an_interrupt_keeps_what_is_finished_and_the_same_call_goes_on(tmp_path: Path) -> None:
    words = [sys.executable, "-c", LONG, str(tmp_path)]
    child = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if int(line.split()[0]) >= 3:
            break
    os.killpg(child.pid, signal.SIGINT)  # what a terminal does on Ctrl-C: the whole group
    out, errors = child.communicate(timeout=60)
    _, interrupted, kept, total = out.strip().splitlines()[-1].split()
    assert (child.returncode, interrupted, total) == (0, "True", "80"), errors
    assert 3 <= int(kept) < 80
    assert "Traceback" not in errors
    saved = {file.parent: Run.load(file.parent) for file in tmp_path.rglob(RUN_FILE)}
    assert len(saved) >= int(kept)
    few = sweep(short(0.1), GRID, range(4), tmp_path, jobs=1)
    assert len(few.runs) == 8
    assert sum(run.resumed for run in few.runs) >= 3
    for run in few.runs:
        if run.resumed:
            assert saved[run.folder].digest == run.digest
    fresh = sweep(short(0.1), GRID, range(4), tmp_path / "fresh", jobs=1)
    assert few.digests() == fresh.digests()


def test_grids() -> None:
    assert list(combinations(None)) == [{}]
    two = list(combinations({"a": [1, 2], "b": ["x", "y"]}))
    assert two[1] == {"a": 1, "b": "y"}
    assert len(two) == 4
    assert list(combinations([{"a": 1}, {"b": 2}])) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize("grid", [{"a": []}, {"a": 3}, {"a": "text"}])
def test_a_grid_that_is_none_is_refused(grid: dict[str, object]) -> None:
    with pytest.raises(SweepError, match="a list of values"):
        list(combinations(grid))  # type: ignore[arg-type]


def test_what_cannot_be_swept_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    place = tmp_path / "runs"
    with pytest.raises(SweepError, match="backend 'ray'"):
        sweep(short(), None, [1], place, backend="ray")
    with pytest.raises(SweepError, match="at least one"):
        sweep(short(), None, [], place)
    with pytest.raises(ScenarioError, match="did you mean reluctance"):
        sweep(short(), {"behaviour.reluctence": [0.1]}, [1], place)
    assert not place.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(SweepError, match="a folder to write to"):
        sweep(short(), None, [1], tmp_path / "file" / "below")
    with pytest.raises(SweepError, match="dask"):
        sweep(short(), None, [1], place, backend="dask")
