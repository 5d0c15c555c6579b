"""The order of the verbs: append, sync, apply, tell; and what happens when a verb fails."""

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from engine.exchange import Exchange
from engine.records import Kind, commands
from gateway.journal.journal import Journal, JournalWriteError
from gateway.journal.sequencer import EXIT_ASSERTION, EXIT_JOURNAL, Sequencer
from gateway.venue import Venue


class StandingClock:
    def __init__(self, *times_ns: int) -> None:
        self.times_ns = list(times_ns)

    def now_ns(self) -> int:
        return self.times_ns.pop(0) if len(self.times_ns) > 1 else self.times_ns[0]

    async def wait_until(self, time_ns: int) -> None:
        await asyncio.Event().wait()


def account_openings(first: int, count: int) -> np.ndarray:
    batch = commands(count)
    batch["kind"] = Kind.OPEN_ACCOUNT
    batch["account"] = np.arange(first, first + count)
    return batch


class Recorder:
    """Writes down which verb was done to which commands."""

    def __init__(self, folder: Path) -> None:
        self.verbs: list[tuple[str, int]] = []
        self.journal = Journal(folder)
        list(self.journal.replay())
        self.exchange = Exchange()
        self._append, self._apply = self.journal.append, self.exchange.apply
        self.journal.append = self.append
        self.exchange.apply = self.apply

    def append(self, records, first_seq: int) -> None:
        self._append(records, first_seq)
        if len(records):
            self.verbs.append(("synced", self.journal.last_seq))

    def apply(self, batch: np.ndarray) -> np.ndarray:
        self.verbs.append(("applied", int(batch["seq"][-1])))
        return self._apply(batch)

    def tell(self, batch: np.ndarray, events: np.ndarray) -> None:
        assert set(events["seq"].tolist()) == set(batch["seq"].tolist())
        self.verbs.append(("told", int(batch["seq"][-1])))


def work(recorder: Recorder, act, clock: StandingClock | None = None, ended=None):
    async def main():
        sequencer = Sequencer(
            recorder.journal,
            recorder.exchange,
            clock or StandingClock(10**18),
            recorder.tell,
        )
        running = asyncio.create_task(sequencer.run())
        try:
            return await act(sequencer)
        finally:
            await sequencer.close()
            (result,) = await asyncio.gather(running, return_exceptions=True)
            assert type(result) is type(ended)

    try:
        return asyncio.run(main())
    finally:
        recorder.journal.close()


def test_verbs_come_in_order_and_commands_that_arrive_together_share_a_batch(
    tmp_path: Path,
) -> None:
    recorder = Recorder(tmp_path)

    async def act(sequencer: Sequencer) -> list[int]:
        futures = [sequencer.submit(account_openings(n, 1)) for n in range(5)]
        events = [await future for future in futures]
        return [int(each["account"][0]) for each in events]

    assert work(recorder, act) == [0, 1, 2, 3, 4]
    assert recorder.verbs == [("synced", 5), ("applied", 5), ("told", 5)]


def test_nothing_is_applied_or_told_before_its_sync(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)

    async def act(sequencer: Sequencer) -> None:
        for n in range(40):
            sequencer.submit(account_openings(n, 1))
            await asyncio.sleep(0.0005 * (n % 3))
        await sequencer.submit(account_openings(40, 1))

    work(recorder, act)
    durable = applied = 0
    for verb, seq in recorder.verbs:
        if verb == "synced":
            durable = seq
        elif verb == "applied":
            applied = seq
            assert seq <= durable
        else:
            assert seq <= applied
    assert recorder.verbs[-1] == ("told", 41)


def test_time_never_falls_and_numbers_have_no_gap(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)

    async def act(sequencer: Sequencer) -> None:
        for n in range(3):
            await sequencer.submit(account_openings(n, 2 if n == 1 else 1))

    work(recorder, act, StandingClock(1000, 5, 2000))
    journal = Journal(tmp_path)
    rows = np.concatenate(list(journal.replay()))
    journal.close()
    assert rows["seq"].tolist() == [1, 2, 3, 4]
    assert rows["time_ns"].tolist() == [1000, 1000, 1000, 2000]


