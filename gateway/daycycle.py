"""The venue's day: rules in the morning, phases by the clock, the registry's word in the evening.

Bidding sessions open and close by their windows, in between and in order of time.

Everything it does is a command through the sequencer, so a restart at any point goes on where the
journal says. A disputed day, or a registry that stops, holds the next open and ``held`` says why.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable, Mapping

import numpy as np

from engine.calendar import date_of
from engine.exchange import Exchange
from engine.reasons import EXPLANATIONS, Reason
from engine.records import HOT_KINDS_END, Event, Kind, Phase, commands
from engine.rulebook import Rules, admission_commands, admissions, parameter_commands
from engine.schedule import Step, next_step
from gateway.bidding_clock import SessionStep, next_session_step
from gateway.clock import BeijingClock
from gateway.desk.proposals import Proposals
from gateway.desk.rule_changes import standing
from gateway.journal.sequencer import Clock, Sequencer
from gateway.market import CEA, Market
from registry.errors import StopError, UnavailableError
from registry.evening import next_command
from registry.inbox import concerning
from registry.institution import Registry

logger = logging.getLogger(__name__)

NEVER_NS = 2**62
POLL_S = 0.25  # how soon an instruction of the registry is seen, wall time
RETRY_S = 2.0  # pause after the registry did not answer
BEIJING = dt.timedelta(hours=8)
EPOCH = dt.datetime(1970, 1, 1)
RESTING = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)


def beijing(time_ns: int) -> dt.datetime:
    """Return Beijing wall time, without a zone, of nanoseconds since 1970 (UTC)."""
    return EPOCH + BEIJING + dt.timedelta(microseconds=time_ns // 1000)


def nanoseconds(local: dt.datetime) -> int:
    """Return nanoseconds since 1970 (UTC) of Beijing wall time."""
    return (local - EPOCH - BEIJING) // dt.timedelta(microseconds=1) * 1000


class DayCycle:
    """One task per venue; ``references`` are first prices (ticks) of vintages by code (TR-24).

    ``before_day`` is called when a day is about to begin and the registry has heard everything.
    """

    def __init__(
        self,
        exchange: Exchange,
        sequencer: Sequencer,
        registry: Registry,
        clock: Clock,
        references: Mapping[str, int] | None = None,
        market: Market = CEA,
        proposals: Proposals | None = None,
        before_day: Callable[[], None] = lambda: None,
    ) -> None:
        self.held = ""
        self.rests_until_ns = 0  # when the next step is due, all before being done; 0: at work
        self._before_day = before_day
        self._market = market
        self._exchange = exchange
        self._sequencer = sequencer
        self._registry = registry
        self._clock = clock
        self._references = references or {}
        self._proposals = proposals or Proposals(None)
        self._inbox: list[tuple[np.ndarray, np.ndarray, tuple[str, ...]]] = []

    def note(self, applied: np.ndarray, events: np.ndarray, codes: list[str]) -> None:
        """Keep what one applied batch means to the registry until it can be told."""
        rare = (applied["kind"] >= HOT_KINDS_END).any()  # most batches hold orders only
        if rare and concerning(applied).size:
            self._inbox.append((applied.copy(), events.copy(), tuple(codes)))

    async def run(self) -> None:
        """Work for ever. A registry that stops holds the market where it is."""
        while True:
            try:
                await self.step()
            except UnavailableError as silent:
                self._hold(f"The registry does not answer: {silent}")
                await asyncio.sleep(RETRY_S)
            except StopError as stop:
                self._hold(f"The registry has stopped: {stop}")
                await asyncio.sleep(RETRY_S)

    async def step(self) -> None:
        """Do what is due, or wait a moment."""
        await self._tell_registry()
        if isinstance(self._clock, BeijingClock) and (doubt := self._clock.doubt):
            self._hold(doubt)
            await self._instructions()
            await asyncio.sleep(POLL_S)
            return
        await self._evening()
        market = self._exchange.state.market[0]
        now_ns = self._clock.now_ns()
        now = beijing(now_ns)
        rules = self._rules_in_force(int(market["date"]))
        due = next_step(int(market["phase"]), int(market["date"]), now, rules)
        if int(market["instruments"]) == 0:
            if due is not None:
                await self._rules_of(due)  # a new venue lists its vintages before anything moves in
            if not self._market.lists_vintages:
                due = None  # an operator has to admit the first one
        await self._instructions()
        session = next_session_step(self._exchange.state)
        step_ns = nanoseconds(due.due_local) if due is not None else NEVER_NS
        if session is not None and session.due_ns <= step_ns:
            await self._take_session(session, now_ns)
        elif due is None:
            self.rests_until_ns = NEVER_NS
            await asyncio.sleep(POLL_S)
        elif step_ns > now_ns:
            await self._wait(step_ns)
        else:
            await self._take(due)

    def _rules_in_force(self, date: int) -> Rules | None:
        """Return the rules of the exchange's day; None before the first: next_step asks for it."""
        day = date_of(date)
        return None if day is None else self._market.rules(day)

    async def _take_session(self, session: SessionStep, now_ns: int) -> None:
        if session.due_ns > now_ns:
            await self._wait(session.due_ns)
        elif await self._submit(session.command()):
            await asyncio.sleep(POLL_S)  # refused: look again, do not spin

    async def _wait(self, time_ns: int) -> None:
        self.rests_until_ns = time_ns
        try:
            await asyncio.wait_for(self._clock.wait_until(time_ns), POLL_S)
        except TimeoutError:
            return

    async def _take(self, step: Step) -> None:
        if step.kind == Kind.BEGIN_DAY:
            await self._rules_of(step)
            await self._tell_registry()
            self._before_day()
        batch = commands(1)
        batch["kind"], batch["ref"] = step.kind, step.ref
        await self._submit(batch)

    async def _rules_of(self, step: Step) -> None:
        """Bring the exchange to the day's rulebook: new vintages first, then what differs.

        What two people have set stands until the rulebook itself changes it.
        """
        day = date_of(step.ref)
        assert day is not None, "a day begins with a date"
        rules = self._market.rules(day)
        state = self._exchange.state
        count = int(state.market[0]["instruments"])
        listed = [code.decode() for code in state.instruments["code"][:count].tolist()]
        first_prices = {each.code: each.first_reference_ticks for each in rules.vintages}
        opened = int(state.market[0]["composite_close_ticks"]) > 0
        pairs = [
            (code, price if opened else self._references.get(code, first_prices[code]))
            for code, price in admissions(rules, listed)
        ]
        await self._submit(admission_commands(pairs, count))
        count = int(state.market[0]["instruments"])
        batch = parameter_commands(rules, state.rules, state.instruments[:count])
        kept = standing(batch, self._proposals, state, self._market.rules)
        await self._submit(batch[~kept])

    async def _evening(self) -> None:
        while int(self._exchange.state.market[0]["phase"]) in RESTING:
            await self._tell_registry()
            try:
                command = await asyncio.to_thread(
                    next_command, self._registry, self._exchange.state
                )
            except StopError:
                if self._inbox:
                    continue  # a trade was undone meanwhile: the registry has to hear of it first
                raise
            if self._inbox:
                continue  # the same: what the registry has found is out of date
            if command is None:
                break
            if await self._submit(command) and not self._inbox:
                await asyncio.sleep(POLL_S)  # refused: look again, do not spin
                break
        market = self._exchange.state.market[0]
        if int(market["phase"]) == Phase.DISPUTED:
            report = await asyncio.to_thread(self._registry.report, int(market["date"]))
            self._hold(f"Day {int(market['date'])} is disputed (ST-17): " + " ".join(report))
        elif self.held:
            logger.warning("the venue goes on")
            self.held = ""

    async def _instructions(self) -> None:
        state = self._exchange.state
        pending = await asyncio.to_thread(self._registry.pending_commands, state)
        if len(pending):
            await self._submit(pending)
            await self._tell_registry()

    async def _tell_registry(self) -> None:
        while self._inbox:
            await asyncio.to_thread(self._registry.absorb, *self._inbox[0])
            self._inbox.pop(0)

    async def _submit(self, batch: np.ndarray) -> int:
        """Enter commands and return how many of them were refused."""
        events = await self._sequencer.submit(batch)
        if len(events) == 0:
            return 0
        refused = events[events["kind"] == Event.REFUSED]
        for event in refused:
            reason = Reason(int(event["reason"]))
            logger.warning("command %d refused: %s", event["seq"], EXPLANATIONS[reason].sentence)
        return len(refused)

    def _hold(self, why: str) -> None:
        if why != self.held:
            logger.error("the next day cannot open. %s", why)
        self.held = why
