"""The rows of ``tests.nightly`` about durability: P1, P2, P3, P5 and the named faults.

At full size (10⁷ commands) a night loses the power 100,000 times, kills 1,000 venues, replays 10⁷
commands three times and crashes a settlement 10,000 times; a smaller ``--commands`` makes all of it
smaller in proportion.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.recovery.fake_disk import Trial
from tests.recovery.kill_cycles import NEEDS_A_NEW_DAY, Cycle, Cycles, random_cycle
from tests.recovery.long_tape import write
from tests.recovery.served_venue import DAYS

if TYPE_CHECKING:
    from tests.nightly import Plan, Row

ROOT = Path(__file__).parents[2]
FULL_COMMANDS = 10_000_000
LOSSES, KILLS, CRASH_POINTS = 100_000, 1_000, 10_000
POINTS_PER_EVENING = 170
CYCLES_PER_DAY = 5
FAILURES_MAX = 20
HASH_SEEDS = ("0", "1", "4242")
FAULT_TESTS = (
    *("test_power_loss.py", "test_kill_points.py", "test_watchdog.py", "test_clock_faults.py"),
    *("test_no_descriptors.py", "test_quarantine.py", "test_snapshots.py"),
)


def _scaled(full: int, plan: Plan) -> int:
    return max(1, full * plan.commands // FULL_COMMANDS)


def power_losses(plan: Plan, row: Row) -> None:
    """A fake disk loses any subset of un-synced sectors; every fourth loses again in recovery."""
    row.unit = "losses"
    goal = _scaled(LOSSES, plan)
    logging.getLogger("gateway.journal").setLevel(logging.ERROR)  # torn tails are what it is about
    with tempfile.TemporaryDirectory() as folder:
        while row.runs < goal and len(row.failures) < FAILURES_MAX:
            seed = plan.seed * 10_000_000 + row.runs
            verdict = Trial(Path(folder), seed).run()
            row.runs += 1
            if verdict.problem:
                row.fail(f"seed {seed}: {verdict}")
            row.progress(goal)


def kills(plan: Plan, row: Row) -> None:
    """Real processes and sockets, killed at random moments and named places, also when starting."""
    row.unit = "kills"
    goal, chance = _scaled(KILLS, plan), Random(plan.seed)
    while row.runs < goal and len(row.failures) < FAILURES_MAX:
        with tempfile.TemporaryDirectory() as folder:
            _one_life(Cycles(Path(folder), 10, plan.seed + row.runs), chance, row, goal)


def _one_life(cycles: Cycles, chance: Random, row: Row, goal: int) -> None:
    """One venue through all its days; it dies several times a day."""
    _judged(cycles, Cycle(), row)
    for day in range(len(DAYS)):
        if day:
            place = chance.choice(NEEDS_A_NEW_DAY)
            _judged(cycles, Cycle(place, day), row)
        for _ in range(CYCLES_PER_DAY):
            if row.runs >= goal or len(row.failures) >= FAILURES_MAX:
                return
            _judged(cycles, random_cycle(chance, day), row)
            if chance.random() < 0.2:
                cycles.kill_while_starting(Cycle(day=day))
                row.runs += 1
            row.progress(goal)


def _judged(cycles: Cycles, cycle: Cycle, row: Row) -> None:
    outcome = cycles.run(cycle)
    row.runs += 1
    if outcome.problems:
        row.fail(f"{cycle}: {outcome}")


def replays(plan: Plan, row: Row) -> None:
    """One journal, three processes with other hash seeds: every event byte, every digest."""
    row.unit = "commands"
    with tempfile.TemporaryDirectory() as folder:
        venue = Path(folder) / "venue"
        exchange = write(venue, plan.commands, plan.seed)
        found = set()
        for seed in HASH_SEEDS:
            figures = Path(folder) / f"{seed}.json"
            arguments = ["-m", "tanshi", "replay", str(venue), "--json", str(figures)]
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=os.environ | {"PYTHONHASHSEED": seed},
                stdout=subprocess.DEVNULL,
                check=False,
            )
            if done.returncode:
                row.fail(f"replay with hash seed {seed} ended with {done.returncode}")
                continue
            said = json.loads(figures.read_text())
            found.add((said["digest"], said["events_sha256"], said["chain"]))
            row.runs += said["commands"]
            row.progress(plan.commands * len(HASH_SEEDS))
        if len(found) != 1 or {digest for digest, *_ in found} != {exchange.digest()}:
            row.fail(f"tape seed {plan.seed}: replays differ: {found}")


def every_point(plan: Plan, row: Row) -> None:
    """From a snapshot at every point of a 2,000-command tape to its end."""
    row.unit, row.exhaustive = "starts", True
    if _pytest(plan, row, ["test_replay.py", "-k", "every_point"], TANSHI_FULL_TAILS="1"):
        row.runs = 2_000


def damage(plan: Plan, row: Row) -> None:
    """Every truncation, bit flip, deletion, doubling, swap, old copy of small journals (P3)."""
    row.unit, row.exhaustive = "tests", True
    _pytest(plan, row, ["test_journal_damage.py"])


def settlement(plan: Plan, row: Row) -> None:
    """Crash before and after every statement, commit and message of random evenings (P5)."""
    row.unit = "crashes"
    seeds = max(1, _scaled(CRASH_POINTS, plan) // POINTS_PER_EVENING)
    said = _pytest(
        plan,
        row,
        ["test_settlement_crash.py", "-rP"],
        TANSHI_SETTLEMENT_SEEDS=str(seeds),
        TANSHI_SETTLEMENT_EVERY="1",
    )
    row.runs = sum(map(int, re.findall(r"crash points (\d+)", said)))


def named_faults(plan: Plan, row: Row) -> None:
    """F01-F20 and F23: each either correct or stopped with the right code."""
    row.unit = "tests"
    _pytest(plan, row, list(FAULT_TESTS))


def _pytest(plan: Plan, row: Row, chosen: list[str], **environment: str) -> str:
    """Run tests of this folder; count the ones that passed and return what was printed."""
    files = [f"tests/recovery/{each}" if each.endswith(".py") else each for each in chosen]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--timeout=0", *files],
        cwd=ROOT,
        env=os.environ | environment | {"TANSHI_SEED": str(plan.seed % 1_000)},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.search(r"(\d+) passed", done.stdout)
    row.runs = int(passed.group(1)) if passed else 0
    if done.returncode:
        row.fail(done.stdout[-2_000:])
    return done.stdout