def test_a_failed_write_stops_and_nothing_is_told(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)

    def fail(records, first_seq: int) -> None:
        raise JournalWriteError("the disk is gone")

    recorder.journal.append = fail

    async def act(sequencer: Sequencer) -> None:
        future = sequencer.submit(account_openings(0, 1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(future, 0.2)

    work(recorder, act, ended=JournalWriteError())
    assert recorder.verbs == []
    assert recorder.exchange.seq == 0


@pytest.mark.parametrize(
    ("error", "code"),
    [("JournalWriteError('no')", EXIT_JOURNAL), ("AssertionError('no')", EXIT_ASSERTION)],
)
def test_the_process_ends_with_a_code_of_its_own(error: str, code: int) -> None:
    program = (
        "from gateway.journal.sequencer import stop_at_once\n"
        "from gateway.journal.journal import JournalWriteError\n"
        f"stop_at_once({error})\n"
        "print('still here')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[3],
    )
    assert (done.returncode, done.stdout) == (code, "")


def test_an_idle_journal_is_sealed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.journal.sequencer.SEAL_AFTER_S", 0.05)
    recorder = Recorder(tmp_path)

    async def act(sequencer: Sequencer) -> tuple[bool, bool]:
        await sequencer.submit(account_openings(0, 1))
        before = recorder.journal.sealed
        await asyncio.sleep(0.3)
        return before, recorder.journal.sealed

    assert work(recorder, act) == (False, True)
    assert recorder.exchange.seq == 1


@pytest.mark.parametrize("broken", ["sequencer", "cycle", "publisher"])
def test_a_task_that_dies_stops_the_venue(tmp_path: Path, broken: str) -> None:
    async def main() -> list[BaseException]:
        venue = Venue.recover(tmp_path)
        stopped: list[BaseException] = []
        await venue.start(StandingClock(1_767_577_500 * 10**9), stop=stopped.append)
        part = getattr(venue, broken)

        async def die(*_: object) -> None:
            raise RuntimeError("broken on purpose")

        if broken == "publisher":
            part.flush = lambda: 1 // 0
            part.changed()
        elif broken == "cycle":
            part.step = die
        else:
            venue._tell = part._tell = lambda *_: 1 // 0
            await asyncio.wait({part.submit(account_openings(9, 1))}, timeout=0.3)
        await asyncio.sleep(0.4)
        await venue.close()
        return stopped

    assert asyncio.run(main())  # the first one ends the process; here others may follow


def body_of(kind: Kind, **fields: int) -> tuple[object, ...]:
    row = commands(1)
    row["kind"] = kind
    for name, value in fields.items():
        row[name] = value
    return row.tolist()[0][2:]


def test_urgent_commands_overtake_what_waits(tmp_path: Path) -> None:
    """reliability 8.2: numbered first in the next batch; tickets say who got which number."""
    recorder, clock = Recorder(tmp_path), StandingClock(10**18, 10**18 + 5, 10**18 + 9)
    told: list[np.ndarray] = []
    recorder.tell = lambda batch, events: told.append(batch.copy())  # type: ignore[method-assign]

    async def act(sequencer: Sequencer) -> tuple[list[int], list[int], np.ndarray]:
        sequencer.stamp()
        usual = [sequencer.enter(body_of(Kind.NOOP, ref=n)) for n in range(1, 4)]
        sequencer.stamp()
        urgent = [sequencer.enter_urgent(body_of(Kind.NOOP, ref=100))]
        done = sequencer.submit(account_openings(0, 2))
        urgent.append(sequencer.enter_urgent(body_of(Kind.NOOP, ref=200)))
        sequencer.flush()
        events = await done
        later = await sequencer.submit(account_openings(2, 1))
        assert int(later["seq"][0]) == 8
        assert sequencer.seq_of(8) == 8
        return usual, urgent, events

    usual, urgent, events = work(recorder, act, clock)
    (batch, _) = told
    assert batch["ref"].tolist() == [100, 200, 1, 2, 3, 0, 0]
    assert batch["seq"].tolist() == list(range(1, 8))
    assert (np.diff(batch["time_ns"]) >= 0).all()
    assert batch["time_ns"][2] == batch["time_ns"][1], "nobody is earlier than who overtook him"
    assert (usual, urgent) == ([1, 2, 3], [4, 7])
    assert events["account"].tolist() == [0, 1]
    assert events["seq"].tolist() == [6, 7]


def test_tickets_name_the_numbers_that_were_given(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)

    async def act(sequencer: Sequencer) -> None:
        for turn in range(3):
            tickets = []
            for n in range(5):
                enter = sequencer.enter_urgent if n in (2, 4) else sequencer.enter
                tickets.append(enter(body_of(Kind.CANCEL, account=0, ref=n)))
            sequencer.flush()
            await sequencer.submit(account_openings(turn, 1))
            first = tickets[0]
            found = [sequencer.seq_of(each) - first for each in tickets]
            assert found == [2, 3, 0, 4, 1]
        sequencer.forget(first)
        assert sequencer.seq_of(tickets[2]) == first
        assert sequencer.seq_of(1) == 1

    work(recorder, act)


def test_a_kill_is_effective_within_one_batch_of_a_flood(tmp_path: Path) -> None:
    """TR-117: thousands of orders wait; none of them is applied before the kill."""
    recorder = Recorder(tmp_path)
    told: list[np.ndarray] = []
    recorder.tell = lambda batch, events: told.append(batch.copy())  # type: ignore[method-assign]

    async def act(sequencer: Sequencer) -> None:
        first = sequencer.submit(account_openings(0, 1))
        await asyncio.sleep(0)
        for _ in range(20_000):
            sequencer.enter(body_of(Kind.LIST, account=0, qty_tonnes=1))
        kill = sequencer.enter_urgent(body_of(Kind.KILL, account=0, amount=3))
        sequencer.flush()
        await first
        await sequencer.submit(account_openings(1, 1))
        applied = np.concatenate(told)
        at = int(np.flatnonzero(applied["kind"] == Kind.KILL)[0])
        assert int(applied["seq"][at]) == sequencer.seq_of(kill)
        assert at <= 1, "only what was applied already comes before it"

    work(recorder, act)
