"""F19: a writer that is dead or stuck ends the process; one that is slow, or asleep, does not."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

from engine.exchange import Exchange
from gateway.disk import Disk
from gateway.journal import Journal
from gateway.sequencer import Sequencer
from gateway.watchdog import LOOK_S, STALLED_LOOKS, StalledError, Watchdog
from tests.unit.gateway.test_sequencer import StandingClock, account_openings

FAST_S = 0.04


class Gate(Disk):
    """A sync returns when it is let."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()

    def sync(self, descriptor: int) -> None:
        self.open.wait()
        super().sync(descriptor)


class Stage:
    """A sequencer with a watchdog that looks often."""

    def __init__(self, folder: Path) -> None:
        self.disk = Gate()
        self.journal = Journal(folder, disk=self.disk)
        list(self.journal.replay())
        self.sequencer = Sequencer(
            self.journal, Exchange(), StandingClock(10**18), lambda _commands, _events: None
        )
        self.writer = asyncio.create_task(self.sequencer.run())
        self.stopped: list[BaseException] = []
        self.watchdog = Watchdog(self.sequencer, self.writer, self.stopped.append, FAST_S)

    async def end(self) -> None:
        self.watchdog.end()
        self.disk.open.set()
        await self.sequencer.close()
        await asyncio.gather(self.writer, return_exceptions=True)
        self.journal.close()


def watched(folder: Path, act: Callable[[Stage], object]) -> list[BaseException]:
    async def main() -> list[BaseException]:
        stage = Stage(folder)
        try:
            result = act(stage)
            if asyncio.iscoroutine(result):
                await result
            return list(stage.stopped)
        finally:
            await stage.end()

    return asyncio.run(main())


def test_the_promise_is_kept_in_time() -> None:
    assert LOOK_S * (STALLED_LOOKS + 1) <= 5


def test_a_sync_that_does_not_return_is_the_end(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.disk.open.clear()
        stage.sequencer.submit(account_openings(0, 1))
        await asyncio.sleep(FAST_S * 40)

    (error,) = watched(tmp_path, act)
    assert isinstance(error, StalledError)
    assert "1 commands wait" in str(error)


def test_a_writer_that_went_without_a_word_is_noticed(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        stage.writer.cancel()
        await asyncio.sleep(FAST_S * 5)
        assert stage.stopped == [], "nothing waits"
        stage.sequencer.submit(account_openings(0, 1))
        await asyncio.sleep(FAST_S * 10)

    (error,) = watched(tmp_path, act)
    assert isinstance(error, StalledError)


def test_a_slow_disk_is_not_a_dead_one(tmp_path: Path) -> None:
    async def act(stage: Stage) -> None:
        for account in range(6):
            stage.disk.open.clear()
            done = stage.sequencer.submit(account_openings(account, 1))
            await asyncio.sleep(FAST_S * (STALLED_LOOKS - 5))
            stage.disk.open.set()
            await done

    assert watched(tmp_path, act) == []


def test_an_event_loop_that_is_busy_or_was_asleep_is_not_a_dead_writer(tmp_path: Path) -> None:
    """As after SIGSTOP and SIGCONT: much time has passed, nothing is wrong (F21)."""

    async def act(stage: Stage) -> None:
        stage.disk.open.clear()
        done = stage.sequencer.submit(account_openings(0, 1))
        await asyncio.sleep(FAST_S)
        threading.Event().wait(FAST_S * 40)  # the loop does not turn meanwhile
        stage.disk.open.set()
        await done

    assert watched(tmp_path, act) == []


def test_an_idle_venue_is_left_alone(tmp_path: Path) -> None:
    assert watched(tmp_path, lambda _: asyncio.sleep(FAST_S * 40)) == []
