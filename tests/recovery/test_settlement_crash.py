"""P5: settlement is exactly once across a crash of either side, at every point (F30-F33).

For each seed an evening is played undisturbed; then once more for every crash point of it, from
the same files: crash there, start again, go on. The books that result must be the undisturbed
ones, row by row.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.deals import deal_file
from engine.exchange import Exchange
from engine.records import Phase
from registry.errors import RegistryError, StopError
from registry.institution import Registry
from tests.unit.registry.crashing import Crash, Crasher, Evening, Office, dump, in_transit

SEEDS = range(1, 1 + int(os.environ.get("TANSHI_SETTLEMENT_SEEDS", "3")))  # 60: 10,000 points
EVERY = int(os.environ.get("TANSHI_SETTLEMENT_EVERY", "2"))  # crash point: 1 leaves none out
POINTS_MIN = 340  # of one evening: half of those of three make more than 500
TWICE = 12  # double crashes a seed
SHUFFLES = 6
ROOT = Path(__file__).parents[2]


class Stage:
    """A played day, the books before its evening, and the office that keeps them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.before = folder / "before.db"
        self.books = folder / "books.db"
        with Registry.open(f"sqlite:///{self.before}") as registry:
            self.evening = Evening(registry, seed)
        shutil.copy(self.before, self.books)
        self.office = Office(f"sqlite:///{self.books}")

    def fresh(self) -> Exchange:
        """Put the books back as they were at the close and return the exchange of that moment."""
        self.office.database.close()
        for left in self.books.parent.glob(f"{self.books.name}*"):
            left.unlink()
        shutil.copy(self.before, self.books)
        return self.evening.closed.fork()

    def finish(self, exchange: Exchange, crashes: Sequence[int], repeats: int = 1) -> int:
        """Play the evening through the crashes; return how many of them were reached."""
        reached = 0
        for at in crashes:
            try:
                self.evening.go_on(self.office, exchange, Crasher(at), repeats)
            except Crash:
                reached += 1
        self.evening.go_on(self.office, exchange, Crasher(), repeats)
        return reached

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the books, row by row."""
        return dump(self.office.start())


@pytest.fixture(params=SEEDS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    """One evening for each seed."""
    made = Stage(tmp_path, request.param)
    yield made
    made.office.database.close()


def test_every_crash_point_of_an_evening_ends_in_the_same_books(stage: Stage) -> None:
    exchange, counter = stage.fresh(), Crasher()
    stage.evening.go_on(stage.office, exchange, counter)
    expected, digest = stage.rows(), exchange.digest()
    assert stage.office.start().violations(exchange.state) == []
    assert exchange.state.market[0]["phase"] == Phase.POSTED
    assert in_transit(expected) == 0
    assert [row[1] for row in expected["days"]] == ["posted"]
    print("seed", stage.evening.seed, "crash points", counter.passed)
    assert counter.passed >= POINTS_MIN

    chance = random.Random(stage.evening.seed)
    first = 1 + stage.evening.seed % EVERY
    plans = [([at], 1 + at // EVERY % 2) for at in range(first, counter.passed + 1, EVERY)]
    plans += [([chance.randint(1, counter.passed) for _ in range(2)], 1) for _ in range(TWICE)]
    for crashes, repeats in plans:
        exchange = stage.fresh()
        assert stage.finish(exchange, crashes, repeats) >= 1, crashes
        assert exchange.digest() == digest, crashes
        assert stage.rows() == expected, (crashes, repeats)


def test_altered_bytes_after_a_lost_answer_stop_f31_f32(tmp_path: Path) -> None:
    stage = Stage(tmp_path, 2)
    exchange = stage.fresh()
    with pytest.raises(Crash):  # the registry has cleared, its answer is lost
        stage.evening.go_on(stage.office, exchange, AtMessage())
    file = deal_file(exchange.state)
    altered = replace(file, deals=file.deals[:-1])
    registry = stage.office.start()
    cleared = registry.day(file.date)
    assert cleared is not None
    assert cleared.status == "cleared"
    with pytest.raises(StopError) as caught:
        registry.clear(altered)
    assert caught.value.code == "file_differs"
    stage.finish(exchange, [])
    assert exchange.state.market[0]["phase"] == Phase.POSTED


@pytest.mark.parametrize("seed", SEEDS)
def test_reordered_delayed_and_doubled_tellings_end_in_the_same_balances_f32(
    tmp_path: Path, seed: int
) -> None:
    """What comes too early is turned away or waits; what comes late or again changes nothing."""
    stage = Stage(tmp_path, seed)
    exchange = stage.fresh()
    stage.finish(exchange, [])
    expected = balances(stage.rows())
    chance = random.Random(seed)
    turned_away = 0
    for _ in range(SHUFFLES):
        exchange = stage.fresh()
        registry = stage.office.start()
        shuffled = [*stage.evening.untold, *chance.sample(stage.evening.untold, 3)]
        chance.shuffle(shuffled)
        for commands, events in shuffled[: chance.randint(1, len(shuffled))]:
            try:
                registry.absorb(commands, events, stage.evening.codes)
            except RegistryError:
                turned_away += 1
        stage.finish(exchange, [], repeats=2)
        posted = stage.rows()
        assert balances(posted) == expected
        assert in_transit(posted) == 0
        assert stage.office.start().violations(exchange.state) == []
        for commands, events in shuffled:  # late: the day is posted long since
            registry = stage.office.start()
            registry.absorb(commands, events, stage.evening.codes)
        assert stage.rows() == posted
    print("seed", seed, "turned away", turned_away)


def balances(books: dict[str, list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """Return who has how much of what where; accounts that have nothing left out."""
    return sorted(row for row in books["buckets"] if row[3])


class AtMessage(Crasher):
    """Crashes when the first message is on its way to the exchange."""

    def point(self, raw: object = None) -> None:
        if raw is None:
            raise Crash


def test_a_registry_restored_from_an_old_copy_is_noticed(tmp_path: Path) -> None:
    """Both sides finished the day; then the registry's disk of before the evening comes back."""
    stage = Stage(tmp_path, 1)
    exchange = stage.fresh()
    stage.finish(exchange, [])
    stage.fresh()
    assert stage.office.start().violations(exchange.state) != []


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.recovery.test_settlement_crash import Stage
from tests.unit.registry.crashing import Crasher

class Killer(Crasher):
    def point(self, raw=None):
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)

stage = Stage(Path(sys.argv[1]), 1)
stage.evening.go_on(stage.office, stage.fresh(), Killer(int(sys.argv[2])))
"""


@pytest.mark.parametrize("at", [7, 60, 100, 140, 165])
def test_a_killed_process_leaves_the_same_books(at: int, tmp_path: Path) -> None:
    """A real process and SIGKILL, at a few points (kill -9 does not test the disk)."""
    (tmp_path / "killed").mkdir()
    stage = Stage(tmp_path, 1)
    stage.finish(stage.fresh(), [])
    expected = stage.rows()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed"), str(at)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert done.returncode == -9
    exchange = stage.fresh()
    for left in (tmp_path / "killed").glob("books.db*"):  # the file and its write-ahead log
        shutil.copy(left, tmp_path)
    stage.finish(exchange, [])
    assert stage.rows() == expected
    assert stage.office.start().violations(exchange.state) == []
