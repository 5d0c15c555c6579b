"""A trade undone while the evening is at work: the registry hears of it before anything else."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from engine.deals import deal_file
from engine.records import Event, Kind, Phase, commands
from gateway import daycycle
from gateway.daycycle import DayCycle
from registry.errors import StopError
from registry.institution import Registry
from tests.unit.gateway.test_sequencer import StandingClock
from tests.unit.registry.registry_venue import Venue

Act = Callable[[], object]


class Evening:
    """A closed day with two deals, its cycle, and a void that comes at a moment of one's choice."""

    def __init__(self, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
        self.venue = Venue(registry)
        self.venue.fund(2)
        self.venue.open_day(20210716)
        self.number = int(self.venue.trade(0, 1, 10)[1]["trade_no"])
        self.venue.trade(0, 1, 20)
        self.venue.close_day()
        parts: Any = (self.venue.exchange, self, registry, StandingClock(0))
        self.cycle = DayCycle(*parts)
        self.phases: list[int] = []
        self.before_confirmation: Act = lambda: None
        self._asked = daycycle.next_command
        self.before_asking: list[Act] = []
        self.after_asking: list[Act] = []
        monkeypatch.setattr(daycycle, "next_command", self._next_command)
        monkeypatch.setattr(daycycle.asyncio, "sleep", self._wait)

    async def _wait(self, seconds: float) -> None:
        raise AssertionError(f"the evening waits {seconds} s")

    def _next_command(self, registry: Registry, state: Any) -> np.ndarray | None:
        """Ask the registry as usual, in a thread; the venue goes on before and after."""
        for act in self.before_asking[:1]:
            self.before_asking.pop(0)
            act()
        found = self._asked(registry, state)
        for act in self.after_asking[:1]:
            self.after_asking.pop(0)
            act()
        return found

    def submit(self, batch: np.ndarray) -> asyncio.Future[np.ndarray]:
        """Be the sequencer."""
        if int(batch["kind"][0]) == Kind.CONFIRM_DAY:
            self.before_confirmation()
            self.before_confirmation = lambda: None
        done: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        done.set_result(self.apply(batch))
        return done

    def apply(self, batch: np.ndarray) -> np.ndarray:
        events = self.venue.submit(batch, heard=False)
        applied = self.venue.tape[-1][0]
        self.cycle.note(applied, events, list(self.venue.codes))
        self.phases.append(int(self.venue.phase))
        return events

    def void(self) -> None:
        batch = commands(1)
        batch["kind"], batch["ref"] = Kind.VOID_TRADE, self.number
        batch["operator"], batch["checker"] = 1, 2
        (first, *_) = self.apply(batch)
        assert int(first["kind"]) == Event.TRADE_VOIDED

    def run(self) -> None:
        asyncio.run(self.cycle._evening())
        assert self.venue.phase == Phase.POSTED
        assert Phase.DISPUTED not in self.phases
        assert self.cycle.held == ""
        registry = self.venue.registry
        assert [fill.trade_no for fill in registry.trades(0)] == [self.number + 1]
        self.venue.sound()


@pytest.fixture
def evening(monkeypatch: pytest.MonkeyPatch) -> Iterator[Evening]:
    with Registry.open("sqlite://") as registry:
        yield Evening(registry, monkeypatch)


def test_undone_before_the_evening_begins(evening: Evening) -> None:
    evening.void()
    evening.run()


def test_undone_before_the_registry_reads_the_deals(evening: Evening) -> None:
    """TR-121: a deal is missing for which it knows no reason yet; that is no dispute (ST-17)."""
    evening.before_asking = [evening.void]
    evening.run()


def test_undone_between_clearing_and_the_answer(evening: Evening) -> None:
    evening.after_asking = [evening.void]
    evening.run()


def test_undone_between_the_answer_and_its_place_in_the_journal(evening: Evening) -> None:
    """The exchange refuses CONFIRM_DAY; the registry is told and asked again at once."""
    evening.before_confirmation = evening.void
    evening.run()


def test_undone_after_clearing_when_the_registry_would_stop(evening: Evening) -> None:
    """A cleared day accepts no other file until the void is heard: no pause, nothing is held."""
    evening.venue.registry.clear(deal_file(evening.venue.state))
    evening.before_asking = [evening.void]
    evening.run()


def test_a_registry_that_stops_for_another_reason_stops(evening: Evening) -> None:
    def stop() -> None:
        raise StopError("inbox_differs", "two records differ")

    evening.before_asking = [stop]
    with pytest.raises(StopError, match="two records"):
        asyncio.run(evening.cycle._evening())
